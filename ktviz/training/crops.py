"""Training crops: every image at three reductions, cropped, flipped, re-toned and with its channels permuted."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from tqdm.auto import tqdm

from ktviz.errors import TrainingError
from ktviz.images import Pixels, read_image, resize

REDUCTIONS = (1.0, 1.5, 2.0)
GAMMA = (0.5, 1.8)


class Crops:
    """An endless, seeded source of square crops, all images held in memory.

    Args:
        paths: Image files.
        size_px: Side of a crop.
        seed: Seed of the generator; `state` saves and restores its position.
        quiet: No progress bar.

    Raises:
        TrainingError: No image is large enough for a crop.
    """

    def __init__(self, paths: Sequence[Path], size_px: int, seed: int, quiet: bool = False) -> None:
        self.size_px = size_px
        self.images = [
            image
            for path in tqdm(paths, desc="reading images", disable=quiet)
            for image in reductions(read_image(path), size_px)
        ]
        if not self.images:
            raise TrainingError(
                f"training on {len(paths)} images", f"none is {size_px} px or larger a side", "Give larger images"
            )
        # An image is drawn in proportion to its area, so that every pixel is seen equally often.
        areas = np.array([image.shape[0] * image.shape[1] for image in self.images], dtype=np.float64)
        self.chance = np.cumsum(areas / areas.sum())
        self.random = np.random.default_rng(seed)

    @property
    def state(self) -> dict[str, object]:
        """The generator's position, for a checkpoint."""
        return dict(self.random.bit_generator.state)

    @state.setter
    def state(self, value: dict[str, object]) -> None:
        self.random.bit_generator.state = value

    def batch(self, count: int) -> Tensor:
        """(count, 3, size, size) float32 in [0, 1]."""
        crops = np.stack([self.crop() for _ in range(count)])
        batch = torch.from_numpy(crops).permute(0, 3, 1, 2).float() / 255
        low, high = np.log(GAMMA)
        gamma = torch.from_numpy(np.exp(self.random.uniform(low, high, count)).astype(np.float32))
        # Half of the crops keep their tones: photographs must stay the best-known case.
        gamma[torch.from_numpy(self.random.random(count) < 0.5)] = 1.0
        return batch ** gamma[:, None, None, None]

    def crop(self) -> Pixels:
        image = self.images[min(int(np.searchsorted(self.chance, self.random.random())), len(self.images) - 1)]
        y = int(self.random.integers(image.shape[0] - self.size_px + 1))
        x = int(self.random.integers(image.shape[1] - self.size_px + 1))
        crop = image[y : y + self.size_px, x : x + self.size_px]
        if self.random.random() < 0.5:
            crop = crop[:, ::-1]
        if self.random.random() < 1 / 3:
            crop = crop[..., self.random.permutation(3)]
        return crop


def reductions(image: Pixels, size_px: int) -> list[Pixels]:
    """The image at each reduction that still holds a crop."""
    height, width = image.shape[:2]
    return [
        resize(image, round(width / reduction), round(height / reduction))
        for reduction in REDUCTIONS
        if min(height, width) / reduction >= size_px
    ]
