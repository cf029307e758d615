"""A page with room for the networks makes the pictures of bands itself, of every patch, as Python would."""

from __future__ import annotations

import base64
import io

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import expect

import ktviz as kt
from browser.explorer_driver import ExplorerDriver
from ktviz import samples
from ktviz.images import resize

pytestmark = pytest.mark.slow
SIDE = 160
MEGABYTES = {7: (12, 8, 16, 16, 16), 2.6: (12, 8, 20, 20, 20)}
"""By the room in a page, mean levels by which a patch, its LL and its details may be off: of compressed pictures, by
networks in bytes, and where room is short of more compressed ones; details are four times as strong."""
DRAWN = """() => [...document.querySelectorAll(".kt-bands tbody tr")].map((row) =>
  [...row.querySelectorAll("canvas")]
    .filter((one) => (one.getAttribute("aria-label") ?? "").includes("decoded"))
    .map((one) => one.toDataURL()))"""


def pixels(url):
    picture = Image.open(io.BytesIO(base64.b64decode(url.partition(",")[2]))).convert("RGB")
    return np.asarray(picture.resize((16, 16), Image.Resampling.BOX), dtype=np.float64)


@pytest.fixture(scope="module", params=MEGABYTES)
def page_and_truth(tmp_path_factory, request):
    """A page of at most so many MB, and what Python makes of the selected retrieval and its candidates:
    (9, 5, 16, 16, 3)."""
    translate = kt.Translator.shipped(samples.bank("art/impasto", quiet=True))
    trace = translate.traced(resize(samples.photo("coffee"), SIDE, SIDE))
    painted = trace.site("retrieval")
    place = len(painted) // 2
    query = int(painted.column("query")[place])
    path = tmp_path_factory.mktemp("page") / "page.html"
    with kt.Explorer(trace) as view:
        view.selection = [query]
        report = view.to_html(path, max_mb=request.param)
    rows = painted.to_pandas().query("query == @query").sort_values("rank")
    found, _ = translate.band_pictures(painted, np.array([place]), rows["entry"].to_numpy())
    return path, report, found.astype(np.float64), MEGABYTES[request.param]


def test_nothing_is_left_out_where_the_networks_fit(page_and_truth):
    _, report, _, _ = page_and_truth
    assert not [what for what in report.left_out if "bands" in what]


def test_every_picture_of_bands_is_made_in_the_page_as_python_makes_it(page_and_truth, open_tab):
    path, _, truth, close = page_and_truth
    with open_tab(height=2600) as page:
        page.goto(path.as_uri())
        view = ExplorerDriver(page).settled()
        rows = view.root.locator(".kt-bands tbody tr")
        expect(rows).to_have_count(len(truth))
        drawn = [[pixels(url) for url in row] for row in page.evaluate(DRAWN)]
    assert len(drawn) == len(truth)
    for row, true in zip(drawn, truth, strict=True):
        off = [np.abs(made - wanted).mean() for made, wanted in zip(row, true, strict=True)]
        assert np.less(off, close).all(), off
    off = np.abs(np.array([row[0] for row in drawn])[:, None] - truth[None, :, 0]).mean((2, 3, 4))
    assert (off.argmin(1) == np.arange(len(truth))).all()  # each is nearest to its own


def test_a_later_selection_overtakes_the_pictures_of_an_earlier_one(page_and_truth, open_tab):
    path, _, truth, _ = page_and_truth
    with open_tab(height=2600) as page:
        page.goto(path.as_uri())
        view = ExplorerDriver(page)
        expect(view.root.locator(".kt-bands tbody tr")).to_have_count(len(truth))  # its pictures are being made
        view.click(24, 24, (SIDE, SIDE))
        view.settled()
        expect(view.root.locator(".kt-error")).to_be_hidden()
        drawn = [[pixels(url) for url in row] for row in page.evaluate(DRAWN)]
    assert [len(row) for row in drawn] == [5] * len(drawn)
    assert np.abs(np.array(drawn[0][0]) - truth[0, 0]).mean() > 12  # of another retrieval
