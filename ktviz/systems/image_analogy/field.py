"""Nearest-neighbour fields: for every cell of one picture, a cell of the other.

A field is (H, W, 2) int64, the row and the column in the other picture. Cells are also counted row by row from 0.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
import torch
from scipy.ndimage import distance_transform_edt
from torch import Tensor
from torch.nn import functional as F

from ktviz.errors import UnknownNameError
from ktviz.systems.image_analogy.draws import draw_below

Size = tuple[int, int]
"""Height and width of a grid of cells."""
Direction = Literal["ab", "ba"]
DIRECTIONS: tuple[Direction, Direction] = ("ab", "ba")
"""From A to B' (which makes A'), and from B' to A (which makes B)."""
OTHER: dict[Direction, Direction] = {"ab": "ba", "ba": "ab"}


def identity_field(here: Size, there: Size, device: torch.device | str = "cpu") -> Tensor:
    """Every cell at its own place, at the border of the other picture where that ends before.

    The published code does not clamp: what lies far outside stays without a match for the whole level.
    """
    rows = torch.arange(here[0], device=device).clamp(max=there[0] - 1)
    columns = torch.arange(here[1], device=device).clamp(max=there[1] - 1)
    return torch.stack(torch.meshgrid(rows, columns, indexing="ij"), 2)


def random_field(here: Size, there: Size, seed: tuple[int, ...]) -> Tensor:
    """Every cell anywhere."""
    cells = torch.arange(here[0] * here[1])
    rows, columns = (draw_below(torch.tensor(side), cells, (*seed, axis)) for axis, side in enumerate(there))
    return torch.stack((rows, columns), 1).view(*here, 2)


def upsampled(field: Tensor, here: Size, there: Size) -> Tensor:
    """A field on finer grids: each cell keeps its coarse cell's offset, scaled like its own picture.

    Sizes need not be multiples: ratios and products are single precision, and numbers are cut, not rounded, as
    published.

    Args:
        field: (h, w, 2).
        here: The finer grid of its own picture.
        there: The finer grid of the other picture, where offsets end.
    """
    axes = []
    for axis in (0, 1):
        coarse, fine = field.shape[axis], here[axis]
        ratio = torch.tensor(fine / coarse, dtype=torch.float32, device=field.device)
        place = torch.arange(fine, device=field.device)
        axes.append((place, ((place + 0.5).double() / ratio.double()).long().clamp(max=coarse - 1), ratio))
    (row, row_of, down), (column, column_of, across) = axes
    taken = field[row_of[:, None], column_of]
    rows = (row[:, None] + (taken[..., 0] - row_of[:, None]) * down + 0.5).long().clamp(0, there[0] - 1)
    columns = (column + (taken[..., 1] - column_of) * across + 0.5).long().clamp(0, there[1] - 1)
    return torch.stack((rows, columns), 2)


def round_trip(field: Tensor, back: Tensor) -> Tensor:
    """How far from itself each cell is after going there and back: (H, W) float32, in cells."""
    grid = (field.shape[0], field.shape[1])
    missed = back[field[..., 0], field[..., 1]] - identity_field(grid, grid, field.device)
    return missed.float().square().sum(2).sqrt()


def entered(field: Tensor, forbidden: Tensor | None) -> Tensor:
    """The field with every cell that lies where it may not moved to the nearest one where it may.

    Args:
        field: (H, W, 2).
        forbidden: (h, w) bool of the other picture, or None.
    """
    if forbidden is None:
        return field
    rows, columns = distance_transform_edt(forbidden.cpu().numpy(), return_distances=False, return_indices=True)
    nearest = torch.from_numpy(np.stack((rows, columns), 2).astype(np.int64)).to(field.device)
    return nearest[field[..., 0], field[..., 1]]


def forbidden_cells(excluded: Tensor | None, grid: Size) -> Tensor | None:
    """Cells that touch an excluded region; where that would be all, those that lie within it.

    Args:
        excluded: (H, W) bool, a region of a picture; or None.
        grid: Height and width of the level.

    Returns:
        (h, w) bool, or None where nothing is excluded.

    Raises:
        UnknownNameError: Nothing would be left.
    """
    if excluded is None or not excluded.any():
        return None
    region = excluded.float()[None]
    touched = F.adaptive_max_pool2d(region, grid)[0] > 0
    if touched.all():
        touched = F.adaptive_avg_pool2d(region, grid)[0] >= 1
    if touched.all():
        found = f"nothing would be left of its {grid[0]}x{grid[1]} cells"
        raise UnknownNameError("an analogy without that region of the reference", found, "Leave some of it")
    return touched
