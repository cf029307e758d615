"""The recipe for the pyramid and the inverse blocks of Deep Image Analogy, from a folder of images.

First the pyramid: a student of a five-level network, held to the teacher's features, to the cosines between them, and
to finding the same place again in a picture that was bent and recoloured. Then it is frozen, and the inverse blocks
learn to bring features that were voted together to a target two levels above.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from statistics import fmean
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ktviz.errors import SettingError
from ktviz.images import file_digest, read_image, resize, to_tensor
from ktviz.networks.weights import module_digest, read_tensors
from ktviz.systems.image_analogy.cost import PatchCost
from ktviz.systems.image_analogy.field import upsampled
from ktviz.systems.image_analogy.inverse import HIDDEN, Inverse
from ktviz.systems.image_analogy.inversion import energy
from ktviz.systems.image_analogy.levels import PIXEL_PATCH
from ktviz.systems.image_analogy.pyramid import LEVELS, Pyramid
from ktviz.systems.image_analogy.settings import Settings
from ktviz.systems.image_analogy.vote import Votes
from ktviz.training.crops import Crops
from ktviz.training.kt import relative_error
from ktviz.training.loop import Loop, files_digest, optimisers, scored
from ktviz.training.precision import check_device, fast_arithmetic, fast_type
from ktviz.training.ranges import check_counts, check_rates, check_seed, check_shares, check_weights
from ktviz.training.warps import Twins, twins

SAMPLED = 192
"""Cells per picture whose cosines, and whose twins, a step looks at."""
SHARPNESS = 14.0
"""What cosines are multiplied with before the softmax that picks a twin."""
SCORED_PX = 128
PATCHES = Settings().patches


@dataclass(frozen=True)
class Recipe:
    """Settings of a run. The shipped weights had a schedule that was cut: see their model card.

    Attributes:
        pyramid_steps: Updates of the pyramid.
        apart: Share of these in which each level learns from the teacher's level before, instead of the student's.
        inverse_steps: Updates of the inverse blocks that follow.
        batch: Crops per update; the pyramid sees as many twins besides.
        crop_px: Side of a crop, a multiple of 16.
        seed: Seeds the initial weights and the crops.
        muon_lr: Peak rate for the convolution kernels (Muon).
        adam_lr: Peak rate for everything else (AdamW).
        warmup: Updates of linear rise in each phase; cosine decay to zero after that.
        cosine_weight: Weight of the cosines' mean squared error beside the features' relative squared error.
        twin_weight: Weight of finding the twin.
        near_weight: Weight of staying near to the start, in the inverse blocks' loss.
    """

    pyramid_steps: int = 1_500
    apart: float = 0.5
    inverse_steps: int = 300
    batch: int = 3
    crop_px: int = 96
    seed: int = 7
    muon_lr: float = 0.02
    adam_lr: float = 2e-3
    warmup: int = 200
    cosine_weight: float = 10.0
    twin_weight: float = 0.1
    near_weight: float = 0.05

    def __post_init__(self) -> None:
        check_counts(self, "pyramid_steps", "inverse_steps", "batch", "warmup", "crop_px")
        check_seed(self)
        check_shares(self, "apart")
        check_weights(self, "cosine_weight", "twin_weight", "near_weight")
        check_rates(self, "muon_lr", "adam_lr")
        if self.crop_px < 64 or self.crop_px % 16:
            raise SettingError(f"crops of {self.crop_px} px", "not a multiple of 16 from 64", "Give for example 112")

    @property
    def total(self) -> int:
        """All updates."""
        return self.pyramid_steps + self.inverse_steps

    def rate(self, step: int) -> float:
        """The learning rate at `step`, relative to `muon_lr` and `adam_lr`."""
        steps = self.pyramid_steps
        if step >= steps:
            step, steps = step - steps, self.inverse_steps
        return min(1.0, (step + 1) / self.warmup) * 0.5 * (1 + math.cos(math.pi * step / steps))


def train(
    images: Sequence[Path],
    out: Path,
    *,
    teacher: Path,
    recipe: Recipe = Recipe(),
    evaluation: Mapping[str, Sequence[Path]],
    resume: bool = False,
    device: str = "cpu",
    quiet: bool = False,
) -> dict[str, Any]:
    """Train a pyramid and its inverse blocks.

    Args:
        images: Training images.
        out: Run folder: `pyramid.safetensors`, `inverse.safetensors`, `log.json`, `checkpoint.pt`.
        teacher: Weights of the network to learn from, of any widths; see `Pyramid.load`.
        recipe: Settings.
        evaluation: Named sets of held-out images to score at the end.
        resume: Go on from `out/checkpoint.pt`.
        device: "cpu" or "cuda".
        quiet: No progress bars.

    Returns:
        The log, as written to `out/log.json`.

    Raises:
        WeightsError: The teacher cannot be used.
        TrainingError: A checkpoint is missing, already there, or of another recipe; the loss is no longer finite.
    """
    run = Run(images, out, Teacher(teacher), recipe, device, quiet)
    run.loop.restore() if resume else run.loop.begin()
    with fast_arithmetic(device):
        run.loop.run(recipe.total, recipe.rate, run.update)
    return run.finish(evaluation)


class Teacher(nn.Module):
    """A five-level network, and what its cosines are measured on.

    Its features are brought to an RMS of 1 at every level, which changes no cosine: a student learns that sooner.

    Args:
        path: Its weights. Layers `convK1_aux` (1x1), where there are any, lift slim features to VGG-19's width, where
            cosines tell more.
    """

    scale: Tensor

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.pyramid = Pyramid.load(path)
        tensors = read_tensors(path)
        self.lifts = nn.ModuleList(nn.Identity() for _ in self.pyramid.widths)
        for level, width in enumerate(self.pyramid.widths):
            parts = {part: tensors.get(f"conv{level + 1}1_aux.{part}") for part in ("weight", "bias")}
            if all(value is not None for value in parts.values()):
                self.lifts[level] = nn.Conv2d(width, len(parts["bias"]), 1)  # type: ignore[arg-type]
                self.lifts[level].load_state_dict(parts)
        self.register_buffer("scale", torch.ones(len(self.lifts)))
        self.requires_grad_(False)

    @torch.no_grad()
    def fit(self, images: Tensor) -> None:
        """Measure the levels' RMS on some images (B, 3, H, W)."""
        self.scale.copy_(torch.stack([1 / level.square().mean().sqrt() for level in self.pyramid(images)]))

    def forward(self, image: Tensor) -> tuple[list[Tensor], list[Tensor]]:
        """Features of the five levels, and the same lifted."""
        features = self.pyramid(image)
        lifted = [lift(level) for lift, level in zip(self.lifts, features, strict=True)]
        return [scale * level for scale, level in zip(self.scale, features, strict=True)], lifted


