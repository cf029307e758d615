"""The space of codes in a view: what is stored on a map, and the picture of any point of it, asked of any system."""

from __future__ import annotations

import json

import numpy as np
import pytest
from sklearn.decomposition import PCA

import ktviz as kt
from ktviz.errors import AbilityError, TraceError
from ktviz.images import decode_image
from ktviz.widgets.page import kept
from ktviz.widgets.panels import space as panel
from ktviz.widgets.pictures import GAIN
from ktviz.widgets.protocol import PROTOCOL
from ktviz.widgets.room import Room
from ktviz.widgets.view import static_text
from views.dyes import NAMES, SHELF, Dyer, dyed
from views.test_new_figures import pictures, texts
from views.wire import Wire, unpack

MIXTURE = (0.5, 0, 0.25, 0.25, 0, 0)
USED = np.array(MIXTURE) @ SHELF


@pytest.fixture(scope="module")
def dyer():
    return Dyer()


@pytest.fixture(scope="module")
def trace(dyer):
    return dyer.traced(MIXTURE)


@pytest.fixture
def view(trace):
    with kt.Explorer(trace) as view:
        yield view


@pytest.fixture
def wire(view):
    return Wire(view)


def said(view):
    """What the scene says of the space, its parts, and which panels appear."""
    values, parts = unpack(view._scene)
    return values.get("space"), parts, {one["name"] for one in values["panels"] if one["appears"]}, values["can"]


def decoded(wire, entry, moved):
    """The answer to a point: its picture, the difference, and how much that is."""
    values, parts = wire.answer("decode", {"entry": entry, "moved": moved})
    return *(decode_image(parts[name].tobytes()) for name in ("picture", "difference")), values["levels"]


def test_the_panel_appears_for_any_system_that_makes_pictures_of_codes(view):
    about, _, names, can = said(view)
    assert "space" in names
    assert can["space"]
    assert (about["kind"], about["origin"], about["stored"]) == ("dye", "it is a mixture", 6)
    assert about["parts"] == [[0, 0.5], [2, 0.25], [3, 0.25]]
    assert about["used"] == pytest.approx(USED)


def test_the_map_is_that_of_the_principal_components_with_their_variance(view):
    about, parts, _, _ = said(view)
    known = PCA(2).fit(SHELF)
    assert about["explained"] == pytest.approx(known.explained_variance_ratio_)
    axes, places, entry = np.array(about["axes"]), parts["space/place"], parts["space/entry"]
    sign = np.sign((axes * known.components_).sum(1))
    assert axes == pytest.approx(sign[:, None] * known.components_)
    assert places == pytest.approx(sign * known.transform(SHELF)[entry], rel=1e-5, abs=1e-3)
    assert about["place"] == pytest.approx((sign * known.transform(USED[None]))[0])
    assert np.array_equal(parts["space/code"], SHELF[entry].astype(np.float32))


def test_entries_come_nearest_first_with_credits_and_pictures(view):
    _, parts, _, _ = said(view)
    entry = parts["space/entry"].tolist()
    assert entry == np.argsort(np.linalg.norm(SHELF - USED, axis=1), kind="stable").tolist()
    credits = json.loads(parts["space/about"].tobytes())
    assert [credit["title"] for credit in credits] == [NAMES[n] for n in entry]
    assert [credit["creator"] for credit in credits] == [f"Dyer {n}" for n in entry]
    assert {credit["licence"] for credit in credits} == {"unknown"}
    for n in entry:
        shown = decode_image(parts[f"tile/{n}"].tobytes())
        assert shown.shape == (panel.SIDE_PX, panel.SIDE_PX, 3)
        assert np.abs(shown.mean((0, 1)) - SHELF[n]).max() < 6


def test_where_nothing_was_moved_the_picture_is_the_recorded_one(wire, trace):
    picture, difference, levels = decoded(wire, -1, [0, 0])
    assert np.array_equal(picture, trace.output)
    assert (levels, difference.max()) == (0, 0)


