"""CoCosNet as a system: pictures painted after a label map in the look of an exemplar; recorded, made again, asked."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict, fields, replace
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from ktviz.errors import AbilityError, TraceError
from ktviz.images import ImageLike, Pixels, to_pixels
from ktviz.labels import Classes, as_labels, coloured
from ktviz.labels.maps import Map
from ktviz.library.banks import Banks, of_kind
from ktviz.library.format import is_bank_name
from ktviz.library.kinds.pictures.union import PictureUnion
from ktviz.library.library import Library
from ktviz.memory import as_bytes
from ktviz.networks.running import check_defaults, without_autocast
from ktviz.regions import Box, Mask
from ktviz.retrieval.catalogue import LIBRARY_SOURCE
from ktviz.retrieval.matches import Matches
from ktviz.systems.cells import around
from ktviz.systems.choice import Pictures
from ktviz.systems.cocosnet.bench import prepared
from ktviz.systems.cocosnet.choice import Ranking
from ktviz.systems.cocosnet.configuration import Configuration
from ktviz.systems.cocosnet.exemplar import Exemplar, given, labels_digest, of_bank, same_classes
from ktviz.systems.cocosnet.knowledge import Exemplars, One, Several
from ktviz.systems.cocosnet.live import Live
from ktviz.systems.cocosnet.networks import Networks
from ktviz.systems.cocosnet.passage import Passage, features_of
from ktviz.systems.cocosnet.result import Synthesis
from ktviz.systems.cocosnet.rounding import Case
from ktviz.systems.cocosnet.settings import Settings
from ktviz.systems.cocosnet.sites import NAME, REFERENCE_LABELS, WARPED, CorrespondenceSite, ExemplarSite
from ktviz.systems.left_out import LeftOut
from ktviz.systems.opening import bank_of, banks_of, named_source, stated_settings
from ktviz.systems.parts import is_number
from ktviz.systems.plain import PlainSystem
from ktviz.systems.protocol import Blend, Exclude, Floats, Ints
from ktviz.trace.pictures import REFERENCE
from ktviz.trace.record import MEMORY, record
from ktviz.trace.trace import Trace

STATED = (*(setting.name for setting in fields(Settings)), "without")
"""What a trace states of a run."""
BYTES_PER_PX = 300
"""What a recording takes per pixel of both pictures, at most: eight candidates a cell, and five pictures."""
MIXES, CHOOSES = "correspondence", "exemplar"
"""The sites."""

_asked: WeakKeyDictionary[CoCosNet, tuple[str, Live]] = WeakKeyDictionary()
"""What each system worked out for the trace that it was asked about last: questions come in series."""


class CoCosNet(nn.Module, PlainSystem):
    """The system "cocosnet": label maps become pictures in the look of an exemplar (Zhang et al. 2020).

    Args:
        exemplar: The path of a file, (H, W, 3) uint8, or anything else that `as_pixels` takes; it keeps its size.
            `from_bank` gives exemplars of banks.
        labels: Its label map, as in `as_labels`.
        networks: Both; the shipped ones if None. They go into evaluation mode and need no gradient from then on.
        source: What you say of the exemplar, by name: `source`, what it is called ("reference", or as its file, if
            not said); `title`, `creator`, `year`, `licence`, `url`; `sha256` of its file. Nothing can prove it, and
            audits show it as stated.
        banks: Of pictures, that hold it; see `from_bank`.

    Raises:
        ImageError: The exemplar cannot be used.
        SettingError: Something else is said of it.
        LabelError: Its label map cannot, or is missing; or the networks are not for label maps.
        MissingWeightsError: No networks are given, and none come with this version.

    Example:
        >>> import numpy as np
        >>> from ktviz.labels import Classes
        >>> from ktviz.systems.cocosnet.configuration import small
        >>> random = np.random.default_rng(0)
        >>> exemplar, labels = random.integers(0, 256, (48, 64, 3), np.uint8), np.eye(48, 64, dtype=int)
        >>> system = CoCosNet(exemplar, labels, Networks(small(Classes.numbered(2))))
        >>> system(labels.T).output.shape
        (64, 48, 3)
        >>> trace = system.traced(labels.T)
        >>> system.fed(trace).shape, system.labels_of(trace).shape, system.exemplar_of(trace).name
        ((12, 16), (64, 48), 'reference')
        >>> system.part(trace, 7).box, system.asked(trace, [7], {"temperature": 0.1})[0]
        (Box(x=28.0, y=0.0, width=4.0, height=4.0), Settings(temperature=0.1, exemplar=None, top=8))
        >>> system.painting(trace) is system.live(trace)
        True
    """

    name = NAME
    abilities = frozenset({"rerun", "exclude", "blend", "oracle", "reuse", "bench"})
    settings_type = Settings
    bank_kind = "pictures"
    takes = ("labels",)
    baseline = "the exemplar's mean colour"
    cell_px = 4

    def __init__(
        self,
        exemplar: ImageLike | One | Several,
        labels: Any = None,
        networks: Networks | None = None,
        source: Mapping[str, str] | None = None,
        banks: PictureUnion | None = None,
    ) -> None:
        super().__init__()
        networks = Networks.shipped() if networks is None else networks
        self.classes: Classes = same_classes(networks.configuration.classes)
        self.banks = banks
        self.exemplars: Exemplars
        if isinstance(exemplar, (One, Several)):
            self.exemplars = exemplar
        else:
            self.exemplars = One(given(exemplar, labels, networks.configuration, source))
        if isinstance(exemplar, Several):
            self.exemplar = ExemplarSite()
        self.correspondence = CorrespondenceSite()
        self.networks = networks.eval().requires_grad_(False)

    @classmethod
    def from_bank(cls, banks: Banks[Any], exemplar: str | None = None, networks: Networks | None = None) -> CoCosNet:
        """With exemplars out of banks of pictures, and what they know of them.

        Args:
            banks: `library["scenes/street"]`, or several.
            exemplar: Its name there, or the end of it; None chooses the most similar one for every label map (see
                `ktviz.systems.cocosnet.choice`).
            networks: As in the class.

        Raises:
            LibraryError: The banks are of another kind.
            UnknownNameError: No picture has that name, or several.
            LabelError: As in the class.

        Example:
            >>> CoCosNet.from_bank(samples.bank("scenes/rooms", quiet=True), "room-3-0038")
            CoCosNet(scenes/rooms/room-3-0038.jpg, 256x256 px)
        """
        pictures = of_kind(banks, PictureUnion, "take an exemplar from")
        networks = Networks.shipped() if networks is None else networks
        if exemplar is None:
            several = Several(pictures, Ranking(networks, Pictures(pictures)), networks.configuration)
            return cls(several, networks=networks, banks=pictures)
        known = of_bank(pictures, pictures.choose(exemplar), networks.configuration, alone=True)
        return cls(One(known), networks=networks, banks=pictures)

    @classmethod
    def from_checkpoint(
        cls,
        path: str | os.PathLike[str],
        configuration: Configuration | str,
        exemplar: ImageLike,
        labels: Any = None,
        *,
        generator: str | os.PathLike[str] | None = None,
    ) -> CoCosNet:
        """With networks of the authors' code; `from_bank(banks, networks=Networks.from_checkpoint(...))` takes banks.

        Args:
            path: The folder of a training, or the file of its correspondence network; see `Networks.from_checkpoint`.
            configuration: What it was trained with; or the name of one of the published tasks, "ade20k".
            exemplar: As in the class.
            labels: As in the class.
            generator: The generator's file, where `path` is a file.

        Raises:
            SettingError: No configuration.
            WeightsError: A file cannot be used; the first tensor that differs is named.
            ImageError, LabelError: As in the class.

        Example:
            >>> CoCosNet.from_checkpoint("checkpoints/ade20k", "ade20k", "lane.jpg", "lane.png")  # doctest: +SKIP
            CoCosNet(lane.jpg, 512x384 px)
        """
        return cls(exemplar, labels, Networks.from_checkpoint(path, configuration, generator))

    @classmethod
    def opened(cls, trace: Trace, library: Library | None, like: CoCosNet | None = None, /) -> CoCosNet:
        """The system of a trace, with the exemplars of the library that it names, or else its own; see
        `systems.registry`.

        Raises:
            MismatchError: The exemplar was in a library, and none was given, or it is not there.
            TraceError: It was in none, and the trace was saved without it, or does not say what it is.
        """
        networks = None if like is None else like.networks
        source = named_source(trace, lambda source: True)
        if not is_bank_name(source["bank"]):
            exemplar, labels = (trace.picture.canvases.get(name) for name in (REFERENCE, REFERENCE_LABELS))
            if exemplar is None:
                raise TraceError("paint again", "the trace was saved without its exemplar", "Save its pictures")
            return cls(exemplar, labels, networks, source)
        if LIBRARY_SOURCE + str(source["source"]) in trace.about["digests"]:
            return cls.from_bank(bank_of(source, library), source["source"], networks)
        return cls.from_bank(banks_of("paint again", trace.about["banks"], library), None, networks)

    prepared = classmethod(prepared)

    def train(self, mode: bool = True) -> CoCosNet:
        """Networks stay in evaluation mode: in training, each run would change them (spectral norm)."""
        return super().train(False)

    def __repr__(self) -> str:
        return f"CoCosNet({self.exemplars})"

    def __call__(self, labels: Any, *, without: object = (), **settings: Any) -> Synthesis:
        """Paint a label map.

        Args:
            labels: As in `as_labels`: (H, W) whole numbers, colours of classes, or a file of either.
            without: Parts of the exemplar that are not to be used, each a `SourceRegion`, a `Box`, or the number of a
                cell; of banks, also names of pictures that are no exemplars. Cells are left out before the softmax;
                the descriptors of those around them have seen them.
            **settings: As in `Settings`.

        Raises:
            LabelError: No label map, or one of other classes.
            SettingError, UnknownSettingError: A setting that does not exist, or a value outside its range.
            UnknownNameError, RegionError: Not a part of the exemplar, or nothing would be left.
        """
        chosen = Settings(**settings)
        if chosen.temperature is None:
            chosen = replace(chosen, temperature=self.networks.configuration.temperature)
        chosen, gone = self.exemplars.settled(chosen, without)
        found: Synthesis = super().__call__(as_labels(labels, self.classes), chosen, gone)
        return found

    @torch.inference_mode(False)
    @torch.no_grad()
    @without_autocast
    def forward(self, labels: Map, settings: Settings, gone: LeftOut, known: Passage | None = None) -> Synthesis:
        """What a call comes down to, with checked arguments: the run that a recorder listens to.

        Args:
            labels: (H, W) of the target.
            settings: How.
            gone: What is left out.
            known: A passage of the same label map whose exemplar may be the one that is needed.
        """
        check_defaults()
        choice = self.exemplars.ranked(labels, settings, gone)
        if choice is not None:
            choice = self.exemplar(choice, labels.shape)
        exemplar = self.exemplars.taken(settings, choice)
        if known is None or known.exemplar.name != exemplar.name:
            known = Passage(self.networks, labels, exemplar)
        assert settings.temperature is not None
        mixture = known.mixture(settings.temperature, settings.top, gone.forbidden(exemplar, self.cell_px))
        mixture = self.correspondence(mixture, known)
        height, width = labels.shape
        warped = to_pixels((known.warped(mixture.cells)[:, :, :height, :width] + 1) / 2)
        output = to_pixels(known.painted(mixture.cells))
        stated = {**asdict(settings), "without": gone.described()}
        return Synthesis(labels, self.classes, exemplar, warped, output, mixture, choice, stated)

    def traced(self, labels: Any, *, without: object = (), **settings: Any) -> Trace:
        """Paint a label map and return its `Trace`; keywords as in a call."""
        numbers = as_labels(labels, self.classes)
        memory = max(as_bytes(MEMORY), BYTES_PER_PX * numbers.size)
        with record(self, memory=memory, all_threads=False) as trace:
            self(numbers, without=without, **settings)
        return trace

    def digests(self) -> dict[str, str]:
        """Of the networks, and of the exemplar, or of the banks out of which it is chosen."""
        return {**self.networks.digests(), **self.exemplars.digests()}

    def pictures(self, inputs: tuple[Any, ...], output: Synthesis) -> dict[str, Pixels]:
        """Label map, exemplar, its label map, the output, and the warped exemplar."""
        known = output.exemplar
        seen = {"input": output.coloured, REFERENCE: known.pixels}
        if known.labels is not None:
            seen[REFERENCE_LABELS] = coloured(known.labels, self.classes)
        return {**seen, "output": output.output, WARPED: output.warped}

    def settings_of(self, inputs: tuple[Any, ...], output: Synthesis) -> dict[str, Any]:
        """How a run was made."""
        return dict(output.settings)

    def measures_of(self, inputs: tuple[Any, ...], output: Synthesis) -> dict[str, Any]:
        """Of the mixture: see `Synthesis.measures`."""
        return {MIXES: output.measures()}

    def exemplar_of(self, trace: Trace) -> Exemplar:
        """The exemplar of a run."""
        chosen = trace if len(trace.sites) == 1 else trace.site(MIXES)
        return self.exemplars.named(str(chosen.column("source")[0]))

    def live(self, trace: Trace) -> Live:
        """The run of a trace, worked out again; the latest is kept."""
        settings = trace.picture.settings
        key = " ".join((labels_digest(self.labels_of(trace)), str(sorted(settings.items())), *self.digests().values()))
        known = _asked.get(self)
        if known is None or known[0] != key:
            passage = Passage(self.networks, self.labels_of(trace), self.exemplar_of(trace))
            forbidden = LeftOut.read(settings["without"]).forbidden(passage.exemplar, self.cell_px)
            mixture = passage.mixture(settings["temperature"], settings["top"], forbidden)
            known = _asked[self] = (key, Live(passage, mixture, forbidden))
        return known[1]

    def labels_of(self, trace: Trace) -> Map:
        """The label map of a run: (H, W).

        Raises:
            TraceError: The trace was saved without it.
        """
        pixels = trace.picture.canvases.get("input")
        if pixels is None:
            raise TraceError("a question to the model", "the trace was saved without its label map", "Pass photo=")
        return as_labels(pixels, self.classes)

    def asked(self, trace: Trace, without: Sequence[Any], settings: Mapping[str, Any]) -> tuple[Settings, LeftOut]:
        """How a run is to be made again: as it was, without some more, with other settings."""
        stored = stated_settings(trace, STATED)
        parts = [*stored.pop("without"), *(self.part(trace, one) for one in without)]
        return self.exemplars.settled(Settings(**{**stored, **settings}), parts)

    def part(self, trace: Trace, part: object) -> object:
        """What a part of a run's knowledge is: numbers of entries are those of the trace's site, and boxes, too, lie in
        its exemplar."""
        if is_number(part) and trace.sites == [CHOOSES]:
            return self.exemplars.numbered(int(part))
        if is_number(part):
            return self.exemplar_of(trace).entry(int(part))
        return self.exemplar_of(trace).region(part) if isinstance(part, Box) else part

    def rerun(self, trace: Trace, *, without: Sequence[Any] = (), **settings: Any) -> Trace:
        """The same picture again; see `System`."""
        chosen, gone = self.asked(trace, without, settings)
        return self.traced(self.labels_of(trace), without=gone.described(), **asdict(chosen))

    def exclude(self, trace: Trace, within: Box) -> Exclude:
        """A part of the picture, without working out again what stays; see `System`."""
        labels, passage = self.labels_of(trace), self.live(trace).passage

        def part(without: Sequence[Any] = (), /, **settings: Any) -> Pixels:
            chosen, gone = self.asked(trace, without, settings)
            return self.forward(labels, chosen, gone, passage).output[within.pixels]

        return part

    def instead(self, trace: Trace, settings: Mapping[str, Any]) -> str:
        """Other cells, or another exemplar."""
        return self.exemplars.instead

    def check_rounded(self, name: str, trace: Trace, again: Trace) -> npt.NDArray[np.bool_]:
        """See `System`, and `ktviz.systems.cocosnet.rounding`."""
        return Case(name, trace, again, self.painting(trace), float(trace.picture.settings["temperature"])).check()

    def searched(self, trace: Trace) -> list[str]:
        """The exemplar; or the pictures out of which it was chosen."""
        stored = dict(trace.picture.settings)
        gone = LeftOut.read(stored.pop("without"))
        return self.exemplars.left(Settings(**stored), gone)

    def blend(self, trace: Trace, within: Box) -> Blend:
        """The warp against the exemplar's mean colour; see `System`."""
        return self.painting(trace).blend(within)

    def painting(self, trace: Trace) -> Live:
        """The run of a trace of the site that paints.

        Raises:
            AbilityError: The trace is of another site.
        """
        if trace.sites != [MIXES]:
            raise AbilityError(f"blend {trace.sites[0]}", "it paints nothing itself", f"Take trace.site({MIXES!r})")
        return self.live(trace)

    def behind(self, trace: Trace, mask: Mask) -> Ints:
        """All: the generator looks at the picture as a whole."""
        return np.arange(len(trace))

    def footprint(self, trace: Trace, mask: Mask) -> Floats:
        """Overlap carried through the generator, by the measured energy of its derivative; see `energy`."""
        found = self.painting(trace).energy.of(mask)
        return found if found.any() else trace.overlap(mask)

    def reach(self, trace: Trace) -> str:
        """Measured around the middle of the picture."""
        return f"the whole picture; {self.live(trace).energy.reach}" if trace.sites == [MIXES] else "the whole picture"

    def encode(self, pixels: Pixels) -> Tensor:
        """Features in the domain that label maps and pictures have in common: (C, h, w)."""
        return features_of(self.networks, pixels)[0]

    def oracle(self, trace: Trace, queries: Ints) -> Matches:
        """The exact best cells of the exemplar; what was taken is among them."""
        return self.live(trace).best(queries)

    def similarity_of(self, trace: Trace, places: Ints, entries: Ints) -> Tensor:
        """See `System`."""
        return self.live(trace).similarity(places, entries)

    def best_by_source(self, trace: Trace, places: Ints) -> Tensor:
        """See `System`; of pictures that were not the exemplar no cell could be taken."""
        live = self.live(trace)
        names = [source["source"] for source in trace.about["sources"]]
        found = torch.full((len(places), len(names)), -torch.inf)
        found[:, names.index(live.passage.exemplar.name)] = live.best(places).winner_similarity
        return found

    def fed(self, trace: Trace) -> Floats:
        """Sums of the columns of the softmax; see `System`."""
        return self.painting(trace).fed

    def patches(self, trace: Trace, places: Sequence[int]) -> list[tuple[Pixels, Pixels]]:
        """Crops around both ends of retrievals: of the label map and of the exemplar; see `System`."""
        here = coloured(self.labels_of(trace), self.classes)
        boxes, sources, names = (trace.column(name)[list(places)] for name in ("box", "source_box", "source"))
        found = []
        for box, source_box, name in zip(boxes, sources, names, strict=True):
            there = self.source_picture(trace, str(name))
            assert there is not None
            whole = np.isnan(source_box).any()
            found.append((here, there) if whole else (around(here, box), around(there, source_box)))
        return found

    def source_picture(self, trace: Trace, source: str) -> Pixels | None:
        """An exemplar."""
        return self.exemplars.picture(source)
