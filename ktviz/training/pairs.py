"""Photographs with their label and instance maps: the data of networks that translate maps to photographs."""

from __future__ import annotations

import csv
import hashlib
from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.nn import functional as F
from tqdm.auto import tqdm

from ktviz.errors import TrainingError
from ktviz.images import Pixels, file_digest, find_images, read_image, resize
from ktviz.labels import Classes, as_instances, as_labels

PHOTOS, LABELS, INSTANCES, LOOKS = "photo", "label", "inst", "looks.csv"
"""What a folder of pairs holds; the last two only where there are any."""
COLUMNS = ("picture", "look")
"""Of `LOOKS`."""


@dataclass(frozen=True, eq=False)
class Pair:
    """A photograph and its maps.

    Attributes:
        name: Of the photograph's file, without suffix.
        photo: (H, W, 3) uint8.
        labels: (H, W) uint8.
        instances: (H, W) int32.
        look: What pictures have in common whose like objects look alike; empty if nobody says.
    """

    name: str
    photo: Pixels
    labels: npt.NDArray[np.uint8]
    instances: npt.NDArray[np.int32]
    look: str = ""

    @property
    def size(self) -> tuple[int, int]:
        """Height and width in px."""
        return self.labels.shape[0], self.labels.shape[1]


@dataclass(frozen=True, eq=False)
class Batch:
    """Crops of some pairs.

    Attributes:
        photo: (B, 3, h, w) in [-1, 1].
        labels: (B, 1, h, w) int64.
        instances: (B, 1, h, w) int64.
    """

    photo: Tensor
    labels: Tensor
    instances: Tensor

    def to(self, device: str) -> Batch:
        """The same on a device."""
        return Batch(self.photo.to(device), self.labels.to(device), self.instances.to(device))

    def halved(self) -> Batch:
        """Half the size: means of the photographs, every second number of the maps."""
        return Batch(F.avg_pool2d(self.photo, 2), self.labels[..., ::2, ::2], self.instances[..., ::2, ::2])


def read_pairs(folder: Path, classes: Classes, side_px: int | None = None, quiet: bool = False) -> list[Pair]:
    """All pairs of a folder: photo/NAME, label/NAME.png, inst/NAME.png.

    Args:
        folder: Where they lie.
        classes: Of the label maps.
        side_px: Shorter side to which they are scaled; None keeps them.
        quiet: No progress bar.

    Raises:
        ImageError: There are no photographs, or one cannot be read.
        LabelError: A map is missing, or of other classes.
        TrainingError: A map is of another size than its photograph, or the table of looks cannot be used.
    """
    paths = find_images([folder / PHOTOS]).paths
    looks = read_looks(folder / LOOKS, {path.stem for path in paths})
    pairs = []
    for path in tqdm(paths, desc="reading pairs", unit="pair", disable=quiet):
        photo, (labels, instances) = read_image(path), read_maps(folder, path.stem, classes)
        if photo.shape[:2] != labels.shape:
            sizes = [f"{width}x{height}" for height, width in (photo.shape[:2], labels.shape)]
            raise TrainingError(f"pair {path.stem!r}", f"a photo of {sizes[0]} px, a map of {sizes[1]}", "Mend it")
        if side_px is not None and min(labels.shape) != side_px:
            photo, labels, instances = scaled(photo, labels, instances, side_px / min(labels.shape))
        look = looks.get(path.stem, "")
        pairs.append(Pair(path.stem, photo, labels.astype(np.uint8), instances.astype(np.int32), look))
    return pairs


