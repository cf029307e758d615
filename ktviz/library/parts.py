"""Parts of banks: what is prepared of each source, and what tables are made from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ktviz.engines.engine import Engine
from ktviz.library.shards import Shards
from ktviz.library.sources import Source, Stated


@dataclass(frozen=True)
class Part:
    """One source, prepared: all that a bank needs of it.

    Attributes:
        source: What is known of it.
        files: Its files, by how they end; see `Layout.of_source`.
        stated: Their sizes and SHA-256, in the same order.
    """

    source: Source
    files: Mapping[str, Path]
    stated: Sequence[Stated]


@dataclass(frozen=True)
class Work:
    """What the tables of a bank are made from.

    Attributes:
        folder: Where they are to lie.
        parts: Of all its sources, sorted by name.
        settings: As its kind has them; see `registry.Kind`.
        previous: The bank as it was; None where nothing of it is to be kept.
        shards: Where finished pieces of the work may lie, and
        prepared: the files of its sources, where they are made.
        engine: What works on many sources.
        quiet: No progress bars.
    """

    folder: Path
    parts: Sequence[Part]
    settings: Any
    previous: Any
    shards: Shards
    prepared: Shards
    engine: Engine
    quiet: bool

    @property
    def sources(self) -> list[Any]:
        """What is known of each."""
        return [part.source for part in self.parts]


def rows_folder(structure: str) -> str:
    """Where, among shards, what is worked out for tables of a structure lies until they are written."""
    return f"rows-{structure[:16]}"
