"""What a picture of each system costs, of the size that its own networks are made for.

Weights are random where none are shipped: time does not depend on them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import torch

from benchmarks.measures import REPEATS, side_by_side
from benchmarks.tables import publish
from ktviz import samples
from ktviz.images import Pixels
from ktviz.labels import Classes
from ktviz.systems.bridge.shape import SMALL as BRIDGE
from ktviz.systems.bridge.system import Bridge
from ktviz.systems.bridge.trained import Networks as BridgeNetworks
from ktviz.systems.cocosnet.configuration import small
from ktviz.systems.cocosnet.networks import Networks as CoCosNetNetworks
from ktviz.systems.cocosnet.system import CoCosNet
from ktviz.systems.image_analogy.system import ImageAnalogy
from ktviz.systems.kt.translator import Translator
from ktviz.systems.munit.shape import SMALL as MUNIT
from ktviz.systems.munit.system import Munit
from ktviz.systems.munit.trained import Networks as MunitNetworks
from ktviz.systems.pix2pixhd.shape import SMALL as PIX2PIXHD
from ktviz.systems.pix2pixhd.system import Pix2PixHD
from ktviz.systems.pix2pixhd.trained import Networks as Pix2PixHDNetworks

CLASSES = 17
CENTRES = 10
NO_TARGET = "image-analogy"
"""It looks for a pair of pictures, again and again, where others make one."""
RECORDED = dict.fromkeys(("cocosnet", "pix2pixhd"), "≤ 1.05")
Case = tuple[Any, tuple[Any, ...], dict[str, Any], tuple[int, int]]
"""A system, what it is called with, and height and width of its picture."""


def main() -> None:
    publish(
        "small",
        "What a picture costs",
        ["system", "px", "parameters, million", "s", "target", "ms a megapixel", "recorded", "target"],
        [row(*case) for case in cases()],
        f"Medians of {REPEATS}, a run without and one with recording in turns. Recorded: time with recording over time "
        "without; digests of weights and pictures take what they take, however fast a picture is.",
    )


def cases() -> Iterator[Case]:
    """Every system with a picture of the size that it was made for."""
    random = np.random.default_rng(0)

    def picture(height: int, width: int) -> Pixels:
        return random.integers(0, 256, (height, width, 3), dtype=np.uint8)

    def labels(height: int, width: int, classes: int) -> Any:
        return random.integers(0, classes, (height // 16, width // 16)).repeat(16, 0).repeat(16, 1)

    photo = samples.photo("coffee")
    yield Translator.shipped(samples.bank("art/impasto", quiet=True)), (photo[80:320, 140:460],), {}, (240, 320)
    yield ImageAnalogy(photo[-256:, -256:]), (photo[:256, :256],), {}, (256, 256)
    exemplar = picture(256, 256), labels(256, 256, CLASSES)
    rooms = CoCosNetNetworks(small(Classes.numbered(CLASSES))).plain()
    yield CoCosNet(*exemplar, rooms), (labels(256, 256, CLASSES),), {}, (256, 256)
    centres = {label: random.uniform(-1, 1, (CENTRES, PIX2PIXHD.codes)) for label in range(PIX2PIXHD.classes)}
    streets = Pix2PixHD(networks=Pix2PixHDNetworks(PIX2PIXHD), centres=centres)
    yield streets, (labels(256, 512, PIX2PIXHD.classes),), {}, (256, 512)
    pots = Munit(networks=MunitNetworks(MUNIT, ("drawings", "photographs")))
    yield pots, (picture(128, 128),), {"exemplar": picture(128, 128)}, (128, 128)
    side, names = BRIDGE.side, [f"attribute {number}" for number in range(BRIDGE.attributes)]
    portraits = Bridge(networks=BridgeNetworks(BRIDGE, names))
    reference = picture(side, side), names[1:3]
    yield portraits, (picture(side, side), names[:1], names[1]), {"reference": reference}, (side, side)


@torch.no_grad()
def row(system: Any, given: tuple[Any, ...], settings: dict[str, Any], size: tuple[int, int]) -> list[str]:
    """What a picture costs."""
    height, width = size
    works: list[Callable[[], object]] = [
        lambda: system(*given, **settings),
        lambda: system.traced(*given, **settings),
    ]
    plain, recorded = side_by_side(*works)
    parameters = sum(weight.numel() for weight in system.parameters())
    return [
        system.name,
        f"{width}x{height}",
        f"{parameters / 1e6:.2f}",
        f"{plain:.3f}",
        "" if system.name == NO_TARGET else "≤ 1 s",
        f"{1e9 * plain / (height * width):.0f}",
        f"{recorded / plain:.2f} x",
        RECORDED.get(system.name, ""),
    ]
