"""Adapted models as systems: what their adapters say they can be asked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from ktviz.errors import TraceError, TraceNotFinishedError
from ktviz.images import Pixels, to_pixels
from ktviz.memory import as_bytes
from ktviz.regions import Box, Mask
from ktviz.retrieval.catalogue import Catalogue
from ktviz.systems.cells import around
from ktviz.systems.plain import PlainSystem
from ktviz.systems.protocol import Blend, Ints
from ktviz.trace.about import model_digests
from ktviz.trace.adapt import Abilities, Adapted
from ktviz.trace.record import MEMORY, record
from ktviz.trace.trace import Trace

ROUNDING = 1.0
"""Levels by which a blend may miss the recorded output, on average."""


@dataclass(frozen=True)
class AdaptedSystem(PlainSystem):
    """A model that knows nothing of ktviz, with what its adapter gives it; see `System`.

    Attributes:
        name: The model's class.
        baseline: What the output is where nothing was retrieved.
        model: The module that was recorded.
        known: The catalogues' digests.
        sites: The adapters through which it is recorded again.
        given: What it can do.
    """

    name: str
    baseline: str
    model: nn.Module
    known: Mapping[str, str]
    sites: Sequence[Adapted]
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

    def source_picture(self, trace: Trace, source: str) -> Pixels | None:
        """As the trace has it, from the catalogue of an adapter."""
        return trace.source_picture(source)

    def patches(self, trace: Trace, places: Sequence[int]) -> list[tuple[Pixels, Pixels]]:
        """Crops around both ends of retrievals, where there are pictures; see `System`."""
        boxes, sources, names = (trace.column(name)[list(places)] for name in ("box", "source_box", "source"))
        shown = {name: self.source_picture(trace, name) for name in map(str, names)}
        if trace.input is None or any(picture is None for picture in shown.values()):
            return super().patches(trace, places)
        found = []
        for box, source_box, name in zip(boxes, sources, names, strict=True):
            there = shown[str(name)]
            assert there is not None
            found.append((around(trace.input, box), there if np.isnan(source_box).any() else around(there, source_box)))
        return found

    def rerun(self, trace: Trace, *, without: Sequence[Any] = (), **settings: Any) -> Trace:
        """The same run again; see `System`."""
        if settings:
            raise TraceError(f"run {self.name} again with {', '.join(settings)}", "it has no settings", "Leave it out")
        gone = [*trace.picture.settings.get("without", ()), *without]
        with torch.no_grad(), self.recording(trace) as again:
            if gone:
                assert self.given.exclude is not None
                self.given.exclude(trace, tuple(gone))
            else:
                assert self.given.rerun is not None
                self.given.rerun(trace)
        check_once(again, self.name)
        return again.with_settings({**again.picture.settings, "without": gone}) if gone else again

    def recording(self, trace: Trace) -> AbstractContextManager[Trace]:
        """A recording like that of a trace, in as much memory as that took, with room for more."""
        memory = max(as_bytes(MEMORY), 4 * trace.table.nbytes)
        candidates = trace.about["candidates"]
        return record(self.model, *self.sites, candidates=candidates, memory=memory, all_threads=False)

    def behind(self, trace: Trace, mask: Mask) -> Ints:
        """Any retrieval may reach anywhere."""
        return np.arange(len(trace))

    def blend(self, trace: Trace, within: Box) -> Blend:
        """See `System`.

        Raises:
            TraceError: The adapter's blend makes no picture, or does not end at the output.
        """
        blend = BlendAdapted(self, trace, within)
        if trace.output is not None:
            check_end(blend, trace.output[within.pixels])
        return blend

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
            raise TraceError(
                f"blend the retrievals of {self.system.name}",
                f"{shape}, not {(3, *size)}",
                "Return a tensor of that shape",
            )
        rows, columns = self.within.pixels
        return made[:, rows, columns]


def check_once(again: Trace, name: str) -> None:
    """Raise TraceError unless an adapter's `rerun` or `exclude` has run the model once, on one image."""
    try:
        images = len(again.pictures)
    except TraceNotFinishedError:
        images = 0
    if images != 1:
        raise TraceError(
            f"run {name} again", f"the adapter ran it on {images} images", "Run it once, on the image of the trace"
        )


@torch.no_grad()
def check_end(blend: BlendAdapted, output: Pixels) -> None:
    """Raise TraceError where a blend, with all amounts at 1, is not the output that was recorded."""
    made = to_pixels(blend(torch.ones(len(blend.retrievals))))
    if made.shape != output.shape:
        asked, found = f"blend the retrievals of {blend.system.name}", f"its output is {output.shape}, not {made.shape}"
        raise TraceError(asked, found, "Make an output of the size of the input")
    apart = float(np.abs(made.astype(np.int16) - output).mean())
    if apart > ROUNDING:
        raise TraceError(
            f"blend the retrievals of {blend.system.name}",
            f"with all amounts at 1 it is {apart:.1f} levels from the output on average",
            "Make it end at trace.output, made without trace.picture.settings['without']",
        )


def adapted_system(model: object, adapted: Sequence[Adapted]) -> AdaptedSystem | None:
    """A model with what its adapters say it can do, and with their pictures; None where they have neither.

    Of several adapters with an ability, the first one's counts.
    """
    able = [one.abilities for one in adapted if one.abilities != Abilities()]
    if not isinstance(model, nn.Module) or not (able or any(map(pictured, adapted))):
        return None
    given = able[0] if able else Abilities()
    catalogues = [one.catalogue for one in adapted if one.catalogue is not None]
    known = {name: digest for catalogue in catalogues for name, digest in catalogue.digests().items()}
    return AdaptedSystem(type(model).__name__, given.baseline, model, known, adapted, given)


def pictured(adapted: Adapted) -> bool:
    """Whether an adapter's catalogue has pictures."""
    return isinstance(adapted.catalogue, Catalogue) and adapted.catalogue.pictures is not None
