"""The recipe for the shipped weights: a student of VGG-19 and its decoder, trained together from a folder of images."""

from __future__ import annotations

import copy
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ktviz import __version__
from ktviz.errors import SettingError
from ktviz.images import file_digest
from ktviz.networks.weights import module_digest, save_weights
from ktviz.systems.kt.decoder import Decoder
from ktviz.systems.kt.encoder import Encoder
from ktviz.training.crops import Crops
from ktviz.training.evaluate import score_files
from ktviz.training.loop import Loop, files_digest, optimisers, scored
from ktviz.training.polish import lattice_loss, patch_colour, transferred
from ktviz.training.precision import check_device, fast_arithmetic, fast_type
from ktviz.training.ranges import check_counts, check_rates, check_seed, check_weights
from ktviz.training.teacher import Teacher

TEACHER_BATCHES = 24
PROJECTION = "teacher_projection.safetensors"


@dataclass(frozen=True)
class Recipe:
    """Settings of a run; the defaults made the shipped weights.

    Attributes:
        steps: Number of updates.
        batch: Crops per update.
        crop_px: Side of a crop, a multiple of 8.
        seed: Seeds the initial weights and the crops.
        muon_lr: Peak rate for the convolution kernels (Muon).
        adam_lr: Peak rate for everything else (AdamW).
        warmup: Updates of linear rise; cosine decay to zero after that.
        image_weight: Weight of the image's L1 error beside the features' relative squared error.
        polish: Share of `steps` that follow them with the encoder frozen and transferred features beside clean ones.
        polish_lr: Peak rate for the decoder's kernels while polishing (Muon), falling to zero.
        cycle_weight: Weight of the cycle: decoded transferred features, encoded again, against themselves.
        lattice_weight: Weight of the detail that repeats in the rhythm of the feature cells.
        colour_weight: Weight of the mean colour of each 16 px of a polished picture, which must stay as it was.
    """

    steps: int = 13_000
    batch: int = 8
    crop_px: int = 64
    seed: int = 7
    muon_lr: float = 0.01
    adam_lr: float = 1e-3
    warmup: int = 200
    image_weight: float = 8.0
    polish: float = 0.1
    polish_lr: float = 0.003
    cycle_weight: float = 0.5
    lattice_weight: float = 0.5
    colour_weight: float = 4.0

    def __post_init__(self) -> None:
        check_counts(self, "steps", "batch", "warmup", "crop_px")
        check_seed(self)
        check_weights(self, "polish", "cycle_weight", "lattice_weight", "colour_weight")
        check_rates(self, "muon_lr", "adam_lr", "polish_lr", "image_weight")
        if self.crop_px < 16 or self.crop_px % 8:
            raise SettingError(f"crops of {self.crop_px} px", "not a multiple of 8 from 16", "Give for example 64")

    @property
    def total(self) -> int:
        """All updates, polishing included."""
        return self.steps + round(self.polish * self.steps)

    def rate(self, step: int) -> float:
        """The learning rate at `step`, relative to `muon_lr` and `adam_lr`."""
        if self.steps <= step < self.total:
            return self.polish_lr / self.muon_lr * (1 - (step - self.steps) / (self.total - self.steps))
        return min(1.0, (step + 1) / self.warmup) * 0.5 * (1 + math.cos(math.pi * step / self.steps))


def train(
    images: Sequence[Path],
    out: Path,
    *,
    encoder: Encoder,
    teacher: Teacher | None,
    recipe: Recipe,
    evaluation: Mapping[str, Sequence[Path]],
    resume: bool = False,
    device: str = "cpu",
    quiet: bool = False,
) -> dict[str, Any]:
    """Train an encoder with its decoder, or a decoder for a frozen encoder.

    Args:
        images: Training images.
        out: Run folder: `encoder.safetensors`, `decoder.safetensors`, `teacher_projection.safetensors`, `log.json`,
            `checkpoint.pt`.
        encoder: The student (with `teacher`), or any frozen encoder (without).
        teacher: What the student learns; None freezes the encoder and trains the decoder alone.
        recipe: Settings.
        evaluation: Named sets of held-out images to score at the end.
        resume: Go on from `out/checkpoint.pt`.
        device: "cpu" or "cuda".
        quiet: No progress bars.

    Returns:
        The log, as written to `out/log.json`.

    Raises:
        TrainingError: A checkpoint is missing, already there, or of another recipe; the loss is no longer finite.
    """
    run = Run(images, out, encoder, teacher, recipe, device, quiet)
    run.restore() if resume else run.begin()
    with fast_arithmetic(device):
        run.loop.run(recipe.total, recipe.rate, run.update)
    return run.finish(evaluation)


