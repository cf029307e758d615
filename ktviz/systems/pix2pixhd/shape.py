"""How large the networks of pix2pixHD are, and the published sizes."""

from __future__ import annotations

from dataclasses import dataclass

from torch import nn

from ktviz.labels.classes import MOST
from ktviz.systems.blocks.hourglass import Hourglass
from ktviz.systems.blocks.sizes import BLOCKS, CHANNELS, STEPS, check_sizes
from ktviz.systems.pix2pixhd.networks import Discriminators, LocalEnhancer
from ktviz.values import one_of

RANGES = {
    "classes": (1, MOST),
    "codes": (0, 256),
    "blocks": BLOCKS,
    "local_blocks": BLOCKS,
    **dict.fromkeys(("width", "encoder_width", "discriminator_width"), CHANNELS),
    "downs": STEPS,
    "encoder_downs": STEPS,
    "layers": (1, 8),
    "scales": (1, 8),
}
"""Of the sizes."""


@dataclass(frozen=True)
class Shape:
    """Sizes of the networks.

    Attributes:
        classes: Of a label map; each is a plane.
        coloured: Whether the generator reads label maps as colours, in three planes, instead (`--label_nc 0`).
        edges: Whether a plane says where objects end.
        codes: Numbers of an object's code; 0 for none, and no encoder.
        enhanced: Whether a local enhancer works at twice the size of the global generator.
        width: Channels of the generator at full size.
        downs: Steps down of the (global) generator.
        blocks: Its residual blocks.
        local_blocks: Of the enhancer.
        encoder_width: Channels of the encoder at full size.
        encoder_downs: Its steps down.
        discriminator_width: Channels of the discriminators' first layer.
        layers: Layers of a discriminator with a stride.
        scales: Discriminators.

    Raises:
        SettingError: A size outside its range.

    Example:
        >>> PUBLISHED["label2city_512p_feat"].inside
        39
    """

    classes: int = 35
    coloured: bool = False
    edges: bool = True
    codes: int = 0
    enhanced: bool = False
    width: int = 64
    downs: int = 4
    blocks: int = 9
    local_blocks: int = 3
    encoder_width: int = 16
    encoder_downs: int = 4
    discriminator_width: int = 64
    layers: int = 3
    scales: int = 2

    def __post_init__(self) -> None:
        check_sizes(self, RANGES)

    @property
    def shown(self) -> int:
        """Planes that say what is where: of classes or colours, and of edges."""
        return (3 if self.coloured else self.classes) + self.edges

    @property
    def inside(self) -> int:
        """Planes that the generator reads."""
        return self.shown + self.codes

    @property
    def stride(self) -> int:
        """What both sides of a picture have to be multiples of."""
        return 1 << max(self.downs + self.enhanced, self.encoder_downs if self.codes else 0)

    def generator(self) -> Hourglass | LocalEnhancer:
        """From planes to a picture, untrained."""
        if self.enhanced:
            return LocalEnhancer(self.inside, self.width, self.downs, self.blocks, self.local_blocks)
        return Hourglass(self.inside, 3, self.width, self.downs, self.blocks)

    def encoder(self) -> nn.Module:
        """From a photograph to codes, one for every pixel, untrained."""
        return Hourglass(3, self.codes, self.encoder_width, self.encoder_downs, 0)

    def discriminators(self) -> Discriminators:
        """Of label planes and a picture, untrained; they do not see the codes."""
        return Discriminators(self.shown + 3, self.discriminator_width, self.layers, self.scales)


PUBLISHED = {
    "label2city_512p": Shape(),
    "label2city_512p_feat": Shape(codes=3),
    "label2city_1024p": Shape(enhanced=True, width=32, scales=3),
    "label2city_1024p_feat": Shape(enhanced=True, width=32, scales=3, codes=3),
}
"""Those of the authors' experiments on Cityscapes."""


def named(configuration: Shape | str) -> Shape:
    """Sizes; or those of one of the authors' experiments, by its name.

    Raises:
        SettingError: Something else.
    """
    if isinstance(configuration, Shape):
        return configuration
    return PUBLISHED[one_of("a configuration", configuration, PUBLISHED)]


SMALL = Shape(
    classes=14,
    codes=3,
    enhanced=True,
    width=12,
    downs=3,
    blocks=3,
    local_blocks=1,
    encoder_width=8,
    encoder_downs=2,
    discriminator_width=24,
)
"""The one whose weights come with the package: 5 MB, for pictures of 512x256 px."""
