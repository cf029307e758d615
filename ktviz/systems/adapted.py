"""Adapted models as systems: what their adapters say they can be asked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from ktviz.errors import AbilityError, Difference, TraceError
from ktviz.images import Pixels, to_tensor
from ktviz.regions import Box, Mask
from ktviz.retrieval.matches import Matches
from ktviz.systems.descents import Descent
from ktviz.systems.protocol import Blend, Exclude, Floats, Ints, Leaves
from ktviz.trace.about import model_digests
from ktviz.trace.adapt import Abilities, Adapted
from ktviz.trace.trace import Trace

CELL_PX = 1


@dataclass(frozen=True)
class AdaptedSystem:
    """A model that knows nothing of ktviz, with what its adapter gives it; see `System`.

    Attributes:
        model: The module that was recorded.
        known: The catalogues' digests.
        given: What it can do.
    """

    model: nn.Module
    known: Mapping[str, str]
    given: Abilities

    cell_px = CELL_PX
    banks = None

    @property
    def name(self) -> str:
        """The model's class."""
        return type(self.model).__name__

    @property
    def abilities(self) -> frozenset[str]:
        """Those that were given."""
        return frozenset(name for name in ("blend", "rerun", "exclude") if getattr(self.given, name) is not None)

    @property
    def baseline(self) -> str:
        """What the output is where nothing was retrieved."""
        return self.given.baseline

    def digests(self) -> dict[str, str]:
        """Of the model as a whole, and of the catalogues that have one."""
        return {**model_digests(self.model), **self.known}

    def pictures(self, inputs: tuple[Any, ...], output: Any) -> dict[str, Pixels]:
        """None: a recorder finds them itself."""
        return {}

    def measures_of(self, inputs: tuple[Any, ...], output: Any) -> dict[str, Any]:
        """None."""
        return {}

    def settings_of(self, inputs: tuple[Any, ...], output: Any) -> dict[str, Any]:
        """None."""
        return {}

    def patches(self, trace: Trace, places: Sequence[int]) -> list[tuple[Pixels, Pixels]]:
        """None: ktviz does not hold this model's sources."""
        raise AbilityError("pictures of retrievals", f"ktviz holds no sources of {self.name}", "Look at their boxes")

    def source_picture(self, source: str) -> Pixels | None:
        """None: ktviz does not hold this model's sources."""
        return None

    def rerun(self, trace: Trace, *, without: Sequence[Any] = (), **settings: Any) -> Trace:
        """The same run again; see `System`."""
        if settings:
            raise TraceError(f"run {self.name} again with {', '.join(settings)}", "it has no settings", "Leave it out")
        if without:
            assert self.given.exclude is not None
            return self.given.exclude(trace, tuple(without))
        assert self.given.rerun is not None
        return self.given.rerun(trace)

    def exclude(self, trace: Trace, within: Box) -> Exclude:
        """See `System`; the whole run is made again."""
        return ExcludeAdapted(self, trace, within)

    def searched(self, trace: Trace) -> list[str]:
        """All of them."""
        return [source["source"] for source in trace.about["sources"]]

    def check_rounded(self, name: str, trace: Trace, again: Trace) -> npt.NDArray[np.bool_]:
        """Nobody knows how far rounding carries there."""
        raise Difference(f"{name}: made elsewhere, and {self.name} does not say what rounding may change")

    def behind(self, trace: Trace, mask: Mask) -> Ints:
        """Any retrieval may reach anywhere."""
        return np.arange(len(trace))

    def blend(self, trace: Trace, within: Box) -> Blend:
        """See `System`."""
        return BlendAdapted(self, trace, within)

    def footprint(self, trace: Trace, mask: Mask) -> Floats:
        """Nobody has measured how far the rest of the model spreads them: the overlap."""
        return trace.overlap(mask)

    def reach(self, trace: Trace) -> str:
        """Not measured."""
        return "not measured"

    def encode(self, pixels: Pixels) -> Tensor:
        """The pixels themselves: (3, H, W)."""
        return to_tensor(pixels)[0]

    def oracle(self, trace: Trace, queries: Ints) -> Matches:
        """None."""
        raise AbilityError("the exact best entries", f"{self.name} does not say", "Ask what rows can answer")

    def similarity_of(self, trace: Trace, places: Ints, entries: Ints) -> Tensor:
        """None."""
        raise AbilityError("similarities", f"{self.name} does not say", "Ask what rows can answer")

    def best_by_source(self, trace: Trace, places: Ints) -> Tensor:
        """None."""
        raise AbilityError("similarities", f"{self.name} does not say", "Ask what rows can answer")

    def leaves(self, trace: Trace) -> Leaves:
        """None."""
        raise AbilityError("leaves of a cluster tree", f"{self.name} has none", "Ask what rows can answer")

    def descents(self, trace: Trace, places: Sequence[int]) -> list[Descent]:
        """None."""
        raise AbilityError("ways down a cluster tree", f"{self.name} has none", "Ask what rows can answer")

    def band_pictures(self, trace: Trace, places: Ints, entries: Ints) -> tuple[Pixels, Pixels]:
        """None."""
        raise AbilityError("pictures of bands", f"{self.name} has none", "Ask what rows can answer")


@dataclass(frozen=True)
class ExcludeAdapted:
    """See `ktviz.systems.protocol.Exclude`."""

    system: AdaptedSystem
    trace: Trace
    within: Box

    def __call__(self, without: Sequence[Any] = (), /, **settings: Any) -> Pixels:
        """That part of the output of a whole run."""
        output = self.system.rerun(self.trace, without=without, **settings).output
        if output is None:
            raise TraceError(f"run {self.system.name} without some knowledge", "it made no picture", "Mend `exclude`")
        return output[self.within.pixels]


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
    return AdaptedSystem(model, known, able[0].abilities)
