"""What a view can be of, what it lacks without its model or its library, and that closed views are gone."""

from __future__ import annotations

import gc
import shutil
import sys
import weakref

import numpy as np
import pytest
import torch
from ipywidgets.widgets import widget

import ktviz as kt
from ktviz.errors import ImageError, KtvizError, MismatchError, RegionError, TraceError, UnknownNameError
from ktviz.images import decode_image
from ktviz.library.library import Library
from ktviz.systems.kt.translator import Translator
from views.wire import Wire, unpack

PARTS = {
    kt.Explorer: [
        "translation",
        "sources",
        "groups",
        "codes",
        "attributes",
        "reuse",
        "space",
        "tree",
        "bands",
        "table",
    ],
    kt.TranslationView: ["translation"],
    kt.SourcesView: ["sources"],
    kt.StylesView: ["codes"],
    kt.AttributesView: ["attributes"],
    kt.ReuseView: ["reuse"],
    kt.CodeSpaceView: ["space"],
    kt.TreeView: ["tree"],
    kt.BandView: ["bands"],
    kt.TableView: ["table"],
}


@pytest.fixture
def opened(trace, tmp_path):
    """The trace from a file: "none", "input" or "both" pictures kept."""

    def save_and_open(kept="input"):
        trace.save(tmp_path / f"{kept}.parquet", pictures=kept, overwrite=True)
        return kt.Trace.open(tmp_path / f"{kept}.parquet")

    return save_and_open


@pytest.fixture
def adapted(paint):
    """A trace of a model that knows nothing of ktviz; the model is kept alive."""
    model = torch.nn.Identity()
    site = kt.adapt(
        model,
        lambda inputs, output: kt.Matches.hard(torch.arange(12).reshape(6, 2) % 3, torch.rand(6, 2)),
        queries=kt.Queries.grid(2, 3, step_px=8),
        catalogue=kt.Catalogue.wholes(["a", "b", "c"], bank="style/codes"),
    )
    with kt.record(model, site) as trace:
        model(torch.rand(1, 3, 16, 24))
    return model, trace


def scene(view):
    return unpack(view._scene)


def instances():
    """Widgets that are open."""
    return widget._instances


# Kinds of views


@pytest.mark.parametrize("kind", PARTS, ids=lambda kind: kind.__name__)
def test_every_view_draws_its_parts_and_says_what_it_is(trace, kind):
    with kind(trace) as view:
        assert view._parts == PARTS[kind]
        assert repr(view) == f"{kind.__name__}({trace!r})"
        assert view.trace is trace
        assert (view.region, list(view.selection), view.node, view.comparison) == (None, [], None, None)
        assert scene(view)[0]["queries"] == len(trace)


def test_a_trace_explores_itself(trace, world, photo, opened):
    with trace.explore() as view:
        assert isinstance(view, kt.Explorer)
        assert view.trace is trace
    with opened("none").explore(model=world.translator, photo=photo) as view:
        assert scene(view)[0]["live"]


def test_the_bands_of_a_retrieval_are_found_by_its_row_and_column(trace):
    y, x = trace.column("y"), trace.column("x")
    rows, columns = 8, 11
    assert len(trace) == rows * columns
    for row, column in ((0, 0), (7, 10), (3, 5)):
        with kt.BandView(trace, at=(row, column)) as view:
            (query,) = view.selection
            place = trace.column("query").tolist().index(query)
            assert (y[place], x[place]) == (2 * row, 2 * column)
    with kt.BandView(trace, at=np.array([1, 2])) as view:
        assert list(view.selection) == [columns + 2]


@pytest.mark.parametrize("at", [(8, 0), (0, 11), (-1, 0), (0, -1), (0.5, 0), ("0", 0), (None, 0), (1, 2, 3), (1,), 5])
def test_a_place_without_a_retrieval_is_refused_and_leaves_no_open_view(trace, at):
    known = len(instances())
    with pytest.raises(KtvizError):
        kt.BandView(trace, at=at)
    assert len(instances()) == known


def test_a_place_in_a_gap_of_a_part_of_a_trace_is_refused(trace):
    part = trace[[(0, 0), (80, 70), (60, 70)]]  # a thin triangle: not every row has every column
    with pytest.raises(RegionError, match="retrieval at"):
        kt.BandView(part, at=(0, len(set(part.column("x").tolist())) - 1))


def test_trees_are_shown_without_a_translation(world, trace):
    with kt.TreeView(world.library["art"]) as view:
        values, _ = scene(view)
        assert values["queries"] == 0
        assert [bank["nodes"] for bank in values["banks"]] == [len(bank.tree) for bank in world.banks.banks]
        view.node = ("art/warm", 3)
        wire = Wire(view)
        assert wire.answer("children", {"bank": 1, "nodes": [0]})[1]["node"][0] == 0
        assert wire.answer("thumbs", {"bank": 0, "nodes": [1, 2]})[1]["count"].tolist() == [6, 6]
        wire.refusal("descent", {"queries": [0]})
    with kt.TreeView(world.library["art"], visits=trace) as view:
        assert view.trace is trace
    other = world.library["art/warm"]
    with kt.TreeView(other, visits=trace) as view:
        assert view.trace is trace


