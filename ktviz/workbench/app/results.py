"""What was made so far: a strip of small pictures, each with a button that shows it again."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from html import escape

from ipywidgets import HTML, Box, Button, Checkbox, HBox, Image, Layout, VBox

from ktviz.images import encode_image, resize_short_side
from ktviz.systems.protocol import System
from ktviz.trace.trace import Trace
from ktviz.widgets.compare import MOST as MOST_COMPARED

MOST = 12
"""Results that are kept: a trace of a large photograph takes some 30 MB."""
SIDE_PX = 96


@dataclass(frozen=True, eq=False)
class Result:
    """One translation.

    Attributes:
        trace: Its trace.
        system: What made it, which answers what is asked of it.
        caption: With what it was made, in a few words.
    """

    trace: Trace
    system: System
    caption: str


class Results(VBox):
    """The results of a workbench, the newest first.

    Args:
        show: Called with a result that is to be shown.
        compare: Called with those that are to be shown side by side.
    """

    def __init__(self, show: Callable[[Result], None], compare: Callable[[list[Result]], None]) -> None:
        self.show = show
        self.kept: list[Result] = []
        self.cards: list[VBox] = []
        self.ticks: list[Checkbox] = []
        self.strip = Box(layout=Layout(overflow="auto", width="100%"))
        self.beside = Button(description="Show side by side", disabled=True, layout=Layout(width="auto"))
        self.beside.on_click(lambda _: compare(self.ticked))
        super().__init__(layout=Layout(width="100%"))

    def add(self, result: Result) -> None:
        """Keep a result; the oldest goes where there are too many."""
        self.kept = [result, *self.kept][:MOST]
        tick = Checkbox(description="compare", indent=False, layout=Layout(width="auto"))
        tick.observe(lambda _: self._allow(), "value")
        self.ticks = [tick, *self.ticks][:MOST]
        self.cards = [self._card(result, tick), *self.cards][:MOST]
        self.strip.children = self.cards
        self.children = [self.strip, *([self.beside] if len(self.kept) > 1 else [])]
        self._allow()

    @property
    def ticked(self) -> list[Result]:
        """Those that are to be compared, the oldest first."""
        return [one for one, tick in zip(self.kept, self.ticks, strict=True) if tick.value][::-1]

    def _allow(self) -> None:
        self.beside.disabled = not 2 <= len(self.ticked) <= MOST_COMPARED

    def clear(self) -> None:
        """Forget all of them."""
        self.kept, self.cards, self.ticks, self.children = [], [], [], []

    def _card(self, result: Result, tick: Checkbox) -> VBox:
        output = result.trace.output
        assert output is not None  # whatever was made here has a picture
        small = resize_short_side(output, SIDE_PX)
        picture = Image(value=encode_image(small, "jpeg"), format="jpeg", layout=Layout(height=f"{SIDE_PX}px"))
        button = Button(description="Show", tooltip=f"Show again: {result.caption}", layout=Layout(width="auto"))
        button.on_click(lambda _: self.show(result))
        words = HTML(f'<div style="max-width:11em;line-height:1.25;font-size:.85em">{escape(result.caption)}</div>')
        return VBox([picture, words, HBox([button, tick])], layout=Layout(flex="0 0 auto", margin="0 10px 0 0"))
