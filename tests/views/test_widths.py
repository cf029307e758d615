"""Figures on paper: as wide as somebody asks, with text that can be read, and files that stay light."""

from __future__ import annotations

from itertools import combinations
from types import SimpleNamespace

import numpy as np
import pytest
from matplotlib.text import Text
from tiny_systems import material, tiny

import ktviz as kt
from ktviz.errors import SettingError
from ktviz.figures.canvas import Canvas
from ktviz.figures.gallery import gallery
from ktviz.figures.share_bars import share_figure
from ktviz.figures.strip import strip_figure
from views.dyes import Dyer
from views.new_systems import portrait, room, street

REGION = kt.Box(8, 8, 48, 40)
TITLE = "From the style of a photograph of three pots to that of another one"
FIGURES = {
    "trace": lambda made, width: made.trace.plot(width=width),
    "attribution": lambda made, width: kt.attribute(made.trace, REGION).plot(width=width),
    "gradient": lambda made, width: kt.attribute(made.trace, REGION, through="gradient").plot(width=width),
    "shares": lambda made, width: share_figure(made.trace, REGION, width),
    "backtracking": lambda made, width: kt.backtrack(made.trace, REGION).plot(width=width),
    "comparison": lambda made, width: kt.compare(made.trace, made.other).plot(width=width),
    "side by side": lambda made, width: made.compared.plot(width=width),
    "strip": lambda made, width: strip_figure(TITLE, "12 pictures", made.pictures, width=width),
    "faithfulness": lambda made, width: made.faithfulness.plot(width=width),
    "library map": lambda made, width: made.map.plot(width=width),
    "tree": lambda made, width: kt.TreeView(made.world.banks).plot(width=width),
    "visits": lambda made, width: made.tree.plot(width=width),
    "two ways": lambda made, width: made.lost.plot(width=width),
    "bands": lambda made, width: kt.BandView(made.trace).plot(width=width),
    "levels": lambda made, width: kt.levels_figure(made.levels, width=width),
    "reuse": lambda made, width: kt.ReuseView(made.mixture).plot(width=width),
    "attributes": lambda made, width: kt.AttributesView(made.face).plot(width=width),
    "styles": lambda made, width: kt.StylesView(made.objects).plot(width=width),
    "codes": lambda made, width: kt.code_space_figure(made.dyed, width=width),
    "gallery": lambda made, width: gallery(
        [picture for _, picture in made.pictures], [name for name, _ in made.pictures], title=TITLE, width=width
    ),
    "bench": lambda made, width: made.bench.plot(width=width),
}
WIDE = ("backtracking", "bands")
"""Those that need two columns."""
CASES = [(name, width) for name in FIGURES for width in (3.4, 5.0, 7.0, 14.0) if name not in WIDE or width >= 7]
ON_SCREEN = {"gallery": 8.0, "bench": 8.0}
"""Inches of those that are narrower there."""
LEAST_POINTS, MOST_BYTES = 6.49, 1_000_000


@pytest.fixture(scope="module")
def trace(world, paint):
    return world.translator.traced(paint(3, 96, 128), align=0)


@pytest.fixture(scope="module")
def made(world, trace, paint, tmp_path_factory):
    """What the figures are of, and the systems, which must live."""
    other = world.translator.traced(paint(3, 96, 128), align=0, coherence=0.1)
    systems = {"street": street(tmp_path_factory.mktemp("street")), "room": room(paint)}
    systems |= {"portrait": portrait(tmp_path_factory.mktemp("faces"), paint), "dyer": Dyer()}
    tree = kt.TreeView(trace)
    tree.selection = [int(trace.column("query")[-1])]
    greedy = world.translator.traced(paint(3, 96, 128), preset="paper")
    lost = kt.TreeView(greedy)
    lost.selection = [int(greedy.regret()["query"][0])]
    small = tiny()
    return SimpleNamespace(
        world=world,
        trace=trace,
        other=other,
        compared=kt.Compare(trace, other, kt.without(trace, trace.sources()["source"].iloc[0])),
        pictures=[(f"{number}% of the way", paint(number, 48, 64)) for number in range(12)],
        faithfulness=kt.faithfulness(kt.attribute(trace, REGION, through="gradient")),
        map=kt.LibraryMap(world.banks),
        tree=tree,
        lost=lost,
        systems=systems,
        levels=small["image-analogy"].traced(paint(1, 32, 32), iterations=1),
        mixture=systems["room"][1],
        face=systems["portrait"][1],
        objects=systems["street"][1],
        dyed=systems["dyer"].traced((0.5, 0, 0.25, 0.25, 0, 0)),
        bench=kt.bench(
            material("input"),
            material("reference"),
            [small["kt"], small["munit"]],
            cells=4,
            runs=0,
            repeats=0,
            quiet=True,
        ),
    )