class Run:
    """One training run: its networks and its position."""

    def __init__(
        self, images: Sequence[Path], out: Path, teacher: Teacher, recipe: Recipe, device: str, quiet: bool
    ) -> None:
        check_device(device)
        torch.manual_seed(recipe.seed)
        self.images, self.out, self.recipe, self.device = images, out, recipe, device
        layout = torch.channels_last  # half the time of the default layout on CPUs
        self.teacher = teacher.to(device, memory_format=layout)  # type: ignore[call-overload]
        self.pyramid = Pyramid(teacher.pyramid.widths).to(device, memory_format=layout)  # type: ignore[call-overload]
        self.inverse = Inverse(self.pyramid.widths).to(device, memory_format=layout)  # type: ignore[call-overload]
        start_at_unit_scale(self.pyramid)
        self.pyramid.colour.requires_grad_(False)
        self.phases = [[p for p in n.parameters() if p.requires_grad] for n in (self.pyramid, self.inverse)]
        self.optimisers = [optimisers(weights, recipe.muon_lr, recipe.adam_lr) for weights in self.phases]
        self.crops = Crops(images, recipe.crop_px, recipe.seed, quiet)
        self.teacher.fit(corners(self.crops).to(device))
        self.loop = Loop(
            out,
            {"recipe": asdict(recipe), "data": files_digest(images), "teacher": module_digest(teacher.pyramid)},
            {"pyramid": self.pyramid, "inverse": self.inverse},
            [pair for phase in self.optimisers for pair in phase],
            self.crops,
            device,
            quiet,
        )

    def update(self) -> dict[str, Tensor]:
        """One step of either phase; returns the losses."""
        second = self.loop.step >= self.recipe.pyramid_steps
        self.pyramid.requires_grad_(not second).colour.requires_grad_(False)
        with torch.autocast(self.device, torch.bfloat16, enabled=fast_type(self.device) == torch.bfloat16):
            losses = self.learn_inverse() if second else self.learn_pyramid()
        torch.stack(list(losses.values())).sum().backward()
        weights = self.phases[second]
        nn.utils.clip_grad_norm_(weights, 1.0)
        for optimiser, _ in self.optimisers[second]:
            optimiser.step()
            optimiser.zero_grad()
        return {name: value.detach() for name, value in losses.items()}

    def batch(self) -> Tensor:
        """(batch, 3, crop, crop) in channels-last layout."""
        return self.crops.batch(self.recipe.batch).to(self.device).contiguous(memory_format=torch.channels_last)

    def learn_pyramid(self) -> dict[str, Tensor]:
        """Features' relative squared error, cosines' squared error, and the softmax loss of finding twins."""
        recipe, random = self.recipe, self.crops.random
        pair = twins(self.batch(), random)
        both = torch.cat((pair.picture, pair.twin)).contiguous(memory_format=torch.channels_last)
        with torch.no_grad():
            wanted, lifted = self.teacher(both)
        losses = {name: torch.zeros((), device=self.device) for name in ("features", "cosines", "twins")}
        if self.loop.step < recipe.apart * recipe.pyramid_steps:
            levels = [self.pyramid.between(given, n, n + 1)[0] for n, given in enumerate((both, *wanted[:-1]))]
        else:
            levels = self.pyramid(both)
        for level, found in enumerate(levels):
            found = found.float()
            losses["features"] = losses["features"] + relative_error(found, wanted[level].float())
            cells = torch.from_numpy(random.integers(found[0, 0].numel(), size=SAMPLED)).to(self.device)
            error = (cosines(found, cells) - cosines(lifted[level].float(), cells)).square().mean()
            losses["cosines"] = losses["cosines"] + recipe.cosine_weight * error
            if level > 0:  # colours are all that conv1_1 sees of a place
                losses["twins"] = losses["twins"] + recipe.twin_weight * twin_loss(found, pair, cells)
        return losses

    def learn_inverse(self) -> dict[str, Tensor]:
        """Relative energy of every block, on features that a picture's matches in another voted together."""
        pair = twins(self.batch(), self.crops.random)
        # Half of the references show the same, bent and in other colours; the others show anything.
        strangers = torch.arange(len(pair.twin), device=self.device) % 2 == 1
        reference = torch.where(strangers[:, None, None, None], pair.twin.roll(1, 0), pair.twin)
        with torch.no_grad():
            here, there = ([x, *(level.float() for level in self.pyramid(x))] for x in (pair.picture, reference))
            voted = [voted_pairs([m[n] for m in here], [m[n] for m in there]) for n in range(len(reference))]
        losses = {name: torch.zeros((), device=self.device) for name in ("energy", "near")}
        for level in HIDDEN:
            start, target = (torch.stack([each[level][part] for each in voted]) for part in (0, 1))
            found = self.inverse(self.pyramid, start, target, level)
            losses["energy"] += relative_error(self.pyramid.between(found, level - 2, level)[-1].float(), target)
            losses["near"] += self.recipe.near_weight * relative_error(found.float(), start)
        return losses

    def finish(self, evaluation: Mapping[str, Sequence[Path]]) -> dict[str, Any]:
        """Write float16 weights, score what was written, write the log."""
        self.pyramid.cpu().save(self.out / "pyramid.safetensors")
        self.inverse.cpu().save(self.out / "inverse.safetensors")
        pyramid = Pyramid.load(self.out / "pyramid.safetensors")
        inverse = Inverse.load(self.out / "inverse.safetensors", pyramid.widths)
        about = {
            "teacher": self.loop.origin["teacher"],
            "pyramid": file_digest(self.out / "pyramid.safetensors"),
            "inverse": file_digest(self.out / "inverse.safetensors"),
        }
        teacher = self.teacher.cpu().pyramid
        score = partial(score_files, pyramid, inverse, teacher)
        return self.loop.write_log({"images": len(self.images)}, about, scored(evaluation, score))


