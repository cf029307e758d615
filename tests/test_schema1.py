"""What ktviz 0.4 wrote still opens: traces, stores, audits and results, kept as files in tests/data/schema1.

There is a translation of four stripes in the toy world, alone and in an audit; with its regret, and beside the weights
of somebody's attention, in a store; and a test of its attribution.
"""

import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import ktviz as kt
from ktviz.audit.folder import SINCE_5
from ktviz.audit.removal import verify_removal
from ktviz.audit.verify import verify
from ktviz.errors import AuditError, TraceError
from ktviz.testing import ToyWorld, toy_photo
from ktviz.trace.rows import first_row
from ktviz.trace.schema1 import EXTENSIONS
from ktviz.trace.storage import VOLATILE
from ktviz.trace.store import TraceStore

DATA = Path(__file__).parent / "data" / "schema1"
TRACES = ("trace.parquet", "store/traces/stripes.parquet", "store/traces/palette.parquet", "audit/trace.parquet")
PREFIXED = {name for name, *_ in EXTENSIONS}
RENAMED = {"patches": "retrievals", "continued": "coherent"}
"""Columns of an audit's tables that have another name today."""


@pytest.fixture(scope="module")
def toy_world(tmp_path_factory):
    return ToyWorld(tmp_path_factory.mktemp("toy"))


@pytest.fixture(scope="module")
def same_world(toy_world):
    """The world of these files; where another Pillow writes its pictures into other bytes, it is another one."""
    if toy_world.translator.digests() != kt.Trace.open(DATA / "trace.parquet").about["digests"]:
        pytest.skip("the pictures of the toy world are written into other bytes here")
    return toy_world


@pytest.fixture
def data(tmp_path):
    """A copy, to be written to."""
    return shutil.copytree(DATA, tmp_path / "schema1")


# Traces


def cells(column):
    column = column.cast(column.type.value_type) if pa.types.is_dictionary(column.type) else column
    values = np.empty(len(column) + 1, dtype=object)  # lists stay lists
    values[:-1] = [np.asarray(cell) if isinstance(cell, list) else cell for cell in column.to_pylist()]
    return values[:-1]


@pytest.mark.parametrize("name", TRACES)
def test_rows_are_equal_column_by_column(name):
    trace, old = kt.Trace.open(DATA / name), pq.read_table(DATA / name)
    ours = trace.system == "kt"
    for column in old.column_names:
        today = f"kt.{column}" if column in PREFIXED and ours else column
        if trace.has(today):
            assert first_row(cells(old[column]), cells(trace.table[today])) is None, column
        else:
            assert not any(old[column].to_pylist()), column  # nothing, or not coherent
    assert set(trace.column("canvas", winners=False)) == {"input"}
    assert set(trace.column("catalogue", winners=False)) == {"library" if ours else "palette"}
    assert trace.table["label"].null_count == len(trace.table)


def test_what_a_trace_says_of_itself_is_what_is_recorded_today(same_world):
    opened = kt.Trace.open(DATA / "trace.parquet")
    assert np.array_equal(opened.input, toy_photo(48))
    again = same_world.translator.rerun(opened)
    assert steady(opened) == steady(again)
    assert opened.table.schema.equals(again.table.schema)
    assert opened.picture.about["canvases"] == again.picture.about["canvases"]
    assert np.array_equal(opened.output, again.output)
    if opened.about["processor"] == again.about["processor"]:
        assert opened.digest == again.digest
        assert kt.Trace.open(DATA / "store/traces/stripes.parquet").digest == again.with_regret().digest


def steady(trace):
    return {name: value for name, value in trace.about.items() if name not in VOLATILE}


def test_an_adapted_model_of_old_is_no_system_and_keeps_its_weights():
    trace = kt.Trace.open(DATA / "store/traces/palette.parquet")
    assert (trace.system, trace.site_about["kind"], trace.site_about["extensions"]) == ("", "soft", [])
    assert trace.picture.size_of("input") == (16, 16)
    assert trace.picture.size_of("output") == trace.output.shape[:2] == (8, 8)
    whole = trace.sources()["share"].sum() + trace.overlap() @ trace.column("left_over")
    assert whole == pytest.approx(1)


@pytest.mark.parametrize("name", TRACES)
def test_an_old_trace_is_answered_and_saved_as_one_of_today(name, tmp_path):
    trace = kt.Trace.open(DATA / name)
    trace.save(tmp_path / "today.parquet", pictures="both")
    back = kt.Trace.open(tmp_path / "today.parquet")
    assert back.digest == trace.digest
    assert back.sources().equals(trace.sources())
    assert back.about["schema"] == 2


def test_an_old_trace_is_explained(same_world):
    trace = kt.Trace.open(DATA / "trace.parquet")
    found = kt.attribute(trace, through="gradient", model=same_world.translator)
    assert found.frame["share"].sum() == pytest.approx(1, abs=1e-3)
    assert not set(kt.without(trace, "cyan", model=same_world.translator).column("source")) & {"toy/flat/cyan.png"}


