"""Looks: which centre every object of a picture takes, and why."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from ktviz.errors import SettingError, UnknownNameError
from ktviz.labels import class_of
from ktviz.labels.maps import Map
from ktviz.library.kinds.codes.clusters import distances
from ktviz.systems.pix2pixhd.centres import NOTHING, Centres
from ktviz.systems.pix2pixhd.codes import drawn
from ktviz.systems.pix2pixhd.objects import Numbers, PhotoObjects, Vectors, boxes_of
from ktviz.systems.pix2pixhd.settings import Settings

Places = dict[int, int]
Given = npt.NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Looks:
    """What the objects of a picture look like, by number of the object.

    Attributes:
        instances: (H, W), the number of an object at every pixel.
        number: (n,) of the objects.
        box: (n, 4) around each, in px.
        area: (n,) part of the picture that each covers.
        centres: What they choose from.
        centre: (n,) which each took; -1 where its class has none.
        wanted: (n, C) code that each was to be near to, NaN where there was none.
        ranked: (n,) bool, whether centres were compared by how near they are to that code; else each was as likely.
        given: (n,) bool, whether a person said what it takes.
    """

    instances: Map
    number: Numbers
    box: Vectors
    area: Vectors
    centres: Centres
    centre: Numbers
    wanted: Vectors
    ranked: Given
    given: Given

    @property
    def label(self) -> Numbers:
        """(n,) classes of the objects."""
        return class_of(self.number)

    @property
    def drawn(self) -> Given:
        """(n,) bool, whether a draw decided what each took."""
        found: Given = ~self.ranked & ~self.given & (self.centre >= 0)
        return found

    def codes(self) -> Tensor:
        """(n, C) float32: of the centres, 0 where there is none."""
        return codes_at(self.centres, self.centre, self.wanted.shape[1])

    def apart(self, place: int) -> Vectors:
        """Distance of all centres of an object's class that can be chosen, by number, from the code that it was to be
        near to; from its own where there was none. NaN where it has none either."""
        mine = self.centres.of_class(int(self.label[place]))
        wanted = self.wanted[place]
        if np.isnan(wanted).any() and self.centre[place] >= 0:
            wanted = self.centres.codes[self.centre[place]]
        return distances(self.centres.codes[mine], wanted)


def codes_at(centres: Centres, chosen: Numbers, size: int) -> Tensor:
    """Codes of chosen centres (n,): (n, size) float32, 0 where there is none."""
    found = torch.zeros(len(chosen), size)
    taken = chosen >= 0
    if taken.any():
        found[torch.from_numpy(taken)] = torch.from_numpy(centres.codes[chosen[taken]]).float()
    return found


def choose(
    instances: Map, centres: Centres, settings: Settings, size: int, reference: PhotoObjects | None = None
) -> Looks:
    """The look of every object.

    Where a centre cannot be chosen because all behind it was left out, the nearest that is left takes its place; so
    other objects keep theirs.

    Args:
        instances: Of the picture.
        centres: To choose from; with "encoded" each is one object of the reference.
        settings: How.
        size: Numbers of a code.
        reference: Whose objects' codes are wanted.

    Raises:
        UnknownNameError: `styles` or `copies` name an object or a centre that is not there.
        SettingError: `copies` name one of another class.
    """
    number, box, px = boxes_of(instances)
    label = class_of(number)
    wanted, ranked = np.full((len(number), size), np.nan), np.zeros(len(number), dtype=bool)
    centre = drawn_centres(number, label, centres, settings)
    if reference is not None:
        like = counterparts(number, label, box / np.tile(instances.shape[::-1], 2), reference)
        found = np.flatnonzero(like >= 0)
        wanted[found] = reference.codes[like[found]]
        ranked[found] = settings.choice in ("nearest", "encoded")
        if settings.choice == "encoded":
            centre[found] = reference.ranks[like[found]]
        elif settings.choice == "nearest":
            centre[found] = [centres.nearest(int(label[place]), wanted[place]) for place in found]
    given = override(centre, number, label, centres, settings)
    taken = np.flatnonzero(centre >= 0)
    for place in taken[~centres.there[centre[taken]]]:
        centre[place] = centres.nearest(int(label[place]), centres.codes[centre[place]])
    return Looks(instances, number, box, px / instances.size, centres, centre, wanted, ranked, given)


def drawn_centres(number: Numbers, label: Numbers, centres: Centres, settings: Settings) -> Numbers:
    """(n,) a centre for every object, drawn as published."""
    known = {of: np.empty((count, 0)) for of, count in centres.counts().items()}
    if settings.choice == "numbered":
        found: dict[int, int] = {}
        for one in number.tolist():
            found |= drawn(torch.tensor([one]), known, np.random.RandomState(one + 1))
    else:
        found = drawn(torch.from_numpy(number), known, np.random.RandomState(settings.seed))
    taken = [found[one] for one in number.tolist()]
    places = [centres.place(of, n) if n >= 0 else NOTHING for of, n in zip(label.tolist(), taken, strict=True)]
    return np.array(places, dtype=np.int64)


def override(centre: Numbers, number: Numbers, label: Numbers, centres: Centres, settings: Settings) -> Given:
    """Give objects what a person says they take: changes `centre`, and returns for which (n,)."""
    at = {int(one): place for place, one in enumerate(number)}
    for one, style in settings.styles.items():
        place = known(one, at)
        centre[place] = named_centre(one, style, int(label[place]), centres)
    copied = {known(one, at): copied_from(one, other, at, label) for one, other in settings.copies.items()}
    before = centre.copy()
    for place, other in copied.items():
        centre[place] = before[other]
    given: Given = np.isin(number, [*settings.styles, *settings.copies])
    return given


def counterparts(number: Numbers, label: Numbers, relative: Vectors, reference: PhotoObjects) -> Numbers:
    """Which object of a reference each object is like: that of its number, or else the nearest of its class by place.

    Places are middles of boxes, in parts of the pictures' sides; of equally near ones the first by number counts.

    Args:
        number: (n,) of the objects.
        label: (n,) their classes.
        relative: (n, 4) boxes around them, in parts of their picture's sides.
        reference: Whose objects.

    Returns:
        (n,) places among the reference's objects; -1 where it has none of the class.
    """
    theirs = reference.box / np.tile(reference.map.shape[::-1], 2)
    middle, other = (box[:, :2] + box[:, 2:] / 2 for box in (relative, theirs))
    same: Mapping[int, int] = {int(one): place for place, one in enumerate(reference.number)}
    found = np.full(len(number), NOTHING, dtype=np.int64)
    for place, one in enumerate(number.tolist()):
        of_class = np.flatnonzero(reference.label == label[place])
        if one in same:
            found[place] = same[one]
        elif len(of_class):
            found[place] = of_class[np.square(other[of_class] - middle[place]).sum(1).argmin()]
    return found


def known(number: int, at: Places) -> int:
    """The place of an object that a person names."""
    if number not in at:
        some = ", ".join(map(str, [*at][:8])) + (", ..." if len(at) > 8 else "")
        raise UnknownNameError(f"object {number}", f"the instance map has {some}", "Name one of these")
    return at[number]


def named_centre(number: int, style: int, label: int, centres: Centres) -> int:
    """The centre that a person names for an object."""
    count, name = centres.counts().get(label, 0), centres.classes.names[label]
    if not 0 <= style < count:
        has = f"has centres 0 to {count - 1}" if count else "has none"
        raise UnknownNameError(
            f"centre {style} for object {number}", f"its class, {name}, {has}", "Name one of its class"
        )
    return centres.place(label, style)


def copied_from(number: int, other: int, at: Places, label: Numbers) -> int:
    """The place of the object whose look another takes."""
    one, found = known(number, at), known(other, at)
    if label[one] != label[found]:
        raise SettingError(
            f"object {number} like {other}", "they are of different classes", "Copy a look within one class"
        )
    return found
