"""A view's region, selection and node: one state, whoever sets it, and nothing that the trace does not have."""

from __future__ import annotations

import numpy as np
import pytest

import ktviz as kt
from ktviz.errors import KtvizError, SettingError, UnknownNameError
from views.wire import HEIGHT, WIDTH

REGION = kt.Box(8, 16, 20, 10)


def overlapping(trace, x, y, width, height):
    """Query numbers by comparing edges, box by box."""
    return [
        int(query)
        for query, (left, top, w, h) in zip(trace.column("query"), trace.column("box").tolist(), strict=True)
        if left < x + width and left + w > x and top < y + height and top + h > y
    ]


def state(view):
    return view.region, view.selection.queries, view.node, dict(view._selected)


# Regions


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (REGION, REGION),
        ([8, 16, 20, 10], REGION),
        (np.array([8, 16, 20, 10]), REGION),
        ((8.3, 16.9, 19.2, 9.1), REGION),
        (kt.Box(0, 0, WIDTH, HEIGHT), kt.Box(0, 0, WIDTH, HEIGHT)),
        (kt.Box(WIDTH - 0.5, HEIGHT - 0.5, 0.5, 0.5), kt.Box(WIDTH - 1, HEIGHT - 1, 1, 1)),
    ],
    ids=str,
)
def test_a_region_is_a_box_of_whole_px_and_selects_the_retrievals_that_paint_in_it(view, trace, given, expected):
    view.region = given
    assert view.region == expected
    assert all(type(side) is int for side in vars(view.region).values())
    assert list(view.selection) == overlapping(trace, *vars(expected).values())


@pytest.mark.parametrize("seed", range(8))
def test_any_region_selects_the_retrievals_whose_boxes_overlap_it(view, trace, seed):
    random = np.random.default_rng(seed)
    (x, right), (y, bottom) = (sorted(random.choice(side + 1, 2, replace=False).tolist()) for side in (WIDTH, HEIGHT))
    view.region = (x, y, right - x, bottom - y)
    assert list(view.selection) == overlapping(trace, x, y, right - x, bottom - y) != []
    assert view.selection.queries == tuple(trace[view.region].column("query").tolist())


@pytest.mark.parametrize(
    "bad",
    [
        kt.Box(-1, 0, 9, 9),
        kt.Box(0, -0.1, 9, 9),
        kt.Box(WIDTH - 4, 0, 5, 5),
        kt.Box(0, HEIGHT, 1, 1),
        kt.Box(0, 0, WIDTH, HEIGHT + 0.01),
        kt.Box(4, 4, 0, 9),
        kt.Box(9, 9, -4, 4),
        kt.Box(float("nan"), 0, 1, 1),
        kt.Box(0, 0, float("inf"), 1),
        kt.Box("a", 0, 1, 1),
        kt.Box(None, 0, 1, 1),
        [1, 2, 3],
        [1, 2, 3, 4, 5],
        [1, 2, 3, "four"],
        [10**400, 0, 1, 1],
        [[1, 2], [3, 4]],
        {"x": 1, "y": 2, "width": 3, "height": 4},
        "1234",
        b"1234",
        "",
        (),
        7,
        True,
        object,
        1j,
    ],
    ids=lambda bad: str(bad)[:40],
)
def test_bad_regions_are_refused_and_change_nothing(view, wire, changes, bad):
    view.region, view.node = REGION, ("art/warm", 1)
    before = state(view)
    changes.clear()
    wire.updates.clear()
    with pytest.raises(KtvizError):
        view.region = bad
    assert state(view) == before
    assert not changes
    assert not wire.updates


# Selections


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ([5], [5]),
        ([7, 3, 7, 3], [3, 7]),
        (range(4, 10, 2), [4, 6, 8]),
        (np.array([9, 2], dtype=np.int16), [2, 9]),
        ((np.int64(4), np.uint8(1)), [1, 4]),
        ({87, 0}, [0, 87]),
        ((n for n in (2, 1)), [1, 2]),
        ([], []),
        (None, []),
    ],
    ids=lambda value: str(value).split(" at ")[0],
)
def test_a_selection_is_set_from_query_numbers(view, trace, given, expected):
    view.selection = given
    assert list(view.selection) == expected
    assert all(type(query) is int for query in view.selection)
    rows = trace.winners.to_pandas().set_index("query", drop=False).loc[expected]
    frame = view.selection.to_pandas()
    assert frame["query"].tolist() == rows["query"].tolist()
    assert frame["entry"].tolist() == rows["entry"].tolist()
    assert frame["source"].tolist() == rows["source"].tolist()
    assert view.selection.to_arrow().schema.equals(trace.to_arrow().schema)


