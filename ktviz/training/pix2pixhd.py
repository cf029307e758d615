"""The recipe for pix2pixHD, from a folder of photographs with label and instance maps.

Generator and encoder learn together, against discriminators at several scales, as published (Wang et al. 2018, section
3): least squares, features alike in the discriminators and in a fixed network. What is kept is a moving average.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from statistics import fmean
from typing import Any

import torch
from torch import Tensor, nn

from ktviz.errors import SettingError
from ktviz.images import Pixels, file_digest
from ktviz.labels import Classes
from ktviz.systems.pix2pixhd.losses import discriminator_loss, generator_loss
from ktviz.systems.pix2pixhd.planes import edges, one_hot, region_means
from ktviz.systems.pix2pixhd.shape import Shape
from ktviz.systems.pix2pixhd.trained import Networks
from ktviz.training.average import Average
from ktviz.training.evaluate import structural_similarity
from ktviz.training.loop import Loop
from ktviz.training.pairs import Batch, Pair, Pairs, pairs_digest, read_pairs
from ktviz.training.perceptual import Perceptual
from ktviz.training.precision import fast_type
from ktviz.training.recipe import check_device, fast_arithmetic
from ktviz.training.sheet import coloured, sheet

LEVELS = (1 / 32, 1 / 16, 1 / 8, 1 / 4, 1.0)
"""Weights of the fixed network's levels, finest first."""
MEASURED, SHOWN = 8, 4
"""Pairs on which the fixed network is scaled, and that a preview shows."""


