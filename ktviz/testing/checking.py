"""One suite for every system: what the protocol promises, tried on a real run.

`check_system` runs all of it; in pytest, parametrize over `CHECKS` to see each promise by itself.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from operator import attrgetter
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from ktviz.audit.audit import Audit
from ktviz.audit.verify import verify
from ktviz.errors import AbilityError, AuditError, KtvizError, UnknownNameError
from ktviz.explain.counterfactual import without
from ktviz.explain.result import one_site
from ktviz.images import Pixels
from ktviz.library.library import Library
from ktviz.networks.threads import at_most
from ktviz.regions import Box
from ktviz.systems.protocol import System
from ktviz.testing.tampering import TAMPERINGS
from ktviz.trace.record import record
from ktviz.trace.trace import Trace

LEVEL = 1 / 255
MOST = 3
"""Sources that are left out, one by one."""


@dataclass(frozen=True, eq=False)
class Trial:
    """A system, and a run of it that is to be tried.

    Attributes:
        system: The system.
        run: Makes the run, and returns its result.
        library: Where its banks are; None if its knowledge is in no library.
        refused: Calls that must raise a `KtvizError`, by what is wrong with them.
        output: The picture of a result, (H, W, 3) uint8.

    Example:
        >>> trial = Trial(system, lambda: system(photo), library)  # doctest: +SKIP
        >>> check_system(trial)  # doctest: +SKIP
        ['neutrality', 'hooks', 'threads', ...]
    """

    system: System
    run: Callable[[], Any]
    library: Library | None = None
    refused: Mapping[str, Callable[[], object]] = field(default_factory=dict)
    output: Callable[[Any], Pixels] = attrgetter("output")

    def record(self) -> Trace:
        """The run, recorded anew."""
        with record(self.model, all_threads=False) as trace:
            self.run()
        return trace

    @cached_property
    def trace(self) -> Trace:
        """The run, recorded once."""
        return self.record()

    @cached_property
    def painting(self) -> Trace:
        """The site that paints the output."""
        return one_site(self.trace)

    @property
    def model(self) -> nn.Module:
        """The system as a module."""
        if not isinstance(self.system, nn.Module):
            raise AssertionError(f"{type(self.system).__name__} is no module: nothing can be recorded")
        return self.system

    @property
    def part(self) -> Box:
        """A part of the output, in its middle."""
        height, width = self.output_pixels.shape[:2]
        return Box(width // 4, height // 4, max(width // 2, 1), max(height // 2, 1))

    @property
    def output_pixels(self) -> Pixels:
        """The recorded output."""
        return self.trace.picture.canvases[str(self.painting.site_about["output"])]

    def can(self, ability: str) -> bool:
        return ability in self.system.abilities


def check_system(trial: Trial, scratch: Path | None = None) -> list[str]:
    """Try everything that a system promises.

    Args:
        trial: The system and a run.
        scratch: A folder for files; a temporary one if None.

    Returns:
        Names of the checks that applied, all of which passed.

    Raises:
        AssertionError: A promise is not kept; the message says which.
    """
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder) if scratch is None else scratch
        done = []
        for name, check in CHECKS.items():
            if all(trial.can(ability) for ability in NEEDS.get(name, ())):
                check(trial, place / name)
                done.append(name)
        return done


def promised(kept: object, broken: str) -> None:
    """Raise AssertionError unless a promise is kept."""
    if not kept:
        raise AssertionError(broken)


def neutrality(trial: Trial, folder: Path) -> None:
    """Recording changes no pixel."""
    alone = trial.output(trial.run())
    promised(np.array_equal(alone, trial.output_pixels), "a recorded run makes another picture")


def hooks(trial: Trial, folder: Path) -> None:
    """Recording leaves no hook, whatever happens meanwhile."""
    before = hooks_of(trial.model)
    try:
        with record(trial.model, all_threads=False):
            trial.run()
            raise KeyboardInterrupt
    except KeyboardInterrupt:
        pass
    promised(hooks_of(trial.model) == before, "a recording left its hooks behind")


def hooks_of(model: nn.Module) -> int:
    """Forward hooks of all modules."""
    return sum(len(module._forward_hooks) + len(module._forward_pre_hooks) for module in model.modules())


def threads(trial: Trial, folder: Path) -> None:
    """The same run has the same digest, again and on one thread."""
    with at_most(1):
        alone = trial.record()
    promised(alone.digest == trial.trace.digest, "on one thread the trace is another one")
    promised(trial.record().digest == trial.trace.digest, "the same run recorded again is another one")


def completeness(trial: Trial, folder: Path) -> None:
    """Parts of a retrieval and what is left over add up to 1, shares of sources to no more."""
    for name in trial.trace.sites:
        one = trial.trace.site(name) if len(trial.trace.sites) > 1 else trial.trace
        if not len(one):
            continue
        query = one.column("query", winners=False)
        parts = np.bincount(query, one.column("weight", winners=False).astype(np.float64))[one.column("query")]
        promised(np.allclose(parts + one.column("left_over"), 1, atol=1e-5), f"{name}: weights do not add up to 1")
        promised(one.sources()["share"].sum() < 1 + 1e-6, f"{name}: shares are more than the picture")


def round_trip(trial: Trial, folder: Path) -> None:
    """A saved trace opens as what it was."""
    trial.trace.save(folder.with_suffix(".parquet"), pictures="both")
    opened = Trace.open(folder.with_suffix(".parquet"))
    promised(opened.digest == trial.trace.digest, "a saved trace opens as another one")
    promised(opened.table.equals(trial.trace.table), "rows of a saved trace are other ones")
    for name, pixels in trial.trace.picture.canvases.items():
        promised(
            np.array_equal(opened.picture.canvases[name], pixels), f"the picture {name} of a saved trace is another"
        )


def rerun(trial: Trial, folder: Path) -> None:
    """The run of a trace is made again to the bit."""
    promised(trial.system.rerun(trial.trace).digest == trial.trace.digest, "made again, it is another run")


def exclusion(trial: Trial, folder: Path) -> None:
    """What is left out is not used, and a part made without it is that of the whole made without it."""
    used = trial.painting.sources().query("share > 0")["source"].tolist()[:MOST]
    tried = 0
    for what in (*used, int(trial.painting.column("entry")[0])):
        try:
            again = without(trial.painting, what, model=trial.system)
        except UnknownNameError:  # nothing would be left
            continue
        tried += 1
        name = trial.painting.sites[0]
        left = again.site(name) if len(again.sites) > 1 else again
        column = "source" if isinstance(what, str) else "entry"
        taken = left.column(column, winners=False)[left.column("weight", winners=False) != 0]
        promised(what not in taken.tolist(), f"{what} was left out and is used")
        part = trial.system.exclude(trial.painting, trial.part)([what])
        whole = again.picture.canvases[str(left.site_about["output"])]
        promised(np.array_equal(part, whole[trial.part.pixels]), f"without {what}, a part is not that of the whole")
    promised(tried, "neither a source nor an entry can be left out")


def blending(trial: Trial, folder: Path) -> None:
    """At 1 a blend is the output, at 0 the baseline, with a derivative between."""
    blend = trial.system.blend(trial.painting, trial.part)
    count = len(blend.retrievals)
    wanted = torch.from_numpy(trial.output_pixels[trial.part.pixels].copy()).permute(2, 0, 1) * LEVEL
    whole = blend(torch.ones(count))
    promised(whole.shape == wanted.shape, f"a blend is {tuple(whole.shape)}, not {tuple(wanted.shape)}")
    promised(float((whole - wanted).abs().max()) < 0.51 * LEVEL + 1e-4, "a blend at 1 is not the output")
    amount = torch.full((count,), 0.5, requires_grad=True)
    blend(amount).sum().backward()
    slope = torch.tensor(torch.nan) if amount.grad is None else amount.grad
    promised(torch.isfinite(slope).all(), "a blend has no finite derivative")
    nothing = blend(torch.zeros(count))
    promised(torch.isfinite(nothing).all(), "a blend at 0 is not finite")
    promised(-1e-3 < float(nothing.min()) <= float(nothing.max()) < 1 + 1e-3, "a blend at 0 is no picture")


def audit(trial: Trial, folder: Path) -> None:
    """An audit is verified by whoever has the knowledge."""
    verdict = verify(audited(trial, folder), trial.library, model=trial.system)
    promised(verdict, f"a true audit is called false: {verdict.difference}")


def tamperings(trial: Trial, folder: Path) -> None:
    """Whatever is changed in an audit, and however well it is made to fit, is found."""
    original = audited(trial, folder)
    for name, tamper in TAMPERINGS.items():
        copy = folder / name.replace(" ", "-")
        shutil.copytree(original, copy)
        if not tamper(copy, trial.system):
            continue
        try:
            verdict = verify(copy, trial.library, model=trial.system)
        except (AuditError, AbilityError):
            continue
        promised(not verdict, f"an audit with {name} is called true")


def audited(trial: Trial, folder: Path) -> Path:
    """An audit of the run."""
    place = folder / "original"
    Audit.create(trial.painting, model=trial.system, top=1, sample=5).save(place)
    return place


def refusals(trial: Trial, folder: Path) -> None:
    """Bad input is refused in words."""
    for name, call in trial.refused.items():
        try:
            call()
        except KtvizError:
            continue
        raise AssertionError(f"{name} was not refused")


CHECKS: Mapping[str, Callable[[Trial, Path], None]] = {
    "neutrality": neutrality,
    "hooks": hooks,
    "threads": threads,
    "completeness": completeness,
    "round trip": round_trip,
    "rerun": rerun,
    "exclusion": exclusion,
    "blending": blending,
    "audit": audit,
    "tamperings": tamperings,
    "refusals": refusals,
}
"""All checks, by name."""
NEEDS: Mapping[str, tuple[str, ...]] = {
    "rerun": ("rerun",),
    "exclusion": ("exclude",),
    "blending": ("blend",),
    "audit": ("rerun", "exclude", "oracle"),
    "tamperings": ("rerun", "exclude", "oracle"),
}
"""Abilities without which a check does not apply."""
