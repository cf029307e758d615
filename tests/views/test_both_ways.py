"""Python and the browser share one selection: each change is told once, and what makes no sense changes nothing."""

from __future__ import annotations

import numpy as np
import pytest

import ktviz as kt
from ktviz.widgets.selection import Selection
from views.wire import NAMES

REGION = kt.Box(8, 16, 20, 10)


def state(view):
    return view.region, view.selection.queries, view.node, dict(view._selected)


def events(changes):
    """By name, selections as their numbers; each change at most once."""
    names = [name for name, _, _ in changes]
    assert len(names) == len(set(names)), names
    plain = [[tuple(v) if isinstance(v, Selection) else v for v in change] for change in changes]
    return {name: (old, new) for name, old, new in plain}


# Observers


ACTIONS = {
    "region": (lambda view: setattr(view, "region", [0, 0, 8, 8]), {"region", "selection"}),
    "region that selects the same": (lambda view: setattr(view, "region", [9, 17, 18, 8]), {"region"}),
    "same region": (lambda view: setattr(view, "region", [8, 16, 20, 10]), set()),
    "no region": (lambda view: setattr(view, "region", None), {"region", "selection"}),
    "selection": (lambda view: setattr(view, "selection", [5, 5, 4]), {"region", "selection"}),
    "node": (lambda view: setattr(view, "node", ("art/cool", 1)), {"node"}),
    "same node": (lambda view: setattr(view, "node", ("art/warm", 1)), set()),
    "no node": (lambda view: setattr(view, "node", None), {"node"}),
}
SAID = {
    "region": ({"kind": "region", "box": [0, 0, 8, 8], "node": [1, 1]}, {"region", "selection"}),
    "queries": ({"kind": "queries", "queries": [9, 3], "node": [1, 1]}, {"region", "selection"}),
    "source": ({"kind": "source", "source": 1, "node": [1, 1]}, {"region", "selection"}),
    "nothing": ({"kind": "none", "node": [1, 1]}, {"region", "selection"}),
    "node": ({"kind": "region", "box": [8, 16, 20, 10], "node": [0, 2]}, {"node"}),
    "no node": ({"kind": "region", "box": [8, 16, 20, 10], "node": None}, {"node"}),
    "all": ({"kind": "region", "box": [0, 0, 8, 8], "node": [0, 3]}, {"region", "selection", "node"}),
}


@pytest.mark.parametrize("name", ACTIONS)
def test_observers_hear_of_what_python_changed_once(view, changes, name):
    act, expected = ACTIONS[name]
    check_heard(view, changes, lambda: act(view), expected)


@pytest.mark.parametrize("name", SAID)
def test_observers_hear_of_what_the_browser_changed_once(view, wire, changes, name):
    selected, expected = SAID[name]
    check_heard(view, changes, lambda: wire.select(selected), expected)


def check_heard(view, changes, act, expected):
    view.region, view.node = REGION, ("art/warm", 1)
    before = {"region": view.region, "selection": view.selection.queries, "node": view.node}
    changes.clear()
    act()
    heard = events(changes)
    assert set(heard) == expected
    for name, (old, new) in heard.items():
        now = view.selection.queries if name == "selection" else getattr(view, name)
        assert (old, new) == (before[name], now), name
        assert old != new, name


def test_an_observer_finds_the_whole_view_changed(view, wire):
    seen = []
    view.observe(lambda _: seen.append((view.region, len(view.selection), view.node)), NAMES)
    wire.select({"kind": "region", "box": [0, 0, 8, 8], "node": [0, 3]})
    assert set(seen) == {(kt.Box(0, 0, 8, 8), 1, ("art/cool", 3))}


def test_what_an_observer_sets_is_told_to_the_browser(view, wire):
    view.observe(lambda _: setattr(view, "node", ("art/cool", 2)), "region")
    wire.select({"kind": "region", "box": [0, 0, 8, 8], "node": None})
    assert view.node == ("art/cool", 2)
    assert view._selected == {"kind": "region", "box": [0, 0, 8, 8], "node": [0, 2], "showing": "before"}