def test_a_moved_point_is_the_used_code_moved_along_the_axes(wire, view, trace):
    axes = np.array(said(view)[0]["axes"])
    picture, difference, levels = decoded(wire, -1, [20.5, -13])
    known = dyed(USED + 20.5 * axes[0] - 13 * axes[1])
    assert np.array_equal(picture, known)
    away = np.abs(known.astype(float) - trace.output)
    assert levels == pytest.approx(away.mean())
    assert np.array_equal(difference[..., 0], np.clip((GAIN * away.mean(2)).round(), 0, 255))


def test_an_entry_that_is_taken_is_taken_whole_and_what_is_off_the_map_stays_while_it_moves(wire, view):
    assert np.array_equal(decoded(wire, 1, [0, 0])[0], dyed(SHELF[1]))
    axes = np.array(said(view)[0]["axes"])
    assert np.array_equal(decoded(wire, 1, [-4, 8.25])[0], dyed(SHELF[1] - 4 * axes[0] + 8.25 * axes[1]))


@pytest.mark.parametrize(
    "body",
    [
        {"entry": -2, "moved": [0, 0]},
        {"entry": 6, "moved": [0, 0]},
        {"entry": "0", "moved": [0, 0]},
        {"entry": 0.5, "moved": [0, 0]},
        {"moved": [0, 0]},
        {"entry": -1},
        {"entry": -1, "moved": [0]},
        {"entry": -1, "moved": [0, 0, 0]},
        {"entry": -1, "moved": ["0", 0]},
        {"entry": -1, "moved": [True, 0]},
        {"entry": -1, "moved": [float("nan"), 0]},
        {"entry": -1, "moved": [float("inf"), 0]},
        {"entry": -1, "moved": [1e7, 0]},
        {"entry": -1, "moved": "00"},
    ],
    ids=str,
)
def test_what_is_no_point_is_refused(wire, body):
    wire.refusal("decode", body)


def test_pictures_of_entries_are_asked_for_by_number(wire):
    values, parts = wire.answer("entries", {"entries": [4, 1, 4]})
    assert (values, set(parts)) == ({}, {"tile/4", "tile/1"})
    wire.refusal("entries", {"entries": [6]})


def test_a_counterfactual_has_its_own_point_on_the_same_map(wire, view, trace):
    number = view._subject.number["shelf/dyes/madder.png"]
    before = said(view)[0]
    wire.answer("translate", {"without": [number], "weights": []})
    about, parts = unpack(view._after)[0]["space"], unpack(view._after)[1]
    assert about["used"] == pytest.approx((SHELF[2] + SHELF[3]) / 2)
    assert (about["axes"], about["explained"]) == (before["axes"], before["explained"])
    assert not [name for name in parts if name.startswith(("space/", "tile/"))]  # they are in the first scene
    told = {"trace": view.shown.digest[:12]}
    answer = wire.ask("decode", {"entry": -1, "moved": [0, 0]}, **told)
    picture = decode_image(unpack(answer.buffers[0])[1]["picture"].tobytes())
    assert np.array_equal(picture, view.shown.output)
    assert not np.array_equal(picture, trace.output)


@pytest.mark.parametrize(("name", "most"), [("MOST", 2), ("MOST_BYTES", 4 * 3 * 2)])
def test_a_large_bank_shows_what_is_nearest_and_says_how_much_there_is(trace, monkeypatch, name, most):
    monkeypatch.setattr(panel, name, most)
    with kt.Explorer(trace) as view:
        about, parts, _, _ = said(view)
        assert about["stored"] == 6
        assert parts["space/entry"].tolist() == np.argsort(np.linalg.norm(SHELF - USED, axis=1))[:2].tolist()
        assert np.array_equal(decoded(Wire(view), 5, [0, 0])[0], dyed(SHELF[5]))


def test_a_page_keeps_the_other_pictures_as_far_as_there_is_room(trace, monkeypatch):
    monkeypatch.setattr(panel, "TILES", 1)
    monkeypatch.setattr(panel, "NEIGHBOURS", 1)
    with kt.Explorer(trace) as view:
        first = {name for name in said(view)[1] if name.startswith("tile/")}
        nearest = np.argsort(np.linalg.norm(SHELF - USED, axis=1), kind="stable").tolist()
        assert first == {f"tile/{nearest[0]}"}
        room = Room(10**6)
        stored = kept(view._subject, room)
        assert [name for name in stored if name.startswith("tile/")] == [f"tile/{n}" for n in nearest[1:]]
        assert not room.lacking
        less = Room(10**6 - room.left - 1)
        assert [name for name in kept(view._subject, less) if name.startswith("tile/")] == [
            f"tile/{n}" for n in nearest[1:-1]
        ]
        assert less.lacking == ["small pictures of some codes"]


