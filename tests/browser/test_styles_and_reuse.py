"""Objects and their styles, an exemplar and its cells: what a person clicks and points at, in a page and live."""

from __future__ import annotations

import numpy as np
import pytest
from playwright.sync_api import expect
from views.new_systems import room, street

import ktviz as kt
from browser.live import LiveView
from browser.test_looks import FINDINGS

CAR = 3000
BRIGHTNESS = """canvas => {
  const copy = new OffscreenCanvas(canvas.width, canvas.height);
  const context = copy.getContext("2d", { willReadFrequently: true });
  context.drawImage(canvas, 0, 0);
  const { data } = context.getImageData(0, 0, canvas.width, canvas.height);
  return data.reduce((sum, value, n) => (n % 4 < 3 ? sum + value : sum), 0) / (0.75 * data.length);
}"""


@pytest.fixture(scope="module")
def objects(tmp_path_factory):
    """A system with styles, and a trace."""
    return street(tmp_path_factory.mktemp("street"))


@pytest.fixture(scope="module")
def mixture(paint):
    """A system that mixes cells, and a trace."""
    return room(paint)


@pytest.fixture
def drawn(request, show, tab, tmp_path):
    """`drawn(trace, how)`: a view of a trace as a page, or with Python behind it."""

    def view_of(trace, how):
        view = kt.Explorer(trace)
        request.addfinalizer(view.close)
        if how == "live":
            return LiveView(tab(), view)
        view.to_html(tmp_path / "page.html")
        return show(tmp_path / "page.html")

    return view_of


