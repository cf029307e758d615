"""The map of codes: what a person drags, clicks and points at, live and in a page without Python."""

from __future__ import annotations

import numpy as np
import pytest
from playwright.sync_api import expect
from views.dyes import NAMES, SHELF, Dyer, dyed

import ktviz as kt
from browser.live import LiveView
from browser.test_looks import FINDINGS
from ktviz.explain.projection import Projection, apart

MIXTURE = (0.5, 0, 0.25, 0.25, 0, 0)
USED = np.array(MIXTURE) @ SHELF
MAP = Projection.of(SHELF)
COLOURS = """canvas => {
  const copy = new OffscreenCanvas(canvas.width, canvas.height);
  const context = copy.getContext("2d", { willReadFrequently: true });
  context.drawImage(canvas, 0, 0);
  const at = x => [...context.getImageData(x, canvas.height / 2, 1, 1).data].slice(0, 3);
  return [at(1), at(canvas.width - 2)];
}"""


class Overheard(LiveView):
    """A live view, and the points whose pictures its page asked for."""

    def __init__(self, page, view):
        self.points = []
        super().__init__(page, view)

    def answer(self, said):
        content = said.get("content", {})
        if content.get("kind") == "decode":
            self.points.append(content["body"])
        return super().answer(said)


@pytest.fixture(scope="module")
def dyer():
    return Dyer()


@pytest.fixture(scope="module")
def trace(dyer):
    return dyer.traced(MIXTURE)


@pytest.fixture
def live(tab, trace):
    known = {f"shelf/dyes/{name}.png": dyed(code) for name, code in zip(NAMES, SHELF, strict=True)}
    with kt.Explorer(trace, pictures=known) as view:
        yield Overheard(tab(), view)


@pytest.fixture
def page(show, trace, tmp_path):
    kt.Explorer(trace).to_html(tmp_path / "page.html")
    return show(tmp_path / "page.html")


def place(explorer, code):
    """Where a code is on the screen."""
    found = np.vstack([MAP.places(SHELF), MAP.places(USED)])
    canvas = explorer.find(".kt-map")
    canvas.scroll_into_view_if_needed()
    box = canvas.bounding_box()
    low, high = found.min(0), found.max(0)
    size = np.array([box["width"], box["height"]])
    scale = ((size - 68) / (high - low)).min()
    x, y = (MAP.places(np.asarray(code)) - (low + high) / 2) * (scale, -scale) + size / 2
    return box["x"] + x, box["y"] + y


def drag(explorer, start, end, steps=5):
    mouse = explorer.page.mouse
    mouse.move(*start)
    mouse.down()
    mouse.move(*end, steps=steps)
    mouse.up()
    mouse.move(2, 2)
    return explorer.settled()


def shown(explorer, number):
    """Colours of a picture at its left and at its right border."""
    return explorer.find(".kt-shots canvas").nth(number).evaluate(COLOURS)


def ends(code):
    """The same as Python has them."""
    return dyed(code)[12, [0, -1]].tolist()


def titles(explorer):
    return explorer.find(".kt-neighbours b").all_inner_texts()


def nearest(code):
    return [NAMES[n] for n in np.argsort(apart(SHELF, code), kind="stable")]


def test_at_first_the_point_is_the_used_code_and_nothing_is_asked(live):
    assert live.points == []
    assert shown(live, 0) == shown(live, 1) == ends(USED)
    assert shown(live, 2) == [[0, 0, 0], [0, 0, 0]]
    assert titles(live)[:3] == ["madder", "saffron", "woad"]
    assert live.find(".kt-neighbours").get_by_text("50 % of the used one").count() == 1
    expect(live.button("Back to the used code")).to_be_disabled()
    right, up = MAP.explained
    said = f"The map shows {100 * (right + up):.0f} % of the variance of 6 stored dye codes of 3 numbers"
    expect(live.find(".kt-space")).to_contain_text(said)


def test_the_picture_follows_the_point_that_is_dragged(live):
    drag(live, place(live, USED), place(live, SHELF[2]))
    last = live.points[-1]
    assert last["entry"] == -1
    assert last["moved"] == pytest.approx(MAP.places(SHELF[2]) - MAP.places(USED), abs=2)
    code = MAP.moved(USED, np.array(last["moved"]))
    assert shown(live, 1) == ends(code)
    assert shown(live, 0) == ends(USED)
    assert len(live.points) <= 6
    levels = np.abs(dyed(code).astype(float) - dyed(USED)).mean()
    expect(live.find(".kt-shots figcaption").nth(2)).to_contain_text(f"mean {levels:.1f} of 255")
    assert titles(live) == nearest(code)
    expect(live.find(".kt-space [role=status]")).to_contain_text(f"{apart(code[None], USED)[0]:.2f} from the used code")
    live.button("Back to the used code").click()
    live.settled()
    assert shown(live, 1) == ends(USED)
    assert live.points[-1] == last


