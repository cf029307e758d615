"""A view in a real JupyterLab: one selection with Python, two views at once, and days on which the kernel dies."""

from __future__ import annotations

import json
import re

import nbformat
import pytest
from playwright.sync_api import expect

from browser.explorer_driver import ExplorerDriver
from browser.servers import LOCAL, is_ready, kernels, serving, start_cell, until, write_notebook
from ktviz.lessons.copies import lesson_paths

pytestmark = pytest.mark.slow
RUN_MS = 180_000
"""How long a cell may run on a busy machine."""
PROMPT = re.compile(r"\[\d+\]:")
SIZE = (512, 512)
WIRE_BYTES = 1_500_000
CELLS = """
import torch; torch.set_num_threads(1)
import ktviz as kt
from ktviz import samples
from ktviz.images import resize
translator = kt.Translator.shipped(samples.bank("art/impasto", quiet=True))
trace = translator.traced(resize(samples.photo("coffee"), 512, 512))
---
view = kt.Explorer(trace)
view
---
print(view.region, len(view.selection))
---
view.region = kt.Box(200, 240, 64, 48)
---
view
---
print([round(share, 4) for share in trace.sources(view.region)["share"]])
---
print(view.comparison)
---
import ktviz.widgets.panels.bands as bands
bands.candidate_columns = None
---
import ktviz.widgets.scene as scene
protocol, scene.PROTOCOL = scene.PROTOCOL, 99
old = kt.Explorer(trace)
scene.PROTOCOL = protocol
old
---
model = torch.nn.ModuleDict({"coarse": torch.nn.Identity(), "fine": torch.nn.Identity()})
model.forward = lambda image: model["fine"](model["coarse"](image))
def adapted(name, side):
    read = lambda inputs, output: kt.Matches.hard(torch.arange(side * side) % 2, torch.ones(side * side))
    queries, catalogue = kt.Queries.grid(side, side, step_px=32 // side), kt.Catalogue.wholes(["a.png", "b.png"])
    return kt.adapt(model[name], read, queries=queries, catalogue=catalogue)
with kt.record(model, adapted("coarse", 2), adapted("fine", 4)) as of_sites:
    model(torch.rand(1, 3, 32, 32))
several = kt.Explorer(of_sites)
several
---
print(several.site, len(several.selection))
---
several.site = "fine"
"""
MAKE, DRAW, READ, SET, AGAIN, SHARES, COMPARED, BREAK, OLD, SITES, SITE_READ, SITE_SET = range(12)
LESSON = [cell.source for cell in nbformat.read(lesson_paths()[0], 4).cells if cell.cell_type == "code"]
"""The code of the first lesson; its prose only makes the notebook longer than a screen."""


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """A JupyterLab of our own: its folder, address and token."""
    home = tmp_path_factory.mktemp("lab")
    with serving(home, "jupyterlab") as found:
        write_notebook(found.books / "view.ipynb", [cell.strip() for cell in CELLS.split("---")])
        write_notebook(found.books / "lesson.ipynb", [*LESSON, "print(view.region)"])
        yield found


class Notebook:
    """A notebook in JupyterLab, and the websocket messages that it sends and gets."""

    def __init__(self, page, server, name="view", cells=len(CELLS.split("---"))):
        self.page, self.sent, self.received = page, [], []
        page.on("websocket", self.listen)
        page.goto(f"{server.address}/lab/tree/{name}.ipynb?token={server.token}&reset")
        self.cells = page.locator(".jp-Notebook .jp-Cell")
        expect(self.cells).to_have_count(cells)
        until(lambda: is_ready(server))

    def listen(self, socket):
        if "/channels" in socket.url:
            socket.on("framesent", lambda frame: self.sent.append(frame))
            socket.on("framereceived", lambda frame: self.received.append(frame))

    def run(self, number):
        """Run a cell and wait for it to end; the cell."""
        cell = self.cells.nth(number)
        start_cell(self.page, cell)
        expect(cell.locator(".jp-InputPrompt")).to_have_text(PROMPT, timeout=RUN_MS)
        return cell

    def printed(self, number):
        return self.run(number).locator(".jp-OutputArea-output").last.inner_text().strip()

    def view(self, number=DRAW):
        """The view below a cell."""
        driver = ExplorerDriver(self.page)
        driver.root = self.cells.nth(number).locator(".kt-view")
        return driver.settled()


