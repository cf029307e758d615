"""How large the networks of MUNIT are, and the published sizes."""

from __future__ import annotations

from dataclasses import dataclass

from ktviz.systems.blocks.sizes import BLOCKS, CHANNELS, STEPS, check_sizes
from ktviz.systems.munit.networks import STYLE_DOWNS, Discriminators, Generator

RANGES = {
    **dict.fromkeys(("width", "hidden", "discriminator_width"), CHANNELS),
    "downs": STEPS,
    "blocks": (1, BLOCKS[1]),
    "codes": (1, 256),
    "layers": (1, 8),
    "scales": (1, 8),
}
"""Of the sizes."""


@dataclass(frozen=True)
class Shape:
    """Sizes of the networks; the defaults are those of every published configuration.

    Attributes:
        width: Channels of the generators at full size.
        downs: Steps down of content encoder and decoder.
        blocks: Residual blocks of each.
        codes: Numbers of a style code.
        hidden: Numbers in a hidden layer of what turns codes into the decoder's norms.
        discriminator_width: Channels of the discriminators' first layer.
        layers: Their steps down.
        scales: Discriminators of a domain.

    Raises:
        SettingError: A size outside its range.

    Example:
        >>> Shape().stride
        16
    """

    width: int = 64
    downs: int = 2
    blocks: int = 4
    codes: int = 8
    hidden: int = 256
    discriminator_width: int = 64
    layers: int = 4
    scales: int = 3

    def __post_init__(self) -> None:
        check_sizes(self, RANGES)

    @property
    def stride(self) -> int:
        """Sides of pictures that are multiples of it need not be continued for any encoder."""
        return 1 << max(self.downs, STYLE_DOWNS)

    def generator(self) -> Generator:
        """All networks of one domain, untrained."""
        return Generator(self.width, self.downs, self.blocks, self.codes, self.hidden)

    def discriminators(self) -> Discriminators:
        """Of one domain, untrained."""
        return Discriminators(self.discriminator_width, self.layers, self.scales)


PUBLISHED = {"edges2shoes": Shape(), "edges2handbags": Shape()}
"""Those of the authors' experiments."""
SMALL = Shape(width=16, hidden=64, discriminator_width=24, layers=3)
"""The one whose weights come with the package: 4 MB, for pictures of 128x128 px."""
