"""Ways from one style to another."""

from __future__ import annotations

import torch
from torch import Tensor

PARALLEL = 1e-3
"""Sine of an angle below which an arc is a line: the arc between almost opposite styles goes out by the difference of
their lengths, divided by it."""


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
    ends = one.double(), other.double()  # in single precision, opposite styles are a little off
    lengths = ends[0].norm() * ends[1].norm()
    if not lengths > 0:
        return straight(one, other, parts)
    angle = torch.arccos(((ends[0] * ends[1]).sum() / lengths).clamp(-1, 1))
    sine = torch.sin(angle)
    if sine < PARALLEL:
        return straight(one, other, parts)
    first, second = torch.sin((1 - parts) * angle) / sine, torch.sin(parts * angle) / sine
    return (first[:, None] * ends[0] + second[:, None] * ends[1]).to(one.dtype)
