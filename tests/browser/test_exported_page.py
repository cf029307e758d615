"""An exported page answers to mouse, wheel and sliders as the trace says, without network and without Python."""

from __future__ import annotations

import csv
import io
import re
import statistics

import numpy as np
import pytest
from playwright.sync_api import expect

import ktviz as kt
from browser.explorer_driver import percent
from ktviz.explain.bands import reweigh
from ktviz.explain.pieces import pieces
from ktviz.figures.maps import nearest

SIZE = (512, 512)
PAGE_BYTES = 4_000_000
REGION = kt.Box(128, 192, 160, 96)


@pytest.fixture(scope="module")
def places(coffee):
    """Place of the winner nearest to every pixel."""
    return nearest(coffee.trace)


@pytest.fixture(scope="module")
def titles(coffee):
    """Titles of the sources by name."""
    return {source["source"]: source["title"] for source in coffee.trace.about["sources"]}


def drag(explorer, box):
    return explorer.drag((box.x + 0.4, box.y + 0.4), (box.right - 0.4, box.bottom - 0.4), SIZE)


def expected_shares(trace, titles, region=None):
    rows = trace.sources(region)
    return {titles[name]: share for name, share in zip(rows["source"], rows["share"], strict=True)}


def test_a_page_of_a_translation_of_512_px_stays_under_4_mb(coffee):
    assert coffee.path.stat().st_size <= PAGE_BYTES


def test_all_parts_are_drawn(explorer):
    for name in ("Translation", "Sources", "Cluster tree", "Band matches"):
        expect(explorer.root.get_by_role("region", name=name, exact=True)).to_be_visible()
    assert explorer.find(".kt-curves path").count() > 0
    assert explorer.find(".kt-step.kt-by-winner").count() == 3
    assert explorer.unfold_tree().find("[role=treeitem]").count() > 3
    assert len(explorer.candidates()) == 8
    expect(explorer.find(".kt-error")).to_be_hidden()


@pytest.mark.parametrize("point", [(40, 40), (256, 256), (470, 90), (33, 480)])
def test_hovering_shows_the_winner(explorer, coffee, places, titles, point):
    place = places[point[1], point[0]]
    explorer.hover(*point, SIZE)
    expect(explorer.card).to_be_visible()
    expect(explorer.card).to_contain_text(titles[coffee.trace.column("source")[place]])
    expect(explorer.card).to_contain_text(f"similarity {coffee.trace.column('similarity')[place]:.3f}")


def test_leaving_the_picture_hides_what_hovering_showed(explorer):
    explorer.hover(256, 256, SIZE)
    expect(explorer.card).to_be_visible()
    explorer.page.mouse.move(2, 2)
    expect(explorer.card).to_be_hidden()


def test_hovering_highlights_within_16_ms(explorer):
    explorer.hover(20, 30, SIZE)
    for corner in ((490, 480), (20, 250), (490, 30)):
        explorer.page.mouse.move(*explorer.point(*corner, SIZE), steps=50)
    durations = explorer.measures("ktviz-hover")
    assert len(durations) >= 100
    assert statistics.median(durations) <= 16


def test_a_dragged_region_shows_the_shares_of_the_trace(explorer, coffee, titles):
    drag(explorer, REGION)
    expect(explorer.find(".kt-sources h3")).to_have_text("Of the selection")
    expected = expected_shares(coffee.trace, titles, REGION)
    assert explorer.shares() == {title: percent(share) for title, share in expected.items()}
    assert list(explorer.shares()) == list(expected)


def test_a_region_is_answered_within_100_ms(explorer):
    times = [explorer.page.evaluate(REGION_TIME, 40 * step) for step in range(5)]
    assert statistics.median(times) <= 100