@pytest.mark.parametrize("name", ["query", "entry", "similarity", "path", "query_bands", "coherent"])
def test_a_changed_cell_of_an_old_trace_is_refused(data, name):
    file = data / "trace.parquet"
    metadata, table = pq.ParquetFile(file).metadata.metadata, pq.read_table(file)
    place, values = table.schema.get_field_index(name), table[name].to_pylist()
    row = next(n for n, value in enumerate(values) if value is not None)
    values[row] = [*values[row][:-1], values[row][-1] + 1] if isinstance(values[row], list) else values[row] + 1
    if name == "coherent":
        values[row] = bool(values[row] % 2)
    elif name == "query_bands":
        values = [None if value is None else np.asarray(value, np.float16) for value in values]
    changed = table.set_column(place, table.schema.field(place), pa.array(values, table.schema.field(place).type))
    pq.write_table(changed.replace_schema_metadata({k: v for k, v in metadata.items() if b"ktviz" in k}), file)
    with pytest.raises(TraceError, match="do not have the digest"):
        kt.Trace.open(file)


def test_a_flipped_byte_of_an_old_trace_is_refused_or_no_part_of_it(data):
    file, trace = data / "trace.parquet", kt.Trace.open(DATA / "trace.parquet")
    whole, caught = file.read_bytes(), 0
    for place in np.random.default_rng(0).choice(len(whole), 60, replace=False):
        file.write_bytes(whole[:place] + bytes([whole[place] ^ 255]) + whole[place + 1 :])
        try:
            assert kt.Trace.open(file).digest == trace.digest
        except TraceError:
            caught += 1
    assert caught > 40


# Stores


@pytest.mark.parametrize("indexed", [True, False])
def test_an_old_store_lists_its_traces_and_knows_who_used_a_source(data, indexed):
    if not indexed:
        shutil.rmtree(data / "store/index")
    store = TraceStore(data / "store")
    listed = store.list().set_index("trace")
    assert listed["retrievals"].to_dict() == {"palette": 16, "stripes": 25}
    trace = store.open("stripes")
    assert listed.loc["stripes", "input"] == [trace.picture.sha256("input")]
    assert listed.loc["stripes", "output"] == [trace.picture.sha256("output")]
    used = store.uses("cyan")
    assert used["trace"].tolist() == ["stripes"]
    assert used["share"][0] == pytest.approx(trace.sources().set_index("source").loc["toy/flat/cyan.png", "share"])
    assert store.uses("colour 3")["retrievals"].tolist() == [
        int((store.open("palette").column("source", winners=False) == "colour 3").sum())
    ]


# Audits


def test_an_old_audit_has_the_tables_it_had():
    audit = kt.Audit.open(DATA / "audit")
    assert (audit.title, len(audit.evidence.without)) == ("Stripes", 1)
    had = {path.stem for path in (DATA / "audit" / "tables").glob("*.parquet")}
    for name, table in audit.tables.items():
        if name not in had:
            assert table.empty or name in SINCE_5, name  # those are made of the others
            continue
        old = pd.read_parquet(DATA / "audit" / "tables" / f"{name}.parquet").rename(columns=RENAMED)
        pd.testing.assert_frame_equal(table, old)
    assert np.array_equal(audit.pictures["input"], toy_photo(48))


def test_an_old_audit_is_not_called_wrong_but_says_how_to_verify_it(toy_world):
    with pytest.raises(AuditError, match=r"up to ktviz 0\.4.*Verify it with ktviz 0\.4, or save it anew") as caught:
        verify(DATA / "audit", toy_world.library, model=toy_world.translator)
    assert "\n" not in str(caught.value)


def test_an_old_audit_that_was_changed_is_called_wrong(data, toy_world):
    file = data / "audit/tables/boxes.csv"
    file.write_bytes(file.read_bytes().replace(b"cyan", b"pink"))
    assert "boxes.csv was changed" in verify(data / "audit", toy_world.library, model=toy_world.translator).difference


def test_an_old_audit_that_is_saved_anew_is_verified(data, same_world):
    kt.Audit.open(DATA / "audit").save(data / "anew")
    verdict = verify(data / "anew", same_world.library, model=same_world.translator)
    assert verdict.ok, verdict.difference


def test_a_source_of_an_old_signed_audit_is_proven_to_be_gone(data, tmp_path):
    world = ToyWorld(tmp_path / "world")
    kt.keygen(tmp_path / "key")
    kt.sign(data / "audit", tmp_path / "key")
    more = {"model": world.translator, "key": tmp_path / "key.pub"}
    assert "still holds" in verify_removal(data / "audit", world.library, "cyan", **more).difference
    world.library.remove("toy/flat")  # the others are flat colours, too, and share runs of bytes with it
    verdict = verify_removal(data / "audit", world.library, "cyan", **more)
    assert verdict.ok, verdict.difference
    assert any("genuine" in check for check in verdict.checks)


# Results


def test_an_old_test_of_faithfulness_opens_under_its_new_name():
    found = kt.Faithfulness.open(DATA / "faithfulness.parquet")
    assert len(found) == len(found.frame) > 3
    assert "left out" in found.summary()["runs"]
    assert found.plot()


def test_another_kind_is_refused_by_the_new_name():
    with pytest.raises(TraceError, match=r"holds a trace.*holds a faithfulness test"):
        kt.Faithfulness.open(DATA / "trace.parquet")
