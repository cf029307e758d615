"""Bad input and bad questions: each is refused in words, whoever asks."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path

import numpy as np

from ktviz.errors import KtvizError
from ktviz.explain.attribution import attribute
from ktviz.explain.case import case_of
from ktviz.explain.counterfactual import without
from ktviz.regions import Box, SourceRegion
from ktviz.testing.promises import promised
from ktviz.testing.trial import NotTried, Trial
from ktviz.trace.trace import Trace

NOWHERE = ("no such source", SourceRegion("no such source", Box(0, 0, 1, 1)), -1, 10**9, 0.5, np.nan, True, None, b"ab")
"""What nobody can leave out."""
ZEROS = "0" * 64
Calls = Mapping[str, Callable[[], object]]


def bad_input(trial: Trial, folder: Path) -> None:
    """The calls of the trial are refused."""
    if not trial.refused:
        raise NotTried("the trial has no bad input")
    check_refused(trial.refused)


def bad_questions(trial: Trial, folder: Path) -> None:
    """What cannot be asked of any trace is refused: settings, sources, entries and regions that are not there; another
    system than the one that made it."""
    trial.needs("rerun")
    check_refused(dict(questions(trial)))


def questions(trial: Trial) -> Iterator[tuple[str, Callable[[], object]]]:
    """Bad questions, by what is wrong with them."""
    trace, system = trial.painting, trial.system
    yield "a setting that does not exist", lambda: system.rerun(trace, no_such_setting=1)
    for name in trace.about["digests"]:
        yield f"a trace of another {name}", partial(case_of, of_other(trace, name), "rerun", model=system)
    if len(trace):
        height, width = trace.picture.size
        outside = Box(width, height, 8, 8)
        yield "a region outside of the picture", lambda: attribute(trace, outside, model=system)
    if "exclude" in system.abilities:
        for part in NOWHERE:
            yield f"leaving out {part!r}", partial(without, trace, part, model=system)


def of_other(trace: Trace, name: str) -> Trace:
    """The trace, saying that it is of something else."""
    return Trace(
        trace.table, {**trace.about, "digests": {**trace.about["digests"], name: ZEROS}}, trace.pictures, trace.model
    )


def check_refused(calls: Calls) -> None:
    """Raise AssertionError unless all calls raise a `KtvizError` that says what was asked, found, and is to be done."""
    for name, call in calls.items():
        try:
            call()
        except KtvizError as error:
            promised(error.asked and error.found and error.todo, f"{name} is refused without words")
        else:
            promised(False, f"{name} is not refused")
