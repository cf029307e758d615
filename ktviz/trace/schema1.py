"""Traces of schema 1 (ktviz up to 0.4), as traces of today.

There was one system then, KT, beside adapted models: its columns had no prefix, an image had one input and one output,
of which only the digests were stated, and a site told nothing of itself but whether it was causal.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ktviz.trace.pictures import INPUT, OUTPUT
from ktviz.trace.schema import BOX, NAME, REGRET, schema_of

VERSION = 1
BANDS = ("ll", "lh", "hl", "hh")
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
PATCHES, SCALE_PX = "Retrieval", 8.0
"""Type of the site of KT, and the px a side that a query has to itself there."""
EXTENSIONS = (
    ("coherent", "bool", "chosen because it continues a neighbour's source", "candidate", ()),
    *((f"similarity_{band}", "halffloat", "cosine within the band", "candidate", ()) for band in BANDS),
    ("query_bands", str(PARTS), "part of the norm in LL, LH, HL, HH, squares summing to 1", "query", BANDS),
    ("entry_bands", str(PARTS), "part of the norm in LL, LH, HL, HH, squares summing to 1", "candidate", BANDS),
    ("path", str(pa.list_(pa.int32())), "nodes from below the root to the leaf", "winner", ()),
    ("path_similarity", str(pa.list_(pa.float32())), "cosine of the query to each node of the path", "winner", ()),
)


def as_today(table: pa.Table, about: Mapping[str, Any]) -> tuple[pa.Table, dict[str, Any]]:
    """A trace of schema 1, its metadata included (`images` among them), as one of today.

    Args:
        table: With the columns of `SCHEMA`.
        about: Without `digest`.
    """
    about = metadata(about)
    sites: list[dict[str, Any]] = about["sites"]
    regret = any(table[name].null_count < len(table) for name in REGRET)
    schema = schema_of(sites, regret)
    kinds = {name: kind_of(table.filter(pc.equal(table["site"], name))) for name in (s["name"] for s in sites)}
    about["sites"] = [{**site, "kind": kinds[site["name"]]} for site in sites]
    columns = {**{name: table[name] for name in table.column_names}, **new_columns(table, sites)}
    renamed = {name: columns[name.removeprefix("kt.")] for name in schema.names}
    return pa.table([renamed[name] for name in schema.names], schema=schema), about


def metadata(about: Mapping[str, Any]) -> dict[str, Any]:
    """What is known of a trace, as it is stated today; how candidates were used its rows must tell."""
    sites = [{**described(site), "banks": list(about["banks"])} for site in about["sites"]]
    images = [pictures(image) for image in about["images"]]
    ours = any(site["extensions"] for site in sites)
    return {**about, "schema": 2, "system": "kt" if ours else "", "sites": sites, "images": images}


def described(site: Mapping[str, Any]) -> dict[str, Any]:
    ours = site["type"] == PATCHES
    names = ("name", "type", "unit", "of", "parts")
    extensions = [dict(zip(names, (f"kt.{e[0]}", *e[1:4], [*e[4]]), strict=True)) for e in EXTENSIONS]
    return {
        **site,
        "kind": "hard",
        "canvas": INPUT,
        "output": OUTPUT,
        "direction": "",
        "scale_px": SCALE_PX if ours else None,
        "paints": True,
        "searched": True,
        "one_source": False,
        "extensions": extensions if ours else [],
    }


def pictures(image: Mapping[str, Any]) -> dict[str, Any]:
    """One image: a picture that an adapted model painted may have another size, which was not stated."""
    size = {"height": image["height"], "width": image["width"]}
    canvases = {INPUT: {**size, "sha256": image["input"]}}
    if image["output"] is not None:
        canvases[OUTPUT] = {**size, "sha256": image["output"]}
    return {"settings": image["settings"], "measures": {}, "canvases": canvases}


def kind_of(rows: pa.Table) -> str:
    """How candidates were used: hard where each winner has all the weight."""
    weight, chosen = (rows[name].to_numpy() for name in ("weight", "chosen"))
    return "hard" if np.array_equal(weight, chosen.astype(weight.dtype)) else "soft"


def new_columns(table: pa.Table, sites: list[dict[str, Any]]) -> dict[str, pa.Array]:
    """Columns that there were not."""
    kt = {site["name"] for site in sites if site["extensions"]}
    names = table["site"].combine_chunks()
    number = np.array([name in kt for name in names.dictionary.to_pylist()], dtype=np.int32)
    ours = number[names.indices.to_numpy()] if len(table) else np.empty(0, dtype=np.int32)
    alike = np.zeros(len(table), dtype=np.int32)
    bank = table["bank"].combine_chunks().dictionary_decode()
    library = pa.array(np.where(ours == 1, "library", bank.to_numpy(zero_copy_only=False)), pa.string())
    return {
        "canvas": pa.DictionaryArray.from_arrays(pa.array(alike), pa.array([INPUT])),
        "label": pa.nulls(len(table), pa.int32()),
        "catalogue": library.dictionary_encode(),
    }
