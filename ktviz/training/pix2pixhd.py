"""The recipe for pix2pixHD, from a folder of photographs with label and instance maps.

Generator and encoder learn together, against discriminators at several scales, as published (Wang et al. 2018, section
3): least squares, features alike in the discriminators and in a fixed network. What is kept is a moving average.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from ktviz.errors import SettingError
from ktviz.images import Pixels
from ktviz.labels import Classes
from ktviz.systems.blocks.levels import across_levels
from ktviz.systems.blocks.planes import one_hot
from ktviz.systems.pix2pixhd.losses import discriminator_loss, generator_loss
from ktviz.systems.pix2pixhd.planes import edges, region_means
from ktviz.systems.pix2pixhd.shape import SMALL, Shape
from ktviz.systems.pix2pixhd.trained import Networks
from ktviz.training import adversarial
from ktviz.training.adversarial import Losses
from ktviz.training.maps import MEASURED, MapsRun
from ktviz.training.pairs import Batch, Pair, Pairs, read_pairs
from ktviz.training.perceptual import Perceptual
from ktviz.training.polish import lattice_loss
from ktviz.training.ranges import check_kind, check_shares, check_weights
from ktviz.training.sheet import sheet, shown

LATTICE_PX = 8
"""What a lattice repeats in, or in a half or a quarter of it."""
SHOWN = 4
"""Pairs that a preview shows."""


@dataclass(frozen=True)
class Recipe(adversarial.Recipe):
    """Settings of a run; those of `ktviz.training.adversarial.Recipe`, and

    Attributes:
        whole: Share of the steps, at the end, that see whole pictures instead of crops.
        lattice: Weight, while polishing, of the lattice that steps up leave: detail that repeats every 8 px.
        perceptual: Weight of the fixed network's features.
        pixels: Weight of the pixels' mean difference, which the published losses do without: small networks learn
            sooner from it which number of a code stands for which colour.
        shape: Sizes of the networks, which are for maps of classes and have codes.
    """

    steps: int = 14_000
    whole: float = 0.15
    polish: float = 0.2
    lattice: float = 4.0
    perceptual: float = 10.0
    pixels: float = 10.0
    shape: Shape = SMALL

    def __post_init__(self) -> None:
        super().__post_init__()
        check_shares(self, "whole")
        check_weights(self, "perceptual", "pixels", "lattice")
        check_kind(self, "shape", Shape)
        if not self.shape.codes:
            raise SettingError("train pix2pixHD", "a shape without codes", "Give Shape(codes=3)")
        if self.shape.coloured:
            raise SettingError("train pix2pixHD", "a shape for label maps as colours", "Give Shape(coloured=False)")
        self.check_crop(max(64, 2 * self.shape.stride), self.shape.stride)


def train(
    folder: Path,
    out: Path,
    *,
    classes: Classes,
    recipe: Recipe,
    evaluation: Mapping[str, Path],
    resume: bool = False,
    device: str = "cpu",
    quiet: bool = False,
) -> dict[str, Any]:
    """Train generator and encoder.

    Args:
        folder: Of pairs; see `ktviz.training.pairs.read_pairs`.
        out: The run's folder: `generator.safetensors`, `encoder.safetensors`, `log.json`, `preview/`, `checkpoint.pt`.
        classes: Of the label maps.
        recipe: Settings.
        evaluation: Named folders of held-out pairs to score at the end.
        resume: Go on from `out/checkpoint.pt`.
        device: "cpu" or "cuda".
        quiet: No progress bars.

    Returns:
        The log, as written to `out/log.json`.

    Raises:
        TrainingError: A checkpoint is missing, already there, or of another recipe; a pair is too small; the
            table of looks cannot be used; the loss is no longer finite.
        SettingError: The recipe's shape is for another number of classes, or the device is unknown.
        ImageError, LabelError: The pairs, or those to score, cannot be read.
    """
    return Run(folder, out, classes, recipe, device, quiet).train(resume, evaluation)


class Run(MapsRun[Recipe, Networks, Batch]):
    """One training run of generator and encoder."""

    BETAS = (0.5, 0.999)

    def __init__(self, folder: Path, out: Path, classes: Classes, recipe: Recipe, device: str, quiet: bool) -> None:
        super().__init__(folder, out, classes, recipe, {"classes": asdict(classes)}, device, quiet)
        self.fixed = Perceptual(self.some().batch(self.first(MEASURED)).photo).to(self.device)

    def networks(self) -> tuple[Networks, nn.Module]:
        shape = self.recipe.shape
        makers, discriminators = Networks(shape, self.classes).train().requires_grad_(True), shape.discriminators()
        return makers.apply(start_normal), discriminators.apply(start_normal)

    def read(self, folder: Path) -> list[Pair]:
        return read_pairs(folder, self.classes, quiet=self.quiet)

    @property
    def whole(self) -> tuple[int, int]:
        """The largest size that all pairs have and the networks take: whole pictures, where these are alike."""
        return self.largest([pair.size for pair in self.pairs.pairs])

    def largest(self, sizes: Sequence[tuple[int, int]]) -> tuple[int, int]:
        """The largest height and width that all of some sizes hold and the networks take."""
        stride = self.recipe.shape.stride
        height, width = (min(sides) // stride * stride for sides in zip(*sizes, strict=True))
        return height, width

    def draw(self) -> Batch:
        if self.loop.step >= self.recipe.steps * (1 - self.recipe.whole):
            self.pairs.size = self.whole
        return self.pairs.batch([self.pairs.draw() for _ in range(self.recipe.batch)]).to(self.device)

    def forward(self, drawn: Batch) -> tuple[Losses, Callable[[], Losses]]:
        planes = planes_of(drawn, self.recipe.shape)
        fake = made(self.makers, planes, drawn)
        losses = self.makers_losses(planes, fake, drawn.photo)
        return losses, partial(self.discriminators_losses, planes, fake.detach(), drawn.photo)

    def makers_losses(self, planes: Tensor, fake: Tensor, photo: Tensor) -> Losses:
        """What generator and encoder are to lower, weighted."""
        with torch.no_grad():
            real, true = self.seen(planes, photo), self.fixed(photo)
        self.discriminators.requires_grad_(False)
        deceived = generator_loss(self.seen(planes, fake), real)
        self.discriminators.requires_grad_(True)
        apart = across_levels(lambda a, b: (a - b).abs().mean(), self.fixed(fake), true)
        losses = {
            "adversarial": self.judgement * deceived,
            "perceptual": self.recipe.perceptual * apart,
            "pixels": self.recipe.pixels * (fake - photo).abs().mean(),
        }
        if self.polishing:
            losses["lattice"] = self.recipe.lattice * lattice_loss(fake, LATTICE_PX)
        return losses

    def discriminators_losses(self, planes: Tensor, fake: Tensor, photo: Tensor) -> Losses:
        """What the discriminators are to lower."""
        return {"discriminators": discriminator_loss(self.seen(planes, fake), self.seen(planes, photo))}

    def seen(self, planes: Tensor, picture: Tensor) -> list[list[Tensor]]:
        """What the discriminators see, in float32."""
        maps = self.discriminators(torch.cat([planes, picture], 1))
        return [[layer.float() for layer in scale] for scale in maps]

    @torch.no_grad()
    def preview(self) -> Pixels:
        """Label maps, what the average makes of them, and the photographs."""
        batch = self.some().batch(self.first(SHOWN)).to(self.device)
        fake = made(self.average.network, planes_of(batch, self.recipe.shape), batch)
        return sheet([shown(batch.labels, self.classes), fake, batch.photo])

    def kept(self) -> Networks:
        return self.average.network.cpu().eval()

    def save(self, networks: Networks) -> None:
        networks.save(self.out)

    def compared(self, networks: Networks, pairs: Sequence[Pair]) -> Iterator[tuple[Tensor, Tensor]]:
        """Pictures made with their photographs' own codes, of the largest part that the networks take."""
        for pair in pairs:
            batch = Pairs([pair], self.largest([pair.size]), 0).batch([0])
            yield made(networks, planes_of(batch, networks.shape), batch), batch.photo


def planes_of(batch: Batch, shape: Shape) -> Tensor:
    """What generator and discriminators read of the maps."""
    border = [edges(batch.instances)] * shape.edges
    return torch.cat([one_hot(batch.labels, shape.classes), *border], 1)


def made(networks: Networks, planes: Tensor, batch: Batch) -> Tensor:
    """Photographs again, of their maps and of a code for every object: (B, 3, h, w) in [-1, 1], float32."""
    assert networks.encoder is not None
    codes = region_means(networks.encoder(batch.photo).float(), batch.instances)
    picture: Tensor = networks.generator(torch.cat([planes, codes], 1))
    return picture.float()


def start_normal(module: nn.Module) -> None:
    """The published initial weights: a normal distribution with a deviation of 0.02."""
    if isinstance(module, (nn.Conv2d, nn.ConvTranspose2d)):
        nn.init.normal_(module.weight, 0.0, 0.02)
