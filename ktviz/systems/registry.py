"""The systems that are known here: those of ktviz, and those that other packages register.

A package registers a class by an entry point of the group `ktviz.systems`, whose name is the system's:

    [project.entry-points."ktviz.systems"]
    mine = "my_package.module:MySystem"
"""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points
from typing import Any, Protocol, cast

from ktviz.errors import AbilityError, ProtocolError, TraceError, unknown_name
from ktviz.library.library import Library
from ktviz.systems.protocol import ABILITIES, METHODS, NEEDED, System
from ktviz.trace.trace import Trace

GROUP = "ktviz.systems"
OURS: Mapping[str, str] = {
    "kt": "ktviz.systems.kt.translator:Translator",
    "image-analogy": "ktviz.systems.image_analogy.system:ImageAnalogy",
}
"""Systems of ktviz: where the class of each is."""


class SystemClass(Protocol):
    """A class of systems: what is known of all of its instances, and how one is made for a trace."""

    name: str
    abilities: frozenset[str]
    baseline: str
    __doc__: str | None

    def opened(self, trace: Trace, library: Library | None, like: System | None, /) -> System:
        """A system on the knowledge that a trace names, with the networks of another one, or its own."""
        ...


def names() -> list[str]:
    """Names of all systems that are known here."""
    return sorted({*OURS, *registered()})


def registered() -> dict[str, EntryPoint]:
    """What other packages register, by name."""
    return {point.name: point for point in entry_points(group=GROUP) if point.name not in OURS}


def system_class(name: str) -> SystemClass:
    """The class of a system.

    Raises:
        UnknownNameError: There is none of that name; the message names the nearest.
        ProtocolError: It cannot be imported, or breaks the protocol; the message says which method.

    Example:
        >>> sorted(system_class("kt").abilities)
        ['bands', 'blend', 'exclude', 'oracle', 'rerun', 'tree']
    """
    if name not in names():
        raise unknown_name("system", name, names())
    if name in OURS:
        module, _, attribute = OURS[name].partition(":")
        return cast(SystemClass, getattr(import_module(module), attribute))
    point = registered()[name]
    try:
        found = point.load()
    except Exception as error:  # other people's code
        raise ProtocolError(
            f"system {name!r} ({point.value})", f"it cannot be imported ({error})", "Mend or remove its package"
        ) from error
    check_class(found, name, point.value)
    return cast(SystemClass, found)


def check_class(found: Any, name: str, place: str) -> None:
    """Raise ProtocolError, with the first part that is wrong, unless a class keeps the protocol."""

    def wrong(what: str) -> ProtocolError:
        return ProtocolError(f"system {name!r} ({place})", what, "See ktviz.systems.protocol.System")

    if not inspect.isclass(found):
        raise wrong(f"it is a {type(found).__name__}, not a class")
    if getattr(found, "name", None) != name:
        raise wrong(f"its name is {getattr(found, 'name', None)!r}")
    abilities = getattr(found, "abilities", None)
    if not isinstance(abilities, frozenset) or not abilities <= set(ABILITIES):
        raise wrong(f"abilities {abilities!r}, not a frozenset of {', '.join(ABILITIES)}")
    needed = ["opened", *NEEDED, *(method for ability in sorted(abilities) for method in METHODS.get(ability, ()))]
    for method in needed:
        own = inspect.getattr_static(found, method, None)
        if own is None:
            raise wrong(f"it has no {method}")
        wanted = getattr(System, method, None)
        if inspect.isfunction(own) and inspect.isfunction(wanted) and not fits(own, wanted):
            raise wrong(f"{method}{inspect.signature(own)}, should be {method}{inspect.signature(wanted)}")
    if "blend" in abilities and not getattr(found, "baseline", ""):
        raise wrong("a blend without a baseline in words")


def fits(own: Any, wanted: Any) -> bool:
    """Whether a method can be called as the protocol calls it."""
    parameters = inspect.signature(wanted).parameters.values()
    plain = [p for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
    named = {p.name: None for p in parameters if p.kind is p.KEYWORD_ONLY}
    try:
        inspect.signature(own).bind(*plain, **named)
    except TypeError:
        return False
    return True


def opened(trace: Trace, library: Library | None, like: System | None = None) -> System:
    """The system of a trace, on the knowledge that it names.

    Args:
        trace: Of a system that is known here.
        library: Where its knowledge is, or None.
        like: A system whose networks are taken; None for those that come with it.

    Raises:
        AbilityError: The trace is of an adapted model, which nobody can make again from its name.
        TraceError: Of a system that is not known here.
    """
    if not trace.system:
        raise AbilityError("make a run again", "the trace is of an adapted model", "Ask who has the model")
    if trace.system not in names():
        raise TraceError(
            f"a trace of the system {trace.system!r}", f"known here: {', '.join(names())}", "Install its package"
        )
    return system_class(trace.system).opened(trace, library, like)
