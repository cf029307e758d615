"""The pipeline: encode, retrieve, transfer, fold, decode; in strips and tiles where memory is bounded."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from ktviz.errors import SettingError, WeightsError
from ktviz.images import Pixels, to_pixels, to_tensor
from ktviz.library.banks import Banks, of_kind
from ktviz.library.kinds.patches.features import STRIDE, FeatureExtractor
from ktviz.library.kinds.patches.grid import QUERY_STEP, PatchGrid
from ktviz.library.kinds.patches.identity import check_encoder
from ktviz.library.kinds.patches.union import BankUnion
from ktviz.memory import as_bytes, release
from ktviz.networks.running import check_finite, place_of, run
from ktviz.networks.threads import threads_for
from ktviz.networks.tiles import cut, grown, reach_of, scaled, shifted, tiles
from ktviz.retrieval.matches import Matches
from ktviz.systems.kt.alignment import Affine, Moments, aligning
from ktviz.systems.kt.forecast import Forecast, forecast
from ktviz.systems.kt.retrieval import Retrieval, concatenate, parts
from ktviz.systems.kt.settings import Settings
from ktviz.systems.kt.tone import Look, Taken, moments_of_map
from ktviz.systems.kt.transfer import transfer

TRANSFERS_AT_ONCE = 1024
"""Queries transferred at a time; some ten times their size is worked with."""
QUERIES_PER_STRIP = 32_768
"""Queries in a strip of a photograph, at most, if it has more than one row: their features take 64 MB for C = 128."""

Cells = Callable[[slice], Tensor]
"""Rows of cells of a photograph to their features (C, rows, w)."""


class Pipeline(nn.Module):
    """Encoder, banks and decoder, and each step of a translation; arguments and errors as in `Translator`.

    Example:
        >>> steps, settings, grid = world.translator, kt.Settings(), world.translator.grid(64, 64)
        >>> cells = rows_of(steps.encode(photo))
        >>> own = steps.own(cells, grid, settings)
        >>> winner = steps.retrieve(steps.retrieval, steps.toned(cells, grid, own, settings), grid, settings).winner
        >>> bool((steps.paint(cells, grid, winner, own, settings) == steps(photo).image).all())
        True
    """

    def __init__(
        self, banks: Banks[Any], encoder: FeatureExtractor, decoder: nn.Module, memory: str | int | None = None
    ) -> None:
        super().__init__()
        searched = of_kind(banks, BankUnion, "translate with")
        check_encoder(searched.encoder, encoder, f"bank {', '.join(searched.names)}", any_precision=True)
        channels = getattr(decoder, "channels", encoder.channels)
        if channels != encoder.channels:
            raise WeightsError(
                f"decode features of {encoder.channels} channels", f"a decoder for {channels}", "Give the encoder's own"
            )
        self.encoder = encoder
        self.tone, self.retrieval = Retrieval(searched, paints=False), Retrieval(searched)
        self.decoder = decoder
        self.memory = None if memory is None else as_bytes(memory)
        self.eval()

    @property
    def banks(self) -> BankUnion:
        """What is searched."""
        return self.retrieval.banks

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
        for bank in self.banks.banks if search.preset == "beam" else ():
            bank.index(search.band_weights)  # is made once, and held from then on
        grid, channels = self.grid(height, width), self.encoder.channels
        if self.memory is not None:
            self.check_reach(grid)
        recorded = search.candidates if recorded is None else recorded
        sites = 2 if settings.align else 1
        return forecast(height, width, grid, channels, search, recorded, sites, self.memory)

    def check_reach(self, grid: PatchGrid) -> None:
        """Refuse a bound of memory where a network has to look at the whole of a photo that is larger than a tile.

        Raises:
            SettingError: One has to.

        Example:
            >>> world.translator.check_reach(world.translator.grid(64, 64))
        """
        for name, reach in (("encoder", self.encoder_reach(grid)), ("decoder", self.decoder_reach(grid))):
            if reach is None:
                raise SettingError(
                    f"translate {grid.width * STRIDE}x{grid.height * STRIDE} px within a bound of memory",
                    f"the {name} cannot be run in tiles: all of its picture decides every part of it",
                    "Shrink the photo, or set no memory",
                )

    def encoder_reach(self, grid: PatchGrid) -> int | None:
        """See `reach_of`.

        Example:
            >>> world.translator.encoder_reach(world.translator.grid(64, 64))
            0
        """
        return reach_of(self.encoder, 3, self.encoder.stride, grid.height, grid.width)

    def decoder_reach(self, grid: PatchGrid) -> int | None:
        """See `reach_of`.

        Example:
            >>> world.translator.decoder_reach(world.translator.grid(64, 64))
            0
        """
        return reach_of(self.decoder, self.encoder.channels, 1, grid.height, grid.width)

    def grid(self, height: int, width: int) -> PatchGrid:
        """The queries of an image in px, which is padded on the right and below to whole steps of queries.

        Example:
            >>> grid = world.translator.grid(60, 100)
            >>> grid.height, grid.width, len(grid)
            (16, 26, 84)
        """
        step = self.encoder.stride * QUERY_STEP
        return PatchGrid(*(-(-side // step) * QUERY_STEP for side in (height, width)))

    def retrieve(self, site: Retrieval, cells: Cells, grid: PatchGrid, settings: Settings) -> Matches:
        """Find the winners of all queries, strip by strip; each goes on where the one above it ends."""
        found: list[Matches] = []
        device, _ = place_of(self.encoder)
        for rows in strips(grid):
            strip = grid.strip(rows)
            above = found[-1].winner[-grid.columns :] if found else None
            found.append(site(cells(strip.cells), strip, settings, above, device))
            tidy(strip, grid)
        return concatenate(found)

    @torch.no_grad()
    def encode(self, pixels: Pixels, rows: slice | None = None) -> Tensor:
        """Features (C, h, w) of an image, or of some rows of its cells; it is padded by reflection.

        Raises:
            WeightsError: The encoder made NaN.

        Example:
            >>> world.translator.encode(photo).shape, world.translator.encode(photo, slice(0, 4)).shape
            (torch.Size([3, 16, 16]), torch.Size([3, 4, 16]))
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

    def own(self, cells: Cells, grid: PatchGrid, settings: Settings) -> Moments | None:
        """The moments of a photo's own features; None where they are not asked for."""
        if not settings.align:
            return None
        return moments_of_map(((rows, cells(rows)) for rows in self.cut(grid)), grid, self.encoder.channels)

    def toned(self, cells: Cells, grid: PatchGrid, own: Moments | None, settings: Settings) -> Cells:
        """The photo's features as they are matched: in the tone of what is most like them as they are."""
        if own is None:
            return cells
        first = self.retrieve(self.tone, cells, grid, settings.of_tone)
        return through(self.matched(first.winner, own, settings), cells)

    def matched(self, winner: Tensor, own: Moments, settings: Settings) -> Affine:
        """What brings a photo's features to the tone in which they are matched, from the first winners (N,).

        Example:
            >>> grid, cells = world.translator.grid(64, 64), rows_of(world.translator.encode(photo))
            >>> own = world.translator.own(cells, grid, kt.Settings())
            >>> world.translator.matched(torch.tensor([7, 200]), own, kt.Settings())(cells(slice(0, 2))).shape
            torch.Size([3, 2, 16])
        """
        return aligning(own, self.taken(winner, settings).to_match, float(settings.align or 0))

    def taken(self, winner: Tensor, settings: Settings) -> Taken:
        """What gives a tone, by winners (N,).

        Example:
            >>> world.translator.taken(torch.tensor([7, 7, 200]), kt.Settings()).moments.mean.shape
            torch.Size([3])
        """
        return Taken(self.banks, winner, settings.tone, self.banks.excluded(settings.without))

    def look(
        self, cells: Cells, grid: PatchGrid, winner: Tensor, own: Moments | None, settings: Settings
    ) -> Look | None:
        """How features change beside the transfer from the winners (N,); None where they do not.

        Example:
            >>> grid, cells = world.translator.grid(64, 64), rows_of(world.translator.encode(photo))
            >>> winner = torch.full((len(grid),), 7)
            >>> world.translator.look(cells, grid, winner, None, kt.Settings(align=0)) is None
            True
        """
        if own is None:
            return None
        align, tone = float(settings.align or 0), self.taken(winner, settings).moments
        before = aligning(own, tone, align)
        rows = self.changed(through(before, cells), grid, winner, settings)
        made = moments_of_map(rows, grid, self.encoder.channels)
        return Look(tone, before, aligning(made, tone, align), made)

    def changed(
        self, cells: Cells, grid: PatchGrid, winner: Tensor, settings: Settings
    ) -> Iterator[tuple[slice, Tensor]]:
        """Features after the transfer (C, rows, w), some rows of cells at a time.

        Example:
            >>> grid, cells = world.translator.grid(64, 64), rows_of(world.translator.encode(photo))
            >>> winner = torch.full((len(grid),), 7)
            >>> [(rows, made.shape) for rows, made in world.translator.changed(cells, grid, winner, kt.Settings())]
            [(slice(0, 16, None), torch.Size([3, 16, 16]))]
        """
        for rows in self.cut(grid):
            queries = grid.over(rows)
            strip = grid.strip(queries)
            made = self.transfer_map(cells(strip.cells), strip, winner[scaled(queries, grid.columns)], settings)
            yield rows, made[:, shifted(rows, -strip.top)]
            tidy(strip, grid)

    def cut(self, grid: PatchGrid) -> list[slice]:
        """The rows of cells of a photo, so many at a time as are worked on together.

        Example:
            >>> world.translator.cut(world.translator.grid(64, 64))
            [slice(0, 16, None)]
        """
        return cut(slice(0, grid.height), max(1, QUERIES_PER_STRIP // grid.columns) * QUERY_STEP)

    def paint(self, cells: Cells, grid: PatchGrid, winner: Tensor, own: Moments | None, settings: Settings) -> Pixels:
        """Align, transfer from the winners (N,), align once more, and decode: (4 h, 4 w, 3) uint8.

        Raises:
            WeightsError: The decoder made NaN.
        """
        look = self.look(cells, grid, winner, own, settings)
        if look is not None:
            cells = through(look.before, cells)
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
            if look is not None:
                transferred = look.after(transferred)
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

        Example:
            >>> world.translator.decode(world.translator.encode(photo)).shape
            (64, 64, 3)
        """
        with threads_for(features[0].numel()):
            made = run(self.decoder, features[None])
        check_finite(made, "decoder")
        return to_pixels(made)

    @torch.no_grad()
    def transfer_map(self, features: Tensor, grid: PatchGrid, winner: Tensor, settings: Settings) -> Tensor:
        """Transfer from the winners (N,) and put the patches together: (C, h, w).

        Example:
            >>> grid, features = world.translator.grid(64, 64), world.translator.encode(photo)
            >>> world.translator.transfer_map(features, grid, torch.full((len(grid),), 7), kt.Settings()).shape
            torch.Size([3, 16, 16])
        """
        total = torch.zeros_like(features)
        for index in reversed(parts(grid, TRANSFERS_AT_ONCE)):  # as `add_patches` wants them
            grid.add_patches(total, self.transferred(features, grid, winner, settings, index)[1], index)
        return total / grid.coverage()

    def transferred(
        self, features: Tensor, grid: PatchGrid, winner: Tensor, settings: Settings, index: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Patches of some queries (n,), and what the winners make of them: twice (n, C, 4, 4).

        Example:
            >>> grid, features = world.translator.grid(64, 64), world.translator.encode(photo)
            >>> winner = torch.full((len(grid),), 7)
            >>> found = world.translator.transferred(features, grid, winner, kt.Settings(), torch.tensor([0, 1]))
            >>> [patches.shape for patches in found]
            [torch.Size([2, 3, 4, 4]), torch.Size([2, 3, 4, 4])]
        """
        queries, winners = grid.unfold(features, index), self.banks.patches(winner[index])
        gain = float(settings.max_gain or 0)
        return queries, transfer(queries, winners, settings.transfer, float(settings.strength or 0), gain)


def rows_of(features: Tensor) -> Cells:
    """Rows of features that are there."""
    return lambda rows: features[:, rows]


def through(change: Affine, cells: Cells) -> Cells:
    """Features that are changed where they are asked for."""
    return lambda rows: change(cells(rows))


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