@pytest.fixture(scope="module")
def notebook(open_tab, server):
    """The notebook with its first view drawn."""
    with open_tab(height=1600, local=LOCAL) as page:
        book = Notebook(page, server)
        book.run(MAKE)
        book.sent.clear()
        book.received.clear()
        book.run(DRAW)
        book.view()
        book.first = [*map(as_bytes, book.sent)], [*map(as_bytes, book.received)]
        yield book


@pytest.fixture
def counts():
    """JupyterLab has complaints of its own: only what the view says counts."""
    return lambda complaint: "ktviz" in complaint or "kt-" in complaint


def as_bytes(frame):
    return frame.encode() if isinstance(frame, str) else frame


def test_the_first_draw_stays_under_one_and_a_half_megabytes_on_the_wire(notebook):
    _, received = notebook.first
    drawing = (b'"msg_type": "comm_open"', b'"msg_type": "display_data"')
    drawn = sum(len(frame) for frame in received if any(kind in frame for kind in drawing))
    assert 300_000 < drawn <= WIRE_BYTES


def test_the_first_lesson_is_drawn_and_what_is_dragged_there_is_read_back(server, tab):
    book = Notebook(tab(height=1600, local=LOCAL), server, "lesson", len(LESSON) + 1)
    for number in range(len(LESSON)):
        book.run(number)
    drawn = next(number for number, source in enumerate(LESSON) if "trace.explore()" in source)
    view = book.view(drawn)
    expect(view.find(".kt-header")).to_contain_text("art/impasto")
    view.drag((160.4, 112.4), (287.6, 223.6), (427, 640))
    assert book.printed(len(LESSON)) == "Box(x=160, y=112, width=128, height=112)"


@pytest.mark.parametrize(("program", "place"), [("jupyterlab", "lab/tree"), ("notebook", "notebooks")])
def test_a_saved_notebook_shows_a_snapshot_where_the_kernel_is_gone(tmp_path, open_tab, trace, program, place):
    with serving(tmp_path, program) as server:
        trace.save(server.books / "trace.parquet", pictures="both")
        address = f"{server.address}/{place}/saved.ipynb?token={server.token}"
        write_notebook(
            server.books / "saved.ipynb", ['import ktviz as kt\nkt.Explorer(kt.Trace.open("trace.parquet"))']
        )
        with open_tab(height=1600, local=LOCAL) as page:
            page.goto(address)
            until(lambda: is_ready(server))
            start_cell(page, page.locator(".jp-Notebook .jp-Cell").first)
            view = ExplorerDriver(page)
            expect(view.root).to_be_visible(timeout=RUN_MS)
            view.settled()
            expect(page.locator(".ktviz-snapshot")).to_be_hidden()
            page.keyboard.press("Control+s")
            until(lambda: "ktviz-snapshot" in (server.books / "saved.ipynb").read_text(encoding="utf-8"))
        end_kernels(server)
        with open_tab(height=1600, local=LOCAL) as page:
            page.goto(address)
            for name in ("Input", "Output", "Who painted what"):
                expect(page.get_by_role("img", name=name)).to_be_visible(timeout=RUN_MS)
            expect(page.get_by_text("Error displaying widget")).to_be_hidden()
            expect(page.locator(".kt-view")).to_have_count(0)


@pytest.fixture(scope="module")
def trace(world, paint):
    return world.translator.traced(paint(3, 48, 64), align=0)


def end_kernels(server):
    """As on the next day."""
    for kernel in kernels(server):
        kernels(server, "DELETE", kernel["id"])


def test_a_picture_is_asked_for_once(notebook):
    sent, _ = notebook.first
    asked = [found[1] for frame in sent if (found := re.search(rb'"pictures","body":({[^}]*})', frame))]
    assert asked
    assert len(asked) == len(set(asked))


def test_a_dragged_region_is_read_back_in_python(notebook):
    view = notebook.view()
    view.drag((128.4, 192.4), (287.6, 287.6), SIZE)
    assert notebook.printed(READ).startswith("Box(x=128, y=192, width=160, height=96)")
    shown = [float(text.rstrip(" %").lstrip("< ")) for text in view.shares().values()]
    assert shown == pytest.approx([100 * share for share in json.loads(notebook.printed(SHARES))], abs=0.6)


