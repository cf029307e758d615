"""People instead of files: sources together that are of one creator, licence, bank or year."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Literal

from ktviz.errors import unknown_name
from ktviz.licences import UNKNOWN, in_short
from ktviz.values import one_of

Group = Literal["creator", "licence", "bank", "year"]
GROUPS: tuple[Group, ...] = ("creator", "licence", "bank", "year")


def group_of(about: Mapping[str, Any], by: str) -> str:
    """What a source is counted to; licences by their SPDX identifiers, so that one that is written in two ways is one.

    Example:
        >>> group_of({"source": "a/b/c.jpg", "creator": "Ann", "licence": "CC BY 4.0"}, "licence")
        'CC-BY-4.0'
    """
    said = str(about.get(by, UNKNOWN)) or UNKNOWN
    return in_short(said) if by == "licence" else said


def grouped(sources: Iterable[Mapping[str, Any]], by: str) -> dict[str, list[str]]:
    """Names of sources by what they are counted to, in the order in which these come."""
    found: dict[str, list[str]] = {}
    for about in sources:
        found.setdefault(group_of(about, by), []).append(str(about["source"]))
    return found


def members(sources: Iterable[Mapping[str, Any]], by: str, what: object) -> list[str]:
    """Names of the sources of one creator, licence, bank or year.

    Raises:
        SettingError: Another `by`.
        UnknownNameError: Nobody and nothing is called so; the message names the nearest.
    """
    known = grouped(sources, one_of("by", by, GROUPS))
    name = in_short(str(what)) if by == "licence" else str(what)
    if name not in known:
        raise unknown_name(by, name, known)
    return known[name]
