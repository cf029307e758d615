"""A view in a real browser with a real Python behind it, without a notebook server: messages go through Playwright."""

from __future__ import annotations

import json
import os
import shutil
from base64 import b64encode
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Literal

from playwright.sync_api import Page, ViewportSize, sync_playwright

from ktviz.widgets.answers import answered
from ktviz.widgets.view import View

FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
)
Theme = Literal["light", "dark"]
NAMES = ("chromium", "chromium-browser", "google-chrome")
SYNCED = ("_scene", "_after", "_tried", "_parts", "_selected", "_site")
"""What of a view crosses to the browser, at first and when it changes."""
RENDER = """async ([esm, css, state]) => {
  const style = document.createElement("style");
  style.textContent = css;
  document.head.append(style);
  const bytes = (text) => Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
  const values = {}, listeners = {};
  const take = (changed) => {
    for (const [name, value] of Object.entries(changed))
      values[name] = value?.base64 === undefined ? value : new DataView(bytes(value.base64).buffer);
  };
  take(state);
  const tell = (name, ...given) => (listeners[name] ?? []).forEach((call) => call(...given));
  const model = {
    get: (name) => values[name],
    set: (name, value) => { values[name] = value; },
    save_changes: async () => hear(JSON.parse(await window.ktvizSelect(JSON.stringify(values._selected)))),
    on: (name, call) => { (listeners[name] ??= []).push(call); },
    off: () => {},
    send: async (content) => {
      const answer = JSON.parse(await window.ktvizAsk(JSON.stringify(content)));
      hear(answer.changed);
      tell("msg:custom", answer.content, answer.buffers.map((text) => new DataView(bytes(text).buffer)));
    },
  };
  const hear = (changed) => {
    take(changed);
    for (const name of Object.keys(changed)) tell(`change:${name}`);
  };
  const url = URL.createObjectURL(new Blob([esm], { type: "text/javascript" }));
  const { default: widget } = await import(url);
  await widget.render({ model, el: document.querySelector("#view") });
}"""


def executable() -> str | None:
    """The browser to use: KTVIZ_BROWSER, or Chromium on the path, or Playwright's own (None)."""
    return os.environ.get("KTVIZ_BROWSER") or next((path for name in NAMES if (path := shutil.which(name))), None)


@contextmanager
def tab(width: int, height: int, theme: Theme = "light") -> Iterator[Page]:
    """An empty page of a browser."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable(), args=[*FLAGS])
        size: ViewportSize = {"width": width, "height": height}
        yield browser.new_page(viewport=size, color_scheme=theme, device_scale_factor=1)
        browser.close()


@contextmanager
def shown(view: View, width: int = 1400, height: int = 1300, theme: Theme = "light") -> Iterator[Page]:
    """A page that shows a view, after its first drawing."""
    with tab(width, height, theme) as page:
        page.set_content("<!doctype html><html lang=en><body style='margin: 0'><div id=view></div></body></html>")
        page.expose_function("ktvizAsk", lambda text: answer(view, json.loads(text)))
        page.expose_function("ktvizSelect", lambda text: selected(view, json.loads(text)))
        page.evaluate(RENDER, [view._esm, view._css, crossing(state_of(view))])
        settle(page)
        yield page


def answer(view: View, request: Mapping[str, Any]) -> str:
    """Python's answer, and what it changed in the view, as text."""
    before = state_of(view)
    content, buffers = answered([*view._answers.values()], request)
    packed = [b64encode(buffer).decode() for buffer in buffers]
    return json.dumps({"content": content, "buffers": packed, "changed": crossing(state_of(view), before)})


def selected(view: View, given: object) -> str:
    """What a selection in the browser changed in the view, as text."""
    before = {**state_of(view), "_selected": given}
    view.set_state({"_selected": given})
    return json.dumps(crossing(state_of(view), before))


def state_of(view: View) -> dict[str, Any]:
    """What crosses to the browser."""
    return {name: getattr(view, name) for name in SYNCED}


def crossing(state: Mapping[str, Any], before: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """As JSON holds it; of a state before, only what is different."""
    known = {name: value for name, value in state.items() if before is None or before[name] != value}
    return {
        name: {"base64": b64encode(value).decode()} if isinstance(value, bytes) else value
        for name, value in known.items()
    }


def settle(page: Page) -> None:
    """Wait until the view has drawn all that it asked for."""
    page.wait_for_selector(".kt-view[data-state=settled]", timeout=60_000)


def measured(page: Page, name: str) -> list[float]:
    """Durations in ms that the view has measured under a name."""
    values: list[float] = page.evaluate(f"performance.getEntriesByName('{name}').map((entry) => entry.duration)")
    return values
