"""The recipe for CoCosNet, from a folder of photographs with label maps.

Correspondence and generator learn together, against discriminators at two scales, with the published losses (Zhang et
al. 2020, section 3.4). The published exemplars are pictures that a list calls alike. Where pairs name their look, there
is better: a picture of the same look in another layout, for which the right answer is known, as it is where the
exemplar is the target itself in another crop. What is kept is a moving average.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ktviz.errors import SettingError
from ktviz.images import Pixels
from ktviz.labels import Classes
from ktviz.systems.blocks.planes import one_hot
from ktviz.systems.cocosnet.configuration import Configuration
from ktviz.systems.cocosnet.correspondence import Warp
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
from ktviz.systems.cocosnet.passage import picture_of, values_of
from ktviz.training import adversarial
from ktviz.training.adversarial import Losses
from ktviz.training.maps import MEASURED, MapsRun
from ktviz.training.pairs import Batch, Pair, Pairs, read_pairs
from ktviz.training.perceptual import Perceptual
from ktviz.training.ranges import check_counts, check_kind, check_shares, check_weights
from ktviz.training.sheet import sheet, shown
from ktviz.training.warps import bends

BENDING = 0.5
"""How strongly an exemplar is bent that is the target itself; see `ktviz.training.warps`."""
SHOWN = 6
"""Pairs that a preview shows."""


@dataclass(frozen=True)
class Recipe(adversarial.Recipe):
    """Settings of a run; those of `ktviz.training.adversarial.Recipe`, and

    Attributes:
        coarse: Share of the steps, at the beginning, at half the size and with twice the batch.
        warmup: Updates before the discriminators take part.
        itself: Share of the exemplars that are the target itself, in another crop and bent.
        alike: Share of the exemplars that are another picture of the target's look, where there is one; all others are
            any picture.
        pixels: Weight of the pixels' mean difference where the right answer is known; the published losses do without.
        discriminator_width: Channels of their first layer.
        weights: Of the losses; features of the fixed network are brought to an RMS of 1, so other ones than published.
        polish_contextual: Weight of the contextual loss while polishing. It asks for the exemplar's textures wherever
            they lie; where the warp cannot say which belongs here, the generator has answered with scribbles.
    """

    steps: int = 7_000
    discriminator_rate: float = 8e-4
    coarse: float = 0.7
    warmup: int = 500
    itself: float = 0.2
    alike: float = 0.6
    pixels: float = 20.0
    discriminator_width: int = 24
    weights: Weights = field(
        default_factory=lambda: Weights(
            self_matching=40.0, perceptual=1.0, contextual=2.0, mask=50.0, cycle=1.0, self_warp=20.0
        )
    )
    polish: float = 0.1
    polish_contextual: float = 0.4

    def __post_init__(self) -> None:
        super().__post_init__()
        check_shares(self, "coarse", "itself", "alike")
        if self.itself + self.alike > 1:
            raise SettingError(f"itself {self.itself}, alike {self.alike}", "more than 1 together", "Lower one of them")
        check_counts(self, "warmup", least=0)
        check_counts(self, "discriminator_width")
        check_weights(self, "pixels", "polish_contextual")
        check_kind(self, "weights", Weights)
        self.check_crop(128, 64)


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
    network, configuration = networks.correspondence, networks.configuration
    labels, theirs = (one_hot(batch.labels, configuration.planes) for batch in (asked.target, asked.exemplar))
    seen = network.of_labels(labels)
    target = network.theta(network.mixed(seen, labels))
    source = network.phi(network.mixed(network.of_picture(asked.exemplar.photo), theirs))
    apart = F.l1_loss(seen, network.of_picture(asked.target.photo))
    with torch.autocast(seen.device.type, enabled=False):
        cosine = network.descriptors(target.float()) @ network.descriptors(source.float()).mT
        warp, (height, width) = Warp(cosine, configuration.temperature), labels.shape[2:]
        cells = warp.to_target(values_of(asked.exemplar.photo, configuration))
        warped = picture_of(cells, height, width, configuration)
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
        TrainingError: A checkpoint is missing, already there, or of another recipe; a pair is too small; the
            table of looks cannot be used; the loss is no longer finite.
        SettingError: The configuration names no classes, or the device is unknown.
        ImageError, LabelError: The pairs, or those to score, cannot be read.
    """
    if sizes.classes is None:
        raise SettingError("train CoCosNet", "a configuration without classes", "Give it those of the label maps")
    return Run(folder, out, sizes, sizes.classes, recipe, device, quiet).train(resume, evaluation)


