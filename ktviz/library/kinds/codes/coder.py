"""Coders: what banks of codes need of an encoder, whatever network it is."""

from __future__ import annotations

from typing import Protocol

from torch import Tensor

from ktviz.images import Pixels
from ktviz.labels import Classes
from ktviz.labels.maps import Map


class Coder(Protocol):
    """What makes codes.

    `digest` identifies it, `size` is the numbers of a code, `classes` are those of the label maps that it reads; None
    for a coder of whole pictures, which reads none.
    """

    @property
    def digest(self) -> str: ...

    @property
    def size(self) -> int: ...

    @property
    def classes(self) -> Classes | None: ...

    def encode(self, pixels: Pixels, labels: Map | None, instances: Map | None, /) -> Tensor:
        """The codes of a picture: (size, H, W) float, the same at all pixels of an object.

        Args:
            pixels: (H, W, 3) uint8.
            labels: (H, W) int64, the class of every pixel; None for a coder of whole pictures.
            instances: (H, W) int64, the object of every pixel; the label map where objects are not told apart.
        """
        ...
