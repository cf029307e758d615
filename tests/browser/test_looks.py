"""Light and dark, narrow and wide: everything fits, and assistive technology finds nothing to complain about."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from browser.explorer_driver import ExplorerDriver

SIZE = (512, 512)
LOOKS = {
    "light": {"color_scheme": "light"},
    "dark": {"color_scheme": "dark"},
    "narrow": {"width": 600},
    "wide": {"width": 1600},
}
FINDINGS = """async () => (await axe.run()).violations
  .filter(found => ["serious", "critical"].includes(found.impact))
  .map(found => `${found.id}: ${found.nodes.slice(0, 3).map(node => node.html.slice(0, 160)).join(" | ")}`)"""


@pytest.fixture(scope="module", params=LOOKS)
def look(request, open_tab, coffee):
    """The page in one look, and its name."""
    with open_tab(**LOOKS[request.param]) as page:
        page.goto(coffee.path.as_uri())
        yield request.param, ExplorerDriver(page).settled()


def select_and_open(explorer):
    explorer.reset().drag((128, 128), (256, 220), SIZE)
    return explorer.open_table()


def test_the_theme_is_that_of_the_system(look):
    name, explorer = look
    theme = "dark" if name == "dark" else "light"
    expect(explorer.root).to_have_attribute("data-theme", theme)
    background = explorer.root.evaluate("root => getComputedStyle(root).backgroundColor")
    assert (
        sum(int(part) for part in background[4:-1].split(",")[:3]) < 200
        if theme == "dark"
        else background == "rgb(255, 255, 255)"
    )


def test_nothing_is_wider_than_the_page(look):
    _, explorer = look
    for state in (explorer.reset, lambda: select_and_open(explorer)):
        state()
        assert explorer.page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_parts_are_beside_each_other_where_there_is_room(look):
    name, explorer = look
    translation, sources, tree, bands = (
        explorer.root.get_by_role("region", name=part, exact=True).bounding_box()
        for part in ("Translation", "Sources", "Cluster tree", "Band matches")
    )
    if name == "narrow":
        tops = [box["y"] for box in (translation, sources, tree, bands)]
        assert tops == sorted(tops)
        assert len({round(box["x"]) for box in (translation, sources, tree, bands)}) == 1
    else:
        assert translation["y"] == pytest.approx(sources["y"], abs=60)
        assert sources["x"] > translation["x"] + translation["width"]
        assert bands["x"] > tree["x"] + tree["width"] - 1


def test_axe_finds_nothing_serious_at_first(explorer, axe):
    explorer.page.evaluate(axe)
    assert explorer.page.evaluate(FINDINGS) == []


def test_axe_finds_nothing_serious_with_a_selection_and_an_open_table(look, axe):
    _, explorer = look
    explorer.page.evaluate(axe)
    assert select_and_open(explorer).page.evaluate(FINDINGS) == []
