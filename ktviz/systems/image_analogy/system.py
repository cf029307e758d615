"""Deep Image Analogy as a system: pictures made with a reference, recorded, made again, asked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, fields
from typing import Any, cast
from weakref import WeakKeyDictionary

import numpy as np
import torch
from torch import Tensor, nn

from ktviz.errors import AbilityError, TraceError, UnknownNameError
from ktviz.images import ImageLike, Pixels, as_pixels, pixel_digest, to_tensor
from ktviz.library.banks import Banks, of_kind
from ktviz.library.format import is_bank_name
from ktviz.library.kinds.pictures.union import PictureUnion
from ktviz.library.library import Library
from ktviz.memory import as_bytes
from ktviz.networks.weights import module_digest
from ktviz.regions import Box, Mask, SourceRegion
from ktviz.retrieval.catalogue import LIBRARY_SOURCE
from ktviz.retrieval.matches import Matches
from ktviz.systems.cells import around
from ktviz.systems.image_analogy.bench import prepared
from ktviz.systems.image_analogy.field import Direction
from ktviz.systems.image_analogy.levels import Progress
from ktviz.systems.image_analogy.method import Method, network_size
from ktviz.systems.image_analogy.result import Analogy, Side
from ktviz.systems.image_analogy.settings import Settings, settings_from
from ktviz.systems.image_analogy.sites import NAME, FieldSite, Place, VoteSite
from ktviz.systems.image_analogy.votes_blend import VotesBlend
from ktviz.systems.opening import bank_of, named_source, stated_settings
from ktviz.systems.parts import is_number
from ktviz.systems.plain import PlainSystem
from ktviz.systems.protocol import Blend, Ints
from ktviz.systems.reference import INPUT, Reference, given
from ktviz.trace.pictures import REFERENCE
from ktviz.trace.record import MEMORY, record
from ktviz.trace.trace import Trace

STATED = (*(setting.name for setting in fields(Settings)), "without")
"""What a trace states of a run."""
BYTES_PER_PX = 900
"""What a recording takes per pixel of both pictures, at most: up to nine votes, and a third more for the levels."""
VOTES = "ab.vote"
"""The site that paints A'."""

_analogies: WeakKeyDictionary[ImageAnalogy, tuple[str, Analogy]] = WeakKeyDictionary()
"""The latest analogy that each system was asked about: exact searches come in series."""


