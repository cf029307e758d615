"""The toy world: flat unique colours as sources, a linear encoder and a linear decoder.

A feature cell holds the mean colour of its 4x4 px and the decoder paints that colour back, so a pixel depends on its
own cell and on nothing else. Every source is one flat colour, so a query's winner is the source whose colour points
most nearly its way. With `transfer="swap"` the output of a region painted by one source *is* that source's colour, and
shares can be counted on fingers.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from torch import Tensor, nn

from ktviz.images import Pixels, write_image
from ktviz.library.banks import of_kind
from ktviz.library.credits import COLUMNS
from ktviz.library.format import LibrarySettings
from ktviz.library.kinds.patches.features import STRIDE
from ktviz.library.kinds.patches.union import BankUnion
from ktviz.library.library import Library
from ktviz.systems.kt.translator import Translator

COLOURS = {
    "red": (220, 20, 20),
    "yellow": (220, 220, 20),
    "green": (20, 200, 20),
    "cyan": (20, 220, 220),
    "magenta": (220, 20, 220),
}
"""Sources and their colours."""
SHADE = 20
TWINS = {f"{name} twin": tuple(max(0, part - SHADE) for part in colour) for name, colour in COLOURS.items()}
"""Every colour one shade darker. With `ToyWorld(folder, COLOURS | TWINS)` and `transfer="swap"`, a source that is left
out is replaced by its twin wherever it was taken, and a pixel loses a shade times the source's part in it. A region
changes by SHADE levels times the overlap that is left out: the linear datamodelling score of overlap is 1."""
STRIPES = ((150, 30, 30), (140, 140, 30), (30, 140, 30), (30, 140, 140))
"""Dull red, yellow, green and cyan: no mixture of neighbours is nearer to magenta, so magenta is never taken."""
BANK = "toy/flat"
SIDE = 64


class CellMeans(nn.Module):
    """Encoder: (B, 3, H, W) to the mean colour of each 4x4 px, (B, 3, H/4, W/4)."""

    channels = 3
    stride = STRIDE
    name = "toy"

    def forward(self, image: Tensor) -> Tensor:
        return nn.functional.avg_pool2d(image, STRIDE)


class CellColours(nn.Module):
    """Decoder: every cell's colour as 4x4 px."""

    channels = 3

    def forward(self, features: Tensor) -> Tensor:
        return features.repeat_interleave(STRIDE, dim=2).repeat_interleave(STRIDE, dim=3)


class ToyWorld:
    """A library of flat colours and a translator for it.

    Args:
        folder: An empty folder for pictures and library.
        colours: Name and colour of every source.
    """

    def __init__(self, folder: Path, colours: dict[str, tuple[int, int, int]] = COLOURS) -> None:
        lines = [",".join(COLUMNS)]
        for number, (name, colour) in enumerate(colours.items()):
            write_image(folder / "flats" / f"{name}.png", np.full((SIDE, SIDE, 3), colour, dtype=np.uint8))
            lines.append(f"{name}.png,All {name},Painter {number},19{number:02},CC0-1.0,https://example.org/{name}")
        (folder / "credits.csv").write_text("\n".join(lines), encoding="utf-8")
        self.library = Library.ensure(folder / "toy.ktlib", CellMeans(), LibrarySettings(side_px=SIDE, dedupe=1.0))
        self.library.build(BANK, [folder / "flats"], credits=folder / "credits.csv", encoder=CellMeans(), quiet=True)
        self.translator = Translator(self.banks, CellMeans(), CellColours())

    @property
    def banks(self) -> BankUnion:
        """What is searched."""
        return of_kind(self.library[BANK], BankUnion, "a toy world with")


def toy_photo(side: int = SIDE) -> Pixels:
    """Four upright stripes of equal width.

    At 64 px, the queries of a row (16 px, every 8 px) see one colour, or half of one and half of the next. They take
    red, yellow, yellow, yellow, green, cyan, cyan: a half and half goes to the brighter neighbour. By overlap-add the
    first and the last paint 3 columns of cells each, the others 2, of 16: red has 3/16 of the picture, yellow 6/16,
    green 2/16, cyan 5/16, magenta nothing.
    """
    pixels = np.empty((side, side, 3), dtype=np.uint8)
    for number, colour in enumerate(STRIPES):
        pixels[:, number * side // 4 : (number + 1) * side // 4] = colour
    return pixels
