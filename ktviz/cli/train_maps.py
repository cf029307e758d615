"""`ktviz train pix2pixhd` and `ktviz train cocosnet`: from a folder of photographs with their label maps."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from ktviz.cli.console import say
from ktviz.cli.making.registry import PIX2PIXHD
from ktviz.errors import SettingError
from ktviz.labels import Classes

CLASSES = "classes.csv"


@dataclass(frozen=True)
class MapsRun:
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
        """The folder of pairs."""
        if len(self.images) != 1:
            raise SettingError(f"train {self.system}", f"{len(self.images)} folders", "Name one folder of pairs")
        return self.images[0]


def train_maps(asked: MapsRun) -> None:
    """Train the networks of pix2pixHD or CoCosNet."""
    classes = Classes.read(asked.classes or asked.folder / CLASSES)
    log = (train_pix2pixhd if asked.system == PIX2PIXHD else train_cocosnet)(asked, classes)
    if not asked.quiet:
        for name, scores in log["scores"].items():
            say(f"{name}: {scores}")


def train_pix2pixhd(asked: MapsRun, classes: Classes) -> dict[str, Any]:
    from ktviz.systems.pix2pixhd.shape import SMALL
    from ktviz.training.pix2pixhd import Recipe, train

    recipe = Recipe(shape=replace(SMALL, classes=len(classes)), **changed(asked))
    return train(asked.folder, asked.output, classes=classes, recipe=recipe, **common(asked))


def train_cocosnet(asked: MapsRun, classes: Classes) -> dict[str, Any]:
    from ktviz.systems.cocosnet.configuration import small
    from ktviz.training.cocosnet import Recipe, train

    recipe = Recipe(**changed(asked))
    return train(asked.folder, asked.output, sizes=small(classes), recipe=recipe, **common(asked))


def changed(asked: MapsRun) -> dict[str, Any]:
    """Settings of the recipe that were given."""
    return {name: value for name, value in (("steps", asked.steps), ("seed", asked.seed)) if value is not None}


def common(asked: MapsRun) -> dict[str, Any]:
    """Arguments that both trainings take.

    Raises:
        SettingError: Two folders for evaluation have one name, by which scores are told apart.
    """
    evaluation = {folder.name: folder for folder in asked.evaluate}
    if len(evaluation) < len(asked.evaluate):
        raise SettingError("--eval", "two folders of the same name", "Rename one")
    return {"evaluation": evaluation, "resume": asked.resume, "device": asked.device, "quiet": asked.quiet}
