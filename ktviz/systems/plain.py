"""What systems have in common that make every run as a whole, and whose retrievals paint their own place only."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import numpy.typing as npt
from torch import Tensor

from ktviz.errors import AbilityError, Difference
from ktviz.images import Pixels, to_tensor
from ktviz.library.banks import Banks
from ktviz.regions import Box, Mask
from ktviz.retrieval.matches import Matches
from ktviz.systems.band_networks import BandNetworks
from ktviz.systems.code_space import CodeSpace
from ktviz.systems.descents import Descent
from ktviz.systems.protocol import Blend, Exclude, Floats, Ints, Leaves
from ktviz.systems.styles import Styles
from ktviz.systems.switches import Switches
from ktviz.trace.trace import Trace
from ktviz.values import KnownKeywords

if TYPE_CHECKING:
    from ktviz.library.kinds.codes.coder import Coder
    from ktviz.systems.material import Material
    from ktviz.systems.prepared import Prepared

OTHERWISE = "Ask what it can: `ktviz systems`"
REFUSALS = (
    *("rerun", "blend", "oracle", "similarity_of", "best_by_source", "leaves", "descents", "band_pictures"),
    *("band_networks", "styles", "fed", "space", "switches", "prepared"),
)
"""Methods of `PlainSystem` that only say that they are not there."""


class PlainSystem:
    """A beginning for a system: every method of `System` that follows from others, or says that it is not there.

    A subclass gives `name`, `digests`, `pictures`, and whatever its abilities need: `rerun` (which `exclude` needs,
    too), `blend`.

    Attributes:
        settings_type: What its settings are, a dataclass of which a workbench makes controls; None if it does not say.
        bank_kind: Which kind of bank it takes: "patches", "pictures", "codes"; None if it takes one picture of any.
        takes: What it takes of a picture that is translated; see `Material`: photo, labels, instances, attributes.
    """

    name: str
    baseline: str
    cell_px: int = 1
    banks: Banks[Any] | None = None
    settings_type: ClassVar[type[KnownKeywords] | None] = None
    bank_kind: ClassVar[str | None] = None
    takes: ClassVar[tuple[str, ...]] = ("photo",)

    def settings_of(self, inputs: tuple[Any, ...], output: Any) -> Mapping[str, Any]:
        """How a run was made: in one way."""
        return {}

    def measures_of(self, inputs: tuple[Any, ...], output: Any) -> Mapping[str, Any]:
        """What is known of a run besides: nothing."""
        return {}

    def patches(self, trace: Trace, places: Sequence[int]) -> list[tuple[Pixels, Pixels]]:
        """Pictures of retrievals: there are none of the sources.

        Raises:
            AbilityError: Always.
        """
        raise AbilityError("pictures of retrievals", f"ktviz holds no sources of {self.name}", "Look at their boxes")

    def source_picture(self, trace: Trace, source: str) -> Pixels | None:
        """A source: there is no picture of it."""
        return None

    def rerun(self, trace: Trace, *, without: Sequence[Any] = (), **settings: Any) -> Trace:
        """The same run again: it cannot be made.

        Raises:
            AbilityError: Always.
        """
        raise AbilityError("make a run again", f"{self.name} cannot", OTHERWISE)

    def exclude(self, trace: Trace, within: Box) -> Exclude:
        """A part of the output of `rerun`, which makes all of it."""

        def part(without: Sequence[Any] = (), /, **settings: Any) -> Pixels:
            again = self.rerun(trace, without=without, **settings)
            output = again.picture.canvases.get(str(trace.site_about["output"]))
            if output is None:
                raise AbilityError(f"run {self.name} without some knowledge", "it made no picture", "Keep its output")
            return output[within.pixels]

        return part

    def searched(self, trace: Trace) -> list[str]:
        """All sources."""
        return [source["source"] for source in trace.about["sources"]]

    def instead(self, trace: Trace, settings: Mapping[str, Any]) -> str:
        """Whatever the run finds without it."""
        return "what the run finds without it"

    def check_rounded(self, name: str, trace: Trace, again: Trace) -> npt.NDArray[np.bool_]:
        """How far rounding carries is not known: what was made elsewhere cannot be verified here."""
        raise Difference(f"{name}: made on another processor or with other versions; only there can it be verified")

    def repaint(self, trace: Trace, again: Trace) -> Pixels | None:
        """The output of the run made again: close calls between retrievals hardly change it."""
        return again.output

    def behind(self, trace: Trace, mask: Mask) -> Ints:
        """The retrievals whose boxes reach into a region."""
        return np.flatnonzero(trace.overlap(mask) > 0)

    def blend(self, trace: Trace, within: Box) -> Blend:
        """It cannot be blended.

        Raises:
            AbilityError: Always.
        """
        raise AbilityError("blend retrievals", f"{self.name} cannot", OTHERWISE)

    def footprint(self, trace: Trace, mask: Mask) -> Floats:
        """The overlap."""
        return trace.overlap(mask)

    def reach(self, trace: Trace) -> str:
        """Nowhere."""
        return "0 px: a retrieval paints its own place"

    def encode(self, pixels: Pixels) -> Tensor:
        """The pixels themselves: (3, H, W)."""
        return to_tensor(pixels)[0]

    def oracle(self, trace: Trace, queries: Ints) -> Matches:
        """There is no exact search.

        Raises:
            AbilityError: Always.
        """
        raise AbilityError("the exact best entries", f"{self.name} cannot find them", OTHERWISE)

    def similarity_of(self, trace: Trace, places: Ints, entries: Ints) -> Tensor:
        """There is no exact search.

        Raises:
            AbilityError: Always.
        """
        raise AbilityError("exact similarities", f"{self.name} cannot tell them", OTHERWISE)

    def best_by_source(self, trace: Trace, places: Ints) -> Tensor:
        """There is no exact search.

        Raises:
            AbilityError: Always.
        """
        raise AbilityError("exact similarities", f"{self.name} cannot tell them", OTHERWISE)

    def leaves(self, trace: Trace) -> Leaves:
        """There is no tree.

        Raises:
            AbilityError: Always.
        """
        raise AbilityError("leaves of a cluster tree", f"{self.name} has none", OTHERWISE)

    def descents(self, trace: Trace, places: Sequence[int], entries: Ints | None = None) -> list[Descent]:
        """There is no tree.

        Raises:
            AbilityError: Always.
        """
        raise AbilityError("ways down a cluster tree", f"{self.name} has none", OTHERWISE)

    def band_pictures(self, trace: Trace, places: Ints, entries: Ints) -> tuple[Pixels, Pixels]:
        """There are no bands.

        Raises:
            AbilityError: Always.
        """
        raise AbilityError("pictures of bands", f"{self.name} has none", OTHERWISE)

    def band_networks(self, trace: Trace) -> BandNetworks | None:
        """There are no bands.

        Raises:
            AbilityError: Always.
        """
        raise AbilityError("pictures of bands", f"{self.name} has none", OTHERWISE)

    def styles(self, trace: Trace) -> Styles:
        """There are no codes.

        Raises:
            AbilityError: Always.
        """
        raise AbilityError("styles of objects", f"{self.name} has no codes", OTHERWISE)

    def fed(self, trace: Trace) -> Floats:
        """Nobody counts.

        Raises:
            AbilityError: Always.
        """
        raise AbilityError("what each cell feeds", f"{self.name} cannot tell", OTHERWISE)

    def space(self, trace: Trace) -> CodeSpace:
        """There is no code.

        Raises:
            AbilityError: Always.
        """
        raise AbilityError("pictures of other codes", f"{self.name} has no codes", OTHERWISE)

    def switches(self, trace: Trace) -> Switches:
        """There are no attributes.

        Raises:
            AbilityError: Always.
        """
        raise AbilityError("attributes of a picture", f"{self.name} changes none", OTHERWISE)

    @staticmethod
    def only_stated(settings: Mapping[str, Any]) -> Mapping[str, Any]:
        """Settings of a run that what it made need not show: none."""
        return {}

    @classmethod
    def bank_coder(cls) -> Coder | None:
        """What makes its banks of codes; None for other banks."""
        return None

    @classmethod
    def prepared(cls, input: Material, reference: Material | Banks[Any], like: Any = None, /) -> Prepared:
        """It does not say what it takes.

        Raises:
            AbilityError: Always.
        """
        raise AbilityError(f"{cls.name} beside other systems", "it does not say what it takes", OTHERWISE)
