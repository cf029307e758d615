"""A trace and the translator that made it, for questions that need features, or pixels made again."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeVar
from weakref import WeakKeyDictionary

import numpy as np
import torch
from torch import Tensor

from ktviz.errors import TraceError
from ktviz.images import Pixels
from ktviz.library.banks import Part
from ktviz.library.kinds.patches.bands import to_vectors
from ktviz.library.kinds.patches.grid import PatchGrid
from ktviz.library.kinds.patches.scan import all_similarities
from ktviz.library.kinds.patches.search import SearchSettings
from ktviz.library.kinds.patches.union import BankUnion
from ktviz.printing import counted
from ktviz.retrieval.matches import Matches
from ktviz.systems.kt.alignment import Moments
from ktviz.systems.kt.pipeline import rows_of
from ktviz.systems.kt.settings import NOT_ALIGNED, Settings, settings_from
from ktviz.systems.kt.tone import Look
from ktviz.systems.opening import stated_settings
from ktviz.trace.trace import Trace

if TYPE_CHECKING:
    from ktviz.systems.kt.translation import Translation
    from ktviz.systems.kt.translator import Translator

TONE, RETRIEVAL = "tone", "retrieval"
"""Sites: the photo as it is, and in the tone of what that found."""
_known: WeakKeyDictionary[Translator, dict[str, tuple[str, Any]]] = WeakKeyDictionary()
"""What was last worked out for each translator, by name: of what, and the answer. Questions come in series."""
MOST_HELD = 1 << 26
"""Bytes of features that are kept a second time, as the site that is asked saw them: of a photo of 1.5 million px."""
Answer = TypeVar("Answer")


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
        names = {setting.name for setting in fields(Settings)}
        if not NOT_ALIGNED.keys() & self.trace.picture.settings.keys():
            names -= NOT_ALIGNED.keys()
        return settings_from(stated_settings(self.trace, names))

    def changed(self, without: Sequence[Part], settings: Mapping[str, Any]) -> Settings:
        """The settings of another translation: without more than this one, and with others where they are given."""
        return replace(self.settings, **{**settings, "without": (*self.settings.without, *without)})

    @cached_property
    def features(self) -> Tensor:
        """(C, h, w) of the photo; encoded once for all questions about it."""
        digest = f"{self.trace.picture.sha256('input')} {self.trace.about['digests']['encoder']}"
        return self.remembered("features", digest, lambda: self.model.encode(self.pixels))

    def remembered(self, name: str, of: str, find: Callable[[], Answer]) -> Answer:
        """What is found, or what was when this was last asked of the same."""
        known = _known.setdefault(self.model, {})
        held = known.get(name)  # read once: another thread may ask about another photo
        if held is None or held[0] != of:
            held = known[name] = of, find()
        answer: Answer = held[1]
        return answer

    @cached_property
    def grid(self) -> PatchGrid:
        """The queries."""
        return self.model.grid(*self.pixels.shape[:2])

    @cached_property
    def site(self) -> str:
        """The site that is asked: of several, the one that paints."""
        sites: list[str] = self.trace.sites
        return sites[0] if len(sites) == 1 else RETRIEVAL

    @cached_property
    def winner(self) -> Tensor:
        """(N,) entries that were taken."""
        return self.winner_of(self.site)

    def winner_of(self, site: str) -> Tensor:
        """(N,) entries that were taken at a site."""
        return torch.from_numpy(self.trace.whole.recording.site(site).column("entry").astype(np.int64))

    @property
    def asking(self) -> Settings:
        """How the site that is asked was searched."""
        return self.settings.of_tone if self.site == TONE else self.settings

    @cached_property
    def asked(self) -> Tensor:
        """(C, h, w) of the photo, as the site that is asked saw them."""
        if self.site != RETRIEVAL or self.features.nbytes > MOST_HELD:
            return self._asked()
        return self.remembered("asked", self.trace.whole.recording.digest, self._asked)

    def _asked(self) -> Tensor:
        own = self.own
        if self.site != RETRIEVAL or own is None:
            return self.features
        if TONE not in self.trace.whole.recording.sites:  # saved as one site
            return self.model.toned(rows_of(self.features), self.grid, own, self.settings)(slice(None))
        return self.model.matched(self.winner_of(TONE), own, self.settings)(self.features)

    @cached_property
    def own(self) -> Moments | None:
        """The moments of the photo's own features; None without alignment."""
        return self.model.own(rows_of(self.features), self.grid, self.settings)

    @cached_property
    def look(self) -> Look | None:
        """How the features of the photo changed beside the transfer; None where they did not."""
        return self.remembered("look", self.trace.whole.digest, self._look)

    @torch.no_grad()
    def _look(self) -> Look | None:
        return self.model.look(rows_of(self.features), self.grid, self.winner, self.own, self.settings)

    def translate(self, settings: Settings | None = None) -> Translation:
        """Translate the photo again, with other settings if given; its features are used again."""
        return self.model.run(self.pixels, self.settings if settings is None else settings, self.features)

    @cached_property
    def repainted(self) -> Pixels:
        """The translation as the recorded winners make it here."""
        height, width = self.pixels.shape[:2]
        cells, settings = rows_of(self.features), self.settings
        return self.model.paint(cells, self.grid, self.winner, self.own, settings)[:height, :width]

    @cached_property
    def output(self) -> Pixels:
        """The translation: the recorded one, or where the trace came without it, made again."""
        recorded = self.trace.picture.output
        return self.translate().image if recorded is None else recorded


