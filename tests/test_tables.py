"""A trace in other programs: Arrow, pandas, polars and duckdb take its rows as they are."""

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch
from torch import nn

import ktviz as kt
from ktviz.trace import parquet


@pytest.fixture(scope="module")
def trace(world, paint):
    return world.translator.traced(paint(9))


class Attention(nn.Module):
    def forward(self, image):
        return image.mean((2, 3)).softmax(1)


@pytest.fixture(scope="module")
def adapted():
    """A trace whose bands and boxes in the sources are all null."""
    model = Attention()
    site = kt.adapt(
        model,
        lambda inputs, output: kt.Matches.soft(output),
        queries=kt.Queries.grid(1, 1, step_px=32),
        catalogue=kt.Catalogue.wholes(["red", "green", "blue"]),
    )
    with kt.record(model, site) as trace:
        model(torch.rand(1, 3, 32, 32))
    return trace


def test_arrow_takes_a_trace_without_half_precision(trace):
    table = pa.table(trace)
    assert table.num_rows == trace.table.num_rows
    assert "halffloat" not in str(table.schema)
    assert table["kt.similarity_ll"].to_pylist() == [float(v) for v in trace.table["kt.similarity_ll"].to_pylist()]
    assert parquet.METADATA in table.schema.metadata


def test_a_flat_frame_has_a_plain_column_for_every_number(trace):
    frame, nested = trace.to_pandas(flat=True), trace.to_pandas()
    assert not any(np.ndim(value) for value in frame.iloc[0])
    for place, side in enumerate(("x", "y", "width", "height")):
        assert frame[f"source_box_{side}"].tolist() == [box[place] for box in nested["source_box"]]
    assert frame["kt.query_bands_hh"].to_numpy() == pytest.approx([bands[3] for bands in nested["kt.query_bands"]])
    paths = frame.filter(regex=r"^kt\.path_\d+$")
    assert paths.columns.tolist() == [f"kt.path_{n}" for n in range(nested["kt.path"].str.len().max().astype(int))]
    for row, path in zip(paths.to_numpy(), nested["kt.path"], strict=True):
        given = [] if path is None else path.tolist()
        assert row[: len(given)].tolist() == given
        assert pd.isna(row[len(given) :]).all()


def test_what_is_null_stays_null_when_flat(adapted):
    frame = adapted.to_pandas(flat=True)
    assert frame[["label", "source_box_x"]].isna().all(axis=None)
    assert frame["weight"].tolist() == adapted.to_pandas()["weight"].tolist()


def test_polars_takes_a_trace_and_what_explains_it(trace, adapted):
    pl = pytest.importorskip("polars")
    assert pl.DataFrame(trace)["similarity"].to_list() == trace.table["similarity"].to_pylist()
    assert pl.DataFrame(adapted)["source_box"].is_null().all()
    assert len(pl.DataFrame(kt.backtrack(trace, None))) == len(trace.painting())


def test_duckdb_asks_a_trace(trace):
    duckdb = pytest.importorskip("duckdb")
    asked = trace  # noqa: F841 - the query names it
    (found,) = duckdb.sql("select count(*), max(box[1]) from asked where chosen").fetchall()
    assert found == (len(trace), trace.column("box")[:, 0].max())


def test_no_file_holds_lists_of_fixed_length_that_are_null(adapted, tmp_path):
    """pyarrow before 25 cannot write them, before 26 cannot read them."""
    adapted.save(tmp_path / "a.parquet", pictures="none")
    assert not any(pa.types.is_fixed_size_list(field.type) for field in pq.read_schema(tmp_path / "a.parquet"))
    again = kt.Trace.open(tmp_path / "a.parquet")
    assert again.table.equals(adapted.table)
    assert again.digest == adapted.digest


def test_portable_lists_hold_nothing_where_they_are_null():
    boxes = pa.array([None, [1, 2, 3, 4], None, [5, 6, 7, 8]], pa.list_(pa.float32(), 4))
    for column in (boxes, boxes[1:], boxes[:0]):
        lists = parquet.portable(pa.table({"box": column}))["box"].combine_chunks()
        assert lists.to_pylist() == column.to_pylist()
        assert len(lists.values) == 4 * (len(column) - column.null_count)


@pytest.mark.skipif(int(pa.__version__.split(".")[0]) < 26, reason="pyarrow writes or reads no such file")
def test_a_file_of_an_older_ktviz_still_opens(adapted, tmp_path, monkeypatch):
    monkeypatch.setattr(parquet, "portable", lambda table: table)
    adapted.save(tmp_path / "old.parquet", pictures="none")
    assert any(pa.types.is_fixed_size_list(field.type) for field in pq.read_schema(tmp_path / "old.parquet"))
    assert kt.Trace.open(tmp_path / "old.parquet").digest == adapted.digest
