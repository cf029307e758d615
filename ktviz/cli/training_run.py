"""What was asked of a training on the command line, and what is told of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ktviz.cli.console import say
from ktviz.errors import SettingError


@dataclass(frozen=True)
class TrainingRun:
    """What was asked of a training; see `ktviz.cli.train.train`."""

    system: str
    images: list[Path]
    output: Path
    classes: Path | None
    evaluate: list[Path]
    steps: int | None
    seed: int | None
    device: str
    resume: bool
    quiet: bool

    @property
    def folder(self) -> Path:
        """The one folder to learn from."""
        if len(self.images) != 1:
            raise SettingError(f"train {self.system}", f"{len(self.images)} folders", "Name one folder")
        return self.images[0]

    @property
    def changed(self) -> dict[str, Any]:
        """Settings of the recipe that were given."""
        return {name: value for name, value in (("steps", self.steps), ("seed", self.seed)) if value is not None}

    @property
    def common(self) -> dict[str, Any]:
        """Arguments that all of these trainings take.

        Raises:
            SettingError: Two folders for evaluation have one name, by which scores are told apart.
        """
        evaluation = {folder.name: folder for folder in self.evaluate}
        if len(evaluation) < len(self.evaluate):
            raise SettingError("--eval", "two folders of the same name", "Rename one")
        return {"evaluation": evaluation, "resume": self.resume, "device": self.device, "quiet": self.quiet}

    def tell(self, log: Mapping[str, Any]) -> None:
        """Print the scores."""
        if not self.quiet:
            for name, scores in log["scores"].items():
                say(f"{name}: {scores}")
