"""pix2pixHD: what a picture costs, in all published sizes and in the one that is shipped.

Weights are random where none are shipped: time does not depend on them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import torch
from torch.utils.flop_counter import FlopCounterMode

from benchmarks.measures import REPEATS, gpu_ms, side_by_side
from benchmarks.tables import Table
from ktviz.labels.instances import COUNTED, class_of
from ktviz.labels.maps import Map
from ktviz.systems.pix2pixhd.shape import PUBLISHED, SMALL, Shape
from ktviz.systems.pix2pixhd.system import Pix2PixHD
from ktviz.systems.pix2pixhd.trained import Networks

CASES = {"small": (SMALL, 256, 512), "label2city_512p_feat": (PUBLISHED["label2city_512p_feat"], 512, 1024)}
OBJECTS = 60
TARGETS = {"small": "≤ 1 s"}
COLUMNS = (
    *("configuration", "px", "parameters, million", "GFLOP", "drawn, s", "target", "nearest, s", "ms a megapixel"),
    *("recorded", "target", "generator on a GPU, ms"),
)


def main() -> Iterator[Table]:
    yield Table(
        "pix2pixhd",
        "pix2pixHD: what a picture costs",
        COLUMNS,
        [row(name, *case) for name, case in CASES.items()],
        f"{OBJECTS} objects, ten centres a class. Nearest: a reference of the same size is encoded, too. GFLOP: of the"
        f" generator. Recorded: time with recording over time without. Medians of {REPEATS}.",
    )


@torch.no_grad()
def row(name: str, shape: Shape, height: int, width: int) -> list[str]:
    """A configuration at a size."""
    random = np.random.default_rng(0)
    networks = Networks(shape)
    centres = {label: random.uniform(-1, 1, (10, shape.codes)) for label in range(shape.classes)}
    system, instances = Pix2PixHD(networks=networks, centres=centres), scattered(shape.classes, height, width)
    labels = class_of(instances)
    photo = random.integers(0, 256, (height, width, 3), dtype=np.uint8)
    reference = photo, labels, instances
    works: list[Callable[[], object]] = [
        lambda: system(labels, instances),
        lambda: system(labels, instances, choice="nearest", reference=reference),
        lambda: system.traced(labels, instances),
    ]
    drawn, nearest, traced = side_by_side(*works)
    with FlopCounterMode(display=False) as counter:
        system(labels, instances)
    parameters = sum(weight.numel() for weight in networks.parameters())
    return [
        name,
        f"{width}x{height}",
        f"{parameters / 1e6:.2f}",
        f"{counter.get_total_flops() / 1e9:.1f}",
        f"{drawn:.2f}",
        TARGETS.get(name, ""),
        f"{nearest:.2f}",
        f"{1e9 * drawn / (height * width):.0f}",
        f"{traced / drawn:.2f} x",
        "≤ 1.05",
        gpu_ms(networks.generator, torch.zeros(1, shape.inside, height, width)),
    ]


def scattered(classes: int, height: int, width: int) -> Map:
    """Objects of all classes at random places on a ground: (H, W)."""
    random = np.random.default_rng(1)
    instances = np.ones((height, width), dtype=np.int64)
    for number in range(OBJECTS):
        y, x = random.integers(0, height - height // 8), random.integers(0, width - width // 8)
        instances[y : y + height // 8, x : x + width // 8] = COUNTED * (2 + number % (classes - 2)) + number
    return instances
