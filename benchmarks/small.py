"""What a picture of each system costs, of the size that its own networks are made for."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import torch

from benchmarks.measures import REPEATS, side_by_side
from benchmarks.tables import Headline, Table
from ktviz import samples
from ktviz.systems.bridge.system import Bridge
from ktviz.systems.cocosnet.system import CoCosNet
from ktviz.systems.image_analogy.system import ImageAnalogy
from ktviz.systems.kt.translator import Translator
from ktviz.systems.munit.system import Munit
from ktviz.systems.pix2pixhd.system import Pix2PixHD

NO_TARGET = "image-analogy"
"""It looks for a pair of pictures, again and again, where others make one."""
RECORDED = dict.fromkeys(("cocosnet", "pix2pixhd"), "≤ 1.05")
Case = tuple[Any, tuple[Any, ...], dict[str, Any], tuple[int, int]]
"""A system, what it is called with, and height and width of its picture."""


def main() -> Iterator[Table]:
    rows = [row(*case) for case in cases()]
    yield Table(
        "small",
        "What a picture costs",
        ["system", "px", "parameters, million", "s", "target", "ms a megapixel", "recorded", "target"],
        rows,
        f"Medians of {REPEATS}, a run without and one with recording in turns. Recorded: time with recording over time "
        "without; digests of weights and pictures take what they take, however fast a picture is. Deep Image Analogy "
        "makes no picture in one pass: it has no target, and would miss one of a second.",
        headlines=[
            Headline(f"{name}, {px} px", f"{seconds} s, recorded {recorded}", target)
            for name, px, _, seconds, target, _, recorded, _ in rows
        ],
    )


def cases() -> Iterator[Case]:
    """Every system with a picture of the size that its own networks are made for."""
    photo = samples.photo("coffee")
    yield Translator.shipped(bank("art/impasto")), (photo[80:320, 140:460],), {}, (240, 320)
    yield ImageAnalogy(photo[-256:, -256:]), (photo[:256, :256],), {}, (256, 256)
    rooms, room = bank("scenes/rooms"), samples.scene("room-3-0018")
    yield CoCosNet.from_bank(rooms), (room.labels,), {"exemplar": rooms.source_names[0]}, room.labels.shape
    street = samples.scene("street-3-0044")
    yield Pix2PixHD(bank("scenes/streets")), (street.labels, street.instances), {}, street.labels.shape
    pots, drawing = bank("pots/glazed"), samples.drawing("drawing-3-00008")
    yield Munit(pots), (drawing,), {"exemplar": pots.source_names[0]}, drawing.shape[:2]
    person = samples.portrait("portrait-3-00029")
    yield Bridge(bank("portraits/clay")), (person.pixels, person.has, ["Hat"]), {}, person.pixels.shape[:2]


def bank(name: str) -> Any:
    """One of the samples."""
    return samples.bank(name, quiet=True)


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
