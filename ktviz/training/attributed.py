"""Pictures of one size with their attributes: the data of networks that change attributes."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from tqdm.auto import tqdm

from ktviz.errors import TrainingError
from ktviz.images import Pixels, file_digest, read_image
from ktviz.library.attributes import read_attributes

PICTURES, TABLE = "pictures", "attributes.csv"
OWN = 60
"""Pictures of the published batches, of which each picture is its own reference as seldom."""


@dataclass(frozen=True, eq=False)
class Attributed:
    """Pictures with attributes, all in memory.

    Attributes:
        names: Of the files.
        pictures: (n, side, side, 3) uint8.
        has: (n, attributes) float32, 0 or 1.
        attributes: Names.
        digest: Of pictures and attributes.
    """

    names: Sequence[str]
    pictures: Pixels
    has: Tensor
    attributes: Sequence[str]
    digest: str

    @classmethod
    def read(
        cls,
        folder: Path,
        attributes: Sequence[str],
        side_px: int,
        quiet: bool = False,
        exclusive: Sequence[Sequence[str]] = (),
    ) -> Attributed:
        """The pictures of a folder: pictures/NAME, and attributes.csv with a column `file` and one for each attribute.

        Args:
            folder: Where they lie.
            attributes: Columns that are read.
            side_px: Of every picture.
            quiet: No progress bar.
            exclusive: Groups of attributes of which a picture has one at most.

        Raises:
            LabelError: The table is missing, or can be read in more than one way.
            TrainingError: It lacks a column; a picture has another size, or two attributes of a group.
            ImageError: A picture cannot be read.
        """
        rows = read_rows(folder / TABLE, attributes)
        check_groups(rows, attributes, exclusive)
        pictures, digest = [], hashlib.sha256()
        for name, _ in tqdm(rows, desc="reading portraits", unit="image", disable=quiet):
            path = folder / PICTURES / name
            picture = read_image(path)
            if picture.shape != (side_px, side_px, 3):
                found = f"{picture.shape[1]}x{picture.shape[0]} px"
                raise TrainingError(f"training on {name}", found, f"Give pictures of {side_px}x{side_px} px")
            pictures.append(picture)
            digest.update(f"{name} {file_digest(path)}\n".encode())
        has = torch.tensor([values for _, values in rows], dtype=torch.float32)
        digest.update(has.numpy().tobytes())
        return cls([name for name, _ in rows], np.stack(pictures), has, tuple(attributes), digest.hexdigest())

    def __len__(self) -> int:
        return len(self.names)

    def batch(self, numbers: Sequence[int]) -> Tensor:
        """Some pictures: (B, 3, side, side) in [-1, 1]."""
        return torch.from_numpy(self.pictures[list(numbers)]).permute(0, 3, 1, 2).float() / 127.5 - 1


def read_rows(path: Path, attributes: Sequence[str]) -> list[tuple[str, list[int]]]:
    """Names of pictures, and 0 or 1 for every attribute.

    Raises:
        LabelError, TrainingError: As in `Attributed.read`.
    """
    table = read_attributes(path)
    missing = [name for name in attributes if name not in table.names]
    if missing:
        found = f"no column {missing[0]!r} of 0 and 1"
        raise TrainingError(f"attributes {str(path)!r}", found, f"Give columns file, {', '.join(attributes)}")
    return [(name, [int(has[attribute]) for attribute in attributes]) for name, _, has in table.rows]


def check_groups(
    rows: Sequence[tuple[str, Sequence[int]]], attributes: Sequence[str], exclusive: Sequence[Sequence[str]]
) -> None:
    """Raise TrainingError if a picture has two attributes of a group."""
    for name, values in rows:
        has = {attribute for attribute, value in zip(attributes, values, strict=True) if value}
        for group in exclusive:
            both = [attribute for attribute in group if attribute in has]
            if len(both) > 1:
                raise TrainingError(f"training on {name}", f"it has {' and '.join(both)}", "Give it one of them")


class Order:
    """An endless, seeded order of pictures; `state` saves and restores its position.

    Args:
        count: Pictures in all.
        seed: Seed of the generator.
    """

    def __init__(self, count: int, seed: int) -> None:
        self.count, self.random = count, np.random.default_rng(seed)

    @property
    def state(self) -> dict[str, object]:
        """The generator's position, for a checkpoint."""
        return dict(self.random.bit_generator.state)

    @state.setter
    def state(self, value: dict[str, object]) -> None:
        self.random.bit_generator.state = value

    def draw(self, count: int) -> list[int]:
        """Numbers of different pictures, as far as there are so many."""
        return [int(n) for n in self.random.choice(self.count, min(count, self.count), replace=False)]

    def mixed(self, count: int) -> list[int]:
        """Numbers from 0, none at its own place; one time in `OWN`, all at theirs."""
        if count == 1 or self.random.random() < 1 / OWN:
            return [*range(count)]
        circle = self.random.permutation(count)
        found = np.empty(count, dtype=np.int64)
        found[circle] = np.roll(circle, 1)
        return [int(n) for n in found]
