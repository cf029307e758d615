"""What a library says of itself to others: Croissant metadata, and a data card per bank."""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import date
from pathlib import Path
from typing import Any

from ktviz import __version__
from ktviz.errors import StorageError
from ktviz.files import replacing
from ktviz.library.kinds.registry import AnyKind
from ktviz.library.library import Library
from ktviz.licences import UNKNOWN
from ktviz.memory import as_text
from ktviz.printing import counted

CONFORMS = "http://mlcommons.org/croissant/1.0"
CONTEXT: Mapping[str, Any] = {
    "@language": "en",
    "@vocab": "https://schema.org/",
    "citeAs": "cr:citeAs",
    "column": "cr:column",
    "conformsTo": "dct:conformsTo",
    "cr": "http://mlcommons.org/croissant/",
    "rai": "http://mlcommons.org/croissant/RAI/",
    "data": {"@id": "cr:data", "@type": "@json"},
    "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
    "dct": "http://purl.org/dc/terms/",
    "examples": {"@id": "cr:examples", "@type": "@json"},
    "extract": "cr:extract",
    "field": "cr:field",
    "fileProperty": "cr:fileProperty",
    "fileObject": "cr:fileObject",
    "fileSet": "cr:fileSet",
    "format": "cr:format",
    "includes": "cr:includes",
    "isLiveDataset": "cr:isLiveDataset",
    "jsonPath": "cr:jsonPath",
    "key": "cr:key",
    "md5": "cr:md5",
    "parentField": "cr:parentField",
    "path": "cr:path",
    "recordSet": "cr:recordSet",
    "references": "cr:references",
    "regex": "cr:regex",
    "repeated": "cr:repeated",
    "replace": "cr:replace",
    "sc": "https://schema.org/",
    "separator": "cr:separator",
    "source": "cr:source",
    "subField": "cr:subField",
    "transform": "cr:transform",
}
"""Of Croissant 1.0, as its specification has it."""
TYPES = {"width": "sc:Integer", "height": "sc:Integer", "url": "sc:Text"}
ENCODINGS = {".jpg": "image/jpeg", ".parquet": "application/vnd.apache.parquet"}
CREDIT = ("title", "creator", "year", "licence")
MENTIONED = 12
"""Sources that a card lists."""


def write_croissant(library: Library, path: str | os.PathLike[str], *, overwrite: bool = False) -> Path:
    """Write Croissant metadata (JSON-LD) of a library: its files with their digests, its sources with their credits.

    Args:
        library: Any.
        path: Of the file, by custom croissant.json.
        overwrite: Replace a file that is there.

    Returns:
        The path.

    Raises:
        StorageError: The file is there already, or the disk refuses.

    Example:
        >>> write_croissant(ktviz.Library.open("my.ktlib"), "croissant.json")  # doctest: +SKIP
    """
    text = json.dumps(croissant(library), indent=1, ensure_ascii=False) + "\n"
    return write(Path(path), text, overwrite)


def write_cards(library: Library, folder: str | os.PathLike[str], *, overwrite: bool = False) -> list[Path]:
    """Write a data card of every bank, TASK--STYLE.md: Markdown with a header, as the Hugging Face hub reads it.

    Raises:
        StorageError: A card is there already, or the disk refuses.

    Example:
        >>> write_cards(ktviz.Library.open("my.ktlib"), "cards/")  # doctest: +SKIP
    """
    return [
        write(Path(folder) / f"{name.replace('/', '--')}.md", data_card(library, name), overwrite) for name in library
    ]


def write(path: Path, text: str, overwrite: bool) -> Path:
    """A new file, or one in the place of another."""
    if path.exists() and not overwrite:
        raise StorageError(f"write {str(path)!r}", "it exists", "Name another, or say overwrite=True (--overwrite)")
    with replacing(path) as temporary:
        temporary.write_text(text, encoding="utf-8")
    return path


def croissant(library: Library) -> dict[str, Any]:
    """The metadata as JSON-LD."""
    rows = library.sources.to_pylist()
    name = library.folder.stem
    return {
        "@context": dict(CONTEXT),
        "@type": "sc:Dataset",
        "conformsTo": CONFORMS,
        "name": name,
        "description": f"Knowledge for ktviz: {counted(len(library), 'bank')}, {counted(len(rows), 'source')}.",
        "url": f"urn:sha256:{library.digest}",
        "version": "1.0.0",
        "datePublished": date.today().isoformat(),
        "license": licences(rows),
        "creator": [{"@type": "sc:Person", "name": one} for one in creators(rows)],
        "citeAs": f"{name}, a ktviz library of format {library.manifest.version}, digest {library.digest[:12]}",
        "distribution": [*distribution(library)],
        "recordSet": [sources_as_records(rows)] if rows else [],
    }


