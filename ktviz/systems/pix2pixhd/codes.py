"""Codes of objects: read from an encoder's map, kept as rows, laid over an object again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from ktviz.labels import class_of

AREA_PARTS = 32
"""An area of 1 is this part of the picture."""

Codes = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Row:
    """One object of one picture.

    Attributes:
        number: Of the object.
        label: Its class.
        code: What the encoder says of it: (codes,).
        area: In 32nds of the picture.
    """

    number: int
    label: int
    code: Codes
    area: float


def rows_of(codes: Tensor, numbers: Tensor) -> list[Row]:
    """The objects of a picture, by number.

    Args:
        codes: (C, H, W), the same at all pixels of an object; see `planes.region_means`.
        numbers: (H, W) int, of the objects.
    """
    unit = numbers.numel() // AREA_PARTS
    flat, found = codes.flatten(1), numbers.flatten()
    rows = []
    for number in found.unique().tolist():
        places = (found == number).nonzero()[:, 0]
        code = flat[:, places[len(places) // 2]].double().numpy()
        rows.append(Row(number, class_of(number), code, len(places) / unit))
    return rows


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
