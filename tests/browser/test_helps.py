"""The first minute, the words explained, a class, and files to take home."""

import csv
import io
import xml.etree.ElementTree as ET

import pytest
from PIL import Image
from playwright.sync_api import expect

import ktviz as kt
from browser.explorer_driver import ExplorerDriver
from browser.live import LiveView

SVG = "{http://www.w3.org/2000/svg}"
SIZE = (64, 96)


@pytest.fixture
def trace(world, paint):
    return world.translator.traced(paint(3, 64, 96))


@pytest.fixture
def live(tab, trace):
    """With Python behind it, in a page that can remember: one without an address cannot."""
    page = tab()
    page.add_init_script(
        "Object.defineProperty(window, 'localStorage', { value: { getItem: () => null, setItem() {} } })"
    )
    page.goto("about:blank")
    with kt.Explorer(trace) as view:
        yield LiveView(page, view)


def saved(view, kind, path):
    """A file of the "Save" menu."""
    with view.page.expect_download() as taken:
        view.find("select[aria-label='Save what is selected']").select_option(kind)
    taken.value.save_as(path)
    return taken.value.suggested_filename


def test_the_first_minute_goes_on_with_what_is_done_and_is_never_offered_again(show, trace, tmp_path, world):
    kt.Explorer(trace).to_html(tmp_path / "page.html")
    view = show(tmp_path / "page.html", width=1200)
    tour = view.find(".kt-tour")
    tour.get_by_role("button", name="New here? Three steps").click()
    expect(tour).to_contain_text("1 of 2: Drag")
    view.drag((10, 10), (60, 40), SIZE)
    expect(tour).to_contain_text("2 of 2: Click")
    view.page.mouse.click(*view.point(30, 30, SIZE))
    expect(tour).to_have_count(0)
    view.page.reload()
    ExplorerDriver(view.page).settled()
    expect(view.find(".kt-tour")).to_have_count(0)


def test_the_first_minute_can_be_dismissed(page_view):
    page_view.page.get_by_role("button", name="Dismiss the first steps").click()
    expect(page_view.find(".kt-tour")).to_have_count(0)
    page_view.page.reload()
    ExplorerDriver(page_view.page).settled()
    expect(page_view.find(".kt-tour")).to_have_count(0)


def test_with_python_the_third_step_is_a_counterfactual(tab, trace, live):
    tour = live.find(".kt-tour")
    tour.get_by_role("button", name="New here? Three steps").click()
    tour.get_by_role("button", name="Next").click()
    tour.get_by_role("button", name="Next").click()
    expect(tour).to_contain_text("3 of 3: Untick")
    live.find(".kt-card input[type=checkbox]").first.uncheck()
    expect(tour).to_have_count(0)


def test_words_are_explained_that_the_view_uses(page_view, axe):
    page_view.button("What the words mean").click()
    words = page_view.find(".kt-glossary")
    for term in ("Margin", "Spread", "LL, LH, HL, HH", "Visits", "Share"):
        expect(words.locator("dt", has_text=term)).to_be_visible()
    page_view.page.evaluate(axe)
    found = page_view.page.evaluate("axe.run(document.querySelector('.kt-glossary'), {runOnly: ['wcag2a', 'wcag2aa']})")
    assert found["violations"] == []
    page_view.page.keyboard.press("Escape")
    expect(words).to_be_hidden()


def test_a_class_sees_one_panel_at_a_time_in_large_type(page_view):
    page_view.button("Projector").click()
    translation, tree = page_view.find(".kt-translation"), page_view.find(".kt-tree")
    expect(translation).to_be_visible()
    expect(tree).to_be_hidden()
    assert page_view.find(".kt-title").first.evaluate("el => getComputedStyle(el).fontSize") == "20px"
    page_view.page.keyboard.press("ArrowRight")
    expect(translation).to_be_hidden()
    expect(tree).to_be_visible()
    expect(page_view.find(".kt-slides")).to_contain_text("2 /")
    page_view.page.keyboard.press("ArrowLeft")
    expect(translation).to_be_visible()
    page_view.button("Leave").click()
    for part in (translation, tree):
        expect(part).to_be_visible()
    assert page_view.find(".kt-title").first.evaluate("el => getComputedStyle(el).fontSize") != "20px"


def test_what_is_selected_is_saved_as_a_picture_a_drawing_and_a_table(page_view, trace, tmp_path):
    page_view.drag((16, 8), (64, 40), SIZE)
    assert saved(page_view, "Picture (PNG)", tmp_path / "one.png") == "output.png"
    assert Image.open(tmp_path / "one.png").size == (48, 32)
    assert saved(page_view, "Retrievals (CSV)", tmp_path / "one.csv") == "retrievals.csv"
    rows = list(csv.DictReader(io.StringIO((tmp_path / "one.csv").read_text(encoding="utf-8"))))
    shown = trace.painting()
    with kt.Explorer(trace) as known:
        known.region = kt.Box(16, 8, 48, 32)
        assert [int(row["query"]) for row in rows] == list(known.selection.queries)
        names = known.selection.to_pandas().set_index("query")["source"]
    assert all(names[int(row["query"])] == row["source"] for row in rows)
    assert len(rows) < len(shown)
    assert saved(page_view, "Curves (SVG)", tmp_path / "one.svg") == "curves.svg"
    drawn = ET.parse(tmp_path / "one.svg").getroot()
    assert len(drawn.findall(f"{SVG}path")) == 2 * len(page_view.find(".kt-middle").all()) > 0
    assert len(drawn.findall(f"{SVG}image")) >= 3
    said = " ".join(text.text for text in drawn.findall(f"{SVG}text"))
    assert "Output" in said
    assert "%" in said


def test_the_table_finds_rows(page_view, trace):
    page_view.open_table()
    find, told = page_view.find(".kt-find"), page_view.find(".kt-table header .kt-faint")
    find.fill("similarity>2")
    expect(told).to_contain_text(f"0 of {len(trace.painting()):,}")
    name = trace.painting().sources()["source"].iloc[0]
    find.fill(name)
    count = int((trace.painting().winners["source"].to_numpy() == name).sum())
    expect(told).to_contain_text(f"{count:,} of")
    with page_view.page.expect_download() as taken:
        page_view.button("Save as CSV").click()
    assert len(taken.value.path().read_text().splitlines()) == count + 1
