"""Screenshots of all states of the views, for docs/views.md: `python -m docs.make_view_pictures`.

Views have Python behind them; the library map and the workbench stand in pages by Voilà, as people see them.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from playwright.sync_api import Page

import ktviz as kt
from benchmarks.browser import settle, shown, tab
from docs.make_pictures import IMAGES, REGION, as_jpeg, take
from ktviz import samples
from ktviz.trace.trace import Trace

PORT, WAIT_MS = 8899, 180_000
MAP = """import ktviz as kt
from ktviz import samples
banks = samples.library(["art"], quiet=True)["art"]
trace = kt.Translator.shipped(banks).traced(samples.photo("chelsea"))
kt.LibraryMap(banks, trace=trace)"""
WORKBENCH = "import ktviz as kt\nkt.Workbench()"


def main() -> None:
    """All of them."""
    photo = samples.photo("coffee")
    translate = kt.Translator.shipped(samples.bank("art/impasto"))
    trace = translate.traced(photo)
    picture_parts(trace)
    with kt.Compare(trace, translate.traced(photo, align=0)) as both, TemporaryDirectory() as scratch:
        both.region = REGION
        both.to_html(Path(scratch) / "page.html")
        with tab(1280, 1180) as page:
            page.goto((Path(scratch) / "page.html").as_uri())
            page.wait_for_selector("main[data-state=settled]", timeout=WAIT_MS)
            page.wait_for_timeout(1000)
            keep(page, "compare")
    with by_voila(MAP) as page:
        page.wait_for_selector(".kt-mapcanvas", timeout=WAIT_MS)
        page.wait_for_timeout(3000)
        page.locator(".kt-mapcanvas").focus()
        for _ in range(4):
            page.keyboard.press("+")
        page.wait_for_timeout(2000)
        page.keyboard.press("Enter")
        page.wait_for_selector(".kt-mapneighbours", timeout=WAIT_MS)
        page.wait_for_timeout(2000)
        keep(page, "library-map", ".kt-map")
    with by_voila(WORKBENCH) as page:
        button = page.get_by_role("button", name="Translate", exact=True)
        button.wait_for(timeout=WAIT_MS)
        button.click()
        settle(page)
        page.wait_for_timeout(1000)
        keep(page, "workbench")


def picture_parts(trace: Trace) -> None:
    """The Explorer of a trace: on a phone, its tree, its bands, its words, and on a projector."""
    with kt.Explorer(trace) as view:
        view.region = REGION
        with shown(view, 390, 1500) as page:
            take(page, "explorer-phone")
        with shown(view, 1400, 1000) as page:
            for name, part in (("explorer-tree", ".kt-tree"), ("explorer-bands", ".kt-bands")):
                page.locator(part).first.scroll_into_view_if_needed()
                settle(page)
                keep(page, name, part)
            page.get_by_role("button", name="Projector").click()
            page.wait_for_timeout(500)
            keep(page, "explorer-projector")


def keep(page: Page, name: str, part: str = "") -> None:
    """A screenshot of a page, or of a part of it."""
    file = IMAGES / f"{name}.png"
    if part:
        page.locator(part).first.screenshot(path=file)
    else:
        page.screenshot(path=file)
    as_jpeg(file)


@contextmanager
def by_voila(code: str, stop: Callable[[int, int], None] = os.killpg) -> Iterator[Page]:
    """A page that shows what a cell of code ends in."""
    cell = {"id": "one", "cell_type": "code", "source": code, "metadata": {}, "execution_count": None, "outputs": []}
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    book = {"nbformat": 4, "nbformat_minor": 5, "metadata": {"kernelspec": kernel}, "cells": [cell]}
    with TemporaryDirectory() as scratch:
        path = Path(scratch) / "view.ipynb"
        path.write_text(json.dumps(book), encoding="utf-8")
        command = [sys.executable, "-m", "voila", os.fspath(path), "--no-browser", f"--port={PORT}"]
        with subprocess.Popen(command, start_new_session=True, stderr=subprocess.DEVNULL) as process:
            try:
                with tab(1400, 1150) as page:
                    visit(page)
                    yield page
            finally:
                stop(process.pid, signal.SIGINT)


def visit(page: Page) -> None:
    """Open the page as soon as the server is there."""
    for _ in range(100):
        try:
            page.goto(f"http://127.0.0.1:{PORT}", timeout=WAIT_MS)
            return
        except Exception:  # it is not there yet
            page.wait_for_timeout(300)


if __name__ == "__main__":
    main()