def voted_pairs(here: list[Tensor], there: list[Tensor]) -> dict[int, tuple[Tensor, Tensor]]:
    """What inversions are given: for each level the values voted two levels below, and the features voted there.

    The field is exact at conv5_1 and conv4_1, by one pair of features, and carried down from there.

    Args:
        here: A picture and its features, (C, H, W) by level.
        there: Those of another.
    """
    made, field = {}, torch.empty(0)
    sizes = [(level.shape[1], level.shape[2]) for level in here]
    for level in HIDDEN:
        field = matched(here[level], there[level]) if level >= 4 else upsampled(field, sizes[level], sizes[level])
        finer = upsampled(field, sizes[level - 2], sizes[level - 2])
        side = PATCHES[level - 3] if level > 2 else PIXEL_PATCH
        start = Votes(finer, sizes[level - 2], side).average(there[level - 2])
        made[level] = start, Votes(field, sizes[level], PATCHES[level - 1]).average(there[level])
    return made


def matched(here: Tensor, there: Tensor) -> Tensor:
    """The exact field of one pair of features."""
    cost = PatchCost(F.normalize(here, dim=0), F.normalize(there, dim=0), 3)
    (height, width), (_, across) = cost.size_here, cost.size_there
    best = cost.best(torch.arange(height * width, device=here.device))[0][:, 0]
    return torch.stack((best // across, best % across), 1).view(height, width, 2)


def score_files(pyramid: Pyramid, inverse: Inverse, teacher: Pyramid, paths: Sequence[Path]) -> dict[str, Any]:
    """Scores on squares of `SCORED_PX` from the middle of pictures, and their twins.

    Returns:
        By layer: share of the twin's cells whose exact match is within 1.5 cells of the truth, for the pyramid
        (`found`) and its teacher (`found_by_teacher`); and the energy that the inverse blocks leave (`energy_left`).
    """
    rows: dict[str, dict[str, list[float]]] = {}
    for number, path in enumerate(paths):
        image = read_image(path)
        side, top, left = min(image.shape[:2]), *((s - min(image.shape[:2])) // 2 for s in image.shape[:2])
        square = resize(image[top : top + side, left : left + side], SCORED_PX, SCORED_PX)
        pair = twins(to_tensor(square), np.random.default_rng(number))
        for name, found in scores(pyramid, inverse, teacher, pair).items():
            for score, value in found.items():
                rows.setdefault(name, {}).setdefault(score, []).append(value)
    return {name: {score: round(fmean(values), 4) for score, values in row.items()} for name, row in rows.items()}


@torch.inference_mode()
def scores(pyramid: Pyramid, inverse: Inverse, teacher: Pyramid, pair: Twins) -> dict[str, dict[str, float]]:
    """Scores of one pair, by layer."""
    made: dict[str, dict[str, float]] = {}
    for name, network in (("found", pyramid), ("found_by_teacher", teacher)):
        picture, twin = network(pair.picture), network(pair.twin)
        for level in range(2, 6):
            field = matched(twin[level - 1][0], picture[level - 1][0])
            height, width = field.shape[:2]
            truth = ((pair.correspondence(height, width)[0] + 1) * torch.tensor([width, height]) - 1) / 2
            inside = ((truth > -0.5) & (truth < torch.tensor([width, height]) - 0.5)).all(2)
            error = (field.flip(2) - truth).norm(dim=2)[inside]
            made.setdefault(LEVELS[level], {})[name] = float((error <= 1.5).float().mean())
    here, there = ([x[0], *(level[0] for level in pyramid(x))] for x in (pair.picture, pair.twin))
    for level, (start, target) in voted_pairs(here, there).items():
        found = inverse(pyramid, start[None], target[None], level)
        before, after = (float(energy(pyramid, values, target[None], level)) for values in (start[None], found))
        made[LEVELS[level]]["energy_left"] = after / before
    return made


def corners(crops: Crops) -> Tensor:
    """Upper left corners of every 20th image (B, 3, crop, crop): no draws, so the same when a run goes on."""
    corner = slice(crops.size_px)
    return torch.cat([to_tensor(image[corner, corner]) for image in crops.images[::20]])


def cosines(features: Tensor, cells: Tensor) -> Tensor:
    """Cosines between some cells of a batch of maps, across the whole batch."""
    vectors = F.normalize(features.flatten(2)[:, :, cells].transpose(1, 2).flatten(0, 1), dim=1)
    return vectors @ vectors.T


def twin_loss(features: Tensor, pair: Twins, cells: Tensor) -> Tensor:
    """How hard it is to find, among the places of some cells in the picture, the place of a cell of the twin."""
    picture, twin = features.chunk(2)
    origin = pair.correspondence(*features.shape[2:]).flatten(1, 2)[:, cells]
    places = F.grid_sample(picture, origin[:, None], padding_mode="border", align_corners=False)[:, :, 0]
    scores = F.normalize(twin.flatten(2)[:, :, cells], dim=1).transpose(1, 2) @ F.normalize(places, dim=1)
    # A cell that was drawn twice, or lies outside, has no single answer.
    distinct = (cells[:, None] == cells).long().argmax(1) == torch.arange(len(cells), device=cells.device)
    usable = (origin.abs().amax(2) < 1) & distinct
    scores = (SHARPNESS * scores).masked_fill(~distinct, -1e4)
    answers = torch.arange(len(cells), device=cells.device).expand(usable.shape)
    return F.cross_entropy(scores[usable], answers[usable], reduction="sum") / usable.sum().clamp(min=1)


def start_at_unit_scale(pyramid: Pyramid) -> None:
    """He's initial weights, so that a chain of thirteen layers neither fades nor grows."""
    for module in pyramid.children():
        if isinstance(module, nn.Conv2d) and module is not pyramid.colour:
            nn.init.kaiming_normal_(module.weight, nonlinearity="relu")
            nn.init.zeros_(module.bias)  # type: ignore[arg-type]
