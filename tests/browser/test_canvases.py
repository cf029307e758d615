"""Sites with other canvases and outputs, of other sizes, and queries that are regions: in a page and with Python."""

from __future__ import annotations

import numpy as np
import pytest
from playwright.sync_api import expect
from views.canvases import ASKING, AWAY, BACK, DISK, DOT, LABELLED, PARTS, REFERENCE, RING, SIZE, THERE

import ktviz as kt

X = "\N{MULTIPLICATION SIGN}"
CAPTIONS = {
    THERE: [f"Input, 64 {X} 48 px", f"Output, 128 {X} 96 px"],
    AWAY: [f"Reference, 40 {X} 60 px", f"Output, back, 60 {X} 20 px"],
    LABELLED: [f"Labels, 64 {X} 48 px", f"Output, 128 {X} 96 px"],
}
COLOURS = """(canvas, points) => {
  const copy = new OffscreenCanvas(canvas.width, canvas.height);
  const context = copy.getContext("2d", { willReadFrequently: true });
  context.drawImage(canvas, 0, 0);
  const k = canvas.width / canvas.getBoundingClientRect().width;
  return points.map(([x, y]) => [...context.getImageData(x * k, y * k, 1, 1).data].slice(0, 3));
}"""


@pytest.fixture(scope="module")
def trace(studio):
    return studio[1]


@pytest.fixture(params=["page", "live"])
def explorer(request):
    """The same, without Python and with it."""
    return request.getfixturevalue(f"{request.param}_view")


def turn(explorer, site):
    explorer.root.get_by_role("combobox", name="Site", exact=True).select_option(site)
    expect(explorer.find(".kt-pane figcaption").first).to_have_text(CAPTIONS[site][0])
    return explorer.settled()


def shape(canvas):
    box = canvas.bounding_box()
    return box["width"] / box["height"]


def colours(explorer, canvas, points, size):
    """Of a canvas, at points in px of the scene's."""
    box = canvas.bounding_box()
    places = [(x * box["width"] / size[1], y * box["height"] / size[0]) for x, y in points]
    return np.array(canvas.evaluate(COLOURS, places))


def test_every_site_shows_its_own_pictures_in_their_shape(explorer, trace):
    for site in (AWAY, THERE, LABELLED):
        turn(explorer, site)
        assert explorer.find(".kt-pane figcaption").all_inner_texts() == CAPTIONS[site]
        about = trace.site(site).site_about
        for pane, name in ((explorer.photo, about["canvas"]), (explorer.translation, about["output"])):
            pixels = trace.picture.canvases[name]
            height, width = pixels.shape[:2]
            assert shape(pane) == pytest.approx(width / height, rel=0.02)
            at = (0.97, 0.97)  # in a corner, away from outlines
            (found,) = colours(explorer, pane, [at], (1, 1))
            expected = pixels[int(at[1] * height), int(at[0] * width)]
            assert np.abs(found - expected.astype(int)).max() < 60  # a JPEG in pages
    expect(explorer.find(".kt-error")).to_be_hidden()


def test_a_region_of_another_canvas_is_drawn_and_counted(explorer, trace):
    turn(explorer, AWAY)
    for pane in (explorer.photo, explorer.translation):
        explorer.clear()
        explorer.settled()
        start, end = explorer.point(20.2, 50.2, REFERENCE, pane), explorer.point(39.8, 59.8, REFERENCE, pane)
        explorer.page.mouse.move(*start)
        explorer.page.mouse.down()
        explorer.page.mouse.move(*end)
        explorer.page.mouse.up()
        explorer.settled()
        share = trace.site(AWAY).sources(kt.Box(20, 50, 20, 10)).set_index("source")["share"]
        assert {name: text for name, text in explorer.shares().items() if text != "0 %"} == {
            name: f"{100 * part:.0f} %" for name, part in share.items() if part
        }


def test_all_panes_show_the_same_part_when_zoomed(explorer):
    turn(explorer, AWAY)
    explorer.photo.scroll_into_view_if_needed()
    x, y = explorer.point(31, 46, REFERENCE, explorer.photo)
    explorer.page.mouse.move(x, y)
    explorer.page.keyboard.down("Control")
    explorer.page.mouse.wheel(0, -400)
    explorer.page.keyboard.up("Control")
    explorer.open_table()
    for canvas in (explorer.photo, explorer.translation):
        explorer.page.mouse.click(*explorer.point(31, 46, REFERENCE, canvas))  # the fixed point of the zoom
        explorer.settled()
        assert [row[0] for row in explorer.table_rows()] == ["19"]  # row 4, column 3 of 4
        explorer.clear()
        explorer.settled()


def test_wiping_compares_canvas_and_output(explorer):
    turn(explorer, AWAY)
    explorer.button("Wipe").click()
    explorer.settled()
    expect(explorer.find(".kt-pane figcaption")).to_have_text(f"Reference | Output, back, 60 {X} 20 px")
    assert shape(explorer.translation) == pytest.approx(BACK[1] / BACK[0], rel=0.02)