REGION_TIME = """shift => {
  document.querySelector(".kt-clear").click();
  const canvas = document.querySelectorAll(".kt-pane canvas")[1];
  const box = canvas.getBoundingClientRect();
  const at = (type, x, y) => canvas.dispatchEvent(new PointerEvent(type, {
    clientX: box.left + x, clientY: box.top + y, button: 0, pointerId: 1, bubbles: true }));
  canvas.setPointerCapture = () => undefined;
  const heading = document.querySelector(".kt-sources h3");
  const frame = () => new Promise(requestAnimationFrame);
  return (async () => {
    do await frame(); while (document.querySelector(".kt-view").dataset.state !== "settled");
    at("pointerdown", shift, 60); at("pointermove", shift + 140, 150);
    const start = performance.now();
    at("pointerup", shift + 140, 150);
    const answered = performance.now() - start; // drawing it is another matter
    while (heading.textContent === "Sources") await frame();
    return answered;
  })();
}"""


def test_clearing_brings_back_the_whole_picture(explorer, coffee, titles):
    before = explorer.shares()
    drag(explorer, REGION)
    explorer.clear()
    explorer.settled()
    assert explorer.shares() == before == {t: percent(s) for t, s in expected_shares(coffee.trace, titles).items()}
    expect(explorer.find(".kt-sources h3")).to_have_text("Sources")


def test_clicking_a_source_shows_everywhere_it_went(explorer, coffee, titles):
    explorer.open_table()
    name = coffee.trace.sources()["source"][1]
    explorer.find(".kt-open").filter(has_text=titles[name]).click()
    explorer.settled()
    won = int((coffee.trace.column("source") == name).sum())
    expect(explorer.find(".kt-table [role=status]")).to_have_text(f"{won:,} selected")
    expect(explorer.find(".kt-open[aria-pressed=true]")).to_contain_text(titles[name])
    explorer.find(".kt-open[aria-pressed=true]").click()
    explorer.settled()
    expect(explorer.find(".kt-open[aria-pressed=true]")).to_have_count(0)


def test_every_overlay_changes_the_picture_and_prints_its_scale(explorer, coffee):
    choice = explorer.root.get_by_role("combobox", name="Overlay")
    shown = {"none": explorer.pixels()}
    for name in choice.locator("option").evaluate_all("options => options.map(o => o.value)")[1:]:
        choice.select_option(name)
        explorer.settled()
        shown[name] = explorer.pixels()
        expect(explorer.find(".kt-legend")).not_to_be_empty()
    assert ("piece" in shown) == bool(len(pieces(coffee.trace)))
    assert len(set(shown.values())) == len(shown) >= 5
    choice.select_option("none")
    explorer.settled()
    assert explorer.pixels() == shown["none"]


def test_the_overlay_of_sources_has_the_winners_colours(explorer, coffee, places):
    explorer.root.get_by_role("combobox", name="Overlay").select_option("source")
    explorer.settled()
    for x, y in ((100, 100), (300, 220), (420, 400)):
        near = places[y - 6 : y + 7, x - 6 : x + 7]
        if len(set(coffee.trace.column("source")[near].ravel())) > 1:
            continue
        expected = explorer.find(".kt-open").nth(
            coffee.trace.sources()["source"].tolist().index(coffee.trace.column("source")[places[y, x]])
        )
        colour = expected.locator(".kt-chip").evaluate("chip => getComputedStyle(chip).backgroundColor")
        want = np.array([int(part) for part in re.findall(r"\d+", colour)[:3]])
        got = explorer.translation.evaluate(PIXEL, [x / SIZE[1], y / SIZE[0]])
        painted = coffee.trace.output[y - 1 : y + 2, x - 1 : x + 2].mean((0, 1))
        assert np.abs(np.array(got) - (0.78 * want + 0.22 * painted)).max() < 16


PIXEL = """(canvas, [x, y]) => [...canvas.getContext("2d").getImageData(
  Math.round(x * canvas.width), Math.round(y * canvas.height), 1, 1).data].slice(0, 3)"""


