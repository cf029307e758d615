"""Who stands on the bench: systems by their names, made ready for an input and a reference, or why they cannot be."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, TypeVar, cast

from ktviz.errors import KtvizError, ProtocolError, SettingError, StorageError, unknown_name
from ktviz.library.banks import Banks
from ktviz.systems.material import Material
from ktviz.systems.prepared import Prepared
from ktviz.systems.protocol import System
from ktviz.systems.registry import OURS, SystemClass, in_words, names, system_class
from ktviz.values import short

T = TypeVar("T")
LONGEST = 60
"""Letters of the name of a system."""
TAKEN = "(input|reference|agreement)(-.*)?|.*-origins"
"""What pictures beside the outputs are called."""
Given = Material | Banks[Any]
"""A reference: a picture, or banks of one kind."""


@dataclass(frozen=True, eq=False)
class Entrant:
    """A system on the bench.

    Attributes:
        name: Of the system.
        prepared: The system and what it is called with; None where it cannot take part.
        why: Why it cannot, in one sentence; empty where it can.
        seconds_prepared: How long it took to make it ready: its networks, and what it makes of the reference.
    """

    name: str
    prepared: Prepared | None
    why: str = ""
    seconds_prepared: float = 0.0

    @property
    def ready(self) -> Prepared:
        """What it is called with; only of one that takes part."""
        assert self.prepared is not None
        return self.prepared


def entrants(
    systems: Iterable[str | System] | None,
    input: Material,
    references: Sequence[Given],
    settings: Mapping[str, Mapping[str, Any]],
) -> list[Entrant]:
    """Systems made ready, each with the first of the references that it takes.

    Args:
        systems: Names, or systems whose networks are to be used; None for all that are known here.
        input: What all of them get.
        references: A picture; or banks, of one kind each.
        settings: How a system is called, by its name.

    Raises:
        UnknownNameError: There is no such system; the message names the nearest.
        SettingError: One is named twice, or as no file can be; something else is given; settings are of a system that
            is not named, or say what follows from the reference.
    """
    chosen = [named(one) for one in (names() if systems is None else listed(systems))]
    known = [name for name, _ in chosen]
    if not known:
        raise SettingError("a bench", "no system is named", f"Name some of {', '.join(names())}")
    folded = [name.casefold() for name in known]  # as some disks tell files apart
    if twice := next((name for name, one in zip(known, folded, strict=True) if folded.count(one) > 1), None):
        raise SettingError(f"a bench with {twice} twice", "it would be compared with itself", "Name it once")
    if not isinstance(settings, Mapping) or not all(isinstance(one, Mapping) for one in settings.values()):
        found, todo = "not settings by name of the system", "Give {name of the system: {setting: value}}"
        raise SettingError(f"bench settings {short(settings)}", found, todo)
    if strangers := sorted(map(str, set(settings) - set(known))):
        raise SettingError(f"settings of {strangers[0]}", f"on the bench are {', '.join(known)}", "Name one of them")
    return [entrant(name, like, input, references, settings.get(name, {})) for name, like in chosen]


def listed(systems: Iterable[str | System]) -> list[str | System]:
    """Several systems as a list; a single one, too."""
    return [systems] if isinstance(systems, str) or not isinstance(systems, Iterable) else list(systems)


def named(given: str | System) -> tuple[str, System | None]:
    """A system by its name, and the one whose networks are to be used, if one was given."""
    if isinstance(given, str):
        if given not in names():
            raise unknown_name("system", given, names())
        return checked_name(given), None
    if isinstance(given, type) or not isinstance(given, System):
        raise SettingError(f"a bench with {short(given)}", "neither the name of a system nor a system", "Give one")
    return checked_name(given.name), given


def checked_name(name: object) -> str:
    """The name of a system, after which files are called."""
    asked = f"a bench with a system called {short(name)}"
    if not isinstance(name, str) or len(name) > LONGEST or not re.fullmatch(r"[A-Za-z0-9_]+(-[A-Za-z0-9_]+)*", name):
        found = f"not letters from a to z, digits, - and _, at most {LONGEST}"
        raise SettingError(asked, found, "Call it otherwise: files are called after it")
    if re.fullmatch(TAKEN, name, re.IGNORECASE):
        raise SettingError(asked, "another picture of the folder is called so", "Call it otherwise")
    return name


def entrant(
    name: str, like: System | None, input: Material, references: Sequence[Given], settings: Mapping[str, Any]
) -> Entrant:
    """A system, made ready with the first reference that it takes."""
    refused: list[str] = []
    for reference in references:
        start = time.perf_counter()
        found, why = attempt(name, partial(prepared, name, like, input, reference))
        if found is not None:
            taken = time.perf_counter() - start
            check_further(name, found, settings)
            return Entrant(name, replace(found, settings={**found.settings, **settings}), seconds_prepared=taken)
        refused.append(why)
    return Entrant(name, None, " ".join(dict.fromkeys(refused)))


def check_further(name: str, found: Prepared, settings: Mapping[str, Any]) -> None:
    """Raise SettingError where settings say what follows from the reference: another one would have its credit."""
    if taken := sorted({*settings} & {*found.settings}):
        asked, said = f"settings of {name} with {taken[0]}=", "it follows from the reference that all systems get"
        raise SettingError(asked, said, "Leave it out, and give the picture as reference")


def prepared(name: str, like: System | None, input: Material, reference: Given) -> Prepared:
    """A system with a reference."""
    found = system_class(name) if like is None else cast(SystemClass, type(like))
    if "bench" not in found.abilities:
        asked, todo = f"{name} beside other systems", "See ktviz.systems.registry.SystemClass.prepared"
        raise ProtocolError(asked, "it does not say what it takes of an input and a reference", todo)
    return found.prepared(input, reference, like)


def attempt(name: str, work: Callable[[], T]) -> tuple[T | None, str]:
    """What some work of a system gives, or None and why it gives nothing, in a sentence.

    Raises:
        StorageError: The disk refuses, which is nothing of the system's.
    """
    try:
        return work(), ""
    except StorageError:
        raise
    except KtvizError as error:
        return None, str(error)
    except Exception as error:
        if name in OURS:
            raise
        return None, f"The system {name!r} failed: {in_words(error)}."  # other people's code
