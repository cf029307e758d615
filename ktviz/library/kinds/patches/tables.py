"""The tables of a bank of patches: entries and their keys, leaf by leaf, put together in mapped files."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.torch import load_file
from torch import Tensor

from ktviz.library.banks import expect
from ktviz.library.kinds.patches.dot_kernel import BLOCK
from ktviz.library.kinds.patches.frame import Frame
from ktviz.library.kinds.patches.lists import Lists, blocks_of, padded
from ktviz.library.kinds.patches.rows import Rows
from ktviz.library.layout import ENTRIES, KEYS
from ktviz.library.tensors import created

CHUNK = 1 << 16
"""Rows copied at a time."""
Ints = NDArray[np.int64]


@dataclass(frozen=True, eq=False, repr=False)
class Tables:
    """N entries of S sources, in order of their leaves, their sources and their places, mapped from disk.

    Attributes:
        ends: (leaves + 1,) int64 where the entries of each leaf begin.
        source: (N,) int32 number of the source.
        y: (N,) int16 top feature row.
        x: (N,) int16 left feature column.
        energy: (N, 4) float32 squared norm per band.
        by_source: (N,) int32 the entries, source by source, in order of their places there.
        fit: (S,) float64 sum of the cosines of the keys of each source to the centres of their leaves.
        keys: Search keys, in a list for each leaf.
    """

    ends: Tensor
    source: Tensor
    y: Tensor
    x: Tensor
    energy: Tensor
    by_source: Tensor
    fit: Tensor
    keys: Lists

    def __len__(self) -> int:
        return len(self.source)

    @classmethod
    def read(cls, entries: Path, keys: Path, units: Tensor) -> Tables:
        """The tables in two files; raises what readers raise, and ValueError on something else."""
        held, lists = load_file(entries), load_file(keys)
        ends, count, blocks = held["ends"], len(held["source"]), lists["blocks"]
        expect(len(ends) > 1 and int(ends[0]) == 0 and int(ends[-1]) == count, "leaves of all entries")
        expect(bool((ends.diff() >= 0).all()), "leaves one after the other")
        rows = {"source": (), "y": (), "x": (), "energy": (4,), "by_source": ()}
        expect(all(held[name].shape == (count, *shape) for name, shape in rows.items()), "all columns of each entry")
        first, sizes = ends[:-1].numpy(), ends.diff().numpy()
        block_of = blocks_of(sizes)
        expect(blocks.shape == (int(block_of[-1]), BLOCK * padded(len(units))), "one key per entry")
        expect(lists["offsets"].shape == (len(blocks), BLOCK), "one key per entry")
        kinds = {"blocks": torch.int8, "offsets": torch.int32, **dict.fromkeys(("source", "by_source"), torch.int32)}
        kinds |= {"ends": torch.int64, "energy": torch.float32, **dict.fromkeys(("y", "x"), torch.int16)}
        expect(all({**held, **lists}[name].dtype == kind for name, kind in kinds.items()), "numbers of their kinds")
        found = Lists(units, blocks.numpy(), lists["offsets"].numpy(), block_of, first, sizes)
        return cls(keys=found, **{name: held[name] for name in ("ends", *rows, "fit")})

    @classmethod
    def room(cls, folder: Path, ends: Ints, sources: int, units: Tensor) -> Tables:
        """Empty tables in the folder of a bank, to be filled."""
        count, sizes = int(ends[-1]), np.diff(ends)
        blocks = int(blocks_of(sizes)[-1])
        held = created(
            folder / ENTRIES,
            {
                "energy": ("f4", (count, 4)),
                "ends": ("i8", (len(ends),)),
                "fit": ("f8", (sources,)),
                "source": ("i4", (count,)),
                "by_source": ("i4", (count,)),
                "y": ("i2", (count,)),
                "x": ("i2", (count,)),
            },
        )
        lists = created(
            folder / KEYS,
            {"blocks": ("i1", (blocks, BLOCK * padded(len(units)))), "offsets": ("i4", (blocks, BLOCK))},
        )
        held["ends"][:] = ends
        keys = Lists(units, lists["blocks"], lists["offsets"], blocks_of(sizes), ends[:-1], sizes)
        return cls(keys=keys, **{name: torch.from_numpy(values) for name, values in held.items()})

    def put(self, entry: Ints, leaf: Ints, keys: Tensor, **columns: Tensor) -> None:
        """Write some entries (n,): their keys (n, D), and the columns that are given."""
        rows = torch.from_numpy(entry)
        for name, values in columns.items():
            column = getattr(self, name)
            column[rows] = values.to(column.dtype)
        self.keys.put(self.keys.block_of[leaf] * BLOCK + entry - self.keys.first[leaf], keys)


@dataclass(frozen=True, eq=False, repr=False)
class Share:
    """A part of the entries of a bank, in order of their leaves and sources.

    Attributes:
        leaf: (n,) the leaf of each.
        source: (n,) the number of its source.
        by_source: (n,) positions in this part, ordered by source and then by place in its map.
    """

    leaf: Ints
    source: Ints
    by_source: Ints

    @classmethod
    def held(cls, tables: Tables, moved: Ints) -> tuple[Share, Ints]:
        """What is kept of tables where sources get other numbers (sources,), -1 for those that go; and its rows."""
        source = moved[tables.source.numpy()]
        rows = np.flatnonzero(source >= 0)
        leaf = np.repeat(np.arange(len(tables.ends) - 1), tables.ends.diff().numpy())[rows]
        number = np.full(len(tables), -1)
        number[rows] = np.arange(len(rows))
        by_source = number[tables.by_source.numpy()]
        return cls(leaf, source[rows], by_source[by_source >= 0]), rows

    @classmethod
    def of_rows(cls, fresh: Mapping[int, Path], count: int) -> Share:
        """The rows of some sources, of `count`."""
        leaves = [Rows.read(fresh[number]).leaf.numpy().astype(np.int64) for number in sorted(fresh)]
        source = np.repeat(np.array(sorted(fresh), np.int64), [len(one) for one in leaves])
        leaf = np.concatenate([np.empty(0, np.int64), *leaves])
        order = np.argsort(leaf * count + source, kind="stable")
        by_source = np.empty(len(order), np.int64)
        by_source[order] = np.arange(len(order))
        return cls(leaf[order], source[order], by_source)


def write_tables(folder: Path, frame: Frame, tables: Tables | None, moved: Ints, fresh: Mapping[int, Path]) -> int:
    """Sort the entries of all sources into the leaves of a frame.

    Tables are a function of the frame and of the sources in their order: what was there before is only quicker to copy.

    Args:
        folder: Of the new tables.
        frame: Their frame.
        tables: Those that exist; None if nothing of them is kept.
        moved: (sources,) the new number of each of their sources, ascending; -1 for those that go.
        fresh: Files of the rows of other sources, by number.

    Returns:
        How many entries there are.
    """
    count = len(fresh) + int((moved >= 0).sum())
    new = Share.of_rows(fresh, count)
    old, rows = (
        (Share(*[np.empty(0, np.int64)] * 3), np.empty(0, np.int64)) if tables is None else Share.held(tables, moved)
    )
    old_entry, new_entry = interleaved(old.leaf * count + old.source, new.leaf * count + new.source)
    sizes = np.bincount(old.leaf, minlength=frame.leaves) + np.bincount(new.leaf, minlength=frame.leaves)
    made = Tables.room(folder, np.r_[0, sizes.cumsum()], count, frame.projection.units)
    if tables is not None:
        made.fit[torch.from_numpy(moved[moved >= 0])] = tables.fit[torch.from_numpy(moved >= 0)]
        copy(made, tables, rows, old, old_entry)
    first, by_source = 0, new_entry[new.by_source]
    for number in sorted(fresh):
        first += put_rows(made, number, Rows.read(fresh[number]), by_source, first)
    for share, entry, place in zip(
        (old, new),
        (old_entry, new_entry),
        interleaved(old.source[old.by_source], new.source[new.by_source]),
        strict=True,
    ):
        made.by_source[torch.from_numpy(place)] = torch.from_numpy(entry[share.by_source]).int()
    return len(made)


def copy(made: Tables, tables: Tables, rows: Ints, share: Share, entry: Ints) -> None:
    """Copy rows (n,) of tables, a share of others, to their new numbers (n,)."""
    for first in range(0, len(rows), CHUNK):
        some = slice(first, first + CHUNK)
        row = torch.from_numpy(rows[some])
        columns = {name: getattr(tables, name)[row] for name in ("energy", "y", "x")}
        source = torch.from_numpy(share.source[some])
        made.put(entry[some], share.leaf[some], tables.keys[row], source=source, **columns)


def put_rows(made: Tables, number: int, rows: Rows, entry: Ints, first: int) -> int:
    """Write the rows of a source, whose numbers begin at a place of `entry`, and count them."""
    count = len(rows.leaf)
    made.fit[number] = rows.fit
    columns = {"energy": rows.energy, "y": rows.y, "x": rows.x, "source": torch.full((count,), number)}
    made.put(entry[first : first + count], rows.leaf.numpy().astype(np.int64), rows.keys, **columns)
    return count


def interleaved(one: Ints, other: Ints) -> tuple[Ints, Ints]:
    """Where the numbers of two rising sequences, which have none in common, lie in both together."""
    first: Ints = np.arange(len(one)) + np.searchsorted(other, one)
    second: Ints = np.arange(len(other)) + np.searchsorted(one, other)
    return first, second