@dataclass(frozen=True)
class Recipe:
    """Settings of a run.

    Attributes:
        steps: Updates.
        constant: Share of them at the full learning rate; then it falls to zero in a straight line.
        batch: Crops per update.
        crop: Height and width of a crop in px.
        whole: Share of the steps, at the end, that see whole pictures instead of crops.
        seed: Seeds the initial weights and the crops.
        learning_rate: Of Adam, for generator and encoder (published: 2e-4), and
        discriminator_rate: for the discriminators.
        perceptual: Weight of the fixed network's features.
        pixels: Weight of the pixels' mean difference, which the published losses do without: small networks learn
            sooner from it which number of a code stands for which colour.
        decay: Of the moving average.
        shape: Sizes of the networks.
    """

    steps: int = 12_000
    constant: float = 0.6
    batch: int = 1
    crop: tuple[int, int] = (256, 256)
    whole: float = 0.2
    seed: int = 7
    learning_rate: float = 4e-4
    discriminator_rate: float = 2e-4
    perceptual: float = 10.0
    pixels: float = 10.0
    decay: float = 0.999
    shape: Shape = field(default_factory=Shape)

    def __post_init__(self) -> None:
        for name in ("steps", "batch"):
            if not getattr(self, name) >= 1:
                raise SettingError(f"{name} {getattr(self, name)}", "less than 1", "Give a positive number")
        for name in ("constant", "whole", "decay"):
            if not 0 <= getattr(self, name) <= 1:
                raise SettingError(f"{name} {getattr(self, name)}", "not from 0 to 1", "Give for example 0.5")
        multiple = 1 << (self.shape.downs + self.shape.enhanced)
        if any(side < 64 or side % multiple for side in self.crop):
            raise SettingError(f"crops of {self.crop} px", f"not multiples of {multiple} from 64", "Give (256, 256)")

    def rate(self, step: int) -> float:
        """The learning rates at `step`, relative to those of the recipe."""
        falling = self.steps * (1 - self.constant)
        return min(1.0, (self.steps - step) / falling) if falling else 1.0


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
        TrainingError: A checkpoint is missing, already there, or of another recipe; the loss is no longer finite.
        ImageError, LabelError: The pairs cannot be read.
    """
    run = Run(folder, out, classes, recipe, device, quiet)
    run.loop.restore() if resume else run.loop.begin()
    with fast_arithmetic(device):
        run.loop.run(recipe.steps, recipe.rate, run.update)
    return run.finish(evaluation)


class Run:
    """One training run: its networks and its position."""

    def __init__(self, folder: Path, out: Path, classes: Classes, recipe: Recipe, device: str, quiet: bool) -> None:
        check_device(device)
        torch.manual_seed(recipe.seed)
        self.out, self.classes, self.recipe, self.device, self.quiet = out, classes, recipe, device, quiet
        self.makers = Networks(recipe.shape, classes).train().requires_grad_(True)
        self.discriminators = recipe.shape.discriminators()
        for network in (self.makers, self.discriminators):
            network.apply(start_small)
            network.to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.average = Average(self.makers, recipe.decay)
        self.pairs = Pairs(self.read(folder), recipe.crop, recipe.seed)
        self.fixed = Perceptual(self.some(MEASURED).photo).to(device)
        rates, betas = (recipe.learning_rate, recipe.discriminator_rate), (0.5, 0.999)
        self.makers_step = torch.optim.Adam(self.makers.parameters(), rates[0], betas)
        self.discriminators_step = torch.optim.Adam(self.discriminators.parameters(), rates[1], betas)
        self.loop = Loop(
            out,
            {"recipe": asdict(recipe), "data": pairs_digest(folder)},
            {"makers": self.makers, "discriminators": self.discriminators, "average": self.average},
            [(self.makers_step, rates[0]), (self.discriminators_step, rates[1])],
            self.pairs,
            device,
            quiet,
            self.preview,
        )

    @property
    def whole(self) -> tuple[int, int]:
        """The largest size that all pairs have and the networks take: whole pictures, where these are alike."""
        stride, sizes = self.recipe.shape.stride, [pair.size for pair in self.pairs.pairs]
        return min(h for h, _ in sizes) // stride * stride, min(w for _, w in sizes) // stride * stride

    def some(self, count: int) -> Batch:
        """A crop of each of the first pairs: no draws, so the same when a run goes on."""
        return Pairs(self.pairs.pairs, self.recipe.crop, 0).batch(range(min(count, len(self.pairs.pairs))))

    def update(self) -> dict[str, Tensor]:
        """A step of generator and encoder, then one of the discriminators."""
        recipe = self.recipe
        if self.loop.step >= recipe.steps * (1 - recipe.whole):
            self.pairs.size = self.whole
        batch = self.pairs.batch([self.pairs.draw() for _ in range(recipe.batch)]).to(self.device)
        with torch.autocast(self.device, torch.bfloat16, enabled=fast_type(self.device) == torch.bfloat16):
            planes = planes_of(batch, recipe.shape)
            fake = made(self.makers, planes, batch)
            losses = self.makers_losses(planes, fake, batch.photo)
        self.makers_step.zero_grad()
        torch.stack(list(losses.values())).sum().backward()
        self.makers_step.step()
        self.average.update(self.makers)
        with torch.autocast(self.device, torch.bfloat16, enabled=fast_type(self.device) == torch.bfloat16):
            apart, real = self.seen(planes, fake.detach()), self.seen(planes, batch.photo)
            losses["discriminators"] = discriminator_loss(apart, real)
        self.discriminators_step.zero_grad()
        losses["discriminators"].backward()
        self.discriminators_step.step()
        return {name: loss.detach() for name, loss in losses.items()}

    def makers_losses(self, planes: Tensor, fake: Tensor, photo: Tensor) -> dict[str, Tensor]:
        """What generator and encoder are to lower, weighted."""
        with torch.no_grad():
            real, true = self.seen(planes, photo), self.fixed(photo)
        self.discriminators.requires_grad_(False)
        adversarial = generator_loss(self.seen(planes, fake), real)
        self.discriminators.requires_grad_(True)
        apart = [w * (a - b).abs().mean() for w, a, b in zip(LEVELS, self.fixed(fake), true, strict=True)]
        return {
            "adversarial": adversarial,
            "perceptual": self.recipe.perceptual * torch.stack(apart).sum(),
            "pixels": self.recipe.pixels * (fake - photo).abs().mean(),
        }

    def seen(self, planes: Tensor, picture: Tensor) -> list[list[Tensor]]:
        """What the discriminators see, in float32."""
        maps = self.discriminators(torch.cat([planes, picture], 1))
        return [[layer.float() for layer in scale] for scale in maps]

    @torch.no_grad()
    def preview(self) -> Pixels:
        """Label maps, what the average makes of them, and the photographs."""
        batch = self.some(SHOWN).to(self.device)
        fake = made(self.average.network, planes_of(batch, self.recipe.shape), batch)
        return sheet([coloured(batch.labels, self.classes), fake, batch.photo])

    def finish(self, evaluation: Mapping[str, Path]) -> dict[str, Any]:
        """Write float16 weights of the average, score them, write the log."""
        networks = self.average.network.cpu().eval()
        networks.save(self.out)
        scores = {
            name: {"digest": pairs_digest(path), **score(networks, self.read(path))}
            for name, path in evaluation.items()
        }
        digests = {path.stem: file_digest(path) for path in sorted(self.out.glob("*.safetensors"))}
        return self.loop.write_log({"pairs": len(self.pairs.pairs)}, digests, scores)

    def read(self, folder: Path) -> list[Pair]:
        """Pairs of the same classes."""
        return read_pairs(folder, self.classes, quiet=self.quiet)


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


@torch.no_grad()
def score(networks: Networks, pairs: Sequence[Pair]) -> dict[str, float]:
    """PSNR in dB and SSIM of pictures made with their photographs' own codes: means."""
    psnr, ssim = [], []
    for pair in pairs:
        batch = Pairs([pair], pair.size, 0).batch([0])
        fake, true = (
            (x.clamp(-1, 1) + 1) / 2 for x in (made(networks, planes_of(batch, networks.shape), batch), batch.photo)
        )
        psnr.append(-10 * float((fake - true).square().mean().clamp(min=1e-10).log10()))
        ssim.append(structural_similarity(fake, true))
    return {"pairs": len(pairs), "psnr": round(fmean(psnr), 3), "ssim": round(fmean(ssim), 4)}


def start_small(module: nn.Module) -> None:
    """The published initial weights: a normal distribution with a deviation of 0.02."""
    if isinstance(module, (nn.Conv2d, nn.ConvTranspose2d)):
        nn.init.normal_(module.weight, 0.0, 0.02)
