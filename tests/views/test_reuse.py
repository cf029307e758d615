"""Reuse in a view: what each cell of an exemplar feeds, how mixed each place is, the picture that was mixed."""

from __future__ import annotations

import numpy as np
import pytest
from systems.cocosnet.conftest import CONFIGURATION, block_map, random_networks

import ktviz as kt
from ktviz.trace.reuse import grid_of, recorded_fed
from ktviz.widgets.panels.reuse import columns
from ktviz.widgets.view import static_text
from views.new_systems import room
from views.wire import Wire, unpack


@pytest.fixture(scope="module")
def model(paint):
    """The system, to be kept alive, and a trace of it."""
    return room(paint)


@pytest.fixture(scope="module")
def trace(model):
    return model[1]


@pytest.fixture(scope="module")
def scene(trace):
    with kt.Explorer(trace) as view:
        yield unpack(view._scene)


def test_the_panel_appears_and_says_where_the_cells_are(scene, trace):
    values, parts = scene
    assert {panel["name"] for panel in values["panels"] if panel["appears"]} == {
        "translation",
        "sources",
        "reuse",
        "table",
    }
    assert values["cells"] == {"source": 0, "rows": 9, "columns": 13, "down": 4.0, "across": 4.0}
    assert parts["fed"].shape == (9, 13)


def test_the_map_is_the_sum_of_all_parts_of_the_mixture(scene, model, trace):
    fed = scene[1]["fed"]
    result = model[0](trace.picture.canvases["input"])
    assert np.array_equal(fed, result.reuse.astype(np.float32))
    assert fed.sum() == pytest.approx(len(trace), rel=1e-5)
    assert np.array_equal(scene[1]["entropy"], trace.column("entropy"))


def test_what_was_recorded_and_what_is_left_over_are_all_of_it(trace, scene):
    recorded = recorded_fed(trace, grid_of(trace))
    assert (recorded <= scene[1]["fed"] + 1e-3).all()
    assert recorded.sum() + trace.column("left_over").sum() == pytest.approx(len(trace), rel=1e-3)


def test_the_numbers_of_the_recorded_cells_are_where_the_trace_says(trace, scene):
    cells, rows = scene[0]["cells"], trace.to_pandas()
    for entry, box in zip(rows["entry"], rows["source_box"], strict=True):
        assert (entry % cells["columns"] * 4, entry // cells["columns"] * 4) == (box[0], box[1])


def test_without_the_model_the_map_is_of_what_was_recorded(trace, tmp_path):
    trace.save(tmp_path / "trace.parquet", pictures="both")
    opened = kt.Trace.open(tmp_path / "trace.parquet")
    with kt.Explorer(opened) as view:
        values, parts = unpack(view._scene)
    assert not values["can"]["reuse"]
    assert np.allclose(parts["fed"], recorded_fed(opened, grid_of(opened)))


def test_the_mixed_picture_comes_beside_input_and_output(scene):
    values, parts = scene
    assert values["beside"] == [{"name": "output:warped", "title": "Output, warped"}]
    assert "canvas/output:warped" in parts


def test_after_a_part_was_left_out_map_and_mixed_picture_are_the_new_ones(trace):
    with kt.Explorer(trace) as view:
        again = view._subject.case.system.rerun(trace, without=[kt.Box(0, 0, 24, 36)])
        subject = view._subject.counterfactual(again)
        fed = columns(subject)["fed"]
        assert (fed[:, :6] == 0).all()
        assert fed.sum() == pytest.approx(len(trace), rel=1e-5)
        assert not np.array_equal(subject.beside["output:warped"], view._subject.beside["output:warped"])


def test_entries_that_are_no_cells_of_one_grid_have_no_map(world, paint):
    assert grid_of(world.translator.traced(paint(3, 40, 48), align=0)) is None


def test_a_page_holds_the_map_and_the_mixed_picture(trace, tmp_path):
    with kt.Explorer(trace) as view:
        view.to_html(tmp_path / "page.html")
        assert not Wire(view).answer("region", {"box": [0, 0, 8, 8]})[0]
    text = (tmp_path / "page.html").read_text()
    assert len(text) < 1_500_000


def test_the_first_draw_of_a_picture_of_256_px_is_small(paint):
    system = kt.CoCosNet(paint(2, 256, 256), block_map(3, 256, 256), random_networks(CONFIGURATION))
    with kt.Explorer(system.traced(block_map(1, 256, 256))) as view:
        wire = len(static_text("ktviz.js")) + len(static_text("ktviz.css")) + len(view._scene)
    assert wire <= 1_500_000
