"""What a person does in a view, and what they see; waits for what the view says of itself, never for a time."""

from __future__ import annotations

import os

import pytest
from playwright.sync_api import expect

SETTLED = """root => new Promise(done => {
  const look = () => requestAnimationFrame(() => root.dataset.state === "drawing" ? look() : done(root.dataset.state));
  requestAnimationFrame(look);
})"""
RESET = """root => {
  scrollTo(0, 0);
  performance.clearMeasures();
  root.querySelector(".kt-wipe[aria-pressed=true]")?.click();
  root.querySelector(".kt-clear").click();
  root.querySelector("[aria-label^='Fit the whole']").click();
  root.querySelector(".kt-reset").click();
  root.querySelector(".kt-folder").open = false;
  const overlay = root.querySelector("select[aria-label=Overlay]");
  overlay.value = "none";
  overlay.dispatchEvent(new Event("change"));
}"""
MOST_MS = 60_000
"""How long a page may take on a busy machine; nothing waits longer than it must."""


class ExplorerDriver:
    """A drawn view within a page, or within a part of one."""

    def __init__(self, page, root=".kt-view"):
        self.page = page
        self.root = page.locator(root)

    def settled(self):
        """Wait until everything that was asked for is drawn."""
        expect(self.root).to_have_attribute("data-state", "settled")
        state = self.root.evaluate(SETTLED)
        assert state == "settled", self.root.inner_text()[:500]
        return self

    def reset(self):
        """Undo what a test did."""
        self.page.mouse.move(2, 2)
        self.root.evaluate(RESET)
        return self.settled()

    def find(self, selector, **more):
        return self.root.locator(selector, **more)

    def button(self, name):
        return self.root.get_by_role("button", name=name, exact=True)

    def clear(self):
        """Select nothing."""
        self.find(".kt-clear").evaluate("button => button.click()")  # it is hidden where nothing is
        return self.settled()

    def unfold_tree(self):
        """Show the nodes of the tree, which are folded away where the way of a retrieval is told."""
        self.find(".kt-unfolding").evaluate("details => { details.open = true; }")
        return self.settled()

    @property
    def photo(self):
        return self.find(".kt-picture").nth(0)

    @property
    def translation(self):
        """The pane with the translation; the only one while wiping."""
        return self.find(".kt-picture").nth(min(1, self.find(".kt-picture").count() - 1))

    @property
    def card(self):
        return self.find(".kt-translation .kt-hovercard")

    def point(self, x, y, size, canvas=None):
        """Where on the screen a point of the image is, unzoomed; x, y in px of the image, size its (height, width)."""
        canvas = canvas or self.translation
        canvas.scroll_into_view_if_needed()
        box = canvas.bounding_box()
        return box["x"] + x * box["width"] / size[1], box["y"] + y * box["height"] / size[0]

    def hover(self, x, y, size):
        self.page.mouse.move(*self.point(x, y, size))
        return self

    def click(self, x, y, size):
        self.page.mouse.click(*self.point(x, y, size))
        return self.settled()

    def drag(self, start, end, size):
        """Drag from a point of the image to another."""
        (left, top), (right, bottom) = self.point(*start, size), self.point(*end, size)
        self.page.mouse.move(left, top)
        self.page.mouse.down()
        self.page.mouse.move((left + right) / 2, (top + bottom) / 2)
        self.page.mouse.move(right, bottom)
        self.page.mouse.up()
        return self.settled()

    def shares(self):
        """Titles of the cards and the shares that they show, in their order."""
        titles = self.find(".kt-card .kt-title").all_inner_texts()
        return dict(zip(titles, self.find(".kt-card .kt-share").all_inner_texts(), strict=True))

    def open_table(self):
        self.find(".kt-folder summary").click()
        expect(self.find(".kt-table")).to_be_visible()
        return self.settled()

    def table_rows(self):
        """The rows of the open table, as lists of texts."""
        return self.find(".kt-table tbody").evaluate(
            "body => [...body.rows].map(r => [...r.cells].map(c => c.textContent))"
        )

    def candidates(self):
        """Similarities of the ranked candidates of the band view."""
        rows = self.find(".kt-bands tbody tr").evaluate_all("rows => rows.map(r => r.cells[1].textContent)")
        return [float(text) for text in rows[1:]]

    def measures(self, name):
        return self.page.evaluate("name => performance.getEntriesByName(name).map(entry => entry.duration)", name)

    def pixels(self, canvas=None):
        """A digest of what a canvas shows."""
        return (canvas or self.translation).evaluate("canvas => canvas.toDataURL()")


def percent(share):
    """A share as the view prints it."""
    if 0 < share < 0.001:
        return "< 0.1 %"
    return f"{100 * share:.{1 if 0 < share < 0.1 else 0}f} %"


def missing(what):
    """Skip where something is not installed; in CI nothing may be missing."""
    if os.environ.get("CI") == "true":
        pytest.fail(f"{what}: in CI it must be there")
    pytest.skip(what)
