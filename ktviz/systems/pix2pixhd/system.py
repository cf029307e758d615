"""pix2pixHD as a system: pictures made of label maps, recorded, made again, asked."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import fields, replace
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np
import torch
from torch import Tensor, nn

from ktviz.errors import AbilityError, SettingError, TraceError, UnknownNameError
from ktviz.images import Pixels, to_pixels
from ktviz.labels import Classes, as_instances, as_labels, class_of
from ktviz.labels.maps import Map
from ktviz.library.banks import Banks, of_kind
from ktviz.library.kinds.codes.cutting import SURROUNDINGS, TILE_PX, cut_out
from ktviz.library.kinds.codes.union import CodeUnion
from ktviz.library.library import Library
from ktviz.networks.running import check_defaults, without_autocast
from ktviz.regions import Box, Mask
from ktviz.systems.descents import Descent
from ktviz.systems.opening import banks_of, named_banks, stated_settings
from ktviz.systems.parts import is_number
from ktviz.systems.pix2pixhd.bench import prepared
from ktviz.systems.pix2pixhd.centres import Centres
from ktviz.systems.pix2pixhd.coder import Coder
from ktviz.systems.pix2pixhd.drawing import mosaic, object_picture
from ktviz.systems.pix2pixhd.fitting import check_bank, checked_centres
from ktviz.systems.pix2pixhd.looks import Looks, choose, codes_at
from ktviz.systems.pix2pixhd.objects import File, Vectors
from ktviz.systems.pix2pixhd.published import read_published_centres
from ktviz.systems.pix2pixhd.reference import Reference, photo_given
from ktviz.systems.pix2pixhd.result import Synthesis
from ktviz.systems.pix2pixhd.run import Run
from ktviz.systems.pix2pixhd.settings import OF_REFERENCE, Settings, only_stated
from ktviz.systems.pix2pixhd.shape import Shape
from ktviz.systems.pix2pixhd.sites import NAME, MemberSite, StyleSite
from ktviz.systems.pix2pixhd.style_blend import StyleBlend
from ktviz.systems.pix2pixhd.styles import RunStyles
from ktviz.systems.pix2pixhd.trained import Networks
from ktviz.systems.pix2pixhd.tree import chosen_centres, descents, leaves
from ktviz.systems.plain import PlainSystem
from ktviz.systems.protocol import Blend, Ints, Leaves
from ktviz.trace.pictures import REFERENCE, UNCOVERED
from ktviz.trace.record import record
from ktviz.trace.trace import Trace

STATED = (*(setting.name for setting in fields(Settings)), "reference", "reference_file", "without")
"""What a trace states of a run."""
PublishedCentres = Mapping[int, Vectors] | str | os.PathLike[str]


class Pix2PixHD(nn.Module, PlainSystem):
    """The system "pix2pixhd": label maps become pictures, every object in a look of its class (Wang et al. 2018).

    Args:
        banks: Of codes, made with the encoder of the networks; or None.
        networks: The shipped ones if None.
        centres: Instead of banks, those of a published file: its path (`features_clustered_010.npy`), or by class
            (K, codes). They know no members.

    Raises:
        SettingError: Banks and centres, or centres of other classes or sizes.
        LibraryError, LabelError: The banks hold no codes, or are of other classes.
        MismatchError: The banks were made with another encoder.
        WeightsError: The file of centres cannot be read.

    Example:
        >>> from ktviz.systems.pix2pixhd.shape import Shape
        >>> networks = Networks(Shape(classes=3, codes=3, width=4, downs=2, blocks=1, encoder_width=4, encoder_downs=2))
        >>> system = Pix2PixHD(networks=networks, centres={1: np.array([[0.5, 0.0, -0.5]])})
        >>> system(np.repeat([[0, 1]], 24, axis=0).repeat(16, axis=1))
        Synthesis(32x24 px, 2 objects, drawn, no centres for class 0)
        >>> trace = system.traced(np.repeat([[0, 1]], 24, axis=0).repeat(16, axis=1))
        >>> run = system.run_of(trace)
        >>> system.looks(run).centre, system.made(system.stated(trace))
        (array([-1,  0]), Synthesis(32x24 px, 2 objects, drawn, no centres for class 0))
        >>> system.meant(trace, 0), system.reference_given(None, run.settings), type(system.styles(trace)).__name__
        ([0], None, 'RunStyles')
    """

    name = NAME
    abilities = frozenset({"rerun", "exclude", "blend", "tree", "codes", "bench"})
    settings_type = Settings
    bank_kind = "codes"
    takes = ("labels", "instances")
    baseline = "the class's mean code"

    def __init__(
        self,
        banks: Banks[Any] | None = None,
        networks: Networks | None = None,
        *,
        centres: PublishedCentres | None = None,
    ) -> None:
        super().__init__()
        self.networks = Networks.shipped() if networks is None else networks
        if banks is not None and centres is not None:
            raise SettingError("banks and centres", "both are given", "Give one of them")
        self.banks: CodeUnion | None = None if banks is None else of_kind(banks, CodeUnion, "take looks from")
        if self.banks is not None:
            check_bank(self.banks, Coder(self.networks))
            self.centres = Centres.of_bank(self.banks, self.classes)
        else:
            read = read_published_centres(centres) if isinstance(centres, (str, os.PathLike)) else centres
            self.centres = Centres.of_file(checked_centres({} if read is None else read, self.networks), self.classes)
        self.cell_px = self.networks.feature_px
        self.style = StyleSite(paints=self.banks is None)
        if self.banks is not None:
            self.members = MemberSite()

    def __repr__(self) -> str:
        behind = "no bank" if self.banks is None else repr(self.banks)
        return f"Pix2PixHD({len(self.classes)} classes, {len(self.centres)} centres, {behind})"

    @classmethod
    def from_checkpoint(
        cls,
        path: str | os.PathLike[str],
        configuration: Shape | str,
        *,
        banks: Banks[Any] | None = None,
        centres: PublishedCentres | None = None,
        classes: Classes | None = None,
        encoder: str | os.PathLike[str] | None = None,
    ) -> Pix2PixHD:
        """With networks of the authors' code; see `Networks.from_checkpoint`, and the class for `banks` and `centres`.

        Where centres are given, the encoder's file may be missing: then only photographs cannot be references.

        Raises:
            SettingError: As in `Networks.from_checkpoint` and in the class.
            WeightsError: A file cannot be used; the first tensor that differs is named.

        Example:
            >>> Pix2PixHD.from_checkpoint("label2city_1024p", "label2city_1024p")  # doctest: +SKIP
            Pix2PixHD(35 classes, 0 centres, no bank)
        """
        networks = Networks.from_checkpoint(path, configuration, classes, encoder, encodes=centres is None)
        return cls(banks, networks, centres=centres)

    @classmethod
    def opened(cls, trace: Trace, library: Library | None, like: Pix2PixHD | None = None, /) -> Pix2PixHD:
        """The system of a trace, on the banks that it names; see `systems.registry`.

        Raises:
            MismatchError: Its knowledge was in a library, and none was given, or it is not there; or it was a file's,
                which `like` has not.
        """
        names, networks = named_banks(trace), None if like is None else like.networks
        if not names:
            return cls(networks=networks) if like is None or like.banks is not None else like
        return cls(banks_of("the picture again", names, library), networks)

    prepared = classmethod(prepared)
    only_stated = staticmethod(only_stated)

    @property
    def classes(self) -> Classes:
        """Of label maps."""
        return self.networks.classes

    @property
    def coder(self) -> Coder:
        """What banks of codes for this system are made with."""
        return Coder(self.networks)

    def __call__(
        self, labels: Any, instances: Any = None, *, reference: Any = None, without: Any = (), **settings: Any
    ) -> Synthesis:
        """Make a picture of a label map.

        Args:
            labels: A label map; see `ktviz.labels.as_labels`.
            instances: Its instance map, or None for one object a class; see `ktviz.labels.as_instances`.
            reference: A photograph whose objects' codes are wanted, for "nearest" and "encoded"; otherwise only the
                distances from them are recorded. (photo, labels) or (photo, labels, instances), or the name of a source
                of the bank. An object takes after that of its own number, or else the nearest of its class by place.
            without: What is not to be used: names of sources, numbers of objects of the bank, `SourceRegion`s (objects
                that they touch), or several of them. Centres become the means of what is left.
            **settings: As in `Settings`: `choice`, `seed`, `styles`, `copies`, `again`.

        Raises:
            LabelError: A map that cannot be used, or does not go with the other.
            ImageError: A reference that is no image.
            MismatchError: A reference, and networks without an encoder.
            SettingError, UnknownSettingError: A setting that does not exist, or a value outside its range.
            UnknownNameError: A source, an object or a centre that is not there, or nothing would be left.
        """
        chosen, known = Settings(**settings), as_labels(labels, self.classes)
        ids = as_instances(instances, known, self.classes)
        return self.made(Run.create(ids, chosen, self.reference_given(reference, chosen), self.centres, without))

    @without_autocast
    def made(self, run: Run) -> Synthesis:
        """What a call comes down to."""
        result: Synthesis = super().__call__(run)
        return result

    @torch.no_grad()
    def forward(self, run: Run) -> Synthesis:
        """The run that a recorder listens to."""
        check_defaults()
        looks = self.style(self.looks(run))
        if self.banks is not None:
            looks = self.members(looks)
        return Synthesis(to_pixels(self.networks.paint(run.instances, looks.codes())), looks, run)

    def looks(self, run: Run) -> Looks:
        """What the objects of a run look like."""
        photo = None if run.reference is None else run.reference.photo
        return choose(run.instances, run.centres, run.settings, self.networks.shape.codes, photo)

    def reference_given(self, reference: Any, settings: Settings) -> Reference | None:
        """The reference of a call, if there is one.

        Raises:
            SettingError: There is none, and the choice needs one.
            UnknownNameError: The name of a source without a bank, or one that is not there.
        """
        if reference is None:
            if settings.choice in OF_REFERENCE:
                raise SettingError(f"choice {settings.choice!r}", "no reference", "Give reference=(photo, labels)")
            return None
        if isinstance(reference, str):
            if self.banks is None:
                raise UnknownNameError(f"reference {reference!r}", "there is no bank", "Give (photo, labels)")
            return Reference.of_source(self.banks, reference)
        return Reference.of_photo(self.networks, *photo_given(reference, self.classes))

    def traced(self, labels: Any, instances: Any = None, **settings: Any) -> Trace:
        """Make a picture and return its `Trace`; keywords as in a call."""
        with record(self, all_threads=False) as trace:
            self(labels, instances, **settings)
        return trace

    def digests(self) -> dict[str, str]:
        """Of the networks with their configuration, and of the banks or centres."""
        if self.banks is not None:
            return {**self.networks.digests(), **self.banks.digests()}
        return {**self.networks.digests(), **({"library centres": self.centres.digest} if len(self.centres) else {})}

    def pictures(self, inputs: tuple[Any, ...], output: Synthesis) -> dict[str, Pixels | Map]:
        """The label map in colours, the picture, and the maps."""
        return {"input": output.input, **output.run.pictures(), "output": output.output}

    def settings_of(self, inputs: tuple[Any, ...], output: Synthesis) -> dict[str, Any]:
        """How a run was made."""
        return output.run.described()

    def measures_of(self, inputs: tuple[Any, ...], output: Synthesis) -> dict[str, Any]:
        """For which classes nothing was taken."""
        return {UNCOVERED: output.uncovered} if output.uncovered else {}

    def run_of(self, trace: Trace) -> Run:
        """The run that a trace is of.

        Raises:
            TraceError: The trace was saved without its maps, or without its reference.
        """
        key = f"{self.digests()} {trace.picture.settings} {trace.picture.about['canvases']}"
        known = _runs.get(self)
        if known is None or known[0] != key:
            known = _runs[self] = (key, self.stated(trace))
        return known[1]

    def stated(self, trace: Trace) -> Run:
        """The run that a trace states; other errors as in `run_of`.

        Raises:
            TraceError: It was saved without its label map or its reference.
        """
        stored, asked = stated_settings(trace, STATED), "a question to the model"
        named, file, without = (stored.pop(name) for name in ("reference", "reference_file", "without"))
        settings, instances = Settings(**stored), trace.picture.labels("input")
        reference = None
        if instances is None:
            raise TraceError(asked, "the trace was saved without its label map", "Save its pictures")
        if named == REFERENCE:
            pixels, known = trace.picture.canvases.get(REFERENCE), trace.picture.labels(REFERENCE)
            if pixels is None or known is None:
                raise TraceError(asked, "the trace was saved without its reference", "Save its pictures")
            reference = Reference.of_photo(self.networks, pixels, known, File.stated(file))
        elif named is not None:
            reference = self.reference_given(named, settings)
        return Run.create(instances, settings, reference, self.centres, without)

    def rerun(self, trace: Trace, *, without: Sequence[Any] = (), **settings: Any) -> Trace:
        """The same picture again; see `System`."""
        run = self.run_of(trace)
        parts = (*run.without, *(one for part in without for one in self.meant(trace, part)))
        given = settings.pop("reference", None)
        chosen = Settings(**{**run.settings.described(), **settings})
        reference = run.reference if given is None else self.reference_given(given, chosen)
        again = Run.create(run.instances, chosen, reference, self.centres, parts)
        with record(self, all_threads=False) as made:
            self.made(again)
        return made

    def meant(self, trace: Trace, part: Any) -> Sequence[Any]:
        """What a person means by a part: a number is an entry of the trace's site, and a centre all of its members.

        Raises:
            UnknownNameError: An entry that the site does not have.
        """
        centres = self.run_of(trace).centres
        if centres.members is None:
            return [part]
        if isinstance(part, str) and part in centres.source_names:
            part = centres.source_names.index(part)
        elif not is_number(part) or trace.sites != ["style"]:
            return [part]
        elif not 0 <= part < len(centres):
            found = f"entries go from 0 to {len(centres) - 1:,}"
            raise UnknownNameError(f"entry {part} of style", found, "Take one that the trace names")
        return [int(entry) for entry in centres.members[part]]

    def instead(self, trace: Trace, settings: Mapping[str, Any]) -> str:
        """New means, new centres, or the nearest."""
        run = self.run_of(trace)
        return replace(run, settings=Settings(**{**run.settings.described(), **settings})).instead

    def blend(self, trace: Trace, within: Box) -> Blend:
        """Codes against the mean codes of their classes; see `System`."""
        instances, centres = self.run_of(trace).instances, self.run_of(trace).centres
        number, size = np.unique(instances), self.networks.shape.codes
        asking = np.searchsorted(number, trace.column("label").astype(np.int64))
        label = class_of(number)[asking]
        whole, mean = torch.zeros(len(number), size), torch.zeros(len(number), size)
        whole[asking] = codes_at(centres, chosen_centres(trace, centres), size)
        means = self.centres.means()
        for place, one in zip(asking.tolist(), label.tolist(), strict=True):
            if one in means:
                mean[place] = torch.from_numpy(means[one]).float()
        return StyleBlend(self.networks, instances, whole, mean, asking, within)

    def behind(self, trace: Trace, mask: Mask) -> Ints:
        """All of them."""
        return np.arange(len(trace))

    def reach(self, trace: Trace) -> str:
        """Everywhere, and mostly within the object."""
        return "all of the picture, by instance norm; shares are of the objects' own masks"

    def encode(self, pixels: Pixels) -> Tensor:
        """What the encoder sees: (C, h, w)."""
        return self.networks.features(pixels)

    def searched(self, trace: Trace) -> list[str]:
        """Sources behind the centres of the classes in the picture; of the site "style" these centres."""
        centres, known = self.run_of(trace).centres, {source["source"] for source in trace.about["sources"]}
        labels = np.unique(trace.column("label").astype(np.int64))
        there = np.flatnonzero(centres.there & np.isin(centres.label, class_of(labels)))
        names = [centres.source_names[centre] for centre in there]
        if centres.members is not None and centres.objects is not None and len(there):
            entries = torch.from_numpy(np.concatenate([centres.members[centre] for centre in there]))
            sources = centres.objects.source_of(entries).unique().tolist()
            names += [centres.objects.source_names[number] for number in sources]
        return [name for name in names if name in known]

    def leaves(self, trace: Trace) -> Leaves:
        """The centres; see `System`."""
        return leaves(trace, self.run_of(trace).centres)

    def descents(self, trace: Trace, places: Sequence[int], entries: Ints | None = None) -> list[Descent]:
        """Over the class to the centre; see `System`.

        Raises:
            AbilityError: Ways to other entries are asked for.
        """
        if entries is not None:
            raise AbilityError("ways to other entries", "an object's class says which centres it may take", "Leave out")
        return descents(self.looks(self.run_of(trace)), trace, places)

    def styles(self, trace: Trace) -> RunStyles:
        """Centres; see `System`."""
        run = self.run_of(trace)
        return RunStyles(self.looks(run), run.settings)

    def patches(self, trace: Trace, places: Sequence[int]) -> list[tuple[Pixels, Pixels]]:
        """Objects of the label map, and of the pictures that they take after; see `System`."""
        instances, centres = self.run_of(trace).instances, self.run_of(trace).centres
        canvas = trace.picture.canvases["input"]
        rows = zip(
            trace.column("label")[places].astype(int).tolist(),
            trace.column("box")[places].tolist(),
            trace.column("entry")[places].tolist(),
            strict=True,
        )
        style = trace.sites == ["style"]
        return [
            (cut_out(canvas, instances, number, box), entry_picture(centres, entry, style=style))
            for number, box, entry in rows
        ]

    def source_picture(self, trace: Trace, source: str) -> Pixels | None:
        """A picture of the bank, the reference, or what is behind a centre."""
        if self.banks is not None and source in self.banks.source_numbers:
            found: Pixels = self.banks.picture(self.banks.source_numbers[source])
            return found
        file = trace.picture.settings["reference_file"]
        if file is not None and source == file["source"]:
            return trace.picture.canvases.get(REFERENCE)
        centres = self.run_of(trace).centres
        if source in centres.source_names and centres.objects is not None:
            return entry_picture(centres, centres.source_names.index(source), style=True)
        return None


_runs: WeakKeyDictionary[Pix2PixHD, tuple[str, Run]] = WeakKeyDictionary()
"""The run of the latest trace that each system was asked about: questions come in series."""


def entry_picture(centres: Centres, entry: int, *, style: bool) -> Pixels:
    """An object; at the site "style" a centre: its members, the nearest first, grey where nobody knows them."""
    if centres.objects is None:
        return np.full((TILE_PX, TILE_PX, 3), SURROUNDINGS)
    if style:
        return mosaic(centres.objects, centres.nearest_members(entry)[0])
    return object_picture(centres.objects, entry)
