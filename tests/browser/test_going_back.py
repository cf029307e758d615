"""What a person leaves out in a live view, thing by thing; translations to go back to; and a page of both traces."""

from __future__ import annotations

import numpy as np
import pytest
from playwright.sync_api import expect

import ktviz as kt
from browser.explorer_driver import ExplorerDriver
from browser.live import LiveView
from browser.test_looks import FINDINGS
from ktviz.library.library import Library
from ktviz.licences import readable
from ktviz.systems.kt.translator import Translator
from ktviz.trace.groups import GROUPS

pytestmark = pytest.mark.slow
HEIGHT, WIDTH = SIZE = (72, 90)
CREATORS = {"a": "Ada", "b": "Ben", "c": "Ada"}


@pytest.fixture(scope="module")
def credited(tmp_path_factory, pictures, toy, toy_decoder, settings, paint):
    """A translator, and a trace of five sources of two banks, three of them with creators."""
    root = tmp_path_factory.mktemp("credited")
    rows = [f"{name}.png,Picture {name},{who},CC0-1.0" for name, who in CREATORS.items()]
    (root / "credits.csv").write_text("\n".join(["file,title,creator,licence", *rows]), encoding="utf-8")
    library = Library.ensure(root / "credited.ktlib", toy, settings)
    library.build("art/warm", [pictures / "warm"], credits=root / "credits.csv", encoder=toy, quiet=True)
    library.build("art/cool", [pictures / "cool"], encoder=toy, quiet=True)
    translator = Translator(library["art"], toy, toy_decoder)
    return translator, translator.traced(paint(41, HEIGHT, WIDTH), align=0)


@pytest.fixture(scope="module")
def trace(credited):
    return credited[1]


@pytest.fixture
def live(tab, trace):
    with kt.Explorer(trace) as view:
        yield LiveView(tab(), view)


def names(trace):
    return trace.sources()["source"].tolist()


def described(trace, name):
    return next(source for source in trace.about["sources"] if source["source"] == name)


def tried(live):
    return live.find(".kt-tried button")


def painted(live):
    """The output that the view shows, as pixels by Python."""
    return live.settled().view.shown.output


def test_all_of_a_creator_is_left_out_and_each_thing_is_taken_back_alone(live, trace):
    live.find(".kt-by").select_option("creator")
    live.find(".kt-groups").get_by_label("Use creator Ada").uncheck()
    expect(live.find(".kt-comparison")).to_contain_text("without everything by Ada")
    expect(tried(live)).to_have_count(2)
    assert live.settled().view.by == "creator"
    live.set(by="source")
    expect(live.find(".kt-groups")).to_be_hidden()
    gone = [name for name in names(trace) if name[-5] in "ac"]
    assert np.array_equal(painted(live), kt.without(trace, gone).output)
    live.find(".kt-cards input:enabled").first.uncheck()
    items = live.find(".kt-items li")
    expect(items).to_have_count(2)
    assert live.find(".kt-cards input:disabled").count() == 2  # they come back together, or not at all
    live.settled()
    items.filter(has_text="Ada").get_by_role("button").click()
    expect(items.first).to_be_hidden()
    live.settled()
    assert len(live.view.shown.picture.settings["without"]) == 1


@pytest.mark.parametrize("by", GROUPS)
def test_people_are_shown_instead_of_files_with_the_sums_that_python_finds(live, trace, by):
    region = kt.Box(10, 10, 40, 30)
    live.set(region=region, by=by)
    found = kt.attribute(trace, region, by=by).frame
    rows = live.find(".kt-groups li")
    expect(rows).to_have_count(len(found))
    expect(live.find(".kt-cards")).to_be_hidden()
    live.settled()
    shares = live.find(".kt-groups .kt-share").all_text_contents()
    told = [float(said.removesuffix(" %")) for said in shares]
    assert told == pytest.approx((100 * found["share"]).tolist(), abs=0.51)
    names = [name for name in live.find(".kt-groups strong").all_text_contents() if not name.endswith(" unknown")]
    assert names == [readable(name) for name in found[by] if name != "unknown"]


def test_a_click_on_a_creator_selects_all_that_they_gave(live, trace):
    live.set(by="creator")
    live.find(".kt-groups .kt-open").filter(has_text="Ada").click()
    selected = live.settled().view.selection.to_pandas()
    painters = trace.to_pandas().query("chosen")
    creators = {source["source"]: source.get("creator") for source in trace.about["sources"]}
    assert sorted(selected["query"]) == sorted(painters["query"][painters["source"].map(creators) == "Ada"])
    live.find(".kt-groups .kt-open").filter(has_text="Ada").click()
    assert len(live.settled().view.selection) == 0


def test_a_page_shows_people_as_its_view_does(tab, trace, tmp_path):
    with kt.SourcesView(trace, by="creator") as view:
        view.to_html(tmp_path / "people.html")
        assert "<th>creator</th>" in view._repr_mimebundle_()[0]["text/html"]
    page = tab()
    page.goto((tmp_path / "people.html").as_uri())
    expect(page.locator(".kt-groups li")).to_have_count(3)
    page.locator(".kt-by").select_option("source")
    expect(page.locator(".kt-groups")).to_be_hidden()
    expect(page.locator(".kt-cards canvas").first).to_be_visible()


