"""One suite for every system: what the protocol promises, tried on a real run::

    for name in CHECKS:
        skipped = check_system(trial, [name])

In pytest, parametrize over `CHECKS` to see each promise by itself.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from ktviz.audit.audit import Audit
from ktviz.audit.folder import plain_files
from ktviz.audit.verify import verify
from ktviz.errors import AuditError, unknown_name
from ktviz.testing.promises import (
    baseline,
    blending,
    completeness,
    exclusion,
    hooks,
    neutrality,
    promised,
    removal,
    rerun,
    round_trip,
    threads,
)
from ktviz.testing.refusals import bad_input, bad_questions
from ktviz.testing.tampering import TAMPERINGS
from ktviz.testing.trial import NotTried, Trial
from ktviz.values import listed

Check = Callable[[Trial, Path], None]
"""Tries one promise, with a folder for files; raises AssertionError if it is broken, NotTried if it is not made."""


def audit(trial: Trial, folder: Path) -> None:
    """An audit is verified by whoever has the knowledge, and opens as what it was."""
    trial.needs_audits()
    verdict = verify(trial.audit, trial.library, model=trial.system)
    promised(verdict, f"a true audit is called false: {verdict.difference}")
    Audit.open(trial.audit).write(folder / "again")
    for name in plain_files(trial.audit):
        same = (folder / "again" / name).read_bytes() == (trial.audit / name).read_bytes()
        promised(same, f"{name} of a saved audit opens as something else")


def tamperings(trial: Trial, folder: Path) -> None:
    """Whatever is changed in an audit, and however well it is made to fit, is found."""
    trial.needs_audits()
    left = []
    for name, tamper in TAMPERINGS.items():
        copy = shutil.copytree(trial.audit, folder / name / "audit")
        if not tamper(copy, trial.system):
            left.append(name)
            continue
        promised(not called_true(trial, copy), f"an audit with {name} is called true")
    if left:
        raise NotTried(f"its audit has no place for {', '.join(left)}")


def called_true(trial: Trial, folder: Path) -> bool:
    """Whether an audit is verified; one that is none any more is not."""
    try:
        return bool(verify(folder, trial.library, model=trial.system))
    except AuditError:
        return False


CHECKS: Mapping[str, Check] = {
    "neutrality": neutrality,
    "hooks": hooks,
    "threads": threads,
    "completeness": completeness,
    "round trip": round_trip,
    "rerun": rerun,
    "exclusion": exclusion,
    "removal": removal,
    "blending": blending,
    "baseline": baseline,
    "bad input": bad_input,
    "bad questions": bad_questions,
    "audit": audit,
    "tamperings": tamperings,
}
"""All checks, by name."""


def check_system(trial: Trial, only: str | Iterable[str] = tuple(CHECKS)) -> dict[str, str]:
    """Try what a system promises.

    Args:
        trial: The system and a run.
        only: Names of checks; all of them if left out.

    Returns:
        What was not tried, by name of the check, and why: the system lacks an ability, or its trial something. All else
        was tried, and holds.

    Raises:
        AssertionError: A promise is not kept; the message says which.
        UnknownNameError: There is no such check.

    Example:
        >>> import ktviz as kt
        >>> from ktviz import samples
        >>> photo = samples.photo("coffee")[:24, :32]
        >>> analogy = kt.ImageAnalogy(photo[:, ::-1])
        >>> trial = Trial(analogy, lambda: analogy(photo, iterations=1).a_prime)
        >>> check_system(trial, ["neutrality", "exclusion", "removal"])
        {'removal': 'its knowledge is in no library'}
    """
    skipped = {}
    for name in listed(only):
        if name not in CHECKS:
            raise unknown_name("check", name, CHECKS)
        with tempfile.TemporaryDirectory(prefix="ktviz-") as folder:
            try:
                CHECKS[name](trial, Path(folder))
            except NotTried as why:
                skipped[name] = str(why)
    return skipped
