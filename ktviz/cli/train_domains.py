"""`ktviz train munit`: from two folders of pictures that do not belong together."""

from __future__ import annotations

from ktviz.cli.training_run import TrainingRun
from ktviz.errors import SettingError


def train_domains(asked: TrainingRun) -> None:
    """Train the networks of MUNIT.

    Raises:
        SettingError: Not two folders.
    """
    if len(asked.images) != 2:
        found, todo = f"{len(asked.images)} folders", "Name two, one of each domain"
        raise SettingError(f"train {asked.system}", found, todo)
    from ktviz.training.munit import Recipe, train

    one, other = asked.images
    log = train((one, other), asked.output, recipe=Recipe(**asked.changed), **asked.common)
    asked.tell(log)