def read_maps(folder: Path, name: str, classes: Classes) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Label map and instance map of a pair; without a folder of instance maps, one object a class."""
    labels = as_labels(folder / LABELS / f"{name}.png", classes)
    instances = folder / INSTANCES / f"{name}.png" if (folder / INSTANCES).is_dir() else None
    return labels, as_instances(instances, labels, classes)


def read_looks(path: Path, pictures: Collection[str]) -> dict[str, str]:
    """The look of each picture, if a table says so: a CSV file with the columns picture and look.

    Args:
        path: Of the table; there may be none.
        pictures: Names of all there are, without suffix.

    Raises:
        TrainingError: It cannot be read, has other columns, names a picture that is not there, or gives one no look or
            several.
    """
    if not path.exists():
        return {}
    asked, todo = f"looks {str(path)!r}", f"Give a CSV file with the columns {' and '.join(COLUMNS)}"
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            table = csv.DictReader(file)
            lines, columns = list(table), table.fieldnames or ()
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise TrainingError(asked, f"it cannot be read ({error})", todo) from None
    if not {*COLUMNS} <= {*columns}:
        raise TrainingError(asked, f"its columns are {', '.join(columns) or 'none'}", todo)
    rows = [(line["picture"], line["look"]) for line in lines]
    looks = dict(rows)
    strangers = [picture for picture in looks if picture not in pictures]
    if strangers:
        raise TrainingError(asked, f"there is no photograph {strangers[0]!r}", "Name photographs, without suffix")
    doubtful = [picture for picture, look in rows if look is None or look != looks[picture]]
    if doubtful:
        raise TrainingError(asked, f"{doubtful[0]!r} has no look, or several", "Give each picture one look")
    return looks


def scaled(
    photo: Pixels, labels: npt.NDArray[np.int64], instances: npt.NDArray[np.int64], scale: float
) -> tuple[Pixels, npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """A pair in another size; maps take the nearest pixel."""
    height, width = (round(side * scale) for side in labels.shape)
    rows, columns = (
        ((np.arange(size) + 0.5) * whole / size).astype(np.int64)
        for size, whole in zip((height, width), labels.shape, strict=True)
    )
    nearest = np.ix_(rows, columns)
    return resize(photo, width, height), labels[nearest], instances[nearest]


def pairs_digest(folder: Path) -> str:
    """SHA-256 over the names and bytes of all files of a folder of pairs."""
    digest = hashlib.sha256()
    paths = [path for part in (PHOTOS, LABELS, INSTANCES) for path in sorted((folder / part).rglob("*"))]
    for path in (*paths, folder / LOOKS):
        if path.is_file():
            digest.update(f"{path.relative_to(folder).as_posix()} {file_digest(path)}\n".encode())
    return digest.hexdigest()


def check_sizes(pairs: Sequence[Pair], size: tuple[int, int], asked: str) -> None:
    """Raise TrainingError if there is no pair, or one is smaller than a height and width in px."""
    small = [pair.name for pair in pairs if pair.size[0] < size[0] or pair.size[1] < size[1]]
    if small or not pairs:
        found = f"{small[0]} is smaller than {size[1]}x{size[0]} px" if small else "there is none"
        raise TrainingError(asked, found, "Give larger pairs, or take smaller crops")


class Pairs:
    """An endless, seeded source of crops of pairs.

    Args:
        pairs: All of them.
        size: Height and width of a crop in px.
        seed: Seed of the generator; `state` saves and restores its position.

    Raises:
        TrainingError: There is no pair, or one is smaller than a crop.
    """

    def __init__(self, pairs: Sequence[Pair], size: tuple[int, int], seed: int) -> None:
        check_sizes(pairs, size, f"training on {len(pairs)} pairs")
        self.pairs, self.size = pairs, size
        self.random = np.random.default_rng(seed)
        self.alike: dict[str, list[int]] = defaultdict(list)
        for number, pair in enumerate(pairs):
            if pair.look:
                self.alike[pair.look].append(number)

    @property
    def state(self) -> dict[str, object]:
        """The generator's position, for a checkpoint."""
        return dict(self.random.bit_generator.state)

    @state.setter
    def state(self, value: dict[str, object]) -> None:
        self.random.bit_generator.state = value

    def draw(self) -> int:
        """Any pair, by number."""
        return int(self.random.integers(len(self.pairs)))

    def of_look(self, number: int) -> int:
        """Another pair of the same look; the pair itself where there is no other."""
        others = [other for other in self.alike.get(self.pairs[number].look, []) if other != number]
        return others[int(self.random.integers(len(others)))] if others else number

    def batch(self, numbers: Sequence[int]) -> Batch:
        """A crop of each of some pairs, half of them mirrored."""
        crops = [self.crop(self.pairs[number]) for number in numbers]
        photo, labels, instances = (np.stack(parts) for parts in zip(*crops, strict=True))
        return Batch(
            torch.from_numpy(photo).permute(0, 3, 1, 2).float() / 127.5 - 1,
            torch.from_numpy(labels)[:, None].long(),
            torch.from_numpy(instances)[:, None].long(),
        )

    def crop(self, pair: Pair) -> tuple[Pixels, npt.NDArray[np.uint8], npt.NDArray[np.int32]]:
        """One crop."""
        top, left = (int(self.random.integers(s - c + 1)) for s, c in zip(pair.labels.shape, self.size, strict=True))
        part = slice(top, top + self.size[0]), slice(left, left + self.size[1])
        step = -1 if self.random.random() < 0.5 else 1
        return pair.photo[part][:, ::step], pair.labels[part][:, ::step], pair.instances[part][:, ::step]
