"""Catalogues: what entry numbers mean."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import torch
from torch import Tensor

from ktviz.errors import SettingError, UnknownNameError, unknown_name
from ktviz.printing import counted
from ktviz.retrieval.credit import Credit
from ktviz.retrieval.listing import Listing
from ktviz.retrieval.queries import Queries
from ktviz.values import listed, whole

LIBRARY_BANK, LIBRARY_SOURCE = "library bank ", "library source "
"""Before the names of banks and sources, where their digests are stated."""


class Knowledge(Protocol):
    """What entry numbers mean: patches of images, whole images, clusters or codes.

    `name` tells catalogues of one recording apart, and `len` is the number of entries. `source_names` are unique;
    `describe_sources` gives one mapping per source with at least `source`, `bank`,
    `title`, `creator`, `year`, `licence`, `url`, `sha256`, and `width` and `height` in px where they are known: in a
    `Listing` where there may be very many, of which traces then list those that were recorded; `boxes`
    gives entries (n,) their place in the original source as (n, 4) float32 x, y, width, height in px, NaN where an
    entry is the source as a whole.
    """

    def __len__(self) -> int: ...

    @property
    def name(self) -> str: ...

    @property
    def source_names(self) -> Sequence[str]: ...

    def source_of(self, entries: Tensor, /) -> Tensor: ...

    def boxes(self, entries: Tensor, /) -> Tensor: ...

    def describe_sources(self) -> Sequence[Mapping[str, Any]]: ...

    def digests(self) -> dict[str, str]: ...


@dataclass(frozen=True, repr=False)
class Catalogue:
    """What the entries of another system are: positions in images, or whole images, clusters, codes.

    Attributes:
        names: Of the sources.
        source: (entries,) int64 number of each entry's source.
        box: (entries, 4) float32 x, y, width, height in px of the source; NaN for the source as a whole.
        bank: What they all belong to.
        credits: Who made each source; unknown if None.
        digest: Identifies their content; unknown if empty.

    Raises:
        SettingError: The parts do not fit together, or two sources have one name.

    Example:
        >>> len(Catalogue.positions(["exemplar.png"], 16, 24, cell_px=4))
        384
    """

    names: Sequence[str]
    source: Tensor
    box: Tensor
    bank: str = "exemplars"
    credits: Sequence[Credit] | None = None
    digest: str = ""

    def __post_init__(self) -> None:
        asked = f"a catalogue of {counted(len(self.names), 'source')}"
        if len(set(self.names)) < len(self.names):
            raise SettingError(asked, "two have the same name", "Name each source differently")
        if self.box.shape != (len(self.source), 4):
            found = f"boxes of shape {tuple(self.box.shape)} for {counted(len(self.source), 'entry', 'entries')}"
            raise SettingError(asked, found, "Give every entry x, y, width and height")
        if ((self.source < 0) | (self.source >= len(self.names))).any():
            raise SettingError(asked, "an entry of another source", "Count sources from 0, in the order of the names")
        if self.credits is not None and len(self.credits) != len(self.names):
            raise SettingError(asked, f"{len(self.credits)} credits", "Give one per source, or None")

    def __len__(self) -> int:
        return len(self.source)

    def __repr__(self) -> str:
        entries, sources = counted(len(self.source), "entry", "entries"), counted(len(self.names), "source")
        return f"Catalogue({self.bank}: {entries} of {sources})"

    @classmethod
    def positions(
        cls, names: Sequence[str], rows: int, columns: int, cell_px: float, bank: str = "exemplars"
    ) -> Catalogue:
        """Every cell of a grid on every source: entry = (source * rows + y) * columns + x.

        Args:
            names: Of the sources.
            rows: Rows of cells on each source.
            columns: Cells in a row.
            cell_px: Side of a cell in px of the source.
            bank: What they all belong to.

        Example:
            >>> Catalogue.positions(["a.png", "b.png"], rows=2, columns=3, cell_px=8)
            Catalogue(exemplars: 12 entries of 2 sources)
        """
        cells = Queries.grid(rows, columns, cell_px).box
        source = torch.arange(len(names)).repeat_interleave(rows * columns)
        return cls(list(names), source, cells.repeat(len(names), 1), bank)

    @classmethod
    def wholes(cls, names: Sequence[str], bank: str = "exemplars") -> Catalogue:
        """Entries that are sources as a whole: images, clusters, codes.

        Example:
            >>> Catalogue.wholes(["a.png", "b.png"], bank="clusters")
            Catalogue(clusters: 2 entries of 2 sources)
        """
        return cls(list(names), torch.arange(len(names)), torch.full((len(names), 4), torch.nan), bank)

    @property
    def name(self) -> str:
        """What tells it apart from other catalogues: its bank."""
        return self.bank

    @property
    def source_names(self) -> Sequence[str]:
        return self.names

    def source_of(self, entries: Tensor) -> Tensor:
        """Source number of entries.

        Example:
            >>> Catalogue.positions(["a.png", "b.png"], rows=2, columns=3, cell_px=8).source_of(torch.tensor([5, 6]))
            tensor([0, 1])
        """
        return self.source[entries]

    def boxes(self, entries: Tensor) -> Tensor:
        """Where entries (n,) lie in their sources: (n, 4).

        Example:
            >>> Catalogue.positions(["a.png"], rows=2, columns=3, cell_px=8).boxes(torch.tensor([5]))
            tensor([[16.,  8.,  8.,  8.]])
        """
        return self.box[entries]

    def entries_of(self, what: Iterable[str | int]) -> Tensor:
        """What is to be left out, as the numbers of the entries: (n,) int64, each once, ascending.

        Args:
            what: Names of sources, the name of the bank, and numbers of entries.

        Raises:
            UnknownNameError: There is no such source, bank or entry, or nothing would be left.
            SettingError: Something else.

        Example:
            >>> Catalogue.positions(["a", "b"], rows=1, columns=2, cell_px=8).entries_of(["a", 3])
            tensor([0, 1, 3])
        """
        gone = torch.zeros(len(self), dtype=torch.bool)
        several: list[Any] = [one.item() if isinstance(one, Tensor) else one for one in listed(what)]
        for one in several:
            if one in self.names:
                gone |= self.source == self.names.index(one)
            elif isinstance(one, str):
                if one != self.bank:
                    raise unknown_name("source", one, self.names)
                gone[:] = True
            elif 0 <= whole("without entry", one) < len(self):
                gone[one] = True
            else:
                raise UnknownNameError(
                    f"entry {one}", f"entries go from 0 to {len(self) - 1:,}", "Take one that a trace names"
                )
        if several and gone.all():
            named = ", ".join(map(str, several[:5]))
            raise UnknownNameError(f"a run without {named}", "nothing would be left", "Leave out fewer")
        return gone.nonzero()[:, 0]

    def describe_sources(self) -> Listing:
        """Name, bank and credit of every source."""
        return Listing(len(self.names), self._described, [0] if self.names else [])

    def _described(self, number: int) -> dict[str, str]:
        credit = Credit() if self.credits is None else self.credits[number]
        return {"source": self.names[number], "bank": self.bank, **credit.described(), "sha256": "unknown"}

    def digests(self) -> dict[str, str]:
        """The digest, if there is one."""
        return {LIBRARY_BANK + self.bank: self.digest} if self.digest else {}
