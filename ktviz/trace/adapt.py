"""Adapters: retrieval sites in other people's models, without touching their source."""

from __future__ import annotations

import math
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
from ktviz.trace.of_run import Range, as_batch
from ktviz.trace.pictures import INPUT, OUTPUT
from ktviz.trace.ready import TOP, Reader, attention_reader, codebook_reader, neighbours_reader

if TYPE_CHECKING:
    from ktviz.trace.trace import Trace

ROUNDING = 1e-3
"""What weights may sum to above 1."""
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
    """A module that `record` listens to; made by `adapt`, where its parts are explained.

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
        >>> site.checked(matches, site.queries) is matches, site.shown((), None)
        (True, {})
        >>> [reading.matches is matches for reading in site.read((), matches)]
        [True]
    """

    module: nn.Module
    reader: Reader
    queries: Queries | Callable[[tuple[Any, ...], Any], Queries]
    catalogue: Knowledge
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

    def __repr__(self) -> str:
        return f"Adapted({type(self.module).__name__}, {self.catalogue!r})"

    def read(self, inputs: tuple[Any, ...], output: Any) -> list[Reading]:
        """The retrievals of one call, one `Reading` per image.

        Raises:
            TraceError: The reader gave something else than Matches that fit the queries and the catalogue.
        """
        found: object = self.reader(inputs, output)
        queries = self.queries(inputs, output) if callable(self.queries) else self.queries
        batch = list(found) if isinstance(found, Sequence) else [found]
        return [Reading(self.checked(matches, queries), queries, self.catalogue) for matches in batch]

    def checked(self, matches: object, queries: Queries) -> Matches:
        """What the reader gave for one image, if it fits.

        Raises:
            TraceError: It does not; the message names the first thing that is wrong.
        """
        asked = f"read the retrievals of {type(self.module).__name__}"
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
        count = len(self.catalogue)
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


