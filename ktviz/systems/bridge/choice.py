"""Which reference is taken: of the pictures of a bank that have all that is wanted, the one most like the source.

The published tests draw references that have the wanted attributes. Here those are compared with the source: the codes
that both have in the direction of what is asked for, their means over 4x4 parts of the picture, as one vector each, by
cosine.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial

import torch
from torch import Tensor
from torch.nn import functional as F

from ktviz.errors import SettingError, UnknownNameError
from ktviz.library.kinds.pictures.union import PictureUnion
from ktviz.networks.weights import module_digest
from ktviz.retrieval.exact import cosines
from ktviz.retrieval.listing import Listing
from ktviz.systems.bridge.attributes import Known, Wish
from ktviz.systems.bridge.passage import Passage, coded
from ktviz.systems.bridge.reference import Aligned, attributes_in, described_in, of_bank
from ktviz.systems.choice import Choice, Pictures

PARTS = 4
"""Parts of a picture, a side."""


@dataclass(frozen=True)
class AttributedPictures(Pictures):
    """A catalogue: the pictures of banks, with the attributes that each has."""

    def describe_sources(self) -> Listing:
        """What the banks know of them."""
        return Listing(len(self), partial(described_in, self.banks), self.banks.describe_sources().firsts)


@dataclass(eq=False)
class References:
    """The pictures of banks, out of which references are chosen; what was seen of them last is kept.

    Attributes:
        pictures: Their catalogue.
        known: The attributes of the networks.
    """

    pictures: AttributedPictures
    known: Known
    _seen: tuple[str, dict[int, Tensor]] = field(default=("", {}), repr=False)

    @property
    def banks(self) -> PictureUnion:
        """That hold them."""
        return self.pictures.banks

    def taken(self, number: int) -> Aligned:
        """A picture."""
        return of_bank(self.banks, number, self.known)

    def fitting(self, wish: Wish, without: Sequence[str]) -> list[int]:
        """The pictures that have all that is wanted, by number.

        Raises:
            SettingError: None has.
            UnknownNameError: All that have are left out.
        """
        banks = self.banks
        fits = [n for n in range(len(banks)) if not wish.missed(attributes_in(banks, n, self.known))]
        if not fits:
            words = ", ".join(name if there else f"no {name}" for name, there in wish.want.items())
            raise SettingError(
                f"a reference with {words}", f"none of the {len(banks)} pictures is one", "Want less, or add such"
            )
        kept = [number for number in fits if banks.source_names[number] not in without]
        if not kept:
            raise UnknownNameError(f"a run without {', '.join(without)}", "nothing would be left", "Leave out fewer")
        return kept

    def ranked(self, passage: Passage, wish: Wish, without: Sequence[str]) -> Choice:
        """Those pictures by falling similarity; of equally similar ones the lowest number first. Errors as in
        `fitting`."""
        kept = torch.tensor(self.fitting(wish, without))
        asked = summary(coded(passage.networks, passage.picture, passage.difference))
        others = torch.cat([self.summary_of(int(number), passage) for number in kept])
        similarity = cosines(asked, others)[0]
        order = similarity.sort(descending=True, stable=True).indices
        return Choice(kept[order], similarity[order], self.pictures)

    def summary_of(self, number: int, passage: Passage) -> Tensor:
        """Of a picture, in the direction of what is asked for: (1, D)."""
        key = f"{module_digest(passage.networks.encoder)} {passage.difference.tolist()}"
        if self._seen[0] != key:
            self._seen = key, {}
        if number not in self._seen[1]:
            code = coded(passage.networks, self.banks.picture(number), passage.difference)
            self._seen[1][number] = summary(code)
        return self._seen[1][number]


def summary(code: Tensor) -> Tensor:
    """Means over parts of a picture: (1, C, h, w) to (1, C * parts)."""
    return F.adaptive_avg_pool2d(code, PARTS).flatten(1)
