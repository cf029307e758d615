"""The translator: encode, retrieve, transfer, fold, decode."""

from __future__ import annotations

import operator
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, fields, replace
from numbers import Integral
from typing import TYPE_CHECKING, Any, Self, Unpack

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ktviz.errors import SettingError, WeightsError, unknown_settings
from ktviz.images import ImageLike, Pixels, as_pixels, to_pixels, to_tensor
from ktviz.library.coherence import continue_neighbours
from ktviz.library.library import check_encoder
from ktviz.library.search import Preset, SearchSettings
from ktviz.library.union import BankUnion
from ktviz.model.bands import PAPER_WEIGHTS, check_band_weights
from ktviz.model.decoder import Decoder
from ktviz.model.encoder import STRIDE, Encoder, FeatureExtractor
from ktviz.model.keywords import SettingKeywords
from ktviz.model.matches import Matches
from ktviz.model.patches import QUERY_STEP, SIZE, PatchGrid
from ktviz.model.sites import Queries, Reading, RetrievalSite
from ktviz.model.threads import threads_for
from ktviz.model.transfer import TransferMode, check_transfer, transfer

if TYPE_CHECKING:
    from ktviz.trace.trace import Trace

COHERENCE = 0.06
"""With the shipped encoder this keeps 98 % of the similarity (`python -m benchmarks quality`)."""
MAX_GAIN = 3.5
QUERIES_AT_ONCE = 8192
"""Queries unfolded at a time, 8 KB each for C = 128: large photographs fit in memory."""


@dataclass(frozen=True)
class Settings:
    """How to translate.

    Attributes:
        preset: "beam" (default), "paper" or "exact"; see `SearchSettings`.
        transfer: "statistics" (the paper's default) or "swap".
        strength: 0 leaves the photo, 1 is the full transfer.
        max_gain: Bound of the contrast gain in `statistics`; 0 means none, as published. None: 3.5, or 0 for "paper".
        coherence: Similarity that may be given up to continue a neighbour's source; 0 gives up none, as published.
            None: 0.06, or 0 for "paper".
        band_weights: Weight of LL, LH, HL, HH in the similarity.
        candidates: Entries recorded per query.
        beam: Leaves visited per query.
        without: Names of sources or whole banks, or numbers of entries, to leave out.

    Raises:
        UnknownSettingError: A keyword that is none of these; the message names the nearest.
        SettingError: A value outside its range.
    """

    preset: Preset = "beam"
    transfer: TransferMode = "statistics"
    strength: float = 1.0
    max_gain: float | None = None
    coherence: float | None = None
    band_weights: Sequence[float] = PAPER_WEIGHTS
    candidates: int = 8
    beam: int = SearchSettings.beam
    without: Iterable[str | int] = ()

    def __new__(cls, *values: Any, **keywords: Any) -> Self:
        strangers = keywords.keys() - {known.name for known in fields(cls)}
        if strangers:
            raise unknown_settings(strangers, [known.name for known in fields(cls)])
        return super().__new__(cls)

    def __post_init__(self) -> None:
        published = self.preset == "paper"
        max_gain = (0.0 if published else MAX_GAIN) if self.max_gain is None else float(self.max_gain)
        coherence = (0.0 if published else COHERENCE) if self.coherence is None else float(self.coherence)
        given = (self.without,) if isinstance(self.without, (str, Integral)) else tuple(self.without)
        without = tuple(name if isinstance(name, str) else operator.index(name) for name in given)
        check_transfer(self.transfer, self.strength, max_gain)
        if not 0 <= coherence <= 1:
            raise SettingError(f"coherence {coherence}", "outside 0 to 1", "Give 0 for none, or about 0.1")
        resolved = {"max_gain": max_gain, "coherence": coherence, "without": without}
        for name, value in (*resolved.items(), ("band_weights", self.search.band_weights)):
            object.__setattr__(self, name, value)

    @property
    def search(self) -> SearchSettings:
        """The part of the settings that the search needs."""
        return SearchSettings(
            self.preset,
            candidates=self.candidates,
            beam=self.beam,
            band_weights=check_band_weights(self.band_weights),
        )


