"""Codes of objects: drawn from centres, and laid over an object again."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import torch
from torch import Tensor

from ktviz.labels import class_of
from ktviz.library.kinds.codes.rows import Codes


def drawn(numbers: Tensor, centres: Mapping[int, Codes], random: np.random.RandomState) -> dict[int, int]:
    """A centre for every object, each as likely as any other of its class; -1 where the class has none.

    Args:
        numbers: Of objects, of any shape.
        centres: By class: (K, codes).
        random: NumPy's older generator, as published: the same seed draws the same.
    """
    found = {}
    for number in numbers.unique().tolist():
        known = centres.get(class_of(number))
        found[number] = -1 if known is None else int(random.randint(0, len(known)))
    return found


def laid_out(numbers: Tensor, chosen: Mapping[int, int], centres: Mapping[int, Codes], codes: int) -> Tensor:
    """The chosen centres at the pixels of their objects, 0 where there is none.

    Args:
        numbers: (B, 1, H, W) int.
        chosen: A centre of its class for every object; -1 for none.
        centres: By class: (K, codes).
        codes: Numbers of a code.

    Returns:
        (B, codes, H, W) float32.
    """
    found = torch.zeros(len(numbers), codes, *numbers.shape[2:])
    for number, centre in chosen.items():
        if centre >= 0:
            code = torch.from_numpy(centres[class_of(number)][centre]).float()
            found = torch.where(numbers == number, code[:, None, None], found)
    return found
