"""A run: all that a changed picture is made of."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any

from ktviz.images import Pixels
from ktviz.systems.bridge.attributes import Attributes, Wish
from ktviz.systems.bridge.codes import Mixture
from ktviz.systems.bridge.entries import Entries
from ktviz.systems.bridge.left_out import OWN_NAME, LeftOut
from ktviz.systems.bridge.noise import Noise
from ktviz.systems.bridge.passage import Passage
from ktviz.systems.bridge.reference import LABELS_WITH, Aligned, source_of
from ktviz.systems.bridge.settings import Settings
from ktviz.systems.bridge.shape import CODE_PX
from ktviz.systems.bridge.trained import Networks
from ktviz.trace.pictures import REFERENCE

OTHER = "of a reference the next in the ranking, of cells and labels nothing: they add 0 to the code"
NOTHING = "nothing: it adds 0 to the code"
"""What takes the place of what is left out."""


@dataclass(frozen=True, eq=False)
class Run:
    """What a changed picture is made of.

    Attributes:
        picture: (side, side, 3) uint8.
        wish: What is to change in it.
        settings: How.
        reference: Whose code is taken, where that is said; None where it is chosen, or where none is.
        named: Whether that is a picture of the banks, by its name.
        noise: Of the labels' code; None where there is none.
        gone: What is left out.
    """

    picture: Pixels
    wish: Wish
    settings: Settings
    reference: Aligned | None
    named: bool
    noise: Noise | None
    gone: LeftOut

    @cached_property
    def source(self) -> Aligned:
        """The picture, whose own code is a part of what is made of it."""
        return source_of(self.picture, self.wish.has)

    @property
    def labels(self) -> str | None:
        """What the labels' code is called; None where there is none."""
        return labels_name(self.noise)

    @property
    def chooses(self) -> bool:
        """Whether a reference is chosen out of banks."""
        return self.settings.mode != "labels" and self.reference is None

    def passage(self, networks: Networks) -> Passage:
        """The picture on its way."""
        return Passage(networks, self.picture, self.wish.difference(self.settings.amount))

    def mixture(self, passage: Passage, reference: Aligned | None) -> Mixture:
        """The codes, 0 where they are left out.

        Args:
            passage: Of this picture and this difference.
            reference: Whose code is taken, if any is.
        """
        own, labels, taken = self.gone.kept(passage.own, OWN_NAME, self.source), None, None
        if self.noise is not None and self.labels is not None:
            labels = self.gone.kept(passage.of_labels(self.noise.numbers), self.labels)
        if reference is not None:
            taken = self.gone.kept(passage.of_reference(reference.pixels), reference.name, reference)
        return Mixture.of(own, labels, taken, self.settings.alpha, self.settings.spade)

    def entries(self, reference: Aligned | None) -> Entries:
        """Of what its codes are made."""
        height, width = self.source.size
        return Entries(height // CODE_PX * (width // CODE_PX), self.source, reference, self.labels)

    def described(self) -> dict[str, Any]:
        """All but the pictures, as a trace states it."""
        reference = None if self.reference is None else self.reference.name if self.named else REFERENCE
        given = self.reference is not None and not self.named
        stated = asdict(self.settings)
        return {
            "has": there(self.wish.has),
            "want": [[name, value] for name, value in self.wish.want.items()],
            "difference": self.wish.changes(self.settings.amount),
            **stated,
            "noise": None if stated["noise"] is None else [*stated["noise"]],
            "reference": reference,
            "reference_has": there(self.reference.has) if given and self.reference is not None else None,
            "without": self.gone.described(),
        }


def labels_name(noise: Noise | None) -> str | None:
    """What a code of labels is called, by where its noise is from."""
    return None if noise is None else f"{LABELS_WITH}{noise.origin}"


def there(has: Attributes) -> list[str]:
    """Names of the attributes that are there."""
    return [name for name, value in has.items() if value]
