"""What is known of the visible samples of one solid, and what its paint says of them."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from .convex import Frame

Array = np.ndarray


@dataclass
class Points:
    """Samples on a surface: where they are (given), and how they look (set by the paint).

    `ray` is the unit direction of sight, `width` a sample's size on the surface in metres, `face` the solid's face.
    `anchor` is where light is asked for: it stays on the wall's front where a paint digs a recess behind it, and `open`
    tells how much of the sun reaches the recess's bottom.
    """

    position: Array
    normal: Array
    ray: Array
    width: Array
    face: Array
    sun: Array
    instance: Array
    evening: float
    albedo: Array = field(init=False)
    gloss: Array = field(init=False)
    glow: Array = field(init=False)
    anchor: Array = field(init=False)
    open: Array = field(init=False)
    through: Array = field(init=False)

    def __post_init__(self) -> None:
        count = len(self.position)
        self.albedo = np.full((count, 3), 0.5, np.float32)
        self.gloss = np.zeros(count, np.float32)
        self.glow = np.zeros((count, 3), np.float32)
        self.anchor = self.position
        self.open = np.ones(count, np.float32)
        self.through = np.zeros(count, np.float32)

    def on_box(self, frame: Frame) -> tuple[Array, Array]:
        """Metres along and up each face of a box in a frame."""
        local, normal = frame.local(self.position), np.abs(frame.turn(self.normal))
        lying = normal[:, 1] > 0.7
        side = normal[:, 0] > normal[:, 2]
        across = np.where(side & ~lying, local[:, 2], local[:, 0])
        return across, np.where(lying, local[:, 2], local[:, 1])

    def tilt(self, frame: Frame, along: Array, up: Array) -> None:
        """Lean normals by slopes along and up a box's faces: bumps without geometry."""
        normal = frame.turn(self.normal)
        lying, side = np.abs(normal[:, 1]) > 0.7, np.abs(normal[:, 0]) > np.abs(normal[:, 2])
        zero = np.zeros_like(along)
        x = np.where(lying | ~side, along, zero)
        y = np.where(lying, zero, up)
        z = np.where(lying, up, np.where(side, along, zero))
        leaned = normal - np.stack([x, y, z], axis=1)
        leaned /= np.linalg.norm(leaned, axis=1, keepdims=True)
        self.normal = (leaned @ frame.axes).astype(np.float32)
