"""Tiles: a network run on parts of a picture, each with the surroundings that decide it.

What comes out is that of the whole picture, bit for bit (docs/exactness.md): at a picture's own edge a tile ends where
the picture ends, elsewhere the cells that its edge falsifies are cut off. How far that reaches is measured, with NaN:
whatever looks at one becomes one.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise, product
from weakref import WeakKeyDictionary

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ktviz.networks.running import Network, run
from ktviz.networks.threads import one_thread

SIDE = 192
"""Longest side of a tile in cells, what is cut off not counted: 768 px."""
PROBE = 48
"""Side of the map in which the reach of a network is measured, in cells."""
ROUNDING = 1e-4
"""How far a tile of a network may be off, of its largest value, and still count as the same."""

_known: WeakKeyDictionary[nn.Module, int | None] = WeakKeyDictionary()
"""The reach of networks by the network."""


@dataclass(frozen=True)
class Tile:
    """A part of a map of cells.

    Attributes:
        rows: That it gives.
        columns: That it gives.
        seen_rows: That decide them.
        seen_columns: That decide them.
    """

    rows: slice
    columns: slice
    seen_rows: slice
    seen_columns: slice

    @property
    def cells(self) -> int:
        """How many are looked at."""
        return length(self.seen_rows) * length(self.seen_columns)

    def inner(self, scale: int = 1) -> tuple[slice, slice]:
        """What it gives, counted in what it looks at, of `scale` px per cell."""
        pairs = (self.rows, self.seen_rows), (self.columns, self.seen_columns)
        rows, columns = (scaled(shifted(part, -seen.start), scale) for part, seen in pairs)
        return rows, columns


def tiles(rows: slice, height: int, width: int, reach: int | None) -> Iterator[Tile]:
    """Tiles that cover some rows of a map; one that looks at everything where the reach is not known."""
    if reach is None:
        yield Tile(rows, slice(0, width), slice(0, height), slice(0, width))
        return
    for part, columns in product(cut(rows, SIDE), cut(slice(0, width), SIDE)):
        yield Tile(part, columns, grown(part, reach, height), grown(columns, reach, width))


def cut(part: slice, longest: int) -> list[slice]:
    """A range in the fewest parts of at most `longest`, all about equally long."""
    count = -(-length(part) // longest)
    return [slice(a, b) for a, b in pairwise(part.start + length(part) * n // count for n in range(count + 1))]


def grown(part: slice, by: int, end: int) -> slice:
    """A range and what lies around it, within 0 to `end`."""
    return slice(max(0, part.start - by), min(end, part.stop + by))


def length(part: slice) -> int:
    return int(part.stop) - int(part.start)


def shifted(part: slice, by: int) -> slice:
    return slice(part.start + by, part.stop + by)


def scaled(part: slice, by: int) -> slice:
    return slice(part.start * by, part.stop * by)


def reach_of(network: Network, channels: int, scale: int, *sides: int) -> int | None:
    """How many cells around a tile decide what a network makes of it; None if it cannot be run in tiles.

    It cannot where every cell may decide everything (a norm over the picture, attention), where it matters in which
    place a cell lies, or where not every size is taken. A map that is one tile needs no more than itself: 0.

    Args:
        network: An encoder or a decoder.
        channels: That it takes.
        scale: Px per cell of what it takes.
        sides: Of the map in cells.
    """
    if max(sides) <= SIDE:
        return 0
    if not isinstance(network, nn.Module):
        return measured(network, channels, scale)
    if network not in _known:
        _known[network] = measured(network, channels, scale)
    return _known[network]


@torch.no_grad()
def measured(network: Network, channels: int, scale: int) -> int | None:
    """See `reach_of`."""
    random = torch.rand(1, channels, PROBE * scale, PROBE * scale, generator=torch.Generator().manual_seed(0))
    broken, middle = random.clone(), scaled(slice(PROBE // 2, PROBE // 2 + 1), scale)
    broken[..., middle, middle] = torch.nan
    try:
        with one_thread():
            touched = F.adaptive_max_pool2d(run(network, broken).isnan().any(1).float(), PROBE)[0].nonzero()
            reach = int((touched - PROBE // 2).abs().max()) if len(touched) else 0
            return reach if reach < PROBE // 4 and same_in_a_tile(network, random, scale, reach) else None
    except (RuntimeError, ValueError):
        return None  # it takes only some sizes


def same_in_a_tile(network: Network, given: Tensor, scale: int, reach: int) -> bool:
    """Whether a tile of odd sides, in an odd place, comes out as in the whole."""
    part, columns = slice(PROBE // 4 + 1, PROBE // 2), slice(PROBE // 4, PROBE // 2 + 1)
    tile = Tile(part, columns, grown(part, reach, PROBE), grown(columns, reach, PROBE))
    whole = run(network, given)
    step = whole.shape[-1] // PROBE
    rows, columns = tile.inner(step)
    seen = given[..., scaled(tile.seen_rows, scale), scaled(tile.seen_columns, scale)]
    alone = run(network, seen)[..., rows, columns]
    expected = whole[..., scaled(tile.rows, step), scaled(tile.columns, step)]
    return bool((alone - expected).abs().max() <= ROUNDING * whole.abs().max())
