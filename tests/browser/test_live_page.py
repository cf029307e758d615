"""A live page answers the mouse where the documentation embeds it."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest
from playwright.sync_api import expect

from browser.explorer_driver import ExplorerDriver
from docs import make_live
from ktviz.testing import ToyWorld, toy_photo

DOCS = Path(__file__).parents[2] / "docs"
SHELL = """<!doctype html><html lang="en"><title>live</title><link rel="stylesheet" href="ktviz.css">
<div class="bd-main"><div class="bd-content"><div class="bd-article-container">{frame}</div></div></div></html>"""
WHOLE = (1, 1)
"""The size of the picture, where points are parts of it."""


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """A page with the frame that docs/live.md has for KT: of the page that was built, or of a small one."""
    folder, mark = tmp_path_factory.mktemp("site"), make_live.mark_of(make_live.MADE_WITH)
    (folder / "live").mkdir()
    built, page = make_live.LIVE / "kt.html", folder / "live" / "kt.html"
    if make_live.is_current(built, mark):
        shutil.copyfile(built, page)
    else:
        translator = ToyWorld(folder / "toy").translator
        make_live.write_page(page, lambda: (translator, translator.traced(toy_photo())), mark)
    (frame,) = re.findall(r'<iframe[^>]* src="live/kt\.html"></iframe>', (DOCS / "live.md").read_text(encoding="utf-8"))
    shutil.copyfile(DOCS / "_static" / "ktviz.css", folder / "ktviz.css")
    (folder / "live.html").write_text(SHELL.format(frame=frame), encoding="utf-8")
    return folder / "live.html"


@pytest.fixture
def embedded(tab, site):
    """The Explorer in its frame, drawn."""
    page = tab()
    page.goto(site.as_uri())
    explorer = ExplorerDriver(page)
    explorer.root = page.frame_locator("iframe.ktviz-live").locator(".kt-view")
    return explorer.settled()


def test_a_box_that_is_dragged_changes_the_shares(embedded):
    before = embedded.shares()
    embedded.drag((0.05, 0.05), (0.3, 0.3), WHOLE)
    expect(embedded.find(".kt-sources h3")).to_have_text("Of the selection")
    assert embedded.shares() != before
    embedded.clear()
    assert embedded.shares() == before


def test_a_place_that_is_pointed_at_says_what_made_it(embedded):
    embedded.hover(0.5, 0.5, WHOLE)
    expect(embedded.card).to_be_visible()
    expect(embedded.card).to_contain_text("similarity")
