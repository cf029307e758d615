"""`ktviz train bridge`: from a folder of portraits with their attributes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from ktviz.cli.training_run import TrainingRun

TABLE = "attributes.csv"


def train_bridge(asked: TrainingRun, exclusive: Sequence[str]) -> None:
    """Train the networks of bridging.

    Args:
        asked: What was asked of the training.
        exclusive: Groups of attributes of which a picture has one, each with commas between.
    """
    from ktviz.library.attributes import read_attributes
    from ktviz.systems.bridge.configuration import Configuration
    from ktviz.systems.bridge.shape import SMALL
    from ktviz.training.bridge import Recipe, train

    names = read_attributes(asked.folder / TABLE).names
    shape = replace(SMALL, attributes=len(names))
    known = Configuration(shape, names, tuple(tuple(group.split(",")) for group in exclusive))
    log = train(
        asked.folder,
        asked.output,
        attributes=known.attributes,
        exclusive=known.exclusive,
        recipe=Recipe(shape=shape, crop=(shape.side, shape.side), **asked.changed),
        **asked.common,
    )
    asked.tell(log)
