"""The space of styles around a run: the used one is the recorded one, any other is painted as its numbers say."""

import numpy as np
import pytest
import torch

import ktviz as kt
from ktviz.errors import TraceError
from ktviz.images import to_pixels

from .test_munit_system import WAYS, painted


@pytest.mark.parametrize("way", WAYS)
def test_the_used_code_is_that_of_the_trace_and_makes_the_recorded_picture(system, traces, way):
    space = system.space(traces[way])
    site = "likeness" if way == "drawn" else "style"
    assert np.array_equal(space.used, traces[way].site(site).column("code")[0])
    assert np.array_equal(space.picture(space.used), traces[way].picture.canvases["output"])


def test_any_code_is_painted_as_the_published_code_would(system, traces, picture, networks):
    space = system.space(traces["mix"])
    for code in (np.zeros(4), np.array([2.0, -1, 0.5, 3])):
        made = painted(networks, picture, torch.from_numpy(code).float())
        assert np.abs(space.picture(code).astype(int) - made).max() <= 1


def test_a_stored_code_makes_what_a_run_in_that_style_makes(system, traces, picture):
    space = system.space(traces["drawn"])
    assert len(space.codes) == 5
    for entry, about in enumerate(space.sources(range(5))):
        assert np.array_equal(space.picture(space.codes[entry]), system(picture, exemplar=about["source"]).output)


def test_the_mean_of_what_is_stored_is_the_baseline_of_blend(system, traces):
    space, whole = system.space(traces["named"]), kt.Box(0, 0, 53, 42)
    trace = traces["named"].site("cells")
    baseline = to_pixels(system.blend(trace, whole)(torch.zeros(1)))
    assert np.array_equal(space.picture(system.bank.mean.double().numpy()), baseline)


@pytest.mark.parametrize("way", WAYS)
def test_parts_are_the_weights_of_the_trace_and_a_draw_has_none(system, traces, way):
    space = system.space(traces[way])
    known = {}
    if way not in ("given", "drawn"):
        rows = traces[way].site("style").to_pandas()
        known = {row["entry"]: row["weight"] for row in rows.to_dict("records") if row["weight"]}
    assert dict(space.parts) == pytest.approx(known)


@pytest.mark.parametrize(
    ("way", "said"),
    [
        ("given", "it is that of reference"),
        ("named", "it is that of c.png"),
        ("nearest", "it is that of "),
        ("several", "it is the mean of 3 pictures"),
        ("mix", "it is the mean of 2 pictures"),
        ("drawn", "it was drawn (seed 5)"),
    ],
)
def test_where_it_is_from_is_said(system, traces, way, said):
    assert system.space(traces[way]).origin.startswith(said)


def test_after_something_was_left_out_it_is_the_space_of_that_run(system, traces):
    again = system.rerun(traces["mix"], without=["a"])
    space = system.space(again)
    assert np.array_equal(space.picture(space.used), again.picture.canvases["output"])
    assert set(space.parts) == {4}
    part = system.rerun(traces["named"], without=[kt.Box(0, 0, 16, 16)])
    assert system.space(part).origin == "it is that of c.png, without what was left out"
    assert not np.array_equal(system.space(part).used, system.space(traces["named"]).used)


def test_small_pictures_are_those_of_the_entries(system, traces):
    thumbs = system.space(traces["drawn"]).thumbs([3, 0], 32)
    assert thumbs.shape == (2, 32, 32, 3)
    assert np.array_equal(thumbs[::-1], system.space(traces["drawn"]).thumbs([0, 3], 32))
    assert not np.array_equal(thumbs[0], thumbs[1])


def test_without_a_bank_nothing_is_stored_and_the_used_code_still_paints(alone, picture):
    trace = alone.traced(picture, seed=2)
    space = alone.space(trace)
    assert space.codes.shape == (0, 4)
    assert space.thumbs([], 16).shape == (0, 16, 16, 3)
    assert np.array_equal(space.picture(space.used), trace.picture.canvases["output"])


def test_a_trace_without_its_exemplar_cannot_be_asked(system, traces, picture, tmp_path):
    traces["given"].save(tmp_path / "trace.parquet", pictures="none")
    opened = kt.Trace.open(tmp_path / "trace.parquet").with_canvases({"input": picture})
    with pytest.raises(TraceError, match="exemplar"):
        system.space(opened)
