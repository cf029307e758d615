"""What people ask for: a style and what is left out, checked and by whole names."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields
from typing import Any

from ktviz.errors import SettingError, UnknownNameError
from ktviz.regions import Box, SourceRegion
from ktviz.systems.left_out import LeftOut, of_banks, of_reference
from ktviz.systems.munit.direction import Direction
from ktviz.systems.munit.exemplar import Exemplar, given
from ktviz.systems.munit.run import Run
from ktviz.systems.munit.settings import Settings
from ktviz.systems.munit.style import Style
from ktviz.systems.munit.styles import Bank
from ktviz.systems.parts import is_number
from ktviz.trace.pictures import REFERENCE
from ktviz.values import short

Asked = tuple[Settings, Exemplar | None, LeftOut]
"""Settings with the whole names of sources, an exemplar that comes with the run, and what is left out."""
GIVEN = ("exemplar", "code", "mix")
"""Settings that say where a style comes from."""
STATED = ("mode", *(setting.name for setting in fields(Settings)), "without")
"""What a trace states of a run."""
FORGOTTEN = (*GIVEN, "nearest")
"""What of a run is forgotten where another style is asked for."""


def asked(direction: Direction, bank: Bank | None, exemplar: Any, without: Any, settings: Mapping[str, Any]) -> Asked:
    """What a call asks for; arguments and errors as in `ktviz.systems.munit.system.Munit`."""
    named = isinstance(exemplar, str) and bank is not None
    own = None if exemplar is None or named else given(exemplar)
    chosen = Settings(exemplar=exemplar if named else None if own is None else REFERENCE, **settings)
    check(chosen, direction, bank)
    if own is not None:
        return chosen, own, of_reference(without, own)
    if bank is None:
        return chosen, None, nothing(without)
    chosen = bank.whole_names(chosen)
    return chosen, None, of_banks(without, bank.banks, chosen.exemplar)


def check(settings: Settings, direction: Direction, bank: Bank | None) -> None:
    """Raise SettingError where settings ask for what these networks, or this bank, do not have."""
    if settings.code is not None:
        check_code(settings.code, direction)
    if bank is not None and settings.nearest > len(bank.banks):
        found = f"there are {len(bank.banks)} sources"
        raise SettingError(f"nearest {settings.nearest}", found, "Give a smaller number")
    if bank is None and settings.mode == "bank":
        raise SettingError("a style of the bank", "there is no bank", "Give banks=, or exemplar=")


def check_code(code: Sequence[float], direction: Direction) -> None:
    """Raise SettingError unless a code has as many numbers as styles of these networks."""
    if len(code) != direction.codes:
        found = f"{len(code)} numbers, and styles have {direction.codes}"
        raise SettingError("code", found, "Give a code of these networks")


def nothing(without: Any) -> LeftOut:
    """What a run does without that draws its style, where there is no bank.

    Raises:
        UnknownNameError: Something is named.
    """
    if isinstance(without, (tuple, list)) and not without:
        return LeftOut()
    found = "its style is drawn, and there is no bank"
    raise UnknownNameError(f"a run without {short(without)}", found, "Leave out nothing")


def meant(without: Sequence[Any], run: Run, sites: Sequence[str], style_of: Callable[[], Style]) -> list[Any]:
    """What a person means by some parts: numbers are entries of a site, and boxes lie in the only picture there is.

    Args:
        without: The parts.
        run: Which is to do without them.
        sites: Of the trace that was asked; of several, the one that paints is meant.
        style_of: The style of the run.

    Raises:
        UnknownNameError: There is no such entry.
    """
    if not any(is_number(part) or isinstance(part, Box) for part in without):
        return [*without]
    style = style_of()
    return [meant_part(part, run, sites, style) for part in without]


def meant_part(part: Any, run: Run, sites: Sequence[str], style: Style) -> Any:
    """One of them."""
    if isinstance(part, Box) and run.exemplar is None and len(style.parts) == 1:
        return SourceRegion(style.parts[0].exemplar.name, part)
    if not is_number(part):
        return part
    if style.parts and [*sites] != ["style"]:
        return style.cell(int(part))
    known = [] if style.candidates is None else style.candidates.knowledge.source_names
    if not 0 <= part < len(known):
        raise UnknownNameError(f"entry {part}", f"there are {len(known)}", "Take one that the trace names")
    return known[int(part)]