def distribution(library: Library) -> Iterable[dict[str, Any]]:
    """Every file of every bank, with its size and digest, by its place in the library's folder."""
    for name in library:
        for path, (size, sha256) in library.bank(name).place.files():
            inside = path.relative_to(library.folder).as_posix()
            yield {
                "@type": "cr:FileObject",
                "@id": inside,
                "name": inside,
                "contentUrl": inside,
                "contentSize": f"{size} B",
                "encodingFormat": ENCODINGS.get(path.suffix, "application/octet-stream"),
                "sha256": sha256,
            }


def sources_as_records(rows: list[dict[str, Any]]) -> dict[str, Any]:
    """The sources with their credits, one record each."""
    columns = list(rows[0]) if rows else []
    return {
        "@type": "cr:RecordSet",
        "@id": "sources",
        "name": "sources",
        "description": "Works that entries were taken from, with who made them and under which licence.",
        "key": {"@id": "sources/source"},
        "field": [
            {
                "@type": "cr:Field",
                "@id": f"sources/{column}",
                "name": column,
                "dataType": TYPES.get(column, "sc:Text"),
            }
            for column in columns
        ],
        "data": [{f"sources/{column}": row[column] for column in columns} for row in rows],
    }


def licences(rows: list[dict[str, Any]]) -> list[str]:
    """Addresses of the licences at SPDX, and those that are none of SPDX's as they were written."""
    known = Counter(row["licence"] if row["spdx"] == UNKNOWN else address(row["spdx"]) for row in rows)
    return [licence for licence, _ in known.most_common()]


def address(spdx: str) -> str:
    """Of a licence at SPDX; an expression of several has none, and stays what it is."""
    return spdx if " " in spdx else f"https://spdx.org/licenses/{spdx}"


def creators(rows: list[dict[str, Any]]) -> list[str]:
    """Who made the sources, those of most first."""
    return [creator for creator, _ in Counter(row["creator"] for row in rows).most_common()]


def data_card(library: Library, name: str) -> str:
    """The card of a bank."""
    bank: AnyKind = library.bank(name)
    record = library.record(name)
    rows = [row for row in library.sources.to_pylist() if row["bank"] == name]
    by_licence = Counter(row["spdx"] if row["spdx"] != UNKNOWN else row["licence"] for row in rows)
    size = as_text(record.source_bytes + sum(size for size, _ in record.tables.values()))
    header = {
        "license": hub_licence(Counter(row["spdx"] for row in rows)),
        "pretty_name": f"{name}, a ktviz bank of {record.kind}",
        "tags": ["ktviz", "image-to-image", "retrieval", record.kind],
        "size_categories": [size_category(len(bank))],
    }
    listed = "\n".join(
        f"| {' | '.join(plain(row[column]) for column in CREDIT)} | `{row['sha256'][:12]}` |"
        for row in rows[:MENTIONED]
    )
    more = f"\n\nand {counted(len(rows) - MENTIONED, 'more')}" if len(rows) > MENTIONED else ""
    said = "\n".join(f"- {counted(count, 'source')}: {plain(licence)}" for licence, count in by_licence.most_common())
    return f"""---
{as_yaml(header)}---

# {name}

{counted(len(bank), "entry", "entries")} of {counted(len(rows), "source")}, {size}, kind `{record.kind}`.
Made with ktviz {__version__}; content digest `{record.content}`.

## Licences

{said}

Licences are those that were stated with the pictures; ktviz does not check that they are true.

## Sources

| title | creator | year | licence | SHA-256 of the file |
| --- | --- | --- | --- | --- |
{listed}{more}

## How it is used

```python
import ktviz

banks = ktviz.Library.open({json.dumps(library.folder.name, ensure_ascii=False)})["{name}"]
```

What entries are, and how they are stored: the page *A library on disk* of ktviz's documentation. A source that must
go is removed by `ktviz library remove`, bytes and all.
"""


def credit_row(row: Mapping[str, Any]) -> str:
    """A source in the table of a card."""
    return f"| {' | '.join(plain(row[column]) for column in CREDIT)} | `{row['sha256'][:12]}` |"


def hub_licence(found: Mapping[str, int]) -> str:
    """The one licence of all sources as the hub writes it, else "other"."""
    only = next(iter(found)) if len(found) == 1 else ""
    return only.lower() if only and only != UNKNOWN and " " not in only else "other"


def size_category(entries: int) -> str:
    """Of the hub's: by powers of ten."""
    for most, name in ((10**3, "n<1K"), (10**4, "1K<n<10K"), (10**5, "10K<n<100K"), (10**6, "100K<n<1M")):
        if entries < most:
            return name
    return "1M<n<10M" if entries < 10**7 else "10M<n<100M"


def as_yaml(header: Mapping[str, Any]) -> str:
    """Text and lists of text, each in quotes: JSON is YAML."""
    return "".join(f"{name}: {json.dumps(value, ensure_ascii=False)}\n" for name, value in header.items())


def plain(text: str) -> str:
    """Words of a stranger within a table of Markdown."""
    kept = " ".join(str(text).split())
    return "".join(f"\\{letter}" if letter in "\\`*_{}[]<>#|!&~@:." else letter for letter in kept)
