"""Draws by NumPy's older generator: the same seed draws the same with every version."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor

from ktviz.errors import SettingError
from ktviz.values import seed_of

MOST_SEED = 2**32 - 1
"""What the generator takes."""


def draw_seed(name: str, value: Any) -> int:
    """A seed of a draw, as a plain whole number.

    Raises:
        SettingError: Anything else.

    Example:
        >>> draw_seed("seed", np.int64(3))
        3
    """
    if seed_of(name, value) > MOST_SEED:
        raise SettingError(f"{name} {value}", f"above {MOST_SEED}", "Give a smaller one")
    return int(value)


def drawn(seed: int, count: int) -> Tensor:
    """Numbers of the normal distribution: (count,) float32.

    Example:
        >>> drawn(3, 2).tolist() == drawn(3, 8).tolist()[:2]
        True
    """
    return torch.from_numpy(np.random.RandomState(seed).standard_normal(count)).float()