def test_visits_with_other_banks_are_refused(build, world, trace):
    other = build("other", [world.pictures / "warm" / "a.png"])
    with pytest.raises(MismatchError, match="library bank art/test"):
        kt.TreeView(other["art/test"], visits=trace)
    with pytest.raises(KtvizError):
        kt.TreeView(world.library["art"], visits="a trace")
    with pytest.raises(KtvizError):
        kt.TreeView(trace, visits=world.translator.traced(trace.input[:32], align=0))  # which of the two?


# What cannot be viewed


def test_other_things_than_a_trace_are_refused(world, photo):
    for thing in (world.translator(photo), photo, None, "trace.parquet", world.library):
        with pytest.raises(TraceError, match=r"not a Trace|not recorded"):
            kt.Explorer(thing)


def test_a_trace_of_several_images_or_none_is_refused(world, photo):
    with kt.record(world.translator) as several:
        world.translator(photo)
        world.translator(photo[:32])
    with pytest.raises(TraceError, match=r"Choose one: trace\.image\(0\)"):
        kt.Explorer(several)
    with kt.Explorer(several.image(1)) as view:
        assert scene(view)[0]["canvas"]["height"] == 32
    with kt.record(world.translator) as running:
        world.translator(photo)
        with pytest.raises(TraceError, match="the run has not ended"):
            kt.Explorer(running)


def test_a_view_that_could_not_be_made_leaves_nothing_behind(monkeypatch):
    """Neither an open widget nor a traceback from its end."""
    ignored, known = [], len(instances())
    monkeypatch.setattr(sys, "unraisablehook", ignored.append)
    for _ in range(3):
        with pytest.raises(TraceError):
            kt.Explorer("no trace")
    gc.collect()
    assert len(instances()) == known
    assert not ignored


# Models


def test_a_trace_from_a_file_is_frozen_and_says_why(opened, tmp_path):
    with kt.Explorer(opened("both")) as view:
        values, parts = scene(view)
        assert not values["live"]
        assert "no model with it" in values["frozen"]
        assert "model=" in values["frozen"]
        assert {"canvas/input", "canvas/output"} <= set(parts)
        view.region = kt.Box(0, 0, 8, 8)
        with pytest.raises(UnknownNameError, match="no tree"):
            view.node = ("art/warm", 0)
        view.to_html(tmp_path / "frozen.html")


@pytest.mark.parametrize("kept", ["none", "input", "both"])
def test_pictures_that_were_not_saved_are_made_again_or_left_out(opened, world, photo, trace, kept):
    with kt.Explorer(opened(kept)) as view:
        assert [name for name in ("input", "output") if f"canvas/{name}" in scene(view)[1]] == {
            "none": [],
            "input": ["input"],
            "both": ["input", "output"],
        }[kept]
        view._repr_mimebundle_()
    with kt.Explorer(opened(kept), model=world.translator, photo=photo) as view:
        for name in ("input", "output"):
            assert np.array_equal(decode_image(scene(view)[1][f"canvas/{name}"].tobytes()), getattr(trace, name))


def test_another_model_or_photo_is_refused(opened, world, photo, toy_decoder, make_toy, build):
    trace = opened("none")
    other = build("other", [world.pictures / "warm"])
    for banks in (other["art/test"], world.library["art/warm"]):
        with pytest.raises(MismatchError, match="library bank"):
            kt.Explorer(trace, model=Translator(banks, world.translator.encoder, toy_decoder), photo=photo)
    with pytest.raises(MismatchError, match="input"):
        kt.Explorer(trace, model=world.translator, photo=photo[::-1])
    with pytest.raises(TraceError, match="photo="):
        kt.Explorer(trace, model=world.translator)
    with pytest.raises(KtvizError):
        kt.Explorer(trace, model="the model")
    with pytest.raises(ImageError):
        kt.Explorer(trace, model=world.translator, photo=np.zeros((4, 4)))


def test_a_model_that_changed_since_is_not_asked(world, toy, photo):
    decoder = torch.nn.Sequential(torch.nn.Conv2d(8, 3, 1), torch.nn.Upsample(scale_factor=4)).requires_grad_(False)
    translator = Translator(world.banks, toy, decoder)
    trace = translator.traced(photo, align=0)
    with kt.Explorer(trace) as view:
        assert scene(view)[0]["live"]
    decoder[0].bias += 0.25
    with kt.Explorer(trace) as view:
        assert "another one" in scene(view)[0]["frozen"]


def test_a_part_of_a_trace_is_shown_frozen(trace):
    part = trace[kt.Box(20, 20, 30, 30)]
    with kt.Explorer(part) as view:
        assert "Ask the whole trace" in scene(view)[0]["frozen"]
        view.region = kt.Box(24, 24, 4, 4)
        assert set(view.selection) <= set(part.column("query").tolist())


