"""How large the networks of bridging are, and the published sizes."""

from __future__ import annotations

from dataclasses import dataclass

from ktviz.errors import SettingError
from ktviz.systems.blocks.sizes import BLOCKS, CHANNELS, STEPS, check_sizes
from ktviz.systems.bridge.networks import Discriminator, Encoder, Generator, Mapping

CODE_PX = 2
"""Side of a cell of a code."""
RANGES = {
    **dict.fromkeys(("width", "hidden", "encoder_width", "discriminator_width"), CHANNELS),
    **dict.fromkeys(("downs", "discriminator_downs"), STEPS),
    "ups": (1, STEPS[1]),
    "encoder_blocks": BLOCKS,
    "side": (4, 4096),
    "attributes": (1, 1024),
    "noise": (1, 1024),
}
"""Of the sizes."""


@dataclass(frozen=True)
class Shape:
    """Sizes of the networks; the defaults are the published ones.

    Attributes:
        side: Of a picture in px.
        attributes: How many there are.
        noise: Numbers of it.
        width: Channels of the generator at full size.
        downs: Its steps down.
        hidden: Channels between a code and the norms that it sets.
        encoder_width: Channels of the encoder at full size; codes have twice as many.
        encoder_blocks: Its residual blocks.
        ups: Steps up of what makes codes of labels.
        discriminator_width: Channels of the discriminator at full size.
        discriminator_downs: Its steps down.
        leaking: Whether the generator lets a fifth of what is below 0 through to its last layer.
        code_norms: Whether codes are normed, and the blocks of the encoder.

    Raises:
        SettingError: A size outside its range; or the side is no multiple of what the steps divide it by, or leaves a
            norm less than 2x2 cells.

    Example:
        >>> Shape().codes, Shape().start
        (32, 4)
    """

    side: int = 128
    attributes: int = 14
    noise: int = 16
    width: int = 32
    downs: int = 3
    hidden: int = 128
    encoder_width: int = 16
    encoder_blocks: int = 3
    ups: int = 4
    discriminator_width: int = 16
    discriminator_downs: int = 4
    leaking: bool = False
    code_norms: bool = True

    def __post_init__(self) -> None:
        check_sizes(self, RANGES)
        step = 1 << max(self.downs, self.discriminator_downs, self.ups + 1)
        least = max(step, 2 << max(self.downs, self.ups + 1))
        if self.side < least or self.side % step:
            found = f"not a multiple of {step} from {least} on"
            raise SettingError(f"pictures of {self.side} px", found, f"Give {4 * step}")

    @property
    def codes(self) -> int:
        """Channels of a code."""
        return 2 * self.encoder_width

    @property
    def start(self) -> int:
        """Side of the map from which codes of labels grow."""
        return self.side // CODE_PX >> self.ups

    def encoder(self) -> Encoder:
        """Codes of pictures, untrained."""
        return Encoder(self.attributes, self.encoder_width, self.encoder_blocks, self.code_norms)

    def mapping(self) -> Mapping:
        """Codes of labels, untrained."""
        return Mapping(self.attributes, self.noise, self.codes, self.ups, self.start, self.code_norms)

    def generator(self) -> Generator:
        """Pictures of codes, untrained."""
        return Generator(self.codes, self.width, self.downs, self.hidden, self.leaking)

    def discriminator(self) -> Discriminator:
        """What judges pictures, untrained."""
        return Discriminator(self.attributes, self.discriminator_width, self.discriminator_downs, self.side)


SMALL = Shape(
    side=96,
    attributes=9,
    noise=21,
    width=16,
    downs=2,
    hidden=32,
    encoder_blocks=2,
    ups=3,
    discriminator_width=12,
    leaking=True,
    code_norms=False,
)
"""The one whose weights come with the package, for portraits of 96x96 px."""
