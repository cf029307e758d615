"""Sources: the images behind a bank, and who made them."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TypeVar

import pyarrow as pa
import pyarrow.parquet as pq

from ktviz.library.layout import SOURCES
from ktviz.library.maps import MapFiles
from ktviz.names import without_suffix
from ktviz.retrieval.credit import Credit
from ktviz.tables import read_rows


@dataclass(frozen=True)
class SourceFile:
    """An image that is to enter a bank.

    Attributes:
        path: The file.
        name: Its name in the bank: the path below the folder it was found in.
        sha256: Digest of the file's bytes.
        credit: Who made it.
        maps: Its label map and instance map, where the bank holds such.
        attributes: Which attributes it has, where the bank holds such.
    """

    path: Path
    name: str
    sha256: str
    credit: Credit = Credit()  # noqa: RUF009 (frozen)
    maps: MapFiles | None = None
    attributes: Mapping[str, bool] | None = None

    @property
    def content(self) -> str:
        """Tells apart what is made of it: its digest, and that of its maps; with other maps, something else is made."""
        if self.maps is None:
            return self.sha256
        return f"{self.sha256}-{hashlib.sha256(''.join(self.maps.digests).encode()).hexdigest()[:16]}"


@dataclass(frozen=True)
class Source:
    """One image in a bank of any kind.

    Attributes:
        name: Unique in its bank.
        sha256: Digest of the original file's bytes.
        credit: Who made it.
        width: Original width in px.
        height: Original height in px.
        attributes: Whether it has each of the attributes that its bank knows; None where that knows none.
    """

    name: str
    sha256: str
    credit: Credit
    width: int
    height: int
    attributes: Mapping[str, bool] | None = field(default=None, kw_only=True, repr=False)

    @property
    def stem(self) -> str:
        """The name without its suffix, for captions; two sources may have the same."""
        return without_suffix(self.name)


@dataclass(frozen=True)
class MappedSource(Source):
    """One image with maps.

    Attributes:
        labels_sha256: Digest of the file of its label map.
        instances_sha256: Digest of the file of its instance map; empty if there is none.
    """

    labels_sha256: str
    instances_sha256: str


S = TypeVar("S", bound=Source)


def write_sources(folder: Path, sources: Sequence[Source]) -> None:
    """The table of a bank's sources, one row each."""
    rows = [{**asdict(source), **asdict(source.credit)} for source in sources]
    for row in rows:
        del row["credit"]
        if row["attributes"] is None:
            del row["attributes"]
    pq.write_table(pa.Table.from_pylist(rows), folder / SOURCES)


def source_of(file: SourceFile, height: int, width: int) -> Source:
    """What is known of a file that entered a bank."""
    known = (file.name, file.sha256, file.credit, width, height)
    has = None if file.attributes is None else dict(sorted(file.attributes.items()))
    if file.maps is None:
        return Source(*known, attributes=has)
    return MappedSource(*known, *file.maps.digests, attributes=has)


def read_sources(folder: Path, kind: type[S]) -> tuple[S, ...]:
    """The inverse of `write_sources`; raises what readers and constructors raise on a table of something else."""
    return tuple(source_from(row, kind) for row in read_rows(folder / SOURCES).to_pylist())


def source_from(row: dict[str, object], kind: type[S]) -> S:
    credit = Credit(*(str(row.pop(part)) for part in ("title", "creator", "year", "licence", "url")))
    return kind(credit=credit, **row)  # type: ignore[arg-type]