# The browser's end


def told(wire):
    """What the browser was told last of what is selected, in the recorded trace."""
    selected = dict(wire.updates[-1]["_selected"])
    assert selected.pop("showing") == "before"
    return selected


def test_what_python_sets_the_browser_is_told(view, wire):
    view.region = (8.5, 16, 19.5, 9.5)
    assert told(wire) == {"kind": "region", "box": [8, 16, 20, 10], "node": None}
    view.node = ("art/warm", 4)
    assert told(wire) == {"kind": "region", "box": [8, 16, 20, 10], "node": [1, 4]}
    view.selection = np.array([4, 2])
    assert told(wire) == {"kind": "queries", "queries": [2, 4], "node": [1, 4]}
    view.selection = None
    assert told(wire) == {"kind": "none", "node": [1, 4]}


def test_a_source_selects_the_retrievals_that_it_won(view, wire, trace):
    for number, source in enumerate(trace.sources()["source"]):
        wire.select({"kind": "source", "source": number, "node": None})
        assert list(view.selection) == trace.column("query")[trace.column("source") == source].tolist()
        assert view.region is None


@pytest.mark.parametrize(
    "selected",
    [
        {"kind": "lasso", "box": [0, 0, 8, 8]},
        {"kind": ["region"], "box": [0, 0, 8, 8]},
        {"kind": None},
        {"kind": "region"},
        {"kind": "region", "box": None},
        {"kind": "region", "box": 7},
        {"kind": "region", "box": "1234"},
        {"kind": "region", "box": [0, 0, 8]},
        {"kind": "region", "box": [0, 0, 8, None]},
        {"kind": "region", "box": [0, 0, 10**400, 8]},
        {"kind": "region", "box": [80, 0, 80, 8]},
        {"kind": "region", "box": [0, 0, 0, 0]},
        {"kind": "queries"},
        {"kind": "queries", "queries": 5},
        {"kind": "queries", "queries": {"a": 1}},
        {"kind": "queries", "queries": ["0"]},
        {"kind": "queries", "queries": [0.0]},
        {"kind": "queries", "queries": [True]},
        {"kind": "queries", "queries": [88]},
        {"kind": "queries", "queries": [-1]},
        {"kind": "queries", "queries": [2**70]},
        {"kind": "source"},
        {"kind": "source", "source": 5},
        {"kind": "source", "source": -1},
        {"kind": "source", "source": 1.0},
        {"kind": "source", "source": True},
        {"kind": "source", "source": "1"},
        {"kind": "none", "node": [0]},
        {"kind": "none", "node": [2, 0]},
        {"kind": "none", "node": [-1, 0]},
        {"kind": "none", "node": [0, 5]},
        {"kind": "none", "node": [0, -1]},
        {"kind": "none", "node": [0, True]},
        {"kind": "none", "node": [0, 1.0]},
        {"kind": "none", "node": [[0], 1]},
        {"kind": "none", "node": "01"},
        {"kind": "none", "node": 3},
        {"kind": "none", "node": {"bank": 0}},
        None,
        [],
        "region",
        7,
    ],
    ids=lambda selected: str(selected)[:60],
)
def test_what_a_browser_cannot_have_meant_is_refused_as_a_whole_and_said(view, wire, changes, selected):
    view.region, view.node = REGION, ("art/warm", 1)
    before = state(view)
    changes.clear()
    wire.updates.clear()
    wire.select(selected)
    assert state(view) == before
    assert wire.updates[-1]["_selected"] == before[-1]  # the browser is told what stands
    assert not changes
    (message,) = wire.heard
    assert message.content["kind"] == "error"
    assert all(isinstance(part, str) and part for part in message.content["error"])
    wire.select({"kind": "queries", "queries": [3], "node": None})
    assert (list(view.selection), view.region, view.node) == ([3], None, None)
