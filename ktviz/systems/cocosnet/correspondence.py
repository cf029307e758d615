"""Which cells of the exemplar belong to which of the target: descriptors, and the warp that they give (section 3.1)."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ktviz.errors import SettingError
from ktviz.networks.threads import Conv2d
from ktviz.systems.blocks.norms import unit
from ktviz.systems.blocks.sizes import CHANNELS, NORMED, check_sizes
from ktviz.systems.blocks.spade import reflected
from ktviz.systems.cocosnet.features import AdaptiveFeatures

CELL_PX = 4


RANGES = {
    **dict.fromkeys(("classes", "width", "descriptor", "hidden"), CHANNELS),
    "features": NORMED,
    "kernel": (3, 4),
    "context": (1, 15),
}
"""Of the sizes."""


@dataclass(frozen=True)
class Shape:
    """Sizes and switches of a correspondence network.

    Attributes:
        classes: Planes of a label map.
        width: Channels of the feature nets' first layer.
        features: Channels of the features.
        descriptor: Channels of theta and phi.
        hidden: As in `Spade`.
        kernel: Side of the feature nets' convolutions with a stride.
        masks: Whether the label planes stand beside the features.
        context: Side of the window of cells that is compared: `match_kernel`.
        centring: Whether descriptors are less their own mean (`PONO_C`), or less the mean of all cells.

    Raises:
        SettingError: A size outside its range.
    """

    classes: int
    width: int = 64
    features: int = 256
    descriptor: int = 256
    hidden: int = 128
    kernel: int = 3
    masks: bool = True
    context: int = 3
    centring: bool = True

    def __post_init__(self) -> None:
        check_sizes(self, RANGES)
        if self.context % 2 == 0:
            raise SettingError(f"context {self.context}", "even, so it has no middle", "Give 3, as published")


class Residual(nn.Module):
    """Two convolutions with instance norm, added to what came in; one slope for both activations.

    Args:
        channels: That come in, and go out: (B, C, h, w) to the same.

    Example:
        >>> Residual(4)(torch.zeros(1, 4, 5, 7)).shape
        torch.Size([1, 4, 5, 7])
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv1, self.conv2 = Conv2d(channels, channels, 3), Conv2d(channels, channels, 3)
        self.prelu = nn.PReLU()

    def forward(self, features: Tensor) -> Tensor:
        changed = self.prelu(F.instance_norm(self.conv1(reflected(features))))
        added: Tensor = self.prelu(F.instance_norm(self.conv2(reflected(changed))) + features)
        return added


