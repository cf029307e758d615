"""The knowledge that a trace names, in the library where it is said to be."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

from ktviz.errors import MismatchError, TraceError
from ktviz.library.kinds.registry import AnyUnion
from ktviz.library.library import Library
from ktviz.retrieval.catalogue import LIBRARY_BANK
from ktviz.trace.trace import Trace

TODO = "Give the library of the trace"


def bank_of(source: Mapping[str, Any], library: Library | None) -> AnyUnion:
    """The bank that a source of a trace names, if that holds it.

    Raises:
        MismatchError: There is no library, or no such bank or source.
    """
    name, bank = str(source["source"]), str(source["bank"])
    asked = f"the reference {name} of the trace"
    found = banks_of(asked, [bank], library)
    if name not in found.source_numbers:
        raise MismatchError(asked, f"bank {bank} does not hold it", TODO)
    return found


def named_source(trace: Trace, fits: Callable[[Mapping[str, Any]], bool]) -> Mapping[str, Any]:
    """What a trace says of its reference: the first of its sources that fits.

    Raises:
        TraceError: It says nothing of it.
    """
    sources: Sequence[Mapping[str, Any]] = trace.about["sources"]
    found = next((source for source in sources if fits(source)), None)
    if found is None:
        raise TraceError("the reference of the trace", "none of its sources is that", "Take the trace as it was made")
    return found


def stated_settings(trace: Trace, names: Collection[str]) -> dict[str, Any]:
    """The settings of a trace's run, all of them: what is left to a default may be another run.

    Raises:
        TraceError: One is missing, or there is another.
    """
    found = dict(trace.picture.settings)
    if found.keys() != {*names}:
        other = sorted(found.keys() ^ {*names})[0]
        what = f"an unknown setting {other}" if other in found else f"no {other}"
        raise TraceError("the run of the trace", f"its settings have {what}", "Take the trace as it was made")
    return found


def stated_digest(trace: Trace, name: str) -> str:
    """One of the digests of a trace's system.

    Raises:
        TraceError: It is missing.
    """
    digests: Mapping[str, Any] = trace.about["digests"]
    if name not in digests:
        raise TraceError("the system of the trace", f"it states no {name}", "Take the trace as it was made")
    return str(digests[name])


def named_banks(trace: Trace) -> list[str]:
    """The banks whose digests a trace states, in the order in which its system had them."""
    names = [key.removeprefix(LIBRARY_BANK) for key in trace.about["digests"] if key.startswith(LIBRARY_BANK)]
    stated = trace.about["banks"]  # in the order of the system; digests have none
    return sorted(names, key=lambda name: stated.index(name) if name in stated else len(stated))


def banks_of(asked: str, names: Sequence[str], library: Library | None) -> AnyUnion:
    """Those of some banks that a library has, in the order of their names.

    Args:
        asked: What for.
        names: At least one.
        library: Where they are, or None.

    Raises:
        MismatchError: There is no library, or it has none of them.
    """
    if library is None:
        raise MismatchError(asked, "no library was given", TODO)
    there = [name for name in names if name in library]
    if not there:
        raise MismatchError(asked, f"the library has no bank {' or '.join(names)}", TODO)
    return library.select(there)
