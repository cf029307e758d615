"""The tree of a bank of codes in a page: classes, centres and members, and the way of an object."""

from __future__ import annotations

import numpy as np
import pytest
from playwright.sync_api import expect
from systems.pix2pixhd.conftest import library_of, networks_of, world

import ktviz as kt
from ktviz.systems.pix2pixhd.system import Pix2PixHD


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    """A page of two sites, and the trace that it shows."""
    folder, networks = tmp_path_factory.mktemp("codes"), networks_of(0)
    system = Pix2PixHD(library_of(folder, networks, [world(n) for n in range(4)])["street/toy"], networks)
    trace = system.traced(*world(100)[1:], choice="nearest", reference=world(55))
    kt.Explorer(trace).to_html(folder / "page.html")
    return trace, folder / "page.html"


@pytest.mark.parametrize("site", ["members", "style"])
def test_a_click_on_an_object_lights_its_class_and_centre(page, show, site):
    trace, path = page
    explorer = show(path).unfold_tree()
    if site == "style":
        explorer.root.get_by_role("combobox", name="Site").select_option("style")
        explorer.settled()
    part = trace.site(site)
    place = int(np.flatnonzero(part.column("label") == 3001)[0])
    inside = np.argwhere(trace.picture.labels("input") == 3001)
    y, x = (int(n) for n in inside[len(inside) // 2])
    explorer.page.mouse.click(*explorer.point(x + 0.5, y + 0.5, part.size, explorer.photo))  # there are no curves
    explorer.settled()
    centre = f"car {part.column('centre')[place]}"
    expect(explorer.find(".kt-tree .kt-lit", has_text=centre)).to_have_count(1)
    expect(explorer.find(".kt-tree [role=status]")).to_contain_text(f"root → car → {centre}")
    expect(explorer.find(".kt-tree .kt-node", has_text="road")).to_have_count(1)
    near = explorer.find(".kt-tree .kt-lit .kt-near")
    expect(near).to_have_attribute("title", "Of the selected retrieval to this node: minus the distance")
    pictures = explorer.find(".kt-tree .kt-lit canvas").last
    seen = pictures.evaluate("c => [...c.getContext('2d').getImageData(0, 0, c.width, c.height).data]")
    assert len(np.unique(np.array(seen).reshape(-1, 4), axis=0)) > 4