def test_a_part_that_is_drawn_on_a_source_is_left_out(live, trace):
    card = live.find(".kt-card").first
    box = card.locator("canvas").bounding_box()
    live.page.mouse.move(box["x"] + 1, box["y"] + 1)
    live.page.mouse.down()
    live.page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2, steps=3)
    live.page.mouse.up()
    live.settled()
    assert live.view._selected["kind"] == "none"  # it was no click
    card.get_by_role("button", name="Leave this part out").click()
    expect(live.find(".kt-comparison")).to_contain_text("without a part of")
    live.settled()
    (gone,) = live.view.shown.picture.settings["without"]
    assert gone["source"] == names(trace)[0]
    about = described(trace, gone["source"])
    width, height = about["width"], about["height"]
    assert gone["box"]["width"] == pytest.approx(width / 2, abs=0.04 * width + 2)
    assert gone["box"]["height"] == pytest.approx(height / 2, abs=0.04 * height + 2)


def test_what_a_selection_took_of_a_source_is_left_out(live, trace):
    live.drag((10, 10), (60, 50), SIZE)
    card = live.find(".kt-card").first
    card.get_by_role("button", name="Leave out what the selection took").click()
    expect(live.find(".kt-comparison")).to_contain_text("of ")
    live.settled()
    title = card.locator(".kt-title").inner_text()
    (source,) = {part["source"] for part in live.view.shown.picture.settings["without"]}
    assert title in (described(trace, source)["title"], source)
    rows = trace[kt.Box(10, 10, 50, 40)]
    mine = rows.column("source") == source
    again = live.view.shown
    took = {tuple(box) for box in rows.column("source_box")[mine].tolist()}
    now = {tuple(box) for box in again.column("source_box")[again.column("source") == source].tolist()}
    assert took
    assert not took & now


def test_translations_stand_in_a_strip_and_are_shown_by_a_click(live, trace):
    outputs = []
    for number in range(2):
        live.find(".kt-card input").nth(number).uncheck()
        expect(tried(live)).to_have_count(2 + number)
        expect(live.find(".kt-comparison")).to_be_visible()
        expect(live.find(".kt-tried")).to_be_visible(visible=number > 0)  # a single one has its switch
        outputs.append(painted(live))
    expect(tried(live).nth(2)).to_have_attribute("aria-pressed", "true")
    tried(live).nth(1).click()
    expect(tried(live).nth(1)).to_have_attribute("aria-pressed", "true")
    assert painted(live) is outputs[0] or np.array_equal(painted(live), outputs[0])
    expect(live.find(".kt-card input").nth(1)).to_be_checked()
    tried(live).first.click()
    expect(live.button("After")).to_be_hidden()
    live.settled()
    assert live.view.showing == "before"
    expect(live.find(".kt-card input").first).to_be_checked()
    tried(live).nth(2).click()
    expect(live.button("After")).to_be_visible()
    assert np.array_equal(painted(live), outputs[1])


@pytest.mark.parametrize(("width", "scheme"), [(1400, "light"), (390, "dark")])
def test_what_is_left_out_fits_and_axe_finds_nothing_serious(tab, live, width, scheme, axe):
    for number in range(2):
        live.find(".kt-card input").nth(number).uncheck()
        expect(tried(live)).to_have_count(2 + number)
        live.settled()
    page = tab(width=width, color_scheme=scheme)
    again = LiveView(page, live.view)
    expect(tried(again)).to_have_count(3)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    page.evaluate(axe)
    assert again.page.evaluate(FINDINGS) == []


@pytest.mark.parametrize("showing", ["before", "after"])
def test_a_page_holds_both_traces_and_the_switch(tab, live, trace, tmp_path, showing):
    live.find(".kt-card input").first.uncheck()
    expect(live.find(".kt-comparison")).to_be_visible()
    live.settled()
    live.set(showing=showing)
    live.view.to_html(tmp_path / "both.html")
    page = tab()
    page.goto((tmp_path / "both.html").as_uri())
    found = ExplorerDriver(page).settled()
    expect(found.button(showing.capitalize())).to_have_attribute("aria-pressed", "true")
    expect(found.find(".kt-heirs")).to_contain_text("Who took over")
    expect(found.button("Close comparison")).to_be_hidden()
    lost = trace.column("source") == names(trace)[0]
    x, y, width, height = trace.column("box")[lost][lost.sum() // 2].tolist()
    shown = {}
    for name in ("Before", "After"):
        for view in (found, live):
            view.button(name).click()
            view.clear()
            shares = view.shares()
            view.click(x + width / 2, y + height / 2, SIZE)
            told = shares, view.find(".kt-tree .kt-note").inner_text(), view.candidates()
            assert shown.setdefault(name, told) == told
    assert shown["Before"] != shown["After"]