class ImageAnalogy(nn.Module, PlainSystem):
    """The system "image-analogy": pictures take on the look of a reference (Liao et al. 2017).

    Args:
        reference: B': the path of a file, (H, W, 3) uint8, or anything else that `as_pixels` takes.
        method: With which networks; the shipped ones if None.
        source: What you say of the reference, by name: `source`, what it is called ("reference", or as its file, if
            not said); `title`, `creator`, `year`, `licence`, `url`; `sha256` of its file. Nothing can prove it, and
            audits show it as stated.
        banks: Of pictures, that hold it; see `from_bank`.

    Raises:
        ImageError: The reference cannot be used.
        SettingError: Something else is said of it.

    Example:
        >>> from ktviz import samples
        >>> photo = samples.photo("coffee")[:48, :64]
        >>> result = ImageAnalogy(photo[:, ::-1])(photo, iterations=1)
        >>> result.a_prime.shape
        (48, 64, 3)
    """

    name = NAME
    abilities = frozenset({"rerun", "exclude", "blend", "oracle", "bench"})
    settings_type = Settings
    baseline = "the content's own pixels"
    cell_px = 4

    def __init__(
        self,
        reference: ImageLike | Reference,
        method: Method | None = None,
        source: Mapping[str, str] | None = None,
        banks: PictureUnion | None = None,
    ) -> None:
        super().__init__()
        self.banks = banks
        self.reference = reference if isinstance(reference, Reference) else given(reference, source)
        method = Method.shipped() if method is None else method
        self.ab, self.ba = method.sites["ab"], method.sites["ba"]  # before the method, to give the sites short names
        self.method = method

    def __repr__(self) -> str:
        height, width = self.reference.size
        return f"ImageAnalogy({self.reference.name}, {width}x{height} px)"

    @classmethod
    def from_bank(cls, banks: Banks[Any], reference: str | None = None, method: Method | None = None) -> ImageAnalogy:
        """With a reference out of banks of pictures, and what they know of it.

        Args:
            banks: `library["refs/animals"]`, or several.
            reference: Its name there, or the end of it; may be left out where there is one picture.
            method: As in the class.

        Raises:
            LibraryError: The banks are of another kind.
            UnknownNameError: No picture has that name, or several; or none is named, and there are several.

        Example:
            >>> kt.ImageAnalogy.from_bank(library["refs/animals"], "tiger.jpg")  # doctest: +SKIP
            ImageAnalogy(refs/animals/tiger.jpg, 640x480 px)
        """
        pictures = of_kind(banks, PictureUnion, "take a reference from")
        number = pictures.choose(reference)
        pixels = pictures.picture(number)
        source = {**pictures.describe_sources()[number], "pixels": pixel_digest(pixels)}
        return cls(Reference(pixels, source), method, banks=pictures)

    @classmethod
    def opened(cls, trace: Trace, library: Library | None, like: ImageAnalogy | None = None, /) -> ImageAnalogy:
        """The system of a trace, with the reference of the library that it names, or else its own; see
        `systems.registry`.

        Raises:
            MismatchError: The reference was in a library, and none was given, or it is not there.
            TraceError: It was in none, and the trace was saved without it, or does not say what it is.
        """
        source = named_source(trace, lambda source: source["bank"] != INPUT["bank"])
        method = None if like is None else like.method
        if is_bank_name(source["bank"]):
            return cls.from_bank(bank_of(source, library), source["source"], method)
        reference = trace.picture.canvases.get(REFERENCE)
        if reference is None:
            raise TraceError("make the analogy again", "the trace was saved without its reference", "Save its pictures")
        return cls(reference, method, source)

    prepared = classmethod(prepared)

    def __call__(self, image: ImageLike, *, progress: Progress | None = None, **settings: Any) -> Analogy:
        """Make A' of a picture A, and B of the reference.

        Args:
            image: A, as in the class.
            progress: Told before each piece of work: layer, direction, what is done.
            **settings: As in `Settings`; `preset` names a published one; `without` are parts of the reference that are
                not to be used, each a `SourceRegion`, a `Box`, or the number of a pixel.

        Raises:
            ImageError: Not an image.
            SettingError, UnknownSettingError: A setting that does not exist, or a value outside its range.
            UnknownNameError, RegionError: Not a part of the reference, or nothing of it would be left.
        """
        without = self.reference.regions(settings.pop("without", ()))
        chosen = settings_from(settings)
        result: Analogy = super().__call__(as_pixels(image), chosen, without, progress)
        return result

    def forward(
        self, image: Pixels, settings: Settings, without: Sequence[SourceRegion], progress: Progress | None
    ) -> Analogy:
        """What a call comes down to, with checked arguments: the run that a recorder listens to."""
        excluded = torch.from_numpy(self.reference.touched(without)) if without else None
        sources: dict[Direction, Mapping[str, Any]] = {"ab": INPUT, "ba": self.reference.source}
        made: Analogy = self.method(
            image, self.reference.pixels, settings, excluded=excluded, progress=progress, sources=sources
        )
        return made

    def traced(self, image: ImageLike, *, progress: Progress | None = None, **settings: Any) -> Trace:
        """Make an analogy and return its `Trace`; keywords as in a call."""
        pixels = as_pixels(image)
        area = pixels[..., 0].size + self.reference.pixels[..., 0].size
        memory = max(as_bytes(MEMORY), BYTES_PER_PX * area)
        with record(self, memory=memory, all_threads=False) as trace:
            self(pixels, progress=progress, **settings)
        return trace

    def region_of_entry(self, trace: Trace, entry: int) -> SourceRegion:
        """The part of the reference that an entry of the trace's site is; of several sites, of the votes.

        Raises:
            UnknownNameError: There is no such entry, or it is a part of A.

        Example:
            >>> system = ImageAnalogy(np.zeros((32, 32, 3), np.uint8))
            >>> system.region_of_entry(system.traced(np.full((32, 32, 3), 99, np.uint8), iterations=1), 7)
            SourceRegion(source='reference', box=Box(x=7.0, y=0.0, width=1.0, height=1.0))
        """
        site = trace.sites[0] if len(trace.sites) == 1 else VOTES
        asked, (way, _, layer) = f"entry {entry} of {site}", site.partition(".")
        if way == "ba":
            found = f"it is of {INPUT['source']}, and only parts of the reference can be left out"
            raise UnknownNameError(asked, found, "Give a kt.Box of it")
        sizes = trace.picture.size_of("input"), self.reference.size
        ratio = float(trace.picture.settings["ratio"])
        seen = [network_size(height, width, ratio) for height, width in sizes]
        source = {**self.reference.source, "height": sizes[1][0], "width": sizes[1][1]}
        place = Place(sizes[0], seen[0], sizes[1], seen[1], tuple(sorted(source.items())))
        known = cast(FieldSite | VoteSite, self.ab.get_submodule(layer)).entries(place)
        if not 0 <= entry < len(known):
            raise UnknownNameError(asked, f"entries go from 0 to {len(known) - 1:,}", "Take one that the trace names")
        return SourceRegion(self.reference.name, Box(*known.boxes(torch.tensor([entry]))[0].tolist()))

    def digests(self) -> dict[str, str]:
        """Of the networks and of the reference."""
        inverse = self.method.inverse
        networks = {"pyramid": self.method.pyramid.digest}
        networks |= {} if inverse is None else {"inverse": module_digest(inverse)}
        return {**networks, LIBRARY_SOURCE + self.reference.name: self.reference.digest}

    def pictures(self, inputs: tuple[Any, ...], output: Analogy) -> dict[str, Pixels]:
        """A, B', A' and B of a run."""
        return {"input": output.a, REFERENCE: output.b_prime, "output": output.a_prime, "output:back": output.b}

    def settings_of(self, inputs: tuple[Any, ...], output: Analogy) -> dict[str, Any]:
        """How a run was made."""
        return {**asdict(output.settings), "without": [asdict(region) for region in inputs[2]]}

    def measures_of(self, inputs: tuple[Any, ...], output: Analogy) -> dict[str, Any]:
        """Of every level and direction, by its site: see `Level.measures`."""
        return {f"{way}.{level.layer}": level.measures(way) for level in output.levels for way in level.sides}

    def patches(self, trace: Trace, places: Sequence[int]) -> list[tuple[Pixels, Pixels]]:
        """Crops around both ends of retrievals; see `System`."""
        here, there = self.ends(trace)
        boxes, sources = trace.column("box")[places], trace.column("source_box")[places]
        return [(around(here, box), around(there, source)) for box, source in zip(boxes, sources, strict=True)]

    def ends(self, trace: Trace) -> tuple[Pixels, Pixels]:
        """The picture whose cells ask at the site of a trace, and the one that is asked: (H, W, 3) uint8 each.

        Raises:
            TraceError: The trace was saved without its pictures.

        Example:
            >>> system = ImageAnalogy(np.zeros((32, 40, 3), np.uint8))
            >>> trace = system.traced(np.full((32, 32, 3), 99, np.uint8), iterations=1).painting()
            >>> [picture.shape for picture in system.ends(trace)]
            [(32, 32, 3), (32, 40, 3)]
        """
        canvases, canvas = {REFERENCE: self.reference.pixels, **trace.picture.canvases}, trace.site_about["canvas"]
        other = REFERENCE if canvas == "input" else "input"
        if canvas not in canvases or other not in canvases:
            raise TraceError("a question to the model", "the trace was saved without its pictures", "Save them with it")
        return canvases[canvas], canvases[other]

    def source_picture(self, trace: Trace, source: str) -> Pixels | None:
        """The reference; and A, which B is made of."""
        bank = next((one["bank"] for one in trace.about["sources"] if one["source"] == source), None)
        if bank == self.reference.source["bank"]:
            return self.reference.pixels
        return trace.picture.canvases.get("input") if bank == INPUT["bank"] else None

    def rerun(self, trace: Trace, *, without: Sequence[Any] = (), **settings: Any) -> Trace:
        """The same analogy again; see `System`.

        Raises:
            TraceError: The trace was saved without its picture.
        """
        content = trace.picture.canvases.get("input")
        if content is None:
            raise TraceError("a question to the model", "the trace was saved without its picture", "Pass photo=")
        stored = stated_settings(trace, STATED)
        asked = [self.region_of_entry(trace, int(part)) if is_number(part) else part for part in without]
        parts = (*stored.pop("without"), *asked)
        return self.traced(content, **{**stored, **settings, "without": self.reference.regions(parts)})

    def instead(self, trace: Trace, settings: Mapping[str, Any]) -> str:
        """Other parts of the reference."""
        return "what the search finds in the rest of the reference"

    def encode(self, pixels: Pixels) -> Tensor:
        """conv3_1: (C, h, w)."""
        with torch.no_grad():
            features: Tensor = self.method.pyramid(to_tensor(pixels))[2][0].float()
        return features

    def blend(self, trace: Trace, within: Box) -> Blend:
        """Votes against the content's own pixels; see `System`.

        Raises:
            AbilityError: The trace is of a site that paints nothing.
        """
        if not trace.site_about["paints"]:
            raise AbilityError(f"blend {trace.sites[0]}", "it paints nothing itself", "Take the site of the votes")
        here, there = self.ends(trace)
        return VotesBlend.create(trace, here, there, within)

    def behind(self, trace: Trace, mask: Mask) -> Ints:
        """Those whose own place is in the region; after refinement, all."""
        refined = trace.picture.settings["refine"]
        return np.arange(len(trace)) if refined else super().behind(trace, mask)

    def reach(self, trace: Trace) -> str:
        """None: votes are for one pixel."""
        return "0 px: a retrieval is one pixel's"

    def oracle(self, trace: Trace, queries: Ints) -> Matches:
        """Exact search at the level of the trace's site; the levels above are taken as they were made."""
        entry, cost = self.side(trace).oracle(torch.from_numpy(queries))
        return Matches.hard(entry[:, 0], -cost[:, 0] / 2)

    def similarity_of(self, trace: Trace, places: Ints, entries: Ints) -> Tensor:
        """See `System`."""
        cost = self.side(trace).cost
        inside = torch.from_numpy((entries >= 0) & (entries < cost.size_there[0] * cost.size_there[1]))
        known = torch.from_numpy(np.where(inside, entries, 0))
        return torch.where(inside, -cost.exact(torch.from_numpy(places), known) / 2, -torch.inf).float()

    def best_by_source(self, trace: Trace, places: Ints) -> Tensor:
        """See `System`; there is one source."""
        return self.oracle(trace, places).winner_similarity[:, None]

    def side(self, trace: Trace) -> Side:
        """One direction at one level, made again.

        Example:
            >>> system = ImageAnalogy(np.zeros((32, 40, 3), np.uint8))
            >>> trace = system.traced(np.full((32, 32, 3), 99, np.uint8), iterations=1)
            >>> system.side(trace.site("ab.conv1_1")).cost.size_there
            (32, 40)
        """
        way, layer = trace.sites[0].split(".")
        known = _analogies.get(self)
        key = f"{trace.picture.sha256('input')} {sorted(trace.picture.settings.items())}"
        if known is None or known[0] != key:
            stored = trace.picture.settings
            made = self(trace.picture.canvases["input"], **stored)
            known = _analogies[self] = (key, made)
        direction: Direction = "ab" if way == "ab" else "ba"
        return known[1].level(layer).sides[direction]
