"""Pictures of two domains that do not belong together: the data of networks that translate between them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from tqdm.auto import tqdm

from ktviz.errors import TrainingError
from ktviz.images import Pixels, find_images, read_image, resize
from ktviz.training.loop import files_digest


class Domain:
    """Pictures of one domain, all in memory, each scaled so that its shorter side is that of a crop.

    Args:
        folder: Where they lie.
        side_px: Side of a crop.
        quiet: No progress bar.

    Raises:
        ImageError: There are none, or one cannot be read.
    """

    def __init__(self, folder: Path, side_px: int, quiet: bool = False) -> None:
        paths = find_images([folder]).paths
        self.name, self.digest = folder.resolve().name, files_digest(paths)
        bar = tqdm(paths, desc=f"reading {self.name}", unit="image", disable=quiet)
        self.pictures: list[Pixels] = [scaled(read_image(path), side_px) for path in bar]


def scaled(picture: Pixels, side_px: int) -> Pixels:
    """A picture whose shorter side is `side_px`."""
    height, width = picture.shape[:2]
    scale = side_px / min(height, width)
    return (
        picture
        if scale == 1
        else resize(picture, max(side_px, round(width * scale)), max(side_px, round(height * scale)))
    )


class Unpaired:
    """An endless, seeded source of square crops of two domains.

    Args:
        domains: Both.
        side_px: Of a crop.
        seed: Seed of the generator; `state` saves and restores its position.
    """

    def __init__(self, domains: Sequence[Domain], side_px: int, seed: int) -> None:
        if len(domains) != 2 or domains[0].name == domains[1].name:
            names = ", ".join(domain.name for domain in domains)
            raise TrainingError("training on two domains", f"folders named {names}", "Give two folders of other names")
        self.domains, self.side_px = domains, side_px
        self.random = np.random.default_rng(seed)

    @property
    def state(self) -> dict[str, object]:
        """The generator's position, for a checkpoint."""
        return dict(self.random.bit_generator.state)

    @state.setter
    def state(self, value: dict[str, object]) -> None:
        self.random.bit_generator.state = value

    def batch(self, count: int) -> tuple[Tensor, Tensor]:
        """Crops of any pictures of each domain, half of them mirrored: (count, 3, side, side) in [-1, 1] each."""
        first, second = (
            as_batch([self.crop(pictures[int(self.random.integers(len(pictures)))]) for _ in range(count)])
            for pictures in (domain.pictures for domain in self.domains)
        )
        return first, second

    def crop(self, picture: Pixels) -> Pixels:
        """One crop."""
        top, left = (int(self.random.integers(side - self.side_px + 1)) for side in picture.shape[:2])
        step = -1 if self.random.random() < 0.5 else 1
        return picture[top : top + self.side_px, left : left + self.side_px][:, ::step]

    def first(self, count: int) -> tuple[Tensor, Tensor]:
        """The upper left parts of the first pictures of each domain, as many of both as there are: no draws."""
        side, fewest = self.side_px, min(count, *(len(domain.pictures) for domain in self.domains))
        one, other = (as_batch([p[:side, :side] for p in domain.pictures[:fewest]]) for domain in self.domains)
        return one, other


def as_batch(pictures: Sequence[Pixels]) -> Tensor:
    """Pictures of one size: (B, 3, H, W) in [-1, 1]."""
    return torch.from_numpy(np.stack(pictures)).permute(0, 3, 1, 2).float() / 127.5 - 1
