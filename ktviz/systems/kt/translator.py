"""The translator: encode, retrieve, transfer, fold, decode."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass, field, replace
from functools import partial
from typing import Any, Unpack

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from ktviz.errors import MismatchError, SettingError, WeightsError
from ktviz.images import ImageLike, Pixels, as_pixels, to_pixels, to_tensor
from ktviz.library.kinds.patches.features import STRIDE, FeatureExtractor, extractor_digest
from ktviz.library.kinds.patches.grid import QUERY_STEP, PatchGrid
from ktviz.library.kinds.patches.union import BankUnion
from ktviz.library.library import Library, check_encoder
from ktviz.memory import as_bytes, release
from ktviz.networks.running import check_finite, run, without_autocast
from ktviz.networks.threads import threads_for
from ktviz.networks.tiles import cut, grown, reach_of, scaled, shifted, tiles
from ktviz.networks.weights import module_digest
from ktviz.regions import Box, Mask
from ktviz.retrieval.matches import Matches
from ktviz.systems.descents import Descent
from ktviz.systems.kt.band_pictures import band_pictures, entry_pixels
from ktviz.systems.kt.blend import PatchBlend
from ktviz.systems.kt.decoder import Decoder
from ktviz.systems.kt.descent import descents
from ktviz.systems.kt.encoder import Encoder
from ktviz.systems.kt.exclusion import PartAgain, queries_behind
from ktviz.systems.kt.forecast import Forecast, forecast
from ktviz.systems.kt.leaves import leaves
from ktviz.systems.kt.live import best_by_source, exact, live
from ktviz.systems.kt.receptive import footprint, receptive_field
from ktviz.systems.kt.retrieval import NAME, Retrieval, concatenate, parts
from ktviz.systems.kt.rounding import check_rounded, truth
from ktviz.systems.kt.settings import SettingKeywords, Settings
from ktviz.systems.kt.transfer import transfer
from ktviz.systems.protocol import Blend, Exclude, Floats, Ints, Leaves
from ktviz.trace.record import MEMORY, record
from ktviz.trace.trace import Recorded, Trace
from ktviz.values import short

TRANSFERS_AT_ONCE = 1024
"""Queries transferred at a time; some ten times their size is worked with."""
QUERIES_PER_STRIP = 32_768
"""Queries in a strip of a photograph, at most, if it has more than one row: their features take 64 MB for C = 128."""

Cells = Callable[[slice], Tensor]
"""Rows of cells of a photograph to their features (C, rows, w)."""


@dataclass(frozen=True, eq=False)
class Translation(Recorded):
    """A translated image and the retrievals that made it.

    Where it was recorded, `trace` is its trace: what takes a trace takes it, too.

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


