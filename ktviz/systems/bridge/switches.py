"""The attributes of a run as switches; see `ktviz.systems.switches`."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from ktviz.errors import SettingError, UnknownNameError
from ktviz.systems.bridge.asking import Asking
from ktviz.systems.bridge.codes import LABELS, OWN, THEIRS
from ktviz.systems.bridge.result import Change
from ktviz.systems.bridge.run import Run
from ktviz.systems.choice import Choice
from ktviz.systems.switches import Switched
from ktviz.trace.trace import Trace

WORDS = {THEIRS: "the reference", LABELS: "the labels", OWN: "the source itself"}
ALL = "what was asked for"
"""What parts of a code are of."""
BY_MODE = {"reference": 0.0, "labels": 1.0}


@dataclass(frozen=True, eq=False)
class RunSwitches:
    """See `ktviz.systems.switches.Switches`.

    Attributes:
        asking: What can be asked for.
        make: Makes a run.
        trace: Of the run whose attributes are switched.
    """

    asking: Asking
    make: Callable[[Run], Change]
    trace: Trace

    @cached_property
    def run(self) -> Run:
        """As the trace states it."""
        return self.asking.stated(self.trace)

    @property
    def names(self) -> Sequence[str]:
        """Of all attributes."""
        return self.asking.known.names

    @property
    def exclusive(self) -> Sequence[Sequence[str]]:
        """Groups of attributes."""
        return self.asking.known.exclusive

    @cached_property
    def references(self) -> Sequence[str]:
        """The one that was given, and all pictures of the banks."""
        known = self.asking.references
        given = [] if self.given is None else [self.given]
        return [*given, *([] if known is None else known.banks.source_names)]

    @property
    def given(self) -> str | None:
        """Name of the reference, where it is of no bank."""
        reference = self.run.reference
        return None if reference is None or self.run.named else reference.name

    def recorded(self) -> Switched:
        """As it was made."""
        return self.told(self.run)

    def switched(self, on: Collection[str], labels: float, reference: str | None, amount: float) -> Switched:
        """The run again; see `Switches`."""
        wish = self.run.wish
        settings: dict[str, Any] = {"want": self.asking.known.switched(wish, on), "amount": amount}
        mode = next((mode for mode, part in BY_MODE.items() if part == labels), "between")
        settings |= {"mode": mode} if mode in BY_MODE else {"mode": mode, "alpha": labels}
        if mode != "labels" and (reference is None or reference != self.given):
            settings["reference"] = reference
        return self.told(self.asking.stated(self.trace, **settings))

    def told(self, run: Run) -> Switched:
        """What came of a run."""
        made = self.make(run)
        shares = {ALL: made.share_map, **{WORDS[name]: share for name, share in made.shares.items()}}
        return Switched(
            run.wish.has,
            run.wish.wanted,
            {name: made.difference.get(name, 0.0) for name in run.wish.has},
            run.settings.amount,
            BY_MODE.get(run.settings.mode, run.settings.alpha or 0.0),
            made.input,
            made.output,
            None if made.reference is None else made.reference.pixels,
            {} if made.reference is None else made.reference.source,
            made.choice is not None,
            self.ranking(run, made.choice),
            shares,
        )

    def ranking(self, run: Run, choice: Choice | None) -> list[tuple[str, float]]:
        """The pictures of the banks that could be taken: also where one was named."""
        known = self.asking.references
        if known is None or run.settings.mode == "labels":
            return []
        if choice is None:
            try:
                choice = known.ranked(run.passage(self.asking.networks), run.wish, run.gone.pictures)
            except (SettingError, UnknownNameError):  # none has what is wanted, and another was given
                return []
        names = (known.banks.source_names[number] for number in choice.entry.tolist())
        return [*zip(names, choice.similarity.tolist(), strict=True)]
