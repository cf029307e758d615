"""Gradient attribution: integrated gradients through the decoder (Sundararajan et al. 2017).

The path is the line from the photo's own features to the transferred ones, so the credits of all retrievals add up to
the change that the knowledge made. The change of a region is measured along itself: f(F) = <D(F), D(F1) - D(F0)>, from
f(F0) to f(F1), is the squared length of the change.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from ktviz.library.kinds.patches.bands import band_vectors, to_vectors
from ktviz.library.kinds.patches.features import STRIDE
from ktviz.library.kinds.patches.grid import PatchGrid
from ktviz.networks.running import run
from ktviz.regions import Mask, bounding_box
from ktviz.systems.kt.live import Live
from ktviz.systems.kt.receptive import receptive_field
from ktviz.systems.kt.translator import Translator
from ktviz.trace.overlap import Floats

TILE = 48
"""Side of the tiles in which a region is worked through, in cells: memory does not grow with the image."""
STEPS = 12
"""Gauss-Legendre points on the line."""


@dataclass(frozen=True)
class Window:
    """A part of the feature map that decides some pixels.

    Attributes:
        cells: Rows and columns of the feature map, the receptive field around the tile included.
        pixels: Rows and columns of the image that are looked at.
        inner: The same, counted in the decoded window.
    """

    cells: tuple[slice, slice]
    pixels: tuple[slice, slice]
    inner: tuple[slice, slice]

    def decode(self, model: Translator, features: Tensor) -> Tensor:
        """The window's pixels of an image, from features (C, h, w) of the window: (3, rows, columns)."""
        image = run(model.decoder, features[None])[0]
        return image[:, self.inner[0], self.inner[1]]


@torch.inference_mode(False)
def integrated(case: Live, mask: Mask) -> tuple[Floats, float, float]:
    """Credit of every retrieval for the change in a region, by band.

    Args:
        case: A trace and its translator.
        mask: (H, W), the region.

    Returns:
        (N, 4) in units of squared colour (0..1); the squared length of the change, which they should add up to; and the
        mean change over pixels and colours in levels (0..255).
    """
    transferred = case.model.blend(case.features, case.grid, case.winner, case.settings)
    gradient, change = torch.zeros_like(case.features), 0.0
    levels = 0.0
    for window in windows(case, mask):
        start, end = (f[:, window.cells[0], window.cells[1]] for f in (case.features, transferred))
        inside = torch.from_numpy(mask[window.pixels])
        with torch.no_grad():
            direction = (window.decode(case.model, end) - window.decode(case.model, start)) * inside
        change += float(direction.double().square().sum())
        levels += float(direction.double().abs().sum()) * 255
        gradient[:, window.cells[0], window.cells[1]] += mean_gradient(case.model, window, start, end, direction)
    return credits(case, gradient), change, levels / (3 * mask.sum())


@torch.enable_grad()
def mean_gradient(model: Translator, window: Window, start: Tensor, end: Tensor, direction: Tensor) -> Tensor:
    """Mean over the line of the derivative of <D(F), direction>: (C, rows, columns)."""
    total = torch.zeros_like(start)
    for place, weight in zip(*np.polynomial.legendre.leggauss(STEPS), strict=True):
        features = start.lerp(end, (place + 1) / 2).requires_grad_(True)
        value = (window.decode(model, features) * direction).sum()
        (gradient,) = torch.autograd.grad(value, features)
        total += gradient * (weight / 2)
    return total


def credits(case: Live, gradient: Tensor) -> Floats:
    """Share the credit of every cell among the retrievals that made it.

    A transferred cell is the mean of its patches, so its change is the mean of their changes.
    """
    per_patch = gradient / case.grid.coverage()
    rows = []
    for index, before, after in case.model.transfers(case.features, case.grid, case.winner, case.settings):
        slope = band_vectors(to_vectors(case.grid.unfold(per_patch, index)))
        rows.append((slope * band_vectors(to_vectors(after - before))).double().sum(2))
    return torch.cat(rows).numpy()


def windows(case: Live, mask: Mask) -> Iterator[Window]:
    """Tiles that cover a region, each with the cells that decide it."""
    radius = receptive_field(case.model).radius
    grid: PatchGrid = case.grid
    if radius is None:  # every pixel may depend on every cell
        everything = slice(0, mask.shape[0]), slice(0, mask.shape[1])
        yield Window((slice(0, grid.height), slice(0, grid.width)), everything, everything)
        return
    box = bounding_box(mask)
    rows = range(int(box.y) // STRIDE, -(-int(box.bottom) // STRIDE), TILE)
    columns = range(int(box.x) // STRIDE, -(-int(box.right) // STRIDE), TILE)
    for top in rows:
        for left in columns:
            ends = min(top + TILE, -(-int(box.bottom) // STRIDE)), min(left + TILE, -(-int(box.right) // STRIDE))
            window = window_around((top, left), ends, radius, grid, mask.shape)
            if mask[window.pixels].any():
                yield window


def window_around(
    starts: tuple[int, int], ends: tuple[int, int], radius: int, grid: PatchGrid, shape: tuple[int, ...]
) -> Window:
    sides = (grid.height, grid.width)
    cells = [slice(max(0, a - radius), min(side, b + radius)) for a, b, side in zip(starts, ends, sides, strict=True)]
    pixels = [slice(a * STRIDE, min(b * STRIDE, side)) for a, b, side in zip(starts, ends, shape, strict=True)]
    inner = [slice(p.start - c.start * STRIDE, p.stop - c.start * STRIDE) for p, c in zip(pixels, cells, strict=True)]
    return Window((cells[0], cells[1]), (pixels[0], pixels[1]), (inner[0], inner[1]))
