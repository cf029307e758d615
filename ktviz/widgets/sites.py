"""The sites of a trace in a view, which shows one at a time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypedDict
from weakref import WeakKeyDictionary

from ktviz.errors import TraceError, UnknownNameError
from ktviz.trace.pictures import OUTPUT
from ktviz.trace.recorded import as_trace
from ktviz.trace.shares import sources_in_order
from ktviz.trace.trace import Trace

_orders: WeakKeyDictionary[Trace, list[str]] = WeakKeyDictionary()
"""Orders of sources of traces that are being looked at, for every site again."""


class SiteChoice(TypedDict):
    """A site, as the browser's switch has it; `direction` is None where the trace says none."""

    name: str
    retrievals: int
    direction: str | None


def choices(trace: Trace) -> list[SiteChoice]:
    """All sites of a trace, in its order."""
    counts = trace.winners["site"].value_counts().to_pylist()
    number = {count["values"]: count["counts"] for count in counts}
    return [
        {"name": site["name"], "retrievals": number.get(site["name"], 0), "direction": direction(site.get("direction"))}
        for site in trace.about["sites"]
    ]


def outputs(trace: Trace) -> frozenset[str]:
    """The pictures that the sites of a trace paint, or serve."""
    return frozenset(str(site["output"]) for site in trace.about["sites"])


def asked_by(trace: Trace) -> dict[str, tuple[str, ...]]:
    """The sites that choose from each bank."""
    banks, sites = trace.whole.about["banks"], trace.whole.about["sites"]
    return {bank: tuple(site["name"] for site in sites if bank in site.get("banks", banks)) for bank in banks}


def direction(said: object) -> str | None:
    """A direction as text; None where there is none."""
    return None if said is None or said == "" else str(said)


def first_site(trace: Trace) -> str:
    """The site that a view shows at first: the one that painted the output, or else the last one with retrievals.

    Raises:
        TraceError: Not a trace of one image, or one without retrievals.
    """
    as_trace(trace)
    _ = trace.picture
    found = [site["name"] for site in choices(trace) if site["retrievals"]]
    if not found:
        raise TraceError("view a trace", "it holds no retrievals", "Record a run of the model")
    painters = [s["name"] for s in trace.about["sites"] if s["paints"] and s["output"] == OUTPUT and s["name"] in found]
    return painters[-1] if painters else found[-1]


def checked_site(name: object, trace: Trace) -> str:
    """The name of a site that can be shown.

    Raises:
        UnknownNameError: There is no such site.
        TraceError: It has no retrievals.
    """
    known = {site["name"]: site for site in choices(trace)}
    if not isinstance(name, str) or name not in known:
        raise UnknownNameError(f"site {str(name)[:60]!r}", f"known: {', '.join(known)}", "Choose one of trace.sites")
    if not known[name]["retrievals"]:
        raise TraceError(f"view site {name!r}", "it holds no retrievals", "Choose another of trace.sites")
    return name


def source_order(trace: Trace) -> Sequence[str]:
    """Names of the sources in the order that they have at every site and in every figure: `sources_in_order`.

    Empty for a whole trace of one site, whose own order is this one.
    """
    if trace.mask is None and len(trace.recording.sites) == 1:
        return ()
    if trace not in _orders:
        _orders[trace] = sources_in_order(trace)
    return _orders[trace]
