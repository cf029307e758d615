"""The loop of a training run: learning rates, steps, history, previews, and a checkpoint from which it goes on."""

from __future__ import annotations

import hashlib
import json
import math
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

import torch
from torch import Tensor, nn
from tqdm.auto import tqdm

from ktviz import __version__
from ktviz.errors import TrainingError
from ktviz.files import replacing
from ktviz.images import Pixels, file_digest, write_image
from ktviz.networks.weights import check_archive
from ktviz.training.muon import Muon

CHECKPOINT_EVERY = 1_000
CHECKPOINT_SECONDS = 300
"""Slow steps are kept more often."""
LOG_EVERY = 250
PREVIEW_EVERY = 1_000


class Draws(Protocol):
    """The data of a run, drawn at random: `state` is where its generator stands."""

    @property
    def state(self) -> dict[str, object]: ...

    @state.setter
    def state(self, value: dict[str, object], /) -> None: ...


class Loop:
    """Steps of a run, kept whole: an interruption costs what came after the latest checkpoint.

    Args:
        out: The run's folder.
        origin: What a run that goes on must agree with: recipe, digests of data and networks.
        networks: All whose weights belong into a checkpoint.
        optimisers: With their peak learning rates.
        draws: The data, whose position is kept.
        device: Where a checkpoint is loaded to.
        quiet: No progress bar.
        preview: Makes a picture of what the networks do by now, kept every `PREVIEW_EVERY` steps; or None.
    """

    def __init__(
        self,
        out: Path,
        origin: Mapping[str, Any],
        networks: Mapping[str, nn.Module],
        optimisers: Iterable[tuple[torch.optim.Optimizer, float]],
        draws: Draws,
        device: str,
        quiet: bool,
        preview: Callable[[], Pixels] | None = None,
    ) -> None:
        self.out, self.origin, self.networks, self.draws, self.preview = out, origin, networks, draws, preview
        self.optimisers = list(optimisers)
        self.device, self.quiet = device, quiet
        self.facts: dict[str, float] = {}
        """What a run measured at its beginning, kept with the checkpoint."""
        self.step = 0
        self.seconds = 0.0
        self.history: list[dict[str, float]] = []

    @property
    def checkpoint(self) -> Path:
        """The file that `restore` goes on from: written over by every checkpoint, whole or not at all."""
        return self.out / "checkpoint.pt"

    def begin(self) -> None:
        """Raise TrainingError if a run has begun there already."""
        if self.checkpoint.exists():
            raise TrainingError(
                f"train into {str(self.out)!r}", "a checkpoint is already there", "Add --resume, or name a new folder"
            )

    def restore(self) -> None:
        """Go on from the checkpoint.

        Raises:
            TrainingError: There is none, it is damaged, or of a run with another origin.
        """
        if not self.checkpoint.exists():
            raise TrainingError(f"resume {str(self.out)!r}", "no checkpoint.pt there", "Start without --resume")
        state = self.read_checkpoint()
        for name, value in self.origin.items():
            if state[name] != value:
                raise TrainingError(
                    f"resume {str(self.out)!r} with {name} {value}", f"it began with {state[name]}", "Use the same"
                )
        for name, network in self.networks.items():
            network.load_state_dict(state[name])
        for (optimiser, _), saved in zip(self.optimisers, state["optimisers"], strict=True):
            optimiser.load_state_dict(saved)
        self.draws.state = state["draws"]
        host, *device = (where.cpu() for where in state["random"])
        torch.set_rng_state(host)
        if device:
            torch.cuda.set_rng_state(*device)
        self.facts = state["facts"]
        self.step, self.seconds, self.history = state["step"], state["seconds"], state["history"]

    def read_checkpoint(self) -> dict[str, Any]:
        try:
            check_archive(self.checkpoint)
            state = dict(torch.load(self.checkpoint, map_location=self.device, weights_only=True))
        except Exception as error:  # torch.load raises many kinds on a damaged file
            raise TrainingError(
                f"resume {str(self.out)!r}", f"checkpoint.pt is damaged ({type(error).__name__})", "Start a new run"
            ) from None
        wanted = (*self.origin, *self.position())
        lacking = [name for name in wanted if name not in state]
        if lacking:
            found = f"checkpoint.pt holds no {lacking[0]!r}: it is of another version, or of another kind of run"
            raise TrainingError(f"resume {str(self.out)!r}", found, "Start a new run")
        return {name: state[name] for name in wanted}

    def position(self) -> dict[str, Any]:
        """All that a run needs to go on."""
        return {
            **{name: network.state_dict() for name, network in self.networks.items()},
            "optimisers": [optimiser.state_dict() for optimiser, _ in self.optimisers],
            "draws": self.draws.state,
            "random": [torch.get_rng_state(), *([torch.cuda.get_rng_state()] if self.device == "cuda" else [])],
            "facts": self.facts,
            "step": self.step,
            "seconds": self.seconds,
            "history": self.history,
        }

    def save(self) -> None:
        with replacing(self.checkpoint) as path:
            torch.save({**self.origin, **self.position()}, path)

    def write_log(
        self, data: Mapping[str, Any], about: Mapping[str, Any], scores: Mapping[str, Mapping[str, Any]]
    ) -> dict[str, Any]:
        """Write `log.json`.

        Args:
            data: How much the networks learned from; its digest is known.
            about: What to say of the networks: digests of the files, and of what they were taught by.
            scores: What was measured on data that they never saw, by its name.
        """
        log = {
            "ktviz": __version__,
            "torch": torch.__version__,
            "device": self.device,
            "recipe": self.origin["recipe"],
            "data": {**data, "digest": self.origin["data"]},
            **about,
            "seconds": round(self.seconds),
            "scores": scores,
            "history": self.history,
        }
        with replacing(self.out / "log.json") as path:
            path.write_text(json.dumps(log, indent=1) + "\n", encoding="utf-8")
        return log

    def run(self, steps: int, rate: Callable[[int], float], update: Callable[[], Mapping[str, Tensor]]) -> None:
        """Train to the end.

        Args:
            steps: All steps of the run.
            rate: The learning rate at a step, relative to the peaks.
            update: Computes and applies the gradients of one step; returns its losses.

        Raises:
            TrainingError: The loss is no longer finite.
        """
        started = time.monotonic() - self.seconds
        kept = time.monotonic()
        with tqdm(total=steps, initial=self.step, desc="training", unit="step", disable=self.quiet) as bar:
            while self.step < steps:
                for optimiser, peak in self.optimisers:
                    for group in optimiser.param_groups:
                        group["lr"] = peak * rate(self.step)
                losses = update()
                self.step += 1
                bar.update()
                if self.step % LOG_EVERY == 0 or self.step == steps:
                    values = {name: float(value) for name, value in losses.items()}
                    if not all(map(math.isfinite, values.values())):
                        raise TrainingError(f"step {self.step}", f"the loss is {values}", "Lower the learning rates")
                    bar.set_postfix({name: f"{value:.4f}" for name, value in values.items()})
                    self.seconds = time.monotonic() - started
                    self.history.append({"step": self.step, "seconds": round(self.seconds), **values})
                if self.preview and (self.step % PREVIEW_EVERY == 0 or self.step == steps):
                    write_image(self.out / "preview" / f"{self.step:07d}.jpg", self.preview())
                late = time.monotonic() - kept > CHECKPOINT_SECONDS
                if late or self.step % CHECKPOINT_EVERY == 0 or self.step == steps:
                    self.seconds = time.monotonic() - started
                    self.save()
                    kept = time.monotonic()


