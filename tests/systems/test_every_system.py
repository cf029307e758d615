"""Every system, in every mode, passes the suite that all share; what is not tried is known, and why."""

from __future__ import annotations

from typing import get_args

import pytest

from ktviz.systems import registry
from ktviz.systems.bridge.settings import Mode
from ktviz.systems.munit.settings import MODES as MUNIT_MODES
from ktviz.systems.pix2pixhd.settings import Choice
from ktviz.testing import CHECKS, check_system

from .trials import bridge, cocosnet, image_analogy, kt, munit, pix2pixhd

SYSTEMS = {
    "kt": kt,
    "image-analogy": image_analogy,
    "cocosnet": cocosnet,
    "pix2pixhd": pix2pixhd,
    "munit": munit,
    "bridge": bridge,
}
"""By name, where the trials of each system are made."""
MODES = {name: module.MODES for name, module in SYSTEMS.items()}
RUNS = [(system, mode) for system, modes in MODES.items() for mode in modes]
GIVEN = "its knowledge is in no library"
NAMED = "the run cannot be made without what it took"
NOTHING = "the run retrieved nothing"
SAME = "nothing changes between a blend at 0 and at 1"
SKIPPED = {
    "removal": {
        ("image-analogy", "reference given"): GIVEN,
        ("image-analogy", "reference of a bank"): NAMED,
        ("cocosnet", "exemplar given"): GIVEN,
        ("pix2pixhd", "encoded"): NAMED,
        ("pix2pixhd", "encoded, of a bank"): NAMED,
        ("pix2pixhd", "centres of a file"): GIVEN,
        ("munit", "exemplar given"): GIVEN,
        ("munit", "exemplar of a bank"): NAMED,
        ("munit", "mix"): NAMED,
        ("munit", "drawn, no bank"): NOTHING,
        ("bridge", "reference given"): GIVEN,
        ("bridge", "reference of a bank"): NAMED,
        ("bridge", "labels"): NAMED,
    },
    "blending": {("munit", mode): SAME for mode in ("drawn", "drawn, no bank")},
    **{check: {("munit", "drawn, no bank"): NOTHING} for check in ("exclusion", "baseline", "audit", "tamperings")},
}
"""By check, what is not tried, and why."""
BAD_INPUT = {
    "wrong domain": {*MODES},
    "missing weights": {*MODES},
    "foreign weights": {*MODES},
    "empty bank": {*MODES},
    "NaN": {*MODES},
    "code of the wrong length": {"pix2pixhd", "munit", "bridge"},
    "weights that do not add up to 1": {"munit", "bridge"},
    "unknown attribute": {"bridge"},
    "contradictory attributes": {"bridge"},
    "reference that lacks what is wanted": {"bridge"},
}
"""By what is wrong, the systems that can be given it."""


@pytest.fixture(scope="module")
def trials(tmp_path_factory):
    """`trials(system)`: made once, by mode."""
    made = {}

    def of(system):
        if system not in made:
            made[system] = SYSTEMS[system].trials(tmp_path_factory.mktemp(system))
        return made[system]

    return of


@pytest.mark.parametrize("check", CHECKS)
@pytest.mark.parametrize(("system", "mode"), RUNS, ids=map(": ".join, RUNS))
def test_a_system_keeps_a_promise(system, mode, check, trials):
    why = SKIPPED.get(check, {}).get((system, mode))
    assert check_system(trials(system)[mode], check) == ({} if why is None else {check: why})


def test_every_registered_system_is_tried():
    assert {*SYSTEMS} == {*registry.OURS}


@pytest.mark.parametrize("system", MODES)
def test_every_trial_is_of_its_system(system, trials):
    assert tuple(trials(system)) == MODES[system]
    assert {trial.system.name for trial in trials(system).values()} == {system}


@pytest.mark.parametrize(
    ("system", "setting", "modes"),
    [("pix2pixhd", "choice", get_args(Choice)), ("munit", "mode", MUNIT_MODES), ("bridge", "mode", get_args(Mode))],
)
def test_every_mode_of_a_system_is_tried(system, setting, modes, trials):
    assert {trial.trace.picture.settings[setting] for trial in trials(system).values()} == {*modes}


@pytest.mark.parametrize("wrong", BAD_INPUT)
def test_what_is_wrong_is_given_to_all_systems_that_can_be_given_it(wrong, trials):
    given = {system for system in MODES for trial in trials(system).values() if wrong in trial.refused}
    assert given == BAD_INPUT[wrong]