def test_wiping_shows_photo_and_translation_in_one(explorer):
    wipe = explorer.button("Wipe")
    wipe.click()
    explorer.settled()
    expect(wipe).to_have_attribute("aria-pressed", "true")
    expect(explorer.find(".kt-pane")).to_have_count(1)
    half = explorer.pixels()
    explorer.drag((256, 256), (400, 256), SIZE)
    assert explorer.pixels() != half
    expect(explorer.find(".kt-sources h3")).to_have_text("Sources")
    wipe.click()
    explorer.settled()
    expect(explorer.find(".kt-pane")).to_have_count(2)


def test_zooming_goes_down_to_single_patches_and_hovering_still_finds_them(explorer, coffee, places, titles):
    whole = explorer.pixels()
    for _ in range(4):
        explorer.button("Zoom in").click()
    explorer.page.wait_for_function(
        "whole => document.querySelectorAll('.kt-pane canvas')[1].toDataURL() !== whole", arg=whole
    )
    explorer.settled()
    explorer.hover(256, 256, SIZE)  # the middle stays in the middle
    place = places[256, 256]
    expect(explorer.card).to_contain_text(titles[coffee.trace.column("source")[place]])
    explorer.button("Fit the whole picture").click()
    explorer.settled()
    explorer.page.mouse.move(2, 2)
    explorer.settled()
    assert explorer.pixels() == whole


def test_the_wheel_scrolls_the_page_and_zooms_only_with_control(show, coffee):
    explorer = show(coffee.path, height=700)
    page, whole = explorer.page, explorer.pixels()
    explorer.hover(256, 256, SIZE)
    page.mouse.wheel(0, 200)
    page.wait_for_function("scrollY > 0")
    page.evaluate("scrollTo(0, 0)")
    explorer.hover(256, 256, SIZE)
    page.keyboard.down("Control")
    page.mouse.wheel(0, -300)
    page.keyboard.up("Control")
    explorer.page.mouse.move(2, 2)
    explorer.settled()
    assert explorer.pixels() != whole


def path_of(coffee, query):
    row = coffee.trace.column("query").tolist().index(query)
    return [int(node) for node in coffee.trace.winners["kt.path"][row].as_py()]


def nodes(cards):
    """Numbers of nodes that are in sight."""
    labels = cards.evaluate_all("cards => cards.map(card => card.getAttribute('aria-label'))")
    return {int(found[1]) for label in labels if (found := re.match(r"Node (\d+)", label))}


def told_path(explorer):
    """The winner's way as the line below the tree tells it."""
    told = explorer.find(".kt-tree .kt-note").inner_text()
    return [int(node) for node in re.findall(r"→ (\d+) \(", told)]


def test_the_lit_path_is_that_of_the_clicked_retrieval(explorer, coffee, places):
    for x, y in ((100, 100), (400, 330)):
        explorer.click(x, y, SIZE)
        query = int(coffee.trace.column("query")[places[y, x]])
        path = path_of(coffee, query)
        assert told_path(explorer) == path
        assert {path[-1]} <= nodes(explorer.unfold_tree().find(".kt-node.kt-lit")) <= {0, *path}


def test_a_click_on_a_retrieval_selects_it_alone(explorer, coffee, places):
    explorer.open_table()
    explorer.click(100, 100, SIZE)
    query = int(coffee.trace.column("query")[places[100, 100]])
    assert [row[0] for row in explorer.table_rows()] == [str(query)]


def test_nodes_unfold_and_fold_with_the_mouse(show, coffee):
    tree = coffee.translator.banks.banks[0].tree
    explorer = show(coffee.path).unfold_tree()
    number = min(nodes(explorer.find("[role=treeitem][aria-expanded=false]")))
    card = explorer.find(f"[role=treeitem][aria-label^='Node {number},']")
    for expanded in ("true", "false"):
        card.locator(".kt-fold").click()
        explorer.settled()
        expect(card).to_have_attribute("aria-expanded", expanded)
        below = nodes(explorer.find("[role=treeitem]")) & set(tree.children[number].tolist())
        assert bool(below) == (expanded == "true")
    card.click(position={"x": 60, "y": 24})
    explorer.settled()
    expect(explorer.find(".kt-detail")).to_contain_text(f"Node {number} of")
    expect(explorer.find(".kt-detail")).to_contain_text(f"{int(tree.end[number] - tree.start[number]):,} entries")


