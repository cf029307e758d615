"""`ktviz train munit`: from two folders of pictures that do not belong together."""

from __future__ import annotations

from ktviz.cli.console import say
from ktviz.cli.train_maps import MapsRun, changed, common
from ktviz.errors import SettingError


def train_domains(asked: MapsRun) -> None:
    """Train the networks of MUNIT.

    Raises:
        SettingError: Not two folders.
    """
    if len(asked.images) != 2:
        found, todo = f"{len(asked.images)} folders", "Name two, one of each domain"
        raise SettingError(f"train {asked.system}", found, todo)
    from ktviz.training.munit import Recipe, train

    one, other = asked.images
    log = train((one, other), asked.output, recipe=Recipe(**changed(asked)), **common(asked))
    if not asked.quiet:
        for name, scores in log["scores"].items():
            say(f"{name}: {scores}")
