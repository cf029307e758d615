"""Everything that a mouse does in a view, the keyboard does too; and the focus is always to be seen."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from ktviz.figures.maps import nearest

SIZE = (512, 512)
MOST_STOPS = 80
FOCUSED = """() => {
  const at = document.activeElement, style = getComputedStyle(at);
  return { name: at.getAttribute("aria-label") ?? at.textContent.slice(0, 40), tag: at.tagName,
           part: at.closest("section")?.getAttribute("aria-label") ?? at.closest("details")?.className ?? "",
           ring: style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2 };
}"""


@pytest.fixture(scope="module")
def places(coffee):
    return nearest(coffee.trace)


def stops(page):
    """What Tab reaches, from the top of the page to its end."""
    found = []
    for _ in range(MOST_STOPS):
        page.keyboard.press("Tab")
        at = page.evaluate(FOCUSED)
        if at["tag"] == "BODY":
            break
        found.append(at)
    return found


def test_tab_reaches_every_part_and_shows_where_it_is(show, coffee):
    found = stops(show(coffee.path).page)
    assert {"Translation", "Sources", "Cluster tree", "Band matches", "kt-folder"} <= {at["part"] for at in found}
    assert [at for at in found if not at["ring"]] == []
    assert sum(at["tag"] == "CANVAS" for at in found) == 2


def test_arrows_walk_from_retrieval_to_retrieval_and_enter_selects(explorer, coffee, places):
    page, queries = explorer.page, coffee.trace.column("query")
    explorer.open_table()
    explorer.click(256, 256, SIZE)
    start = coffee.trace.column("box")[places[256, 256]]
    page.keyboard.press("Escape")
    for _ in range(2):
        page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowUp")
    page.keyboard.press("Enter")
    explorer.settled()
    box = coffee.trace.column("box")
    (place,) = ((box[:, 0] == start[0] + 16) & (box[:, 1] == start[1] - 8)).nonzero()[0]
    assert [row[0] for row in explorer.table_rows()] == [str(queries[place])]


def test_shift_and_arrows_draw_a_region_and_escape_clears_it(explorer):
    explorer.translation.focus()
    for key in ("Shift+ArrowRight", "Shift+ArrowDown", "Shift+ArrowDown"):
        explorer.page.keyboard.press(key)
    explorer.settled()
    expect(explorer.find(".kt-sources h3")).to_have_text("Of the selection")
    explorer.page.keyboard.press("Escape")
    explorer.settled()
    expect(explorer.find(".kt-sources h3")).to_have_text("Sources")


def test_plus_minus_and_zero_zoom(explorer):
    explorer.translation.focus()
    explorer.settled()
    whole = explorer.pixels()
    for key, same in (("+", False), ("-", True), ("+", False), ("+", False), ("0", True)):
        explorer.page.keyboard.press(key)
        explorer.page.wait_for_function(ZOOMED, arg=[whole, same])


ZOOMED = "([whole, same]) => (document.querySelectorAll('.kt-pane canvas')[1].toDataURL() === whole) === same"


def test_a_source_is_chosen_with_enter(explorer):
    explorer.find(".kt-open").nth(1).focus()
    explorer.page.keyboard.press("Enter")
    explorer.settled()
    expect(explorer.find(".kt-open[aria-pressed=true]")).to_have_count(1)


def active(explorer):
    """Label and state of the node that has the focus."""
    label, expanded = explorer.page.evaluate(ACTIVE)
    assert label, "the focus was lost"
    return int(re.match(r"Node (\d+)", label)[1]), expanded


ACTIVE = "() => ['aria-label', 'aria-expanded'].map(name => document.activeElement.getAttribute(name))"


def test_arrows_walk_through_the_tree_unfolding_it_and_enter_selects(show, coffee):
    explorer = show(coffee.path).unfold_tree()
    page, tree = explorer.page, coffee.translator.banks.banks[0].tree
    explorer.find("[role=treeitem][aria-expanded=false]").first.click(position={"x": 60, "y": 24})
    explorer.settled()
    node, expanded = active(explorer)
    assert expanded == "false"
    page.keyboard.press("ArrowRight")
    explorer.settled()
    assert active(explorer) == (node, "true")
    page.keyboard.press("ArrowRight")
    explorer.settled()
    child, _ = active(explorer)
    assert child in tree.children[node].tolist()
    page.keyboard.press("ArrowDown")
    explorer.settled()
    sibling, _ = active(explorer)
    assert sibling != child
    assert sibling in tree.children[node].tolist()
    page.keyboard.press("Enter")
    explorer.settled()
    expect(explorer.find(".kt-detail")).to_contain_text(f"Node {sibling} of")
    page.keyboard.press("ArrowLeft")
    explorer.settled()
    assert active(explorer)[0] == node


def test_a_slider_is_moved_with_arrows(explorer):
    slider = explorer.root.get_by_role("slider", name="Weight of LL")
    slider.focus()
    explorer.page.keyboard.press("ArrowLeft")
    explorer.settled()
    expect(explorer.find(".kt-bands output").first).to_have_text("0.95")


def test_the_table_is_opened_and_sorted_with_enter(explorer):
    explorer.find(".kt-folder summary").focus()
    explorer.page.keyboard.press("Enter")
    head = explorer.find(".kt-table th button", has_text="Margin")
    head.focus()
    explorer.page.keyboard.press("Enter")
    explorer.settled()
    margins = [float(row[7]) for row in explorer.table_rows() if row[7]]
    assert margins == sorted(margins, reverse=True)
