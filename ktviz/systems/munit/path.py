"""Ways from one style to another."""

from __future__ import annotations

import torch
from torch import Tensor

PARALLEL = 1e-6
"""Sine of an angle below which an arc is a line."""


def straight(one: Tensor, other: Tensor, parts: Tensor) -> Tensor:
    """Styles on the line between two: (codes,) each and (n,) from 0 to 1, to (n, codes)."""
    return one + parts[:, None] * (other - one)


def arc(one: Tensor, other: Tensor, parts: Tensor) -> Tensor:
    """Styles on the arc between two, as in the published code (Shoemake 1985); arguments as in `straight`.

    Where both point the same way or opposite ways, or one is 0, there is no arc between them, and the line is taken.

    Example:
        >>> arc(torch.tensor([2.0, 0.0]), torch.tensor([0.0, 4.0]), torch.tensor([0.5])).square().round().tolist()
        [[2.0, 8.0]]
    """
    lengths = one.norm() * other.norm()
    angle = torch.arccos(((one * other).sum() / lengths).clamp(-1, 1)) if lengths > 0 else torch.zeros(())
    sine = torch.sin(angle)
    if sine < PARALLEL:
        return straight(one, other, parts)
    first, second = torch.sin((1 - parts) * angle) / sine, torch.sin(parts * angle) / sine
    return first[:, None] * one + second[:, None] * other