def inside(trace, label):
    """A point of an object."""
    y, x = np.argwhere(trace.picture.labels("input") == label)[len(trace) // 2]
    return x + 0.5, y + 0.5


def size_of(trace):
    return trace.picture.labels("input").shape


def click(explorer, trace, label):
    explorer.click(*inside(trace, label), size_of(trace))
    expect(explorer.find(".kt-codes h3")).to_have_text(f"Style of car {label}")
    return explorer.settled()


def taken(explorer):
    return explorer.find(".kt-style.kt-taken .kt-showstyle b").inner_text()


@pytest.mark.parametrize("how", ["page", "live"])
def test_a_click_on_an_object_shows_its_style_the_distances_and_who_is_behind_it(objects, drawn, how):
    system, trace = objects
    explorer = click(drawn(trace, how), trace, CAR)
    look = system.styles(trace).look(CAR)
    style = system.styles(trace).styles[look.taken]
    assert taken(explorer) == style.name
    assert explorer.find(".kt-style .kt-far").all_inner_texts() == [f"{apart:.3f}" for apart in look.apart]
    widths = explorer.find(".kt-far i").evaluate_all("bars => bars.map(bar => parseFloat(bar.style.width))")
    assert widths == pytest.approx((100 * look.apart / look.apart.max()).tolist(), abs=0.01)
    members = explorer.find(".kt-members figure")
    assert members.count() == len(style.members)
    assert explorer.find(".kt-members canvas").count() == members.count()
    creators = [about["creator"] for about in system.styles(trace).sources(style.members)]
    assert members.locator("span:nth-child(2)").all_inner_texts() == creators
    if look.small:
        expect(explorer.find(".kt-behind")).to_contain_text(f"{look.small} more object")
    expect(explorer.unfold_tree().find(".kt-tree .kt-node.kt-lit").last).to_contain_text(style.name)


def test_a_page_says_that_another_style_needs_python(objects, drawn):
    explorer = click(drawn(objects[1], "page"), objects[1], CAR)
    assert explorer.find(".kt-usestyle:enabled, .kt-copy:enabled").count() == 0
    expect(explorer.find(".kt-codes .kt-note")).to_contain_text("needs a running Python")
    other = explorer.find(".kt-style:not(.kt-taken) .kt-showstyle").first
    other.click()
    expect(explorer.find(".kt-behind h4")).to_contain_text(other.locator("b").inner_text())
    assert explorer.find(".kt-members figure").count() > 0


def test_another_style_draws_the_object_again_and_says_what_it_changed(objects, drawn):
    _, trace = objects
    explorer = click(drawn(trace, "live"), trace, CAR)
    first = taken(explorer)
    row = explorer.find(".kt-style:not(.kt-taken)").first
    name = row.locator(".kt-showstyle b").inner_text()
    row.locator(".kt-usestyle").click()
    expect(explorer.find(".kt-style.kt-taken .kt-showstyle b")).to_have_text(name)
    explorer.settled()
    effect = explorer.find(".kt-comparison")
    expect(effect).to_contain_text(f"car {CAR} like {name}: inside its mask the picture changed by")
    assert explorer.view.shown.picture.settings["styles"] == [[CAR, int(name.split()[-1])]]
    explorer.button("Before").click()
    expect(explorer.find(".kt-style.kt-taken .kt-showstyle b")).to_have_text(first)
    explorer.settled()
    explorer.button("Close comparison").click()
    expect(explorer.button("After")).to_be_hidden()
    explorer.settled()


def test_a_style_is_copied_to_the_object_that_is_clicked_and_to_no_other(objects, drawn):
    _, trace = objects
    explorer = click(drawn(trace, "live"), trace, CAR)
    explorer.button("Copy its style …").click()
    expect(explorer.find(".kt-picking")).to_contain_text(f"like car {CAR}")
    explorer.click(*inside(trace, 1), size_of(trace))  # the sky: of another class
    expect(explorer.button("After")).to_be_hidden()
    explorer.click(*inside(trace, CAR + 1), size_of(trace))
    expect(explorer.find(".kt-comparison")).to_contain_text(f"car {CAR + 1} like object {CAR}")
    explorer.settled()
    assert explorer.view.shown.picture.settings["copies"] == [[CAR + 1, CAR]]


def test_escape_ends_the_copying(objects, drawn):
    _, trace = objects
    explorer = click(drawn(trace, "live"), trace, CAR)
    explorer.button("Copy its style …").click()
    expect(explorer.find(".kt-picking")).to_be_visible()
    explorer.photo.focus()
    explorer.page.keyboard.press("Escape")
    expect(explorer.find(".kt-picking")).to_be_hidden()
    explorer.click(*inside(trace, CAR + 1), size_of(trace))
    expect(explorer.find(".kt-codes h3")).to_have_text(f"Style of car {CAR + 1}")
    explorer.settled()


@pytest.mark.parametrize("how", ["page", "live"])
def test_pointing_at_a_reused_cell_lights_what_it_feeds(mixture, drawn, how):
    system, trace = mixture
    explorer = drawn(trace, how)
    fed = system.fed(trace).ravel()
    most = np.argsort(-fed, kind="stable")[:12]
    cells = explorer.find(".kt-cell")
    assert cells.locator("b").all_inner_texts() == [f"{fed[n]:.{2 if fed[n] < 10 else 1}f} cells" for n in most]
    output = explorer.find(".kt-pane canvas").last
    before = output.evaluate(BRIGHTNESS)
    cells.nth(1).hover()
    explorer.settled()
    assert output.evaluate(BRIGHTNESS) < 0.9 * before
    rows = trace.to_pandas()
    mine = rows[rows["entry"] == most[1]]
    expect(explorer.find(".kt-reuse .kt-note")).to_contain_text(f"in {len(mine)} place")
    left = fed[most[1]] - mine["weight"].sum()
    expect(explorer.find(".kt-reuse .kt-note")).to_contain_text(f"{max(0, left):.2f} cells are left over")
    explorer.page.mouse.move(2, 2)
    explorer.settled()
    assert output.evaluate(BRIGHTNESS) == pytest.approx(before, rel=0.01)


@pytest.mark.parametrize("how", ["page", "live"])
def test_the_card_names_the_cells_that_are_mixed_and_what_is_left_over(mixture, drawn, how):
    _, trace = mixture
    explorer = drawn(trace, how)
    explorer.page.mouse.move(*explorer.point(22, 14, trace.size, explorer.photo))
    expect(explorer.card).to_be_visible()
    rows = trace.to_pandas()
    mine = rows[rows["query"] == 3 * 14 + 5].sort_values("rank")
    assert explorer.card.locator(".kt-part").count() == len(mine)
    entropy = mine["cocosnet.entropy"].iloc[0]
    expect(explorer.card).to_contain_text(f"entropy {entropy:.2f} of at most {np.log(9 * 13):.2f} nats")
    expect(explorer.card).to_contain_text("left over")


def test_the_mixed_picture_is_beside_input_and_output_until_it_is_put_away(mixture, drawn):
    explorer = drawn(mixture[1], "page")
    captions = explorer.find(".kt-translation figcaption")
    assert captions.all_inner_texts() == ["Input", "Output, warped", "Output"]
    explorer.button("Output, warped").click()
    explorer.settled()
    assert captions.all_inner_texts() == ["Input", "Output"]


def test_entropy_has_a_scale_that_ends_where_all_cells_give_alike(mixture, drawn):
    explorer = drawn(mixture[1], "page")
    explorer.root.get_by_role("combobox", name="Overlay").select_option("entropy")
    explorer.settled()
    explorer.button("Whole scale").click()
    explorer.settled()
    expect(explorer.find(".kt-translation .kt-legend")).to_contain_text(f"{np.log(9 * 13):.2f} nats: all give alike")
    explorer.button("Stretch to these").click()
    expect(explorer.settled().find(".kt-translation .kt-legend")).not_to_contain_text("all give alike")


@pytest.mark.parametrize("which", ["objects", "mixture"])
@pytest.mark.parametrize("width", [600, 1280])
def test_everything_fits_and_assistive_technology_finds_nothing(request, which, width, show, tmp_path, axe):
    _, trace = request.getfixturevalue(which)
    with kt.Explorer(trace) as view:
        view.to_html(tmp_path / "page.html")
    explorer = show(tmp_path / "page.html", width=width)
    assert explorer.page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    explorer.page.evaluate(axe)
    assert explorer.page.evaluate(FINDINGS) == []


@pytest.mark.parametrize("how", [kt.StylesView, kt.ReuseView])
def test_a_panel_alone_stands_below_the_pictures_that_it_speaks_of(objects, mixture, tab, how):
    _, trace = objects if how is kt.StylesView else mixture
    with how(trace) as view:
        explorer = LiveView(tab(), view)
        names = explorer.find("section:visible").evaluate_all("all => all.map(one => one.ariaLabel)")
        assert names == ["Translation", "Sources", "Styles" if how is kt.StylesView else "Reuse"]
        assert explorer.find(".kt-style, .kt-cell").count() > 0


@pytest.mark.parametrize("how", [kt.StylesView, kt.ReuseView])
def test_a_panel_alone_says_what_it_lacks(objects, mixture, tab, how):
    _, trace = mixture if how is kt.StylesView else objects
    with how(trace) as view:
        explorer = LiveView(tab(), view)
        expect(explorer.find(".kt-codes .kt-note, .kt-reuse .kt-note")).to_have_text(
            "Nothing here takes a style."
            if how is kt.StylesView
            else "These candidates are not cells of one source that are mixed."
        )