class Correspondence(nn.Module):
    """Descriptors of the cells of a label map and of an exemplar, in one domain.

    Example:
        >>> shape = Shape(classes=3, width=2, features=8, descriptor=4, hidden=4)
        >>> labels, exemplar = torch.zeros(1, 3, 32, 48), torch.zeros(1, 3, 32, 48)
        >>> target, source = Correspondence(shape)(labels, exemplar, labels)
        >>> target.shape
        torch.Size([1, 96, 36])
    """

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.shape = shape
        net = (shape.width, shape.features, shape.kernel, shape.hidden)
        self.adaptive_model_seg = AdaptiveFeatures(shape.classes, *net)
        self.adaptive_model_img = AdaptiveFeatures(3, *net)
        channels = shape.features + shape.classes * shape.masks
        self.layer = nn.Sequential(*(Residual(channels) for _ in range(4)))
        self.theta, self.phi = (Conv2d(channels, shape.descriptor, 1) for _ in range(2))

    def forward(self, labels: Tensor, exemplar: Tensor, exemplar_labels: Tensor) -> tuple[Tensor, Tensor]:
        """Descriptors of the cells of both: (B, cells, D) of length 1, row by row.

        Args:
            labels: Planes of the target's label map: (B, classes, H, W).
            exemplar: (B, 3, H, W) in [-1, 1].
            exemplar_labels: Planes of its label map; not read where the shape has no masks.
        """
        return self.of_target(labels), self.of_exemplar(exemplar, exemplar_labels)

    def of_target(self, labels: Tensor) -> Tensor:
        """Descriptors of the cells of a label map's planes: (B, cells, D)."""
        return self.descriptors(self.theta(self.mixed(self.of_labels(labels), labels)))

    def of_exemplar(self, exemplar: Tensor, labels: Tensor) -> Tensor:
        """The same of an exemplar and the planes of its label map."""
        return self.descriptors(self.phi(self.mixed(self.of_picture(exemplar), labels)))

    def of_labels(self, labels: Tensor) -> Tensor:
        """Features of label planes, each cell of length 1: (B, C, h, w)."""
        return unit(self.adaptive_model_seg(labels))

    def of_picture(self, picture: Tensor) -> Tensor:
        """The same of a picture."""
        return unit(self.adaptive_model_img(picture))

    def mixed(self, features: Tensor, labels: Tensor) -> Tensor:
        """Features beside the label planes, through the residual blocks."""
        beside = [cells_of_labels(labels)] * self.shape.masks
        mixed: Tensor = self.layer(torch.cat([features, *beside], 1))
        return mixed

    def descriptors(self, cells: Tensor) -> Tensor:
        """Windows of cells, centred, of length 1: (B, C, h, w) to (B, h * w, D)."""
        context = self.shape.context
        windows = F.unfold(cells, context, padding=context // 2)
        centred = windows - windows.mean(1 if self.shape.centring else 2, keepdim=True)
        return unit(centred).mT


@dataclass(frozen=True)
class Warp:
    """How target and exemplar mix each other's cells.

    Attributes:
        cosine: Of the descriptors of target cells and exemplar cells: (B, N, M).
        temperature: Smaller is sharper.
    """

    cosine: Tensor
    temperature: float = 0.01

    @cached_property
    def scaled(self) -> Tensor:
        """Cosines by temperature."""
        return self.cosine * (1 / self.temperature)

    @cached_property
    def parts(self) -> Tensor:
        """What every target cell takes of each exemplar cell: (B, N, M); rows sum to 1."""
        return torch.softmax(self.scaled, -1)

    def to_target(self, cells: Tensor) -> Tensor:
        """Cells of the exemplar, mixed for every cell of the target: (B, M, C) to (B, N, C)."""
        return self.parts @ cells

    def to_exemplar(self, cells: Tensor) -> Tensor:
        """Cells of the target, mixed for every cell of the exemplar: (B, N, C) to (B, M, C)."""
        return torch.softmax(self.scaled, -2).mT @ cells


def cells_of_labels(labels: Tensor) -> Tensor:
    """Label planes, one value a cell: (B, C, H, W) to (B, C, h, w)."""
    return F.interpolate(labels, scale_factor=1 / CELL_PX, mode="nearest")


def means(picture: Tensor) -> Tensor:
    """The mean of every cell: (B, C, H, W) to (B, cells, C)."""
    return F.avg_pool2d(picture, CELL_PX).flatten(2).mT


def patches(picture: Tensor) -> Tensor:
    """All pixels of every cell: (B, C, H, W) to (B, cells, C * 16)."""
    return F.unfold(picture, CELL_PX, stride=CELL_PX).mT


def picture_of_means(cells: Tensor, height: int, width: int, smooth: bool = False) -> Tensor:
    """A picture, (B, C, height, width) in px, from one value a cell."""
    small = cells.mT.reshape(len(cells), -1, height // CELL_PX, width // CELL_PX)
    if smooth:
        return F.interpolate(small, scale_factor=CELL_PX, mode="bilinear")
    return F.interpolate(small, scale_factor=CELL_PX, mode="nearest")


def picture_of_patches(cells: Tensor, height: int, width: int) -> Tensor:
    """A picture, (B, C, height, width) in px, from all pixels of every cell."""
    return F.fold(cells.mT, (height, width), CELL_PX, stride=CELL_PX)
