"""What a person, or a trace, asks a system for, checked: a run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, fields
from typing import Any

from ktviz.errors import SettingError, TraceError, UnknownNameError
from ktviz.images import Pixels, pixel_digest
from ktviz.systems.bridge.attributes import Known
from ktviz.systems.bridge.choice import References
from ktviz.systems.bridge.known import check_known
from ktviz.systems.bridge.left_out import Named
from ktviz.systems.bridge.noise import Noise
from ktviz.systems.bridge.reference import REFERENCE_BANK, Aligned, again, aligned, given, source_of
from ktviz.systems.bridge.run import Run, labels_name
from ktviz.systems.bridge.settings import NOT_TAKEN, Settings, check_taken
from ktviz.systems.bridge.trained import Networks
from ktviz.systems.opening import named_source, stated_settings
from ktviz.trace.pictures import REFERENCE
from ktviz.trace.trace import Trace
from ktviz.values import check_once, short

STATED = (
    *("has", "want", "difference", "reference", "reference_has", "without"),
    *(setting.name for setting in fields(Settings)),
)
"""What a trace states of a run."""
QUESTION = "a question to the model"


@dataclass(frozen=True, eq=False)
class Asking:
    """What can be asked for.

    Attributes:
        networks: That know attributes, a size, and rows of noise.
        references: The pictures of banks, or None.
    """

    networks: Networks
    references: References | None
    _checked: set[str] = field(default_factory=set, repr=False)

    @property
    def known(self) -> Known:
        """The attributes."""
        return Known(self.networks.attributes, self.networks.exclusive)

    def run(self, picture: Any, has: Any, want: Any, reference: Any, without: Any, settings: Settings) -> Run:
        """A run, as a person asks for it; arguments and errors as in a call of the system."""
        pixels = aligned(picture, self.networks.shape.side, "a picture")
        self.check_known(pixels, "a picture")
        wish = self.known.wish(has, want)
        taken = self.reference(reference, settings)
        if taken is not None:
            taken.check_wanted(wish)
            self.check_known(taken.pixels, f"a reference ({taken.name})")
        noise = None if settings.mode == "reference" else Noise.of(settings, self.networks)
        banks = None if self.references is None else self.references.banks
        named = Named(banks, source_of(pixels, wish.has), taken, labels_name(noise))
        gone, of_bank = named.parts(without), taken is not None and named.given is None
        if taken is not None and of_bank and taken.name in gone.pictures:
            asked, found = f"a run without {taken.name}", "it is the reference that is asked for"
            raise UnknownNameError(asked, found, "Leave out reference= or without=")
        return Run(pixels, wish, settings, taken, of_bank, noise, gone)

    def check_known(self, pixels: Pixels, what: str) -> None:
        """As `ktviz.systems.bridge.known`, once for each picture."""
        digest = pixel_digest(pixels)
        if digest not in self._checked:
            check_known(self.networks, pixels, what)
            self._checked.add(digest)

    def reference(self, reference: Any, settings: Settings) -> Aligned | None:
        """The reference that is asked for; None where it is to be chosen, or where the mode takes none."""
        if settings.mode == "labels":
            check_taken(settings.mode, [] if reference is None else ["reference"])
            return None
        if reference is None:
            if self.references is None:
                todo = "Give reference=(picture, attributes), or banks; or mode='labels'"
                raise SettingError(f"mode {settings.mode!r}", "no reference, and no bank to choose one from", todo)
            return None
        if isinstance(reference, str):
            if self.references is None:
                found = "there is no bank"
                raise UnknownNameError(f"reference {reference!r}", found, "Give (picture, attributes)")
            banks = self.references.banks
            return self.references.taken(banks.source_numbers[banks.find_source(reference)])
        if isinstance(reference, Aligned):
            return reference
        return given(reference, self.known, self.networks.shape.side)

    def stated(self, trace: Trace, without: Sequence[Any] = (), **settings: Any) -> Run:
        """The run that a trace states, without some more, with other settings; what a mode does not take is dropped.

        Raises:
            TraceError: The trace was saved without its pictures, lacks a setting, or does not name its reference.
        """
        picture, stored = trace.picture.canvases.get("input"), stated_settings(trace, STATED)
        if picture is None:
            raise TraceError(QUESTION, "the trace was saved without its picture", "Pass photo=")
        del stored["difference"]  # it follows from the others
        stored |= {"want": answers(stored["want"]), "without": [*parts_of(stored["without"]), *without]}
        if stored["reference"] == REFERENCE and "reference" not in settings:
            stored["reference"] = self.reference_of(trace)
        del stored["reference_has"]
        mode = settings.get("mode", stored["mode"])
        kept = {name: value for name, value in stored.items() if name not in NOT_TAKEN.get(str(mode), ())}
        asked = {"reference": None, **kept, **settings}
        has, want, reference, gone = (asked.pop(name) for name in ("has", "want", "reference", "without"))
        return self.run(picture, has, want, reference, gone, Settings(**asked))

    def reference_of(self, trace: Trace) -> Aligned:
        """The reference of a trace that is of no bank."""
        pixels = trace.picture.canvases.get(REFERENCE)
        if pixels is None:
            raise TraceError(QUESTION, "the trace was saved without its reference", "Save its pictures")
        source = named_source(trace, lambda source: source["bank"] == REFERENCE_BANK)
        seen = aligned(pixels, self.networks.shape.side, "a reference")
        return again(seen, source, trace.picture.settings["reference_has"], self.known)


def answers(stated: Any) -> dict[str, Any]:
    """What is wanted, as a trace states it; TraceError for anything else."""
    if not isinstance(stated, list) or not all(isinstance(pair, list) and len(pair) == 2 for pair in stated):
        raise TraceError("the run of the trace", f"it wants {short(stated)}", "Take the trace as it was made")
    check_once("want", [name for name, _ in stated])
    return {str(name): value for name, value in stated}


def parts_of(stated: Any) -> list[Any]:
    """What is left out, as a trace states it; TraceError for anything else."""
    if not isinstance(stated, list):
        raise TraceError("the run of the trace", f"it is without {short(stated)}", "Take the trace as it was made")
    return stated
