"""What tests of ktviz need, and of what is built on it: a world so small that every answer is known by hand, and one
suite for every system."""

from ktviz.testing.checking import CHECKS, check_system
from ktviz.testing.toy import COLOURS, SHADE, TWINS, CellColours, CellMeans, ToyWorld, toy_photo
from ktviz.testing.trial import Trial

__all__ = [
    "CHECKS",
    "COLOURS",
    "SHADE",
    "TWINS",
    "CellColours",
    "CellMeans",
    "ToyWorld",
    "Trial",
    "check_system",
    "toy_photo",
]
