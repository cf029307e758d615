"""How a request is read: numbers that a view may name, and what is said of others."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ktviz.errors import KtvizError
from ktviz.widgets.packing import Part
from ktviz.widgets.subject import Subject

MOST = 512
"""Retrievals, nodes or sources that one request may name."""

Body = Mapping[str, Any]
"""The fields of a request, as in `ktviz.widgets.protocol`."""
Answer = tuple[dict[str, Any], dict[str, Part]]
"""Values, and parts to be packed."""
Answering = Callable[[Subject, Body], Answer]
"""What answers one kind of request about a trace."""


class RequestError(KtvizError):
    """A request that no view of this version sends."""


def numbers(body: Body, name: str, count: int) -> list[int]:
    """A list of whole numbers from 0 to below `count`, by its name in a request."""
    given = body.get(name, [])
    fits = isinstance(given, Sequence) and len(given) <= MOST
    if not fits or any(type(n) is not int or not 0 <= n < count for n in given):
        raise RequestError(f"{name} {str(given)[:60]}", f"not up to {MOST} numbers below {count}", "Ask for fewer")
    return list(given)


def pairs(body: Body, name: str, count: int) -> dict[int, int]:
    """Whole numbers by numbers from 0 to below `count`, from a list of pairs."""
    given = body.get(name, [])
    known = isinstance(given, Sequence) and all(isinstance(pair, Sequence) and len(pair) == 2 for pair in given)
    if not known:
        raise RequestError(f"{name} {str(given)[:60]}", "no list of pairs", "Name each with what is meant for it")
    first = numbers({name: [one for one, _ in given]}, name, count)
    return dict(zip(first, numbers({name: [other for _, other in given]}, name, 2**31), strict=True))


def places(subject: Subject, body: Body) -> list[int]:
    """Places among the winners that a request names; at least one."""
    found = numbers(body, "queries", len(subject.trace))
    if not found:
        raise RequestError("a request about retrievals", "none named", "Name at least one")
    return found
