"""One direction of two domains: contents of pictures of the one, styles and pictures of the other, at any size.

Sides need not be multiples of the networks' strides: what an encoder sees is continued to the right and below by its
last pixels, and the picture is cut off there again.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from ktviz.images import Pixels, to_tensor
from ktviz.networks.running import check_finite, check_there, run
from ktviz.networks.threads import pointwise, threads_for
from ktviz.systems.blocks.margins import widened
from ktviz.systems.munit.networks import STYLE_DOWNS, Generator
from ktviz.systems.munit.trained import Networks

CELL_PX = 1 << STYLE_DOWNS
"""Side of a cell of the style encoder."""


@dataclass(frozen=True, eq=False)
class Direction:
    """Networks as one direction uses them.

    Attributes:
        networks: Of both domains.
        to: The domain of what is made.

    Example:
        >>> import numpy as np
        >>> from ktviz.systems.munit.shape import Shape
        >>> direction = Direction(Networks(Shape(width=4, blocks=1, hidden=8)), "b")
        >>> picture = np.zeros((40, 50, 3), np.uint8)
        >>> direction.paint(direction.content(picture), torch.zeros(8), (40, 50)).shape, direction.cells(picture).shape
        (torch.Size([3, 40, 50]), torch.Size([12, 8]))
    """

    networks: Networks
    to: str

    @property
    def there(self) -> Generator:
        """The networks of the domain of what is made."""
        return self.networks.of(self.to)

    @property
    def here(self) -> Generator:
        """Those of the other domain."""
        return self.networks.of(self.networks.other(self.to))

    @property
    def codes(self) -> int:
        """Numbers of a style code."""
        return self.networks.shape.codes

    @torch.no_grad()
    def content(self, pixels: Pixels) -> Tensor:
        """What a picture of the other domain shows: (1, C, h, w)."""
        seen = widened(2 * to_tensor(pixels) - 1, 1 << self.networks.shape.downs)
        with threads_for(cells_of(seen)):
            found = run(self.here.content, seen)
        check_finite(found, "content encoder")
        return found

    @torch.no_grad()
    def features(self, pixels: Pixels) -> Tensor:
        """What the style encoder sees in every cell of a picture: (C, h, w)."""
        seen = widened(2 * to_tensor(pixels) - 1, CELL_PX, cells=1)
        with threads_for(cells_of(seen)):
            found = run(self.there.enc_style.cells, seen)[0]
        check_finite(found, "style encoder")
        return found

    def cells(self, pixels: Pixels) -> Tensor:
        """What every cell of a picture says of its style: (cells, codes) float64.

        The code is their mean, and the bias: the encoder's last layer is linear, so it may as well come before the mean
        over cells as after it.
        """
        weight = last_layer(self.there).weight.detach().cpu().double()
        return pointwise(self.features(pixels).double()[None], weight, None)[0].flatten(1).T

    @property
    def bias(self) -> Tensor:
        """What a code is without any cell: (codes,) float64."""
        bias = last_layer(self.there).bias
        return torch.zeros(self.codes).double() if bias is None else bias.detach().cpu().double()

    def code(self, pixels: Pixels) -> Tensor:
        """The style of a picture: (codes,) float32."""
        return (self.cells(pixels).mean(0) + self.bias).float()

    def paint(self, content: Tensor, code: Tensor, size: tuple[int, int]) -> Tensor:
        """A picture of a content (1, C, h, w) in a style (codes,): (3, H, W) in [0, 1], with a derivative by the code.

        Raises:
            WeightsError: The decoder made NaN.
        """
        with threads_for(content[0, 0].numel()):
            made = run(self.there.decode, content, code.float()[None])
        check_finite(made, "decoder")
        return made[0, :, : size[0], : size[1]] / 2 + 0.5

    @torch.no_grad()
    def adapted(self, code: Tensor) -> dict[str, float]:
        """How a style adapts every layer of the decoder: mean size of the shifts, and mean of the scales."""
        decoder = self.there.dec
        styles = decoder.styles(run(self.there.mlp, code.float()[None]))
        found = {}
        for number, (shift, scale) in enumerate(styles, 1):
            found[f"shift_{number}"] = float(shift.abs().double().mean())
            found[f"scale_{number}"] = float(scale.double().mean())
        return found


def last_layer(generator: Generator) -> torch.nn.Conv2d:
    """The last layer of a style encoder, from means over cells to the code; errors as in `check_there`."""
    check_there(generator)
    last = generator.enc_style.model[-1]
    assert isinstance(last, torch.nn.Conv2d)
    return last


def cells_of(seen: Tensor) -> int:
    """Cells of 4x4 px of what a network sees (1, 3, H, W)."""
    return seen[0, 0].numel() // 16
