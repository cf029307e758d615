"""The schema of a trace: one row per query and rank, the same for every system.

| column | unit | meaning |
| --- | --- | --- |
| image | | number of the image within the recording |
| site | | the retrieval site |
| query | | number of the query at its site |
| y, x | grid | where the query is |
| box | px of the input | x, y, width, height |
| rank | | 0 for the best candidate |
| chosen | | whether this candidate was used (soft retrieval: the heaviest) |
| coherent | | chosen because it continues a neighbour's source |
| weight | | part of the query's result; hard retrieval: 1 for the chosen |
| left_over | | mass of the candidates that were not recorded |
| entry | | number of the entry in what was searched |
| bank, source | | where the entry comes from |
| source_box | px of the original source | x, y, width, height; null where the entry is the source as a whole |
| similarity | | weighted bandpass cosine, or the system's own score |
| similarity_ll, _lh, _hl, _hh | | cosine within each band; null in a system without bands |
| query_bands, entry_bands | | part of the norm in LL, LH, HL, HH, squares summing to 1 |
| margin | | best similarity minus second best of the query; null with one candidate |
| path | | nodes from below the root to the leaf; in the chosen row |
| path_similarity | | cosine of the query to each node of the path |
| exact_entry, regret | | the best entry of all, and what the tree's shortcut cost; where they were asked for |
"""

from __future__ import annotations

import pyarrow as pa

SCHEMA_VERSION = 1
KIND = "a trace"
BANDS = ("ll", "lh", "hl", "hh")

NAME = pa.dictionary(pa.int32(), pa.string())
BOX = pa.list_(pa.float32(), 4)
PARTS = pa.list_(pa.float16(), 4)

SCHEMA = pa.schema(
    [
        ("image", pa.int32()),
        ("site", NAME),
        ("query", pa.int32()),
        ("y", pa.int32()),
        ("x", pa.int32()),
        ("box", BOX),
        ("rank", pa.int16()),
        ("chosen", pa.bool_()),
        ("coherent", pa.bool_()),
        ("weight", pa.float32()),
        ("left_over", pa.float32()),
        ("entry", pa.int64()),
        ("bank", NAME),
        ("source", NAME),
        ("source_box", BOX),
        ("similarity", pa.float32()),
        # Half precision: three digits are enough to rank candidates by other weights; whole, these fill half of a file.
        *((f"similarity_{band}", pa.float16()) for band in BANDS),
        ("query_bands", PARTS),
        ("entry_bands", PARTS),
        ("margin", pa.float32()),
        ("path", pa.list_(pa.int32())),
        ("path_similarity", pa.list_(pa.float32())),
        ("exact_entry", pa.int64()),
        ("regret", pa.float32()),
    ]
)
"""Columns of a trace, in order."""
