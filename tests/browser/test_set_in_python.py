"""What was set in Python before a page was written is what the page shows."""

import pytest
from playwright.sync_api import expect

import ktviz as kt

IN_SIGHT = """card => {
  const [inner, outer] = [card.getBoundingClientRect(), card.closest(".kt-treebox").getBoundingClientRect()];
  return inner.top >= outer.top && inner.bottom <= outer.bottom && inner.left >= outer.left;
}"""


@pytest.mark.parametrize("place", [0, 3, 40, -1])
def test_a_node_is_unfolded_to_brought_into_sight_and_described(show, coffee, tmp_path, place):
    tree = coffee.translator.banks.banks[0].tree
    node = range(len(tree))[place]
    with kt.TreeView(coffee.translator.banks) as view:
        view.node = ("art/impasto", node)
        view.to_html(tmp_path / "tree.html")
    explorer = show(tmp_path / "tree.html")
    chosen = explorer.find(".kt-node.kt-chosen")
    expect(chosen).to_have_count(1)
    assert chosen.evaluate(IN_SIGHT)
    expect(explorer.find(".kt-detail")).to_contain_text(f"{int(tree.end[node] - tree.start[node]):,} entries")


def test_a_region_is_selected(show, world, paint, tmp_path):
    region, trace = kt.Box(12, 16, 24, 20), world.translator.traced(paint(41, 72, 90))
    with kt.SourcesView(trace) as view:
        view.region = region
        view.to_html(tmp_path / "region.html")
    explorer = show(tmp_path / "region.html")
    expect(explorer.find(".kt-sources h3")).to_have_text("Of the selection")
    expected = trace.sources(region)["share"].iloc[0]
    expect(explorer.find(".kt-share").first).to_contain_text(f"{100 * expected:.0f}")
