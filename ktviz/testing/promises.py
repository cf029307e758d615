"""What the protocol promises of a run and of questions about it: checks that raise where a promise is broken."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, cast

import numpy as np
import torch
from torch import nn

from ktviz.errors import KtvizError, UnknownNameError
from ktviz.explain.counterfactual import without
from ktviz.library.library import Library
from ktviz.regions import Box, SourceRegion, region_mask
from ktviz.systems.protocol import System
from ktviz.testing.trial import NotTried, Trial
from ktviz.trace.pictures import INPUT, Picture
from ktviz.trace.record import record
from ktviz.trace.trace import Trace

LEVEL = 1 / 255
THREADS = (1, 2, 3)
MOST = 3
"""Sources that are left out, one by one."""
STEP, STEEP = 1e-3, 0.1
"""How far apart blends are that are compared, and by how much their difference may be another than the derivative: over
all the way from 0 to 1 it is 1 on average."""


def promised(kept: object, broken: str) -> None:
    """Raise AssertionError unless a promise is kept."""
    if not kept:
        raise AssertionError(broken)


def neutrality(trial: Trial, folder: Path) -> None:
    """Recording changes no pixel, and a run changes nothing of the system."""
    before = dict(trial.system.digests())
    alone = trial.run()
    promised(dict(trial.system.digests()) == before, "after a run the system has other digests")
    promised(np.array_equal(alone, trial.output), "a recorded run makes another picture")


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
    """The same run has the same digest on any number of threads, again and again."""
    before = torch.get_num_threads()
    try:
        for count in (*THREADS, before):
            torch.set_num_threads(count)
            promised(trial.record().digest == trial.trace.digest, f"on {count} threads the trace is another one")
    finally:
        torch.set_num_threads(before)


def completeness(trial: Trial, folder: Path) -> None:
    """Parts of a retrieval add up to 1 with what is left over, which is no more than the trial says; sources have no
    more than the picture, and a footprint is as much as the overlap."""
    for site in sites_of(trial.trace):
        name, query = site.sites[0], site.column("query", winners=False)
        parts = np.bincount(query, site.column("weight", winners=False).astype(np.float64))[site.column("query")]
        promised(np.allclose(parts + site.column("left_over"), 1, atol=1e-5), f"{name}: weights do not add up to 1")
        left = float(np.abs(site.column("left_over")).mean())
        said = f"{name}: weights leave {left:.2g} over, and the trial says {trial.left_over:.2g}"
        promised(left <= trial.left_over + 1e-5, said)
        promised(site.sources()["share"].sum() < 1 + 1e-6, f"{name}: sources have more than the picture")
    if "blend" in trial.system.abilities and len(trial.trace):
        mask = region_mask(trial.part, *trial.painting.size)
        found = trial.system.footprint(trial.painting, mask)
        promised(abs(found.sum() - trial.painting.overlap(mask).sum()) < 1e-6, "a footprint is not all of a region")


def sites_of(trace: Trace) -> list[Trace]:
    """The sites that retrieved something."""
    found = [trace.site(name) for name in trace.sites] if len(trace.sites) > 1 else [trace]
    return [site for site in found if len(site)]


def round_trip(trial: Trial, folder: Path) -> None:
    """A saved trace opens as what it was."""
    opened = saved(trial, folder, "both")
    promised(opened.digest == trial.trace.digest, "a saved trace opens as another one")
    promised(opened.table.equals(trial.trace.table), "rows of a saved trace are other ones")
    for name, pixels in trial.trace.picture.canvases.items():
        promised(np.array_equal(opened.picture.canvases[name], pixels), f"{name} of a saved trace is another picture")


def saved(trial: Trial, folder: Path, pictures: Any) -> Trace:
    """The trace out of its file."""
    place = folder / f"{pictures}.parquet"
    trial.trace.save(place, pictures=pictures)
    return Trace.open(place)


def rerun(trial: Trial, folder: Path) -> None:
    """The run of a trace is made again to the bit: by the system, and by one that is opened for the trace's file, on
    the knowledge that it names. Of a trace that lacks something, it is that run or refused."""
    trial.needs("rerun")
    same_run(trial, trial.system.rerun(trial.trace), "made again")
    there = saved(trial, folder, "both")
    same_run(trial, opened(trial, there, trial.library).rerun(there), "opened and made again")
    for how, trace in lacking(trial, folder):
        with suppress(KtvizError):
            same_run(trial, trial.system.rerun(trace), f"made again {how}")
        with suppress(KtvizError):
            same_run(trial, opened(trial, trace, trial.library).rerun(trace), f"opened and made again {how}")


def lacking(trial: Trial, folder: Path) -> Iterator[tuple[str, Trace]]:
    """The trace without some of what it says of its run, in words and so."""
    trace, picture = trial.trace, trial.trace.picture
    photo = {INPUT: picture.canvases[INPUT]} if INPUT in picture.canvases else {}
    yield "with the photo alone", saved(trial, folder, "none").with_canvases(photo)
    yield "without its sources", Trace(trace.table, {**trace.about, "sources": []}, trace.pictures)
    told = {name: {**about, "sha256": None} for name, about in picture.about["canvases"].items()}
    unnamed = Picture(picture.canvases, {**picture.about, "canvases": told})
    yield "without digests of its pictures", Trace(trace.table, trace.about, [unnamed])
    for name in picture.settings:
        settings = {other: value for other, value in picture.settings.items() if other != name}
        yield f"without its setting {name}", trace.with_settings(settings)


def same_run(trial: Trial, again: Trace, how: str) -> None:
    """Raise AssertionError unless a run is the same."""
    promised(again.digest == trial.trace.digest, f"{how}, it is another run")
    promised(np.array_equal(trial.output_of(again), trial.output), f"{how}, it is another picture")


def opened(trial: Trial, trace: Trace, library: Library | None) -> System:
    """A system for a trace, with the networks of the one that is tried."""
    return cast(System, cast(Any, type(trial.system)).opened(trace, library, trial.system))


def exclusion(trial: Trial, folder: Path) -> None:
    """What is left out is not used, whichever site is asked; a part made without it is that of the whole made without
    it; and what fed nothing changes nothing."""
    trial.needs("exclude")
    trial.needs_retrievals()
    tried = [what for site, what in knowledge_of(trial) if left_out(trial, site, what)]
    promised(tried, "neither a source nor an entry can be left out")
    part = trial.system.exclude(trial.painting, trial.part)()
    promised(np.array_equal(part, trial.output[trial.part.pixels]), "without nothing, a part is not that of the output")
    promised(trial.system.instead(trial.painting, {}), "it is not said what takes the place of what is left out")


def knowledge_of(trial: Trial) -> Iterator[tuple[Trace, str | int | SourceRegion]]:
    """What can be left out, with the site that is asked: of that which paints some sources and a part of one, of each
    an entry."""
    for site in sites_of(trial.trace):
        if site.sites == trial.painting.sites:
            yield from ((site, name) for name in used_sources(site))
            box = site.column("source_box")[0]
            if site.site_about["causal"] and not np.isnan(box).any():
                yield site, SourceRegion(site.column("source")[0], Box(*box.tolist()))
        yield site, int(site.column("entry")[0])


def used_sources(site: Trace) -> list[str]:
    """The sources with the largest shares."""
    shares = site.sources()
    return [str(name) for name in shares[shares["share"] != 0]["source"].head(MOST)]


def left_out(trial: Trial, site: Trace, what: str | int | SourceRegion) -> bool:
    """Leave something out, and look whether it is gone; false where nothing would be left."""
    try:
        again = without(site, what, model=trial.system)
    except UnknownNameError:
        return False
    there = again.site(site.sites[0]) if len(again.sites) > 1 else again
    column = "source" if isinstance(what, str) else "entry"
    gone = int(site.column("entry")[0]) if isinstance(what, SourceRegion) else what
    taken = there.column(column, winners=False)[there.column("weight", winners=False) != 0]
    promised(gone not in taken.tolist(), f"{site.sites[0]}: {what} was left out and is used")
    if not site.site_about["causal"]:
        same = np.array_equal(trial.output_of(again), trial.output)
        promised(same, f"{site.sites[0]}: {what} is said to have fed nothing, and without it the picture is another")
    if site.sites == trial.painting.sites:
        part, whole = trial.system.exclude(site, trial.part)([what]), trial.output_of(again)
        promised(np.array_equal(part, whole[trial.part.pixels]), f"without {what}, a part is not that of the whole")
    return True


def removal(trial: Trial, folder: Path) -> None:
    """Without a source the picture is as after its removal from the library; where clusters go by all of a bank, it is
    at least not used any more."""
    trial.needs("rerun", "exclude")
    trial.needs_retrievals()
    if trial.library is None:
        raise NotTried("its knowledge is in no library")
    tried = [name for name in used_sources(trial.painting) if removed(trial, name, trial.library, folder)]
    if not tried:
        raise NotTried("the run cannot be made without what it took")


def removed(trial: Trial, name: str, library: Library, folder: Path) -> bool:
    """Remove a source from a copy of the library, and look; false where the run cannot be made without it."""
    bank = next(source["bank"] for source in trial.trace.about["sources"] if source["source"] == name)
    if bank not in library:
        return False
    copy = Library.open(shutil.copytree(library.folder, folder / f"without-{len(list(folder.iterdir()))}.ktlib"))
    copy.remove(bank, name, quiet=True)
    try:
        after = opened(trial, trial.trace, copy).rerun(trial.trace)
    except KtvizError:
        return False
    left = after.site(trial.painting.sites[0]) if len(after.sites) > 1 else after
    promised(name not in left.column("source", winners=False), f"{name} was removed and is used")
    if "tree" not in trial.system.abilities:
        whole = trial.output_of(without(trial.trace, name, model=trial.system))
        promised(np.array_equal(trial.output_of(after), whole), f"without {name}, it is not as after its removal")
    return True


def blending(trial: Trial, folder: Path) -> None:
    """At 1 a blend is the output, at 0 a picture, and between them it has the derivative that differences show."""
    trial.needs("blend")
    blend = trial.system.blend(trial.painting, trial.part)
    count = len(blend.retrievals)
    whole, nothing = (blend(torch.full((count,), amount)).detach() for amount in (1.0, 0.0))
    apart = (whole - part_of(trial, trial.output)).abs().max()
    promised(float(apart) < 0.51 * LEVEL + 1e-4, "a blend at 1 is not the output")
    promised(torch.isfinite(nothing).all(), "a blend at 0 is not finite")
    promised(-1e-3 < float(nothing.min()) <= float(nothing.max()) < 1 + 1e-3, "a blend at 0 is no picture")
    way = (whole - nothing).double()
    if not way.any():
        raise NotTried("nothing changes between a blend at 0 and at 1")

    def progress(amount: torch.Tensor) -> torch.Tensor:
        return (blend(amount).double() * way).sum() / way.square().sum()

    amount = torch.full((count,), 0.5, requires_grad=True)
    progress(amount).backward()
    slope = torch.nan if amount.grad is None else float(amount.grad.double().sum())
    with torch.no_grad():
        steps = (progress(torch.full((count,), 0.5 + step)) for step in (STEP, -STEP))
        seen = float(next(steps) - next(steps)) / (2 * STEP)
    promised(abs(slope - seen) < STEEP, f"a blend's derivative is {slope:.3f} where differences show {seen:.3f}")


def baseline(trial: Trial, folder: Path) -> None:
    """At 0 a blend is the picture of the stated baseline."""
    trial.needs("blend")
    trial.needs_retrievals()
    if trial.baseline is None:
        raise NotTried("the trial makes no picture of the baseline")
    blend = trial.system.blend(trial.painting, trial.part)
    apart = (blend(torch.zeros(len(blend.retrievals))) - part_of(trial, trial.baseline())).abs().max()
    promised(float(apart) < 0.51 * LEVEL + 1e-4, f"a blend at 0 is not {trial.system.baseline}")


def part_of(trial: Trial, pixels: Any) -> torch.Tensor:
    """The part that is looked at, as blends show it: (3, h, w) in [0, 1]."""
    return torch.from_numpy(pixels[trial.part.pixels].copy()).permute(2, 0, 1) * LEVEL
