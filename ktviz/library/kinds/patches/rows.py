"""The rows of a source: keys, band energies and leaves of its entries, as a frame has them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from ktviz.files import replacing
from ktviz.library.kinds.patches.frame import Frame
from ktviz.library.kinds.patches.maps import patch_vectors, read_features
from ktviz.library.layout import FEATURES
from ktviz.library.parts import Part
from ktviz.library.shards import Shards
from ktviz.library.sources import Stated

CHUNK = 4096
"""Patches gathered at a time: 32 MB for C = 128."""
ENDINGS = (".rows",)
"""How the file of the rows of a source ends."""
PARTS = 1 << 24
"""Of 1 that cosines are rounded to, so that their sums are exact."""


@dataclass(frozen=True, eq=False, repr=False)
class Rows:
    """The entries of a source, by their places in its map.

    Attributes:
        y: (n,) int16 top feature row.
        x: (n,) int16 left feature column.
        keys: (n, D) int8.
        energy: (n, 4) float32.
        leaf: (n,) int32 number of the leaf of each.
        fit: Sum of the cosines of the keys to the centres of their leaves.
    """

    y: Tensor
    x: Tensor
    keys: Tensor
    energy: Tensor
    leaf: Tensor
    fit: float

    def write(self, path: Path) -> None:
        """Into a file; see `read`."""
        tensors = {name: getattr(self, name) for name in ("y", "x", "keys", "energy", "leaf")}
        with replacing(path) as partial:
            save_file({**tensors, "fit": torch.tensor([self.fit], dtype=torch.float64)}, partial)

    @classmethod
    def read(cls, path: Path) -> Rows:
        """The inverse of `write`, mapped."""
        held = load_file(path)
        return cls(held["y"], held["x"], held["keys"], held["energy"], held["leaf"], float(held["fit"]))


def rows_of(path: Path, frame: Frame) -> Rows:
    """The rows of a source, from the file of its features."""
    features, place = read_features(path)
    parts = [frame.projection(patch_vectors(features, some.long())) for some in place.split(CHUNK)]
    keys, energy = torch.cat([keys for keys, _ in parts]), torch.cat([energy for _, energy in parts])
    leaf, cosine = frame.walk(keys)
    y, x = place // features.shape[1], place % features.shape[1]
    return Rows(y.short(), x.short(), keys, energy, leaf.int(), summed(cosine))


@dataclass(frozen=True)
class MakeRows:
    """Works out the rows of a source, wherever it runs.

    Attributes:
        tree: File of the frame, and
        stated: its size and SHA-256.
        prepared: Where parts are.
        shards: Where rows go, and where workers have the frame.
    """

    tree: Path
    stated: Stated
    prepared: Shards
    shards: Shards

    @cached_property
    def frame(self) -> Frame:
        """The frame, read once in this process."""
        with self.shards.had(self.tree, self.stated, "read the frame of a bank") as path:
            return Frame.read(path)

    def __call__(self, part: Part) -> None:
        """Make the rows of a source, unless they are finished."""
        stated = dict(zip(part.files, part.stated, strict=True))[FEATURES]
        asked = f"read the features of {part.source.name!r}"

        def write(paths: list[Path]) -> None:
            with self.prepared.had(part.files[FEATURES], stated, asked) as features:
                rows_of(features, self.frame).write(paths[0])

        self.shards.make(part.source.content, ENDINGS, write)

    def taken(self, part: Part) -> Path:
        """The finished rows; errors as in `Shards.take`."""
        asked = f"go on with the interrupted build of {part.source.name!r}"
        (path,), _ = self.shards.take(part.source.content, ENDINGS, asked)
        return path


def summed(cosines: Tensor) -> float:
    """The sum of some cosines, the same in any order."""
    return float((cosines.double() * PARTS).round_().sum()) / PARTS
