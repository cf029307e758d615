"""A picture chosen out of banks, as a whole: the ranking, and what its entries are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from ktviz.library.kinds.pictures.union import PictureUnion


@dataclass(frozen=True)
class Pictures:
    """A catalogue: the pictures of banks, each as a whole; see `ktviz.retrieval.catalogue.Knowledge`.

    Attributes:
        banks: That hold them.
    """

    banks: PictureUnion

    def __len__(self) -> int:
        return len(self.banks)

    @property
    def name(self) -> str:
        """Of the banks."""
        return ", ".join(self.banks.names)

    @property
    def source_names(self) -> Sequence[str]:
        """Their whole names."""
        return self.banks.source_names

    def source_of(self, entries: Tensor) -> Tensor:
        """Each entry is a source."""
        return entries

    def boxes(self, entries: Tensor) -> Tensor:
        """NaN: wholes."""
        return torch.full((len(entries), 4), torch.nan)

    def describe_sources(self) -> Sequence[Mapping[str, Any]]:
        """What the banks know of them."""
        return self.banks.describe_sources()

    def digests(self) -> dict[str, str]:
        """Of the banks."""
        return self.banks.digests()


@dataclass(frozen=True)
class Choice:
    """The pictures that could be taken, the most similar first.

    Attributes:
        entry: (K,) int64 their numbers; the first is taken.
        similarity: (K,) float32.
        pictures: Their catalogue.
    """

    entry: Tensor
    similarity: Tensor
    pictures: Pictures