def optimisers(
    weights: Iterable[nn.Parameter], muon_lr: float, adam_lr: float, least: int = 16
) -> list[tuple[torch.optim.Optimizer, float]]:
    """Muon for convolution kernels of at least so many rows and columns, AdamW for the rest, with their peak rates."""
    weights = list(weights)
    kernels = [p for p in weights if p.ndim == 4 and min(p.shape[0], p[0].numel()) >= least]
    chosen = {id(p) for p in kernels}
    rest = [p for p in weights if id(p) not in chosen]
    made: list[tuple[torch.optim.Optimizer, float]] = []
    if kernels:  # narrow networks have none
        made.append((Muon(kernels, muon_lr), muon_lr))
    return [*made, (torch.optim.AdamW(rest, adam_lr, betas=(0.9, 0.99)), adam_lr)]


def scored(
    evaluation: Mapping[str, Sequence[Path]], score: Callable[[Sequence[Path]], Mapping[str, Any]]
) -> dict[str, dict[str, Any]]:
    """What was measured on each of some sets of images, with their digests."""
    return {
        name: {"images": len(paths), "digest": files_digest(paths), **score(paths)}
        for name, paths in evaluation.items()
    }


def files_digest(paths: Sequence[Path]) -> str:
    """SHA-256 over the names and bytes of files, in order."""
    digest = hashlib.sha256()
    for path in paths:
        digest.update(f"{path.name} {file_digest(path)}\n".encode())
    return digest.hexdigest()
