"""Figures on paper: as wide as somebody asks, with text that can be read, and files that stay light."""

from __future__ import annotations

import pytest
from matplotlib.text import Text

import ktviz as kt
from ktviz.errors import SettingError
from ktviz.figures.share_bars import share_figure

REGION = kt.Box(8, 8, 48, 40)
FIGURES = {
    "trace": lambda trace, width: trace.plot(width=width),
    "attribution": lambda trace, width: kt.attribute(trace, REGION).plot(width=width),
    "gradient": lambda trace, width: kt.attribute(trace, REGION, through="gradient").plot(width=width),
    "shares": lambda trace, width: share_figure(trace, REGION, width),
    "backtracking": lambda trace, width: kt.backtrack(trace, REGION).plot(width=width),
}
CASES = [(name, width) for name in FIGURES for width in (3.4, 7.0) if (name, width) != ("backtracking", 3.4)]
LEAST_POINTS, MOST_BYTES = 6.49, 1_000_000


@pytest.fixture(scope="module")
def trace(world, paint):
    return world.translator.traced(paint(3, 96, 128), align=0)


@pytest.mark.parametrize(("name", "width"), CASES)
def test_a_figure_is_as_wide_as_asked_and_its_text_legible_and_inside(name, width, trace, tmp_path):
    figure = FIGURES[name](trace, width)
    assert figure.get_size_inches()[0] == pytest.approx(width)
    texts = [text for text in figure.findobj(Text) if text.get_text()]
    assert texts
    assert min(text.get_fontsize() for text in texts) > LEAST_POINTS
    page = figure.bbox
    for text in texts:
        box = text.get_window_extent()
        assert box.x0 >= page.x0 - 1, text
        assert box.x1 <= page.x1 + 1, text
    for kind in ("pdf", "svg"):
        figure.savefig(tmp_path / f"figure.{kind}", dpi=300)
        assert (tmp_path / f"figure.{kind}").stat().st_size < MOST_BYTES


def test_without_a_width_a_figure_is_made_for_the_screen(trace):
    for name, make in FIGURES.items():
        assert make(trace, None).get_size_inches()[0] == pytest.approx(12.8), name


@pytest.mark.parametrize("width", [0, -3, float("nan"), float("inf"), 1e6, "wide", True])
def test_no_width_is_refused(trace, width):
    with pytest.raises(SettingError):
        trace.plot(width=width)


def test_a_figure_of_many_parts_says_how_much_room_it_needs(trace):
    with pytest.raises(SettingError, match=r"Give at least 6\.9 inches"):
        kt.backtrack(trace, REGION).plot(width=3.4)


def test_sources_keep_their_colours_on_paper(trace):
    wide, narrow = (
        {tuple(patch.get_facecolor()) for patch in share_figure(trace, None, width).axes[0].patches}
        for width in (None, 3.4)
    )
    assert wide == narrow
