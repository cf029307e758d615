"""What everything above asks of a system: a few methods, and *abilities*, which not every system has."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

import numpy as np
import numpy.typing as npt
from torch import Tensor

from ktviz.errors import AbilityError
from ktviz.images import Pixels
from ktviz.library.banks import Banks
from ktviz.regions import Box, Mask
from ktviz.retrieval.matches import Matches
from ktviz.retrieval.site import Recordable
from ktviz.systems.band_networks import BandNetworks
from ktviz.systems.code_space import CodeSpace
from ktviz.systems.descents import Descent
from ktviz.systems.styles import Styles
from ktviz.systems.switches import Switches

if TYPE_CHECKING:
    from ktviz.trace.trace import Trace

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
ABILITIES: Mapping[str, str] = {
    "rerun": "make the same run again",
    "exclude": "run again without some of the knowledge",
    "blend": "scale what each retrieval contributes, from a baseline to the whole",
    "oracle": "find the exact best entries",
    "tree": "search by way of a cluster tree",
    "bands": "compare patches band by band",
    "codes": "choose by codes instead of places",
    "reuse": "say how much each entry gives in all",
    "space": "make the picture of any code",
    "attributes": "change attributes of a picture",
    "bench": "stand beside other systems, with the same input and the same reference",
}
"""Abilities, and what they are."""
NEEDED = ("digests", "pictures", "settings_of", "measures_of", "patches", "source_picture")
"""Methods that every system has."""
METHODS: Mapping[str, tuple[str, ...]] = {
    "rerun": ("rerun", "check_rounded", "repaint"),
    "exclude": ("exclude", "searched", "encode", "instead"),
    "blend": ("blend", "behind", "footprint", "reach"),
    "oracle": ("oracle", "similarity_of", "best_by_source"),
    "tree": ("leaves", "descents"),
    "bands": ("band_pictures", "band_networks"),
    "codes": ("styles",),
    "reuse": ("fed",),
    "space": ("space",),
    "attributes": ("switches",),
    "bench": ("prepared",),
}
"""Methods that an ability needs."""


@dataclass(frozen=True)
class Leaves:
    """The leaves of cluster trees from which candidates come.

    Attributes:
        rows: One dictionary per leaf: `node`, its whole name, `bank`, `leaf`, `entries`.
        number: (rows of the trace,) leaf of each candidate.
        without: Per leaf the numbers of its entries.
    """

    rows: Sequence[dict[str, Any]]
    number: Ints
    without: Sequence[tuple[int, ...]]


class Blend(Protocol):
    """A part of an output as a function of how much each retrieval contributes.

    `retrievals` (n,) are the retrievals that reach into that part, by their place among the winners of the trace.
    Called with their amounts, (n,) from 0 (the baseline) to 1 (as it was), it gives the part (3, h, w) in [0, 1], with
    a derivative by the amounts. A system with the ability `bands` takes (n, bands), too.
    """

    @property
    def retrievals(self) -> Ints: ...

    def __call__(self, amount: Tensor, /) -> Tensor: ...


@runtime_checkable
class GatheredBlend(Blend, Protocol):
    """A blend in two steps: what the retrievals give is gathered, an affine function of the amounts, and then painted.

    `ways` name how a retrieval contributes, where it does so in several: `gather` takes (n, ways), too.
    """

    @property
    def ways(self) -> tuple[str, ...]: ...

    def gather(self, amount: Tensor, /) -> Tensor: ...

    def paint(self, gathered: Tensor, /) -> Tensor: ...


class Exclude(Protocol):
    """A part of an output as a function of what is left out.

    Called with what `rerun` takes, it gives that part (h, w, 3) of the output that `rerun` would give, with less work.
    """

    def __call__(self, without: Sequence[Any] = (), /, **settings: Any) -> Pixels: ...


@runtime_checkable
class System(Recordable, Protocol):
    """A model that turns inputs and knowledge into pictures, and can be asked about it.

    Besides what a `Recordable` tells, every system shows pictures of sources; all other methods belong to an ability,
    and are called only where the system names it.

    Attributes:
        name: "kt", "image-analogy" ...
        abilities: Some of `ABILITIES`.
        baseline: What the output is where nothing was retrieved, in words; figures print it. With `blend`.
        cell_px: Side of a cell of `encode` in px.
        banks: The banks of a library in which its knowledge is, or None.
    """

    @property
    def abilities(self) -> frozenset[str]: ...

    @property
    def baseline(self) -> str: ...

    @property
    def cell_px(self) -> int: ...

    @property
    def banks(self) -> Banks[Any] | None: ...

    def patches(self, trace: Trace, places: Sequence[int]) -> list[tuple[Pixels, Pixels]]:
        """Of some retrievals, by place among the winners: the query's part of its canvas, and the source's part.

        Example:
            >>> [(here.shape, there.shape) for here, there in world.translator.patches(trace.painting(), [0, 48])]
            [((16, 16, 3), (16, 16, 3)), ((16, 16, 3), (16, 16, 3))]
        """
        ...

    def source_picture(self, trace: Trace, source: str) -> Pixels | None:
        """A source of a trace by its whole name, as its bank, or the run, saw it; None where there is no picture.

        A scaled one begins in the original's upper left corner, and less than a cell of it is missing: the side that
        lost less tells by how much it was scaled.

        Example:
            >>> world.translator.source_picture(trace, "toy/flat/red.png").shape
            (64, 64, 3)
        """
        ...

    def rerun(self, trace: Trace, *, without: Sequence[Any] = (), **settings: Any) -> Trace:
        """The same run again, recorded; with other settings if given.

        `without` (with `exclude`): names of sources, numbers of entries, or what else the system can do without, beside
        what the run was made without.

        Example:
            >>> len(world.translator.rerun(trace, without=["red"], transfer="swap"))
            98
        """
        ...

    def exclude(self, trace: Trace, within: Box) -> Exclude:
        """A part of the output, in whole px, as a function of what is left out.

        Example:
            >>> world.translator.exclude(trace, kt.Box(0, 0, 8, 8))(["red"]).shape
            (8, 8, 3)
        """
        ...

    def searched(self, trace: Trace) -> Sequence[str]:
        """With `exclude`: names of the sources of which at least one entry could have been taken.

        Example:
            >>> len(world.translator.searched(trace))
            5
        """
        ...

    def instead(self, trace: Trace, settings: Mapping[str, Any]) -> str:
        """With `exclude`: what takes the place of what is left out of a run with other settings, in words.

        Example:
            >>> world.translator.instead(trace, {})
            'the best that is left in the same tree'
        """
        ...

    def check_rounded(self, name: str, trace: Trace, again: Trace) -> npt.NDArray[np.bool_]:
        """With `rerun`: raise Difference unless rounding on another machine explains how a run differs from one here.

        Returns which winners are other ones, (retrievals,); errors call the trace `name`.

        Example:
            >>> painting = trace.painting()
            >>> int(world.translator.check_rounded("a trace", painting, world.translator.rerun(trace).painting()).sum())
            0
        """
        ...

    def repaint(self, trace: Trace, again: Trace) -> Pixels | None:
        """With `rerun`: the output as the retrievals of a trace make it here, where the same run found others.

        Example:
            >>> bool((world.translator.repaint(trace.painting(), world.translator.rerun(trace)) == trace.output).all())
            True
        """
        ...

    def behind(self, trace: Trace, mask: Mask) -> Ints:
        """With `blend`: the retrievals that can change a pixel of a region (H, W), by place among the winners.

        Example:
            >>> mask = np.zeros((64, 64), bool)
            >>> mask[:8, :8] = True
            >>> world.translator.behind(trace.painting(), mask).shape  # all of them: they decide the tone
            (49,)
        """
        ...

    def blend(self, trace: Trace, within: Box) -> Blend:
        """A part of the output, in whole px, as a function of what its retrievals contribute.

        Example:
            >>> blend = world.translator.blend(trace.painting(), kt.Box(0, 0, 8, 8))
            >>> blend(torch.ones(len(blend.retrievals))).shape
            torch.Size([3, 8, 8])
        """
        ...

    def footprint(self, trace: Trace, mask: Mask) -> Floats:
        """With `blend`: the part of a region (H, W) that each retrieval painted: (retrievals,), summing to 1.

        Example:
            >>> mask = np.ones((64, 64), bool)
            >>> found = world.translator.footprint(trace.painting(), mask)
            >>> found.shape, round(float(found.sum()), 6)
            ((49,), 1.0)
        """
        ...

    def reach(self, trace: Trace) -> str:
        """With `blend`: how far a retrieval reaches beyond its own place, in words.

        Example:
            >>> world.translator.reach(trace.painting())
            '0.0 px'
        """
        ...

    def encode(self, pixels: Pixels) -> Tensor:
        """With `exclude`: features (C, h, w) by which two outputs are compared.

        Example:
            >>> world.translator.encode(photo).shape
            torch.Size([3, 16, 16])
        """
        ...

    def oracle(self, trace: Trace, queries: Ints) -> Matches:
        """The exact best entry for some retrievals, by place among the winners.

        Example:
            >>> world.translator.oracle(trace.painting(), np.array([0, 1]))
            Matches(2 hard retrievals, 1 candidate each, median similarity 0.928)
        """
        ...

    def similarity_of(self, trace: Trace, places: Ints, entries: Ints) -> Tensor:
        """With `oracle`: what some retrievals (n,) really score with some entries (n,); -inf where there is no such.

        Example:
            >>> entries = trace.painting().column("entry")[:2].astype(np.int64)
            >>> world.translator.similarity_of(trace.painting(), np.array([0, 1]), entries).shape
            torch.Size([2])
        """
        ...

    def best_by_source(self, trace: Trace, places: Ints) -> Tensor:
        """With `oracle`: the best score of some retrievals with each source of the trace, then with each that its banks
        have and it does not list (`trace.unlisted`): (n, sources).

        Example:
            >>> world.translator.best_by_source(trace.painting(), np.array([0, 1])).shape
            torch.Size([2, 5])
        """
        ...

    def leaves(self, trace: Trace) -> Leaves:
        """With `tree`: where in its cluster trees the candidates are.

        Example:
            >>> len(world.translator.leaves(trace.painting()).rows)
            4
        """
        ...

    def descents(self, trace: Trace, places: Sequence[int], entries: Ints | None = None) -> list[Descent]:
        """With `tree`: the ways of some retrievals (n,) down the tree of their winner's bank.

        With `oracle`, too, those to other entries (n,).

        Example:
            >>> world.translator.descents(trace.painting(), [0])
            [Descent(query=0, bank='toy/flat', path=(3, 7), visited=(7, 5, 6, 4, 1), measure='cosine', ranked=True)]
        """
        ...

    def band_pictures(self, trace: Trace, places: Ints, entries: Ints) -> tuple[Pixels, Pixels]:
        """With `bands`: some retrievals' queries, then some entries, as pictures of their bands and as pixels.

        The first are (n, 5, h, w, 3): whole, LL, LH, HL, HH; the second (n, h, w, 3).

        Example:
            >>> [made.shape for made in world.translator.band_pictures(trace.painting(), np.array([0]), np.array([7]))]
            [(2, 5, 16, 16, 3), (2, 16, 16, 3)]
        """
        ...

    def band_networks(self, trace: Trace) -> BandNetworks | None:
        """What a page needs to make such pictures without this process; None where pages cannot run its networks.

        Example:
            >>> world.translator.band_networks(trace.painting()) is None  # pages cannot run CellMeans
            True
        """
        ...

    def styles(self, trace: Trace) -> Styles:
        """With `codes`: what the objects of a picture look like, and what else they could."""
        ...

    def fed(self, trace: Trace) -> Floats:
        """With `reuse`: what each cell of the source gives to all retrievals together, also where it is not recorded.

        Returns:
            (rows, columns) of the grid of cells, in retrievals: it adds up to their number.
        """
        ...

    def space(self, trace: Trace) -> CodeSpace:
        """With `space`: the code that a run was made with, those that are stored, and what any other one makes."""
        ...

    def switches(self, trace: Trace) -> Switches:
        """With `attributes`: the attributes of a picture that can be switched."""
        ...


def check_ability(system: System, ability: str, asked: str) -> None:
    """Raise AbilityError unless a system has an ability."""
    if ability not in system.abilities:
        has = ", ".join(sorted(system.abilities)) or "nothing of the kind"
        raise AbilityError(asked, f"the system {system.name!r} cannot {ABILITIES[ability]}", f"Ask what it can: {has}")
