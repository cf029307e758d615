"""`ktviz train pix2pixhd` and `ktviz train cocosnet`: from a folder of photographs with their label maps."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from ktviz.cli.making.registry import PIX2PIXHD
from ktviz.cli.training_run import TrainingRun
from ktviz.labels import Classes

CLASSES = "classes.csv"


def train_maps(asked: TrainingRun) -> None:
    """Train the networks of pix2pixHD or CoCosNet."""
    classes = Classes.read(asked.classes or asked.folder / CLASSES)
    asked.tell((train_pix2pixhd if asked.system == PIX2PIXHD else train_cocosnet)(asked, classes))


def train_pix2pixhd(asked: TrainingRun, classes: Classes) -> dict[str, Any]:
    from ktviz.systems.pix2pixhd.shape import SMALL
    from ktviz.training.pix2pixhd import Recipe, train

    recipe = Recipe(shape=replace(SMALL, classes=len(classes)), **asked.changed)
    return train(asked.folder, asked.output, classes=classes, recipe=recipe, **asked.common)


def train_cocosnet(asked: TrainingRun, classes: Classes) -> dict[str, Any]:
    from ktviz.systems.cocosnet.configuration import small
    from ktviz.training.cocosnet import Recipe, train

    recipe = Recipe(**asked.changed)
    return train(asked.folder, asked.output, sizes=small(classes), recipe=recipe, **asked.common)