def test_a_selection_is_set_from_a_part_of_the_trace_and_from_a_column(view, trace):
    part = trace[kt.Box(30, 30, 8, 8)]
    view.selection = part
    assert list(view.selection) == part.column("query").tolist()
    view.selection = trace.winners.to_pandas().query("similarity < 0.9")["query"]
    assert list(view.selection) == trace.column("query")[trace.column("similarity") < 0.9].tolist() != []


@pytest.mark.parametrize(
    ("bad", "error"),
    [
        ([88], UnknownNameError),
        ([0, -1], UnknownNameError),
        ([2**70], KtvizError),
        ([-(2**70)], KtvizError),
        ([1.0], SettingError),
        (["1"], SettingError),
        ("12", SettingError),
        (5, SettingError),
        ([None], SettingError),
        ([[1, 2]], SettingError),
        (np.array([0.5]), SettingError),
        (np.ones(88, dtype=bool), SettingError),
        ([True] * 88, SettingError),  # a mask, as `column < limit` makes it: not the retrievals 0 and 1
    ],
    ids=lambda bad: str(bad)[:30],
)
def test_bad_selections_are_refused_and_change_nothing(view, changes, bad, error):
    view.region, view.node = REGION, ("art/cool", 1)
    before = state(view)
    changes.clear()
    with pytest.raises(error):
        view.selection = bad
    assert state(view) == before
    assert not changes


def test_a_selection_takes_the_place_of_the_region_and_the_other_way_round(view):
    view.region = REGION
    view.selection = [80]
    assert (view.region, list(view.selection)) == (None, [80])
    view.region = REGION
    assert 80 not in view.selection
    view.region = None
    assert (view.region, list(view.selection)) == (None, [])


# Nodes


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (("art/warm", 3), ("art/warm", 3)),
        (["art/cool", 0], ("art/cool", 0)),
        (("art/warm", np.int32(12)), ("art/warm", 12)),
        (None, None),
    ],
    ids=str,
)
def test_a_node_is_set_and_survives_regions_and_selections(view, given, expected):
    view.node = ("art/cool", 4)
    view.node = given
    assert view.node == expected
    view.region = REGION
    view.selection = [3]
    view.region = None
    assert view.node == expected


def test_a_number_alone_is_a_node_where_there_is_one_bank(world, toy, toy_decoder, paint, view):
    translator = kt.Translator(world.library["art/warm"], toy, toy_decoder)
    with kt.Explorer(translator.traced(paint(5, 32, 32), align=0)) as single:
        single.node = 7
        assert single.node == ("art/warm", 7)
    with pytest.raises(KtvizError):
        view.node = 2  # of which bank?


def test_a_node_leaves_region_and_selection_alone(view, trace):
    view.region = REGION
    view.node = ("art/warm", 1)
    assert view.region == REGION
    assert list(view.selection) == overlapping(trace, *vars(REGION).values())


@pytest.mark.parametrize(
    "bad",
    [
        ("art/warm", 13),
        ("art/warm", -1),
        ("art/none", 0),
        ("art/warm", 1.0),
        ("art/warm", "1"),
        ("art/warm", True),
        (["art/warm"], 1),
        ({}, 1),
        (None, 1),
        ("art/warm",),
        ("art/warm", 1, 2),
        "ab",
        -1,
        99,
        2.5,
        object(),
    ],
    ids=lambda bad: str(bad).split(" at ")[0],
)
def test_bad_nodes_are_refused_and_change_nothing(view, changes, bad):
    view.region, view.node = REGION, ("art/warm", 2)
    before = state(view)
    changes.clear()
    with pytest.raises(KtvizError):
        view.node = bad
    assert state(view) == before
    assert not changes
