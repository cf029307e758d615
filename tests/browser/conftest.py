"""A browser without network, and the exported page of a real translation in it."""

from __future__ import annotations

import os
import shutil
from types import SimpleNamespace

import pytest
from playwright.sync_api import Error, sync_playwright

import ktviz as kt
from browser.explorer_driver import ExplorerDriver, missing
from ktviz import samples
from ktviz.images import resize

NAMES = ("chromium", "chromium-browser", "google-chrome")
FLAGS = [
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]
LOCAL = ("file:", "data:", "blob:", "about:")
SIDE = 512


def pytest_configure(config):
    config.addinivalue_line("markers", "slow: takes tens of seconds; leave out with -m 'not slow'")


@pytest.fixture(scope="session")
def browser():
    """Chromium: KTVIZ_BROWSER, one on the path, or Playwright's own; with a fresh profile."""
    found = os.environ.get("KTVIZ_BROWSER") or next(filter(None, map(shutil.which, NAMES)), None)
    with sync_playwright() as playwright:
        try:
            chromium = playwright.chromium.launch(executable_path=found, args=FLAGS)
        except Error as error:
            missing(f"no browser could be started ({str(error).splitlines()[0]})")
        yield chromium
        chromium.close()


@pytest.fixture(scope="session")
def complaints():
    """What pages wrote to their console, threw, or asked of the network."""
    return []


@pytest.fixture(autouse=True)
def quiet(complaints):
    """No test passes whose page complained."""
    complaints.clear()
    yield
    assert not complaints, complaints[:5]


@pytest.fixture(scope="session")
def open_tab(browser, complaints):
    """`open_tab(width=..., color_scheme=...)`: a page; it may ask for addresses that begin with one of `local`."""

    def opened(width=1400, height=1300, local=LOCAL, **more):
        page = browser.new_context(viewport={"width": width, "height": height}, **more).new_page()
        page.on("console", lambda said: complaints.append(said.text) if said.type in ("error", "warning") else None)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("request", lambda request: request.url.startswith(local) or complaints.append(request.url))
        page.set_default_timeout(20_000)
        return page

    return opened


@pytest.fixture
def tab(open_tab):
    """A page that is closed after the test."""
    pages = []

    def opened(**more):
        pages.append(open_tab(**more))
        return pages[-1]

    yield opened
    for page in pages:
        page.context.close()


@pytest.fixture(scope="session")
def coffee(tmp_path_factory):
    """A sample photo of 512x512 px in impasto: trace, translator, view, and its exported page."""
    translator = kt.Translator.shipped(samples.library(quiet=True)["art/impasto"])
    trace = translator.traced(resize(samples.photo("coffee"), SIDE, SIDE))
    view = kt.Explorer(trace)
    path = tmp_path_factory.mktemp("page") / "coffee.html"
    view.to_html(path)
    return SimpleNamespace(translator=translator, trace=trace, view=view, path=path)


@pytest.fixture
def show(tab):
    """`show(path, width=...)`: an exported page, drawn."""

    def opened(path, **more):
        page = tab(**more)
        page.goto(path.as_uri())
        return ExplorerDriver(page).settled()

    return opened


@pytest.fixture(scope="session")
def shown(open_tab, coffee):
    """The page of the sample translation, drawn once."""
    page = open_tab(permissions=["clipboard-read", "clipboard-write"])
    page.goto(coffee.path.as_uri())
    yield ExplorerDriver(page).settled()
    page.context.close()


@pytest.fixture
def explorer(shown):
    """The same page, as it was at first but for the retrieval in focus."""
    return shown.reset()
