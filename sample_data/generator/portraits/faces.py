"""Who is in a portrait: a person, and attributes that can be there or not, each in a shade or shape of its own."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

Array = np.ndarray
ATTRIBUTES = ("Dark_Hair", "Blond_Hair", "Red_Hair", "Fringe", "Smile", "Glasses", "Hat", "Beard", "Old")
HAIR = ATTRIBUTES[:3]
"""Of which everybody has one."""
ODDS = {"Fringe": 0.45, "Smile": 0.5, "Glasses": 0.35, "Hat": 0.3, "Beard": 0.35, "Old": 0.35}


@dataclass(frozen=True)
class Person:
    """What no attribute says.

    Attributes:
        skin: From 0, light, to 1, dark.
        wide: Of the head, in half sides.
        jaw: From 0, round, to 1, square.
        eyes: Hue of the irises in degrees.
        apart: Half the distance of the eyes.
        nose: Size, from 0 to 1.
        brows: Thickness, from 0 to 1.
        length: Of the hair, from 0, short, to 1, to the shoulders.
        wall: Hue of the background in degrees, and
        cloth: of the clothes.
        collar: Kind of the clothes, from 0 to 1.
    """

    skin: float
    wide: float
    jaw: float
    eyes: float
    apart: float
    nose: float
    brows: float
    length: float
    wall: float
    cloth: float
    collar: float


@dataclass(frozen=True)
class Shades:
    """How the attributes look, whether they are there or not; all from 0 to 1.

    Attributes:
        hair: Shade within the colour of the hair.
        fringe: From swept to the left over straight to swept to the right.
        smile: From closed to laughing.
        glasses: Hue of the frame, and
        frame: its form, from round to square.
        hat: Hue, and
        crown: its form, from a cap to a hat with a brim.
        beard: From short to long.
        age: From some lines to white hair.
    """

    hair: float
    fringe: float
    smile: float
    glasses: float
    frame: float
    hat: float
    crown: float
    beard: float
    age: float


@dataclass(frozen=True)
class Face:
    """A portrait as it is to be painted."""

    person: Person
    shades: Shades
    attributes: dict[str, bool] = field(default_factory=dict)

    def has(self, attribute: str) -> bool:
        return self.attributes[attribute]


def person(rng: np.random.Generator) -> Person:
    """Anybody."""
    return Person(
        float(rng.beta(1.2, 1.6)),
        float(rng.uniform(0.42, 0.48)),
        float(rng.uniform(0, 1)),
        float(rng.choice([28, 35, 90, 150, 205, 215])) + float(rng.uniform(-8, 8)),
        float(rng.uniform(0.17, 0.2)),
        float(rng.uniform(0, 1)),
        float(rng.uniform(0, 1)),
        float(rng.uniform(0, 1)),
        float(rng.uniform(0, 360)),
        float(rng.uniform(0, 360)),
        float(rng.uniform(0, 1)),
    )


def shades(rng: np.random.Generator) -> Shades:
    """Any shades."""
    return Shades(*(float(part) for part in rng.uniform(0, 1, 9)))


def attributes(rng: np.random.Generator) -> dict[str, bool]:
    """Any attributes; of the colours of hair exactly one."""
    colour = HAIR[int(rng.integers(len(HAIR)))]
    found = {name: name == colour for name in HAIR}
    return found | {name: bool(rng.random() < odds) for name, odds in ODDS.items()}