def test_moving_a_bands_weight_ranks_anew_as_python_does(explorer, coffee, places):
    explorer.click(256, 300, SIZE)
    query = int(coffee.trace.column("query")[places[300, 256]])
    weights = (0.2, 1, 1, 1.5)
    for band, weight in zip(("LL", "LH", "HL", "HH"), weights, strict=True):
        explorer.root.get_by_role("slider", name=f"Weight of {band}").fill(str(weight))
    explorer.settled()
    then = reweigh(coffee.trace, weights).set_index("query")
    shown = explorer.candidates()
    assert shown == sorted(shown, reverse=True)
    assert shown[0] == pytest.approx(then["similarity_then"][query], abs=2e-3)
    explorer.button("Reset").click()
    explorer.settled()
    recorded = coffee.trace.column("similarity", winners=False)[coffee.trace.column("query", winners=False) == query]
    assert explorer.candidates() == pytest.approx(sorted(recorded, reverse=True), abs=5.1e-4)


def test_how_many_would_change_is_counted_as_python_does(explorer, coffee):
    drag(explorer, kt.Box(0, 0, 120, 120))
    explorer.root.get_by_role("slider", name="Weight of LL").fill("0")
    explorer.settled()
    then = reweigh(coffee.trace, (0, 1, 1, 0)).set_index("query")
    inside = coffee.trace[kt.Box(0, 0, 120, 120)].column("query")
    told = explorer.find(".kt-bands [role=status]").inner_text()
    changed, total = (int(number.replace(",", "")) for number in re.search(r"([\d,]+) of the ([\d,]+)", told).groups())
    assert total == len(inside)
    assert abs(changed - int(then["changes"][inside].sum())) <= 1 + len(inside) // 50  # bands are kept with few digits


def test_without_python_nothing_offers_to_translate_again(explorer):
    expect(explorer.button("Translate with these weights")).to_be_disabled()
    for box in explorer.root.get_by_role("checkbox").all():
        expect(box).to_be_disabled()
    expect(explorer.find(".kt-sources [role=status]")).to_contain_text("needs a running Python")


def test_the_table_sorts_and_copies_itself_as_csv(explorer, coffee):
    drag(explorer, kt.Box(0, 0, 64, 64))
    explorer.open_table()
    part = coffee.trace[kt.Box(0, 0, 64, 64)]
    head = explorer.find(".kt-table th button", has_text="Similarity")
    head.click()
    down = [float(row[6]) for row in explorer.table_rows()]
    assert down == sorted(down, reverse=True)
    expect(explorer.find(".kt-table th[aria-sort=descending]")).to_have_text("Similarity")
    head.click()
    assert [float(row[6]) for row in explorer.table_rows()] == sorted(down)
    explorer.button("Copy as CSV").click()
    expect(explorer.find(".kt-table [role=status]")).to_have_text(f"{len(part)} rows copied")
    rows = list(csv.DictReader(io.StringIO(explorer.page.evaluate("navigator.clipboard.readText()"))))
    order = np.argsort(part.column("similarity"), kind="stable")
    assert [int(row["query"]) for row in rows] == part.column("query")[order].tolist()
    assert [row["source"] for row in rows] == part.column("source")[order].tolist()
    similarity = np.array([float(row["similarity"]) for row in rows])
    assert np.allclose(similarity, part.column("similarity")[order], atol=1e-6)
    assert [int(row["entry"]) for row in rows] == part.column("entry")[order].tolist()
