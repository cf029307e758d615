"""Zooming and moving pictures and trees: by wheel, drag, double click and touch; at once, without animation."""

from __future__ import annotations

import pytest

SIZE = (512, 512)
TREE = ".kt-nodes"
TAP = """(box, [x, y]) => {
  const frame = box.getBoundingClientRect();
  const touch = new Touch({ identifier: 1, target: box, clientX: frame.left + x, clientY: frame.top + y });
  for (let n = 0; n < 2; n++) {
    const more = { bubbles: true, cancelable: true, view: window, changedTouches: [touch] };
    box.dispatchEvent(new TouchEvent("touchstart", { ...more, touches: [touch], targetTouches: [touch] }));
    box.dispatchEvent(new TouchEvent("touchend", { ...more, touches: [], targetTouches: [] }));
  }
}"""
"""Two taps of a finger, one soon after the other."""


@pytest.fixture
def page(show, coffee):
    """A page of its own: a tree's zoom outlives `reset`."""
    return show(coffee.path, has_touch=True).unfold_tree()


def transform(explorer):
    return explorer.find(TREE).evaluate("nodes => nodes.style.transform")


def still(explorer):
    """Whether two frames later the tree lies where it lies now."""
    before = transform(explorer)
    explorer.page.evaluate("new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")
    return transform(explorer) == before


def middle(explorer, selector):
    """Of an element, on the screen."""
    found = explorer.find(selector).first
    found.scroll_into_view_if_needed()
    box = found.bounding_box()
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def drag(explorer, start, across, down):
    mouse = explorer.page.mouse
    mouse.move(*start)
    mouse.down()
    mouse.move(start[0] + across, start[1] + down, steps=4)
    mouse.up()
    return explorer.settled()


@pytest.mark.parametrize("by", ["shift", "button"])
def test_a_zoomed_picture_is_moved_by_dragging(page, by):
    page.button("Zoom in").click()
    page.settled()
    zoomed = page.pixels()
    if by == "button":
        page.button("Move").click()
    else:
        page.page.keyboard.down("Shift")
    drag(page, page.point(256, 256, SIZE), -60, -40)
    page.page.keyboard.up("Shift")
    page.page.mouse.move(2, 2)
    page.settled()
    assert page.pixels() != zoomed
    assert page.find(".kt-sources h3").inner_text() == "Sources"  # nothing was selected by it


def test_a_tree_is_zoomed_by_wheel_and_buttons_and_moved_by_dragging(page):
    x, y = middle(page, ".kt-treebox")
    seen = [transform(page)]

    def changed():
        page.settled()
        assert still(page)
        seen.append(transform(page))
        return seen[-1] != seen[-2]

    page.page.mouse.move(x, y)
    page.page.keyboard.down("Control")
    page.page.mouse.wheel(0, 120)
    page.page.keyboard.up("Control")
    assert changed()
    page.button("Zoom the tree in").click()
    assert changed()
    empty = page.find(".kt-treebox").bounding_box()
    drag(page, (empty["x"] + 5, empty["y"] + 5), 40, 20)
    assert changed()
    page.button("Fit the tree").click()
    assert changed()


def test_a_double_click_unfolds_a_node_and_zooms_nothing(page):
    scale = transform(page).split("scale")[1]
    folded = page.find(".kt-node[aria-expanded=false]")
    count = page.find(".kt-node").count()
    folded.first.dispatch_event("dblclick")
    page.settled()
    assert page.find(".kt-node").count() != count
    assert transform(page).split("scale")[1] == scale
    page.translation.dblclick()
    page.settled()


def test_two_taps_of_a_finger_zoom_a_tree_at_once(page):
    middle(page, ".kt-treebox")
    before = transform(page)
    page.find(".kt-treebox").evaluate(TAP, [20, 20])
    page.settled()
    assert transform(page) != before
    assert still(page)
    whole = page.pixels()
    page.translation.evaluate(TAP, [20, 20])  # on a picture they mean nothing: it takes two fingers
    page.settled()
    assert page.pixels() == whole
