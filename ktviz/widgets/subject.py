"""What a view is about: a trace of one image, and what can still be asked of the model and library that made it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy.typing as npt

from ktviz.errors import KtvizError, TraceError, UnknownNameError
from ktviz.explain.case import Case, case_of
from ktviz.images import Pixels, as_pixels, resize
from ktviz.library.kinds.patches.union import BankUnion
from ktviz.systems.protocol import System
from ktviz.trace.pictures import Picture
from ktviz.trace.schema import empty_table
from ktviz.trace.shares import find_source
from ktviz.trace.trace import Trace, as_trace

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, eq=False)
class Subject:
    """A trace, with the live model where there is one.

    Attributes:
        trace: Of one image, one site.
        case: The trace with its translator; None where only the rows can be asked, for the reason
        frozen: in words.
        pictures: (H, W, 3) uint8 of sources by name, for models whose sources ktviz does not hold.
        library: What a view without a translation is about.
        order: Names of the sources by their numbers in the view, if not their own: largest share first.
    """

    trace: Trace
    case: Case | None
    frozen: str = ""
    pictures: Mapping[str, Pixels] = field(default_factory=dict)
    library: BankUnion | None = None
    order: Sequence[str] = ()

    @classmethod
    def create(
        cls,
        trace: Trace,
        model: object | None = None,
        photo: npt.ArrayLike | None = None,
        pictures: Mapping[str, npt.ArrayLike] | None = None,
    ) -> Subject:
        """Check what is given, and find the model.

        Raises:
            TraceError: Not a trace of one image and one site, or one without retrievals.
            MismatchError: `model` or `photo` is not the trace's.
            UnknownNameError: `pictures` names a source that the trace does not have, or one by two names.
        """
        check_viewable(trace)
        shown: dict[str, Pixels] = {}
        for given, picture in (pictures or {}).items():
            name = find_source(trace, given)
            if name in shown:
                raise UnknownNameError(f"picture of {given!r}", f"there is another of {name}", "Give one of them")
            shown[name] = as_pixels(picture)
        pixels = None if photo is None else as_pixels(photo)
        # In a part of a trace, sources have the numbers, and with them the colours, that they have in the whole.
        order = () if trace.mask is None else trace.whole.sources()["source"].tolist()
        if model is not None or photo is not None:
            return cls(trace, case_of(trace, model=model, photo=pixels), pictures=shown, order=order)
        try:
            return cls(trace, case_of(trace), pictures=shown, order=order)
        except KtvizError as error:
            return cls(trace, None, why_frozen(trace, error), shown, order=order)

    @classmethod
    def of_banks(cls, banks: BankUnion) -> Subject:
        """Banks alone: a trace of no translation, and their trees."""
        about = {
            "sites": [{"name": "retrieval", "causal": True, "canvas": "input", "output": "output", "extensions": []}],
            "sources": banks.describe_sources(),
            "banks": banks.names,
            "digests": banks.digests(),
            "thinned": False,
        }
        nothing = Picture({}, {"settings": {}, "canvases": {"input": {"height": 1, "width": 1, "sha256": None}}})
        return cls(Trace(empty_table(), about, [nothing]), None, library=banks)

    def counterfactual(self, other: Trace) -> Subject:
        """The same photo translated otherwise: every source keeps its number, and with it its colour."""
        case = None if self.case is None else replace(self.case, trace=other)
        return replace(self, trace=other, case=case, order=self.names)

    @property
    def banks(self) -> BankUnion | None:
        """What was searched, while the model lives."""
        return self.library if self.case is None else self.case.system.banks

    @property
    def model(self) -> System | None:
        """The system, while it lives."""
        return None if self.case is None else self.case.system

    @property
    def input(self) -> Pixels | None:
        """The photo."""
        return self.trace.input if self.case is None else self.case.trace.input

    @property
    def output(self) -> Pixels | None:
        """The translation."""
        return self.trace.output if self.case is None else self.case.output

    @cached_property
    def shares(self) -> pd.DataFrame:
        """Sources with their shares, in the order of their numbers in the view."""
        found = self.trace.sources()
        return found.set_index("source").loc[list(self.order)].reset_index() if self.order else found

    @cached_property
    def names(self) -> list[str]:
        """Names of the sources, by their numbers in the view."""
        names: list[str] = self.shares["source"].tolist()
        return names

    @cached_property
    def number(self) -> dict[str, int]:
        """The number in the view of each source."""
        return {name: number for number, name in enumerate(self.names)}

    @cached_property
    def described(self) -> dict[str, dict[str, Any]]:
        """What the trace says of each source."""
        return {source["source"]: source for source in self.trace.about["sources"]}

    def picture(self, number: int) -> Pixels | None:
        """A source as its bank saw it, or as it was given; None where there is none."""
        name = self.names[number]
        if name in self.pictures:
            return self.pictures[name]
        if self.banks is None or name not in self._library_number:
            return None
        return self.banks.picture(self._library_number[name])

    @cached_property
    def _library_number(self) -> dict[str, int]:
        return {} if self.banks is None else {name: n for n, name in enumerate(self.banks.source_names)}


def why_frozen(trace: Trace, error: KtvizError) -> str:
    """Why nothing can be asked of the model, and what can be done, for people."""
    if trace.model is not None and not isinstance(trace.model, System):
        return "This model is no system of ktviz: pictures, shares and table work; tree and bands need one"
    return f"Nothing can be asked of the model: {error.found}. {error.todo}"


def check_viewable(trace: Trace) -> None:
    """Raise TraceError unless a view can be of this trace."""
    as_trace(trace)
    _ = trace.picture
    if len(trace.sites) != 1:
        names = ", ".join(trace.sites)
        raise TraceError("view a trace", f"it has {len(trace.sites)} sites ({names})", "Choose one: trace.site(name)")
    if not len(trace):
        raise TraceError("view a trace", "it holds no retrievals", "Record a run of the model")


def small(pixels: Pixels, longest: int) -> Pixels:
    """A picture scaled down to a longest side in px; smaller ones as they are."""
    height, width = pixels.shape[:2]
    scale = longest / max(height, width)
    return pixels if scale >= 1 else resize(pixels, max(1, round(width * scale)), max(1, round(height * scale)))
