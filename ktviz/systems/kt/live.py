"""A trace and the live translator that made it, for questions that need features, or pixels made again."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import torch
from torch import Tensor

from ktviz.errors import MismatchError, SettingError, TraceError
from ktviz.images import Pixels, as_pixels, pixel_digest
from ktviz.library.kinds.patches.grid import PatchGrid
from ktviz.library.kinds.patches.search import SearchSettings
from ktviz.library.kinds.patches.union import BankUnion
from ktviz.retrieval.matches import Matches
from ktviz.systems.kt.settings import Settings
from ktviz.systems.kt.translator import Translation, Translator
from ktviz.trace.about import model_digests
from ktviz.trace.schema import BANDS
from ktviz.trace.trace import Trace, as_trace

_features: WeakKeyDictionary[Translator, tuple[str, Tensor]] = WeakKeyDictionary()
"""Features of the image that each translator was last asked about: counterfactuals come in series."""


@dataclass(frozen=True, repr=False)
class Live:
    """A trace with the translator that made it, checked against each other.

    Attributes:
        trace: Of one image.
        model: The translator.
        pixels: (H, W, 3) uint8, the photo.
    """

    trace: Trace
    model: Translator
    pixels: Pixels

    def __repr__(self) -> str:
        return f"Live({self.trace!r})"

    @property
    def banks(self) -> BankUnion:
        """What was searched."""
        return self.model.banks

    @cached_property
    def settings(self) -> Settings:
        """How it was translated."""
        stored = dict(self.trace.picture.about["settings"])
        return Settings(**{**stored, "without": tuple(stored["without"])})

    @cached_property
    def features(self) -> Tensor:
        """(C, h, w) of the photo; encoded once for all questions about it."""
        digest = f"{self.trace.picture.about['input']} {self.trace.about['digests']['encoder']}"
        known = _features.get(self.model)
        if known is None or known[0] != digest:
            known = (digest, self.model.encode(self.pixels))
            _features[self.model] = known
        return known[1]

    @cached_property
    def grid(self) -> PatchGrid:
        """The queries."""
        return self.model.grid(*self.pixels.shape[:2])

    @cached_property
    def winner(self) -> Tensor:
        """(N,) entries that were taken."""
        return torch.from_numpy(self.trace.column("entry").astype(np.int64))

    @property
    def shown(self) -> Translation:
        """The recorded translation, winners only, as figures take it."""
        similarity = torch.from_numpy(self.trace.column("similarity").copy())
        matches = Matches.hard(self.winner, similarity)
        return Translation(self.output, self.pixels, matches, self.grid, self.banks, self.settings)

    def translate(self, settings: Settings | None = None) -> Translation:
        """Translate the photo again, with other settings if given; its features are used again."""
        return self.model.run(self.pixels, self.settings if settings is None else settings, self.features)

    @cached_property
    def output(self) -> Pixels:
        """The translation: the recorded one, or where the trace came without it, made again."""
        recorded = self.trace.output
        return self.translate().image if recorded is None else recorded


def live(trace: Trace, model: Translator | None = None, photo: Pixels | None = None) -> Live:
    """Bring a trace and its translator together.

    Args:
        trace: Of one image.
        model: The translator; None finds the one that recorded, as long as it lives.
        photo: The photo, where the trace was saved without it.

    Raises:
        TraceError: There is no model, or no photo; or the trace was not made by a `Translator`.
        MismatchError: The model, its library or the photo is another; the message names the first digest that differs.
    """
    found = as_trace(trace).model if model is None else model
    if found is None:
        raise TraceError("a question to the model", "the trace has none with it", "Pass model=, the translator")
    if not isinstance(found, Translator):
        raise TraceError(
            "a question to the model", f"a {type(found).__name__}, not a Translator", "Ask what rows can answer"
        )
    pixels = trace.input if photo is None else as_pixels(photo)
    if pixels is None:
        raise TraceError("a question to the model", "the trace was saved without its photo", "Pass photo=")
    check_same(trace, found)  # also the model that recorded: its weights may have been changed since
    if photo is not None:
        check_equal("input", str(trace.picture.about["input"]), pixel_digest(pixels))
    case = Live(trace, found, pixels)
    if len(trace) != len(case.grid):
        raise TraceError(
            "a question to the model",
            f"{len(trace):,} of the image's {len(case.grid):,} retrievals",
            "Ask the whole trace, and name the region in the question",
        )
    return case


def check_same(trace: Trace, model: Translator) -> None:
    """Raise MismatchError, with the first digest that differs, unless a translator is the one of a trace."""
    have = {**model_digests(model), **model.banks.digests(), "order of banks": " ".join(model.banks.names)}
    known = {**trace.about["digests"], "order of banks": " ".join(trace.about["banks"])}
    for name in dict.fromkeys((*known, *have)):
        check_equal(name, known.get(name, "none"), have.get(name, "none"))


def check_equal(name: str, recorded: str, found: str) -> None:
    """Raise MismatchError unless two digests are equal."""
    if recorded != found:
        raise MismatchError(
            f"the {name} of the trace ({shown(recorded)})",
            f"another one ({shown(found)})",
            "Give the one it was made with",
        )


def shown(digest: str) -> str:
    """A digest in short; anything else as it is."""
    return digest[:12] if re.fullmatch("[0-9a-f]{64}", digest) else digest


def regret(trace: Trace, sample: int | None, seed: int, model: Translator | None, photo: Pixels | None) -> pd.DataFrame:
    """See `Trace.regret`."""
    case = live(trace, model, photo)
    rows = sampled(len(trace), sample, seed)
    found = regret_table(trace, rows, *exact(case, torch.from_numpy(trace.column("query")[rows].astype(np.int64))))
    return found.sort_values("regret", ascending=False, kind="stable", ignore_index=True)


def sampled(count: int, sample: int | None, seed: int) -> npt.NDArray[np.int64]:
    """Numbers of some of `count` retrievals, in order; all if `sample` is None or no less."""
    if sample is not None and sample < 1:
        raise SettingError(
            f"a sample of {sample}", "fewer than one retrieval", "Give a positive number, or None for all"
        )
    if sample is None or sample >= count:
        return np.arange(count)
    return np.sort(np.random.default_rng(seed).choice(count, sample, replace=False))


def regret_table(
    trace: Trace, rows: npt.NDArray[np.int64], entry: npt.NDArray[Any], similarity: npt.NDArray[Any]
) -> pd.DataFrame:
    """Some retrievals beside the best entry of all, and its similarity: what the search gave up."""
    found = pd.DataFrame(
        {
            "query": trace.column("query")[rows],
            "box": list(trace.column("box")[rows]),
            "entry": trace.column("entry")[rows],
            "similarity": trace.column("similarity")[rows],
            "exact_entry": entry,
            "exact_similarity": similarity,
            "continued": trace.column("coherent")[rows],
        }
    )
    # A trace made on another processor may claim a rounding more than the best there is.
    return found.assign(regret=(found["exact_similarity"] - found["similarity"]).clip(lower=0))


def exact(case: Live, query: Tensor) -> tuple[npt.NDArray[Any], npt.NDArray[Any]]:
    """The best of all entries for some queries, and its similarity."""
    settings = case.settings
    search = SearchSettings("exact", candidates=1, band_weights=settings.search.band_weights)
    excluded = case.banks.excluded(settings.without)
    found = case.banks.search(case.grid.unfold(case.features, query), search, excluded)
    return found.winner.numpy(), found.winner_similarity.numpy()


def with_regret(trace: Trace, model: Translator | None, photo: Pixels | None) -> Trace:
    """See `Trace.with_regret`."""
    found = regret(trace, None, 0, model, photo).sort_values("query")
    query = trace.column("query", winners=False)
    table = trace.table
    for name, kind in (("exact_entry", pa.int64()), ("regret", pa.float32())):
        values = dict(zip(found["query"], found[name], strict=True))
        column = pa.array([values[q] for q in query], kind)
        table = table.set_column(table.schema.get_field_index(name), pa.field(name, kind), column)
    return trace._with(table)


def band_columns(trace: Trace) -> np.ndarray:
    """Cosine within each band of every row: (rows, 4); NaN in a system without bands."""
    return np.stack([trace.column(f"similarity_{band}", winners=False) for band in BANDS], axis=1)
