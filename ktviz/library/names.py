"""Names and numbers of sources, found when they are asked for: a bank may hold millions."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from itertools import accumulate
from typing import Generic, TypeVar, overload

from ktviz.library.sources import Source, Sources

T = TypeVar("T")


class Joined(Sequence[T], Generic[T]):
    """Several sequences, one after the other, as one.

    Args:
        parts: The sequences.

    Example:
        >>> joined = Joined([range(3), range(7, 9)])
        >>> len(joined), joined[3], joined[1:4]
        (5, 7, [1, 2, 7])
    """

    def __init__(self, parts: Sequence[Sequence[T]]) -> None:
        self.parts = parts
        self.ends = [*accumulate(map(len, parts))]

    def __len__(self) -> int:
        return self.ends[-1] if self.ends else 0

    @overload
    def __getitem__(self, number: int) -> T: ...

    @overload
    def __getitem__(self, number: slice) -> list[T]: ...

    def __getitem__(self, number: int | slice) -> T | list[T]:
        numbers = range(len(self))[number]
        if not isinstance(numbers, int):
            return [self[one] for one in numbers]
        part = bisect_right(self.ends, numbers)
        return self.parts[part][numbers - (self.ends[part - 1] if part else 0)]

    def __iter__(self) -> Iterator[T]:
        return (one for part in self.parts for one in part)


class Names(Sequence[str]):
    """Full names of the sources of some banks, bank after bank: "task/style/name".

    Args:
        banks: The name of each, and its sources.

    Example:
        >>> from ktviz.retrieval.credit import Credit
        >>> names = Names([("art/ink", [Source("flood.jpg", "", Credit(), 8, 8)])])
        >>> [*names], names.number("art/ink/flood.jpg"), names.number("flood.jpg")
        (['art/ink/flood.jpg'], 0, None)
    """

    def __init__(self, banks: Sequence[tuple[str, Sequence[Source]]]) -> None:
        self.banks = banks
        self.sources = Joined([sources for _, sources in banks])

    def __len__(self) -> int:
        return len(self.sources)

    @overload
    def __getitem__(self, number: int) -> str: ...

    @overload
    def __getitem__(self, number: slice) -> list[str]: ...

    def __getitem__(self, number: int | slice) -> str | list[str]:
        numbers = range(len(self))[number]
        if not isinstance(numbers, int):
            return [self[one] for one in numbers]
        bank, _ = self.banks[bisect_right(self.sources.ends, numbers)]
        return f"{bank}/{self.sources[numbers].name}"

    def __iter__(self) -> Iterator[str]:
        return (f"{bank}/{name}" for bank, sources in self.banks for name in names_of(sources))

    def __contains__(self, name: object) -> bool:
        return self.number(name) is not None

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sequence) and len(self) == len(other) and all(map(str.__eq__, self, other))

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return repr([*self])

    def number(self, name: object) -> int | None:
        """The number of the source of a full name; None where there is none."""
        first = 0
        for bank, sources in self.banks:
            if isinstance(name, str) and name.startswith(f"{bank}/"):
                found = number_in(sources, name[len(bank) + 1 :])
                if found is not None:
                    return first + found
            first += len(sources)
        return None


class Numbers(Mapping[str, int]):
    """The number of each source by its full name.

    Args:
        names: Of the sources.
    """

    def __init__(self, names: Names) -> None:
        self.names = names

    def __len__(self) -> int:
        return len(self.names)

    def __iter__(self) -> Iterator[str]:
        return iter(self.names)

    def __getitem__(self, name: str) -> int:
        found = self.names.number(name)
        if found is None:
            raise KeyError(name)
        return found


def names_of(sources: Sequence[Source]) -> Sequence[str]:
    """The names of some sources, in their bank."""
    return sources.column("name") if isinstance(sources, Sources) else [source.name for source in sources]


def number_in(sources: Sequence[Source], name: str) -> int | None:
    """The number of a source by its name in its bank; None where there is none."""
    if isinstance(sources, Sources):
        return sources.find(name)
    return next((number for number, source in enumerate(sources) if source.name == name), None)
