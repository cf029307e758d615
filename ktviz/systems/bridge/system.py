"""Bridging as a system: pictures whose attributes are changed, recorded, made again, asked."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np
import torch
from torch import Tensor, nn

from ktviz.errors import AbilityError, UnknownNameError
from ktviz.images import ImageLike, Pixels, to_pixels
from ktviz.library.banks import Banks, of_kind
from ktviz.library.kinds.pictures.union import PictureUnion
from ktviz.library.library import Library
from ktviz.networks.running import check_defaults, without_autocast
from ktviz.regions import Box, Mask
from ktviz.systems.bridge.asking import Asking
from ktviz.systems.bridge.attributes import Known
from ktviz.systems.bridge.bench import prepared
from ktviz.systems.bridge.choice import AttributedPictures, References
from ktviz.systems.bridge.configuration import Configuration
from ktviz.systems.bridge.entries import LABELS_BANK, Entries
from ktviz.systems.bridge.live import Live
from ktviz.systems.bridge.networks import Modulations
from ktviz.systems.bridge.passage import Passage, coded
from ktviz.systems.bridge.published import Arrays
from ktviz.systems.bridge.reference import REFERENCE_BANK, Aligned, check_banks
from ktviz.systems.bridge.result import Change
from ktviz.systems.bridge.run import NOTHING, OTHER, Run
from ktviz.systems.bridge.settings import Settings, only_stated
from ktviz.systems.bridge.shape import CODE_PX
from ktviz.systems.bridge.sites import NAME, CodeSite, ReferenceSite
from ktviz.systems.bridge.switches import RunSwitches
from ktviz.systems.bridge.trained import Networks
from ktviz.systems.cells import PATCH_PX, around
from ktviz.systems.choice import Choice
from ktviz.systems.opening import banks_of, named_banks
from ktviz.systems.parts import is_number
from ktviz.systems.plain import PlainSystem
from ktviz.systems.protocol import Blend, Exclude, Floats, Ints
from ktviz.systems.reference import INPUT
from ktviz.trace.pictures import REFERENCE
from ktviz.trace.record import record
from ktviz.trace.trace import Trace

CODE, CHOOSES = "code", "reference"
"""The sites."""
CANVASES = {REFERENCE_BANK: REFERENCE, str(INPUT["bank"]): "input"}
"""Where the pictures of sources are that are of no bank."""
GREY = np.uint8(40)
"""Where there is no picture."""

_asked: WeakKeyDictionary[Bridge, tuple[str, Live]] = WeakKeyDictionary()
"""What each system worked out for the trace that it was asked about last: questions come in series."""


class Bridge(nn.Module, PlainSystem):
    """The system "bridge": attributes of pictures are changed, by labels, references or both (Huang et al. 2021).

    Args:
        banks: Of pictures with attributes, out of which references are taken; or None.
        networks: The shipped ones if None. They go into evaluation mode and need no gradient from then on.

    Raises:
        LibraryError: The banks are of another kind, or a picture is of another size than the networks take.
        LabelError: Attributes of the networks are not known of the pictures.
        WeightsError: No networks are given, and none come with this version.

    Example:
        >>> from ktviz.systems.bridge.shape import Shape
        >>> small = Shape(32, 2, noise=4, width=4, downs=2, hidden=4, encoder_width=2, ups=2, discriminator_downs=2)
        >>> system = Bridge(networks=Networks(small, ("Hat", "Smile")))
        >>> system(np.zeros((32, 32, 3), np.uint8), has="Smile", want="Hat", mode="labels")
        Change(+Hat, after labels with drawn noise)
        >>> trace = system.traced(np.zeros((32, 32, 3), np.uint8), has="Smile", want="Hat", mode="labels").painting()
        >>> run, live = system.again(trace, ["input"], {"amount": 0.5}), system.painting(trace)
        >>> system.made(run), system.taken(run, system.ranked(run, live.passage)), live is system.live(trace)
        (Change(+Hat, after labels with drawn noise), None, True)
        >>> system.part(trace, live.entries, "input"), [*system.switches(trace).names]
        ('input', ['Hat', 'Smile'])
    """

    name = NAME
    abilities = frozenset({"rerun", "exclude", "blend", "attributes", "bench"})
    settings_type = Settings
    bank_kind = "pictures"
    takes = ("photo", "attributes")
    baseline = "the source's own code"
    cell_px = CODE_PX

    def __init__(self, banks: Banks[Any] | None = None, networks: Networks | None = None) -> None:
        super().__init__()
        networks = Networks.shipped() if networks is None else networks
        self.banks: PictureUnion | None = None
        references = None
        if banks is not None:
            known = Known(networks.attributes, networks.exclusive)
            self.banks = of_kind(banks, PictureUnion, "take references from")
            check_banks(self.banks, known, networks.shape.side)
            references = References(AttributedPictures(self.banks), known)
            self.reference = ReferenceSite()
        self.asking = Asking(networks, references)
        self.code = CodeSite()
        self.networks = networks.eval().requires_grad_(False)

    def __repr__(self) -> str:
        behind = "no bank" if self.banks is None else repr(self.banks)
        side = self.networks.shape.side
        return f"Bridge({side}x{side} px, {len(self.networks.attributes)} attributes, {behind})"

    @classmethod
    def from_checkpoint(
        cls,
        arrays: Arrays | str | os.PathLike[str],
        configuration: Configuration | str = "celeba_128",
        *,
        banks: Banks[Any] | None = None,
    ) -> Bridge:
        """With networks of the authors' code; see `Networks.from_checkpoint`, and the class for `banks`.

        Raises:
            SettingError: No configuration.
            WeightsError: The file cannot be used; the first variable that differs is named.
            LibraryError, LabelError: As in the class.

        Example:
            >>> Bridge.from_checkpoint("celeba_128.npz")  # doctest: +SKIP
            Bridge(128x128 px, 14 attributes, no bank)
        """
        return cls(banks, Networks.from_checkpoint(arrays, configuration))

    @classmethod
    def opened(cls, trace: Trace, library: Library | None, like: Bridge | None = None, /) -> Bridge:
        """The system of a trace, on the banks that it names; see `systems.registry`.

        Raises:
            MismatchError: Its references were in a library, and none was given, or they are not there.
        """
        names, networks = named_banks(trace), None if like is None else like.networks
        return cls(banks_of("the picture again", names, library) if names else None, networks)

    prepared = classmethod(prepared)
    only_stated = staticmethod(only_stated)

    def train(self, mode: bool = True) -> Bridge:
        """Networks stay in evaluation mode."""
        return super().train(False)

    def __call__(
        self, picture: ImageLike, has: Any, want: Any, *, reference: Any = None, without: Any = (), **settings: Any
    ) -> Change:
        """Change attributes of a picture.

        Args:
            picture: Of the side that the networks take, aligned as their pictures are; anything that `as_pixels` takes.
            has: Its attributes: names of those that are there, or by name whether they are.
            want: Those that are to change, in the same way; of a group such as colours of hair the others go.
            reference: A picture with its attributes, (picture, has); the name of a picture of the banks; or None: the
                one of the banks that has what is wanted and is most like the picture (`ktviz.systems.bridge.choice`).
            without: What is not to be used: names of references; parts of pictures, each a `SourceRegion`, or a `Box`
                of a reference that is named, whose cells add nothing to the code; "input" for the picture's own code.
            **settings: As in `Settings`: `mode`, `alpha`, `spade`, `noise`, `row`, `seed`, `amount`.

        Raises:
            ImageError: Not a picture, of another size, or of a kind that the networks do not know.
            UnknownNameError: An attribute, a reference or a part that is not there, or nothing would be left.
            SettingError, UnknownSettingError: A setting that does not exist, or a value outside its range; attributes
                that exclude each other; a reference that lacks what is wanted, or none that has it.
            RegionError: Not a part of the picture.
        """
        return self.made(self.asking.run(picture, has, want, reference, without, Settings(**settings)))

    @without_autocast
    def made(self, run: Run) -> Change:
        """What a call comes down to."""
        result: Change = super().__call__(run)
        return result

    @torch.inference_mode(False)
    @torch.no_grad()
    def forward(self, run: Run, known: Passage | None = None) -> Change:
        """The run that a recorder listens to.

        Args:
            run: Checked.
            known: A passage of the same picture and difference, which has worked out codes.
        """
        check_defaults()
        passage = run.passage(self.networks) if known is None else known
        choice = self.ranked(run, passage)
        if choice is not None:
            choice = self.reference(choice, run.source.size)
        reference = self.taken(run, choice)
        mixture, entries = run.mixture(passage, reference), run.entries(reference)
        mixture = self.code(mixture, entries, run.settings.alpha, run.noise)
        modulations: Modulations = []
        return Change(
            to_pixels(passage.painted(mixture, modulations=modulations)), run, reference, choice, mixture, modulations
        )

    def ranked(self, run: Run, passage: Passage) -> Choice | None:
        """The ranking from which the reference of a run is taken; None where there is no choice."""
        references = self.asking.references
        return references.ranked(passage, run.wish, run.gone.pictures) if references and run.chooses else None

    def taken(self, run: Run, choice: Choice | None) -> Aligned | None:
        """The reference of a run; None in the mode "labels"."""
        references = self.asking.references
        if choice is None or references is None:
            return run.reference
        taken = references.taken(int(choice.entry[0]))
        self.asking.check_known(taken.pixels, f"a reference ({taken.name})")
        return taken

    def traced(self, picture: ImageLike, has: Any, want: Any, **settings: Any) -> Trace:
        """Change attributes of a picture and return its `Trace`; keywords as in a call."""
        with record(self, all_threads=False) as trace:
            self(picture, has, want, **settings)
        return trace

    def digests(self) -> dict[str, str]:
        """Of the networks with their configuration, and of the banks."""
        return {**self.networks.digests(), **({} if self.banks is None else self.banks.digests())}

    def pictures(self, inputs: tuple[Any, ...], output: Change) -> dict[str, Pixels]:
        """The picture, the reference, and what was made."""
        reference = {} if output.reference is None else {REFERENCE: output.reference.pixels}
        return {"input": output.input, **reference, "output": output.output}

    def settings_of(self, inputs: tuple[Any, ...], output: Change) -> dict[str, Any]:
        """How a run was made."""
        return output.run.described()

    def measures_of(self, inputs: tuple[Any, ...], output: Change) -> dict[str, Any]:
        """Of the codes, what they say to the generator, and the noise: see `Change.measures`."""
        return output.measures()

    @torch.inference_mode(False)
    def live(self, trace: Trace) -> Live:
        """The run of a trace, worked out again; the latest is kept."""
        told = trace.picture.about["canvases"], trace.about["sources"]  # one picture may have another name
        key = f"{sorted(trace.picture.settings.items())} {told} {self.digests()}"
        known = _asked.get(self)
        if known is None or known[0] != key:
            run = self.asking.stated(trace)
            passage = run.passage(self.networks)
            choice = self.ranked(run, passage)
            reference = self.taken(run, choice)
            numbers = [] if choice is None else choice.entry.tolist()
            live = Live(passage, run.mixture(passage, reference), run.entries(reference), numbers)
            known = _asked[self] = (key, live)
        return known[1]

    def painting(self, trace: Trace) -> Live:
        """The run of a trace of the site that paints.

        Raises:
            AbilityError: The trace is of another site.
        """
        if trace.sites != [CODE]:
            raise AbilityError(f"blend {trace.sites[0]}", "it paints nothing itself", f"Take trace.site({CODE!r})")
        return self.live(trace)

    def again(self, trace: Trace, without: Sequence[Any], settings: Mapping[str, Any]) -> Run:
        """The run of a trace without some more, with other settings.

        Numbers are entries of the trace's site, and boxes lie in its reference.
        """
        entries = self.live(trace).entries if without else None
        parts = [part if entries is None else self.part(trace, entries, part) for part in without]
        return self.asking.stated(trace, parts, **settings)

    def part(self, trace: Trace, entries: Entries, part: Any) -> Any:
        """A part of a run's knowledge, as it can be left out.

        Raises:
            UnknownNameError: An entry that the banks do not have.
        """
        if is_number(part) and trace.sites == [CHOOSES]:
            assert self.banks is not None
            if not 0 <= part < len(self.banks):
                found = f"there are {len(self.banks):,} pictures"
                raise UnknownNameError(f"entry {part}", found, "Count from 0")
            return self.banks.source_names[part]
        if is_number(part):
            return entries.part(int(part))
        return entries.reference.region(part) if isinstance(part, Box) and entries.reference is not None else part

    def rerun(self, trace: Trace, *, without: Sequence[Any] = (), **settings: Any) -> Trace:
        """The same picture again; see `System`."""
        run = self.again(trace, without, settings)
        with record(self, all_threads=False) as made:
            self.made(run)
        return made

    def exclude(self, trace: Trace, within: Box) -> Exclude:
        """A part of the picture, without working out again what stays; see `System`."""
        passage = self.live(trace).passage

        def part(without: Sequence[Any] = (), /, **settings: Any) -> Pixels:
            run = self.again(trace, without, settings)
            alike = torch.equal(run.wish.difference(run.settings.amount), passage.difference)
            return self.forward(run, passage if alike else None).output[within.pixels]

        return part

    def instead(self, trace: Trace, settings: Mapping[str, Any]) -> str:
        """Another reference, or nothing."""
        return OTHER if self.again(trace, (), settings).chooses else NOTHING

    def searched(self, trace: Trace) -> list[str]:
        """References that could have been taken, and labels."""
        live = self.live(trace)
        taken = [] if live.entries.reference is None else [live.entries.reference.name]
        chosen = [] if self.banks is None else [self.banks.source_names[number] for number in live.references]
        names = {*taken, *chosen, live.entries.labels, f"{LABELS_BANK}/{live.entries.labels}"}
        told = ((one["source"], f"{one['bank']}/{one['source']}") for one in trace.about["sources"])
        return [name for name, whole in told if name in names or whole in names]

    def blend(self, trace: Trace, within: Box) -> Blend:
        """Codes against the source's own; see `System`."""
        return self.painting(trace).blend(within)

    def behind(self, trace: Trace, mask: Mask) -> Ints:
        """All: instance norms look at the picture as a whole."""
        return np.arange(len(trace))

    def footprint(self, trace: Trace, mask: Mask) -> Floats:
        """Overlap carried through the generator, by the measured energy of its derivative; see `Energy`."""
        found = self.painting(trace).energy.of(mask)
        return found if found.any() else trace.overlap(mask)

    def reach(self, trace: Trace) -> str:
        """Measured around the middle of the picture."""
        return f"the whole picture; {self.live(trace).energy.reach}" if trace.sites == [CODE] else "the whole picture"

    def switches(self, trace: Trace) -> RunSwitches:
        """The attributes of a run; see `System`."""
        return RunSwitches(self.asking, self.made, trace)

    def encode(self, pixels: Pixels) -> Tensor:
        """The code of a picture of which nothing is asked: (C, h, w)."""
        return coded(self.networks, pixels, torch.zeros(1, len(self.networks.attributes)))[0]

    def patches(self, trace: Trace, places: Sequence[int]) -> list[tuple[Pixels, Pixels]]:
        """Crops around both ends of retrievals: of the picture, and of what was taken; see `System`."""
        here = trace.picture.canvases["input"]
        boxes, sources, names = (trace.column(name)[list(places)] for name in ("box", "source_box", "source"))
        found = []
        for box, source_box, name in zip(boxes, sources, names, strict=True):
            there = self.source_picture(trace, str(name))
            if there is None:  # labels have no picture
                there = np.full((PATCH_PX, PATCH_PX, 3), GREY)
            whole = np.isnan(source_box).any()
            found.append((around(here, box), there if whole else around(there, source_box)))
        return found

    def source_picture(self, trace: Trace, source: str) -> Pixels | None:
        """A picture of the banks, the reference that was given, or what goes in."""
        number = None if self.banks is None else self.banks.source_numbers.get(source)
        if number is not None and self.banks is not None:
            return self.banks.picture(number)
        known = {one["source"]: str(one["bank"]) for one in trace.about["sources"]}
        return trace.picture.canvases.get(CANVASES.get(known.get(source, ""), ""))
