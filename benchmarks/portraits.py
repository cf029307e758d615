"""Portraits that no training saw, with all that their generator knows of them."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
from skimage.color import rgb2lab

from benchmarks.tables import ROOT
from ktviz.files import cache_folder
from ktviz.images import Pixels, read_image
from ktviz.library.attributes import read_attributes
from ktviz.library.kinds.pictures.union import PictureUnion
from ktviz.library.library import Library
from sample_data.generator.portraits import ATTRIBUTES, portrait
from sample_data.generator.portraits.faces import HAIR
from sample_data.generator.portraits.writing import MOST

CROWN = (slice(0.10, 0.26), slice(0.36, 0.64))
"""Rows and columns that every hat covers, in parts of the sides."""
SEEN = 0.02
"""Pixels that change by less are the same."""
BANK = "portraits/held-out"


@dataclass(frozen=True, eq=False)
class Sitter:
    """One of them.

    Attributes:
        name: Of the file.
        seed: Of the generator.
        pixels: (side, side, 3) uint8.
        has: Attributes.
    """

    name: str
    seed: int
    pixels: Pixels
    has: Mapping[str, bool]

    def wishes(self) -> dict[str, dict[str, bool]]:
        """Every change of one attribute: given to who lacks it, taken from who has it; of hair, the next colour."""
        hair = next(name for name in HAIR if self.has[name])
        other = HAIR[(HAIR.index(hair) + 1) % len(HAIR)]
        single = {name: {name: not self.has[name]} for name in ATTRIBUTES if name not in HAIR}
        return {"hair": {other: True}, **single}

    def wanted(self, want: Mapping[str, bool]) -> dict[str, bool]:
        """All that it is to have."""
        dyed = any(want.get(name) for name in HAIR)
        return {name: want.get(name, False if dyed and name in HAIR else there) for name, there in self.has.items()}

    def changed(self, want: Mapping[str, bool]) -> npt.NDArray[np.bool_]:
        """Where the generator paints it otherwise with other attributes: (side, side)."""
        size = len(self.pixels)
        before, after = (portrait(self.seed, changed, size=size).picture for changed in (None, self.wanted(want)))
        found: npt.NDArray[np.bool_] = np.abs(after - before).max(2) > SEEN
        return found


@dataclass(frozen=True, eq=False)
class Sitters:
    """Some of them.

    Attributes:
        folder: pictures/ and attributes.csv.
        all: In the order of their names.
    """

    folder: Path
    all: Sequence[Sitter]

    def bank(self, place: Path) -> PictureUnion:
        """A bank of references of them."""
        library = Library.create(place / "portraits.ktlib")
        has = replace(read_attributes(self.folder / "attributes.csv"), remarks=())  # on shades, which are no attributes
        credits = self.folder / "credits.csv"
        made = library.build(
            BANK, self.folder / "pictures", kind="pictures", attributes=has, credits=credits, quiet=True
        )
        assert isinstance(made, PictureUnion)
        return made

    def having(self, name: str) -> list[Sitter]:
        """Those that have an attribute."""
        return [one for one in self.all if one.has[name]]

    def lacking(self, name: str) -> list[Sitter]:
        """The others."""
        return [one for one in self.all if not one.has[name]]


def sitters(seed: int, count: int, size: int) -> Sitters:
    """Portraits of a seed; they are made once."""
    folder = cache_folder() / "portraits" / f"{seed}-{count}-{size}"
    command = [sys.executable, "-m", "sample_data.generator.portraits", str(folder), "--seed", str(seed)]
    command += ["--count", str(count), "--size", str(size)]
    subprocess.run(command, check=True, cwd=ROOT, stdout=subprocess.DEVNULL)
    found = []
    for number, (file, _, has) in enumerate(read_attributes(folder / "attributes.csv").rows):
        known = {name: has[name] for name in ATTRIBUTES}
        found.append(Sitter(Path(file).stem, seed * MOST + number, read_image(folder / "pictures" / file), known))
    return Sitters(folder, found)


def crown(pixels: Pixels) -> Pixels:
    """The part of a picture that every hat covers."""
    side = len(pixels)
    rows, columns = (slice(round(part.start * side), round(part.stop * side)) for part in CROWN)
    return pixels[rows, columns]


def hue(pixels: Pixels) -> float:
    """Of the hat, in degrees: the direction of its mean colour in Lab."""
    _, a, b = rgb2lab(crown(pixels) / 255).mean((0, 1))
    return float(np.degrees(np.arctan2(b, a)))


def hue_apart(one: float, other: float) -> float:
    """Degrees from one hue to another, 0 to 180."""
    return abs((one - other + 180) % 360 - 180)
