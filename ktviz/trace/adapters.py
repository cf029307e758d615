"""`kt.adapt`: modules of any model as retrieval sites, with a reader, or without one for look-ups that many have."""

from __future__ import annotations

import math
from collections.abc import Sequence, Sized
from typing import Any

from torch import nn

from ktviz.errors import SettingError
from ktviz.retrieval.catalogue import Knowledge
from ktviz.retrieval.extension import Extension
from ktviz.retrieval.queries import Queries
from ktviz.trace.adapt import Abilities, Adapted, Painter, Placer, Reader
from ktviz.trace.attending import TOP, AdaptedAttention
from ktviz.trace.ear import Ear, search_of
from ktviz.trace.inferred import plain_keys
from ktviz.trace.lookups import neighbours_reader, read_codes
from ktviz.trace.of_run import Range
from ktviz.trace.pictures import INPUT, OUTPUT
from ktviz.values import whole

INNER_PRODUCT = 0
"""What faiss calls an index of similarities (`faiss.METRIC_INNER_PRODUCT`)."""


class Adapters:
    """What makes a module of any model a retrieval site: `kt.adapt(module, reader, ...)`, and for look-ups that many
    models have, in one line and without a reader::

        kt.adapt.attention(model.attend)
        kt.adapt.attention(model.attend, catalogue=kt.Catalogue.of_pictures({"fruit": "fruit.jpg"}, cell_px=8))
        kt.adapt.neighbours(model.index)
        kt.adapt.codebook(model.quantise, catalogue=kt.Catalogue.wholes(names_of_codes))

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
        queries: Queries | Placer,
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
            reader: From the arguments of a call, in the order of `forward`, and its result to `Matches`, or to one per
                image of a batch.
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
        return made(
            Adapted,
            module,
            reader,
            queries,
            catalogue,
            causal=causal,
            signed=signed,
            prefix=prefix,
            extensions=extensions,
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

    def attention(
        self,
        module: nn.Module,
        *,
        queries: Queries | Placer | None = None,
        catalogue: Knowledge | None = None,
        top: int = TOP,
        **more: Any,
    ) -> Adapted:
        """A module that attends: what each query takes of each key, the mean over heads, as it was really computed.

        It may be `torch.nn.MultiheadAttention`; a module that calls `scaled_dot_product_attention` once, wherever it
        projects, with any mask, scale and grouping of heads; one that returns its weights, (B, N, P) or
        (B, heads, N, P); or one that makes softmax(q kᵀ / √D) v of its first three arguments. What a call was is heard
        while the module runs; weights that do not give the result are refused. N queries attend to P keys.

        Args:
            module: Any of these. Fused kernels that never call it record nothing:
                `torch.backends.mha.set_fastpath_enabled(False)`.
            queries: Where they lie, (N,) boxes in px of the picture that goes into the model. None: they are square
                cells that fill it, row by row, perhaps after a class token, which lies nowhere; where the model's
                input is no picture, a square of cells of 1 px.
            catalogue: What the P keys are, such as `Catalogue.of_pictures`. None: where queries attend to each other
                (as many keys, and no other argument of that length), their own cells; else plain cells of a source
                "context".
            top: Keys that are kept per query; the others are left over.
            **more: As of `kt.adapt`.

        Raises:
            SettingError: No module, `top` below 1, or as of `kt.adapt`.
            TraceError: While the model runs: weights that cannot be known, or are drawn at random (dropout); several
                calls; another number of keys than the catalogue has; or queries of which nobody knows where they lie.

        Example:
            >>> import torch
            >>> import ktviz as kt
            >>> class Model(torch.nn.Module):
            ...     def __init__(self):
            ...         super().__init__()
            ...         self.embed = torch.nn.Conv2d(3, 8, 16, stride=16)
            ...         self.attend = torch.nn.MultiheadAttention(8, 2, batch_first=True)
            ...
            ...     def forward(self, image):
            ...         cells = self.embed(image).flatten(2).transpose(1, 2)
            ...         return self.attend(cells, cells, cells, need_weights=False)[0]
            >>> model = Model().eval()
            >>> with kt.record(model, kt.adapt.attention(model.attend)) as heard:
            ...     _ = model(torch.rand(1, 3, 32, 48))
            >>> len(heard), heard.column("box")[5].tolist(), set(heard.column("source"))
            (6, [32.0, 16.0, 16.0, 16.0], {'input'})
        """
        if not isinstance(module, nn.Module):
            raise SettingError(
                f"adapt attention of {type(module).__name__}", "no torch.nn.Module", "Give the module that attends"
            )
        if whole("top", top) < 1:
            raise SettingError(f"adapt attention with top={top}", "below 1", "Keep at least the heaviest key")
        return made(AdaptedAttention, module, None, queries, catalogue, ear=ear_for(module), top=top, **more)

    def neighbours(
        self,
        module: Any,
        *,
        queries: Queries | Placer | None = None,
        catalogue: Knowledge | None = None,
        cosine: bool = False,
        **more: Any,
    ) -> Adapted:
        """A look-up of nearest neighbours, as of faiss, usearch and scikit-learn: an index, or a module that returns
        what an index returns: numbers of entries (N, k), the best first, and their distances (N, k).

        Args:
            module: The index itself, whose `search`, `kneighbors` or `query` is heard whenever the model calls it while
                it runs; or a module. A number -1 is no neighbour; of usearch, `BatchMatches`, `Matches` of one query
                and lists of them are read.
            queries: As of `attention`.
            catalogue: What the entries are. None, for an index: plain cells of a source "index".
            cosine: Whether what stands beside the numbers are similarities, the larger the better. Of an index of faiss
                that is known.
            **more: As of `kt.adapt`.

        Raises:
            SettingError: Neither a module nor an index that can be heard; no catalogue of a module, or of an index that
                does not say how many entries it has; or as of `kt.adapt`.
            TraceError: While the model runs: no whole numbers, or as of `attention`.

        Example:
            >>> import torch
            >>> import ktviz as kt
            >>> from sklearn.neighbors import NearestNeighbors
            >>> class Model(torch.nn.Module):
            ...     def __init__(self, memory):
            ...         super().__init__()
            ...         self.memory, self.index = memory, NearestNeighbors(n_neighbors=2).fit(memory)
            ...
            ...     def forward(self, image):
            ...         cells = torch.nn.functional.avg_pool2d(image, 16).flatten(2)[0].T
            ...         return self.memory[self.index.kneighbors(cells)[1][:, 0]]
            >>> model = Model(torch.rand(9, 3))
            >>> with kt.record(model, kt.adapt.neighbours(model.index)) as heard:
            ...     _ = model(torch.rand(1, 3, 32, 32))
            >>> heard.sites, len(heard), len(heard.table)
            (['index'], 4, 8)
        """
        asked = f"adapt the look-up of {type(module).__name__}"
        if not isinstance(module, nn.Module):
            if not search_of(module):
                found = "neither a module nor an index whose search can be heard"
                raise SettingError(asked, found, "Call it in the forward of a torch.nn.Module, and adapt that")
            catalogue = index_keys(module, asked) if catalogue is None else catalogue
            cosine = cosine or getattr(module, "metric_type", None) == INNER_PRODUCT
        return made(Adapted, module, neighbours_reader(cosine), queries, given_by(catalogue, asked), **more)

    def codebook(
        self,
        module: nn.Module,
        *,
        queries: Queries | Placer | None = None,
        catalogue: Knowledge | None = None,
        **more: Any,
    ) -> Adapted:
        """A module that puts every place to one of K stored codes (vector quantisation), and returns their numbers.

        Read are results of taming-transformers and diffusers, (z_q, loss, (perplexity, encodings, numbers)), of
        vector-quantize-pytorch, (z_q, numbers, loss), and others with z_q, (B, C, rows, columns) or (B, N, C), and
        whole numbers, (B, rows, columns), (B, N), or flat, (B * N,) or (B * N, 1).

        Args:
            module: The quantiser.
            queries: As of `attention`.
            catalogue: What the K codes are.
            **more: As of `kt.adapt`.

        Raises:
            SettingError: No module, no catalogue, or as of `kt.adapt`.
            TraceError: While the model runs: no numbers of codes, several per place, or numbers of which nobody knows
                whose they are; or as of `attention`.

        Example:
            >>> import torch
            >>> import ktviz as kt
            >>> class Quantise(torch.nn.Module):
            ...     def forward(self, image):
            ...         codes = (torch.nn.functional.avg_pool2d(image.mean(1), 8) > 0.5).long()
            ...         return codes[:, None].float(), codes.flatten()
            >>> model = torch.nn.Sequential(Quantise())
            >>> site = kt.adapt.codebook(model[0], catalogue=kt.Catalogue.wholes(["dark", "bright"]))
            >>> with kt.record(model, site) as heard:
            ...     _ = model(torch.ones(1, 3, 16, 32))
            >>> heard.sources()[["source", "retrievals"]].values.tolist()
            [['bright', 8], ['dark', 0]]
        """
        asked = f"adapt the codebook of {type(module).__name__}"
        if not isinstance(module, nn.Module):
            raise SettingError(asked, "no torch.nn.Module", "Give the module that quantises")
        return made(Adapted, module, read_codes, queries, given_by(catalogue, asked), **more)


adapt = Adapters()
"""See `Adapters`."""


def made(
    kind: type[Adapted],
    module: Any,
    reader: Reader | None,
    queries: Queries | Placer | None,
    catalogue: Knowledge | None,
    *,
    prefix: str = "",
    extensions: Sequence[Extension] = (),
    span: Range = (0.0, 1.0),
    **more: Any,
) -> Adapted:
    """An adapter, checked; arguments and errors as of `kt.adapt`."""
    if extensions and not prefix:
        raise SettingError("adapt with extensions", "no prefix for their columns", 'Name the model: prefix="mine"')
    if not (len(span) == 2 and span[0] < span[1] and all(map(math.isfinite, span))):
        raise SettingError(f"adapt with span={span}", "not black before white", "Give for example (-1, 1)")
    settings = {"prefix": prefix, "extensions": tuple(extensions), "span": span, **more}
    return kind(module, reader, queries, catalogue, **settings)


def ear_for(module: nn.Module) -> Ear | None:
    """What hears a module's attention; None where it has a `torch.nn.MultiheadAttention`, which computes otherwise
    while somebody hears it, and can be asked for its weights."""
    return None if any(isinstance(part, nn.MultiheadAttention) for part in module.modules()) else Ear()


def given_by(catalogue: Knowledge | None, asked: str) -> Knowledge:
    """The catalogue, if there is one."""
    if catalogue is None:
        raise SettingError(asked, "nothing says what its entries are", "Give a catalogue=, such as kt.Catalogue.wholes")
    return catalogue


def index_keys(index: Any, asked: str) -> Knowledge | None:
    """Plain cells for the entries of an index; None if it does not say how many it has.

    Raises:
        SettingError: It is empty.
    """
    known = [getattr(index, name) for name in ("ntotal", "n_samples_fit_") if hasattr(index, name)]
    known += [len(held) for held in (index, getattr(index, "data", None)) if isinstance(held, Sized)]
    if known and not known[0]:
        raise SettingError(asked, "an empty index", "Fill it first, or give a catalogue=")
    return plain_keys(int(known[0]), "index") if known else None
