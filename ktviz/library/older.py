"""Libraries of older formats: they open, and `Library.rebuild` makes new ones of them.

In format 1, up to ktviz 0.4, banks are all of patches and do not say so. Up to format 2, a bank is one folder whose
files are all named in the manifest, those of sources by number, and search keys are numbers in half precision.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ktviz.library.format import BankRecord, as_object, check_keys, check_listed, check_place
from ktviz.library.layout import (
    CLASSES,
    CODES,
    FEATURES,
    LAYOUTS,
    MAPS,
    PATCHES,
    PICTURE,
    PICTURES,
    ROWS,
    SOURCES,
    THUMB,
    of_maps,
)
from ktviz.library.place import File, Place
from ktviz.library.sources import Stated

TABLES: Mapping[str, tuple[str, ...]] = {
    PATCHES: (SOURCES, "entries.parquet", "tree.safetensors", "keys.safetensors"),
    PICTURES: LAYOUTS[PICTURES].tables,
    CODES: LAYOUTS[CODES].tables,
}
"""By kind of bank, without maps."""
PLACES: Mapping[str, Callable[[int], str]] = {
    THUMB: "thumbs/{:04d}.jpg".format,
    FEATURES: "features/part-{:04d}.safetensors".format,
    PICTURE: "pictures/{:04d}.png".format,
    ROWS: "rows/{:04d}.parquet".format,
    MAPS["labels"]: "labels/{:04d}.png".format,
    MAPS["instances"]: "instances/{:04d}.png".format,
}
"""From the number of a source to a file of it, by how such a file ends now."""


def is_older(path: str) -> bool:
    """Whether a bank of an older format has a file at a path within its folder."""
    number = re.search(r"\d+", path)
    of_source = number is not None and any(place(int(number[0])) == path for place in PLACES.values())
    return of_source or any(path in tables for tables in TABLES.values())


@dataclass(frozen=True)
class OlderRecord(BankRecord):
    """What a manifest of an older format knows of a bank.

    Attributes:
        files: Relative path to (bytes, SHA-256), of all files.
    """

    files: dict[str, Stated] = field(default_factory=dict)

    @property
    def digest(self) -> str:
        """SHA-256 over the names and digests of the files."""
        lines = sorted(f"{name} {digest}\n" for name, (_, digest) in self.files.items())
        return hashlib.sha256("".join(lines).encode()).hexdigest()


@dataclass(frozen=True)
class OlderPlace(Place):
    """Where a bank of an older format lies: in one folder."""

    record: OlderRecord

    @property
    def contents(self) -> Path:
        return self.folder

    def path(self, source: int, ending: str) -> Path:
        return self.folder / PLACES[ending](source)

    def stated(self, source: int) -> list[Stated]:
        return [self.record.files[PLACES[ending](source)] for ending in self.record.of_source]

    def files(self) -> Iterator[File]:
        return ((self.folder / name, stated) for name, stated in self.record.files.items())


def parse_older_bank(name: str, bank: Mapping[str, Any]) -> OlderRecord:
    """What a manifest says of one bank: all of a bank's files with size and digest, and no other."""
    what = f"bank {name!r}"
    bank = {"kind": PATCHES, **as_object(what, bank)}
    check_keys(what, bank, {"kind", "folder", "sources", "entries", "files", "digest"})
    check_place(what, name, bank)
    files, sources, kind = as_object(f"files of {what}", bank["files"]), bank["sources"], bank["kind"]
    if sources > len(files):
        raise ValueError(f"{what} lists {len(files)} files for {sources:,} sources")
    endings = endings_of(kind, files)
    tables = TABLES[kind] + ((CLASSES,) if of_maps(endings) else ())
    check_listed(what, files, [*tables, *(PLACES[ending](n) for ending in endings for n in range(sources))])
    listed = {path: (size, digest) for path, (size, digest) in files.items()}
    of_sources = sum(size for path, (size, _) in listed.items() if path not in tables)
    known = {path: listed[path] for path in tables}
    record = OlderRecord(kind, bank["folder"], endings, sources, bank["entries"], of_sources, "", known, listed)
    if bank["digest"] != record.digest:
        raise ValueError(f"{what} has another digest than its files")
    return record


def endings_of(kind: str, files: Collection[str]) -> tuple[str, ...]:
    """How the files of each source end, as the folders of a bank tell."""
    folders = {path.split("/")[0] for path in files}
    objects, labels = "instances" in folders, "labels" in folders
    maps = [name for name, there in (("labels", labels or objects), ("instances", objects)) if there]
    return LAYOUTS[kind].of_source if kind == PATCHES else LAYOUTS[kind].with_maps(maps).of_source


def place_of(name: str, library: Path, record: BankRecord) -> Place:
    """Where a bank of any format lies."""
    return OlderPlace(name, library, record) if isinstance(record, OlderRecord) else Place(name, library, record)