class Adapters:
    """What makes a module of any model a retrieval site: `kt.adapt(module, reader, ...)`, and for look-ups that many
    models have, without a reader::

        kt.adapt.attention(model.attend, queries=kt.Queries.grid(8, 8, step_px=4), catalogue=memory)
        kt.adapt.neighbours(model.look_up, queries=kt.Queries.whole(32, 32), catalogue=kt.Catalogue.wholes(names))
        kt.adapt.codebook(model.quantise, queries=kt.Queries.grid(8, 8, step_px=4), catalogue=codes)

    Example:
        >>> model = torch.nn.Sequential(torch.nn.Identity())
        >>> site = kt.adapt(
        ...     model[0],
        ...     lambda inputs, output: kt.Matches.hard(torch.zeros(4, dtype=torch.int64), torch.ones(4)),
        ...     queries=kt.Queries.grid(2, 2, step_px=16),
        ...     catalogue=kt.Catalogue.wholes(["a.png", "b.png"]),
        ... )
        >>> with kt.record(model, site) as heard:
        ...     _ = model(torch.zeros(1, 3, 32, 32))
        >>> heard.sources()[["source", "share"]].values.tolist()
        [['a.png', 1.0], ['b.png', 0.0]]
    """

    def __call__(
        self,
        module: nn.Module,
        reader: Reader,
        *,
        queries: Queries | Callable[[tuple[Any, ...], Any], Queries],
        catalogue: Knowledge,
        causal: bool = True,
        signed: bool = False,
        prefix: str = "",
        extensions: Sequence[Extension] = (),
        canvas: str = INPUT,
        output: str = OUTPUT,
        direction: str = "",
        scale_px: float | None = None,
        paints: bool = True,
        searched: bool = True,
        pictures: Painter | None = None,
        span: Range = (0.0, 1.0),
        abilities: Abilities = Abilities(),
    ) -> Adapted:
        """Make a module of any model a retrieval site::

            site = kt.adapt(
                model.attention,
                lambda inputs, output: [kt.Matches.soft(image) for image in output.flatten(2).softmax(-1)],
                queries=kt.Queries.grid(64, 64, step_px=4),
                catalogue=kt.Catalogue.positions(["exemplar.png"], 64, 64, cell_px=4),
            )
            with kt.record(model, site) as trace:
                model(photo)

        Args:
            module: Any module of the model; nothing of it is changed.
            reader: From the arguments and the result of a call to `Matches`, or to one per image of a batch.
            queries: Where the queries lie, or how to tell from a call.
            catalogue: What the entries are.
            causal: Whether the candidates really fed the output, or are only its nearest explanation.
            signed: Whether weights may be negative, or sum to more than 1.
            prefix: Of its extension columns; needed where it has `extensions`.
            extensions: What its matches hold besides.
            canvas: The picture in which the queries lie, and
            output: the one that they paint, by name.
            direction: In words, where a model retrieves in several.
            scale_px: Side of a query's own part of the canvas.
            paints: Whether the output is made of what this site retrieves; otherwise it serves a site that comes later.
            searched: Whether its winners were searched for.
            pictures: From the arguments and the result of a run of the *model* to its pictures by name of the canvas,
                each (B, 3, H, W) floats or (H, W, 3) uint8; "input" and "output" are guessed where it names none.
            span: What black and white are in these floats, such as (-1, 1); without `pictures`, in the model's input
                and output.
            abilities: What the model can be asked besides.

        Raises:
            SettingError: Extensions without a prefix, or a span that is none.
        """
        if extensions and not prefix:
            raise SettingError("adapt with extensions", "no prefix for their columns", 'Name the model: prefix="mine"')
        if not (len(span) == 2 and span[0] < span[1] and all(map(math.isfinite, span))):
            raise SettingError(f"adapt with span={span}", "not black before white", "Give for example (-1, 1)")
        return Adapted(
            module,
            reader,
            queries,
            catalogue,
            causal=causal,
            signed=signed,
            prefix=prefix,
            extensions=tuple(extensions),
            canvas=canvas,
            output=output,
            direction=direction,
            scale_px=scale_px,
            paints=paints,
            searched=searched,
            pictures=pictures,
            span=span,
            abilities=abilities,
        )

    def attention(self, module: nn.Module, *, top: int = TOP, **more: Any) -> Adapted:
        """A module that attends to what is stored: `torch.nn.MultiheadAttention`, or one that returns its weights, or
        that is called with queries, keys and values. What each query takes of each key is the mean over heads.

        Args:
            module: Any of these. Fused kernels that never call it record nothing:
                `torch.backends.mha.set_fastpath_enabled(False)`.
            top: Keys that are kept per query.
            **more: As of `kt.adapt`: `queries`, where they lie, and `catalogue`, what the keys are, among them.

        Raises:
            SettingError: As of `kt.adapt`.

        Example:
            >>> import torch
            >>> import ktviz as kt
            >>> attend = torch.nn.MultiheadAttention(8, 2, batch_first=True)
            >>> keys = kt.Catalogue.wholes(["a.png", "b.png", "c.png"])
            >>> kt.adapt.attention(attend, queries=kt.Queries.grid(2, 2, step_px=8), catalogue=keys)
            Adapted(MultiheadAttention, Catalogue(exemplars: 3 entries of 3 sources))
        """
        return self(module, attention_reader(module, top), **more)

    def neighbours(self, module: nn.Module, *, cosine: bool = False, **more: Any) -> Adapted:
        """A module that looks up nearest neighbours and returns their numbers, and distances beside them, as faiss,
        usearch and scikit-learn do; the best first.

        Args:
            module: One that returns what these return.
            cosine: Whether what stands beside the numbers are similarities.
            **more: As of `attention`.
        """
        return self(module, neighbours_reader(cosine), **more)

    def codebook(self, module: nn.Module, **more: Any) -> Adapted:
        """A module that puts every place to one of some stored codes (vector quantisation), and returns their numbers.

        Args:
            module: One whose result has them, (B, rows, columns).
            **more: As of `attention`.
        """
        return self(module, codebook_reader(), **more)


adapt = Adapters()
"""See `Adapters`."""
