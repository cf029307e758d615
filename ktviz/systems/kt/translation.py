"""The result of the system "kt": a translated image and the retrievals that made it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ktviz.images import Pixels
from ktviz.printing import counted
from ktviz.trace.recorded import Recorded

if TYPE_CHECKING:
    from ktviz.library.kinds.patches.grid import PatchGrid
    from ktviz.library.kinds.patches.union import BankUnion
    from ktviz.retrieval.matches import Matches
    from ktviz.systems.kt.settings import Settings


@dataclass(frozen=True, eq=False)
class Translation(Recorded):
    """A translated image and the retrievals that made it.

    Where it was recorded, `trace` is its trace: what takes a trace takes it, too.

    Attributes:
        image: (H, W, 3) uint8, the output.
        input: (H, W, 3) uint8, the photo.
        matches: One retrieval per query of `grid`, row by row.
        grid: The queries on the (padded) feature map.
        banks: What was searched.
        settings: How.

    Example:
        >>> world.translator(photo).image.shape
        (64, 64, 3)
    """

    image: Pixels
    input: Pixels
    matches: Matches
    grid: PatchGrid
    banks: BankUnion
    settings: Settings = field(repr=False)

    def __repr__(self) -> str:
        height, width = self.image.shape[:2]
        names = ", ".join(self.banks.names)
        return f"Translation({width}x{height} px by {names}, {counted(len(self.matches), 'retrieval')})"

    def _repr_html_(self) -> str | None:
        """What a notebook shows."""
        from ktviz.figures.cards import unless_refused

        return unless_refused(card, self)


def card(translation: Translation) -> str:
    """Photo and output, and the largest shares."""
    from ktviz.figures.cards import run_card
    from ktviz.systems.kt.shares import source_shares

    banks = translation.banks
    facts = [counted(len(translation.matches), "retrieval"), ", ".join(banks.names)]
    pictures = {"Photo": translation.input, "Output": translation.image}
    shares = source_shares(translation)
    return run_card("Translation", facts, pictures, shares, lambda name: banks.picture(banks.source_numbers[name]))
