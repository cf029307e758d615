"""What is asked of a trace in the wrong words is named, not left to a comparison that fails."""

from __future__ import annotations

import pytest

import ktviz as kt
from ktviz.errors import SettingError, UnknownNameError

BOX = kt.Box(0, 0, 8, 8)


@pytest.fixture
def trace(world, paint):
    return world.translator.traced(paint(1, 40, 40))


@pytest.mark.parametrize("value", ["many", 2.5, BOX, None, [3]])
def test_a_number_is_asked_for(trace, value):
    with pytest.raises(SettingError, match=r"picks .*: not a whole number"):
        kt.backtracking_figure(trace, value)
    with pytest.raises(SettingError, match=r"image .*: not a whole number"):
        trace.image(value)
    if value is not None:  # all
        with pytest.raises(SettingError, match=r"sample .*: not a whole number"):
            trace.regret(value)


@pytest.mark.parametrize("name", ["similarty", "other.path", None, 2.5, BOX])
def test_a_column_that_there_is_not(trace, name):
    nearest = "Did you mean similarity" if name == "similarty" else ""
    with pytest.raises(UnknownNameError, match=rf"column .*: there is none; known: .*box.*{nearest}"):
        trace.column(name)
    assert not trace.has(name)
