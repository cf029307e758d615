"""Sources: the images behind a bank, and who made them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from itertools import pairwise
from pathlib import Path
from typing import Any, TypeVar, overload

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from ktviz.files import replacing
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
        return self.sha256 if self.maps is None else with_maps(self.sha256, self.maps.digests)

    @property
    def digests(self) -> dict[Path, str]:
        """Of its own file, and those of its maps."""
        return {self.path: self.sha256, **({} if self.maps is None else self.maps.files)}

    def __getstate__(self) -> dict[str, Any]:
        """For another process, which may run in another folder."""
        return {**self.__dict__, "path": self.path.absolute()}


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
    def content(self) -> str:
        """What its files are called by; that of the file that it was made from."""
        return self.sha256

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

    @property
    def content(self) -> str:
        """The same, of the picture with its maps."""
        return with_maps(self.sha256, (self.labels_sha256, self.instances_sha256))


def with_maps(sha256: str, maps: tuple[str, str]) -> str:
    """What the files of a picture are called by that has maps."""
    return f"{sha256}-{hashlib.sha256(''.join(maps).encode()).hexdigest()[:16]}"


S = TypeVar("S", bound=Source)
Stated = tuple[int, str]
"""Size and SHA-256 of a file."""
SIZES, DIGESTS = "file_bytes", "file_sha256"
"""Columns that hold them, of each source's files in the order of its layout; the others are those of `Source`."""
MOST_PX = 1 << 31
AT_ONCE = 4096
"""Rows made into sources at a time."""


class Sources(Sequence[S]):
    """The sources of a bank, made from their table when they are asked for.

    Args:
        table: As `write_sources` writes it.
        kind: Of source.
    """

    def __init__(self, table: pa.Table, kind: type[S]) -> None:
        self.kind = kind
        self.table = table.drop_columns([name for name in (SIZES, DIGESTS) if name in table.column_names])
        self.files = table.select([SIZES, DIGESTS]) if SIZES in table.column_names else None

    def __len__(self) -> int:
        return int(self.table.num_rows)

    @overload
    def __getitem__(self, number: int) -> S: ...

    @overload
    def __getitem__(self, number: slice) -> list[S]: ...

    def __getitem__(self, number: int | slice) -> S | list[S]:
        numbers = range(len(self))[number]
        if isinstance(numbers, int):
            return self._made(numbers, 1)[0]
        return [self[one] for one in numbers]

    def __iter__(self) -> Iterator[S]:
        for first in range(0, len(self), AT_ONCE):
            yield from self._made(first, AT_ONCE)

    def column(self, name: str) -> list[Any]:
        """One thing that is known of each."""
        found: list[Any] = self.table[name].to_pylist()
        return found

    def find(self, name: str) -> int | None:
        """The number of the source of a name; None where there is none."""
        found: int = pc.index(self.table["name"], name).as_py()
        return None if found < 0 else found

    def content(self, number: int) -> str:
        """What the files of a source are called by."""
        return self[number].content

    def stated(self, number: int) -> list[Stated]:
        """What the files of a source must be, in the order of its layout."""
        return self._stated(number, 1)[0]

    def parts(self) -> Iterator[tuple[S, list[Stated]]]:
        """Every source, with what its files must be."""
        for first in range(0, len(self), AT_ONCE):
            yield from zip(self._made(first, AT_ONCE), self._stated(first, AT_ONCE), strict=True)

    def _stated(self, first: int, count: int) -> list[list[Stated]]:
        if self.files is None:
            raise ValueError("expected sources with the digests of their files")
        rows = self.files.slice(first, count).to_pylist()
        return [list(zip(row[SIZES], row[DIGESTS], strict=True)) for row in rows]

    def _made(self, first: int, count: int) -> list[S]:
        return [source_from(row, self.kind) for row in self.table.slice(first, count).to_pylist()]


def write_sources(folder: Path, sources: Sequence[Source], files: Sequence[Sequence[Stated]]) -> None:
    """The table of a bank's sources, one row each.

    Args:
        folder: Of the bank's tables.
        sources: Sorted by name.
        files: Size and SHA-256 of the files of each, in the order of their layout.
    """
    rows = [{**row_of(source), **stating(known)} for source, known in zip(sources, files, strict=True)]
    with replacing(folder / SOURCES) as partial:
        pq.write_table(pa.Table.from_pylist(rows), partial)


def row_of(source: Source) -> dict[str, Any]:
    """What is known of a source, credit included."""
    row = {**asdict(source), **asdict(source.credit)}
    del row["credit"]
    if row["attributes"] is None:
        del row["attributes"]
    return row


def stating(files: Sequence[Stated]) -> dict[str, Any]:
    """What is stated of the files of a source."""
    return {SIZES: [size for size, _ in files], DIGESTS: [digest for _, digest in files]}


def content_of(made_with: str, sources: Sequence[Source], files: Sequence[Sequence[Stated]]) -> str:
    """SHA-256 of sources, sorted by name, of their files, and of what made these."""
    digest = hashlib.sha256(f"{made_with}\n".encode())
    for source, known in zip(sources, files, strict=True):
        said = {**row_of(source), **stating(known)}
        digest.update(f"{json.dumps(said, sort_keys=True)}\n".encode())
    return digest.hexdigest()


def source_of(file: SourceFile, height: int, width: int) -> Source:
    """What is known of a file that entered a bank."""
    known = (file.name, file.sha256, file.credit, width, height)
    has = None if file.attributes is None else dict(sorted(file.attributes.items()))
    if file.maps is None:
        return Source(*known, attributes=has)
    return MappedSource(*known, *file.maps.digests, attributes=has)


def read_sources(path: Path, kind: type[S]) -> Sources[S]:
    """The inverse of `write_sources`; raises what readers raise, and ValueError for a table of something else."""
    table = read_rows(path)
    wanted = {part.name for part in fields(kind)} - {"credit", "attributes"} | {part.name for part in fields(Credit)}
    if missing := sorted(wanted - set(table.column_names)):
        raise ValueError(f"{path.name} lacks the column {missing[0]}")
    check_rows(table)
    return Sources(table, kind)


def check_rows(table: pa.Table) -> None:
    """Raise ValueError unless sources are in order, each once, and of names, digests and sizes that there can be."""
    names: list[Any] = table["name"].to_pylist()
    if not all(names) or any(one >= other for one, other in pairwise(names)):
        raise ValueError("expected sources of different names, in their order")
    if not pc.all(pc.match_substring_regex(table["sha256"], "^[0-9a-f]{64}$")).as_py():  # files are called by it
        raise ValueError("expected a SHA-256 of each source")
    for side in ("width", "height"):
        if not pc.all(pc.and_(pc.greater(table[side], 0), pc.less(table[side], MOST_PX))).as_py():
            raise ValueError(f"expected sources of a {side} that there can be")


def source_from(row: dict[str, object], kind: type[S]) -> S:
    credit = Credit(*(str(row.pop(part)) for part in ("title", "creator", "year", "licence", "url")))
    return kind(credit=credit, **row)  # type: ignore[arg-type]
