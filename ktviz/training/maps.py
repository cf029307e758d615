"""Runs on label maps: what they have in common besides their adversaries."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from statistics import fmean
from typing import Any, TypeVar

import torch
from torch import Tensor, nn

from ktviz.labels import Classes
from ktviz.training import adversarial
from ktviz.training.evaluate import psnr, structural_similarity
from ktviz.training.pairs import Pair, Pairs, check_sizes, pairs_digest

N = TypeVar("N", bound=nn.Module)
R = TypeVar("R", bound=adversarial.Recipe)
D = TypeVar("D")

MEASURED = 8
"""Pairs on which a fixed network is scaled."""


class MapsRun(adversarial.Run[R, N, D, list[Pair]]):
    """A run on photographs with their label maps.

    Args:
        folder: Of pairs; see `ktviz.training.pairs.read_pairs`.
        out: The run's folder.
        classes: Of the label maps.
        recipe: Settings.
        origin: What else a run that goes on must agree with.
        device: "cpu" or "cuda".
        quiet: No progress bars.
    """

    def __init__(
        self, folder: Path, out: Path, classes: Classes, recipe: R, origin: Mapping[str, Any], device: str, quiet: bool
    ) -> None:
        self.classes, self.recipe, self.quiet = classes, recipe, quiet
        self.pairs = Pairs(self.read(folder), recipe.crop, recipe.seed)
        super().__init__(out, recipe, self.pairs, {**origin, "data": pairs_digest(folder)}, device, quiet)

    @abstractmethod
    def read(self, folder: Path) -> list[Pair]:
        """The pairs of a folder, in the size in which they are wanted."""

    @abstractmethod
    def compared(self, networks: N, pairs: Sequence[Pair]) -> Iterator[tuple[Tensor, Tensor]]:
        """What the networks make of pairs and what they should: (1, 3, h, w) in [-1, 1] each."""

    def counts(self) -> dict[str, int]:
        return {"pairs": len(self.pairs.pairs)}

    def held_out(self, folder: Path) -> tuple[str, list[Pair]]:
        """Digest and pairs of a folder that is to be scored.

        Raises:
            TrainingError: One is smaller than a crop.
            ImageError, LabelError: One cannot be read.
        """
        pairs = self.read(folder)
        check_sizes(pairs, self.recipe.crop, f"scoring {str(folder)!r}")
        return pairs_digest(folder), pairs

    def some(self) -> Pairs:
        """The pairs in an order of their own: no draws of the run, so the same when it goes on."""
        return Pairs(self.pairs.pairs, self.recipe.crop, 0)

    def first(self, count: int) -> range:
        """Numbers of the first pairs."""
        return range(min(count, len(self.pairs.pairs)))

    @torch.no_grad()
    def score(self, networks: N, pictures: list[Pair]) -> dict[str, float]:
        """PSNR in dB and SSIM on pairs: means."""
        apart, alike = [], []
        for found in self.compared(networks, pictures):
            fake, true = ((picture.clamp(-1, 1) + 1) / 2 for picture in found)
            apart.append(psnr(fake, true))
            alike.append(structural_similarity(fake, true))
        return {"pairs": len(pictures), "psnr": round(fmean(apart), 3), "ssim": round(fmean(alike), 4)}
