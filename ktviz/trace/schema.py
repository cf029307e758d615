"""The schema of a trace: one row per query and rank. Core columns are the same for every system.

| column | unit | meaning |
| --- | --- | --- |
| image | | number of the image within the recording |
| site | | the retrieval site |
| query | | number of the query at its site |
| canvas | | the picture in which the query lies |
| y, x | grid | place of the query in its site's grid; null for regions |
| box | px of the canvas | x, y, width, height |
| label | | number of the query's region in the canvas's label map; null on a grid |
| rank | | 0 for the best candidate |
| chosen | | whether this candidate was used (soft retrieval: the heaviest) |
| weight | | part in the query's result; hard retrieval: 1 for the chosen; negative where it was taken away |
| left_over | | what the recorded weights lack to 1 |
| entry | | number of the entry in its catalogue |
| catalogue | | what entries are numbered in |
| bank, source | | where the entry comes from |
| source_box | px of the original source | x, y, width, height; null where the entry is the source as a whole |
| similarity | | score by which the system chose |
| margin | | best similarity minus second best of the query; null with one candidate |

`exact_entry` and `regret` (the best entry of all, and what the search gave up) are there where they were asked for.
What a system knows besides stands in extension columns, `kt.path` for one, which its sites declare: name, type, unit.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import pyarrow as pa

from ktviz.retrieval.extension import TYPES

SCHEMA_VERSION = 2
UNLISTED = "unlisted"
"""Where the metadata of a trace say how many more sources each bank has, if any has more."""
KIND = "a trace"

NAME = pa.dictionary(pa.int32(), pa.string())
BOX = pa.list_(pa.float32(), 4)

CORE = pa.schema(
    [
        ("image", pa.int32()),
        ("site", NAME),
        ("query", pa.int32()),
        ("canvas", NAME),
        ("y", pa.int32()),
        ("x", pa.int32()),
        ("box", BOX),
        ("label", pa.int32()),
        ("rank", pa.int16()),
        ("chosen", pa.bool_()),
        ("weight", pa.float32()),
        ("left_over", pa.float32()),
        ("entry", pa.int64()),
        ("catalogue", NAME),
        ("bank", NAME),
        ("source", NAME),
        ("source_box", BOX),
        ("similarity", pa.float32()),
        ("margin", pa.float32()),
    ]
)
"""Columns of every trace, in order."""
REGRET = {"exact_entry": pa.int64(), "regret": pa.float32()}
"""Columns that `Trace.with_regret` adds."""


def schema_of(sites: Iterable[Mapping[str, Any]], regret: bool = False) -> pa.Schema:
    """The columns of a trace, in order.

    Args:
        sites: As the metadata describe them.
        regret: Whether `exact_entry` and `regret` are there.

    Raises:
        ValueError: Two sites declare one column differently, or a type that no trace holds.
    """
    extensions: dict[str, pa.DataType] = {}
    for declared in (declared for site in sites for declared in site["extensions"]):
        name, kind = str(declared["name"]), TYPES.get(declared["type"])
        if kind is None or extensions.setdefault(name, kind) != kind or "." not in name:
            raise ValueError(f"the column {name!r} of type {declared['type']!r}")
    more = [*(REGRET.items() if regret else ()), *extensions.items()]
    return pa.schema([*CORE, *(pa.field(name, kind) for name, kind in more)])


def empty_table(sites: Sequence[Mapping[str, Any]] = ()) -> pa.Table:
    """A trace without retrievals."""
    return schema_of(sites).empty_table()
