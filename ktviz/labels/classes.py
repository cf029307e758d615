"""The classes of label maps: what their numbers mean, and in which colours they are drawn."""

from __future__ import annotations

import csv
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ktviz.errors import LabelError, MissingLabelError
from ktviz.files import replacing

Colour = tuple[int, int, int]
FIELDS = ("number", "name", "red", "green", "blue")
UNKNOWN = "unknown"
"""Name of the class of pixels that belong to none."""
MOST = 256
"""Classes of one list, at most: a label map takes one byte a pixel."""


@dataclass(frozen=True)
class Classes:
    """Classes in the order of their numbers, from 0.

    Attributes:
        names: Each once.
        colours: Red, green and blue of each, from 0 to 255, each once.

    Raises:
        LabelError: No class, too many, a name or a colour twice, or a colour that is none.

    Example:
        >>> Classes(("sky", "road"), ((70, 130, 180), (128, 64, 128))).number("road")
        1
    """

    names: Sequence[str]
    colours: Sequence[Colour]

    def __post_init__(self) -> None:
        asked = f"{len(self.names)} classes"
        object.__setattr__(self, "names", tuple(self.names))
        object.__setattr__(self, "colours", tuple(tuple(map(int, colour)) for colour in self.colours))
        if not 0 < len(self.names) <= MOST:
            raise LabelError(asked, f"not from 1 to {MOST}", "Give a name and a colour for each")
        if len(self.colours) != len(self.names):
            raise LabelError(asked, f"{len(self.colours)} colours", "Give one for each")
        for what in (self.names, self.colours):
            twice = [one for place, one in enumerate(what) if one in what[:place]]
            if twice:
                raise LabelError(asked, f"{twice[0]} twice", "Make them differ")
        for name, colour in zip(self.names, self.colours, strict=True):
            if len(colour) != 3 or not all(0 <= part <= 255 for part in colour):
                raise LabelError(f"class {name!r}", f"{colour} is no colour", "Give red, green, blue from 0 to 255")

    def __len__(self) -> int:
        return len(self.names)

    @property
    def unknown(self) -> int | None:
        """Number of the class of pixels that belong to none, if there is one."""
        return self.names.index(UNKNOWN) if UNKNOWN in self.names else None

    @classmethod
    def numbered(cls, count: int) -> Classes:
        """So many classes without names of their own, in colours that are easily told apart (Pascal VOC's).

        Example:
            >>> Classes.numbered(3).colours
            ((0, 0, 0), (128, 0, 0), (0, 128, 0))
        """
        return cls([f"class {number}" for number in range(count)], [voc_colour(number) for number in range(count)])

    def number(self, name: str) -> int:
        """Number of a class.

        Raises:
            LabelError: There is none of that name.

        Example:
            >>> Classes.numbered(3).number("class 2")
            2
        """
        if name not in self.names:
            raise LabelError(f"class {name!r}", f"there is none; known: {', '.join(self.names)}", "Name one of them")
        return self.names.index(name)

    def check_same(self, other: Classes, asked: str) -> None:
        """Compare with another list: both need the same names in the same order.

        Raises:
            LabelError: They differ; the message names the first difference.

        Example:
            >>> ours, other = (Classes(("sky", "road"), (first, (9, 9, 9))) for first in ((0, 0, 0), (70, 130, 180)))
            >>> ours.check_same(other, "paint a map")  # colours may differ
        """
        if self.names == other.names:
            return
        pairs = zip(self.names, other.names, strict=False)
        shorter = min(len(self), len(other))
        place = next((n for n, (ours, theirs) in enumerate(pairs) if ours != theirs), shorter)
        ours, theirs = (repr(one.names[place]) if place < len(one) else "nothing" for one in (self, other))
        raise LabelError(asked, f"class {place} is {theirs}, not {ours}", "Give label maps of the same classes")

    @classmethod
    def read(cls, path: str | os.PathLike[str]) -> Classes:
        """From a CSV file with the columns number, name, red, green, blue.

        Raises:
            LabelError: Missing, or something else; the message names the line.

        Example:
            >>> path = pathlib.Path(tempfile.mkdtemp()) / "classes.csv"
            >>> Classes.numbered(3).write(path)
            >>> Classes.read(path) == Classes.numbered(3)
            True
        """
        asked = f"classes {os.fspath(path)!r}"
        try:
            with open(path, newline="", encoding="utf-8-sig") as file:
                rows = list(csv.DictReader(file))
        except FileNotFoundError:
            raise MissingLabelError(asked, "there is no such file", "Check the path") from None
        except (OSError, UnicodeDecodeError, csv.Error) as error:
            raise LabelError(
                asked, f"it cannot be read ({error})", f"Give a CSV file with {', '.join(FIELDS)}"
            ) from None
        names, colours = [], []
        for number, row in enumerate(rows):
            try:
                if int(row["number"]) != number:
                    raise ValueError
                names.append(row["name"].strip())
                colours.append((int(row["red"]), int(row["green"]), int(row["blue"])))
            except (KeyError, TypeError, ValueError, AttributeError):
                found = f"line {number + 2} is not {number}, name, red, green, blue"
                raise LabelError(asked, found, "Number the classes from 0, one a line") from None
        return cls(names, colours)

    def write(self, path: str | os.PathLike[str]) -> None:
        """As `read` reads it.

        Example:
            >>> path = pathlib.Path(tempfile.mkdtemp()) / "classes.csv"
            >>> Classes.numbered(2).write(path)
            >>> path.read_text().splitlines()
            ['number,name,red,green,blue', '0,class 0,0,0,0', '1,class 1,128,0,0']
        """
        with replacing(Path(path)) as temporary, temporary.open("w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(FIELDS)
            for number, (name, colour) in enumerate(zip(self.names, self.colours, strict=True)):
                writer.writerow((number, name, *colour))


def voc_colour(number: int) -> Colour:
    """The colour of a class: three bits of its number are the highest bits of red, green and blue, the next three the
    next ones."""
    red, green, blue = (sum((number >> 3 * k + part & 1) << 7 - k for k in range(3)) for part in range(3))
    return red, green, blue