def test_a_region_set_in_python_is_seen_in_the_browser(notebook):
    view = notebook.view()
    view.clear()
    view.settled()
    before = view.pixels()
    notebook.run(SET)
    expect(view.find(".kt-sources h3")).to_have_text("Of the selection")
    assert view.settled().pixels() != before


def test_hovering_and_zooming_send_nothing_to_the_kernel(notebook):
    view = notebook.view()
    view.hover(30, 30, SIZE)
    view.settled()
    notebook.sent.clear()
    for corner in ((480, 300), (40, 470)):
        view.page.mouse.move(*view.point(*corner, SIZE), steps=40)
    view.button("Zoom in").click()
    view.button("Fit the whole picture").click()
    view.root.get_by_role("combobox", name="Overlay").select_option("similarity")
    view.root.get_by_role("slider", name="Weight of LL").fill("0.5")
    view.settled()
    view.button("Reset").click()
    view.settled()
    assert notebook.sent == []


def test_a_cell_that_is_run_again_draws_again_one_view(notebook):
    notebook.run(DRAW)
    notebook.view()
    expect(notebook.cells.nth(DRAW).locator(".kt-view")).to_have_count(1)


def test_two_views_of_one_model_show_one_selection(notebook):
    first = notebook.view()
    notebook.run(AGAIN)
    second = notebook.view(AGAIN)
    second.drag((40, 40), (120, 110), SIZE)
    expect(first.find(".kt-sources h3")).to_have_text("Of the selection")
    first.settled()
    assert first.shares() == second.shares()
    first.clear()
    expect(second.find(".kt-sources h3")).to_have_text("Sources")


def test_leaving_a_source_out_shows_the_picture_without_it_and_the_difference(notebook):
    view = notebook.view()
    view.root.get_by_role("checkbox").first.uncheck()
    expect(view.find("figcaption", has_text="Difference")).to_be_visible(timeout=RUN_MS)
    view.settled()
    expect(view.find(".kt-pane")).to_have_count(3)
    assert notebook.printed(COMPARED).startswith("Comparison(")
    view.button("Close comparison").click()
    expect(view.find(".kt-pane")).to_have_count(2)


def test_an_error_in_python_is_shown_under_the_view(notebook):
    notebook.run(BREAK)
    view = notebook.view()
    view.click(400, 400, SIZE)
    expect(view.find(".kt-error")).to_contain_text("candidates")
    view.button("Dismiss").click()
    expect(view.find(".kt-error")).to_be_hidden()


def test_a_view_of_another_version_says_so(notebook):
    notebook.run(OLD)
    view = ExplorerDriver(notebook.page)
    view.root = notebook.cells.nth(OLD).locator(".kt-view")
    expect(view.find(".kt-error")).to_contain_text("different versions")


def test_browser_and_python_switch_between_sites(notebook):
    notebook.run(SITES)
    view = notebook.view(SITES)
    site = view.root.get_by_role("combobox", name="Site", exact=True)
    expect(view.find(".kt-header")).to_contain_text("16 retrievals")
    site.select_option("coarse")
    expect(view.find(".kt-header")).to_contain_text(" 4 retrievals")
    view.settled().click(4, 4, (32, 32))
    assert notebook.printed(SITE_READ) == "coarse 1"
    notebook.run(SITE_SET)
    expect(view.find(".kt-header")).to_contain_text("16 retrievals")
    expect(site).to_have_value("fine")
    assert notebook.printed(SITE_READ) == "fine 0"
    expect(view.settled().find(".kt-error")).to_be_hidden()


def test_a_restarted_kernel_leaves_a_view_that_says_so_and_still_shows_regions(notebook):
    view = notebook.view()
    view.clear()
    page = notebook.page
    page.keyboard.press("Escape")
    page.locator(
        ".jp-NotebookPanel-toolbar [data-command='notebook:restart-kernel'], [data-command='kernelmenu:restart']"
    ).first.click()
    page.locator(".jp-Dialog .jp-mod-warn").click()
    expect(view.find(".kt-status")).to_contain_text("frozen")
    expect(view.root).to_have_attribute("data-frozen", "true")
    view.drag((128.4, 192.4), (287.6, 287.6), SIZE)
    expect(view.find(".kt-sources h3")).to_have_text("Of the selection")
    for box in view.root.get_by_role("checkbox").all():
        expect(box).to_be_disabled()
    expect(view.root).to_have_attribute("data-state", "settled")
