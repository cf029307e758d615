"""Gradient attribution: integrated gradients (Sundararajan et al. 2017) along what retrievals contribute.

The path is the line from the system's baseline (no retrieval contributes) to the output (all do), so the credits of all
retrievals add up to the change that the knowledge made. The change of a region is measured along itself:
f(a) = <blend(a), blend(1) - blend(0)>, from f(0) to f(1), is the squared length of the change.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch
from torch import Tensor

from ktviz.explain.case import Case
from ktviz.networks.threads import one_thread
from ktviz.regions import Box, Mask, bounding_box
from ktviz.systems.protocol import Blend
from ktviz.trace.overlap import Floats

TILE_PX, GRAIN_PX = 192, 4
"""Side of the tiles in which a region is worked through, so that memory does not grow with it; and what their edges are
multiples of."""
STEPS = 12
"""Gauss-Legendre points on the line."""


@torch.inference_mode(False)
def integrated(case: Case, mask: Mask, parts: int | None = None) -> tuple[Floats, float, float]:
    """Credit of every retrieval for the change in a region.

    On one thread: backwards, layers share out the terms of their sums, however large the picture is.

    Args:
        case: A trace and its system, which can blend.
        mask: (H, W), the region.
        parts: Into how many (the bands) each credit is divided; None for one.

    Returns:
        (N,), or (N, parts), in units of squared colour (0..1); the squared length of the change, which they should add
        up to; and the mean change over pixels and colours in levels (0..255).
    """
    credit = np.zeros((len(case.trace), *(() if parts is None else (parts,))))
    change = levels = 0.0
    with one_thread():
        for within in windows(mask):
            blend = case.system.blend(case.trace, within)
            amount = torch.ones(len(blend.retrievals), *credit.shape[1:])
            inside = torch.from_numpy(mask[within.pixels])
            with torch.no_grad():
                direction = (blend(amount) - blend(torch.zeros_like(amount))) * inside
            change += float(direction.double().square().sum())
            levels += float(direction.double().abs().sum()) * 255
            if direction.any():  # else there is nothing to credit, and perhaps nobody
                credit[blend.retrievals] += mean_gradient(blend, amount, direction).numpy()
    return credit, change, levels / (3 * mask.sum())


@torch.enable_grad()
def mean_gradient(blend: Blend, amount: Tensor, direction: Tensor) -> Tensor:
    """Mean over the line of the derivative of <blend(a), direction>, in the shape of the amounts."""
    total = torch.zeros_like(amount, dtype=torch.float64)
    for place, weight in zip(*np.polynomial.legendre.leggauss(STEPS), strict=True):
        at = (amount * (place + 1) / 2).requires_grad_(True)
        (gradient,) = torch.autograd.grad((blend(at) * direction).sum(), at)
        total += gradient.double() * (weight / 2)
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
