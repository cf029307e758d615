"""Gradient attribution: integrated gradients (Sundararajan et al. 2017) along what retrievals contribute.

The path is the line from the system's baseline (no retrieval contributes) to the output (all do), so the credits of all
retrievals add up to the change that the knowledge made. The change of a region is measured along itself:
f(a) = <blend(a), blend(1) - blend(0)>, from f(0) to f(1), is the squared length of the change.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from ktviz.explain.case import Case
from ktviz.networks.threads import one_thread
from ktviz.regions import Box, Mask, bounding_box
from ktviz.systems.protocol import Blend, GatheredBlend
from ktviz.trace.overlap import Floats

TILE_PX, GRAIN_PX = 192, 4
"""Side of the tiles in which a region is worked through, so that memory does not grow with it; and what their edges are
multiples of."""
STEPS = 12
"""Gauss-Legendre points on the line."""


@dataclass(frozen=True)
class Credit:
    """Who changed a region.

    Attributes:
        parts: (N, parts) credit of every retrieval, in units of squared colour (0..1): by bands, by the ways in which
            it contributes, or one.
        ways: Names of these; empty where the parts are bands, or one.
        change: The squared length of the change, which the credits should add up to.
        levels: The mean change over pixels and colours in levels (0..255).
    """

    parts: Floats
    ways: tuple[str, ...]
    change: float
    levels: float


@torch.inference_mode(False)
def integrated(case: Case, mask: Mask, bands: int = 0) -> Credit:
    """Credit of every retrieval for the change in a region.

    On one thread: backwards, layers share out the terms of their sums, however large the picture is.

    Args:
        case: A trace and its system, which can blend.
        mask: (H, W), the region.
        bands: Into how many each credit is divided; 0 for none.
    """
    found: dict[int, Floats] = {}
    ways: tuple[str, ...] = ()
    change = levels = 0.0
    with one_thread():
        for within in windows(mask):
            blend = case.system.blend(case.trace, within)
            ways = blend.ways if isinstance(blend, GatheredBlend) and not bands else ()
            count = bands or len(ways) or 1
            amount = torch.ones(len(blend.retrievals), count) if count > 1 else torch.ones(len(blend.retrievals))
            inside = torch.from_numpy(mask[within.pixels])
            with torch.no_grad():
                direction = (blend(amount) - blend(torch.zeros_like(amount))) * inside
            change += float(direction.double().square().sum())
            levels += float(direction.double().abs().sum()) * 255
            credit = found.setdefault(count, np.zeros((len(case.trace), count)))
            if direction.any():  # else there is nothing to credit, and perhaps nobody
                credit[blend.retrievals] += gradient(blend, amount, direction).view(-1, count).numpy()
    (parts,) = found.values()
    return Credit(parts, ways, change, levels / (3 * mask.sum()))


@torch.enable_grad()
def gradient(blend: Blend, amount: Tensor, direction: Tensor) -> Tensor:
    """Mean over the line from none of the amounts to all of the derivative of <blend(a), direction>, in their shape."""
    if not isinstance(blend, GatheredBlend):
        return mean_gradient(blend, torch.zeros_like(amount), amount, direction)
    with torch.no_grad():
        ends = blend.gather(torch.zeros_like(amount)), blend.gather(amount)
    painted = mean_gradient(blend.paint, *ends, direction)
    asked = amount.requires_grad_(True)  # affine: one derivative for the whole line
    (found,) = torch.autograd.grad((blend.gather(asked) * painted.float()).sum(), asked)
    return found.double()


def mean_gradient(function: Callable[[Tensor], Tensor], start: Tensor, end: Tensor, direction: Tensor) -> Tensor:
    """Mean over a line of the derivative of <function, direction>, in double precision."""
    total = torch.zeros_like(start, dtype=torch.float64)
    for place, weight in zip(*np.polynomial.legendre.leggauss(STEPS), strict=True):
        at = start.lerp(end, (place + 1) / 2).requires_grad_(True)
        (found,) = torch.autograd.grad((function(at) * direction).sum(), at)
        total += found.double() * (weight / 2)
    return total


def windows(mask: Mask) -> Iterator[Box]:
    """Tiles that cover a region (H, W), in whole px."""
    box, (height, width) = bounding_box(mask), mask.shape
    for top in range(int(box.y) // GRAIN_PX * GRAIN_PX, int(box.bottom), TILE_PX):
        for left in range(int(box.x) // GRAIN_PX * GRAIN_PX, int(box.right), TILE_PX):
            bottom, right = (
                min(start + TILE_PX, -(-int(end) // GRAIN_PX) * GRAIN_PX, side)
                for start, end, side in ((top, box.bottom, height), (left, box.right, width))
            )
            within = Box(left, top, right - left, bottom - top)
            if mask[within.pixels].any():
                yield within
