"""The recipe for MUNIT, from two folders of pictures that do not belong together.

Generators of both domains learn together, against discriminators at several scales, with the published losses (Huang et
al. 2018, section 5). What is kept is a moving average.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from statistics import fmean
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ktviz.errors import SettingError
from ktviz.images import Pixels
from ktviz.systems.munit.losses import (
    Half,
    Weights,
    half,
    half_losses,
    same_features,
    taken_for_real,
    told_apart,
)
from ktviz.systems.munit.shape import SMALL, Shape
from ktviz.systems.munit.trained import Networks
from ktviz.training import adversarial
from ktviz.training.adversarial import Losses
from ktviz.training.evaluate import psnr
from ktviz.training.perceptual import Perceptual
from ktviz.training.ranges import check_kind, check_shares
from ktviz.training.sheet import sheet
from ktviz.training.unpaired import Domain, Unpaired

SHOWN, STYLES = 6, 4
"""Pictures that a preview shows, and drawn styles of each."""
MEASURED = 8
"""Pictures of each domain on which the fixed network is scaled."""
Both = tuple[Tensor, Tensor]


@dataclass(frozen=True)
class Recipe(adversarial.Recipe):
    """Settings of a run; those of `ktviz.training.adversarial.Recipe`, and

    Attributes:
        coarse: Share of the steps, at the beginning, at half the size and with four times the batch.
        weights: Of the losses.
        shape: Sizes of the networks.
    """

    steps: int = 20_000
    constant: float = 0.6
    crop: tuple[int, int] = (128, 128)
    learning_rate: float = 2e-4
    discriminator_rate: float = 2e-4
    coarse: float = 0.6
    weights: Weights = field(default_factory=lambda: Weights(cycle=10.0))
    shape: Shape = SMALL

    def __post_init__(self) -> None:
        super().__post_init__()
        check_shares(self, "coarse")
        check_kind(self, "weights", Weights)
        check_kind(self, "shape", Shape)
        coarsest = self.shape.layers + self.shape.scales - 1 + (self.coarse > 0)
        self.check_crop(max(64, 1 << coarsest), 2 * self.shape.stride)  # discriminators halve it as often
        if self.crop[0] != self.crop[1]:
            raise SettingError(f"crop {self.crop}", "not a square", f"Give ({min(self.crop)}, {min(self.crop)})")


def train(
    folders: tuple[Path, Path],
    out: Path,
    *,
    recipe: Recipe,
    evaluation: Mapping[str, Path],
    resume: bool = False,
    device: str = "cpu",
    quiet: bool = False,
) -> dict[str, Any]:
    """Train the generators of two domains.

    Args:
        folders: Pictures of each domain, which is called what its folder is.
        out: The run's folder: `generators.safetensors`, `log.json`, `preview/`, `checkpoint.pt`.
        recipe: Settings.
        evaluation: Named folders to score at the end, each with a folder of held-out pictures for both domains.
        resume: Go on from `out/checkpoint.pt`.
        device: "cpu" or "cuda".
        quiet: No progress bars.

    Returns:
        The log, as written to `out/log.json`.

    Raises:
        TrainingError: A checkpoint is missing, already there, or of another recipe; the folders have one name; the loss
            is no longer finite.
        SettingError: The device is unknown.
        ImageError: A picture, or one to score, cannot be read.
    """
    return Run(folders, out, recipe, device, quiet).train(resume, evaluation)


class Run(adversarial.Run[Recipe, Networks, Both, Unpaired]):
    """One training run of the generators of two domains."""

    BETAS = (0.5, 0.999)
    DECAY = 1e-4

    def __init__(self, folders: tuple[Path, Path], out: Path, recipe: Recipe, device: str, quiet: bool) -> None:
        self.recipe, self.quiet = recipe, quiet
        self.pictures = self.read(folders)
        digest = " ".join(domain.digest for domain in self.pictures.domains)
        origin = {"domains": [domain.name for domain in self.pictures.domains], "data": digest}
        super().__init__(out, recipe, self.pictures, origin, device, quiet)
        self.fixed = Perceptual(torch.cat(self.pictures.first(MEASURED))).to(device)

    def read(self, folders: tuple[Path, Path]) -> Unpaired:
        """The pictures of both domains."""
        side = self.recipe.crop[0]
        return Unpaired([Domain(folder, side, self.quiet) for folder in folders], side, self.recipe.seed)

    def networks(self) -> tuple[Networks, nn.Module]:
        shape = self.recipe.shape
        makers = Networks(shape, [domain.name for domain in self.pictures.domains]).train().requires_grad_(True)
        discriminators = nn.ModuleList([shape.discriminators(), shape.discriminators()])
        return makers.apply(start_kaiming), discriminators.apply(start_small)

    def draw(self) -> Both:
        """Pictures of each domain, at half the size while the run is coarse."""
        coarse = self.loop.step < self.recipe.steps * self.recipe.coarse
        first, second = self.pictures.batch(self.recipe.batch << 2 * coarse)
        if coarse:
            first, second = F.avg_pool2d(first, 2), F.avg_pool2d(second, 2)
        return first.to(self.device), second.to(self.device)

    def forward(self, drawn: Both) -> tuple[Losses, Callable[[], Losses]]:
        a, b = drawn
        styles = [torch.randn(len(a), self.recipe.shape.codes, device=self.device) for _ in range(2)]
        there, back = half(self.makers.a, self.makers.b, a, styles[1]), half(self.makers.b, self.makers.a, b, styles[0])
        losses = {
            f"{name} {key}": loss
            for key, found, judge in (("ab", there, self.judge(1)), ("ba", back, self.judge(0)))
            for name, loss in self.half_losses(found, judge).items()
        }
        judged = partial(self.discriminators_losses, (back.other.detach(), there.other.detach()), drawn)
        return losses, judged

    def judge(self, domain: int) -> nn.Module:
        """The discriminators of a domain."""
        return self.discriminators[domain]  # type: ignore[index, no-any-return]

    def half_losses(self, found: Half, judge: nn.Module) -> Losses:
        """What the generators are to lower in one direction, weighted."""
        weights = self.recipe.weights
        judge.requires_grad_(False)
        real = taken_for_real(in_single(judge(found.other)))
        judge.requires_grad_(True)
        losses = half_losses(found, weights) | {"adversarial": self.judgement * weights.adversarial * real}
        if weights.perceptual:
            made, given = self.fixed(found.other)[-1].float(), self.fixed(found.x)[-1].float()
            losses["perceptual"] = weights.perceptual * same_features(made, given)
        return losses

    def discriminators_losses(self, fake: Both, real: Both) -> Losses:
        """What the discriminators are to lower."""
        return {
            f"discriminators {name}": told_apart(in_single(self.judge(k)(fake[k])), in_single(self.judge(k)(real[k])))
            for k, name in enumerate("ab")
        }

    @torch.no_grad()
    def preview(self) -> Pixels:
        """Pictures of each domain, again, in drawn styles of the other one, and in those of its pictures."""
        a, b = (part.to(self.device) for part in self.pictures.first(SHOWN))
        network = self.average.network
        codes = torch.randn(STYLES, self.recipe.shape.codes, generator=torch.Generator().manual_seed(0)).to(self.device)
        rows = []
        for here, there, x, others in ((network.a, network.b, a, b), (network.b, network.a, b, a)):
            content = here.content(x)
            again = here.decode(content, here.style(x))
            drawn = [there.decode(content, code[None].expand(len(x), -1)) for code in codes]
            rows.append(sheet([x, again, *drawn, others, there.decode(content, there.style(others))]))
        return np.concatenate(rows, 0)

    def kept(self) -> Networks:
        return self.average.network.cpu().eval()

    def save(self, networks: Networks) -> None:
        networks.save(self.out)

    def counts(self) -> dict[str, int]:
        return {domain.name: len(domain.pictures) for domain in self.pictures.domains}

    def held_out(self, folder: Path) -> tuple[str, Unpaired]:
        """Digest and pictures of folders that are to be scored, named as those of the training."""
        first, second = (domain.name for domain in self.pictures.domains)
        found = self.read((folder / first, folder / second))
        return " ".join(domain.digest for domain in found.domains), found

    @torch.no_grad()
    def score(self, networks: Networks, pictures: Unpaired) -> dict[str, float]:
        """PSNR in dB of pictures that are made again from their own content and style, by domain: means."""
        found = {}
        side = pictures.side_px
        for domain in pictures.domains:
            network, apart = networks.of(domain.name), []
            for picture in domain.pictures:
                x = torch.from_numpy(picture[:side, :side].copy()).permute(2, 0, 1)[None].float() / 127.5 - 1
                again = network.decode(network.content(x), network.style(x))
                apart.append(psnr((again + 1) / 2, (x + 1) / 2))
            found[f"psnr of {domain.name}"] = round(fmean(apart), 3)
        return found


def in_single(maps: list[list[Tensor]]) -> list[list[Tensor]]:
    """What discriminators say, in float32."""
    return [[layer.float() for layer in scale] for scale in maps]


def start_kaiming(module: nn.Module) -> None:
    """The published initial weights of generators: Kaiming's, and no bias."""
    if isinstance(module, (nn.Conv2d, nn.Linear)):
        nn.init.kaiming_normal_(module.weight, 0, "fan_in")
        if module.bias is not None:
            nn.init.zeros_(module.bias)


def start_small(module: nn.Module) -> None:
    """The published initial weights of discriminators: a normal distribution with a deviation of 0.02, and no bias."""
    if isinstance(module, nn.Conv2d):
        nn.init.normal_(module.weight, 0.0, 0.02)
        if module.bias is not None:
            nn.init.zeros_(module.bias)
