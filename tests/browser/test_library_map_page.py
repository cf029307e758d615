"""The library map in a browser: density when far, pictures when near, an entry and its neighbours, a drawing."""

import re

import pytest
from playwright.sync_api import expect

import ktviz as kt
from browser.live import Connected

SYNCED = ("_scene", "_marked", "_entry")
FRAME_MS = 16


@pytest.fixture
def places(world, toy):
    with kt.LibraryMap(world.banks, encoder=toy) as made:
        yield made


@pytest.fixture
def live(tab, places):
    page = tab(width=1200)
    live = Connected(page, places, SYNCED)
    expect(page.locator(".kt-mapnote")).to_contain_text("1.0")
    return live


def painted(page):
    """Pixels of the map that are not empty."""
    return page.locator(".kt-mapcanvas").evaluate(
        """c => c.getContext("2d").getImageData(0, 0, c.width, c.height).data
            .reduce((n, v, i) => n + (i % 4 === 3 && v > 0), 0)"""
    )


def zoomed_in(page, times=7):
    button = page.get_by_role("button", name="Zoom in")
    for _ in range(times):
        button.click()


def test_the_map_shows_all_entries_then_single_ones(live, places):
    page = live.page
    expect(page.locator(".kt-map header")).to_contain_text(f"{len(places.points):,} entries")
    page.wait_for_function("performance.getEntriesByName('ktviz-map-frame').length > 1")
    assert painted(page) > 1000
    page.locator(".kt-mapcanvas").focus()
    page.keyboard.press("Enter")
    expect(page.locator(".kt-mapcard h3")).not_to_be_empty()
    entry = places.entry
    assert entry is not None
    expect(page.locator(".kt-mapcard")).to_contain_text(f"Entry {entry:,}")
    near = page.locator(".kt-mapneighbours button")
    expect(near).to_have_count(8)
    near.nth(0).click()
    expect(page.locator(".kt-mapcard")).not_to_contain_text(f"Entry {entry:,} ")
    assert places.entry not in (None, entry)
    page.locator(".kt-mapcanvas").focus()
    page.keyboard.press("Escape")
    expect(page.locator(".kt-mapcard")).to_contain_text("Click a point")
    assert places.entry is None


def test_zoomed_in_the_note_counts_what_is_there(live):
    zoomed_in(live.page, 3)
    expect(live.page.locator(".kt-mapnote")).to_contain_text(re.compile(r"8\.0.: (\d|Zoom)"))


def test_an_entry_that_is_set_in_python_is_shown(live):
    live.set(entry=5)
    expect(live.page.locator(".kt-mapcard")).to_contain_text("Entry 5")
    live.set(marked=[1, 1, 2])
    expect(live.page.locator(".kt-mapnote")).to_contain_text("circles")


def test_a_drawing_is_searched_for(live):
    pad = live.page.locator(".kt-mappad").bounding_box()
    live.page.mouse.move(pad["x"] + 20, pad["y"] + 20)
    live.page.mouse.down()
    live.page.mouse.move(pad["x"] + 140, pad["y"] + 120, steps=5)
    live.page.mouse.up()
    live.page.get_by_role("button", name="Search", exact=True).click()
    expect(live.page.locator(".kt-mapcard")).to_contain_text("What the drawing finds")
    expect(live.page.locator(".kt-mapneighbours button")).to_have_count(8)


def test_a_source_can_be_shown_alone_and_nothing_is_hard_to_read(live, axe):
    before = painted(live.page)
    row = live.page.locator(".kt-mapsource").first
    row.click()
    expect(row).to_have_attribute("aria-pressed", "true")
    live.page.wait_for_function("n => document.querySelector('.kt-mapcanvas') && n > 0", arg=before)
    live.page.evaluate(axe)
    found = live.page.evaluate("axe.run(document.querySelector('.kt-map'), {runOnly: ['wcag2a', 'wcag2aa']})")
    assert [(one["id"], [node["html"] for node in one["nodes"]]) for one in found["violations"]] == []


def test_a_frame_takes_less_than_a_sixtieth_of_a_second(live):
    zoomed_in(live.page, 4)
    times = live.page.evaluate("performance.getEntriesByName('ktviz-map-frame').map(one => one.duration)")
    assert sorted(times)[len(times) // 2] < FRAME_MS