def overlap(one, other):
    """Px that two boxes have in common, across and down."""
    return min(one.x1, other.x1) - max(one.x0, other.x0), min(one.y1, other.y1) - max(one.y0, other.y0)


@pytest.mark.parametrize(("name", "width"), CASES)
def test_a_figure_is_as_wide_as_asked_and_its_text_legible_and_inside(name, width, made, tmp_path):
    figure = FIGURES[name](made, width)
    assert figure.get_size_inches()[0] == pytest.approx(width)
    texts = [text for text in figure.findobj(Text) if text.get_text().strip()]
    assert texts
    assert min(text.get_fontsize() for text in texts) > LEAST_POINTS
    page, boxes = figure.bbox, {text: text.get_window_extent() for text in texts}
    for text, box in boxes.items():
        assert box.x0 >= page.x0 - 1, text
        assert box.x1 <= page.x1 + 1, text
        assert box.y0 >= page.y0 - 1, text
        assert box.y1 <= page.y1 + 1, text
    for one, other in combinations(texts, 2):
        across, down = overlap(boxes[one], boxes[other])
        assert across < 1 or down < 4, (one, other)  # ascenders and descenders of lines may meet
    for kind in ("pdf", "svg"):
        figure.savefig(tmp_path / f"figure.{kind}", dpi=300)
        assert (tmp_path / f"figure.{kind}").stat().st_size < MOST_BYTES


@pytest.mark.parametrize("name", FIGURES)
def test_without_a_width_a_figure_is_made_for_the_screen(name, made):
    assert FIGURES[name](made, None).get_size_inches()[0] == pytest.approx(ON_SCREEN.get(name, 12.8))


@pytest.mark.parametrize("width", [0, -3, float("nan"), float("inf"), 1e6, "wide", True])
@pytest.mark.parametrize("name", ["trace", "bench"])
def test_no_width_is_refused(name, width, made):
    with pytest.raises(SettingError):
        FIGURES[name](made, width)


@pytest.mark.parametrize("name", FIGURES)
def test_a_figure_says_how_much_room_it_needs_and_finds_it_there(name, made):
    with pytest.raises(SettingError, match="Give at least") as refused:
        FIGURES[name](made, 1.0)
    least = float(str(refused.value).split("Give at least ")[1].split(" ")[0])
    assert least <= (7 if name in WIDE else 3.4)
    assert FIGURES[name](made, least).get_size_inches()[0] == pytest.approx(least)
    with pytest.raises(SettingError):
        FIGURES[name](made, least - 0.1)


def test_six_traces_side_by_side_need_more_room(made):
    traces = [made.trace, made.other] * 3
    with pytest.raises(SettingError, match=r"Give at least 4\.9 inches"):
        kt.Compare(*traces).plot(width=3.4)
    assert kt.Compare(*traces).plot(width=7)


def test_a_narrow_tree_says_what_is_left_out(made):
    """As many entries are drawn or counted as there are."""
    shown = [text.get_text() for text in FIGURES["tree"](made, 3.4).findobj(Text)]
    assert "Level 1" not in shown
    bank = made.world.banks.banks[0]
    assert f"{len(bank):,}" in shown


def test_a_page_is_as_high_as_it_turns_out():
    canvas = Canvas.page(3.4, 480)
    figure = canvas.end(2 * canvas.width)
    assert figure.get_size_inches() == pytest.approx([3.4, 6.8])
    assert canvas.axes.get_ylim() == (2 * canvas.width, 0)
    assert canvas.legible(20) == 20
    assert canvas.points(canvas.legible(1)) == pytest.approx(6.5)


def test_pictures_of_a_gallery_stay_in_their_order_on_a_narrow_page(made):
    shown = [
        [np.asarray(image.get_array()) for image in FIGURES["gallery"](made, width).axes[0].images]
        for width in (None, 3.4)
    ]
    assert all(np.array_equal(one, other) for one, other in zip(*shown, strict=True))


def test_sources_keep_their_colours_on_paper(trace):
    wide, narrow = (
        {tuple(patch.get_facecolor()) for patch in share_figure(trace, None, width).axes[0].patches}
        for width in (None, 3.4)
    )
    assert wide == narrow
