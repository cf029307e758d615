"""Pictures of sources, as far as a system or the trace itself has them."""

from __future__ import annotations

from ktviz.images import Pixels
from ktviz.trace.trace import Trace


def source_picture(trace: Trace, source: str, model: object | None = None) -> Pixels | None:
    """A source as the system has it, or as the trace does: a canvas of the run, or a picture of a catalogue; None where
    neither does.

    Args:
        trace: Of one image.
        source: Its whole name.
        model: The system; the one that recorded, while it lives, if None.
    """
    system = trace.model if model is None else model
    found = None if system is None else held(system, trace, source)
    return trace.source_picture(source) if found is None else found


def held(system: object, trace: Trace, source: str) -> Pixels | None:
    """A source as a system has it; None of what is no system."""
    from ktviz.systems.protocol import System  # needs torch, as all systems do, and a trace that is only read does not

    return system.source_picture(trace, source) if isinstance(system, System) else None
