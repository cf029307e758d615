"""Centres of objects, drawn as published."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
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
