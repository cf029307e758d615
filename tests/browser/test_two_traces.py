"""A source is left out in a live view: whatever stands beside the new picture speaks of the new trace."""

from __future__ import annotations

import numpy as np
import pytest
from playwright.sync_api import expect

import ktviz as kt
from browser.explorer_driver import percent
from browser.live import LiveView
from browser.test_looks import FINDINGS

pytestmark = pytest.mark.slow
SIZE = (512, 512)


@pytest.fixture(scope="module")
def live(open_tab, coffee):
    """The view of the sample translation, with its largest source left out."""
    with open_tab() as page, kt.Explorer(coffee.trace) as view:
        live = LiveView(page, view)
        live.find(".kt-card input").first.uncheck()
        expect(live.find(".kt-comparison")).to_be_visible()
        yield live.settled()


@pytest.fixture(scope="module")
def traces(live):
    """Without a view, `kt.without` gives the second."""
    return live.view.trace, live.view.shown


@pytest.fixture(params=["before", "after"])
def showing(request, live, traces):
    """Each of the two traces, shown; its name and itself."""
    live.clear()
    live.button(request.param.capitalize()).click()
    live.settled()
    assert live.view.showing == request.param
    yield request.param, live.view.shown
    live.button("After").click()


@pytest.fixture(scope="module")
def places(coffee):
    """Middles of retrievals that the removed source won, in px."""
    lost = coffee.trace.column("source") == coffee.trace.sources()["source"][0]
    boxes = coffee.trace.column("box")[lost]
    return (boxes[:, :2] + boxes[:, 2:] / 2)[:: len(boxes) // 5].tolist()


def titles(trace):
    return {source["source"]: source["title"] for source in trace.about["sources"]}


def names(coffee):
    return coffee.trace.sources()["source"].tolist()


def winner_at(trace, x, y):
    """The source of the retrieval whose middle is nearest."""
    box = trace.column("box")
    nearest = np.abs(box[:, :2] + box[:, 2:] / 2 - (x, y)).sum(1).argmin()
    return trace.column("source")[nearest]


def test_the_card_under_the_pointer_names_who_won_in_the_trace_that_is_shown(live, coffee, showing, places):
    name, trace = showing
    removed = titles(trace)[names(coffee)[0]]
    for x, y in places:
        live.hover(x, y, SIZE)
        expect(live.card).to_contain_text(titles(trace)[winner_at(trace, x, y)])
        assert (removed in live.card.inner_text()) == (name == "before")


def test_in_the_wipe_the_card_is_of_the_picture_under_the_pointer(live, coffee, traces, places):
    live.button("Wipe").click()
    live.settled()
    for x, y in places:
        live.hover(x, y, SIZE)
        expect(live.card).to_contain_text(
            titles(coffee.trace)[winner_at(traces[x > 256], x, y)]
        )  # the line is in the middle
    live.button("Wipe").click()
    live.settled()


def test_cards_show_shares_before_and_after_and_the_removed_one_is_struck_through(live, coffee, traces, showing):
    name, _ = showing
    share = [trace.sources().set_index("source")["share"] for trace in traces]
    for card, source in zip(live.find(".kt-card").all(), names(coffee), strict=False):
        expect(card.locator(".kt-share")).to_have_text(" → ".join(percent(one[source]) for one in share))
        widths = card.locator(".kt-bar b").evaluate_all("bars => bars.map(bar => parseFloat(bar.style.width))")
        assert widths == pytest.approx([100 * one[source] for one in share], abs=0.01)
        removed = name == "after" and source == names(coffee)[0]
        line = card.locator(".kt-name").evaluate("name => getComputedStyle(name).textDecorationLine")
        assert line == ("line-through" if removed else "none")


def test_a_region_has_the_shares_of_the_trace_that_is_shown(live, coffee, showing):
    _, trace = showing
    live.drag((128.4, 192.4), (287.6, 287.6), SIZE)
    expected = trace.sources(live.view.region).set_index("source")["share"]
    number = 0 if showing[0] == "before" else 1
    shown = {title: text.split(" → ")[number] for title, text in live.shares().items()}
    assert shown == {titles(trace)[source]: percent(expected[source]) for source in names(coffee)}
    assert live.view.selection.to_pandas()["source"].tolist() == trace[live.view.region].column("source").tolist()


def test_tree_bands_and_table_are_of_the_trace_that_is_shown(live, showing):
    _, trace = showing
    live.click(200, 240, SIZE)
    (query,) = live.view.selection
    row = trace.column("query").tolist().index(query)
    path = trace.winners["kt.path"][row].as_py()
    way = live.find(".kt-tree .kt-note").inner_text()
    assert [int(step.split(" ")[0]) for step in way.split(" → ")[1:]] == path
    similarity = np.sort(trace.column("similarity", winners=False)[trace.column("query", winners=False) == query])[::-1]
    assert live.candidates() == pytest.approx(similarity[: len(live.candidates())], abs=6e-4)
    live.open_table()
    assert live.table_rows()[0][4] == trace.column("source")[row]
    live.find(".kt-folder summary").click()


def test_who_took_over_is_listed_by_share(live, coffee):
    winners = live.view.comparison.new_winners
    moved = winners[winners["source_before"] != winners["source_after"]]
    shown = live.find(".kt-heirs li b").all_inner_texts()
    assert shown == [percent(share) for share in moved["overlap"][: len(shown)]]
    first = live.find(".kt-heirs li").first
    expect(first).to_have_attribute(
        "title",
        f"{titles(coffee.trace)[moved['source_after'].iloc[0]]} from "
        f"{titles(coffee.trace)[moved['source_before'].iloc[0]]}: {moved['retrievals'].iloc[0]:,} retrievals",
    )


def test_the_header_says_what_coherence_gave_up(live, showing):
    _, trace = showing
    won, best = trace.column("similarity"), trace.to_pandas().groupby("query")["similarity"].max().to_numpy()
    said = (
        f"{percent(trace.column('kt.coherent').mean())} of the winners continue a neighbour; "
        f"{percent((won == best).mean())} are the best found, "
        f"and {100 * won.sum() / best.sum():.1f} % of its similarity is kept"
    )
    expect(live.find(".kt-header")).to_contain_text(said)


def test_no_card_moves_from_before_to_after_with_a_selection(live):
    live.drag((40, 200), (200, 460), SIZE)
    live.settled()
    order = {}
    for name in ("Before", "After"):
        live.button(name).click()
        order[name] = live.settled().find(".kt-card .kt-title").all_inner_texts()
    live.clear()
    assert order["Before"] == order["After"]


def test_an_overlay_that_the_counterfactual_does_not_know_says_so(open_tab, world, paint):
    trace = world.translator.traced(paint(41, 72, 90)).with_regret()
    with open_tab() as page, kt.Explorer(trace) as view:
        live = LiveView(page, view)
        live.root.get_by_role("combobox", name="Overlay").select_option("regret")
        expect(live.find(".kt-legend")).to_contain_text("What the tree's shortcut cost")
        live.find(".kt-card input").first.uncheck()
        expect(live.find(".kt-comparison")).to_be_visible()
        live.button("After").click()
        expect(live.settled().find(".kt-legend")).to_contain_text("Not known of this translation")


def test_switching_back_restores_what_was_shown(live):
    live.clear()
    live.settled()
    shown = {}
    for name in ("Before", "After", "Before", "After"):
        live.button(name).click()
        live.page.mouse.move(2, 2)
        live.settled()
        state = (
            live.pixels(),
            live.find(".kt-header").inner_text(),
            live.shares(),
            live.find(".kt-tree .kt-note").inner_text(),
        )
        assert shown.setdefault(name, state) == state
    assert shown["Before"][:2] != shown["After"][:2]


def test_python_switches_the_view(live):
    live.set(showing="before")
    expect(live.button("Before")).to_have_attribute("aria-pressed", "true")
    live.set(showing="after")
    expect(live.button("After")).to_have_attribute("aria-pressed", "true")


def test_a_view_that_is_drawn_again_has_both_traces(live, tab):
    page = tab()
    again = LiveView(page, live.view)
    expect(again.button("After")).to_have_attribute("aria-pressed", "true")
    expect(again.find(".kt-card input").first).not_to_be_checked()


@pytest.mark.parametrize(("width", "scheme"), [(1600, "light"), (600, "dark")])
def test_a_comparison_fits_and_axe_finds_nothing_serious(open_tab, live, width, scheme, axe):
    with open_tab(width=width, color_scheme=scheme) as page:
        again = LiveView(page, live.view)
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        page.evaluate(axe)
        assert again.page.evaluate(FINDINGS) == []


def test_closing_the_comparison_leaves_the_recorded_trace_alone(open_tab, coffee):
    with open_tab() as page, kt.Explorer(coffee.trace) as view:
        live = LiveView(page, view)
        header = live.find(".kt-header").inner_text()
        live.root.get_by_role("slider", name="Weight of LL").fill("0")
        live.button("Translate with these weights").click()
        expect(live.find(".kt-comparison")).to_contain_text("with band weights 0 · 1 · 1 · 0")
        live.settled()
        assert live.find(".kt-header").inner_text() != header
        live.button("Close comparison").click()
        expect(live.button("After")).to_be_hidden()
        live.settled()
        assert live.find(".kt-header").inner_text() == header
        assert live.root.get_by_role("slider", name="Weight of LL").input_value() == "1"
        assert live.find(".kt-pane").count() == 2
        assert view.showing == "before"
