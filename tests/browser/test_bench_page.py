"""The page of a bench: a place that is pointed at, or chosen with keys, shows where every system took it from."""

from __future__ import annotations

import numpy as np
import pytest
from playwright.sync_api import expect
from tiny_systems import material, tiny

import ktviz as kt

CELLS = 8
DATA = """canvas => {
  const context = new OffscreenCanvas(canvas.width, canvas.height).getContext("2d", { willReadFrequently: true });
  context.drawImage(canvas, 0, 0);
  return [...context.getImageData(0, 0, canvas.width, canvas.height).data];
}"""


@pytest.fixture(scope="module")
def found():
    systems = [tiny()[name] for name in ("munit", "bridge")]
    return kt.bench(material("input"), material("reference"), systems, cells=CELLS, runs=0, repeats=0, quiet=True)


@pytest.fixture(scope="module")
def path(found, tmp_path_factory):
    folder = tmp_path_factory.mktemp("bench") / "found"
    found.save(folder)
    return folder / "index.html"


@pytest.fixture
def page(tab, path):
    opened = tab(width=1000, height=900)
    opened.goto(path.as_uri())
    expect(opened.locator("body.ready")).to_be_visible()
    return opened


def shades(page, system):
    """Opacity of the shade over every cell of the reference: (cells, cells)."""
    canvas = page.locator(f"canvas[data-system={system}]")
    return np.array(canvas.evaluate(DATA)).reshape(CELLS, CELLS, 4)[..., 3]


def point(page, down, across):
    """Move to the middle of a cell of the first output."""
    target = page.locator("section .target").first
    target.scroll_into_view_if_needed()
    box = target.bounding_box()
    page.mouse.move(box["x"] + box["width"] * (across + 0.5) / CELLS, box["y"] + box["height"] * (down + 0.5) / CELLS)


def brightest(found, system, cell):
    """The place from which most of a cell comes."""
    return int(found.origins[system].part.toarray()[cell].argmax())


@pytest.mark.parametrize(("down", "across"), [(0, 0), (5, 2), (7, 7)])
def test_the_reference_is_bright_where_each_system_took_a_place_from(page, found, down, across):
    point(page, down, across)
    for system in ("munit", "bridge"):
        dark = shades(page, system)
        known = found.origins[system].part.toarray()[CELLS * down + across]
        assert dark.flat[brightest(found, system, CELLS * down + across)] == 0
        assert (dark.reshape(-1)[known == 0] == dark.max()).all()
    marks = page.locator(".mark").evaluate_all("all => all.map(one => [one.style.left, one.style.top])")
    assert set(map(tuple, marks)) == {(f"{100 * across / CELLS:g}%", f"{100 * down / CELLS:g}%")}


def test_a_click_holds_a_place_until_the_next(page, found):
    point(page, 1, 1)
    page.mouse.down()
    page.mouse.up()
    point(page, 6, 6)
    assert shades(page, "bridge").flat[brightest(found, "bridge", CELLS + 1)] == 0
    page.mouse.down()
    page.mouse.up()
    assert shades(page, "bridge").flat[brightest(found, "bridge", 6 * CELLS + 6)] == 0


def test_keys_choose_a_place_and_it_is_spoken(page, found):
    page.locator("section .target").first.focus()
    start = CELLS // 2 * CELLS + CELLS // 2
    for key, cell in (("ArrowRight", start + 1), ("ArrowUp", start + 1 - CELLS)):
        page.keyboard.press(key)
        assert shades(page, "bridge").flat[brightest(found, "bridge", cell)] == 0
    expect(page.locator("#spoken")).to_contain_text("bridge: ")
    place = brightest(found, "bridge", start + 1 - CELLS)
    expect(page.locator(".said[data-system=bridge]")).to_contain_text(
        f"{place % CELLS + 1} across, {place // CELLS + 1} down"
    )


@pytest.mark.parametrize("width", [390, 1000, 1600])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_assistive_technology_finds_nothing_to_complain_about_and_nothing_sticks_out(tab, path, axe, width, scheme):
    page = tab(width=width, color_scheme=scheme)
    page.goto(path.as_uri())
    page.evaluate(axe)
    found = page.evaluate("async () => (await axe.run()).violations.map(one => `${one.id}: ${one.nodes[0].html}`)")
    assert found == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_without_a_script_pictures_tables_and_maps_are_there(tab, path):
    page = tab(java_script_enabled=False)
    page.goto(path.as_uri())
    expect(page.locator("section.system")).to_have_count(2)
    expect(page.locator("section.system .cells")).to_have_count(2)
    expect(page.locator(".mark").first).to_be_hidden()
