"""A forger who knows everything about the format is caught, whatever is changed and however well it is made to fit.

Every tampering is tried twice: as it is, and claiming to come from another processor, where rounding is allowed.
"""

from __future__ import annotations

import json
import shutil
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest

from ktviz.audit.audit import Audit
from ktviz.audit.folder import MANIFEST, file_list, manifest_bytes
from ktviz.audit.verify import verify
from ktviz.trace.schema import SCHEMA
from ktviz.trace.trace import Trace

PLACES = ("here", "elsewhere")


@pytest.fixture(scope="module")
def originals(world, paint, tmp_path_factory):
    """By place: the folder of an honest audit."""
    folder = tmp_path_factory.mktemp("originals")
    audit = Audit.create(world.translator.traced(paint(9)), title="Stripes", top=2, sample=20)
    audit.save(folder / "here")
    evidence = replace(
        audit.evidence,
        trace=elsewhere(audit.trace),
        without={name: elsewhere(after) for name, after in audit.evidence.without.items()},
    )
    versions = {**audit.about["versions"], "torch": "9.9"}
    about = {**audit.about, "processor": "Another, SSE2", "versions": versions}
    replace(audit, evidence=evidence, about=about).save(folder / "elsewhere")
    return folder


def elsewhere(trace):
    """A trace that says it was made on another processor."""
    about = {**trace.about, "processor": "Another, SSE2", "versions": {**trace.about["versions"], "torch": "9.9"}}
    return Trace(trace.table, about, trace.pictures)


@pytest.fixture(params=PLACES)
def folder(request, originals, tmp_path):
    shutil.copytree(originals / request.param, tmp_path / "audit")
    return tmp_path / "audit"


@pytest.fixture
def check(world):
    return lambda folder: verify(folder, world.folder, model=world.translator)


def seal(folder):
    manifest = json.loads((folder / MANIFEST).read_text())
    manifest.pop("sha256", None)
    (folder / MANIFEST).write_bytes(manifest_bytes({**manifest, "files": file_list(folder)}))


def forge(folder, banks, change):
    """The whole audit made again from evidence that was changed; only the trace where no audit can be made of it."""
    audit = Audit.open(folder)
    stated = {name: audit.about[name] for name in ("made", "versions", "processor")}
    evidence = change(audit.evidence)
    try:
        forged = Audit.assemble(evidence, banks, audit.parameters, audit.title)
        forged = replace(forged, about={**forged.about, **stated})
        forged.write(folder.with_name("forged"))
    except Exception:  # nonsense is met anywhere: the forger does what is left
        evidence.trace.save(folder / "trace.parquet", overwrite=True, pictures="none")
        edit(folder, lambda manifest: manifest.update(trace=evidence.trace.digest))
        return
    shutil.rmtree(folder)
    folder.with_name("forged").rename(folder)


def edit(folder, change):
    """Change what the manifest says, and seal it again."""
    manifest = json.loads((folder / MANIFEST).read_text())
    change(manifest)
    (folder / MANIFEST).write_text(json.dumps(manifest))
    seal(folder)


@pytest.mark.parametrize("place", PLACES)
def test_honest_audits_agree(originals, check, place):
    verdict = check(originals / place)
    assert verdict.ok, verdict.difference


# The trace: a value of each column, in the row of a winner and of another candidate.


def other_value(value, kind, trace):
    """Another value for a cell than the one that is there."""
    if pa.types.is_dictionary(kind):
        names = [source["source"] for source in trace.about["sources"]]
        return names[0] if value == names[1] else names[1] if value in names else "another"
    if pa.types.is_boolean(kind):
        return not value
    if pa.types.is_nested(kind):
        return [1] * 4 if value is None else [value[0] + 1, *value[1:]]
    return 1 if value is None else value + (1 if pa.types.is_integer(kind) else 0.01)


def change_cell(evidence, name, chosen):
    trace = evidence.trace
    row = int(np.flatnonzero(trace.column("chosen", winners=False) == chosen)[7])
    place, kind = trace.table.schema.get_field_index(name), trace.table.schema.field(name).type
    values = trace.table[name].to_pylist()
    values[row] = other_value(values[row], kind, trace)
    plain = pa.string() if pa.types.is_dictionary(kind) else kind
    if kind == pa.float16() or (pa.types.is_fixed_size_list(kind) and kind.value_type == pa.float16()):
        values = [None if v is None else np.asarray(v, np.float16) for v in values]
    column = pa.array(values, plain)
    column = column.dictionary_encode().cast(kind) if plain != kind else column
    return replace(evidence, trace=trace.with_table(trace.table.set_column(place, trace.table.schema.field(name), column)))


@pytest.mark.parametrize("chosen", [True, False], ids=["winner", "other"])
@pytest.mark.parametrize("name", SCHEMA.names)
def test_a_changed_cell_of_the_trace_is_caught(folder, check, world, name, chosen):
    forge(folder, world.banks, lambda evidence: change_cell(evidence, name, chosen))
    verdict = check(folder)
    assert not verdict
    print(verdict.difference)
