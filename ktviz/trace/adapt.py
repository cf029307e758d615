"""Adapters: retrieval sites in other people's models, without touching their source."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from ktviz.errors import SettingError, TraceError
from ktviz.images import Pixels
from ktviz.retrieval.catalogue import Knowledge
from ktviz.retrieval.extension import Extension
from ktviz.retrieval.matches import Matches
from ktviz.retrieval.queries import Queries
from ktviz.retrieval.site import Reading
from ktviz.trace.ear import Ear
from ktviz.trace.inferred import Given, queries_in
from ktviz.trace.of_run import Range, as_batch
from ktviz.trace.pictures import INPUT, OUTPUT

if TYPE_CHECKING:
    from ktviz.trace.trace import Trace

ROUNDING = 1e-3
"""What weights may sum to above 1."""
Reader = Callable[[tuple[Any, ...], Any], Matches | Sequence[Matches]]
"""From the arguments and the result of a call to what was retrieved in it: for one image, or one per image."""
Placer = Callable[[tuple[Any, ...], Any], Queries]
"""From the arguments and the result of a call to where its queries lie."""
Painter = Callable[[tuple[Any, ...], Any], Mapping[str, object]]


@dataclass(frozen=True)
class Abilities:
    """What an adapted model can be asked besides; what is not given, it cannot do.

    They take what they need from the trace that is asked about: `trace.input` is the photo, as uint8. `rerun` and
    `exclude` run the model once, and what it retrieves then is recorded as it was the first time::

        pieces = kt.Catalogue.positions(["exemplar.png"], 64, 64, cell_px=4)
        kt.Abilities(
            rerun=lambda trace: model(to_tensor(trace.input)),
            exclude=lambda trace, what: model(to_tensor(trace.input), hidden=pieces.entries_of(what)),
        )

    Attributes:
        baseline: What the output is where nothing was retrieved, in words; with `blend`.
        blend: From a trace and the amount of each retrieval, (N,) from 0 (the baseline) to 1 (as it was), to the output
            (3, H, W) in [0, 1], with a derivative by the amounts. With all amounts at 1 it is `trace.output`, also of a
            run without something, which is named in `trace.picture.settings["without"]`.
        rerun: Takes a trace, and runs the model as it ran then.
        exclude: Takes a trace, and names of sources or numbers of entries; runs the model without these. It raises
            UnknownNameError where it does not know one, or nothing would be left; `Catalogue.entries_of` does.

    Raises:
        SettingError: A blend without a baseline.

    Example:
        >>> can = kt.Abilities(rerun=lambda trace: None)
        >>> can.rerun is not None, can.exclude is None
        (True, True)
    """

    baseline: str = ""
    blend: Callable[[Trace, Tensor], Tensor] | None = None
    rerun: Callable[[Trace], object] | None = None
    exclude: Callable[[Trace, Sequence[str | int]], object] | None = None

    def __post_init__(self) -> None:
        if self.blend is not None and not self.baseline:
            raise SettingError(
                "a blend without a baseline", "nobody could tell what 0 means", 'Say it: baseline="the mean colour"'
            )


@dataclass(frozen=True, eq=False, repr=False)
class Adapted:
    """A module that `record` listens to, or an index; made by `adapt`, where its parts are explained.

    Without `queries`, they fill the picture that goes into the model. What reads itself has no `reader`, and may do
    without a `catalogue`.

    Example:
        >>> site = kt.adapt(
        ...     torch.nn.Identity(),
        ...     lambda inputs, output: output,
        ...     queries=kt.Queries.whole(64, 64),
        ...     catalogue=kt.Catalogue.wholes(["a.png"]),
        ... )
        >>> type(site).__name__
        'Adapted'
        >>> matches = kt.Matches.hard(torch.tensor([0]), torch.tensor([0.5]))
        >>> site.checked(matches, site.queries, site.catalogue) is matches, site.shown((), None)
        (True, {})
        >>> [reading.matches is matches for reading in site.read((), matches)]
        [True]
    """

    module: nn.Module | Any
    reader: Reader | None
    queries: Queries | Placer | None
    catalogue: Knowledge | None
    causal: bool = True
    signed: bool = False
    prefix: str = ""
    extensions: Sequence[Extension] = ()
    canvas: str = INPUT
    output: str = OUTPUT
    direction: str = ""
    scale_px: float | None = None
    paints: bool = True
    searched: bool = True
    pictures: Painter | None = None
    span: Range = (0.0, 1.0)
    abilities: Abilities = Abilities()
    ear: Ear | None = None

    def __repr__(self) -> str:
        known = "" if self.catalogue is None else f", {self.catalogue!r}"
        return f"Adapted({type(self.module).__name__}{known})"

    def read(self, inputs: tuple[Any, ...], output: Any, given: Given = Given()) -> list[Reading]:
        """The retrievals of one call, one `Reading` per image; `given` is what its run was given.

        Raises:
            TraceError: The reader gave something else than Matches that fit the queries and the catalogue.
        """
        assert self.reader is not None
        found: object = self.reader(inputs, output)
        batch = list(found) if isinstance(found, Sequence) else [found]
        count = next((len(one) for one in batch if isinstance(one, Matches)), 0)
        queries = self._where(count, inputs, output, given)
        assert self.catalogue is not None
        return [Reading(self.checked(one, queries, self.catalogue), queries, self.catalogue) for one in batch]

    @property
    def _asked(self) -> str:
        """What errors call a reading."""
        return f"read the retrievals of {type(self.module).__name__}"

    def _where(self, count: int, inputs: tuple[Any, ...], output: Any, given: Given) -> Queries:
        """Where the queries of a call lie: as was said, or so many that fill the picture."""
        if self.queries is None:
            shows = self.canvas == INPUT and self.pictures is None
            return queries_in(count, given if shows else Given(), self._asked)
        return self.queries(inputs, output) if callable(self.queries) else self.queries

    def checked(self, matches: object, queries: Queries, catalogue: Knowledge) -> Matches:
        """What the reader gave for one image, if it fits.

        Raises:
            TraceError: It does not; the message names the first thing that is wrong.
        """
        asked = self._asked
        if not isinstance(matches, Matches):
            raise TraceError(asked, f"the reader gave {type(matches).__name__}", "Return Matches, one per image")
        if not isinstance(queries, Queries):
            raise TraceError(asked, f"queries that are {type(queries).__name__}", "Say where they lie: ktviz.Queries")
        wrong = misshapen(matches, self.signed)
        if wrong:
            raise TraceError(asked, f"the reader gave {wrong}", "See ktviz.Matches for the shapes")
        if len(matches) != len(queries):
            raise TraceError(
                asked, f"{len(matches)} retrievals for {len(queries)} queries", "Say where the queries of this call lie"
            )
        count = len(catalogue)
        strangers = matches.entry[(matches.entry >= count) | (matches.entry < -1)]
        if len(strangers):
            raise TraceError(
                asked,
                f"entry {int(strangers[0])} of {count} entries, counted from 0",
                "Give a catalogue of all entries",
            )
        return matches

    def shown(self, inputs: tuple[Any, ...], output: Any) -> dict[str, list[Pixels]]:
        """Its pictures of a run, one per image, by name of the canvas.

        Raises:
            TraceError: Something that is no picture, or of another range.
        """
        given = {} if self.pictures is None else self.pictures(inputs, output)
        kind = type(self.module).__name__
        return {name: as_batch(value, self.span, f"the picture {name!r} of {kind}") for name, value in given.items()}


def misshapen(matches: Matches, signed: bool) -> str:
    """What part of matches does not fit the others; empty if all do."""
    entry = matches.entry
    if entry.ndim != 2 or not entry.shape[1] or entry.is_floating_point():
        return f"entries of shape {tuple(entry.shape)} and type {entry.dtype}"
    for name in ("similarity", "weight"):
        values = getattr(matches, name)
        if values is not None and values.shape != entry.shape:
            return f"{name} of shape {tuple(values.shape)} for entries of shape {tuple(entry.shape)}"
    if ((matches.chosen < 0) | (matches.chosen >= entry.shape[1])).any():
        return f"a chosen column outside the {entry.shape[1]} candidates"
    if matches.weight is not None:
        sums = matches.weight.sum(1)
        parts = signed or not ((matches.weight < 0).any() or (sums > 1 + ROUNDING).any())
        if not torch.isfinite(sums).all() or not parts:
            return f"weights that are no parts of a whole (a sum of {float(sums.max()):.3g}; signed=True allows it)"
    return ""
