"""Figures for print and to hover over, by one word; and in trees the way to the best entry there was."""

import re

import numpy as np
import plotly.graph_objects as go
import pytest
from matplotlib.figure import Figure

import ktviz as kt
from ktviz.errors import SettingError


@pytest.fixture(scope="module")
def trace(world, paint):
    return world.translator.traced(paint(3, 96, 96), beam=1, coherence=0.3)


def test_every_result_that_has_one_gives_a_figure_of_plotly(trace):
    with kt.SourcesView(trace) as sources, kt.TreeView(trace) as tree:
        for result in (trace.painting(), sources, tree):
            assert isinstance(result.plot(), Figure)
            assert isinstance(result.plot(backend="plotly"), go.Figure)
            with pytest.raises(SettingError, match="backend"):
                result.plot(backend="bokeh")


def test_the_icicle_says_what_it_leaves_out(world, monkeypatch):
    bank = world.banks.banks[0]
    with kt.TreeView(bank) as tree:
        assert "left out" not in tree.plot(backend="plotly").layout.title.subtitle.text
        monkeypatch.setattr("ktviz.figures.interactive.EACH", 2)
        said = tree.plot(backend="plotly").layout.title.subtitle.text
    assert "smaller nodes are left out" in said


def test_a_tree_figure_marks_the_way_to_the_exact_winner(world, trace):
    shown, exact = trace.painting(), trace.painting().with_regret()
    other = np.flatnonzero(
        (exact.column("regret") > 1e-4) & (np.array([*map(len, shown.column("path"))], dtype=int) > 0)
    )
    assert len(other)
    marked = 0
    for place in other[:12].tolist():
        with kt.TreeView(trace) as view:
            view.selection = [int(shown.column("query")[place])]
            said = " ".join(text.get_text() for text in view.plot().axes[0].texts)
        marked += re.search(r"exact winner: node \d+ \(\d\.\d\d\)", said) is not None
    assert marked
    best = shown.column("query")[np.flatnonzero(exact.column("regret") < 1e-6)[0]]
    with kt.TreeView(trace) as view:
        view.selection = [int(best)]
        assert "exact winner: " not in " ".join(text.get_text() for text in view.plot().axes[0].texts)
