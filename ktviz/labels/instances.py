"""Instance maps: which object every pixel belongs to, checked against the label map."""

from __future__ import annotations

from typing import Any

import numpy as np

from ktviz.errors import LabelError
from ktviz.labels.classes import Classes
from ktviz.labels.maps import Map, as_numbers, coded

COUNTED = 1000
"""Numbers of objects from here on hold their class and a count."""


def class_of(number: int) -> int:
    """The class of an object.

    Example:
        >>> class_of(7), class_of(26003)
        (7, 26)
    """
    return number if number < COUNTED else number // COUNTED


def as_instances(instances: Any, labels: Map, classes: Classes) -> Map:
    """An instance map that agrees with a label map: (H, W) int64, the number of an object at every pixel.

    Numbers from 1000 on say their class, and must agree with the label map. A map whose numbers are all below that
    either repeats the classes, or only counts: then its objects are numbered anew, class by class.

    Args:
        instances: As in `as_labels`; None for one object a class.
        labels: Of the same picture.
        classes: Of the label map.

    Raises:
        LabelError: Of another size, or an object that is not of its class, with the place.

    Example:
        >>> labels = np.repeat([[0, 1]], 16, axis=0).repeat(8, axis=1)
        >>> classes = Classes(("sky", "car"), ((0, 0, 255), (200, 0, 0)))
        >>> np.unique(as_instances(labels * 7 + 3, labels, classes)).tolist()
        [0, 1000]
    """
    if instances is None:
        return labels
    values, asked = as_numbers(instances, "instance map")
    if values.ndim == 3:
        values = coded(values)
    if values.shape != labels.shape:
        sizes = [f"{width}x{height}" for height, width in (values.shape, labels.shape)]
        raise LabelError(asked, f"{sizes[0]} px, and its label map {sizes[1]}", "Give both of one picture")
    if values.min() < 0:
        raise LabelError(asked, f"a number of {int(values.min())}", "Number objects from 0")
    if values.max() >= COUNTED or np.array_equal(values, labels):
        check_agree(values, labels, classes, asked)
        return values
    return counted(values, labels, classes, asked)


def check_agree(values: Map, labels: Map, classes: Classes, asked: str) -> None:
    """Raise LabelError, with the first pixel, unless every object's number says the class that the label map says."""
    said = np.where(values < COUNTED, values, values // COUNTED)
    if (wrong := said != labels).any():
        y, x = np.argwhere(wrong)[0]
        number, label = int(values[y, x]), classes.names[labels[y, x]]
        found = f"object {number} at x {x}, y {y} is of class {class_of(number)}, and the label map says {label}"
        raise LabelError(asked, found, "Give the label map of the same picture")


def counted(values: Map, labels: Map, classes: Classes, asked: str) -> Map:
    """Objects that are only counted, numbered anew: class times 1000 and a count, in the order of their numbers."""
    pairs, places = np.unique(np.stack([values, labels], -1).reshape(-1, 2), axis=0, return_inverse=True)
    twice = next((n for n in range(1, len(pairs)) if pairs[n, 0] == pairs[n - 1, 0]), None)
    if twice is not None:
        one, other = (classes.names[pairs[n, 1]] for n in (twice - 1, twice))
        found = f"object {pairs[twice, 0]} is {one} and {other}"
        raise LabelError(asked, found, "Give every object a number of its own, or class times 1000 and a count")
    fresh = np.empty(len(pairs), np.int64)
    for label in np.unique(pairs[:, 1]):
        mine = np.flatnonzero(pairs[:, 1] == label)
        if len(mine) > COUNTED:
            raise LabelError(asked, f"{len(mine)} objects of class {classes.names[label]}", f"Join them to {COUNTED}")
        fresh[mine] = label * COUNTED + np.arange(len(mine)) * (label > 0)  # of class 0, no number can be told apart
    return fresh[places].reshape(values.shape)
