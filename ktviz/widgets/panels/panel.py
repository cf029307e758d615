"""What a panel of a view is to Python: when it appears, what it needs at first, what it answers, what a page keeps."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from ktviz.widgets.asking import Answering
from ktviz.widgets.packing import Part
from ktviz.widgets.room import Room
from ktviz.widgets.subject import Subject


def nothing(_: Subject) -> dict[str, Any]:
    """No parts, or no words."""
    return {}


@dataclass(frozen=True)
class Panel:
    """A part of the Explorer, which can also be a view of its own.

    Attributes:
        name: Of its module here and of that in the browser.
        row: Of the Explorer, from above; panels of a row stand beside each other.
        height_px: In a frame, which cannot ask its content.
        folded_px: In the Explorer's frame, if that folds it.
        needs: Name of the panel that is drawn beside it, even where a view has this one alone.
        further: Whether it is drawn by a file of its own, of its name, and not by the bundle.
        appears: Whether the Explorer shows it for a trace; alone it is always drawn, and says what it lacks.
        can: What of it has something to show, by name.
        describe: What the scene says for it, where it appears.
        columns: The columns of a trace that it draws, where it appears: arrays of `N` rows.
        pictures: What it shows of the sources; the same for all traces of a view.
        answers: What answers its requests, by their kind.
        kept: What an exported page keeps of those answers, where it appears, as far as there is room.
    """

    name: str
    row: int
    height_px: int
    folded_px: int | None = None
    needs: str = ""
    further: bool = False
    appears: Callable[[Subject], bool] = lambda subject: True
    can: Callable[[Subject], dict[str, bool]] = nothing
    describe: Callable[[Subject], dict[str, Any]] = nothing
    columns: Callable[[Subject], dict[str, Part]] = nothing
    pictures: Callable[[Subject], dict[str, Part]] = nothing
    answers: Mapping[str, Answering] = field(default_factory=dict)
    kept: Callable[[Subject, Room], dict[str, Part]] = lambda subject, room: {}
