"""Making the frame of a bank from a sample of its entries."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from threading import Lock
from typing import TypeVar

import numpy as np
import torch
from torch import Tensor

from ktviz.engines.engine import THREADS
from ktviz.library.format import LibrarySettings
from ktviz.library.kinds.patches.drift import Fit
from ktviz.library.kinds.patches.entries import GRID_CHUNK
from ktviz.library.kinds.patches.frame import Frame
from ktviz.library.kinds.patches.grid import SIZE
from ktviz.library.kinds.patches.keys import KeyProjection, fit_bases, with_units, without_units
from ktviz.library.kinds.patches.kmeans import fit_nodes
from ktviz.library.kinds.patches.maps import patch_vectors, read_features
from ktviz.library.kinds.patches.rows import CHUNK, summed
from ktviz.library.kinds.patches.tree import choose_branching, levels_of
from ktviz.library.layout import FEATURES
from ktviz.library.parts import Part
from ktviz.networks.threads import one_thread
from ktviz.retrieval.exact import lengths, on_grid, paired_cosines

FOR_BASES, FOR_UNITS, FOR_TREE = 8192, 1 << 16, 1 << 18
"""Entries from which directions, units and the tree are found, at most; of very large banks the tree from a third."""
ONE = 2.0**24
"""The length of patches where their directions are added up, in whole numbers."""

T = TypeVar("T")


@dataclass(frozen=True)
class Sample:
    """Some entries of a bank.

    Attributes:
        parts: Its sources.
        chosen: Of each source the numbers of entries within it, ascending.
    """

    parts: Sequence[Part]
    chosen: Sequence[Tensor]

    @classmethod
    def of(cls, parts: Sequence[Part], count: int, seed: int) -> Sample:
        """As many entries as asked, or all."""
        sizes = torch.tensor([part.source.entries for part in parts])  # type: ignore[attr-defined]
        ends, total = sizes.cumsum(0), int(sizes.sum())
        if count < total:
            rows = torch.from_numpy(np.sort(np.random.default_rng(seed).choice(total, count, replace=False)))
        else:
            rows = torch.arange(total)
        split = rows.split(torch.searchsorted(rows, ends).diff(prepend=torch.tensor([0])).tolist())
        return cls(parts, [some - end + size for some, end, size in zip(split, ends, sizes, strict=True)])

    @property
    def size(self) -> int:
        """Numbers of a patch, 16 C."""
        features, _ = read_features(self.parts[0].files[FEATURES])
        return SIZE * SIZE * features.shape[2]

    def each(self, work: Callable[[int, Iterator[Tensor]], T], what: str, quiet: bool) -> list[T]:
        """Do some work with each source: its number, and its patches, some at a time, (n, 16 C) float32."""

        def patches(number: int) -> Iterator[Tensor]:
            if len(self.chosen[number]):
                features, place = read_features(self.parts[number].files[FEATURES])
                for rows in self.chosen[number].split(CHUNK):
                    yield patch_vectors(features, place[rows].long())

        return THREADS.map(lambda number: work(number, patches(number)), range(len(self.parts)), what, quiet)


def fit_frame(parts: Sequence[Part], settings: LibrarySettings, quiet: bool) -> Frame:
    """The frame of a bank with these sources: a projection, and the tree of the keys of a sample."""
    total = sum(part.source.entries for part in parts)  # type: ignore[attr-defined]
    projection = fit_projection(parts, settings, quiet)
    sample = Sample.of(parts, max(FOR_TREE, total // 3), settings.seed)
    keys = torch.cat(sample.each(lambda _, patches: keys_of(patches, projection), "computing keys of a sample", quiet))
    branching = settings.branching or choose_branching(total)
    parent, centres, node_of = fit_nodes(keys, projection.units, branching, settings.seed, quiet)
    cosines = sum(
        summed(paired_cosines(keys[rows].float() * projection.units, centres[node_of[rows]]))
        for rows in torch.arange(len(keys)).split(CHUNK)
    )
    fit = Fit.of(cosines, node_of.bincount())
    return Frame(parent, directions(sample, node_of, parent, quiet), centres, projection, fit)


def fit_projection(parts: Sequence[Part], settings: LibrarySettings, quiet: bool) -> KeyProjection:
    """Directions with the most energy, and the largest numbers along them."""
    few = Sample.of(parts, FOR_BASES, settings.seed).each(lambda _, patches: [*patches], "finding directions", quiet)
    with one_thread():
        bases = fit_bases(torch.cat([patches for of_source in few for patches in of_source]), settings.key_dimensions)
    whole = without_units(bases)

    def most(_: int, patches: Iterator[Tensor]) -> Tensor:
        numbers = [whole.of_few(few)[0].abs().amax(0) for some in patches for few in some.split(GRID_CHUNK)]
        return torch.stack([torch.zeros(len(whole.units)), *numbers]).amax(0)

    found = Sample.of(parts, FOR_UNITS, settings.seed).each(most, "finding units", quiet)
    return with_units(bases, torch.stack(found).amax(0))


def keys_of(patches: Iterator[Tensor], projection: KeyProjection) -> Tensor:
    """Keys of the patches of a source: (n, D) int8."""
    return torch.cat([torch.empty(0, len(projection.units), dtype=torch.int8), *(projection(p)[0] for p in patches)])


def directions(sample: Sample, node_of: Tensor, parent: Tensor, quiet: bool) -> Tensor:
    """The mean direction of the patches of a sample below each node: (nodes, 16 C) half.

    Sums are of whole numbers, and so the same in any order.

    Args:
        sample: Of n entries.
        node_of: (n,) the leaf that each ends in.
        parent: (nodes,) of the tree.
        quiet: No progress bar.
    """
    nodes, counts = node_of.split([len(some) for some in sample.chosen]), node_of.bincount(minlength=len(parent))
    total, turn = torch.zeros(len(parent), sample.size, dtype=torch.float64), Lock()

    def add(number: int, patches: Iterator[Tensor]) -> None:
        for vectors, mine in zip(patches, nodes[number].split(CHUNK), strict=False):
            grid = on_grid(vectors)
            whole = grid.mul_(ONE / lengths(grid)[:, None]).round_()
            with turn:
                total.index_add_(0, mine, whole)

    sample.each(add, "adding up centres", quiet)
    level = levels_of(parent)
    for one in range(int(level.max()), 0, -1):
        here = (level == one).nonzero()[:, 0]
        total.index_add_(0, parent[here], total[here])
        counts.index_add_(0, parent[here], counts[here])
    total[0] = 0
    return total.div_(ONE * counts.clamp(min=1)[:, None]).half()
