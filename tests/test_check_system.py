"""Every system passes the suite that all share, and a system that breaks a promise does not."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from ktviz.testing import CHECKS, ToyWorld, Trial, toy_photo

EXAMPLES = Path(__file__).parent.parent / "examples"
SYSTEMS = ("kt", "image-analogy", "cocosnet", "pix2pixhd", "palette")


def toy(folder):
    """KT in the toy world."""
    world = ToyWorld(folder)
    photo = toy_photo()
    return Trial(
        world.translator, lambda: world.translator(photo), world.library, {"NaN": lambda: world.translator(np.nan)}
    )


MAKERS = {"kt": toy}


@pytest.fixture(scope="module")
def trials(tmp_path_factory):
    made = {}

    def trial(name):
        if name not in made:
            made[name] = MAKERS[name](tmp_path_factory.mktemp(name))
        return made[name]

    return trial


@pytest.mark.parametrize("check", CHECKS)
@pytest.mark.parametrize("system", MAKERS)
def test_a_system_keeps_a_promise(system, check, trials, tmp_path):
    CHECKS[check](trials(system), tmp_path / "scratch")
