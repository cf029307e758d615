"""A forger who knows everything about audits: evidence that was changed, and all that follows from it made to fit."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from ktviz.audit.audit import Audit
from ktviz.audit.evidence import Evidence
from ktviz.audit.folder import MANIFEST, file_list, manifest_bytes
from ktviz.explain.case import Case
from ktviz.explain.regret import ordered
from ktviz.systems.protocol import System
from ktviz.trace.schema import REGRET
from ktviz.trace.trace import Trace

Change = Callable[[Evidence], Evidence]
"""What a forger makes of the evidence."""


def seal(folder: Path) -> None:
    """Make the manifest fit whatever lies in the folder."""
    manifest = json.loads((folder / MANIFEST).read_text())
    manifest.pop("sha256", None)
    (folder / MANIFEST).write_bytes(manifest_bytes({**manifest, "files": file_list(folder)}))


def forge(folder: Path, model: System, change: Change) -> None:
    """The whole audit made again from evidence that was changed; only the trace where no audit can be made of it."""
    audit = Audit.open(folder)
    stated = {name: audit.about[name] for name in ("made", "versions", "processor")}
    evidence = change(audit.evidence)
    try:
        forged = Audit.assemble(evidence, Case(evidence.trace, model), audit.parameters, audit.title)
        forged = replace(forged, about={**forged.about, **stated})
        forged.write(folder.with_name("forged"))
    except Exception:  # nonsense is met anywhere: the forger does what is left
        shutil.rmtree(folder.with_name("forged"), ignore_errors=True)
        evidence.recording.save(folder / "trace.parquet", overwrite=True, pictures="none")
        edit(folder, lambda manifest: manifest.update(trace=evidence.trace.digest))
        return
    shutil.rmtree(folder)
    folder.with_name("forged").rename(folder)


def edit(folder: Path, change: Callable[[dict[str, Any]], object]) -> None:
    """Change what the manifest says, and seal it again."""
    manifest = json.loads((folder / MANIFEST).read_text())
    change(manifest)
    (folder / MANIFEST).write_text(json.dumps(manifest))
    seal(folder)


def with_other_pixels(canvas: str) -> Change:
    """A picture beside the trace that is another one than the trace says."""

    def change(evidence: Evidence) -> Evidence:
        pixels = evidence.trace.picture.canvases[canvas].copy()
        pixels[:8, :8] ^= 255
        return replace(evidence, recording=evidence.recording.with_canvases({canvas: pixels}))

    return change


def other_value(value: Any, kind: pa.DataType, trace: Trace) -> Any:
    """Another value for a cell than the one that is there."""
    if pa.types.is_dictionary(kind):
        names = [source["source"] for source in trace.about["sources"]]
        others = [name for name in names if name != value]
        return others[0] if value in names and others else "another"
    if pa.types.is_boolean(kind):
        return not value
    if pa.types.is_nested(kind):
        return [1] * 4 if value is None else [value[0] + 1, *value[1:]]
    return 1 if value is None else value + (1 if pa.types.is_integer(kind) else 0.01)


def with_empty_column(trace: Trace, name: str) -> Trace:
    """The trace with a column that an audited one does not have."""
    if trace.has(name):
        return trace
    return trace.with_table(ordered(trace.table.append_column(name, pa.nulls(len(trace.table), REGRET[name]))))


def change_cell(evidence: Evidence, name: str, chosen: bool, site: int = 0) -> Evidence:
    """Another value in one row of a column, of a winner or of another, at one of the sites with rows."""
    trace = with_empty_column(evidence.recording, name)
    whose = trace.column("site", winners=False)
    asked = [one for one in trace.sites if one in whose]
    rows = np.flatnonzero((whose == asked[site]) & (trace.column("chosen", winners=False) == chosen))
    row = int(rows[7 % len(rows)])
    place, kind = trace.table.schema.get_field_index(name), trace.table.schema.field(name).type
    values: list[Any] = trace.table[name].to_pylist()
    values[row] = other_value(values[row], kind, trace)
    plain = pa.string() if pa.types.is_dictionary(kind) else kind
    if kind == pa.float16() or (pa.types.is_fixed_size_list(kind) and kind.value_type == pa.float16()):
        values = [None if v is None else np.asarray(v, np.float16)[()] for v in values]
    column = pa.array(values, plain)
    column = column.dictionary_encode().cast(kind) if plain != kind else column
    field = trace.table.schema.field(name)
    return replace(evidence, recording=trace.with_table(trace.table.set_column(place, field, column)))
