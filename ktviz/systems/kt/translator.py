"""The translator: the system "kt", which translates, records, and answers what explanations ask."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, replace
from functools import partial
from typing import Any, Unpack

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from ktviz.errors import AbilityError
from ktviz.images import ImageLike, Pixels, as_pixels
from ktviz.library.banks import Banks, Part
from ktviz.library.kinds.patches.features import STRIDE, extractor_digest
from ktviz.library.layout import PATCHES
from ktviz.library.library import Library
from ktviz.memory import as_bytes
from ktviz.networks.running import without_autocast
from ktviz.networks.weights import module_digest
from ktviz.regions import Box, Mask
from ktviz.retrieval.matches import Matches
from ktviz.systems.band_networks import BandNetworks
from ktviz.systems.code_space import CodeSpace
from ktviz.systems.descents import Descent
from ktviz.systems.kt.band_pictures import band_networks, band_pictures, entry_pixels
from ktviz.systems.kt.bench import prepared
from ktviz.systems.kt.blend import PatchBlend
from ktviz.systems.kt.decoder import Decoder
from ktviz.systems.kt.descent import descents
from ktviz.systems.kt.encoder import Encoder
from ktviz.systems.kt.exclusion import PartAgain, queries_behind
from ktviz.systems.kt.leaves import leaves
from ktviz.systems.kt.live import best_by_source, exact, live
from ktviz.systems.kt.pipeline import Pipeline, rows_of
from ktviz.systems.kt.receptive import footprint, receptive_field
from ktviz.systems.kt.retrieval import NAME
from ktviz.systems.kt.rounding import check_rounded, truth
from ktviz.systems.kt.settings import SettingKeywords, Settings, only_stated, settings_from, stated_as
from ktviz.systems.kt.translation import Translation
from ktviz.systems.opening import banks_of
from ktviz.systems.protocol import Blend, Exclude, Floats, Ints, Leaves
from ktviz.systems.styles import Styles
from ktviz.systems.switches import Switches
from ktviz.trace.record import MEMORY, record
from ktviz.trace.trace import Trace


class Translator(Pipeline):
    """Translate photographs with the knowledge of some banks: the system "kt".

    Args:
        banks: `library["art/impasto"]`, `library["art"]`, or any `BankUnion`: banks of patches.
        encoder: The encoder that made the library.
        decoder: Its inverse.
        memory: What the process may hold while it translates, in bytes or as "4 GB"; None for no limit. Results do not
            depend on it: photos are translated in strips and tiles anyway, and where their features do not fit as a
            whole, they are made anew for each step.

    Raises:
        LibraryError: The library was built with another encoder, or the banks are of another kind.
        WeightsError: The decoder is for another number of channels.
        SettingError: `memory` is not a size, or `banks` are none.

    Example:
        >>> translate = kt.Translator(world.banks, CellMeans(), CellColours())
        >>> translate.traced(photo).digest == world.translator.traced(photo).digest
        True
    """

    name = NAME
    abilities = frozenset({"rerun", "exclude", "blend", "oracle", "tree", "bands", "bench"})
    baseline = "the photo's own features"
    cell_px = STRIDE
    settings_type = Settings
    bank_kind = PATCHES
    takes = ("photo",)

    @classmethod
    def shipped(cls, banks: Banks[Any], memory: str | int | None = None) -> Translator:
        """With the encoder and the decoder that come with the package; arguments as in the class.

        Raises:
            WeightsError: They are not the files that were packaged.
            LibraryError, SettingError: As in the class.
        """
        return cls(banks, Encoder.shipped(), Decoder.shipped(), memory)

    @classmethod
    def opened(cls, trace: Trace, library: Library | None, like: Translator | None = None, /) -> Translator:
        """A translator on the banks that a trace names, in their order; see `systems.registry`.

        Raises:
            MismatchError: There is no library, or it has none of them.
        """
        banks = banks_of("translate again", trace.about["banks"], library)
        return cls.shipped(banks) if like is None else cls(banks, like.encoder, like.decoder)

    prepared = classmethod(prepared)
    only_stated = staticmethod(only_stated)

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

        Example:
            >>> bool((world.translator.run(photo, kt.Settings()).image == world.translator(photo).image).all())
            True
        """
        # Before any work, and by whole names: a short one may mean another source tomorrow.
        settings = replace(settings, without=self.banks.full_names(settings.without))
        result: Translation = super().__call__(image, settings, features)
        return result

    def batch(self, images: Iterable[ImageLike], **settings: Unpack[SettingKeywords]) -> list[Translation]:
        """Translate images of any sizes one after the other.

        Example:
            >>> [made.image.shape for made in world.translator.batch([photo, photo[:32]], transfer="swap")]
            [(64, 64, 3), (32, 64, 3)]
        """
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
        own = self.own(cells, grid, settings)
        matches = self.retrieve(self.retrieval, self.toned(cells, grid, own, settings), grid, settings)
        output = self.paint(cells, grid, matches.winner, own, settings)[: pixels.shape[0], : pixels.shape[1]]
        return Translation(output, pixels, matches, grid, self.banks, settings)

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

        Example:
            >>> len(world.translator.recorded(photo, kt.Settings(), candidates=2).table)
            196
        """
        expected = self.forecast(*pixels.shape[:2], settings=settings, recorded=candidates)
        memory = max(as_bytes(MEMORY), expected.recording)
        with record(self, candidates=candidates, memory=memory, all_threads=False) as trace:
            self.run(pixels, settings, features)
        self.banks.hold(torch.from_numpy(trace.column("entry", winners=False).astype("int64")))
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

    def source_picture(self, trace: Trace, source: str) -> Pixels | None:
        """See `System`."""
        number = self.banks.source_numbers.get(source)
        return None if number is None else self.banks.picture(number)

    def rerun(self, trace: Trace, *, without: Sequence[Part] = (), **settings: Any) -> Trace:
        """Translate the photo of a trace again, and record it; see `System`.

        Exact: equal to a translation with a library from which these entries were removed and whose tree is the same.
        """
        case = live(trace, self)
        changed = case.changed(without, settings)
        self.banks.excluded(changed.without)  # refuse unknown names before any work
        again = self.recorded(case.pixels, changed, case.features, trace.about["candidates"])
        return again.with_settings(stated_as(trace.picture.settings, again.picture.settings))

    def exclude(self, trace: Trace, within: Box) -> Exclude:
        """See `System` and `systems.kt.exclusion`."""
        return PartAgain.create(live(trace, self), within)

    def instead(self, trace: Trace, settings: Mapping[str, Any]) -> str:
        """Other entries; the tree stays."""
        return "the best that is left in the same tree"

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

    def searched(self, trace: Trace) -> Sequence[str]:
        """See `System`."""
        excluded = self.banks.excluded(settings_from(trace.picture.settings).without)
        if excluded is None:
            return self.banks.source_names
        left = self.banks.source_of((~excluded).nonzero()[:, 0]).unique().tolist()
        return [self.banks.source_names[number] for number in left]

    def check_rounded(self, name: str, trace: Trace, again: Trace) -> npt.NDArray[np.bool_]:
        """See `systems.kt.rounding`."""
        return check_rounded(name, live(trace, self), again)

    def repaint(self, trace: Trace, again: Trace) -> Pixels | None:
        """From the recorded winners; see `System`."""
        return live(trace, self).repainted

    def leaves(self, trace: Trace) -> Leaves:
        """See `System`."""
        return leaves(live(trace, self))

    def descents(self, trace: Trace, places: Sequence[int], entries: Ints | None = None) -> list[Descent]:
        """See `System`."""
        return descents(live(trace, self), places, entries)

    def band_pictures(self, trace: Trace, places: Ints, entries: Ints) -> tuple[Pixels, Pixels]:
        """See `systems.kt.band_pictures`."""
        return band_pictures(live(trace, self), torch.tensor(places), torch.tensor(entries))

    def band_networks(self, trace: Trace) -> BandNetworks | None:
        """See `systems.kt.band_pictures`."""
        return band_networks(live(trace, self))

    def styles(self, trace: Trace) -> Styles:
        """There are no codes.

        Raises:
            AbilityError: Always.
        """
        raise AbilityError("styles of objects", "patches are no objects", "Ask for the candidates of a patch")

    def fed(self, trace: Trace) -> Floats:
        """Every patch takes one entry: the trace tells.

        Raises:
            AbilityError: Always.
        """
        raise AbilityError("what each cell feeds", "entries of a bank are not mixed", "Ask trace.spread(source)")

    def space(self, trace: Trace) -> CodeSpace:
        """Patches are no points among others.

        Raises:
            AbilityError: Always.
        """
        raise AbilityError("pictures of other codes", "patches have no codes", "Translate without a source")

    def switches(self, trace: Trace) -> Switches:
        """There are no attributes.

        Raises:
            AbilityError: Always.
        """
        raise AbilityError("attributes of a picture", "a photo is translated as it is", "Change the photo")
