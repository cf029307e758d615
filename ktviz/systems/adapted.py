"""Adapted models as systems: what their adapters say they can be asked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from ktviz.errors import TraceError
from ktviz.images import Pixels
from ktviz.regions import Box, Mask
from ktviz.systems.plain import PlainSystem
from ktviz.systems.protocol import Blend, Ints
from ktviz.trace.about import model_digests
from ktviz.trace.adapt import Abilities, Adapted
from ktviz.trace.trace import Trace


@dataclass(frozen=True)
class AdaptedSystem(PlainSystem):
    """A model that knows nothing of ktviz, with what its adapter gives it; see `System`.

    Attributes:
        name: The model's class.
        baseline: What the output is where nothing was retrieved.
        model: The module that was recorded.
        known: The catalogues' digests.
        given: What it can do.
    """

    name: str
    baseline: str
    model: nn.Module
    known: Mapping[str, str]
    given: Abilities

    @property
    def abilities(self) -> frozenset[str]:
        """Those that were given."""
        return frozenset(name for name in ("blend", "rerun", "exclude") if getattr(self.given, name) is not None)

    def digests(self) -> dict[str, str]:
        """Of the model as a whole, and of the catalogues that have one."""
        return {**model_digests(self.model), **self.known}

    def pictures(self, inputs: tuple[Any, ...], output: Any) -> dict[str, Pixels]:
        """None: a recorder finds them itself."""
        return {}

    def rerun(self, trace: Trace, *, without: Sequence[Any] = (), **settings: Any) -> Trace:
        """The same run again; see `System`."""
        if settings:
            raise TraceError(f"run {self.name} again with {', '.join(settings)}", "it has no settings", "Leave it out")
        if without:
            assert self.given.exclude is not None
            return self.given.exclude(trace, tuple(without))
        assert self.given.rerun is not None
        return self.given.rerun(trace)

    def behind(self, trace: Trace, mask: Mask) -> Ints:
        """Any retrieval may reach anywhere."""
        return np.arange(len(trace))

    def blend(self, trace: Trace, within: Box) -> Blend:
        """See `System`."""
        return BlendAdapted(self, trace, within)

    def reach(self, trace: Trace) -> str:
        """Nobody has measured how far the rest of the model spreads a retrieval: the footprint is the overlap."""
        return "not measured"


@dataclass(frozen=True)
class BlendAdapted:
    """See `ktviz.systems.protocol.Blend`."""

    system: AdaptedSystem
    trace: Trace
    within: Box

    @property
    def retrievals(self) -> Ints:
        """All of them."""
        return np.arange(len(self.trace))

    def __call__(self, amount: Tensor, /) -> Tensor:
        """That part of the whole output."""
        blend = self.system.given.blend
        assert blend is not None
        made, size = blend(self.trace, amount), self.trace.size
        if not isinstance(made, torch.Tensor) or tuple(made.shape) != (3, *size):
            shape = tuple(made.shape) if isinstance(made, torch.Tensor) else type(made).__name__
            raise TraceError(f"blend the retrievals of {self.system.name}", f"{shape}, not {(3, *size)}", "Mend it")
        rows, columns = self.within.pixels
        return made[:, rows, columns]


def adapted_system(model: object, adapted: Sequence[Adapted]) -> AdaptedSystem | None:
    """A model with what its adapters say it can do; None where they say nothing.

    Of several adapters with an ability, the first one's counts.
    """
    able = [one for one in adapted if one.abilities != Abilities()]
    if not able or not isinstance(model, nn.Module):
        return None
    known = {name: digest for one in adapted for name, digest in one.catalogue.digests().items()}
    return AdaptedSystem(type(model).__name__, able[0].abilities.baseline, model, known, able[0].abilities)