def live(trace: Trace, model: Translator) -> Live:
    """Bring a trace and its translator together. Whether it is the one that made the trace has been checked.

    Raises:
        TraceError: The trace was saved without its photo, or is only a part.
    """
    pixels = trace.picture.input
    if pixels is None:
        raise TraceError("a question to the model", "the trace was saved without its photo", "Pass photo=")
    case = Live(trace, model, pixels)
    if len(trace) != len(case.grid) * len(trace.sites):
        raise TraceError(
            "a question to the model",
            f"{len(trace):,} of the image's {counted(len(case.grid), 'retrieval')}",
            "Ask the whole trace, and name the region in the question",
        )
    return case


def exact(case: Live, query: Tensor) -> Matches:
    """The best of all entries for some queries (n,)."""
    settings = case.settings
    search = SearchSettings("exact", candidates=1, band_weights=settings.search.band_weights)
    excluded = case.banks.excluded(settings.without)
    return case.banks.search(case.grid.unfold(case.asked, query), search, excluded)


def best_by_source(case: Live, query: Tensor) -> Tensor:
    """The similarity of each source's best entry to some queries (n,): (n, sources), -inf where none might be taken.

    Sources of the trace come first, in its order, then those that it does not list.
    """
    banks, settings = case.banks, case.settings
    excluded = banks.excluded(settings.without)
    rows = torch.arange(len(banks)) if excluded is None else (~excluded).nonzero()[:, 0]
    vectors = to_vectors(case.grid.unfold(case.asked, query))
    column, count = columns_of(case)
    best = torch.full((len(query), count), -torch.inf)
    for chunk, found in all_similarities(vectors, rows, banks, torch.tensor(settings.search.band_weights)):
        best.scatter_reduce_(1, column[banks.source_of(chunk)].expand(len(query), -1), found.float(), "amax")
    return best


def columns_of(case: Live) -> tuple[Tensor, int]:
    """The column of each source of the banks (sources,) where those of the trace come first, and how many there are."""
    names = [source["source"] for source in case.trace.about["sources"]]
    column = torch.full((len(case.banks.sources),), -1)
    for place, name in enumerate(names):
        if (number := case.banks.source_numbers.get(name)) is not None:
            column[number] = place
    others = column < 0
    column[others] = len(names) + torch.arange(int(others.sum()))
    return column, len(names) + int(others.sum())
