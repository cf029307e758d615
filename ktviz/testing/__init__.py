"""A world so small that every answer is known by hand; for tests of ktviz and of what is built on it."""

from ktviz.testing.toy import COLOURS, SHADE, TWINS, CellColours, CellMeans, ToyWorld, toy_photo

__all__ = ["COLOURS", "SHADE", "TWINS", "CellColours", "CellMeans", "ToyWorld", "toy_photo"]
