"""A browser without network, and the exported page of a real translation in it."""

from __future__ import annotations

import os
import shutil
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import SimpleNamespace

import pytest
from playwright.sync_api import Error, Page, expect, sync_playwright

import ktviz as kt
from browser.explorer_driver import MOST_MS, ExplorerDriver, missing
from browser.live import LiveView
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
AXE = Path(__file__).parents[2] / "web" / "node_modules" / "axe-core" / "axe.min.js"


def pytest_configure(config):
    expect.set_options(timeout=MOST_MS)


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
    """By page, what it wrote to its console, threw, or asked of the network since its test began."""
    return {}


@pytest.fixture
def counts():
    """`counts(complaint)`: whether it is the view's; where pages hold more than views, a module says which are."""
    return lambda complaint: True


@pytest.fixture(scope="session")
def judged():
    """Pages that an earlier test has answered for."""
    return set()


@pytest.fixture(autouse=True)
def quiet(request, complaints, counts, judged):
    """No test passes whose own pages complained; what the pages of other tests say is not its affair."""
    shared = set(complaints)
    for page in pages_of(request) & judged:
        hear(page)
        complaints[page].clear()  # it was said after the test before
    yield
    used = {page for page in complaints if page not in shared} | pages_of(request)
    for page in used:
        hear(page)
    said = [complaint for page in used for complaint in complaints[page] if counts(complaint)]
    for page in used:
        complaints[page].clear()
    judged |= used
    assert not said, said[:5]


def hear(page):
    """What a page has said arrives with its next answer."""
    if not page.is_closed():
        page.evaluate("0")


def pages_of(request):
    """The pages among the values of a test's fixtures, themselves or as the `page` of what drives them."""
    values = request.node.funcargs.values()
    parts = [part for value in values for part in (value if isinstance(value, tuple) else (value,))]
    return {page for part in parts if isinstance(page := getattr(part, "page", part), Page)}


@pytest.fixture(scope="session")
def open_tab(browser, complaints):
    """`with open_tab(width=..., color_scheme=...) as page`: it may ask for addresses that begin with one of `local`."""

    @contextmanager
    def opened(width=1400, height=1300, local=LOCAL, **more):
        page = browser.new_context(viewport={"width": width, "height": height}, **more).new_page()
        said = complaints[page] = []
        page.on("console", lambda line: said.append(line.text) if line.type in ("error", "warning") else None)
        page.on("pageerror", lambda error: said.append(str(error)))
        page.on("request", lambda request: request.url.startswith(local) or said.append(request.url))
        page.set_default_timeout(MOST_MS)
        try:
            yield page
        finally:
            page.context.close()

    return opened


@pytest.fixture
def axe():
    """The script that finds what assistive technology would complain about."""
    if not AXE.exists():
        missing("axe-core is not installed (npm ci in web/)")
    return AXE.read_text(encoding="utf-8")


@pytest.fixture
def tab(open_tab):
    """`tab(width=...)`: a page that is closed after the test, however it ends."""
    with ExitStack() as stack:
        yield lambda **more: stack.enter_context(open_tab(**more))


@pytest.fixture(scope="session")
def coffee(tmp_path_factory):
    """A sample photo of 512x512 px in impasto: trace, translator, view, and its exported page."""
    translator = kt.Translator.shipped(samples.bank("art/impasto", quiet=True))
    trace = translator.traced(resize(samples.photo("coffee"), SIDE, SIDE), align=0)
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
    with open_tab(permissions=["clipboard-read", "clipboard-write"]) as page:
        page.goto(coffee.path.as_uri())
        yield ExplorerDriver(page).settled()


@pytest.fixture
def explorer(shown):
    """The same page, as it was at first but for the retrieval in focus."""
    return shown.reset()


@pytest.fixture
def page_view(show, trace, tmp_path):
    """The page of the module's `trace`."""
    kt.Explorer(trace).to_html(tmp_path / "page.html")
    return show(tmp_path / "page.html")


@pytest.fixture
def live_view(tab, trace):
    """The same with Python behind it."""
    with kt.Explorer(trace) as view:
        yield LiveView(tab(), view)
