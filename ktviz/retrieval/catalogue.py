"""Catalogues: what entry numbers mean."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Protocol

import torch
from torch import Tensor

from ktviz.errors import SettingError, UnknownNameError, unknown_name
from ktviz.images import ImageLike, Pixels, as_pixels, file_digest, pixel_digest
from ktviz.licences import UNKNOWN
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
        pictures: (H, W, 3) uint8 of each source, which views, figures and audits then show; None if there are none.
        files: SHA-256 of the file of each source, or "unknown"; None if there are none.

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
    pictures: Sequence[Pixels] | None = None
    files: Sequence[str] | None = None

    def __post_init__(self) -> None:
        asked = f"a catalogue of {counted(len(self.names), 'source')}"
        if len(set(self.names)) < len(self.names):
            raise SettingError(asked, "two have the same name", "Name each source differently")
        if self.box.shape != (len(self.source), 4):
            found = f"boxes of shape {tuple(self.box.shape)} for {counted(len(self.source), 'entry', 'entries')}"
            raise SettingError(asked, found, "Give every entry x, y, width and height")
        if ((self.source < 0) | (self.source >= len(self.names))).any():
            raise SettingError(asked, "an entry of another source", "Count sources from 0, in the order of the names")
        given = {"credits": self.credits, "pictures": self.pictures, "files": self.files}
        for what, several in given.items():
            if several is not None and len(several) != len(self.names):
                raise SettingError(asked, f"{len(several)} {what}", "Give one per source, or None")

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

    @classmethod
    def of_pictures(
        cls,
        pictures: Mapping[str, ImageLike | str],
        cell_px: int | None = None,
        bank: str = "exemplars",
        credits: Sequence[Credit] | None = None,
    ) -> Catalogue:
        """Pictures as what is retrieved: their cells, picture by picture and row by row, or each as a whole. Views,
        figures, backtracking and audits show them, and the trace states their sizes and digests.

        Args:
            pictures: By name, the path of a file, a Pillow image, or pixels (H, W, 3); see `ktviz.read_image`. They
                may have different sizes.
            cell_px: Side of a cell in px, of which each side is a multiple; None: an entry is a picture as a whole.
            bank: What they all belong to.
            credits: Who made each; unknown if None.

        Raises:
            SettingError: No picture, a cell below 1 px, or a picture that is not made of whole cells.
            ImageError: A picture that cannot be used.

        Example:
            >>> Catalogue.of_pictures({"a": torch.rand(3, 32, 48), "b": torch.rand(3, 16, 16)}, cell_px=16)
            Catalogue(exemplars: 7 entries of 2 sources)
            >>> Catalogue.of_pictures({"a": torch.rand(3, 32, 48), "b": torch.rand(3, 16, 16)})
            Catalogue(exemplars: 2 entries of 2 sources)
        """
        names, shown = list(pictures), [as_pixels(one) for one in pictures.values()]
        asked = f"a catalogue of {counted(len(names), 'picture')}"
        if not names:
            raise SettingError(asked, "nothing to retrieve", "Give at least one picture")
        files = [file_digest(one) if isinstance(one, (str, os.PathLike)) else UNKNOWN for one in pictures.values()]
        if cell_px is None:
            known = cls.wholes(names, bank)
        elif whole("cell_px", cell_px) < 1:
            raise SettingError(asked, f"cells of {cell_px} px", "Give 1 px or more")
        else:
            boxes = [cells_of(name, one, cell_px) for name, one in zip(names, shown, strict=True)]
            counts = torch.tensor([len(one) for one in boxes])
            known = cls(names, torch.arange(len(names)).repeat_interleave(counts), torch.cat(boxes), bank)
        return replace(known, credits=credits, pictures=shown, files=files)

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
        """Name, bank and credit of every source; of pictures their sizes and the digests of files and pixels, too."""
        return Listing(len(self.names), self._described, [0] if self.names else [])

    def _described(self, number: int) -> dict[str, Any]:
        credit = Credit() if self.credits is None else self.credits[number]
        file = UNKNOWN if self.files is None else self.files[number]
        known = {"source": self.names[number], "bank": self.bank, **credit.described(), "sha256": file}
        if self.pictures is None:
            return known
        height, width = self.pictures[number].shape[:2]
        return {**known, "height": height, "width": width, "pixels": self._pixels[number]}

    @cached_property
    def _pixels(self) -> list[str]:
        """Digests of the pictures."""
        return [pixel_digest(picture) for picture in self.pictures or ()]

    def by_digest(self) -> dict[str, Pixels]:
        """Its pictures by the digests of their pixels."""
        return dict(zip(self._pixels, self.pictures or (), strict=True))

    def digests(self) -> dict[str, str]:
        """The digest, if there is one, and those of its pictures."""
        bank = {LIBRARY_BANK + self.bank: self.digest} if self.digest else {}
        return bank | {LIBRARY_SOURCE + name: one for name, one in zip(self.names, self._pixels, strict=False)}


def cells_of(name: str, picture: Pixels, cell_px: int) -> Tensor:
    """Boxes (n, 4) of the cells of a picture, row by row.

    Raises:
        SettingError: It is not made of whole cells.
    """
    height, width = picture.shape[:2]
    if height % cell_px or width % cell_px:
        found = f"{width}x{height} px, which are no whole cells of {cell_px} px"
        raise SettingError(f"a catalogue with the picture {name!r}", found, "Crop or scale it as the model sees it")
    return Queries.grid(height // cell_px, width // cell_px, cell_px).box
