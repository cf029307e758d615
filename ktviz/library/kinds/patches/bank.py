"""A bank: the knowledge of one style of one task. What it consists of is mapped from disk when it is first needed."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import Any, ClassVar

import torch
from torch import Tensor

from ktviz.errors import SettingError
from ktviz.images import Pixels
from ktviz.library.banks import expect, fitting, thumb_of
from ktviz.library.kinds.patches.carried import CPU, Carried, carried
from ktviz.library.kinds.patches.drift import Drift, Fit
from ktviz.library.kinds.patches.entries import Entries
from ktviz.library.kinds.patches.frame import Frame
from ktviz.library.kinds.patches.grid import SIZE
from ktviz.library.kinds.patches.index import Index, Level, levels
from ktviz.library.kinds.patches.keys import KeyProjection
from ktviz.library.kinds.patches.lists import Lists
from ktviz.library.kinds.patches.maps import Maps
from ktviz.library.kinds.patches.search import SearchSettings, search
from ktviz.library.kinds.patches.source import PatchSource
from ktviz.library.kinds.patches.tables import Tables
from ktviz.library.kinds.patches.tree import Tree
from ktviz.library.layout import ENTRIES, KEYS, PATCHES, TREE
from ktviz.library.place import Place
from ktviz.networks.running import without_autocast
from ktviz.printing import counted
from ktviz.retrieval.matches import Matches

CHUNK = 1 << 20
"""Entries checked at a time."""


class Bank:
    """One bank, ready to search.

    Args:
        place: Where it lies.

    Attributes are `frame`, what its entries are sorted into; `tables`, its entries with their keys; and what follows
    from these. Each raises LibraryError at its first use if its files were changed or do not fit together.
    """

    kind: ClassVar[str] = PATCHES

    def __init__(self, place: Place) -> None:
        self.place = place
        self._latest: tuple[tuple[float, ...], Index] | None = None
        self._there: tuple[torch.device, Carried | None] | None = None
        self._thumbs: dict[int, bytes] = {}

    def changed(self, **parts: Any) -> Bank:
        """The same bank in memory, with other `entries`, `tree`, `keys`, or another `name`."""
        other = Bank(self.place)
        other.__dict__.update({**vars(self), "_latest": None, "_there": None, **parts})
        return other

    def __len__(self) -> int:
        return len(self.entries) if "entries" in vars(self) else self.place.record.entries

    def __repr__(self) -> str:
        return (
            f"Bank({self.name!r}, {counted(len(self.sources), 'source')}, {counted(len(self), 'entry', 'entries')}, "
            f"{counted(len(self.tree.leaves), 'leaf', 'leaves')}, digest {self.digest[:12]})"
        )

    def _repr_html_(self) -> str | None:
        """What a notebook shows."""
        from ktviz.figures.cards import banks_card, unless_refused

        return unless_refused(banks_card, self)

    @cached_property
    def name(self) -> str:
        """ "task/style"."""
        return self.place.name

    @property
    def digest(self) -> str:
        """Digest of its files."""
        return self.place.record.digest

    @cached_property
    def sources(self) -> Sequence[PatchSource]:
        """Its sources."""
        with fitting(self.place.name):
            return self.place.sources

    @cached_property
    def frame(self) -> Frame:
        """What its entries are sorted into."""
        with fitting(self.place.name):
            return Frame.read(self.place.table(TREE))

    @cached_property
    def tables(self) -> Tables:
        """Its entries and their keys."""
        frame = self.frame
        with fitting(self.place.name):
            tables = Tables.read(self.place.table(ENTRIES), self.place.table(KEYS), self.projection.units)
            counts = len(tables.ends) - 1, len(tables), len(tables.fit)
            expect(counts == (frame.leaves, len(self), self.place.record.sources), "entries of all leaves and sources")
            return tables

    @cached_property
    def entries(self) -> Entries:
        """Its entries in leaf order, as views into the sources' feature maps."""
        held, maps = self.tables, Maps(self.place, len(self.tables.fit), self.frame.channels)
        return Entries(held.source, held.y, held.x, held.energy, maps, held.by_source)

    @cached_property
    def tree(self) -> Tree:
        """The cluster tree over the entries."""
        return Tree.of_leaves(self.frame.centres, self.frame.parent, self.tables.ends)

    @cached_property
    def keys(self) -> Lists:
        """Search keys of the entries, in a list for each leaf."""
        return self.tables.keys

    @property
    def projection(self) -> KeyProjection:
        """Patches to search keys."""
        return self.frame.projection

    @cached_property
    def levels(self) -> tuple[Level, ...]:
        """The centres by which a beam is routed."""
        return levels(self.frame.parent, self.frame.key_centres)

    @property
    def drift(self) -> Drift:
        """How far it has moved away from what its frame was made from."""
        return Drift(self.frame.fit, Fit.of(float(self.tables.fit.sum()), self.tables.ends.diff()))

    @without_autocast
    def search(
        self,
        queries: Tensor,
        settings: SearchSettings = SearchSettings(),
        excluded: Tensor | None = None,
        device: torch.device = CPU,
    ) -> Matches:
        """Find the best entries for queries; several threads may search one bank.

        Args:
            queries: (N, C, 4, 4), features of the bank's encoder; see `PatchGrid.unfold`.
            settings: How to search.
            excluded: (entries,) bool of entries to pass over; at least one must remain.
            device: Where to compare with all entries, if that is asked: a GPU finds the same, to the bit.

        Returns:
            Matches of N queries; see `ktviz.library.kinds.patches.search.search`.

        Raises:
            SettingError: Queries of another shape, or `excluded` is of another length or leaves nothing.
            LibraryError: A file of the bank was changed or cannot be read.

        Example:
            >>> features = translate.encode(photo)  # doctest: +SKIP
            >>> bank.search(PatchGrid(*features.shape[1:]).unfold(features)).winner  # doctest: +SKIP
        """
        queries = self.as_asked(queries)
        if excluded is not None and (excluded.shape != (len(self),) or bool(excluded.all())):
            found = f"{int(excluded.sum()):,} of {excluded.numel():,} entries are to be passed over"
            raise SettingError(f"search {len(self):,} entries", found, "Leave one of them at least")
        if excluded is not None and not excluded.any():
            excluded = None
        index = self.index(settings.band_weights) if settings.preset == "beam" else None
        return search(queries, self.entries, self.tree, index, settings, excluded, self.on(device))

    def on(self, device: torch.device) -> Carried | None:
        """Its entries on a GPU, kept for the latest one; see `carried`."""
        if device.type != "cuda":
            return None
        latest = self._there  # read once: another thread may ask for another device
        if latest is None or latest[0] != device:
            self._there = latest = device, carried(self.entries, device)
        return latest[1]

    def as_asked(self, queries: Tensor) -> Tensor:
        """Queries as the search reads them: (N, C, 4, 4) float32 in memory, without a gradient."""
        shape = (self.frame.channels, SIZE, SIZE)
        if queries.shape[1:] != shape:
            asked, known = ("x".join(map(str, one)) for one in (queries.shape, ("N", *shape)))
            raise SettingError(f"search for queries of {asked}", f"this bank wants {known}", "Use its own encoder")
        return queries.detach().to("cpu", torch.float32)

    def index(self, weights: tuple[float, float, float, float]) -> Index:
        """The index for some band weights, made at first use and kept for the latest weights."""
        latest = self._latest  # read once: another thread may ask for other weights
        if latest is None or latest[0] != weights:
            parts = self.tree, self.projection, self.levels, self.entries, self.keys
            self._latest = latest = weights, Index.create(*parts, weights)
        return latest[1]

    def picture(self, source: int) -> Pixels:
        """A source as the bank saw it, scaled to the library's side: 4 px per feature cell."""
        return thumb_of(self, source)

    def thumb(self, source: int) -> bytes:
        """The JPEG of what the encoder saw of a source; see `hold`."""
        return self._thumbs.get(source) or self.place.thumb(source)

    def hold(self, source: int) -> None:
        """Keep the JPEG of a source in memory, so that what is shown of a result outlives an edit of the bank."""
        self._thumbs[source] = self.thumb(source)

    def check(self) -> None:
        """Raise ValueError unless the parts of the bank fit each other and hold finite numbers.

        Digests tell that nothing was changed since it was written; this tells that what was written makes sense.
        """
        entries, tables, sources = self.entries, self.tables, self.sources
        expect(len(sources) == self.place.record.sources, "as many sources as there are")
        shapes = torch.tensor([(source.rows, source.columns) for source in sources])
        expect(all(bool(torch.isfinite(features).all()) for features in entries.maps), "finite features")
        for rows in torch.arange(len(self)).split(CHUNK):
            source, y, x = entries.where(rows)
            expect(bool(((source >= 0) & (source < len(sources))).all()), "sources that exist")
            inside = (y >= 0) & (x >= 0) & (y + SIZE <= shapes[source, 0]) & (x + SIZE <= shapes[source, 1])
            expect(bool(inside.all()), "entries inside their maps")
            expect(bool(torch.isfinite(entries.energy[rows]).all()), "finite energies")
        counts = tables.source.long().bincount(minlength=len(sources))
        expect(counts.tolist() == [source.entries for source in sources], "as many entries of each source")
        order = tables.by_source.long()
        expect(bool(((order >= 0) & (order < len(self))).all()), "entries that exist")
        expect(bool((order.bincount(minlength=len(self)) == 1).all()), "each entry once")
        side = int(shapes.max())
        place = (entries.source.long() * side + entries.y) * side + entries.x
        expect(bool((place[order].diff() > 0).all()), "entries source by source, in order of their places")
        numbers = *self.projection.bases, self.projection.units, self.frame.centres, self.frame.key_centres, tables.fit
        expect(all(bool(torch.isfinite(values).all()) for values in numbers), "finite numbers")


def load_bank(place: Place) -> Bank:
    """Open a bank; nothing is read before it is needed."""
    return Bank(place)
