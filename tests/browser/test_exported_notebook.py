"""An executed notebook, exported by nbconvert without widget state and opened offline, still shows its views."""

from __future__ import annotations

import nbclient
import nbformat
import pytest
from nbconvert import HTMLExporter
from playwright.sync_api import expect

import ktviz as kt
from browser.explorer_driver import ExplorerDriver, percent

pytestmark = pytest.mark.slow
SIZE = (48, 64)
REGION = kt.Box(4, 4, 36, 26)
CODE = """
import ktviz as kt
kt.Explorer(kt.Trace.open("trace.parquet"))
"""


@pytest.fixture(scope="module")
def trace(world, paint):
    return world.translator.traced(paint(3, *SIZE))


@pytest.fixture
def counts():
    """Pages of nbconvert look for their own scripts on the network, in vain: only what the view says counts."""
    return lambda complaint: "ktviz" in complaint or "kt-" in complaint


@pytest.fixture
def exported(trace, tmp_path, monkeypatch, tab):
    """`exported(display)`: the page of a notebook that shows a view, in a browser that is offline."""

    def export(display):
        monkeypatch.setenv("KTVIZ_DISPLAY", display)
        trace.save(tmp_path / "trace.parquet", pictures="both")
        book = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(CODE.strip())])
        client = nbclient.NotebookClient(book, timeout=300, store_widget_state=False)
        client.resources = {"metadata": {"path": str(tmp_path)}}
        client.execute()
        html, _ = HTMLExporter().from_notebook_node(book)
        (tmp_path / "book.html").write_text(html, encoding="utf-8")
        page = tab(local=("",), offline=True)
        page.goto((tmp_path / "book.html").as_uri(), wait_until="domcontentloaded")
        return page

    return export


def test_the_snapshot_shows_pictures_and_shares(exported, trace):
    page = exported("both")
    for name in ("Input", "Output", "Who painted what"):
        picture = page.get_by_role("img", name=name)
        expect(picture).to_be_visible()
        assert picture.evaluate("picture => picture.decode().then(() => picture.naturalWidth)") == SIZE[1]
    first = trace.sources().iloc[0]
    row = page.get_by_role("row").filter(has_text=f"{first['share']:.1%}")
    expect(row.first).to_be_visible()
    expect(page.locator(".kt-view")).to_have_count(0)


def test_a_page_in_a_frame_is_drawn_and_answers(exported, trace):
    page = exported("page")
    explorer = ExplorerDriver(page)
    explorer.root = page.frame_locator("iframe").locator(".kt-view")
    explorer.settled().hover(30, 20, SIZE)
    expect(explorer.card).to_be_visible()
    explorer.drag((REGION.x + 0.4, REGION.y + 0.4), (REGION.right - 0.4, REGION.bottom - 0.4), SIZE)
    assert list(explorer.shares().values()) == [percent(share) for share in trace.sources(REGION)["share"]]
