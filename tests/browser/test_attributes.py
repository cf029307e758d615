"""Attributes as switches: with Python behind a view what is switched is made, in a page nothing can be."""

from __future__ import annotations

import numpy as np
import pytest
from playwright.sync_api import expect
from systems.bridge.conftest import HAS, NAMES, SIDE, WANT
from views.new_systems import portrait

import ktviz as kt
from browser.live import LiveView
from browser.test_looks import FINDINGS, LOOKS

PIXELS = """canvas => {
  const copy = new OffscreenCanvas(canvas.width, canvas.height);
  const context = copy.getContext("2d", { willReadFrequently: true });
  context.drawImage(canvas, 0, 0);
  const { data } = context.getImageData(0, 0, canvas.width, canvas.height);
  return [...data].filter((_, n) => n % 4 < 3);
}"""
NEEDS_PYTHON = "Switching attributes needs a running Python with the model."


@pytest.fixture(scope="module")
def model(tmp_path_factory, paint):
    """The system, and a trace in which the reference was chosen."""
    return portrait(tmp_path_factory.mktemp("faces"), paint)


@pytest.fixture
def live(model, tab):
    """A view with Python behind it."""
    with kt.AttributesView(model[1]) as view:
        yield LiveView(tab(), view).settled()


@pytest.fixture
def page(model, show, tmp_path):
    """`page(**look)`: an exported page."""

    def opened(trace=model[1], view=kt.Explorer, **look):
        with view(trace) as one:
            one.to_html(tmp_path / "page.html", overwrite=True)
        return show(tmp_path / "page.html", **look)

    return opened


def switch(explorer, name):
    return explorer.root.get_by_role("switch", name=f"{name} wanted")


def picture(explorer, title):
    """What a canvas shows: (height, width, 3)."""
    found = explorer.root.get_by_role("img", name=title, exact=True).evaluate(PIXELS)
    return np.array(found, np.uint8).reshape(SIDE, SIDE, 3)


def on(explorer):
    return [name for name in NAMES if switch(explorer, name).is_checked()]


@pytest.mark.parametrize("how", ["page", "live"])
def test_what_was_recorded_is_shown(model, how, request):
    explorer = request.getfixturevalue("page")() if how == "page" else request.getfixturevalue("live")
    _, trace = model
    for title, canvas in (("Source", "input"), ("Reference", "reference:0"), ("Output", "output")):
        assert np.array_equal(picture(explorer, title), trace.picture.canvases[canvas])
    rows = explorer.find(".kt-switches tbody tr").evaluate_all(
        "rows => rows.map(r => [...r.cells].map(c => c.innerText))"
    )
    assert [row[:2] for row in rows] == [[name, "yes" if name in HAS else "no"] for name in NAMES]
    assert [row[3] for row in rows] == ["-1.5", "+1.5", "+1.5", "0"]
    assert on(explorer) == ["Blond", "Hat", "Smile"]
    expect(explorer.find(".kt-switched")).to_contain_text("Ada")


def test_a_page_says_that_switching_needs_python(page):
    explorer = page()
    assert explorer.find(".kt-attributes :is(input, .kt-reset):enabled").count() == 0
    expect(explorer.root.get_by_role("combobox", name="Reference")).to_be_disabled()
    expect(explorer.find(".kt-attributes .kt-note")).to_have_text(NEEDS_PYTHON)
    part = explorer.root.get_by_role("combobox", name="Part that is shown")
    before = picture(explorer, "Part of the code, over the output")
    part.select_option("the source itself")
    assert not np.array_equal(picture(explorer, "Part of the code, over the output"), before)


def test_a_switch_makes_the_picture_again_and_of_a_group_one_is_on(model, live):
    system, trace = model
    switch(live, "Dark").click()
    live.settled()
    assert on(live) == ["Dark", "Hat", "Smile"]
    made = system(trace.picture.canvases["input"], HAS, {"Hat": True})
    assert np.array_equal(picture(live, "Output"), made.output)
    assert np.array_equal(picture(live, "Reference"), made.reference.pixels)
    live.button("As recorded").click()
    live.settled()
    assert on(live) == ["Blond", "Hat", "Smile"]
    assert np.array_equal(picture(live, "Output"), trace.picture.canvases["output"])