def test_a_library_may_be_moved_or_deleted_after_the_trace(world, toy, toy_decoder, photo, tmp_path):
    for act in (shutil.rmtree, lambda folder: folder.rename(tmp_path / "elsewhere.ktlib")):
        folder = shutil.copytree(world.folder, tmp_path / "copy.ktlib")
        translator = Translator(Library.open(folder)["art"], toy, toy_decoder)
        trace = translator.traced(photo, align=0)
        act(folder)
        with kt.Explorer(trace) as view:
            wire = Wire(view)
            for kind, body in (
                ("pictures", {"sources": [0]}),
                ("children", {"bank": 0, "nodes": [0]}),
                ("thumbs", {"bank": 0, "nodes": [0]}),
                ("descent", {"queries": [0]}),
                ("bands", {"queries": [0], "entries": [0]}),
                ("translate", {"without": [0]}),
            ):
                wire.answer(kind, body)
            view.to_html(tmp_path / "moved.html", overwrite=True)


# Pictures of sources that ktviz does not hold


def test_pictures_of_other_models_sources_are_shown(adapted, paint):
    _, trace = adapted
    pictures = {"b": paint(1, 40, 60), "a": paint(2, 600, 300).astype(float) / 255}
    with kt.Explorer(trace, pictures=pictures) as view:
        values, parts = scene(view)
        order = [source["name"] for source in values["sources"]]
        assert "no system of ktviz" in values["frozen"]
        assert {name for name in parts if name.startswith("thumb")} == {f"thumb/{order.index(n)}" for n in "ab"}
        _, parts = Wire(view).answer("pictures", {"sources": [0, 1, 2]})
        assert decode_image(parts[f"picture/{order.index('a')}"].tobytes()).shape == (600, 300, 3)
        assert f"picture/{order.index('c')}" not in parts


def test_pictures_of_unknown_sources_and_bad_pictures_are_refused(adapted, trace, paint):
    with pytest.raises(UnknownNameError, match="known: a, b, c"):
        kt.Explorer(adapted[1], pictures={"d": paint(1)})
    with pytest.raises(ImageError):
        kt.Explorer(adapted[1], pictures={"a": np.zeros(5)})
    mine = np.full((32, 32, 3), 7, dtype=np.uint8)
    with kt.Explorer(trace, pictures={"art/warm/a.png": mine}) as view:  # also in the place of a bank's own
        number = [source["name"] for source in scene(view)[0]["sources"]].index("art/warm/a.png")
        _, parts = Wire(view).answer("pictures", {"sources": [number]})
    assert np.abs(decode_image(parts[f"picture/{number}"].tobytes()).astype(int) - 7).max() < 4


# Memory


def idle(view):
    pass


def used(view):
    view._repr_mimebundle_()


def asked(view):
    Wire(view).answer("translate", {"without": [0]})
    Wire(view).answer("thumbs", {"bank": 0, "nodes": [0]})


def refused(view):
    Wire(view).refusal("region", {"box": [0, 0, 0, 0]})
    with pytest.raises(KtvizError):
        view.region = kt.Box(-1, -1, 2, 2)


def failed(view):
    with pytest.raises(ZeroDivisionError), view:
        _ = 1 / 0


def observed(view):
    view.observe(lambda change: view.node, "region")
    view.region = kt.Box(0, 0, 8, 8)
    view.set_state({"_selected": {"kind": "none", "node": [0, 1]}})
    view.set_state({"_selected": {"kind": "lasso"}})


@pytest.mark.parametrize("use", [idle, used, asked, refused, failed, observed], ids=lambda use: use.__name__)
def test_twenty_closed_views_are_freed(world, paint, use):
    trace = world.translator.traced(paint(5, 32, 32), align=0)
    known = len(instances())
    views = []
    for _ in range(20):
        view = kt.Explorer(trace)
        use(view)
        view.close()
        views.append(weakref.ref(view))
        del view
    gc.collect()
    assert [view for view in views if view() is not None] == []
    assert len(instances()) == known


def test_a_closed_view_holds_neither_model_nor_features(world, toy, photo):
    translator = Translator(world.banks, toy, world.translator.decoder)
    with kt.Explorer(translator.traced(photo, align=0)) as view:
        asked(view)
    gone = weakref.ref(translator)
    del translator
    gc.collect()
    assert view.comm is None  # somebody's variable: notebooks keep them all
    assert gone() is None


def test_closing_twice_is_closing_once(trace):
    view = kt.Explorer(trace)
    view.close()
    view.close()


def test_a_view_that_lives_keeps_its_model(world, toy, photo):
    translator = Translator(world.banks, toy, world.translator.decoder)
    view = kt.Explorer(translator.traced(photo, align=0))
    del translator
    gc.collect()
    with view:
        Wire(view).answer("descent", {"queries": [0]})
