"""The recipe for CoCosNet, from a folder of photographs with label maps.

Correspondence and generator learn together, against discriminators at two scales, with the published losses (Zhang et
al. 2020, section 3.4). The published exemplars are pictures that a list calls alike. Where pairs name their look, there
is better: a picture of the same look in another layout, for which the right answer is known, as it is where the
exemplar is the target itself in another crop. What is kept is a moving average.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from functools import partial
from pathlib import Path
from statistics import fmean
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ktviz.errors import SettingError
from ktviz.images import Pixels, file_digest
from ktviz.labels import Classes
from ktviz.systems.cocosnet.configuration import Configuration
from ktviz.systems.cocosnet.correspondence import Warp, means, picture_of_means
from ktviz.systems.cocosnet.discriminator import Discriminators
from ktviz.systems.cocosnet.losses import (
    Weights,
    cycled,
    discriminator_losses,
    generator_losses,
    masked_labels,
    per_sample,
)
from ktviz.systems.cocosnet.networks import Networks
from ktviz.systems.pix2pixhd.planes import one_hot
from ktviz.training.average import Average
from ktviz.training.evaluate import structural_similarity
from ktviz.training.loop import Loop
from ktviz.training.pairs import Batch, Pair, Pairs, pairs_digest, read_pairs
from ktviz.training.perceptual import Perceptual
from ktviz.training.precision import fast_type
from ktviz.training.recipe import check_device, fast_arithmetic
from ktviz.training.sheet import coloured, sheet
from ktviz.training.warps import bends

BENDING = 0.5
"""How strongly an exemplar is bent that is the target itself; see `ktviz.training.warps`."""
MEASURED, SHOWN = 8, 6
"""Pairs on which the fixed network is scaled, and that a preview shows."""
EPSILON = 1e-6
"""Of Adam; the published 1e-3 would hold back gradients as small as those of narrow networks."""


@dataclass(frozen=True)
class Recipe:
    """Settings of a run.

    Attributes:
        steps: Updates.
        constant: Share of them at the full learning rates; then these fall to zero in a straight line.
        coarse: Share of the steps, at the beginning, at half the size and with twice the batch.
        batch: Pairs per update.
        crop: Height and width of a crop in px.
        warmup: Updates before the discriminators take part.
        itself: Share of the exemplars that are the target itself, in another crop and bent, and
        alike: that are another picture of its look, where there is one; all others are any picture.
        seed: Seeds the initial weights and the crops.
        learning_rate: Of Adam, for correspondence and generator, and
        discriminator_rate: for the discriminators.
        pixels: Weight of the pixels' mean difference where the right answer is known; the published losses do without.
        decay: Of the moving average.
        discriminator_width: Channels of their first layer.
        weights: Of the losses; features of the fixed network are brought to an RMS of 1, so other ones than published.
    """

    steps: int = 12_000
    constant: float = 0.6
    coarse: float = 0.6
    batch: int = 2
    crop: tuple[int, int] = (256, 256)
    warmup: int = 500
    itself: float = 0.2
    alike: float = 0.6
    seed: int = 7
    learning_rate: float = 4e-4
    discriminator_rate: float = 8e-4
    pixels: float = 20.0
    decay: float = 0.999
    discriminator_width: int = 24
    weights: Weights = field(
        default_factory=lambda: Weights(
            self_matching=40.0, perceptual=1.0, contextual=2.0, mask=50.0, cycle=1.0, self_warp=20.0
        )
    )

    def __post_init__(self) -> None:
        for name in ("steps", "batch"):
            if not getattr(self, name) >= 1:
                raise SettingError(f"{name} {getattr(self, name)}", "less than 1", "Give a positive number")
        for name in ("constant", "coarse", "itself", "alike", "decay"):
            if not 0 <= getattr(self, name) <= 1:
                raise SettingError(f"{name} {getattr(self, name)}", "not from 0 to 1", "Give for example 0.5")
        if any(side < 128 or side % 64 for side in self.crop):
            raise SettingError(f"crops of {self.crop} px", "not multiples of 64 from 128", "Give (256, 256)")

    def rate(self, step: int) -> float:
        """The learning rates at `step`, relative to those of the recipe."""
        falling = self.steps * (1 - self.constant)
        return min(1.0, (self.steps - step) / falling) if falling else 1.0


@dataclass(frozen=True, eq=False)
class Asked:
    """What a step is about.

    Attributes:
        target: What is to be made.
        exemplar: What it is to look like.
        known: (B,) 1 where the target is the right answer: the exemplar is itself, or of its look.
    """

    target: Batch
    exemplar: Batch
    known: Tensor

    def to(self, device: str) -> Asked:
        """The same on a device."""
        return Asked(self.target.to(device), self.exemplar.to(device), self.known.to(device))


@dataclass(frozen=True, eq=False)
class Made:
    """What the networks make of it.

    Attributes:
        picture: (B, 3, h, w) in [-1, 1].
        warped: The exemplar, warped: the same shape.
        warp: How.
        apart: How unlike the features of label map and photograph are.
    """

    picture: Tensor
    warped: Tensor
    warp: Warp
    apart: Tensor


def made(networks: Networks, asked: Asked) -> Made:
    """What the networks make; descriptors are compared in float32, whatever the networks count in."""
    network, planes = networks.correspondence, networks.configuration.planes
    labels, theirs = (one_hot(batch.labels, planes) for batch in (asked.target, asked.exemplar))
    seen = network.of_labels(labels)
    target = network.theta(network.mixed(seen, labels))
    source = network.phi(network.mixed(network.of_picture(asked.exemplar.photo), theirs))
    apart = F.l1_loss(seen, network.of_picture(asked.target.photo))
    with torch.autocast(seen.device.type, enabled=False):
        warp = Warp(network.descriptors(target.float()) @ network.descriptors(source.float()).mT)
        warped = picture_of_means(warp.to_target(means(asked.exemplar.photo)), *labels.shape[2:])
    picture = networks.generator(torch.cat([warped, labels], 1))
    return Made(picture.float(), warped, warp, apart.float())


def train(
    folder: Path,
    out: Path,
    *,
    sizes: Configuration,
    recipe: Recipe,
    evaluation: Mapping[str, Path],
    resume: bool = False,
    device: str = "cpu",
    quiet: bool = False,
) -> dict[str, Any]:
    """Train correspondence and generator.

    Args:
        folder: Of pairs; see `ktviz.training.pairs.read_pairs`.
        out: The run's folder: `correspondence.safetensors`, `generator.safetensors`, `log.json`, `preview/`,
            `checkpoint.pt`.
        sizes: Configuration of the networks, with the classes of the label maps.
        recipe: Settings.
        evaluation: Named folders of held-out pairs to score at the end.
        resume: Go on from `out/checkpoint.pt`.
        device: "cpu" or "cuda".
        quiet: No progress bars.

    Returns:
        The log, as written to `out/log.json`.

    Raises:
        TrainingError: A checkpoint is missing, already there, or of another recipe; the loss is no longer finite.
        SettingError: The configuration names no classes.
        ImageError, LabelError: The pairs cannot be read.
    """
    if sizes.classes is None:
        raise SettingError("train CoCosNet", "a configuration without classes", "Give it those of the label maps")
    run = Run(folder, out, sizes, sizes.classes, recipe, device, quiet)
    run.loop.restore() if resume else run.loop.begin()
    with fast_arithmetic(device):
        run.loop.run(recipe.steps, recipe.rate, run.update)
    return run.finish(evaluation)


class Run:
    """One training run: its networks and its position."""

    def __init__(
        self, folder: Path, out: Path, sizes: Configuration, classes: Classes, recipe: Recipe, device: str, quiet: bool
    ) -> None:
        check_device(device)
        torch.manual_seed(recipe.seed)
        self.out, self.sizes, self.classes = out, sizes, classes
        self.recipe, self.device, self.quiet = recipe, device, quiet
        self.makers = Networks(sizes)
        self.discriminators = Discriminators(sizes.planes + 3, recipe.discriminator_width, sizes.attention)
        for network in (self.makers, self.discriminators):
            network.apply(start_small)
            network.to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.average = Average(self.makers, recipe.decay)
        self.pairs = Pairs(self.read(folder), recipe.crop, recipe.seed)
        self.fixed = Perceptual(self.shown(MEASURED).target.photo).to(device)
        rates, betas = (recipe.learning_rate, recipe.discriminator_rate), (0.0, 0.9)
        self.makers_step = torch.optim.Adam(self.makers.parameters(), rates[0], betas, EPSILON)
        self.discriminators_step = torch.optim.Adam(self.discriminators.parameters(), rates[1], betas, EPSILON)
        self.loop = Loop(
            out,
            {"recipe": asdict(recipe), "configuration": sizes.as_json(), "data": pairs_digest(folder)},
            {"makers": self.makers, "discriminators": self.discriminators, "average": self.average},
            [(self.makers_step, rates[0]), (self.discriminators_step, rates[1])],
            self.pairs,
            device,
            quiet,
            self.preview,
        )

    def read(self, folder: Path) -> list[Pair]:
        """Pairs, just large enough for a crop."""
        return read_pairs(folder, self.classes, min(self.recipe.crop), quiet=self.quiet)

    def shown(self, count: int) -> Asked:
        """Some pairs, each with another as exemplar: no draws, so the same when a run goes on."""
        pairs = Pairs(self.pairs.pairs, self.recipe.crop, 0)
        numbers = range(min(count, len(pairs.pairs)))
        exemplars = [pairs.of_look(number) for number in numbers]
        return Asked(pairs.batch(numbers), pairs.batch(exemplars), torch.ones(len(numbers)))

    def draw(self) -> Asked:
        """Targets with their exemplars, at half the size while the run is coarse."""
        coarse = self.loop.step < self.recipe.steps * self.recipe.coarse
        targets = [self.pairs.draw() for _ in range(self.recipe.batch << coarse)]
        exemplars, known = zip(*(self.exemplar(target) for target in targets), strict=True)
        target, exemplar = self.pairs.batch(targets), self.pairs.batch(exemplars)
        same = [number for number, (one, other) in enumerate(zip(targets, exemplars, strict=True)) if one == other]
        exemplar = bent(exemplar, same, self.pairs.random)
        if coarse:
            target, exemplar = halved(target), halved(exemplar)
        return Asked(target, exemplar, torch.tensor(known))

    def exemplar(self, target: int) -> tuple[int, float]:
        """A picture, by number, and 1 if it makes the target the right answer."""
        chance = self.pairs.random.random()
        if chance < self.recipe.itself:
            return target, 1.0
        other = self.pairs.of_look(target)
        if chance < self.recipe.itself + self.recipe.alike and other != target:
            return other, 1.0
        return self.pairs.draw(), 0.0

    def update(self) -> dict[str, Tensor]:
        """A step of correspondence and generator, then one of the discriminators."""
        asked = self.draw().to(self.device)
        planes = one_hot(asked.target.labels, self.sizes.planes)
        weights = self.recipe.weights
        if self.loop.step < self.recipe.warmup:
            weights = replace(weights, adversarial=0.0, matching=0.0)
        with torch.autocast(self.device, torch.bfloat16, enabled=fast_type(self.device) == torch.bfloat16):
            found = made(self.makers, asked)
            losses = self.makers_losses(asked, found, planes, weights)
        self.makers_step.zero_grad()
        torch.stack(list(losses.values())).sum().backward()
        self.makers_step.step()
        self.average.update(self.makers)
        if self.loop.step >= self.recipe.warmup:
            with torch.autocast(self.device, torch.bfloat16, enabled=fast_type(self.device) == torch.bfloat16):
                fake, real = self.seen(planes, found.picture.detach(), asked.target.photo)
                losses |= discriminator_losses(fake, real, self.recipe.weights)
            self.discriminators_step.zero_grad()
            (losses["fake"] + losses["real"]).backward()
            self.discriminators_step.step()
        return {name: loss.detach() for name, loss in losses.items()}

    def makers_losses(self, asked: Asked, found: Made, planes: Tensor, weights: Weights) -> dict[str, Tensor]:
        """What correspondence and generator are to lower, weighted."""
        target, exemplar = asked.target.photo, asked.exemplar.photo
        self.discriminators.requires_grad_(False)
        fake, real = self.seen(planes, found.picture, target)
        self.discriminators.requires_grad_(True)
        with torch.no_grad():
            true, wanted = self.features(target), self.features(exemplar)
        with torch.autocast(self.device, enabled=False):
            theirs = one_hot(asked.exemplar.labels, planes.shape[1])
            return generator_losses(fake, real, self.features(found.picture), true, wanted, asked.known, weights) | {
                "domain": weights.domain * found.apart,
                "mask": weights.mask * masked_labels(found.warp, planes, theirs),
                "cycle": weights.cycle * cycled(found.warp, exemplar),
                "pixels": self.recipe.pixels * per_sample(found.picture, target, asked.known),
                "self_warp": weights.self_warp * per_sample(found.warped, target, asked.known),
            }

    def features(self, picture: Tensor) -> list[Tensor]:
        """What the fixed network says, in float32."""
        with torch.autocast(self.device, torch.bfloat16, enabled=fast_type(self.device) == torch.bfloat16):
            return [level.float() for level in self.fixed(picture)]

    def seen(self, planes: Tensor, fake: Tensor, real: Tensor) -> tuple[list[list[Tensor]], list[list[Tensor]]]:
        """What the discriminators see in both, which they look at together."""
        both = self.discriminators(torch.cat([torch.cat([planes, planes]), torch.cat([fake, real])], 1))
        parts = [[layer.float().chunk(2) for layer in scale] for scale in both]
        first, second = ([[layer[which] for layer in scale] for scale in parts] for which in (0, 1))
        return first, second

    @torch.no_grad()
    def preview(self) -> Pixels:
        """Label maps, exemplars, warped ones, what the average makes of them, and the photographs; what is measured on
        them joins the history."""
        asked = self.shown(SHOWN).to(self.device)
        found = made(self.average.network.eval(), asked)
        self.loop.history[-1] |= {
            "entropy": float(torch.special.entr(found.warp.parts).sum(-1).mean()),
            "warped": float(F.l1_loss(found.warped, asked.target.photo)),
        }
        colours = coloured(asked.target.labels, self.classes)
        return sheet([colours, asked.exemplar.photo, found.warped, found.picture, asked.target.photo])

    def finish(self, evaluation: Mapping[str, Path]) -> dict[str, Any]:
        """Write float16 weights of the average, score them, write the log."""
        networks = self.average.network.cpu().eval().plain()
        networks.save(self.out)
        scores = {
            name: {"digest": pairs_digest(path), **score(networks, self.read(path), self.recipe.crop)}
            for name, path in evaluation.items()
        }
        digests = {path.stem: file_digest(path) for path in sorted(self.out.glob("*.safetensors"))}
        return self.loop.write_log({"pairs": len(self.pairs.pairs)}, digests, scores)


@torch.no_grad()
def score(networks: Networks, pairs: Sequence[Pair], crop: tuple[int, int]) -> dict[str, float]:
    """PSNR in dB and SSIM of pictures made with another of their look, or else with themselves: means."""
    draws, psnr, ssim = Pairs(pairs, crop, 0), [], []
    for number in range(len(pairs)):
        asked = Asked(draws.batch([number]), draws.batch([draws.of_look(number)]), torch.ones(1))
        fake, true = ((x.clamp(-1, 1) + 1) / 2 for x in (made(networks, asked).picture, asked.target.photo))
        psnr.append(-10 * float((fake - true).square().mean().clamp(min=1e-10).log10()))
        ssim.append(structural_similarity(fake, true))
    return {"pairs": len(pairs), "psnr": round(fmean(psnr), 3), "ssim": round(fmean(ssim), 4)}


def bent(batch: Batch, which: Sequence[int], random: np.random.Generator) -> Batch:
    """Some pictures of a batch bent, and their maps with them."""
    rows = list(which)
    if not rows:
        return batch
    photo, labels, instances = (part.clone() for part in (batch.photo, batch.labels, batch.instances))
    origin = bends(len(rows), photo.shape[2], photo.shape[3], random, BENDING)
    sample = partial(F.grid_sample, grid=origin, align_corners=False)
    photo[rows] = sample(photo[rows], padding_mode="border")
    for numbers in (labels, instances):
        numbers[rows] = sample(numbers[rows].float(), mode="nearest", padding_mode="border").long()
    return Batch(photo, labels, instances)


def halved(batch: Batch) -> Batch:
    """Half the size: means of the photographs, every second number of the maps."""
    return Batch(F.avg_pool2d(batch.photo, 2), batch.labels[..., ::2, ::2], batch.instances[..., ::2, ::2])


def start_small(module: nn.Module) -> None:
    """The published initial weights: Xavier's with a gain of 0.02, and no bias."""
    if isinstance(module, nn.Conv2d):
        nn.init.xavier_normal_(dict(module.named_parameters()).get("weight_orig", module.weight), 0.02)
        if module.bias is not None:
            nn.init.zeros_(module.bias)
