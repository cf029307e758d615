"""MUNIT as a system: pictures of one domain in styles of the other; recorded, made again, asked."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from ktviz.errors import SettingError, TraceError
from ktviz.images import ImageLike, Pixels, as_pixels, to_pixels
from ktviz.library.banks import Banks, of_kind
from ktviz.library.kinds.codes.union import CodeUnion
from ktviz.library.library import Library
from ktviz.memory import as_bytes
from ktviz.networks.running import check_defaults, without_autocast
from ktviz.regions import Box, Mask
from ktviz.systems.cells import around
from ktviz.systems.munit.asking import FORGOTTEN, GIVEN, STATED, Asked, asked, check_code, meant
from ktviz.systems.munit.bench import prepared
from ktviz.systems.munit.coder import Coder
from ktviz.systems.munit.direction import CELL_PX, Direction
from ktviz.systems.munit.domain import check_domain
from ktviz.systems.munit.exemplar import brought
from ktviz.systems.munit.path import StylePath
from ktviz.systems.munit.result import Translation
from ktviz.systems.munit.run import Run
from ktviz.systems.munit.settings import Settings, code_of, only_stated
from ktviz.systems.munit.shape import Shape
from ktviz.systems.munit.sites import NAME, CellSite, LikenessSite, StyleSite
from ktviz.systems.munit.style import Style
from ktviz.systems.munit.style_blend import StyleBlend
from ktviz.systems.munit.style_space import StyleSpace
from ktviz.systems.munit.styles import Bank, check_bank, of_draw, of_picture
from ktviz.systems.munit.trained import KEYS, Networks
from ktviz.systems.munit.ways import arc, straight
from ktviz.systems.opening import banks_of, named_banks, stated_digest, stated_settings
from ktviz.systems.plain import PlainSystem
from ktviz.systems.protocol import Blend, Exclude, Ints
from ktviz.trace.pictures import REFERENCE
from ktviz.trace.record import MEMORY, record
from ktviz.trace.trace import Trace
from ktviz.values import one_of, whole

TARGET = "target domain"
"""What digests call the domain of what is made."""
BYTES_PER_PX = 12
"""What a recording takes per pixel of what goes in, at most: the picture, the output, and an exemplar."""


class Munit(nn.Module, PlainSystem):
    """The system "munit": pictures of one domain in styles of the other (Huang et al. 2018).

    Args:
        banks: Of codes of whole pictures of the domain `to`, made with its style encoder (`coder`); or None.
        networks: Of both domains; the shipped ones if None.
        to: The domain of what is made; the second one if None.

    Raises:
        LibraryError: The banks hold no codes.
        MismatchError: They are of objects, or were made with another encoder.
        SettingError: There is no such domain.
        MissingWeightsError: No networks are given, and none come with this version.

    Example:
        >>> from ktviz.systems.munit.shape import Shape
        >>> _ = torch.manual_seed(0)
        >>> system = Munit(networks=Networks(Shape(width=4, blocks=1, hidden=8), ("drawings", "photographs")))
        >>> system(np.full((24, 32, 3), 200, np.uint8), seed=3)
        Translation(32x24 px to photographs, style drawn, seed 3)
        >>> drawing, styles = np.full((24, 32, 3), 200, np.uint8), ([0.0] * 8, [1.0] * 8)
        >>> trace = system.traced(drawing, seed=3)
        >>> run = system.again(trace, system.run_of(trace), (), {"seed": 4})
        >>> system.made(run)
        Translation(32x24 px to photographs, style drawn, seed 4)
        >>> len(system.recorded(run)), bool((system.style_of(run).code == system.code(styles[0])).all())
        (0, False)
        >>> system.begun(drawing, None, (), {"seed": 2}).settings == system.asked(None, (), {"seed": 2})[0]
        True
        >>> len(system.path(drawing, *styles, steps=3)), system.space(trace).used.shape
        (3, (8,))
    """

    name = NAME
    abilities = frozenset({"rerun", "exclude", "blend", "space", "bench"})
    settings_type = Settings
    bank_kind = "codes"
    baseline = "the mean style of the bank, or without one a style of zeros; of a drawn style, that style"
    cell_px = CELL_PX

    def __init__(
        self, banks: Banks[Any] | None = None, networks: Networks | None = None, to: str | None = None
    ) -> None:
        super().__init__()
        networks = Networks.shipped() if networks is None else networks
        to = networks.domains[1] if to is None else one_of("to", to, networks.domains)
        self.direction = Direction(networks, to)
        self.banks: CodeUnion | None = None if banks is None else of_kind(banks, CodeUnion, "take styles from")
        self.bank: Bank | None = None
        self.style, self.cells = StyleSite(), CellSite()
        if self.banks is not None:
            check_bank(self.banks, self.coder)
            self.bank = Bank(self.banks, self.direction)
            self.likeness = LikenessSite()
        self.networks = networks.eval().requires_grad_(False)

    def __repr__(self) -> str:
        return f"Munit(to {self.target}, {'no bank' if self.banks is None else repr(self.banks)})"

    @classmethod
    def from_checkpoint(
        cls,
        path: str | os.PathLike[str],
        configuration: Shape | str = "edges2shoes",
        domains: Sequence[str] = KEYS,
        *,
        banks: Banks[Any] | None = None,
        to: str | None = None,
    ) -> Munit:
        """With networks of the authors' code.

        Args:
            path: A file `gen_01000000.pt`.
            configuration: Sizes that it was trained with; or the name of one of the published experiments.
            domains: What its domains a and b are called.
            banks: As in the class.
            to: As in the class.

        Raises:
            WeightsError: The file cannot be used; the first tensor that differs is named.
            SettingError: No configuration, or no such domain.
            LibraryError, MismatchError: As in the class.

        Example:
            >>> Munit.from_checkpoint("edges2shoes.pt", domains=("edges", "shoes"))  # doctest: +SKIP
            Munit(to shoes, no bank)
        """
        return cls(banks, Networks.from_checkpoint(path, configuration, domains), to)

    @classmethod
    def opened(cls, trace: Trace, library: Library | None, like: Munit | None = None, /) -> Munit:
        """The system of a trace, on the banks that it names; see `systems.registry`.

        Raises:
            TraceError: It does not state the domain of what was made.
            MismatchError: Its styles were in a library, and none was given, or they are not there.
        """
        networks, to = None if like is None else like.networks, stated_digest(trace, TARGET)
        names = named_banks(trace)
        return cls(banks_of("the picture again", names, library) if names else None, networks, to)

    prepared = classmethod(prepared)
    only_stated = staticmethod(only_stated)

    @property
    def target(self) -> str:
        """The domain of what is made."""
        return self.direction.to

    @classmethod
    def bank_coder(cls) -> Coder:
        """What makes banks of styles for this system as it is shipped."""
        return cls().coder

    @property
    def coder(self) -> Coder:
        """What banks of styles for this system are made with."""
        return Coder(self.direction)

    def __call__(self, picture: ImageLike, *, exemplar: Any = None, without: Any = (), **settings: Any) -> Translation:
        """Make a picture in a style of the other domain.

        Args:
            picture: The path of a file, (H, W, 3) uint8, or anything else that `as_pixels` takes; it keeps its size.
            exemplar: A picture of the domain `to` whose style is taken; with a bank, a string is the name of a source.
            without: What is not to be used: names of sources or banks, and parts of pictures, each a `SourceRegion`, or
                of an exemplar a `Box`: cells that they touch are left out of the mean.
            **settings: As in `Settings`: `code`, `nearest`, `mix`, `seed`.

        Raises:
            ImageError: No image; or one that is clearly of the other domain (`ktviz.systems.munit.domain`).
            SettingError, UnknownSettingError: A setting that does not exist, or a value outside its range.
            UnknownNameError: A source that is not there, or nothing would be left.
            RegionError: A part that is not wholly inside.
        """
        return self.made(self.begun(picture, exemplar, without, settings))

    def begun(self, picture: ImageLike, exemplar: Any, without: Any, settings: Mapping[str, Any]) -> Run:
        """The run that a call asks for, of pictures that the networks know."""
        run = Run(as_pixels(picture), *self.asked(exemplar, without, settings))
        check_domain(self.networks, self.networks.other(self.target), run.picture)
        if run.exemplar is not None:
            check_domain(self.networks, self.target, run.exemplar.pixels)
        return run

    def asked(self, exemplar: Any, without: Any, settings: Mapping[str, Any]) -> Asked:
        """What a call asks for, checked; see `ktviz.systems.munit.asking`."""
        return asked(self.direction, self.bank, exemplar, without, settings)

    @without_autocast
    def made(self, run: Run) -> Translation:
        """What a call comes down to."""
        result: Translation = super().__call__(run)
        return result

    @torch.inference_mode(False)
    @torch.no_grad()
    def forward(self, run: Run) -> Translation:
        """The run that a recorder listens to."""
        check_defaults()
        style = self.style_of(run)
        if style.parts:
            style = self.cells(self.style(style, run.size), run.size)
        elif style.candidates is not None:
            style = self.likeness(style, run.size)
        made = self.direction.paint(self.direction.content(run.picture), style.code, run.size)
        return Translation(to_pixels(made), style, run, self.target)

    def style_of(self, run: Run) -> Style:
        """The style of a run."""
        if run.exemplar is not None:
            return of_picture(run.exemplar, self.direction, run.without)
        if run.settings.mode == "random" or self.bank is None:
            return of_draw(run.settings.seed, self.direction, self.bank, run.without)
        if run.settings.code is not None:
            return self.bank.nearest(run.settings, run.without)
        return self.bank.named(run.names, run.settings, run.without)

    def traced(self, picture: ImageLike, *, exemplar: Any = None, without: Any = (), **settings: Any) -> Trace:
        """Make a picture and return its `Trace`; arguments as in a call."""
        return self.recorded(self.begun(picture, exemplar, without, settings))

    def recorded(self, run: Run) -> Trace:
        """The trace of a run."""
        area = sum(pixels[..., 0].size for pixels in run.pictures().values())
        memory = max(as_bytes(MEMORY), BYTES_PER_PX * area)
        with record(self, memory=memory, all_threads=False) as trace:
            self.made(run)
        return trace

    def path(self, picture: ImageLike, one: Any, other: Any, steps: int = 7, *, line: bool = False) -> StylePath:
        """Pictures along the way between two styles: a sequence, which can be plotted.

        Args:
            picture: As in a call.
            one: The first style, as in `code`, and
            other: the last.
            steps: Pictures, both ends among them.
            line: Whether the way is straight; otherwise an arc, as in the published code.

        Raises:
            SettingError: Fewer than two steps, or no code of these networks.
            ImageError, UnknownNameError: As in a call.
        """
        if whole("steps", steps) < 2:
            raise SettingError(f"steps {steps}", "fewer than both ends", "Give 2 or more")
        pixels, ends = as_pixels(picture), (self.code(one), self.code(other))
        check_domain(self.networks, self.networks.other(self.target), pixels)
        content, size = self.direction.content(pixels), (pixels.shape[0], pixels.shape[1])
        parts = torch.linspace(0, 1, steps)
        way = (straight if line else arc)(*ends, parts)
        made = tuple(to_pixels(self.direction.paint(content, code, size)) for code in way)
        return StylePath(pixels, (called(one), called(other)), parts.numpy(), way.numpy(), line, made)

    def code(self, style: Any) -> Tensor:
        """A style in numbers: (codes,) float32.

        Args:
            style: The name of a source of the bank; a picture of the domain `target`; or numbers.

        Raises:
            SettingError: Not as many numbers as styles have, or too large ones.
            ImageError: No image, or clearly of the other domain.
            UnknownNameError: There is no such source.
        """
        if isinstance(style, str) and self.banks is not None:
            number = self.banks.source_numbers[self.banks.find_source(style)]
            return torch.from_numpy(self.banks.codes[number]).float()
        if isinstance(style, (list, tuple)) or getattr(style, "ndim", None) == 1:
            code = code_of(style)
            check_code(code, self.direction)
            return torch.tensor(code)
        pixels = as_pixels(style)
        check_domain(self.networks, self.target, pixels)
        return self.direction.code(pixels)

    def digests(self) -> dict[str, str]:
        """Of the networks, which direction they go, and of the banks."""
        banks = {} if self.banks is None else self.banks.digests()
        return {**self.networks.digests(), TARGET: self.target, **banks}

    def pictures(self, inputs: tuple[Any, ...], output: Translation) -> dict[str, Pixels]:
        """The picture, an exemplar that came with the run, and the output."""
        return {**output.run.pictures(), "output": output.output}

    def settings_of(self, inputs: tuple[Any, ...], output: Translation) -> dict[str, Any]:
        """How a run was made."""
        return output.run.described()

    def measures_of(self, inputs: tuple[Any, ...], output: Translation) -> dict[str, Any]:
        """How the style adapts the decoder: see `Direction.adapted`."""
        return {"style": self.direction.adapted(output.style.code)}

    def run_of(self, trace: Trace) -> Run:
        """The run that a trace is of.

        Raises:
            TraceError: The trace was saved without its picture, or without its exemplar, or lacks a setting.
        """
        stored = stated_settings(trace, STATED)
        picture, exemplar, without = trace.picture.canvases.get("input"), stored.pop("exemplar"), stored.pop("without")
        del stored["mode"]
        if picture is None:
            raise TraceError("a question to the model", "the trace was saved without its picture", "Pass photo=")
        return Run(picture, *self.asked(brought(trace) if exemplar == REFERENCE else exemplar, without, stored))

    def again(self, trace: Trace, run: Run, without: Sequence[Any], settings: Mapping[str, Any]) -> Run:
        """A run without some more and with other settings; where another style is named, the former is forgotten."""
        stored = run.settings.described()
        if run.exemplar is not None:
            stored["exemplar"] = run.exemplar
        if any(way in settings for way in GIVEN):
            stored = {name: value for name, value in stored.items() if name not in FORGOTTEN}
        parts = meant(without, run, trace.sites, partial(self.style_of, run))
        chosen = {"exemplar": None, **stored, **settings}
        return Run(run.picture, *self.asked(chosen.pop("exemplar"), [*run.without.described(), *parts], chosen))

    def rerun(self, trace: Trace, *, without: Sequence[Any] = (), **settings: Any) -> Trace:
        """The same picture again; see `System`."""
        return self.recorded(self.again(trace, self.run_of(trace), without, settings))

    def exclude(self, trace: Trace, within: Box) -> Exclude:
        """A part of the picture, without working out its content again; see `System`."""
        run = self.run_of(trace)
        content = self.direction.content(run.picture)

        def part(without: Sequence[Any] = (), /, **settings: Any) -> Pixels:
            code = self.style_of(self.again(trace, run, without, settings)).code
            return to_pixels(self.direction.paint(content, code, run.size))[within.pixels]

        return part

    def instead(self, trace: Trace, settings: Mapping[str, Any]) -> str:
        """Other sources, or other cells."""
        return self.run_of(trace).instead

    def searched(self, trace: Trace) -> list[str]:
        """The exemplar; the sources that were named; or all of the bank."""
        run = self.run_of(trace)
        if run.exemplar is not None:
            return [run.exemplar.name]
        known = run.names or ([] if self.banks is None else self.banks.source_names)
        return [name for name in known if name not in run.without.pictures]

    def blend(self, trace: Trace, within: Box) -> Blend:
        """The style against the mean of the bank, or a draw, which no retrieval gave, as it is; see `System`."""
        run = self.run_of(trace)
        code = self.style_of(run).code
        base = torch.zeros_like(code) if self.bank is None else self.bank.mean
        content = self.direction.content(run.picture)
        count = 0 if trace.caveat else len(trace)
        return StyleBlend(self.direction, content, run.size, base, code, count, within)

    def behind(self, trace: Trace, mask: Mask) -> Ints:
        """All: a style acts everywhere."""
        return np.arange(len(trace))

    def reach(self, trace: Trace) -> str:
        """Everywhere."""
        return "all of the picture: a style acts everywhere"

    def space(self, trace: Trace) -> StyleSpace:
        """Every style; see `System`."""
        run = self.run_of(trace)
        return StyleSpace(self.direction, self.bank, run, self.style_of(run))

    def encode(self, pixels: Pixels) -> Tensor:
        """What the style encoder sees: (C, h, w)."""
        return self.direction.features(pixels)

    def patches(self, trace: Trace, places: Sequence[int]) -> list[tuple[Pixels, Pixels]]:
        """The picture, and cells of exemplars with what is around them; see `System`."""
        found = []
        for name, box in zip(trace.column("source")[places], trace.column("source_box")[places], strict=True):
            there = self.source_picture(trace, str(name))
            assert there is not None
            found.append((trace.picture.canvases["input"], around(there, box)))
        return found

    def source_picture(self, trace: Trace, source: str) -> Pixels | None:
        """A picture of the bank, or the exemplar that came with the run."""
        if self.banks is not None and source in self.banks.source_numbers:
            found: Pixels = self.banks.picture(self.banks.source_numbers[source])
            return found
        return trace.picture.canvases.get(REFERENCE)


def called(style: object) -> str:
    """What a style is called."""
    if isinstance(style, (str, os.PathLike)):
        return os.fspath(style)
    return "a picture" if np.ndim(style) > 1 else "a code"  # type: ignore[arg-type]
