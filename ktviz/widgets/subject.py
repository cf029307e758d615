"""What a view is about: one site of a trace of one image, and what can still be asked of what made it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from ktviz.errors import AbilityError, KtvizError, TraceError, UnknownNameError
from ktviz.explain.case import Case, case_of
from ktviz.explain.projection import Projection
from ktviz.explain.regret import coherent
from ktviz.explain.source_pictures import source_picture
from ktviz.images import Pixels, as_pixels
from ktviz.library.banks import Banks
from ktviz.library.cluster_tree import ClusterTree
from ktviz.library.kinds.trees import trees_of
from ktviz.systems.code_space import CodeSpace
from ktviz.systems.protocol import System, check_ability
from ktviz.systems.styles import Styles
from ktviz.systems.switches import Switches
from ktviz.trace.listed import first_listed
from ktviz.trace.pictures import OUTPUT, Picture
from ktviz.trace.schema import empty_table
from ktviz.trace.shares import find_source, share_table
from ktviz.trace.trace import Trace
from ktviz.widgets.protocol import NO_SOURCE
from ktviz.widgets.sites import SiteChoice, asked_by, choices, outputs, source_order

NOWHERE: Mapping[str, Any] = {
    "name": "retrieval",
    "causal": True,
    "canvas": "input",
    "output": "output",
    "direction": "",
    "extensions": [],
}
"""The site of a trace of no translation."""
PATH = "path"
"""What systems call the column of ways down a tree."""
NO_TREE: Mapping[str, Any] = {"nodes": 0, "depth": 0, "entries": 0, "words": [], "measure": ""}


@dataclass(frozen=True, eq=False)
class Subject:
    """A trace of one site, with the live model where there is one.

    Attributes:
        trace: Of one image, one site.
        case: The trace with its system; None where only the rows can be asked, for the reason
        frozen: in words.
        pictures: (H, W, 3) uint8 of sources by name, for models whose sources ktviz does not hold.
        library: What a view without a translation is about.
        order: Names of the sources by their numbers in the view, if not their own: largest share first.
        sites: Those of the whole trace, and
        known: what it says of all its sources, if not that of this site.
        painted: Pictures that its sites paint, or serve.
        asked: The sites that choose from each bank.
        later: Sources that the trace does not list, and counterfactuals took, in the order in which they came: their
            numbers follow. All subjects of a view have the same list.
    """

    trace: Trace
    case: Case | None
    frozen: str = ""
    pictures: Mapping[str, Pixels] = field(default_factory=dict)
    library: Banks[Any] | None = None
    order: Sequence[str] = ()
    sites: Sequence[SiteChoice] = ()
    known: Sequence[Mapping[str, Any]] = ()
    painted: frozenset[str] = frozenset()
    asked: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    later: list[Mapping[str, Any]] = field(default_factory=list, repr=False)

    @classmethod
    def create(
        cls,
        trace: Trace,
        model: object | None = None,
        photo: npt.ArrayLike | None = None,
        pictures: Mapping[str, npt.ArrayLike] | None = None,
        site: str | None = None,
    ) -> Subject:
        """Check what is given, and find the model.

        Args:
            trace: Of one image.
            model: See `View`.
            photo: See `View`.
            pictures: See `View`.
            site: Which of its sites; the only one if None.

        Raises:
            MismatchError: `model` or `photo` is not the trace's.
            UnknownNameError: `pictures` names a source that the trace does not have, or one by two names.
        """
        # In a part of a trace, and at each of several sites, sources have the numbers, and with them the colours, that
        # they have in the whole.
        order = source_order(trace)
        sites, known, painted, asked = choices(trace), trace.about["sources"], outputs(trace), asked_by(trace)
        shown: dict[str, Pixels] = {}
        for given, picture in (pictures or {}).items():
            name = find_source(trace, given)
            if name in shown:
                raise UnknownNameError(f"picture of {given!r}", f"there is another of {name}", "Give one of them")
            shown[name] = as_pixels(picture)
        trace = trace if site is None or len(trace.sites) == 1 else trace.site(site)
        pixels = None if photo is None else as_pixels(photo)
        case, frozen = None, ""
        if model is not None or photo is not None:
            case = case_of(trace, model=model, photo=pixels)
        else:
            try:
                case = case_of(trace)
            except KtvizError as error:
                frozen = why_frozen(error)
        return cls(trace, case, frozen, shown, order=order, sites=sites, known=known, painted=painted, asked=asked)

    @classmethod
    def of_banks(cls, banks: Banks[Any]) -> Subject:
        """Banks alone: a trace of no translation, and their trees."""
        about = {
            "sites": [dict(NOWHERE)],
            **first_listed(banks.describe_sources()),
            "banks": banks.names,
            "digests": banks.digests(),
            "thinned": False,
        }
        nothing = Picture({}, {"settings": {}, "canvases": {"input": {"height": 1, "width": 1, "sha256": None}}})
        trace = Trace(empty_table(), about, [nothing])
        return cls(trace, None, library=banks, sites=choices(trace))

    def counterfactual(self, other: Trace) -> Subject:
        """The same photo translated otherwise: every source keeps its number, and with it its colour."""
        case = None if self.case is None else replace(self.case, trace=other)
        known = {*self.everyone}
        self.later.extend(source for source in other.about["sources"] if source["source"] not in known)
        return replace(self, trace=other, case=case, order=self.everyone, known=[*self.described.values(), *self.later])

    @property
    def banks(self) -> Banks[Any] | None:
        """The banks that were searched, while the model lives."""
        return self.library if self.case is None else self.case.system.banks

    @cached_property
    def trees(self) -> list[ClusterTree]:
        """Their cluster trees, in their order; none where their kind has none, or the run chose in none of them."""
        return [] if self.treeless else trees_of(self.banks)

    @cached_property
    def treeless(self) -> bool:
        """Whether the system can tell of trees, and the run chose in none of them."""
        if self.case is None or not self.can("tree") or paths(self.trace) is not None:
            return False
        try:
            self.case.system.descents(self.case.trace, ())
        except AbilityError:
            return True
        return False

    @cached_property
    def styles(self) -> Styles:
        """What the objects of the picture look like, and what else they could.

        Raises:
            TraceError, AbilityError: There is no model, or one that knows no codes.
        """
        case = self.live()
        check_ability(case.system, "codes", "styles of objects")
        return case.system.styles(case.trace)

    @cached_property
    def space(self) -> CodeSpace:
        """The codes of the run, and what any other would make.

        Raises:
            TraceError, AbilityError: There is no model, or one that makes no pictures of codes.
        """
        case = self.live()
        check_ability(case.system, "space", "a space of codes")
        return case.system.space(case.trace)

    @cached_property
    def projection(self) -> Projection:
        """The map of the codes that are stored in that space, of which there is at least one."""
        return Projection.of(self.space.codes)

    @cached_property
    def switches(self) -> Switches:
        """The attributes of the picture that can be switched.

        Raises:
            TraceError, AbilityError: There is no model, or one that changes no attributes.
        """
        case = self.live()
        check_ability(case.system, "attributes", "attributes of a picture")
        return case.system.switches(case.trace)

    @property
    def model(self) -> System | None:
        """The system, while it lives."""
        return None if self.case is None else self.case.system

    def live(self) -> Case:
        """The system, with the trace.

        Raises:
            TraceError: There is none.
        """
        if self.case is None:
            raise TraceError("ask the model", "there is none behind this view", self.frozen)
        return self.case

    @property
    def site(self) -> str:
        """Name of the site that is shown."""
        return self.trace.sites[0]

    @property
    def input(self) -> Pixels | None:
        """The picture in which the queries lie, as its site states it: the photo, or another canvas."""
        return (self.trace if self.case is None else self.case.trace).input

    @property
    def output(self) -> Pixels | None:
        """The picture that the retrievals paint, or serve."""
        return self.trace.output if self.case is None else self.case.output

    @property
    def pictures_by_canvas(self) -> dict[str, Pixels]:
        """Both, as far as they are there, by the names that the site states."""
        about = self.trace.site_about
        found = {str(about["canvas"]): self.input, str(about["output"]): self.output}
        return {name: pixels for name, pixels in found.items() if pixels is not None}

    @property
    def beside(self) -> dict[str, Pixels]:
        """Other pictures of the run that lie over the output: in its size, and the output of no site."""
        picture, about = self.trace.picture, self.trace.site_about
        if str(about["output"]) not in picture.about["canvases"]:
            return {}
        size = picture.size_of(str(about["output"]))
        others = {name: pixels for name, pixels in picture.canvases.items() if name.startswith(f"{OUTPUT}:")}
        return {n: pixels for n, pixels in others.items() if n not in self.painted and pixels.shape[:2] == size}

    def can(self, *abilities: str) -> bool:
        """Whether the system is there, and has some abilities."""
        return self.case is not None and set(abilities) <= self.case.system.abilities

    @cached_property
    def shares(self) -> pd.DataFrame:
        """Sources with their shares, in the order of their numbers in the view."""
        found = self.trace.sources()
        if not self.order:
            return found
        there = {*found["source"]}
        others = [about for name, about in self.described.items() if name not in there]
        none = [0] * len(others)  # sources of other sites, which keep their numbers
        table = pd.concat([found, share_table(others, none, none, none)]) if others else found
        return table.set_index("source").loc[list(self.order)].reset_index()

    @cached_property
    def names(self) -> list[str]:
        """Names of the sources, by their numbers in the view."""
        names: list[str] = self.shares["source"].tolist()
        return names

    @property
    def everyone(self) -> list[str]:
        """The same, and names of those that only counterfactuals took."""
        return [*dict.fromkeys((*self.names, *(str(source["source"]) for source in self.later)))]

    @cached_property
    def number(self) -> dict[str, int]:
        """The number in the view of each source."""
        return {name: number for number, name in enumerate(self.names)}

    def numbers_of(self, places: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
        """Numbers in the view of places among the trace's sources; `NO_SOURCE` stays what it is."""
        known = [self.number[source["source"]] for source in self.trace.about["sources"]]
        found: npt.NDArray[np.int64] = np.array([*known, NO_SOURCE], dtype=np.int64)[places]
        return found

    @cached_property
    def described(self) -> dict[str, Mapping[str, Any]]:
        """What the whole trace says of each source."""
        known = self.known or self.trace.about["sources"]
        return {source["source"]: source for source in known}

    @cached_property
    def searched(self) -> list[dict[str, Any]]:
        """The banks that were searched, with their trees where those can be asked."""
        if not self.trees:
            return [{"name": name, **NO_TREE} for name in self.trace.about["banks"]]
        return [
            {
                "name": tree.bank,
                "nodes": len(tree),
                "depth": tree.nodes.depth,
                "entries": tree.entries,
                "words": [*tree.words],
                "measure": tree.measure,
            }
            for tree in self.trees
        ]

    @cached_property
    def coherent(self) -> npt.NDArray[np.uint8]:
        """Whether each winner was chosen because it continues a neighbour: (N,)."""
        return coherent(self.trace).astype(np.uint8)

    @cached_property
    def regret(self) -> npt.NDArray[np.float32] | None:
        """What the tree's shortcut cost each retrieval (N,); None where that was not asked for."""
        if not self.trace.has("regret"):
            return None
        return self.trace.column("regret").astype(np.float32)

    def picture(self, number: int) -> Pixels | None:
        """A source as its bank saw it, or as it was given; None where there is none.

        In a system that goes both ways a source may be a canvas of the run, "input" for one.
        """
        name = self.everyone[number]
        if name in self.pictures:
            return self.pictures[name]
        found = source_picture(self.trace if self.case is None else self.case.trace, name, self.model)
        if found is not None:
            return found
        place = None if self.library is None else self.library.source_numbers.get(name)
        return None if self.library is None or place is None else self.library.picture(place)


def paths(trace: Trace) -> pa.ChunkedArray | None:
    """The nodes on every winner's way through a tree; None where the trace tells of none."""
    found = trace.winners[trace.full_name(PATH)] if trace.has(PATH) else None
    return found if found is not None and lengths(found).any() else None


def lengths(column: pa.ChunkedArray | pa.Array) -> npt.NDArray[np.int64]:
    """Length of the list of each row: (rows,)."""
    found: npt.NDArray[np.int64] = pc.fill_null(pc.list_value_length(column), 0).to_numpy()
    return found.astype(np.int64)


def why_frozen(error: KtvizError) -> str:
    """Why nothing can be asked of the model, and what can be done, for people."""
    if isinstance(error, AbilityError):
        return "This model is no system of ktviz: pictures, shares and table work; tree and bands need one"
    return f"Nothing can be asked of the model: {error.found}. {error.todo}"