@dataclass(frozen=True, eq=False)
class Translation:
    """A translated image and the retrievals that made it.

    Attributes:
        image: (H, W, 3) uint8, the output.
        input: (H, W, 3) uint8, the photo.
        matches: One retrieval per query of `grid`, row by row.
        grid: The queries on the (padded) feature map.
        banks: What was searched.
        settings: How.
    """

    image: Pixels
    input: Pixels
    matches: Matches
    grid: PatchGrid
    banks: BankUnion
    settings: Settings = field(repr=False)

    def __repr__(self) -> str:
        height, width = self.image.shape[:2]
        names = ", ".join(self.banks.names)
        return f"Translation({width}x{height} px by {names}, {len(self.matches):,} retrievals)"

    def _repr_html_(self) -> str | None:
        """What a notebook shows."""
        from ktviz.figures.cards import translation_card, unless_refused

        return unless_refused(translation_card, self)


class Retrieval(RetrievalSite):
    """The retrieval site: features in, `Matches` out.

    Args:
        banks: What to search.
    """

    def __init__(self, banks: BankUnion) -> None:
        super().__init__()
        self.banks = banks

    def forward(self, features: Tensor, grid: PatchGrid, settings: Settings) -> Matches:
        """Find the winners of all queries of one feature map (C, h, w)."""
        search = settings.search
        excluded = self.banks.excluded(settings.without)
        found = [self.banks.search(grid.unfold(features, index), search, excluded) for index in parts(grid)]
        weights = torch.tensor(search.band_weights)
        matches = concatenate(found)
        tolerance = float(settings.coherence or 0)
        return continue_neighbours(matches, features, grid, self.banks, weights, tolerance, excluded)

    def read(self, inputs: tuple[Any, ...], output: Matches) -> list[Reading]:
        """One image per call; boxes in px of the input, source boxes in px of the original sources."""
        features, grid, _ = inputs
        y, x = grid.corners().unbind(1)
        side = torch.full_like(y, SIZE)
        queries = Queries(y, x, STRIDE * torch.stack((x, y, side, side), dim=1).float())
        return [Reading(output, queries, self.banks, *self.banks.look_back(features, grid, output))]


