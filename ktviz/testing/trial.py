"""A trial: a system, and a run of it that is to be tried."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from tempfile import TemporaryDirectory

from torch import nn

from ktviz.audit.audit import Audit
from ktviz.explain.result import one_site
from ktviz.images import Pixels
from ktviz.library.library import Library
from ktviz.regions import Box
from ktviz.systems.protocol import ABILITIES, System
from ktviz.systems.registry import names
from ktviz.trace.record import record
from ktviz.trace.trace import Trace


class NotTried(Exception):
    """A check that does not apply to a system, or to a run of it; the message says why."""


@dataclass(frozen=True, eq=False, repr=False)
class Trial:
    """A system, and a run of it that is to be tried.

    Attributes:
        system: The system, a module.
        run: Makes the run, and returns its picture: (H, W, 3) uint8.
        library: Where its banks are; None if its knowledge is in no library.
        refused: Calls that must raise a `KtvizError`, by what is wrong with them.
        baseline: Makes the picture that a blend at 0 is to be, in some other way: (H, W, 3) uint8; None if there is
            none.
        left_over: How much the weights of a retrieval may leave over at most, mean of each site: 0 where all that was
            taken is recorded.

    Example:
        >>> import ktviz as kt
        >>> from ktviz import samples
        >>> photo = samples.photo("coffee")[:24, :32]
        >>> analogy = kt.ImageAnalogy(photo[:, ::-1])
        >>> trial = Trial(analogy, lambda: analogy(photo, iterations=1).a_prime, baseline=lambda: photo)
        >>> trial, trial.trace.output.shape
        (Trial(image-analogy), (24, 32, 3))
    """

    system: System
    run: Callable[[], Pixels]
    library: Library | None = None
    refused: Mapping[str, Callable[[], object]] = field(default_factory=dict)
    baseline: Callable[[], Pixels] | None = None
    left_over: float = 0.0

    def __repr__(self) -> str:
        return f"Trial({self.system.name})"

    def record(self) -> Trace:
        """The run, recorded anew."""
        with record(self.model, all_threads=False) as trace:
            self.run()
        return trace

    @cached_property
    def trace(self) -> Trace:
        """The run, recorded once."""
        return self.record()

    @property
    def model(self) -> nn.Module:
        """The system as a module."""
        if not isinstance(self.system, nn.Module):
            raise AssertionError(f"{type(self.system).__name__} is no module: nothing can be recorded")
        return self.system

    @cached_property
    def painting(self) -> Trace:
        """The site that paints the output."""
        return one_site(self.trace)

    @property
    def output(self) -> Pixels:
        """The picture that was recorded."""
        return self.output_of(self.trace)

    def output_of(self, trace: Trace) -> Pixels:
        """The picture of a run like it."""
        return trace.picture.canvases[str(self.painting.site_about["output"])]

    @property
    def part(self) -> Box:
        """A part of the output, in its middle."""
        height, width = self.output.shape[:2]
        return Box(width // 4, height // 4, max(width // 2, 1), max(height // 2, 1))

    @cached_property
    def audit(self) -> Path:
        """The folder of an audit of the run; it goes with the trial."""
        kept = TemporaryDirectory(prefix="ktviz-")
        weakref.finalize(self, kept.cleanup)
        Audit.create(self.trace, model=self.system, top=1, sample=5).save(Path(kept.name) / "audit")
        return Path(kept.name) / "audit"

    def needs(self, *abilities: str) -> None:
        """Raise NotTried unless the system has some abilities."""
        for ability in abilities:
            if ability not in self.system.abilities:
                raise NotTried(f"{self.system.name!r} cannot {ABILITIES[ability]}")

    def needs_retrievals(self) -> None:
        """Raise NotTried if the run took nothing from its knowledge."""
        if not len(self.trace):
            raise NotTried("the run retrieved nothing")

    def needs_audits(self) -> None:
        """Raise NotTried unless others can verify audits of the run."""
        self.needs("rerun")
        self.needs_retrievals()
        if self.system.name not in names():
            raise NotTried(f"{self.system.name!r} is not registered: nobody can open a system of that name")
