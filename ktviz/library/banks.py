"""Banks of any kind: what all have in common, alone and several together."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import cached_property
from typing import Any, ClassVar, Generic, Protocol, TypeVar

import pyarrow as pa
import torch
from safetensors import SafetensorError
from torch import Tensor

from ktviz.errors import LibraryError, SettingError
from ktviz.images import Pixels, decode_image
from ktviz.library.names import Joined, Names, Numbers
from ktviz.library.place import Place
from ktviz.library.sources import Source
from ktviz.names import find_name
from ktviz.printing import counted
from ktviz.regions import SourceRegion, region_mask
from ktviz.retrieval.catalogue import LIBRARY_BANK
from ktviz.retrieval.listing import Listing
from ktviz.values import short

READ_ERRORS = (
    OSError,
    KeyError,
    TypeError,
    ValueError,
    IndexError,
    RuntimeError,
    pa.ArrowException,
    SafetensorError,
)
"""What readers and constructors raise on files that are not what they should be."""
Part = str | int | SourceRegion
"""What can be left out: a source or a bank by its name, an entry by its number, a part of a source."""


class AnyBank(Protocol):
    """A bank of any kind.

    `kind` is which; `sources` are its sources, `thumb` gives the JPEG of each; `digest` is that of its files, `place`
    where they lie; its length is the number of its entries. `check` refuses tables that make no sense.
    """

    @property
    def kind(self) -> str: ...

    @property
    def name(self) -> str: ...

    @property
    def sources(self) -> Sequence[Source]: ...

    @property
    def digest(self) -> str: ...

    @property
    def place(self) -> Place: ...

    def __len__(self) -> int: ...

    def picture(self, source: int, /) -> Pixels: ...

    def thumb(self, source: int, /) -> bytes: ...

    def check(self) -> None: ...


B_co = TypeVar("B_co", bound=AnyBank, covariant=True)


class Banks(Generic[B_co]):
    """One or more banks of one kind. Entries and sources are numbered through, bank after bank.

    Args:
        banks: At least one.
    """

    kind: ClassVar[str]

    def __init__(self, banks: Sequence[B_co]) -> None:
        self.banks = tuple(banks)
        self.entry_offset = offsets([len(bank) for bank in self.banks])
        self.source_offset = offsets([len(bank.sources) for bank in self.banks])

    def __len__(self) -> int:
        return int(self.entry_offset[-1])

    def __repr__(self) -> str:
        names, entries = ", ".join(self.names), counted(len(self), "entry", "entries")
        return f"{type(self).__name__}({names}; {counted(len(self.sources), 'source')}, {entries})"

    def _repr_html_(self) -> str | None:
        """What a notebook shows."""
        from ktviz.figures.cards import banks_card, unless_refused

        return unless_refused(banks_card, self)

    @property
    def names(self) -> list[str]:
        """Names of the banks."""
        return [bank.name for bank in self.banks]

    @cached_property
    def sources(self) -> Sequence[Source]:
        """All sources, bank after bank."""
        return self.banks[0].sources if len(self.banks) == 1 else Joined([bank.sources for bank in self.banks])

    @cached_property
    def source_names(self) -> Names:
        """Full name of each source: "task/style/name"."""
        return Names([(bank.name, bank.sources) for bank in self.banks])

    @cached_property
    def source_numbers(self) -> Numbers:
        """Number of each source by its whole name."""
        return Numbers(self.source_names)

    def numbers_of(self, names: Iterable[str]) -> list[int]:
        """Numbers of the sources of some whole names, of those that there are.

        Example:
            >>> world.banks.numbers_of(["toy/flat/red.png", "toy/flat/blue.png"])
            [3]
        """
        return [number for name in names if (number := self.source_names.number(name)) is not None]

    def bank_of_source(self, source: int) -> tuple[B_co, int]:
        """The bank of a source, and the source's number there.

        Example:
            >>> bank, number = world.banks.bank_of_source(3)
            >>> bank.name, bank.sources[number].name
            ('toy/flat', 'red.png')
        """
        bank = int(torch.searchsorted(self.source_offset, source, right=True)) - 1
        return self.banks[bank], source - int(self.source_offset[bank])

    def picture(self, source: int) -> Pixels:
        """A source as its bank has it; of a bank of patches what its encoder saw, 4 px per feature cell.

        Example:
            >>> world.banks.picture(0).shape
            (64, 64, 3)
        """
        bank, number = self.bank_of_source(source)
        return bank.picture(number)

    def thumb(self, source: int) -> Pixels:
        """A source as a small picture: (h, w, 3) uint8.

        Example:
            >>> world.banks.thumb(0).shape
            (64, 64, 3)
        """
        bank, number = self.bank_of_source(source)
        return thumb_of(bank, number)

    def find_source(self, name: str) -> str:
        """The whole name of the source that a name means: the end of one will do, with or without suffix.

        Raises:
            UnknownNameError: No source has that name, or several; the message names the nearest, or all of them.

        Example:
            >>> world.banks.find_source("red")
            'toy/flat/red.png'
        """
        return find_name(name, self.source_numbers)

    def full_names(self, names: Iterable[Part]) -> tuple[Part, ...]:
        """What a search is to leave out, with every source by its whole name.

        Args:
            names: Names of sources, as in `find_source`, and parts of them; names of whole banks and numbers of entries
                stay as they are.

        Raises:
            UnknownNameError: No source has that name, or several.
            RegionError: A part that is not wholly inside its source.

        Example:
            >>> world.banks.full_names(["red", "toy/flat", 7])
            ('toy/flat/red.png', 'toy/flat', 7)
        """
        return tuple(self._full_name(name) for name in names)

    def _full_name(self, part: Part) -> Part:
        if isinstance(part, SourceRegion):
            name = self.find_source(part.source)
            source = self.sources[self.source_numbers[name]]
            region_mask(part.box, source.height, source.width)  # refuses what lies outside
            return SourceRegion(name, part.box)
        return self.find_source(part) if isinstance(part, str) and part not in self.names else part

    def source_of(self, entries: Tensor) -> Tensor:
        """Source number of entries; each source is one, unless the kind of bank says otherwise.

        Example:
            >>> world.banks.source_of(torch.tensor([0, 844]))
            tensor([0, 3])
        """
        return entries

    def describe_sources(self) -> Listing:
        """Name, bank, credit, digest and original size in px of every source.

        Example:
            >>> [(about["source"], about["creator"]) for about in world.banks.describe_sources()][:2]
            [('toy/flat/cyan.png', 'Painter 3'), ('toy/flat/green.png', 'Painter 2')]
        """
        return Listing(len(self.sources), self._described, self.source_offset[:-1].tolist())

    def _described(self, number: int) -> dict[str, Any]:
        bank, place = self.bank_of_source(number)
        source = bank.sources[place]
        return {
            "source": f"{bank.name}/{source.name}",
            "bank": bank.name,
            **source.credit.described(),
            "sha256": source.sha256,
            "width": source.width,
            "height": source.height,
        }

    def digests(self) -> dict[str, str]:
        """Digest of every bank by its name; what it is made from is compared first, if nobody has touched it yet.

        Example:
            >>> [*world.banks.digests()]
            ['library bank toy/flat']
        """
        for bank in self.banks:
            bank.place.compare_tables()
        return {LIBRARY_BANK + bank.name: bank.digest for bank in self.banks}


K = TypeVar("K", bound="Banks[Any]")


def of_kind(banks: object, wanted: type[K], asked: str) -> K:
    """Banks, if they are of the kind that is needed.

    Raises:
        LibraryError: They are of another kind; the message says which is needed.
        SettingError: They are no banks of a library.
    """
    if isinstance(banks, wanted):
        return banks
    if isinstance(banks, Banks):
        raise other_kind(banks.names, banks.kind, wanted, asked)
    raise SettingError(f"{asked} {short(banks)}", "no banks of a library", 'Give library["task/style"]')


def other_kind(names: Iterable[str], kind: str, wanted: type[Banks[Any]], asked: str) -> LibraryError:
    """The error for banks of another kind than is needed."""
    return LibraryError(
        f"{asked} bank {', '.join(names)}",
        f"it holds {kind}, and {wanted.kind} are needed",
        f"Name a bank of the kind {wanted.kind}: `ktviz library list` shows them",
    )


def thumb_of(bank: AnyBank, source: int) -> Pixels:
    """The small picture of a source."""
    return decode_image(bank.thumb(source), asked=f"thumbnail of {bank.sources[source].name!r}")


def offsets(sizes: Sequence[int]) -> Tensor:
    """Where each of some consecutive runs begins, and the end: (n,) to (n + 1,)."""
    return torch.tensor([0, *sizes], device="cpu").cumsum(0)  # whatever PyTorch's default device is meanwhile


@contextmanager
def fitting(name: str) -> Iterator[None]:
    """Read the files of a bank.

    Raises:
        LibraryError: They do not fit together, or are not what they should be.
    """
    try:
        yield
    except READ_ERRORS as error:
        raise LibraryError(f"bank {name!r}", f"its files do not fit together ({error})", "Build it again") from None


def expect(holds: bool, what: str) -> None:
    """Raise ValueError unless the files of a bank hold what they should."""
    if not holds:
        raise ValueError(f"expected {what}")
