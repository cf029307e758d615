"""What is asked of a trace in the wrong words is named, not left to a comparison that fails."""

from __future__ import annotations

import numpy as np
import pytest
import torch

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


NO_PARTS = [b"ab", bytearray(b"ab"), memoryview(b"ab"), True, [True], np.array([True]), torch.tensor(True), 1.5, None]
"""What says no part of the knowledge, though Python counts with most of it."""


@pytest.mark.parametrize("value", NO_PARTS, ids=lambda value: type(value).__name__)
def test_bytes_and_truth_values_leave_nothing_out(world, trace, paint, value):
    with pytest.raises(SettingError, match="without"):
        kt.without(trace, value)
    with pytest.raises(SettingError, match="without"):
        world.translator(paint(1, 40, 40), without=value)
    with pytest.raises(SettingError, match="without"):
        kt.Catalogue.wholes(["a", "b", "c"]).entries_of(value)


@pytest.mark.parametrize("value", NO_PARTS, ids=lambda value: type(value).__name__)
def test_bytes_and_truth_values_are_no_part_of_a_reference(paint, value):
    photo = paint(2, 24, 32)
    analogy = kt.ImageAnalogy(photo[:, ::-1])
    with pytest.raises(SettingError, match="no part of the reference"):
        analogy(photo, iterations=1, without=value)
    with pytest.raises(SettingError, match="no part of the reference"):
        analogy.reference.regions([value] if value is None else value)
