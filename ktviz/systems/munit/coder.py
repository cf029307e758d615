"""The coder of a bank of styles: what the style encoder of a domain says of whole pictures."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from ktviz.images import Pixels
from ktviz.labels.maps import Map
from ktviz.networks.weights import module_digest
from ktviz.systems.munit.direction import Direction


@dataclass(frozen=True, eq=False)
class Coder:
    """A style encoder as banks of codes take it.

    Attributes:
        direction: To the domain whose pictures are encoded.

    Example:
        >>> import numpy as np
        >>> from ktviz.systems.munit.shape import Shape
        >>> from ktviz.systems.munit.trained import Networks
        >>> coder = Coder(Direction(Networks(Shape(width=4, blocks=1, hidden=8)), "b"))
        >>> coder.encode(np.zeros((24, 32, 3), np.uint8)).shape
        torch.Size([8, 24, 32])
    """

    direction: Direction
    classes = None
    """It takes whole pictures."""

    @property
    def digest(self) -> str:
        """Of the encoder's weights: a bank remembers what made its codes."""
        return module_digest(self.direction.there.enc_style)

    @property
    def size(self) -> int:
        """Numbers of a code."""
        return self.direction.codes

    def encode(self, pixels: Pixels, labels: Map | None = None, instances: Map | None = None) -> Tensor:
        """The code of a picture, at all of its pixels: (codes, H, W).

        Raises:
            WeightsError: The encoder made NaN.
        """
        return self.direction.code(pixels)[:, None, None].expand(-1, *pixels.shape[:2])
