"""Banks of any kind: what all have in common, alone and several together."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar, Generic, Protocol, TypeVar

import pyarrow as pa
import torch
from safetensors import SafetensorError
from torch import Tensor

from ktviz.errors import LibraryError, SettingError, UnknownNameError
from ktviz.images import Pixels, decode_image
from ktviz.library.sources import Source
from ktviz.names import find_name
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


class AnyBank(Protocol):
    """A bank of any kind.

    `kind` is which; `sources` are its sources, `thumbs` the JPEG of each, held so that results outlive an edit of the
    bank; `digest` is that of its files, `folder` where they lie; its length is the number of its entries.
    """

    @property
    def kind(self) -> str: ...

    @property
    def name(self) -> str: ...

    @property
    def sources(self) -> Sequence[Source]: ...

    @property
    def thumbs(self) -> Sequence[bytes]: ...

    @property
    def digest(self) -> str: ...

    @property
    def folder(self) -> Path: ...

    def __len__(self) -> int: ...

    def picture(self, source: int, /) -> Pixels: ...


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
        names = ", ".join(self.names)
        return f"{type(self).__name__}({names}; {len(self.sources)} sources, {len(self):,} entries)"

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
        return [source for bank in self.banks for source in bank.sources]

    @cached_property
    def source_names(self) -> list[str]:
        """Full name of each source: "task/style/name"."""
        return [f"{bank.name}/{source.name}" for bank in self.banks for source in bank.sources]

    @cached_property
    def source_numbers(self) -> dict[str, int]:
        """Number of each source by its whole name."""
        return {name: number for number, name in enumerate(self.source_names)}

    def bank_of_source(self, source: int) -> tuple[B_co, int]:
        """The bank of a source, and the source's number there."""
        bank = int(torch.searchsorted(self.source_offset, source, right=True)) - 1
        return self.banks[bank], source - int(self.source_offset[bank])

    def picture(self, source: int) -> Pixels:
        """A source as its bank has it; of a bank of patches what its encoder saw, 4 px per feature cell."""
        bank, number = self.bank_of_source(source)
        return bank.picture(number)

    def thumb(self, source: int) -> Pixels:
        """A source as a small picture."""
        bank, number = self.bank_of_source(source)
        return thumb_of(bank, number)

    def find_source(self, name: str) -> str:
        """The whole name of the source that a name means: the end of one will do, with or without suffix.

        Raises:
            UnknownNameError: No source has that name, or several; the message names the nearest, or all of them.
        """
        return find_name(name, self.source_numbers)

    def full_names(self, names: Iterable[str | int]) -> tuple[str | int, ...]:
        """What a search is to leave out, with every source by its whole name.

        Args:
            names: Names of sources, as in `find_source`; names of whole banks and numbers of entries stay as they are.
        """
        return tuple(
            self.find_source(name) if isinstance(name, str) and name not in self.names else name for name in names
        )

    def excluded(self, without: Iterable[str | int]) -> Tensor | None:
        """Mask of the entries to pass over: (entries,) bool, or None if `without` is empty.

        Args:
            without: Names of sources, names of whole banks, and numbers of entries.

        Raises:
            UnknownNameError: No source or bank has that name, or several; there is no such entry, or none would be
                left.
        """
        without = self.full_names(without)
        if not without:
            return None
        sources = torch.zeros(len(self.sources), dtype=torch.bool)
        for name in (name for name in without if isinstance(name, str)):
            if name in self.names:
                first = self.names.index(name)
                sources[self.source_offset[first] : self.source_offset[first + 1]] = True
            else:
                sources[self.source_numbers[name]] = True
        mask = sources[self.source_of(torch.arange(len(self)))]
        entries = [entry for entry in without if not isinstance(entry, str)]
        for entry in entries:
            if not 0 <= entry < len(self):
                raise UnknownNameError(
                    f"entry {entry}", f"entries go from 0 to {len(self) - 1:,}", "Take one that a trace names"
                )
        mask[torch.tensor(entries, dtype=torch.int64)] = True
        if mask.all():
            named = ", ".join(map(str, without[:5]))
            raise UnknownNameError(f"search without {named}", "nothing would be left", "Exclude fewer, or add banks")
        return mask

    def source_of(self, entries: Tensor) -> Tensor:
        """Source number of entries; each source is one, unless the kind of bank says otherwise."""
        return entries

    def describe_sources(self) -> list[dict[str, Any]]:
        """Name, bank, credit, digest and original size in px of every source."""
        return [
            {
                "source": name,
                "bank": self.bank_of_source(number)[0].name,
                **source.credit.described(),
                "sha256": source.sha256,
                "width": source.width,
                "height": source.height,
            }
            for number, (name, source) in enumerate(zip(self.source_names, self.sources, strict=True))
        ]

    def digests(self) -> dict[str, str]:
        """Digest of every bank by its name."""
        return {f"library bank {bank.name}": bank.digest for bank in self.banks}


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
    return decode_image(bank.thumbs[source], asked=f"thumbnail of {bank.sources[source].name!r}")


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
