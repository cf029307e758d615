"""From a label map and an exemplar to a picture: descriptors, warp, condition, generator; at any size.

Networks take sides in whole cells, the generator in whole cells of its coarsest features. A picture is continued by
reflection, a label map and the warp by their last pixels; what comes out is cut back. Target and exemplar keep their
own sizes: cells of one are compared with cells of the other, however many there are.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

import torch
from torch import Tensor
from torch.nn import functional as F

from ktviz.images import Pixels, to_tensor
from ktviz.labels.maps import Map
from ktviz.networks.running import check_finite, run
from ktviz.networks.threads import threads_for
from ktviz.systems.blocks.planes import one_hot
from ktviz.systems.cocosnet.blockwise import Mixture, mixed
from ktviz.systems.cocosnet.configuration import Configuration
from ktviz.systems.cocosnet.correspondence import (
    CELL_PX,
    means,
    patches,
    picture_of_means,
    picture_of_patches,
)
from ktviz.systems.cocosnet.exemplar import Exemplar
from ktviz.systems.cocosnet.generator import COARSEST_PX
from ktviz.systems.cocosnet.networks import Networks

LEAST_PX = 2 * COARSEST_PX
"""Shortest side that the generator can take: reflection needs two of its coarsest cells."""


@dataclass(frozen=True, eq=False)
class Passage:
    """A label map and an exemplar on their way to a picture; what is worked out once is kept.

    Attributes:
        networks: Both.
        labels: (H, W) of the target.
        exemplar: What is warped.
    """

    networks: Networks
    labels: Map
    exemplar: Exemplar = field(repr=False)

    @property
    def size(self) -> tuple[int, int]:
        """Height and width of the target in px."""
        return self.labels.shape[0], self.labels.shape[1]

    @property
    def grid(self) -> tuple[int, int]:
        """Rows and columns of its cells."""
        return -(-self.size[0] // CELL_PX), -(-self.size[1] // CELL_PX)

    @cached_property
    def planes(self) -> Tensor:
        """The target's label planes, in whole cells: (1, planes, h, w)."""
        return planes_of(self.labels, self.networks.configuration.planes)

    @cached_property
    def picture(self) -> Tensor:
        """The exemplar, in whole cells: (1, 3, h, w) in [-1, 1]."""
        return as_seen(self.exemplar.pixels)

    @cached_property
    @torch.no_grad()
    def target(self) -> Tensor:
        """Descriptors of the target's cells: (N, D)."""
        with threads_for(self.grid[0] * self.grid[1]):
            found = run(self.networks.correspondence.of_target, self.planes)[0]
        check_finite(found, "correspondence network")
        return found

    @cached_property
    @torch.no_grad()
    def source(self) -> Tensor:
        """Descriptors of the exemplar's cells: (M, D)."""
        labels, count = self.exemplar.labels, self.networks.configuration.planes
        height, width = self.picture.shape[-2:]
        planes = torch.zeros(1, count, height, width) if labels is None else planes_of(labels, count)
        with threads_for(len(self.exemplar.catalogue)):
            found = run(self.networks.correspondence.of_exemplar, self.picture, planes)[0]
        check_finite(found, "correspondence network")
        return found

    @cached_property
    def values(self) -> Tensor:
        """What is warped: mean colours of the exemplar's cells, or whole cells: (M, 3) or (M, 48)."""
        return values_of(self.picture, self.networks.configuration)[0]

    def mean(self, forbidden: Tensor | None = None) -> Tensor:
        """The exemplar's mean colour, of the cells that may be used, as a cell: (1, 3) or (1, 48)."""
        colours = means(self.picture)[0]
        kept = colours if forbidden is None else colours[~forbidden]
        return kept.double().mean(0, keepdim=True).float().repeat_interleave(self.values.shape[1] // 3, 1)

    def mixture(self, temperature: float, top: int, forbidden: Tensor | None = None) -> Mixture:
        """What every cell of the target takes; see `mixed`."""
        return mixed(self.target, self.source, self.values, temperature, top, forbidden)

    def warped(self, cells: Tensor) -> Tensor:
        """The picture that cells (N, V) make: (1, 3, H, W) in [-1, 1], in whole cells."""
        height, width = self.planes.shape[-2:]
        return picture_of(cells[None], height, width, self.networks.configuration)

    def painted(self, cells: Tensor) -> Tensor:
        """What the generator makes of cells (N, V): (3, H, W) in [0, 1], differentiable by them."""
        condition = torch.cat((self.warped(cells), self.planes), 1)
        height, width = (max(LEAST_PX, -(-side // COARSEST_PX) * COARSEST_PX) for side in condition.shape[-2:])
        with threads_for(len(cells)):
            made = run(self.networks.generator, continued(condition, height, width, "replicate"))
        check_finite(made, "generator")
        return (made[0, :, : self.size[0], : self.size[1]] + 1) / 2


def values_of(picture: Tensor, configuration: Configuration) -> Tensor:
    """What is warped of a picture (B, 3, h, w): mean colours of its cells, or whole cells; (B, M, 3) or (B, M, 48)."""
    return patches(picture) if configuration.patches else means(picture)


def picture_of(cells: Tensor, height: int, width: int, configuration: Configuration) -> Tensor:
    """The picture that warped cells, (B, N, 3) or (B, N, 48), make: (B, 3, height, width)."""
    if configuration.patches:
        return picture_of_patches(cells, height, width)
    return picture_of_means(cells, height, width, configuration.smooth)


def planes_of(labels: Map, count: int) -> Tensor:
    """The planes of a label map, in whole cells: (1, count, h, w) float32, one 1 at every pixel."""
    return whole_cells(one_hot(torch.from_numpy(labels)[None, None], count), "replicate")


def as_seen(pixels: Pixels) -> Tensor:
    """A picture as networks see it, in whole cells: (1, 3, h, w) in [-1, 1]."""
    return whole_cells(2 * to_tensor(pixels) - 1, "reflect")


@torch.no_grad()
def features_of(networks: Networks, pixels: Pixels) -> Tensor:
    """Features of a picture in the domain that label maps and pictures have in common: (1, C, h, w)."""
    seen = as_seen(pixels)
    with threads_for(seen[0, 0].numel() // CELL_PX**2):
        return run(networks.correspondence.of_picture, seen)


def whole_cells(planes: Tensor, mode: str) -> Tensor:
    """Planes, continued to whole cells."""
    height, width = (-(-side // CELL_PX) * CELL_PX for side in planes.shape[-2:])
    return continued(planes, height, width, mode)


def continued(planes: Tensor, height: int, width: int, mode: str) -> Tensor:
    """Planes (1, C, h, w), continued to the right and below."""
    return F.pad(planes, (0, width - planes.shape[-1], 0, height - planes.shape[-2]), mode=mode)