def test_a_click_on_a_stored_code_takes_all_of_it(live):
    live.page.mouse.click(*place(live, SHELF[1]))
    live.settled()
    assert live.points[-1] == {"entry": 1, "moved": [0, 0]}
    assert shown(live, 1) == ends(SHELF[1])
    assert titles(live)[0] == "weld"
    expect(live.find(".kt-neighbours [aria-pressed=true]")).to_have_count(1)
    expect(live.find(".kt-space [role=status]")).to_have_text(
        f"All of the code of weld, {apart(SHELF[1:2], USED)[0]:.2f} from the used one."
    )
    start = place(live, SHELF[1])
    drag(live, start, (start[0] + 30, start[1]))
    assert live.points[-1]["entry"] == 1
    assert shown(live, 1) == ends(MAP.moved(SHELF[1], np.array(live.points[-1]["moved"])))


def test_keys_do_what_the_mouse_does(live):
    canvas, keys = live.find(".kt-map"), live.page.keyboard
    canvas.focus()
    keys.press("ArrowRight")
    live.settled()
    step = live.points[-1]["moved"]
    assert step[0] > 0
    assert step[1] == pytest.approx(0, abs=1e-6)
    keys.press("ArrowLeft")
    keys.press("Shift+ArrowUp")
    live.settled()
    assert live.points[-1]["moved"] == pytest.approx([0, 5 * step[0]], abs=1e-6)
    keys.press("Enter")
    live.settled()
    assert live.points[-1]["moved"] == [0, 0]
    assert shown(live, 1) == ends(SHELF[live.points[-1]["entry"]])
    keys.press("Home")
    live.settled()
    assert shown(live, 1) == ends(USED)


def test_a_neighbour_is_taken_with_the_keyboard_and_keeps_the_focus(live):
    button = live.find(".kt-neighbours button").nth(3)
    name = button.locator("b").inner_text()
    button.focus()
    live.page.keyboard.press("Enter")
    live.settled()
    assert live.points[-1] == {"entry": NAMES.index(name), "moved": [0, 0]}
    focused = live.page.evaluate("document.activeElement.querySelector('b').textContent")
    assert focused == name == titles(live)[0]


def test_pointing_at_a_stored_code_names_it_here_and_among_the_sources(live):
    live.page.mouse.move(*place(live, SHELF[3]))
    card = live.find(".kt-space .kt-hovercard")
    expect(card).to_contain_text("saffron")
    expect(card).to_contain_text("Dyer 3")
    expect(card).to_contain_text(f"{apart(SHELF[3:4], USED)[0]:.2f} from the point")
    live.settled()
    expect(live.find(".kt-card.kt-hovered .kt-title")).to_have_text("shelf/dyes/saffron.png")
    live.page.mouse.move(2, 2)
    expect(card).to_be_hidden()


def test_after_a_source_was_left_out_the_used_code_is_that_of_the_new_run(live):
    live.root.get_by_role("checkbox", name="Use shelf/dyes/madder.png").uncheck()
    expect(live.find(".kt-comparison")).to_be_visible()
    live.settled()
    code = (SHELF[2] + SHELF[3]) / 2
    assert shown(live, 0) == ends(code)
    drag(live, place(live, code), place(live, SHELF[5]))
    assert shown(live, 1) == ends(MAP.moved(code, np.array(live.points[-1]["moved"])))
    live.button("Before").click()
    live.settled()
    assert shown(live, 0) == shown(live, 1) == ends(USED)


def test_a_page_says_what_cannot_be_asked_and_map_and_neighbours_answer(page):
    expect(page.find(".kt-space")).to_contain_text("needs a running Python")
    assert page.find(".kt-shots figure:visible").count() == 1
    drag(page, place(page, USED), place(page, SHELF[5]))
    code = MAP.moved(USED, MAP.places(SHELF[5]) - MAP.places(USED))
    assert set(titles(page)[:2]) == set(nearest(code)[:2])
    expect(page.find(".kt-space [role=status]")).to_contain_text("from the used code")
    page.page.mouse.click(*place(page, SHELF[0]))
    page.settled()
    assert titles(page) == nearest(SHELF[0])
    assert page.find(".kt-error:visible").count() == 0


@pytest.mark.parametrize("look", [{"width": 390}, {"width": 1000, "color_scheme": "dark"}, {"width": 1600}])
def test_everything_fits_and_assistive_technology_finds_nothing(tab, trace, axe, look):
    with kt.Explorer(trace) as view:
        explorer = LiveView(tab(**look), view)
        explorer.page.mouse.click(*place(explorer, SHELF[1]))
        explorer.settled()
        assert explorer.page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        explorer.page.evaluate(axe)
        assert explorer.page.evaluate(FINDINGS) == []


def test_the_panel_alone_needs_no_other(tab, trace):
    with kt.CodeSpaceView(trace) as view:
        explorer = LiveView(tab(), view)
        names = explorer.find("section:visible").evaluate_all("all => all.map(one => one.ariaLabel)")
        assert names == ["Code space"]
        drag(explorer, place(explorer, USED), place(explorer, SHELF[2]))
        assert shown(explorer, 1) != ends(USED)


def test_the_panel_alone_says_what_it_lacks(tab, world, paint):
    with kt.CodeSpaceView(world.translator.traced(paint(3, 40, 48))) as view:
        expect(LiveView(tab(), view).find(".kt-space h3")).to_contain_text("There is no map of codes")