class Translator(nn.Module):
    """Translate photographs with the knowledge of some banks: the system "kt".

    Args:
        banks: `library["art/impasto"]`, `library["art"]`, or any `BankUnion`.
        encoder: The encoder that made the library.
        decoder: Its inverse.
        memory: What the process may hold while it translates, in bytes or as "4 GB"; None for no limit. Results do not
            depend on it: photos are translated in strips and tiles anyway, and where their features do not fit as a
            whole, they are made twice.

    Raises:
        LibraryError: The library was built with another encoder.
        WeightsError: The decoder is for another number of channels.
        SettingError: `memory` is not a size, or `banks` are none.
    """

    name = NAME
    abilities = frozenset({"rerun", "exclude", "blend", "oracle", "tree", "bands"})
    baseline = "the photo's own features"
    cell_px = STRIDE

    def __init__(
        self, banks: BankUnion, encoder: FeatureExtractor, decoder: nn.Module, memory: str | int | None = None
    ) -> None:
        super().__init__()
        if not isinstance(banks, BankUnion):
            raise SettingError(f"translate with {short(banks)}", "no banks of a library", 'Give library["art/impasto"]')
        check_encoder(banks.encoder, encoder, f"bank {', '.join(banks.names)}")
        channels = getattr(decoder, "channels", encoder.channels)
        if channels != encoder.channels:
            raise WeightsError(
                f"decode features of {encoder.channels} channels", f"a decoder for {channels}", "Give the encoder's own"
            )
        self.encoder = encoder
        self.retrieval = Retrieval(banks)
        self.decoder = decoder
        self.memory = None if memory is None else as_bytes(memory)
        self.eval()

    @classmethod
    def shipped(cls, banks: BankUnion, memory: str | int | None = None) -> Translator:
        """With the encoder and the decoder that come with the package."""
        return cls(banks, Encoder.shipped(), Decoder.shipped(), memory)

    @classmethod
    def opened(cls, trace: Trace, library: Library | None, like: Translator | None = None, /) -> Translator:
        """A translator on the banks that a trace names, in their order; see `systems.registry`."""
        if library is None:
            raise MismatchError("translate again", "no library was given", "Give the library of the trace")
        banks = library.select([name for name in trace.about["banks"] if name in library])
        return cls.shipped(banks) if like is None else cls(banks, like.encoder, like.decoder)

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
            SettingError: A setting that does not exist, a value outside its range, or a photo that does not fit in the
                memory.
            UnknownNameError: `without` names no source, several by one name, or all.
            WeightsError: The encoder or the decoder made NaN.
        """
        return self.run(image, Settings(**settings))

    @without_autocast
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
        expected = self.forecast(*pixels.shape[:2], settings=settings)
        if features is None and expected.keeps_features:
            features = self.encode(pixels)
        cells = partial(self.encode, pixels) if features is None else rows_of(features)
        grid = self.grid(*pixels.shape[:2])
        matches = self.retrieve(cells, grid, settings)
        output = self.paint(cells, grid, matches.winner, settings)[: pixels.shape[0], : pixels.shape[1]]
        return Translation(output, pixels, matches, grid, self.banks, settings)

    def forecast(
        self, height: int, width: int, *, settings: Settings = Settings(), recorded: int | None = 0
    ) -> Forecast:
        """What translating a photo of some size will take.

        Args:
            height: In px.
            width: In px.
            settings: How.
            recorded: Candidates recorded per query, None for all; 0 without a recording.

        Raises:
            SettingError: It does not fit into the memory, or cannot be bounded: the encoder or the decoder cannot be
                run in tiles.

        Example:
            >>> translate = kt.Translator.shipped(library["art"], memory="4 GB")  # doctest: +SKIP
            >>> print(translate.forecast(6000, 8000))  # doctest: +SKIP
            8000x6000 px, 748,251 queries: at most 3.5 GB of memory
        """
        search = settings.search
        for bank in self.banks.banks:
            bank.index(search.band_weights)  # is made once, and held from then on
        grid, channels = self.grid(height, width), self.encoder.channels
        if self.memory is not None:
            self.check_reach(grid)
        recorded = search.candidates if recorded is None else recorded
        return forecast(height, width, grid, channels, search, recorded, self.memory)

    def check_reach(self, grid: PatchGrid) -> None:
        """Raise SettingError if a network has to look at the whole of a photo that is larger than a tile."""
        for name, reach in (("encoder", self.encoder_reach(grid)), ("decoder", self.decoder_reach(grid))):
            if reach is None:
                raise SettingError(
                    f"translate {grid.width * STRIDE}x{grid.height * STRIDE} px within a bound of memory",
                    f"the {name} cannot be run in tiles: all of its picture decides every part of it",
                    "Shrink the photo, or set no memory",
                )

    def encoder_reach(self, grid: PatchGrid) -> int | None:
        """See `reach_of`."""
        return reach_of(self.encoder, 3, self.encoder.stride, grid.height, grid.width)

    def decoder_reach(self, grid: PatchGrid) -> int | None:
        """See `reach_of`."""
        return reach_of(self.decoder, self.encoder.channels, 1, grid.height, grid.width)

    def traced(self, image: ImageLike, **settings: Unpack[SettingKeywords]) -> Trace:
        """Translate one image and return its `Trace`; the picture is `trace.output`. Keywords as in `Settings`."""
        return self.recorded(as_pixels(image), Settings(**settings))

    def recorded(
        self, pixels: Pixels, settings: Settings, features: Tensor | None = None, candidates: int | None = None
    ) -> Trace:
        """Translate one image and record it, in as much memory as its retrievals need.

        Args:
            pixels: (H, W, 3) uint8.
            settings: How.
            features: Those of the image, where they have been made already.
            candidates: As in `record`.
        """
        expected = self.forecast(*pixels.shape[:2], settings=settings, recorded=candidates)
        memory = max(as_bytes(MEMORY), expected.recording)
        with record(self, candidates=candidates, memory=memory, all_threads=False) as trace:
            self.run(pixels, settings, features)
        return trace

    def digests(self) -> dict[str, str]:
        """Of encoder, decoder and every bank."""
        networks = {"encoder": extractor_digest(self.encoder), "decoder": module_digest(self.decoder)}
        return {**networks, **self.banks.digests()}

    def pictures(self, inputs: tuple[Any, ...], output: Translation) -> dict[str, Pixels]:
        """Photo and translation of a run."""
        return {"input": output.input, "output": output.image}

    def measures_of(self, inputs: tuple[Any, ...], output: Translation) -> dict[str, Any]:
        """Nothing besides."""
        return {}

    def settings_of(self, inputs: tuple[Any, ...], output: Translation) -> dict[str, Any]:
        """How a run was made."""
        return asdict(output.settings)

    def patches(self, trace: Trace, places: Sequence[int]) -> list[tuple[Pixels, Pixels]]:
        """Patches of photo and source, 16 px a side; see `System`."""
        case = live(trace, self)
        mine = torch.tensor(places, dtype=torch.int64)
        boxes = trace.column("box")[places].astype(int).tolist()
        here = [case.pixels[y : y + height, x : x + width] for x, y, width, height in boxes]
        return list(zip(here, entry_pixels(self.banks, case.winner[mine]), strict=True))

    def source_picture(self, source: str) -> Pixels | None:
        """See `System`."""
        number = self.banks.source_numbers.get(source)
        return None if number is None else self.banks.picture(number)

    def shown(self, trace: Trace) -> Translation:
        """The recorded translation, winners only, as figures take it."""
        case = live(trace, self)
        matches = Matches.hard(case.winner, torch.from_numpy(trace.column("similarity").copy()))
        return Translation(case.output, case.pixels, matches, case.grid, self.banks, case.settings)

    def rerun(self, trace: Trace, *, without: Sequence[str | int] = (), **settings: Any) -> Trace:
        """Translate the photo of a trace again, and record it; see `System`.

        Exact: equal to a translation with a library from which these entries were removed and whose tree is the same.
        """
        case = live(trace, self)
        changed = case.changed(without, settings)
        self.banks.excluded(changed.without)  # refuse unknown names before any work
        return self.recorded(case.pixels, changed, case.features, trace.about["candidates"])

    def exclude(self, trace: Trace, within: Box) -> Exclude:
        """See `System` and `systems.kt.exclusion`."""
        return PartAgain.create(live(trace, self), within)

    def behind(self, trace: Trace, mask: Mask) -> Ints:
        """See `System`."""
        return queries_behind(live(trace, self), mask).numpy()

    def blend(self, trace: Trace, within: Box) -> Blend:
        """See `System` and `systems.kt.blend`."""
        return PatchBlend.create(live(trace, self), within)

    def footprint(self, trace: Trace, mask: Mask) -> Floats:
        """Overlap carried through the decoder's measured receptive field; see `System`."""
        return footprint(live(trace, self), mask)

    def reach(self, trace: Trace) -> str:
        """Spread of the decoder's receptive field."""
        return f"{receptive_field(self).spread_px:.1f} px"

    def oracle(self, trace: Trace, queries: Ints) -> Matches:
        """An exact search; see `System`."""
        return exact(live(trace, self), torch.tensor(queries))

    def similarity_of(self, trace: Trace, places: Ints, entries: Ints) -> Tensor:
        """See `System`."""
        return truth(live(trace, self), places, entries)

    def best_by_source(self, trace: Trace, places: Ints) -> Tensor:
        """See `System`."""
        return best_by_source(live(trace, self), torch.tensor(places))

    def searched(self, trace: Trace) -> list[str]:
        """See `System`."""
        excluded = self.banks.excluded(trace.picture.settings["without"])
        if excluded is None:
            return list(self.banks.source_names)
        left = self.banks.source_of((~excluded).nonzero()[:, 0]).unique().tolist()
        return [self.banks.source_names[number] for number in left]

    def check_rounded(self, name: str, trace: Trace, again: Trace) -> npt.NDArray[np.bool_]:
        """See `systems.kt.rounding`."""
        return check_rounded(name, live(trace, self), again)

    def leaves(self, trace: Trace) -> Leaves:
        """See `System`."""
        return leaves(live(trace, self))

    def descents(self, trace: Trace, places: Sequence[int]) -> list[Descent]:
        """See `System`."""
        return descents(live(trace, self), places)

    def band_pictures(self, trace: Trace, places: Ints, entries: Ints) -> tuple[Pixels, Pixels]:
        """See `systems.kt.band_pictures`."""
        return band_pictures(live(trace, self), torch.tensor(places), torch.tensor(entries))

    def grid(self, height: int, width: int) -> PatchGrid:
        """The queries of an image in px, which is padded on the right and below to whole steps of queries."""
        step = self.encoder.stride * QUERY_STEP
        return PatchGrid(*(-(-side // step) * QUERY_STEP for side in (height, width)))

    def retrieve(self, cells: Cells, grid: PatchGrid, settings: Settings) -> Matches:
        """Find the winners of all queries, strip by strip; each goes on where the one above it ends."""
        found: list[Matches] = []
        for rows in strips(grid):
            strip = grid.strip(rows)
            above = found[-1].winner[-grid.columns :] if found else None
            found.append(self.retrieval(cells(strip.cells), strip, settings, above))
            tidy(strip, grid)
        return concatenate(found)

    @torch.no_grad()
    def encode(self, pixels: Pixels, rows: slice | None = None) -> Tensor:
        """Features (C, h, w) of an image, or of some rows of its cells; it is padded by reflection.

        Raises:
            WeightsError: The encoder made NaN.
        """
        grid, stride = self.grid(*pixels.shape[:2]), self.encoder.stride
        rows = slice(0, grid.height) if rows is None else rows
        reach = self.encoder_reach(grid)
        features = torch.empty(rows.stop - rows.start, grid.width, self.encoder.channels)
        for tile in tiles(rows, grid.height, grid.width, reach):
            seen = mirrored(pixels, scaled(tile.seen_rows, stride), scaled(tile.seen_columns, stride))
            with threads_for(tile.cells):
                made = run(self.encoder, to_tensor(seen))[0]
            inner = tile.inner()
            check_finite(made, "encoder")
            features[shifted(tile.rows, -rows.start), tile.columns] = made[:, *inner].permute(1, 2, 0)
        if reach:
            release()
        return features.permute(2, 0, 1)

    def paint(self, cells: Cells, grid: PatchGrid, winner: Tensor, settings: Settings) -> Pixels:
        """Transfer from the winners (N,), and decode: (4 h, 4 w, 3) uint8.

        Raises:
            WeightsError: The decoder made NaN.
        """
        reach = self.decoder_reach(grid)
        output = np.empty((grid.height * STRIDE, grid.width * STRIDE, 3), dtype=np.uint8)
        whole = slice(0, grid.height)
        longest = grid.height if reach is None else max(1, QUERIES_PER_STRIP // grid.columns) * QUERY_STEP
        for rows in cut(whole, longest):
            seen = whole if reach is None else grown(rows, reach, grid.height)
            queries = grid.over(seen)
            strip = grid.strip(queries)
            mine = winner[scaled(queries, grid.columns)]
            transferred = self.transfer_map(cells(strip.cells), strip, mine, settings)
            tidy(strip, grid)
            for tile in tiles(rows, grid.height, grid.width, reach):
                part = transferred[:, shifted(tile.seen_rows, -strip.top), tile.seen_columns]
                output[scaled(tile.rows, STRIDE), scaled(tile.columns, STRIDE)] = self.decode(part)[tile.inner(STRIDE)]
            tidy(strip, grid)
        return output

    @torch.no_grad()
    def decode(self, features: Tensor) -> Pixels:
        """Features (C, h, w) to pixels (4 h, 4 w, 3) uint8.

        Raises:
            WeightsError: The decoder made NaN.
        """
        with threads_for(features[0].numel()):
            made = run(self.decoder, features[None])
        check_finite(made, "decoder")
        return to_pixels(made)

    @torch.no_grad()
    def transfer_map(self, features: Tensor, grid: PatchGrid, winner: Tensor, settings: Settings) -> Tensor:
        """Transfer from the winners (N,) and put the patches together: (C, h, w)."""
        total = torch.zeros_like(features)
        for index in reversed(parts(grid, TRANSFERS_AT_ONCE)):  # as `add_patches` wants them
            grid.add_patches(total, self.transferred(features, grid, winner, settings, index)[1], index)
        return total / grid.coverage()

    def transferred(
        self, features: Tensor, grid: PatchGrid, winner: Tensor, settings: Settings, index: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Patches of some queries (n,), and what the winners make of them: twice (n, C, 4, 4)."""
        queries, winners = grid.unfold(features, index), self.banks.patches(winner[index])
        gain = float(settings.max_gain or 0)
        return queries, transfer(queries, winners, settings.transfer, settings.strength, gain)


def rows_of(features: Tensor) -> Cells:
    """Rows of features that are there."""
    return lambda rows: features[:, rows]


def tidy(strip: PatchGrid, grid: PatchGrid) -> None:
    """Between the strips of a large photo, give freed memory back."""
    if len(strip) < len(grid):
        release()


def mirrored(pixels: Pixels, rows: slice, columns: slice) -> Pixels:
    """A part of an image that may reach beyond its right and lower edge, where it is mirrored."""
    places = []
    for part, length in zip((rows, columns), pixels.shape, strict=False):
        place = np.arange(part.start, part.stop)
        places.append(np.where(place < length, place, 2 * (length - 1) - place))
    return pixels[np.ix_(*places)]


def strips(grid: PatchGrid) -> list[slice]:
    """The rows of queries of a grid, so many at a time as are searched together."""
    return cut(slice(0, grid.rows), max(1, QUERIES_PER_STRIP // grid.columns))
