"""Results of a run that was recorded: what takes a trace takes them, too."""

from __future__ import annotations

from ktviz.errors import TraceError
from ktviz.trace.trace import Trace


class Recorded:
    """A result of a run, which has its trace where the run was recorded."""

    _trace: Trace | None = None

    @property
    def trace(self) -> Trace | None:
        """Its retrievals, where it was recorded: in the latest recording that heard it."""
        return self._trace

    def keep(self, trace: Trace) -> None:
        """Have a trace from now on.

        Example:
            >>> made = world.translator(photo)
            >>> made.keep(trace)
            >>> made.trace is trace
            True
        """
        object.__setattr__(self, "_trace", trace)  # results are frozen


Traced = Trace | Recorded


def as_trace(value: object) -> Trace:
    """A trace as it is, or that of a result that was recorded.

    Raises:
        TraceError: Something else, or a result that was not recorded.
    """
    found = value if isinstance(value, Trace) else getattr(value, "trace", None)
    if not isinstance(found, Trace):
        why = "it was not recorded" if hasattr(value, "trace") else "not a Trace"
        raise TraceError(
            f"explain {type(value).__name__}", why, "Record it: system.traced(photo), or `with record(...)`"
        )
    return found
