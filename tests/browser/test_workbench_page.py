"""The workbench in JupyterLab, in Notebook 7 and as a page of its own: somebody translates and audits a picture."""

from __future__ import annotations

import zipfile
from contextlib import contextmanager

import pytest
from playwright.sync_api import expect

from browser.explorer_driver import ExplorerDriver
from browser.servers import LOCAL, is_ready, serving, start_cell, until, workbench, write_notebook
from ktviz.images import write_image

pytestmark = pytest.mark.slow
RUN_MS = 180_000


@pytest.fixture
def counts():
    """Jupyter has complaints of its own."""
    return lambda complaint: "ktviz" in complaint or "kt-" in complaint


@contextmanager
def opened(program, home, page):
    """The workbench drawn in a page."""
    if program == "voila":
        with workbench(home) as address:
            page.goto(address)
            yield
        return
    with serving(home, program) as server:
        write_notebook(server.books / "bench.ipynb", ["import ktviz as kt\nbench = kt.Workbench()\nbench"])
        place = {"jupyterlab": "lab/tree", "notebook": "notebooks"}[program]
        page.goto(f"{server.address}/{place}/bench.ipynb?token={server.token}")
        until(lambda: is_ready(server))
        start_cell(page, page.locator(".jp-Notebook .jp-Cell").first)
        yield


@pytest.mark.parametrize("program", ["voila", "jupyterlab", "notebook"])
def test_somebody_translates_an_own_picture_and_takes_the_audit_home(program, tmp_path, open_tab, paint):
    write_image(tmp_path / "mine.png", paint(3, 96, 112))
    (tmp_path / "bad.png").write_text("no picture")
    with open_tab(height=1300, local=LOCAL) as page, opened(program, tmp_path, page):
        buttons = {name: page.get_by_role("button", name=name, exact=True) for name in ("Translate", "Audit", "Show")}
        expect(buttons["Translate"]).to_be_visible(timeout=RUN_MS)
        for name in ("bad.png", "mine.png"):
            with page.expect_file_chooser() as chooser:
                page.get_by_role("button", name="Upload pictures").first.click()
            chooser.value.set_files(tmp_path / name)
            if name == "bad.png":
                expect(page.get_by_text("bad.png: not an image")).to_be_visible(timeout=RUN_MS)
        expect(page.get_by_label("Picture", exact=True)).to_have_value("mine.png", timeout=RUN_MS)
        buttons["Translate"].click()
        page.set_default_timeout(RUN_MS)
        expect(page.locator(".kt-view")).to_be_visible(timeout=RUN_MS)
        view = ExplorerDriver(page).settled()
        expect(view.find(".kt-header")).to_contain_text("112")
        expect(buttons["Show"]).to_have_count(1)
        buttons["Audit"].click()
        download = page.get_by_role("button", name="Download the audit")
        expect(download).to_be_visible(timeout=RUN_MS)
        with page.expect_download() as taken:
            download.click()
        assert taken.value.suggested_filename == "audit.zip"
        assert "audit/report.html" in zipfile.ZipFile(taken.value.path()).namelist()
