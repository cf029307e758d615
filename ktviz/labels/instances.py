"""Instance maps: which object every pixel belongs to, checked against the label map."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
import numpy.typing as npt

from ktviz.errors import LabelError
from ktviz.labels.classes import MOST, Classes
from ktviz.labels.maps import Map, as_numbers, coded, void_as_unknown

if TYPE_CHECKING:
    from torch import Tensor

Numbers = TypeVar("Numbers", int, npt.NDArray[np.int64], "Tensor")
COUNTED = 1000
"""Numbers of objects from here on hold their class and a count."""


def class_of(numbers: Numbers) -> Numbers:
    """The class of an object, or of each of an array or a tensor of objects, of any shape.

    Example:
        >>> class_of(7), class_of(26003)
        (7, 26)
        >>> class_of(np.array([7, 26003])).tolist()
        [7, 26]
    """
    return numbers // (1 + (COUNTED - 1) * (numbers >= COUNTED))


def as_instances(instances: Any, labels: Map, classes: Classes) -> Map:
    """An instance map that agrees with a label map: (H, W) int64, the number of an object at every pixel.

    Numbers from 1000 on say their class, and must agree with the label map. A map whose numbers are all below that
    either repeats the classes, or only counts. So do colours, unless they agree as the numbers that `write_map` makes
    colours of. What is only counted is numbered anew, class by class, and pixels of the class "unknown" become one
    region. Where the label map says "unknown", 255 stands for it.

    Args:
        instances: As in `as_labels`; None for one object a class.
        labels: Of the same picture.
        classes: Of the label map.

    Raises:
        LabelError: Of another size, an object that is not of its class or of two classes, with the place, or several
            that are counted of class 0, whose numbers would be those of other classes.

    Example:
        >>> labels = np.repeat([[0, 1]], 16, axis=0).repeat(8, axis=1)
        >>> classes = Classes(("sky", "car"), ((0, 0, 255), (200, 0, 0)))
        >>> np.unique(as_instances(labels * 7 + 3, labels, classes)).tolist()
        [0, 1000]
    """
    if instances is None:
        return labels
    values, asked = as_numbers(instances, "instance map")
    coloured = values.ndim == 3
    numbers = coded(values) if coloured else values
    if numbers.shape != labels.shape:
        sizes = [f"{width}x{height}" for height, width in (numbers.shape, labels.shape)]
        raise LabelError(asked, f"{sizes[0]} px, and its label map {sizes[1]}", "Give both of one picture")
    if numbers.min() < 0:
        raise LabelError(asked, f"a number of {int(numbers.min())}", "Number objects from 0")
    known = np.where(labels == classes.unknown, void_as_unknown(numbers, classes), numbers)
    wrong = class_of(known) != labels
    if not wrong.any():
        return known
    if coloured or numbers.max() < COUNTED:
        return counted(numbers, labels, classes, asked, coloured)
    y, x = np.argwhere(wrong)[0]
    number, label = int(known[y, x]), classes.names[labels[y, x]]
    found = f"object {number} at x {x}, y {y} is of class {class_of(number)}, and the label map says {label}"
    todo = f"Give the label map of the same picture; objects that are only counted, below {COUNTED} or in colours"
    raise LabelError(asked, found, todo)


def counted(values: Map, labels: Map, classes: Classes, asked: str, coloured: bool) -> Map:
    """Objects that are only counted, numbered anew: class times 1000 and a count, in the order of their numbers."""
    numbers, rank = np.unique(values, return_inverse=True)
    found, places = np.unique(rank.reshape(values.shape) * MOST + labels, return_inverse=True)
    pairs, places = np.stack([numbers[found // MOST], found % MOST], -1), places.reshape(values.shape)
    check_one_class(pairs, places, classes, asked, coloured)
    fresh = np.empty(len(pairs), np.int64)
    for label in np.unique(pairs[:, 1]).tolist():
        mine = np.flatnonzero(pairs[:, 1] == label)
        name = f"{len(mine)} objects of class {label}, {classes.names[label]}"
        if label == classes.unknown:
            fresh[mine] = label
        elif len(mine) > COUNTED:
            raise LabelError(asked, name, f"Join them to {COUNTED}")
        elif len(mine) > 1 and label == 0:
            second = f"{name}, the second {at(places == mine[1])}: numbers below {COUNTED} are not counted"
            raise LabelError(asked, second, "Join them, or begin the list of classes with one that is not counted")
        else:
            fresh[mine] = label * COUNTED + np.arange(len(mine))
    return fresh[places]


def check_one_class(pairs: Map, places: Map, classes: Classes, asked: str, coloured: bool) -> None:
    """Raise LabelError, with the first pixel, if one of the pairs of object and class (n, 2) has the object of another.

    Args:
        pairs: In order.
        places: (H, W), which of them is where.
        classes: Their names.
        asked: Name of the map in messages.
        coloured: Whether objects are called by colours.
    """
    place = next((n for n in range(1, len(pairs)) if pairs[n, 0] == pairs[n - 1, 0]), None)
    if place is not None:
        number = int(pairs[place, 0])
        called = f"of colour {tuple(number >> shift & 255 for shift in (16, 8, 0))}" if coloured else number
        one, other = (classes.names[pairs[n, 1]] for n in (place - 1, place))
        found = f"object {called} is {one} and {other}, the latter {at(places == place)}"
        raise LabelError(asked, found, "Give every object a number of its own, or class times 1000 and a count")


def at(mask: npt.NDArray[np.bool_]) -> str:
    """The first pixel of a mask, in words."""
    y, x = np.argwhere(mask)[0]
    return f"at x {x}, y {y}"