class Run:
    """One training run: its networks, optimisers and position."""

    def __init__(
        self,
        images: Sequence[Path],
        out: Path,
        encoder: Encoder,
        teacher: Teacher | None,
        recipe: Recipe,
        device: str,
        quiet: bool,
    ) -> None:
        check_device(device)
        torch.manual_seed(recipe.seed)
        backbone = module_digest(encoder if teacher is None else teacher.vgg)
        self.images, self.out, self.recipe, self.device, self.quiet = images, out, recipe, device, quiet
        layout = torch.channels_last  # half the time of the default layout on CPUs
        self.encoder = encoder.to(device, memory_format=layout)  # type: ignore[call-overload]
        self.decoder = Decoder(encoder.channels).to(device, memory_format=layout)  # type: ignore[call-overload]
        self.teacher = None if teacher is None else teacher.to(device, memory_format=layout)  # type: ignore[call-overload]
        self.encoder.requires_grad_(teacher is not None)
        self.weights = [p for p in (*self.encoder.parameters(), *self.decoder.parameters()) if p.requires_grad]
        self.crops = Crops(images, recipe.crop_px, recipe.seed, quiet)
        self.unpolished = copy.deepcopy(self.decoder).requires_grad_(False)
        self.loop = Loop(
            out,
            {
                "recipe": asdict(recipe),
                "data": files_digest(images),
                "student": teacher is not None,
                "backbone": backbone,
            },
            {"encoder": self.encoder, "decoder": self.decoder, "unpolished": self.unpolished},
            optimisers(self.weights, recipe.muon_lr, recipe.adam_lr),
            self.crops,
            device,
            quiet,
        )

    def begin(self) -> None:
        """Start afresh: fit the teacher's projection."""
        self.loop.begin()
        if self.teacher is not None:
            batches = [self.crops.batch(16).to(self.device) for _ in range(TEACHER_BATCHES)]
            self.loop.facts["energy_kept_by_projection"] = self.teacher.fit(batches)
            self.teacher.save_projection(self.out / PROJECTION)
            self.teacher.load_projection(self.out / PROJECTION)

    def restore(self) -> None:
        """Go on from the checkpoint."""
        self.loop.restore()
        if self.teacher is not None:
            self.teacher.load_projection(self.out / PROJECTION)

    def update(self) -> dict[str, Tensor]:
        """One step of learning or polishing; returns the losses."""
        polishing = self.loop.step >= self.recipe.steps
        if self.loop.step == self.recipe.steps:
            self.unpolished.load_state_dict(self.decoder.state_dict())
        self.encoder.requires_grad_(self.teacher is not None and not polishing)
        with torch.autocast(self.device, torch.bfloat16, enabled=fast_type(self.device) == torch.bfloat16):
            total, losses = self.polish() if polishing else self.learn()
        total.backward()
        nn.utils.clip_grad_norm_(self.weights, 1.0)
        for optimiser, _ in self.loop.optimisers:
            optimiser.step()
            optimiser.zero_grad()
        return {name: value.detach() for name, value in losses.items()}

    def learn(self) -> tuple[Tensor, dict[str, Tensor]]:
        """Features' relative squared error + image_weight x L1 of the image."""
        image = self.batch()
        features = self.encoder(image)
        losses = {"image": (self.decoder(features).float() - image).abs().mean()}
        total = self.recipe.image_weight * losses["image"]
        if self.teacher is not None:
            losses["features"] = relative_error(features.float(), self.teacher(image).float())
            total = total + losses["features"]
        return total, losses

    def polish(self) -> tuple[Tensor, dict[str, Tensor]]:
        """L1 of the image as before; of decoded transferred features the cycle, the lattice, and the colour."""
        recipe, image = self.recipe, self.batch()
        with torch.no_grad():
            features, sources = self.encoder(image).float(), self.encoder(self.batch()).float()
            translated = transferred(features.cpu(), sources.cpu()).to(self.device)  # patches live on the CPU
            before = self.unpolished(translated.contiguous(memory_format=torch.channels_last)).float()
        output = self.decoder(torch.cat((features, translated)).contiguous(memory_format=torch.channels_last)).float()
        clean, picture = output.split(len(image))
        again = self.encoder(picture.contiguous(memory_format=torch.channels_last)).float()
        losses = {
            "image": (clean - image).abs().mean(),
            "cycle": relative_error(again, translated),
            "lattice": lattice_loss(picture),
            "colour": (patch_colour(picture) - patch_colour(before)).abs().mean(),
        }
        weights = (recipe.image_weight, recipe.cycle_weight, recipe.lattice_weight, recipe.colour_weight)
        return torch.stack([w * loss for w, loss in zip(weights, losses.values(), strict=True)]).sum(), losses

    def batch(self) -> Tensor:
        """(batch, 3, crop, crop) in channels-last layout."""
        return self.crops.batch(self.recipe.batch).to(self.device).contiguous(memory_format=torch.channels_last)

    def finish(self, evaluation: Mapping[str, Sequence[Path]]) -> dict[str, Any]:
        """Write float16 weights, score what was written, write the log."""
        about = {"ktviz": __version__, "recipe": json.dumps(asdict(self.recipe))}
        save_weights(self.decoder.layers, self.out / "decoder.safetensors", about)
        decoder = Decoder.load(self.out / "decoder.safetensors")
        encoder = self.encoder.cpu().eval().requires_grad_(False)
        if self.teacher is not None:
            save_weights(encoder.layers, self.out / "encoder.safetensors", about)
            encoder = Encoder.load(self.out / "encoder.safetensors")
        teacher = None if self.teacher is None else self.teacher.cpu()
        networks = {
            "backbone": self.loop.origin["backbone"],
            "energy_kept_by_projection": self.loop.facts.get("energy_kept_by_projection"),
            "encoder": encoder.digest,
            "decoder": file_digest(self.out / "decoder.safetensors"),
        }

        def score(paths: Sequence[Path]) -> dict[str, Any]:
            return score_files(encoder, decoder, teacher, paths).to_dict()

        return self.loop.write_log({"images": len(self.images)}, networks, scored(evaluation, score))


def relative_error(found: Tensor, wanted: Tensor) -> Tensor:
    """Mean squared error over the mean square of what was wanted."""
    return F.mse_loss(found, wanted) / wanted.square().mean()