class Run(MapsRun[Recipe, Networks, Asked]):
    """One training run of correspondence and generator."""

    BETAS = (0.0, 0.9)
    EPSILON = 1e-6
    """The published 1e-3 would hold back gradients as small as those of narrow networks."""

    def __init__(
        self, folder: Path, out: Path, sizes: Configuration, classes: Classes, recipe: Recipe, device: str, quiet: bool
    ) -> None:
        self.sizes = sizes
        super().__init__(folder, out, classes, recipe, {"configuration": sizes.as_json()}, device, quiet)
        self.fixed = Perceptual(self.shown(MEASURED).target.photo).to(device)

    def networks(self) -> tuple[Networks, nn.Module]:
        sizes = self.sizes
        makers = Networks(sizes)
        discriminators = Discriminators(sizes.planes + 3, self.recipe.discriminator_width, sizes.attention)
        return makers.apply(start_xavier), discriminators.apply(start_xavier)

    def read(self, folder: Path) -> list[Pair]:
        """Pairs, just large enough for a crop."""
        return read_pairs(folder, self.classes, min(self.recipe.crop), quiet=self.quiet)

    def shown(self, count: int) -> Asked:
        """Some pairs, each with another of its look as exemplar."""
        pairs, numbers = self.some(), self.first(count)
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
            target, exemplar = target.halved(), exemplar.halved()
        return Asked(target, exemplar, torch.tensor(known)).to(self.device)

    def exemplar(self, target: int) -> tuple[int, float]:
        """A picture, by number, and 1 if it makes the target the right answer."""
        chance = self.pairs.random.random()
        if chance < self.recipe.itself:
            return target, 1.0
        other = self.pairs.of_look(target)
        if chance < self.recipe.itself + self.recipe.alike and other != target:
            return other, 1.0
        drawn = self.pairs.draw()
        return drawn, float(drawn == target)

    def forward(self, drawn: Asked) -> tuple[Losses, Callable[[], Losses] | None]:
        planes = one_hot(drawn.target.labels, self.sizes.planes)
        resting = self.loop.step < self.recipe.warmup
        found = made(self.makers, drawn)
        losses = self.makers_losses(drawn, found, planes, self.weights(resting))
        judged = partial(self.discriminators_losses, planes, found.picture.detach(), drawn.target.photo)
        return losses, None if resting else judged

    def weights(self, resting: bool) -> Weights:
        """Those of this step; while they rest, the discriminators count nothing."""
        weights, judgement = self.recipe.weights, 0.0 if resting else self.judgement
        return replace(
            weights,
            adversarial=judgement * weights.adversarial,
            matching=judgement * weights.matching,
            contextual=self.recipe.polish_contextual if self.polishing else weights.contextual,
        )

    def makers_losses(self, asked: Asked, found: Made, planes: Tensor, weights: Weights) -> Losses:
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
                "cycle": weights.cycle * cycled(found.warp, values_of(exemplar, self.sizes)),
                "pixels": self.recipe.pixels * per_sample(found.picture, target, asked.known),
                "self_warp": weights.self_warp * per_sample(found.warped, target, asked.known),
            }

    def discriminators_losses(self, planes: Tensor, fake: Tensor, photo: Tensor) -> Losses:
        """What the discriminators are to lower."""
        return discriminator_losses(*self.seen(planes, fake, photo), self.recipe.weights)

    def features(self, picture: Tensor) -> list[Tensor]:
        """What the fixed network says, in float32."""
        with self.fast():
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
        colours = shown(asked.target.labels, self.classes)
        return sheet([colours, asked.exemplar.photo, found.warped, found.picture, asked.target.photo])

    def kept(self) -> Networks:
        return self.average.network.cpu().eval().plain()

    def save(self, networks: Networks) -> None:
        networks.save(self.out)

    def compared(self, networks: Networks, pairs: Sequence[Pair]) -> Iterator[tuple[Tensor, Tensor]]:
        """Pictures made with another of their look, or else with themselves."""
        draws = Pairs(pairs, self.recipe.crop, 0)
        for number in range(len(pairs)):
            asked = Asked(draws.batch([number]), draws.batch([draws.of_look(number)]), torch.ones(1))
            yield made(networks, asked).picture, asked.target.photo


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


def start_xavier(module: nn.Module) -> None:
    """The published initial weights: Xavier's with a gain of 0.02, and no bias."""
    if isinstance(module, nn.Conv2d):
        nn.init.xavier_normal_(dict(module.named_parameters()).get("weight_orig", module.weight), 0.02)
        if module.bias is not None:
            nn.init.zeros_(module.bias)
