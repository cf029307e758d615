"""Pictures with label maps and instance maps, and coders that need no network."""

from __future__ import annotations

import numpy as np
import torch

from ktviz.labels import Classes, write_map

CLASSES = Classes(("sky", "road", "car", "pole"), ((70, 130, 180), (128, 64, 128), (0, 0, 142), (153, 153, 153)))
SKY, ROAD, CAR, POLE = range(4)


def maps(seed, height=64, width=64):
    """Sky over road, two cars of other sizes and a pole too small for a centre: (labels, instances)."""
    random = np.random.default_rng(seed)
    horizon = int(random.integers(height // 3, height // 2))
    instances = np.full((height, width), ROAD, np.int64)
    instances[:horizon] = SKY
    for number, left in enumerate((2, width // 2)):
        wide = int(random.integers(14, 20))
        instances[horizon : horizon + wide // 2 + number, left : left + wide] = CAR * 1000 + number
    instances[4:10, width // 2 : width // 2 + 2] = POLE * 1000
    return np.where(instances < 1000, instances, instances // 1000), instances


def save_maps(folder, names, seed=0):
    """Maps for pictures of some names in `labels/` and `instances/`, and `classes.csv` above them."""
    for number, name in enumerate(names):
        labels, instances = maps(seed + number)
        write_map(folder / "labels" / f"{name}.png", labels, CLASSES)
        write_map(folder / "instances" / f"{name}.png", instances)
    CLASSES.write(folder / "classes.csv")
    return folder


def mean_colours(pixels, numbers):
    """The mean colour of every object at its pixels: (3, H, W) float64."""
    found, place, counts = np.unique(numbers, return_inverse=True, return_counts=True)
    place = place.reshape(-1)
    sums = np.stack([np.bincount(place, pixels[..., c].ravel() / 255.0, len(found)) for c in range(3)])
    return (sums / counts)[:, place].reshape(3, *numbers.shape)


class MeanColour:
    """Codes that are mean colours of objects."""

    size, classes = 3, CLASSES

    def __init__(self, digest="mean colours"):
        self.digest = digest

    def encode(self, pixels, labels, instances):
        return torch.from_numpy(mean_colours(pixels, instances))


class WholeColour(MeanColour):
    """Codes of whole pictures."""

    classes = None

    def encode(self, pixels, labels, instances):
        assert labels is None
        assert instances is None
        return torch.from_numpy(mean_colours(pixels, np.zeros(pixels.shape[:2], int)))
