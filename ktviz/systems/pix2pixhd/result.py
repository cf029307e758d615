"""What a run made: the picture, and of every object which centre it took, out of which, and what is behind it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from ktviz.errors import MismatchError, UnknownNameError
from ktviz.images import Pixels
from ktviz.labels import Classes, class_of
from ktviz.labels.maps import Map
from ktviz.printing import counted
from ktviz.systems.pix2pixhd.drawing import drawn_map
from ktviz.systems.pix2pixhd.looks import Looks
from ktviz.systems.pix2pixhd.run import Run
from ktviz.systems.pix2pixhd.settings import Settings
from ktviz.trace.recorded import Recorded

COLUMNS = ["object", "class", "area", "centre", "code", "distances", "members", "drawn", "given"]


@dataclass(frozen=True)
class Effect:
    """How two pictures of one label map differ, in levels (0..255, mean over pixels and colours).

    Attributes:
        inside: Within the mask of an object.
        outside: Beyond it.
    """

    inside: float
    outside: float

    @property
    def ratio(self) -> float:
        """How many times larger it is inside; infinite where nothing changed outside."""
        return self.inside / self.outside if self.outside else np.inf if self.inside else 1.0


@dataclass(frozen=True, repr=False)
class Synthesis(Recorded):
    """The result. Where it was recorded, `trace` is its trace.

    Attributes:
        output: (H, W, 3) uint8.
        looks: Of the objects.
        run: What it was made of.
    """

    output: Pixels
    looks: Looks
    run: Run

    @property
    def settings(self) -> Settings:
        """As used."""
        return self.run.settings

    @property
    def classes(self) -> Classes:
        """Of the label map."""
        return self.looks.centres.classes

    @property
    def instances(self) -> Map:
        """(H, W) the number of an object at every pixel."""
        return self.looks.instances

    @property
    def labels(self) -> Map:
        """(H, W) the number of a class at every pixel."""
        return class_of(self.instances)

    @property
    def input(self) -> Pixels:
        """(H, W, 3) the label map in the colours of its classes, objects with dark outlines."""
        return drawn_map(self.instances, self.classes)

    @property
    def objects(self) -> pd.DataFrame:
        """Every object: its number, class, area (part of the picture), centre (number within the class; -1 for none),
        code, distances of all centres of its class, members behind its centre, whether a draw decided, or a person.
        """
        looks, codes = self.looks, self.looks.codes().numpy()
        members = np.append(np.zeros(len(looks.centres), int), 0)
        if looks.centres.members is not None:
            members[:-1] = looks.centres.sizes()
        numbers = np.append(looks.centres.number, -1)
        rows = [
            (
                int(looks.number[place]),
                self.classes.names[looks.label[place]],
                float(looks.area[place]),
                int(numbers[looks.centre[place]]),
                codes[place],
                looks.apart(place),
                int(members[looks.centre[place]]),
                bool(looks.drawn[place]),
                bool(looks.given[place]),
            )
            for place in range(len(looks.number))
        ]
        return pd.DataFrame(rows, columns=COLUMNS)

    @property
    def missing(self) -> list[str]:
        """Names of the classes in the picture that have no centre: their objects have no code (0)."""
        return [*self.uncovered]

    @property
    def uncovered(self) -> dict[str, float]:
        """By class without a centre, the part of the picture that its objects cover."""
        looks, names = self.looks, self.classes.names
        bare = (looks.centre < 0) & (looks.wanted.shape[1] > 0)  # networks without codes lack none
        return {names[n]: float(looks.area[bare & (looks.label == n)].sum()) for n in np.unique(looks.label[bare])}

    @property
    def drawn(self) -> list[str]:
        """Names of the classes whose objects were to be near to the reference's and were drawn: it has none of them."""
        labels = np.unique(self.looks.label[self.looks.drawn])
        return [self.classes.names[label] for label in labels] if self.settings.choice == "nearest" else []

    def mask(self, number: int) -> npt.NDArray[np.bool_]:
        """The pixels of an object: (H, W).

        Raises:
            UnknownNameError: There is no such object.
        """
        mask: npt.NDArray[np.bool_] = self.instances == number
        if not mask.any():
            raise UnknownNameError(f"object {number}", "the picture has none of that number", "See result.objects")
        return mask

    def __repr__(self) -> str:
        height, width = self.instances.shape
        drawn = f", drawn for {', '.join(self.drawn)}" if self.drawn else ""
        missing = f", no centres for {', '.join(self.missing)}" if self.missing else ""
        objects = f"{counted(len(self.looks.number), 'object')}, {self.settings.choice}"
        return f"Synthesis({width}x{height} px, {objects}{drawn}{missing})"

    def _repr_html_(self) -> str | None:
        """What a notebook shows."""
        from ktviz.figures.cards import run_card

        facts = [counted(len(self.looks.number), "object"), self.settings.choice, f"seed {self.settings.seed}"]
        facts += [f"drawn, as the reference has none, for {', '.join(self.drawn)}"] if self.drawn else []
        facts += [f"no centres, so no code, for {', '.join(self.missing)}"] if self.missing else []
        shown = {"Label map": self.input, "Output": self.output}
        if self.run.reference is not None:
            shown["Reference"] = self.run.reference.photo.pixels
        return run_card("Synthesis", facts, shown)


def effect(before: Synthesis, after: Synthesis, number: int) -> Effect:
    """What changed inside and outside an object between two pictures of one label map.

    Raises:
        MismatchError: Of two label maps.
        UnknownNameError: There is no such object.
    """
    if not np.array_equal(before.instances, after.instances):
        raise MismatchError("the effect on an object", "the pictures are of two label maps", "Give two of one")
    mask = before.mask(number)
    apart = np.abs(before.output.astype(np.int16) - after.output).mean(2)
    outside = float(apart[~mask].mean()) if not mask.all() else 0.0
    return Effect(float(apart[mask].mean()), outside)
