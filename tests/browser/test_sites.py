"""The switch between the sites of a trace, in a page and with Python behind it."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect
from views.several_sites import LAST, SIDE, SITES, several_sites

import ktviz as kt
from ktviz.errors import TraceError
from ktviz.widgets import page as page_module

SIZE = (SIDE, SIDE)


@pytest.fixture(scope="module")
def several():
    return several_sites()[1]


@pytest.fixture
def trace(several):
    """Of several sites."""
    return several


@pytest.fixture(params=["page", "live"])
def explorer(request):
    """The same, without Python and with it."""
    return request.getfixturevalue(f"{request.param}_view")


def site(explorer):
    return explorer.root.get_by_role("combobox", name="Site", exact=True)


def direction(explorer):
    return explorer.root.get_by_role("combobox", name="Direction", exact=True)


def turn(explorer, name):
    site(explorer).select_option(name)
    return arrived(explorer, name)


def arrived(explorer, name):
    rows, _ = SITES[name]
    expect(explorer.find(".kt-header")).to_contain_text(f"{rows**2} retrievals")
    expect(site(explorer)).to_have_value(name)
    return explorer.settled()


def check_shows(explorer, several, name):
    """Retrievals and shares are those of the site."""
    shares = several.site(name).sources().set_index("source")["share"]
    found = {title: share for title, share in explorer.shares().items() if share != "0 %"}
    assert found == {source: f"{100 * share:.0f} %" for source, share in shares.items() if share}
    assert list(explorer.shares().values())[: len(found)] == list(found.values())  # largest first


def test_every_site_can_be_chosen(explorer, several):
    expect(site(explorer)).to_have_value(LAST)
    check_shows(explorer, several, LAST)
    for name in SITES:
        check_shows(turn(explorer, name), several, name)
    expect(explorer.find(".kt-error")).to_be_hidden()


def test_the_direction_of_a_site_can_be_turned(explorer, several):
    expect(direction(explorer)).to_have_count(0)  # the vote has none
    turn(explorer, "fine, there")
    expect(direction(explorer)).to_have_value("A → B")
    direction(explorer).select_option("B → A")
    check_shows(arrived(explorer, "fine, back"), several, "fine, back")
    expect(direction(explorer)).to_have_value("B → A")


def test_the_keyboard_reaches_the_switch_and_stays_there(explorer):
    site(explorer).focus()
    explorer.page.keyboard.press("ArrowUp")
    arrived(explorer, "fine, back")
    expect(site(explorer)).to_be_focused()
    explorer.page.keyboard.press("ArrowUp")
    arrived(explorer, "coarse, back")
    expect(site(explorer)).to_be_focused()


def test_each_site_keeps_its_selection_and_all_the_same_overlay(explorer):
    explorer.root.get_by_role("combobox", name="Overlay").select_option("source")
    explorer.drag((1, 1), (15, 15), SIZE)
    shares = explorer.shares()
    expect(explorer.find(".kt-sources h3")).to_have_text("Of the selection")
    turn(explorer, "coarse, there")
    expect(explorer.find(".kt-sources h3")).to_have_text("Sources")
    expect(explorer.root.get_by_role("combobox", name="Overlay")).to_have_value("source")
    turn(explorer, LAST)
    expect(explorer.find(".kt-sources h3")).to_have_text("Of the selection")
    assert explorer.shares() == shares


def test_pictures_are_there_at_every_site(explorer):
    before = explorer.pixels()
    turn(explorer, "fine, there")
    explorer.page.mouse.move(2, 2)
    explorer.clear()
    assert len(explorer.settled().pixels()) > len(before) / 4
    assert explorer.find(".kt-pane canvas").first.evaluate(
        "canvas => new Set(canvas.getContext('2d').getImageData(0, 0, canvas.width, 1).data).size > 20"
    )


def test_python_switches_the_page_too(live_view, several):
    live_view.set(site="coarse, back")
    check_shows(arrived(live_view, "coarse, back"), several, "coarse, back")
    live_view.set(region=kt.Box(0, 0, 10, 10))
    expect(live_view.find(".kt-sources h3")).to_have_text("Of the selection")


def test_python_hears_of_the_switch_and_of_what_is_selected_there(live_view, several):
    turn(live_view, "fine, there")
    assert live_view.view.site == "fine, there"
    live_view.click(3, 3, SIZE)
    assert live_view.view.selection.to_pandas()["site"].tolist() == ["fine, there"]


def test_a_site_that_python_cannot_show_is_told_and_the_other_stays(live_view, several):
    def refuse(name):
        raise TraceError("view a site", "it is gone", "Choose another")

    live_view.view._subject_at = refuse
    site(live_view).select_option("fine, back")
    expect(live_view.find(".kt-error")).to_contain_text("it is gone")
    expect(site(live_view)).to_have_value(LAST)
    check_shows(live_view.settled(), several, LAST)


def test_sites_that_a_page_has_no_room_for_are_named(show, several, tmp_path, monkeypatch):
    monkeypatch.setattr(page_module, "further_scenes", lambda view, room: [])
    kt.Explorer(several).to_html(tmp_path / "small.html")
    explorer = show(tmp_path / "small.html")
    expect(explorer.find(".kt-sites")).to_contain_text("No room in this page for coarse, there, coarse, back, ")
    assert site(explorer).locator("option:not(:disabled)").all_inner_texts() == [LAST]


def test_a_trace_of_one_site_has_no_switch(show, several, tmp_path):
    kt.Explorer(several.site(LAST)).to_html(tmp_path / "one.html")
    expect(show(tmp_path / "one.html").find(".kt-sites")).to_be_hidden()


@pytest.mark.parametrize("kind", [kt.SourcesView, kt.TableView])
def test_a_panel_alone_has_the_switch(show, several, tmp_path, kind):
    kind(several).to_html(tmp_path / "alone.html")
    explorer = show(tmp_path / "alone.html")
    site(explorer).select_option("fine, there")
    expect(site(explorer)).to_have_value("fine, there")
    explorer.settled()
    expect(explorer.find(".kt-error")).to_be_hidden()


def test_assistive_technology_finds_nothing_to_complain_about(page_view, axe):
    turn(page_view, "fine, there")
    page_view.page.evaluate(axe)
    found = page_view.page.evaluate(
        "async () => (await axe.run('.kt-view')).violations.filter(one => ['serious', 'critical'].includes(one.impact))"
        ".map(one => one.id)"
    )
    assert found == []