@pytest.mark.parametrize("pane", [0, 1])
def test_the_pointer_finds_the_region_it_is_in(explorer, pane):
    canvas = explorer.find(".kt-pane .kt-picture").nth(pane)
    places = {RING: (10, 20), DISK: (22, 20), PARTS: (50, 36), DOT: (50.5, 24.5)}
    explorer.open_table()
    for number, at in places.items():
        explorer.page.mouse.click(*explorer.point(*at, SIZE, canvas))
        explorer.settled()
        heads = explorer.find(".kt-table th").all_inner_texts()
        assert [row[heads.index("Region")] for row in explorer.table_rows()] == [str(number)]
    assert not {"x, cells", "y, cells"} & set(heads)
    for nowhere in ((22, 14), (52, 20), (2, 46)):  # in the hole of the ring, between parts, where nobody asks
        explorer.page.mouse.move(*explorer.point(*nowhere, SIZE, canvas))
        expect(explorer.card).to_be_hidden()
        explorer.page.mouse.click(*explorer.point(*nowhere, SIZE, canvas))
        explorer.settled()
        assert len(explorer.table_rows()) == len(ASKING)  # nothing is selected


def test_outlines_run_along_the_region_and_not_around_its_box(explorer):
    explorer.page.mouse.click(*explorer.point(50, 36, SIZE))  # of two parts, 44 to 60 across, down to 12 and from 30
    explorer.settled()
    explorer.page.mouse.move(2, 2)
    outline, box_alone = [(44, 6), (60, 6), (44, 36), (52, 30)], [(44, 20), (60, 20)]
    before = colours(explorer, explorer.translation, outline + box_alone, SIZE)
    explorer.clear()
    explorer.settled()
    explorer.page.mouse.click(*explorer.point(22, 20, SIZE))
    explorer.settled()
    explorer.page.mouse.move(2, 2)
    after = colours(explorer, explorer.translation, outline + box_alone, SIZE)
    changed = np.abs(before.astype(int) - after).max(1) > 40
    assert changed.tolist() == [True] * len(outline) + [False] * len(box_alone)


def test_maps_fill_regions(explorer, trace):
    clear = colours(explorer, explorer.translation, [(22, 13.5), (10, 20)], SIZE)
    explorer.root.get_by_role("combobox", name="Overlay").select_option("similarity")
    explorer.settled()
    filled = colours(explorer, explorer.translation, [(22, 13.5), (10, 20)], SIZE)
    hole, ring = np.abs(filled.astype(int) - clear).max(1)
    assert hole == 0
    assert ring > 30


def test_the_keyboard_walks_from_region_to_region(explorer):
    explorer.open_table()
    explorer.translation.focus()
    seen = []
    for key in ["ArrowLeft"] * len(ASKING) + ["ArrowRight"] * len(ASKING):
        explorer.page.keyboard.press(key)
        explorer.settled()
        seen.append(explorer.find(".kt-table tr.kt-chosen td").first.inner_text())
    assert seen[len(ASKING) - 1 :] == ["0", "1", "2", "3", "3"]


def test_python_and_the_page_speak_of_the_same_region(live_view):
    live_view.set(region=kt.Box(20, 18, 3, 3))
    assert live_view.shares()["b.png"] == "100 %"
    live_view.click(50.5, 24.5, SIZE)
    assert live_view.view.selection.to_pandas()["label"].tolist() == [DOT]


def test_without_a_source_the_output_of_the_site_is_another(live_view):
    turn(live_view, AWAY)
    at = [(18, 18)]
    (before,) = colours(live_view, live_view.translation, at, REFERENCE)
    live_view.root.get_by_role("checkbox", name="Use a.png").uncheck()
    expect(live_view.find(".kt-pane figcaption").nth(1)).to_have_text(f"Output, back after, 60 {X} 20 px")
    live_view.settled()
    (after,) = colours(live_view, live_view.translation, at, REFERENCE)
    assert np.abs(before.astype(int) + after - 255).max() < 4
    assert live_view.find(".kt-pane figcaption").first.inner_text() == CAPTIONS[AWAY][0]
    assert shape(live_view.find(".kt-pane .kt-picture").nth(2)) == pytest.approx(BACK[1] / BACK[0], rel=0.02)
    live_view.button("Before").click()
    live_view.settled()
    (again,) = colours(live_view, live_view.translation, at, REFERENCE)
    assert again.tolist() == before.tolist()


def test_no_panel_is_empty(explorer):
    for site in (AWAY, LABELLED):
        turn(explorer, site)
        expect(explorer.find(".kt-tree, .kt-bands")).to_have_count(0)
        assert explorer.find("section:visible").evaluate_all("all => all.every(one => one.innerText.trim() !== '')")


def test_assistive_technology_finds_nothing_to_complain_about(page_view, axe):
    page_view.page.evaluate(axe)
    found = page_view.page.evaluate(
        "async () => (await axe.run('.kt-view')).violations.filter(one => ['serious', 'critical'].includes(one.impact))"
        ".map(one => one.id)"
    )
    assert found == []
