"""A system on the bench, and what is found of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ktviz.explain.faithfulness import Faithfulness
from ktviz.explain.origins import Origins
from ktviz.explain.result import one_site
from ktviz.trace.trace import Trace
from ktviz.workbench.entrants import Entrant
from ktviz.workbench.measures import Times, scores_of


@dataclass(frozen=True, eq=False)
class Stand(Entrant):
    """A system on the bench, and what is found of it.

    Attributes:
        trace: Of its run.
        origins: Where the cells of its output come from; None where that cannot be told.
        times: How long it takes; None where nobody asked.
        memory: What a run takes at most beyond what the process holds, in bytes; None where nobody can tell.
        faithfulness: How far its attribution can be trusted; None where that was not asked, or cannot be told.
        remarks: Why something cannot be told, in sentences.
    """

    trace: Trace | None = None
    origins: Origins | None = None
    times: Times | None = None
    memory: int | None = None
    faithfulness: Faithfulness | None = None
    remarks: tuple[str, ...] = ()

    @property
    def shown(self) -> Trace:
        """The trace of the site that painted its output, where it takes part."""
        assert self.trace is not None
        return one_site(self.trace)

    @property
    def row(self) -> dict[str, Any]:
        """What the table says of it."""
        found: dict[str, Any] = {"system": self.name, "takes_part": self.trace is not None, "why": self.why}
        if self.trace is None:
            return found
        site, known = self.shown.site_about, self.origins
        found |= {"retrievals": len(self.shown), "retrieval": site["kind"], "causal": not self.shown.caveat}
        found["seconds_prepared"] = self.seconds_prepared
        if known is not None:
            found |= {"known": float(known.known.mean()), "own": float(known.own.mean()), "places": known.spread}
        if self.times is not None:
            found |= {"seconds": self.times.plain, "seconds_recorded": self.times.recorded, "memory_bytes": self.memory}
        if self.faithfulness is not None:
            found |= scores_of(self.faithfulness)
        return found | {"remarks": " ".join(self.remarks)}
