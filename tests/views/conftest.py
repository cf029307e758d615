"""A trace with a view of it, and what they tell."""

from __future__ import annotations

import pytest

import ktviz as kt
from views.wire import HEIGHT, NAMES, WIDTH, Wire


@pytest.fixture(scope="module")
def photo(paint):
    return paint(41, HEIGHT, WIDTH)


@pytest.fixture(scope="module")
def trace(world, photo):
    return world.translator.traced(photo, align=0)


@pytest.fixture
def view(trace):
    with kt.Explorer(trace) as view:
        yield view


@pytest.fixture
def wire(view):
    return Wire(view)


@pytest.fixture
def changes(view):
    """Every change that an observer is told of: name, old and new."""
    found = []
    view.observe(lambda change: found.append((change["name"], change["old"], change["new"])), NAMES)
    return found