class Translator(nn.Module):
    """Translate photographs with the knowledge of some banks.

    Args:
        banks: `library["art/impasto"]`, `library["art"]`, or any `BankUnion`.
        encoder: The encoder that made the library.
        decoder: Its inverse.

    Raises:
        LibraryError: The library was built with another encoder.
        WeightsError: The decoder is for another number of channels.
    """

    def __init__(self, banks: BankUnion, encoder: FeatureExtractor, decoder: nn.Module) -> None:
        super().__init__()
        check_encoder(banks.encoder, encoder, f"bank {', '.join(banks.names)}")
        channels = getattr(decoder, "channels", encoder.channels)
        if channels != encoder.channels:
            raise WeightsError(
                f"decode features of {encoder.channels} channels", f"a decoder for {channels}", "Give the encoder's own"
            )
        self.encoder = encoder
        self.retrieval = Retrieval(banks)
        self.decoder = decoder
        self.eval()

    @classmethod
    def shipped(cls, banks: BankUnion) -> Translator:
        """With the encoder and the decoder that come with the package."""
        return cls(banks, Encoder.shipped(), Decoder.shipped())

    @property
    def banks(self) -> BankUnion:
        """What is searched."""
        return self.retrieval.banks

    def __call__(self, image: ImageLike, **settings: Unpack[SettingKeywords]) -> Translation:
        """Translate one image; keywords as in `Settings`.

        Args:
            image: The path of a file; (H, W, 3) uint8, or any Pillow image, array or tensor that `as_pixels` takes.

        Raises:
            ImageError: Not an image, or of an impossible size.
            SettingError: A setting that does not exist, or a value outside its range.
            UnknownNameError: `without` names no source, several by one name, or all.
            WeightsError: The encoder or the decoder made NaN.
        """
        return self.run(image, Settings(**settings))

    def run(self, image: ImageLike, settings: Settings, features: Tensor | None = None) -> Translation:
        """Translate one image with settings made before.

        Args:
            image: As in a call.
            settings: How.
            features: Those of the image, where `encode` has made them already.
        """
        # Before any work, and by whole names: a short one may mean another source tomorrow.
        settings = replace(settings, without=self.banks.full_names(settings.without))
        result: Translation = super().__call__(image, settings, features)
        return result

    def batch(self, images: Iterable[ImageLike], **settings: Unpack[SettingKeywords]) -> list[Translation]:
        """Translate images of any sizes one after the other."""
        chosen = Settings(**settings)
        return [self.run(image, chosen) for image in images]

    @torch.no_grad()
    def forward(self, image: ImageLike, settings: Settings, features: Tensor | None) -> Translation:
        pixels = as_pixels(image)
        features = self.encode(pixels) if features is None else features
        grid = PatchGrid(*features.shape[1:])
        matches = self.retrieval(features, grid, settings)
        output = self.decode(self.blend(features, grid, matches.winner, settings), pixels)
        return Translation(to_pixels(output), pixels, matches, grid, self.banks, settings)

    def traced(self, image: ImageLike, **settings: Unpack[SettingKeywords]) -> Trace:
        """Translate one image and return its `Trace`; the picture is `trace.output`. Keywords as in `Settings`."""
        from ktviz.trace.record import record  # the short form of a layer above

        with record(self, all_threads=False) as trace:
            self(image, **settings)
        return trace

    def decode(self, features: Tensor, pixels: Pixels) -> Tensor:
        """Features (C, h, w) to an image (1, 3, H, W) of the size of `pixels`, not clamped."""
        height, width = pixels.shape[:2]
        with threads_for(features[0].numel()):
            output: Tensor = self.decoder(features[None])[..., :height, :width]
        check_finite(output, "decoder")
        return output

    @torch.no_grad()
    def encode(self, pixels: Pixels) -> Tensor:
        """Features (C, h, w), h and w even: the image is padded on the right and below by reflection.

        Raises:
            WeightsError: The encoder made NaN.
        """
        height, width = pixels.shape[:2]
        step = self.encoder.stride * QUERY_STEP
        padded = F.pad(to_tensor(pixels), (0, -width % step, 0, -height % step), mode="reflect")
        with threads_for(padded[0, 0].numel() // self.encoder.stride**2):
            cells = self.encoder(padded)[0].permute(1, 2, 0).contiguous()
        check_finite(cells, "encoder")
        return cells.permute(2, 0, 1)

    @torch.no_grad()
    def blend(self, features: Tensor, grid: PatchGrid, winner: Tensor, settings: Settings) -> Tensor:
        """Transfer from the winners (N,) and put the patches together: (C, h, w)."""
        total = torch.zeros_like(features)
        for index in reversed(parts(grid)):  # as `add_patches` wants them
            grid.add_patches(total, self.transferred(features, grid, winner, settings, index)[1], index)
        return total / grid.coverage()

    def transfers(
        self, features: Tensor, grid: PatchGrid, winner: Tensor, settings: Settings
    ) -> Iterator[tuple[Tensor, Tensor, Tensor]]:
        """Some queries at a time: their numbers (n,), their patches (n, C, 4, 4), and what the winners make of them."""
        for index in parts(grid):
            yield index, *self.transferred(features, grid, winner, settings, index)

    def transferred(
        self, features: Tensor, grid: PatchGrid, winner: Tensor, settings: Settings, index: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Patches of some queries (n,), and what the winners make of them: twice (n, C, 4, 4)."""
        queries, winners = grid.unfold(features, index), self.banks.patches(winner[index])
        gain = float(settings.max_gain or 0)
        return queries, transfer(queries, winners, settings.transfer, settings.strength, gain)


def parts(grid: PatchGrid) -> tuple[Tensor, ...]:
    """The queries of a grid, so many at a time as are unfolded at once."""
    found: tuple[Tensor, ...] = torch.arange(len(grid)).split(QUERIES_AT_ONCE)
    return found


def check_finite(values: Tensor, what: str) -> None:
    """Raise WeightsError if a network's output holds NaN or infinity."""
    if not torch.isfinite(values).all():
        raise WeightsError(f"run the {what}", "it made NaN or infinite values", "Check its weights: `ktviz doctor`")


def concatenate(found: Sequence[Matches]) -> Matches:
    """Matches of consecutive queries as one."""
    if len(found) == 1:
        return found[0]
    names = ("entry", "similarity", "band_similarity", "path", "chosen", "coherent")
    return replace(found[0], **{name: torch.cat([getattr(m, name) for m in found]) for name in names})
