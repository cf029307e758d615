"""The coder of a bank of codes: what the encoder says of the objects of a picture."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from ktviz.images import Pixels
from ktviz.labels import Classes
from ktviz.labels.maps import Map
from ktviz.networks.weights import module_digest
from ktviz.systems.pix2pixhd.trained import Networks


@dataclass(frozen=True, eq=False)
class Coder:
    """An encoder as banks of codes take it.

    Attributes:
        networks: Whose encoder.

    Example:
        >>> import numpy as np
        >>> from ktviz.systems.pix2pixhd.shape import Shape
        >>> coder = Coder(Networks(Shape(classes=4, codes=3, encoder_width=4, encoder_downs=2)))
        >>> labels = np.repeat([[1, 2]], 24, axis=0).repeat(12, axis=1)
        >>> coder.encode(np.zeros((24, 24, 3), np.uint8), labels, labels).shape
        torch.Size([3, 24, 24])
    """

    networks: Networks

    @property
    def digest(self) -> str:
        """Of the encoder's weights: a bank remembers what made its codes."""
        return module_digest(self.networks.encoder) if self.networks.encoder is not None else ""

    def made(self, digest: str) -> bool:
        """Whether a bank that remembers a digest was made with these weights, in whatever precision they are now."""
        encoder = self.networks.encoder
        return digest == self.digest or (encoder is not None and digest == module_digest(encoder, in_single=True))

    @property
    def size(self) -> int:
        """Numbers of a code."""
        return self.networks.shape.codes

    @property
    def classes(self) -> Classes:
        """Of the label maps."""
        return self.networks.classes

    def encode(self, pixels: Pixels, labels: Map | None, instances: Map | None) -> Tensor:
        """The code of every pixel's object: (codes, H, W), the same within an object; errors as `Networks.encode`."""
        assert instances is not None  # whose classes are stated are given maps
        return self.networks.encode(pixels, instances)
