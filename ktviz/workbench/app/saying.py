"""What the workbench says beside its controls: what went wrong, and what was done."""

from __future__ import annotations

from html import escape

from ipywidgets import HTML

from ktviz.errors import KtvizError

STYLE = {"wrong": "color:#b00020", "done": "color:#1b6e3c", "": ""}


class Saying(HTML):
    """A line of words, announced to screen readers; empty at first."""

    def clear(self) -> None:
        """Say nothing."""
        self.value = ""

    def say(self, text: str, kind: str = "") -> None:
        """Say something; `kind` is "wrong", "done" or nothing."""
        self.value = f'<div role="status" style="line-height:1.4;{STYLE[kind]}">{escape(text)}</div>'

    def refuse(self, error: Exception) -> None:
        """Say what went wrong: ours in their three parts, others with what they are."""
        ours = isinstance(error, KtvizError)
        self.say(str(error) if ours else f"{type(error).__name__}: {error}", "wrong")