def test_without_the_model_there_is_no_map_and_the_view_says_what_is_missing(trace, tmp_path):
    trace.save(tmp_path / "trace.parquet", pictures="both")
    with kt.CodeSpaceView(kt.Trace.open(tmp_path / "trace.parquet")) as view:
        about, parts, names, can = said(view)
        assert (about, can["space"]) == (None, False)
        assert "space" not in names
        assert not [name for name in parts if name.startswith("space/")]
        assert "model" in " ".join(Wire(view).refusal("decode", {"entry": -1, "moved": [0, 0]}))


def test_where_nothing_is_stored_there_is_no_map():
    bare = Dyer()
    trace = bare.traced(MIXTURE)
    bare.space = lambda _: type("Empty", (), {"codes": np.zeros((0, 3))})()
    with kt.Explorer(trace) as view:
        assert said(view)[0] is None
    with pytest.raises(TraceError, match="nothing is stored"):
        kt.code_space_figure(trace)


def test_a_system_without_codes_has_no_panel_and_no_figure(world, paint):
    other = world.translator.traced(paint(3, 40, 48), align=0)
    with kt.Explorer(other) as view:
        assert "space" not in said(view)[2]
        assert "cannot make the picture of any code" in " ".join(
            Wire(view).refusal("decode", {"entry": -1, "moved": [0, 0]})
        )
    with pytest.raises(AbilityError, match="picture of any code"):
        kt.code_space_figure(other)


def test_the_first_draw_of_a_large_bank_is_small():
    random = np.random.default_rng(0)
    shelf = random.uniform(0, 255, (60_000, 3))
    large = Dyer()
    large.space = lambda trace: type("Large", (type(Dyer.space(large, trace)),), {})(shelf, np.eye(1, len(shelf))[0])
    with kt.Explorer(large.traced(MIXTURE)) as view:
        assert said(view)[0]["stored"] == 60_000
        wire = len(static_text("ktviz.js")) + len(static_text("ktviz.css")) + len(view._scene)
    assert wire <= 1_500_000


# On paper


def test_the_figure_states_the_variance_and_names_what_the_code_is_made_of_first(trace):
    figure = kt.code_space_figure(trace)
    words = texts(figure)
    right, up = PCA(2).fit(SHELF).explained_variance_ratio_
    assert f"The map shows {right + up:.0%} of the variance: {right:.0%} to the right, {up:.0%} up." in words
    assert "Made of these, and next to them" in words
    names = [f"{text}.png" for text in words if text in NAMES]
    rest = [n for n in np.argsort(np.linalg.norm(SHELF - USED, axis=1), kind="stable") if n not in (0, 2, 3)]
    assert names == [f"{NAMES[n]}.png" for n in (0, 3, 2, *rest)]
    assert f"{np.linalg.norm(SHELF[0] - USED):.2f} apart" in words


def test_the_figure_shows_pictures_on_either_side_and_the_recorded_one_between(trace, view):
    figure, axes = kt.code_space_figure(trace), np.array(said(view)[0]["axes"])
    step = (SHELF - SHELF.mean(0)) @ axes.T
    shown = pictures(figure)
    for axis in (0, 1):
        known = [dyed(USED + steps * step[:, axis].std() * axes[axis]) for steps in (-2, -1, 0, 1, 2)]
        assert np.array_equal(known[2], trace.output)
        assert all(any(np.array_equal(one, other) for other in shown) for one in known)


def test_a_view_of_it_alone_plots_the_figure(trace):
    with kt.CodeSpaceView(trace) as view:
        assert "The dye that was used, among those that are stored" in texts(view.plot())


def test_requests_name_the_version_of_the_messages(wire):
    (error,) = wire.say({"id": 3, "protocol": PROTOCOL - 1, "kind": "decode", "body": {}})
    assert not error.content["ok"]
