"""What a view holds of one site of its trace: what is selected there, and the counterfactuals that were asked for."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from ktviz.widgets.after import After, translated
from ktviz.widgets.answers import Answers
from ktviz.widgets.change import Change
from ktviz.widgets.scene import scene_of
from ktviz.widgets.subject import Subject

MOST_TRIED = 8
"""Counterfactuals that are kept."""


@dataclass
class SiteState:
    """What a view holds of one site of its trace.

    Attributes:
        answers: About the recorded trace ("before"), and about its counterfactual ("after") where there is one.
        agreed: What is selected, as traits and in the browser's words.
        after: The counterfactual that stands beside the recorded trace, or None.
        tried: The counterfactuals that are kept, to be shown again, the oldest first.
    """

    answers: dict[str, Answers]
    agreed: dict[str, Any]
    after: After | None = None
    tried: list[After] = field(default_factory=list)

    def tried_with(self, change: Change) -> After:
        """The counterfactual of a change: the one that is kept, or else a new one, for which the oldest makes room."""
        found = next((after for after in self.tried if after.change == change), None)
        if found is None:
            found = translated(self.answers["before"].subject, change)
            self.tried = [*self.tried, found][-MOST_TRIED:]
        return found

    @property
    def after_scene(self) -> bytes:
        """What the browser draws of the counterfactual, packed; empty without one."""
        return b"" if self.after is None else self.after.scene()

    @cached_property
    def scene(self) -> bytes:
        """What the browser draws of the recorded trace, packed."""
        return scene_of(self.answers["before"].subject)

    @property
    def shown(self) -> Subject:
        """The subject that is shown."""
        return self.answers[self.agreed["showing"]].subject
