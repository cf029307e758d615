"""A question to the system behind a trace: whether it is the one that made the trace, and whether it can answer."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property

from ktviz.errors import AbilityError, MismatchError, TraceError
from ktviz.images import Pixels, as_pixels, pixel_digest
from ktviz.networks.running import check_defaults
from ktviz.retrieval.catalogue import LIBRARY_BANK
from ktviz.systems.adapted import adapted_system
from ktviz.systems.protocol import System, check_ability
from ktviz.trace.pictures import INPUT
from ktviz.trace.recorded import as_trace
from ktviz.trace.trace import Trace

ASKED = "a question to the model"


@dataclass(frozen=True, repr=False)
class Case:
    """A trace and the system that made it, checked against each other.

    Attributes:
        trace: Of one image.
        system: What made it.
    """

    trace: Trace
    system: System

    def __repr__(self) -> str:
        return f"Case({self.trace!r}, {self.system.name})"

    def can(self, ability: str) -> bool:
        """Whether the system has an ability, and the site of the trace is one that it is about."""
        searched = ability != "oracle" or bool(self.trace.site_about["searched"])
        return ability in self.system.abilities and searched

    @cached_property
    def output(self) -> Pixels:
        """The output: the recorded one, or where the trace came without it, made again."""
        made = self.trace.output
        if made is None:
            made = self.system.rerun(self.trace).picture.canvases.get(str(self.trace.site_about["output"]))
        if made is None:
            raise TraceError(ASKED, "the model makes no picture", "Ask what rows can answer")
        return made


def check_cause(trace: Trace, asked: str) -> None:
    """Raise TraceError where what was recorded did not feed the output, so that nothing follows from its absence."""
    if trace.caveat:
        found = f"what is recorded here is the {trace.caveat}: none of it was used"
        raise TraceError(asked, found, "Ask a run that took something, or for shares through overlap")


def case_of(
    trace: Trace, *abilities: str, model: object | None = None, photo: Pixels | None = None, asked: str = ASKED
) -> Case:
    """Bring a trace and its system together.

    Args:
        trace: Of one image, or a result that was recorded.
        *abilities: What the system must be able to do.
        model: The system; None finds the one that recorded, as long as it lives.
        photo: The photo, where the trace was saved without it.
        asked: What an error says was asked.

    Raises:
        AbilityError: The system cannot do that.
        TraceError: There is no model, or no photo.
        MismatchError: The model, its knowledge or the photo is another; the message names the first that differs.
        SettingError: PyTorch's default type is not float32, or its default device not the CPU.
    """
    trace = as_trace(trace)
    system = system_of(trace, model, asked)
    check_defaults()
    for ability in abilities:
        check_ability(system, ability, asked)
    if photo is not None:
        pixels = as_pixels(photo)
        check_equal(INPUT, str(trace.picture.sha256(INPUT)), pixel_digest(pixels))
        trace = trace.with_canvases({INPUT: pixels})
    elif trace.picture.sha256(INPUT) is not None and trace.picture.input is None:
        raise TraceError(asked, "the trace was saved without its photo", "Pass photo=")
    if "oracle" in abilities and not trace.site_about["searched"]:
        raise AbilityError(asked, f"the site {trace.sites[0]!r} does not search", "Choose another: trace.site(name)")
    check_same(trace, system)  # also the model that recorded: its weights may have been changed since
    if trace.mask is not None or trace.about.get("part"):
        raise TraceError(
            asked,
            f"{len(trace):,} of the image's {len(trace.whole):,} retrievals",
            "Ask the whole trace, and name the region in the question",
        )
    return Case(trace, system)


def case_if_any(trace: Trace, *, model: object | None = None, photo: Pixels | None = None) -> Case | None:
    """The case, where a system is given or the trace finds its own; None where only the rows can be asked.

    Raises:
        TraceError, MismatchError: As in `case_of`.
    """
    known = isinstance(trace.model, System) or adapted_system(trace.model, trace.adapted) is not None
    there = known and (photo is not None or trace.picture.input is not None)
    return case_of(trace, model=model, photo=photo) if model is not None or there else None


def system_of(trace: Trace, model: object | None, asked: str = ASKED) -> System:
    """The system that is meant: the one given, or the one that recorded, if by its adapter's abilities."""
    found = trace.model if model is None else model
    if found is None:
        raise no_model(trace, asked)
    if isinstance(found, System):
        return found
    adapted = adapted_system(found, trace.adapted) if model is None or model is trace.model else None
    if adapted is None:
        raise AbilityError(
            asked,
            f"{type(found).__name__}, which is no system and whose adapter, if it has one, gives no abilities",
            "Ask what rows can answer, or give the adapter abilities and keep it",
        )
    return adapted


def no_model(trace: Trace, asked: str) -> TraceError:
    """What is said where a question needs the model and the trace finds none."""
    if trace.model_is_gone:
        return TraceError(
            asked,
            "the model that made the trace is gone, as a trace does not keep it",
            "Keep it in a variable for as long as the trace is asked, or pass model=",
        )
    return TraceError(asked, "the trace has no model with it", "Pass model=, the system that made it")


def check_same(trace: Trace, system: System) -> None:
    """Raise MismatchError, with the first thing that differs, unless a system is the one of a trace."""
    check_system(trace.system, system.name)
    have, known = dict(system.digests()), dict(trace.about["digests"])
    for name in dict.fromkeys((*known, *have)):
        check_equal(name, known.get(name, "none"), have.get(name, "none"))
    have_banks = [name.removeprefix(LIBRARY_BANK) for name in have if name.startswith(LIBRARY_BANK)]
    banks = [name for name in trace.about["banks"] if name in have_banks]  # others are in no library
    check_equal("order of banks", " ".join(banks), " ".join(name for name in have_banks if name in banks))


def check_system(recorded: str, found: str) -> None:
    """Raise MismatchError unless a trace is one of a system; those of adapted models name none."""
    if recorded and recorded != found:
        raise MismatchError(
            f"a trace of the system {recorded!r}", f"the system {found!r}", "Give the one it was made with"
        )


def check_equal(name: str, recorded: str, found: str) -> None:
    """Raise MismatchError unless two digests are equal."""
    if recorded != found:
        raise MismatchError(
            f"the {name} of the trace ({shown(recorded)})",
            f"another one ({shown(found)})",
            "Give the one it was made with",
        )


def shown(digest: str) -> str:
    """A digest in short; anything else as it is."""
    return digest[:12] if re.fullmatch("[0-9a-f]{64}", digest) else digest