def test_keys_switch_and_slide(model, live):
    system, trace = model
    source = trace.picture.canvases["input"]
    switch(live, "Smile").focus()
    live.page.keyboard.press("Space")
    live.settled()
    made = system(source, HAS, {**WANT, "Smile": False})
    assert np.array_equal(picture(live, "Output"), made.output)
    slide = live.root.get_by_role("slider", name="Labels instead of the reference")
    slide.focus()
    for _ in range(5):
        live.page.keyboard.press("ArrowRight")
    live.settled()
    made = system(source, HAS, {**WANT, "Smile": False}, mode="between", alpha=0.05)
    assert np.array_equal(picture(live, "Output"), made.output)
    live.page.keyboard.press("End")
    live.settled()
    expect(live.root.get_by_role("img", name="Reference", exact=True)).to_have_count(0)
    made = system(source, HAS, {**WANT, "Smile": False}, mode="labels")
    assert np.array_equal(picture(live, "Output"), made.output)
    live.root.get_by_role("slider", name="Amount of the difference").focus()
    live.page.keyboard.press("Home")
    live.settled()
    made = system(source, HAS, {**WANT, "Smile": False}, mode="labels", amount=0)
    assert np.array_equal(picture(live, "Output"), made.output)


def test_what_was_recorded_is_asked_again_as_it_was_until_it_is_moved(model, tab):
    system, trace = model
    source = trace.picture.canvases["input"]
    recorded = system.traced(source, HAS, WANT, mode="between", alpha=0.333, amount=4.125)
    with kt.AttributesView(recorded) as view:
        explorer = LiveView(tab(), view).settled()
        expect(explorer.find(".kt-slide output")).to_have_text("× 4.13")  # noqa: RUF001
        switch(explorer, "Smile").click()
        explorer.settled()
        made = system(source, HAS, {**WANT, "Smile": False}, mode="between", alpha=0.333, amount=4.125)
        assert np.array_equal(picture(explorer, "Output"), made.output)


def test_another_reference_is_taken_until_it_lacks_what_is_wanted(model, live):
    system, trace = model
    source = trace.picture.canvases["input"]
    choice = live.root.get_by_role("combobox", name="Reference")
    number = system.banks.source_numbers["refs/faces/c.png"]
    choice.select_option(str(number))
    live.settled()
    made = system(source, HAS, WANT, reference="c.png")
    assert np.array_equal(picture(live, "Output"), made.output)
    switch(live, "Smile").click()  # c smiles
    live.settled()
    expect(live.find(".kt-error")).to_contain_text("it has Smile")
    assert on(live) == ["Blond", "Hat", "Smile"]
    assert np.array_equal(picture(live, "Output"), made.output)


def test_where_labels_are_all_there_is_nothing_slides_towards_a_reference(model, tab):
    system = kt.Bridge(networks=model[0].networks)
    trace = system.traced(model[1].picture.canvases["input"], HAS, WANT, mode="labels")
    with kt.AttributesView(trace) as view:
        explorer = LiveView(tab(), view).settled()
        expect(explorer.root.get_by_role("slider", name="Labels instead of the reference")).to_be_disabled()
        expect(explorer.find(".kt-attributes .kt-note")).to_contain_text("labels are all there is")
        switch(explorer, "Hat").click()
        explorer.settled()
        made = system(trace.picture.canvases["input"], HAS, {"Blond": True}, mode="labels")
        assert np.array_equal(picture(explorer, "Output"), made.output)


@pytest.mark.parametrize("look", LOOKS)
def test_everything_fits_and_assistive_technology_finds_nothing(page, axe, look):
    explorer = page(**LOOKS[look])
    assert explorer.page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    explorer.page.evaluate(axe)
    assert explorer.page.evaluate(FINDINGS) == []


def test_nothing_is_wider_than_a_telephone(page):
    explorer = page(view=kt.AttributesView, width=390)
    assert explorer.page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_live_switches_have_nothing_that_assistive_technology_finds(live, axe):
    live.page.evaluate(axe)
    assert live.page.evaluate(FINDINGS) == []


def test_the_focus_stays_on_the_switch_that_was_used(live):
    switch(live, "Hat").focus()
    live.page.keyboard.press("Space")
    live.settled()
    expect(switch(live, "Hat")).to_be_focused()
