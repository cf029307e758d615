"""Descriptions of sources, made when they are asked for: a library may hold millions."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, overload

Described = Mapping[str, Any]


class Listing(Sequence[Described]):
    """What is known of each of some sources.

    Args:
        count: Of sources.
        describe: What is known of one, by its number.
        firsts: The first source of each bank.

    Example:
        >>> listing = Listing(3, lambda number: {"source": f"s{number}", "bank": "a/b"}, [0])
        >>> len(listing), listing[2]["source"], listing[-3]["bank"]
        (3, 's2', 'a/b')
        >>> listing.sizes
        {'a/b': 3}
    """

    def __init__(self, count: int, describe: Callable[[int], Described], firsts: Sequence[int]) -> None:
        self.size, self.describe, self.firsts = count, describe, firsts

    def __len__(self) -> int:
        return self.size

    @property
    def sizes(self) -> dict[str, int]:
        """How many sources each bank has."""
        ends = (*self.firsts[1:], self.size)
        return {str(self[one]["bank"]): end - one for one, end in zip(self.firsts, ends, strict=True)}

    @overload
    def __getitem__(self, number: int) -> Described: ...

    @overload
    def __getitem__(self, number: slice) -> list[Described]: ...

    def __getitem__(self, number: int | slice) -> Described | list[Described]:
        numbers = range(self.size)[number]
        return self.describe(numbers) if isinstance(numbers, int) else [self.describe(one) for one in numbers]

    def __iter__(self) -> Iterator[Described]:
        return (self.describe(number) for number in range(self.size))
