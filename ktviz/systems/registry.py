"""The systems that are known here: those of ktviz, and those that other packages register.

A package registers a class by an entry point of the group `ktviz.systems`, whose name is the system's::

    [project.entry-points."ktviz.systems"]
    mine = "my_package.module:MySystem"
"""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points
from inspect import getattr_static
from typing import Any, Protocol, cast

from ktviz.errors import AbilityError, KtvizError, ProtocolError, TraceError, unknown_name
from ktviz.library.banks import Banks
from ktviz.library.library import Library
from ktviz.networks.weights import Packaged
from ktviz.systems.material import Material
from ktviz.systems.plain import REFUSALS, PlainSystem
from ktviz.systems.prepared import Prepared
from ktviz.systems.protocol import ABILITIES, METHODS, NEEDED, System
from ktviz.trace.trace import Trace

GROUP = "ktviz.systems"
OURS: Mapping[str, str] = {
    "bridge": "ktviz.systems.bridge.system:Bridge",
    "kt": "ktviz.systems.kt.translator:Translator",
    "image-analogy": "ktviz.systems.image_analogy.system:ImageAnalogy",
    "cocosnet": "ktviz.systems.cocosnet.system:CoCosNet",
    "pix2pixhd": "ktviz.systems.pix2pixhd.system:Pix2PixHD",
    "munit": "ktviz.systems.munit.system:Munit",
}
"""Systems of ktviz: where the class of each is."""
OF_CLASSES = ("opened", "prepared")
"""Methods of the class."""


class SystemClass(Protocol):
    """A class of systems: what is known of all of its instances, and how one is made for a trace."""

    name: str
    abilities: frozenset[str]
    baseline: str
    __doc__: str | None

    def opened(self, trace: Trace, library: Library | None, like: System | None, /) -> System:
        """A system on the knowledge that a trace names, with the networks of another one, or its own.

        Example:
            >>> kt.Translator.opened(trace, world.library, world.translator).banks
            BankUnion(toy/flat; 5 sources, 845 entries)
        """
        ...

    def only_stated(self, settings: Mapping[str, Any], /) -> Mapping[str, Any]:
        """Of the settings that a trace states, what its run need not show, by name: another value may make the same
        picture and the same retrievals, so that nobody can prove it.

        Example:
            >>> kt.Translator.only_stated(trace.picture.settings)
            {}
        """
        ...

    def prepared(self, input: Material, reference: Material | Banks[Any], like: System | None, /) -> Prepared:
        """With the ability `bench`: a system on a reference, or on banks, and what it is called with for an input; with
        the networks of another one, or its own.

        Raises:
            KtvizError: It cannot take them; the message says what is missing.

        Example:
            >>> ready = kt.Translator.prepared(kt.Material(photo), world.banks, world.translator)
            >>> ready.traced().digest == trace.digest
            True
        """
        ...


def packaged(name: str) -> Packaged:
    """The weights that come with a system of ktviz.

    Example:
        >>> sorted(packaged("image-analogy").sha256)
        ['inverse.safetensors', 'pyramid.safetensors']
    """
    package = OURS[name].partition(":")[0].rpartition(".")[0]
    found: Packaged = import_module(f"{package}.packaged").WEIGHTS
    return found


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
        ['bands', 'bench', 'blend', 'exclude', 'oracle', 'rerun', 'tree']
    """
    if name not in names():
        raise unknown_name("system", name, names())
    if name in OURS:
        module, _, attribute = OURS[name].partition(":")
        return cast(SystemClass, getattr(import_module(module), attribute))
    point = registered()[name]
    try:
        found = point.load()
    except (Exception, SystemExit) as error:  # other people's code
        raise ProtocolError(
            f"system {name!r} ({point.value})",
            f"it cannot be imported ({in_words(error)})",
            "Mend or remove its package",
        ) from error
    check_class(found, name, point.value)
    return cast(SystemClass, found)


def check_class(found: Any, name: str, place: str) -> None:
    """Raise ProtocolError, with the first part that is wrong, unless a class keeps the protocol."""

    def wrong(what: str) -> ProtocolError:
        return ProtocolError(f"system {name!r} ({place})", what, "See ktviz.systems.protocol.System")

    if not inspect.isclass(found):
        raise wrong(f"it is a {type(found).__name__}, not a class")
    own_name, abilities, baseline = (getattr_static(found, part, None) for part in ("name", "abilities", "baseline"))
    if own_name != name:
        raise wrong(f"its name is {own_name!r}")
    if not isinstance(abilities, frozenset) or not abilities <= set(ABILITIES):
        raise wrong(f"abilities {abilities!r}, not a frozenset of {', '.join(ABILITIES)}")
    needed = ["opened", *NEEDED, *(method for ability in sorted(abilities) for method in METHODS.get(ability, ()))]
    for method in needed:
        if what := misfit(found, method):
            raise wrong(what)
    if "blend" in abilities and not (isinstance(baseline, str) and baseline):
        raise wrong("a blend without a baseline in words")


def misfit(found: type, method: str) -> str:
    """How a method of a class breaks the protocol, in words; empty where it does not."""
    own, wanted = getattr_static(found, method, None), getattr(SystemClass if method in OF_CLASSES else System, method)
    if own is None or (method in REFUSALS and own is getattr_static(PlainSystem, method)):
        return f"it has no {method}"
    if method in OF_CLASSES and not isinstance(own, classmethod):
        return f"{method} is a {type(own).__name__}, not a class method"
    if not callable(getattr(found, method)):
        return f"{method} is a {type(own).__name__}, not a method"
    function = own.__func__ if isinstance(own, classmethod) else own
    if inspect.isfunction(function) and not fits(function, wanted):
        return f"{method}{inspect.signature(function)}, should be {method}{inspect.signature(wanted)}"
    return ""


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
        ProtocolError: The system cannot be imported, or breaks the protocol.
    """
    if not trace.system:
        raise AbilityError("make a run again", "the trace is of an adapted model", "Ask who has the model")
    if trace.system not in names():
        raise TraceError(
            f"a trace of the system {trace.system!r}", f"known here: {', '.join(names())}", "Install its package"
        )
    found = system_class(trace.system)
    asked, todo = f"the system of a trace, {trace.system!r}", "See ktviz.systems.protocol.System"
    try:
        made = found.opened(trace, library, like)
    except KtvizError:
        raise
    except Exception as error:  # other people's code
        raise ProtocolError(asked, f"its opened failed ({in_words(error)})", todo) from error
    if not isinstance(made, cast(type, found)):
        raise ProtocolError(asked, f"its opened gave a {type(made).__name__}", todo)
    return made


def in_words(error: BaseException) -> str:
    """What an error is, and says."""
    return f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
