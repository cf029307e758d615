"""The bench: one input, one reference, all systems that can take them, and the same questions to each."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date
from functools import partial
from typing import Any, TypeVar

from tqdm.auto import tqdm

from ktviz.errors import SettingError, TraceError
from ktviz.explain.origins import CELLS, check_cells, origins
from ktviz.explain.result import one_site
from ktviz.explain.units import By
from ktviz.images import ImageLike
from ktviz.library.banks import Banks
from ktviz.memory import taken_by
from ktviz.regions import Box, bounding_box, region_mask
from ktviz.systems.material import Material, is_path
from ktviz.systems.protocol import System
from ktviz.systems.reference import GIVEN
from ktviz.trace.about import processor, versions
from ktviz.trace.trace import Trace
from ktviz.values import seed_of, whole
from ktviz.workbench.apart import check_apart
from ktviz.workbench.entrants import Entrant, Given, attempt, entrants
from ktviz.workbench.measures import tested, times_of
from ktviz.workbench.result import Bench
from ktviz.workbench.sources import called
from ktviz.workbench.stand import Stand

RUNS, REPEATS = 16, 3
"""Random halves that are left out, and turns in which times are taken."""
LACKING = "Give what one of them lacks"
NOTHING_GIVEN = "Its sources are the {}: none of them gave anything, and of origins nothing is known."
"""Remark on a system that only names what its output is like."""
Named = TypeVar("Named", Entrant, Stand)


def bench(
    input: Material | ImageLike,
    reference: Material | ImageLike | Banks[Any] | Sequence[Banks[Any]],
    systems: Iterable[str | System] | None = None,
    *,
    region: Box | None = None,
    cells: int = CELLS,
    runs: int = RUNS,
    repeats: int = REPEATS,
    seed: int = 0,
    settings: Mapping[str, Mapping[str, Any]] | None = None,
    quiet: bool = False,
) -> Bench:
    """Put the same question to several systems: which knowledge made this?

    Each system makes a picture of the input after the reference, recorded. What is asked of all: where every cell of
    the output comes from, and how far each pair of systems agrees about it above chance (`kt.agreement`); how far its
    attribution can be trusted (`kt.faithfulness`, by ninths of the reference, of which those count that have a share in
    the region: the table says how many, and how many runs that took); time, with and without recording; memory. A
    system that cannot take what is given is listed with what it lacks.

    Args:
        input: `Material`, or a photograph: whatever `as_pixels` takes.
        reference: The same; or banks of one kind, or several of different kinds, of which each system takes the first
            that it can. Then sources stand for parts, and the same file is the same source in all of them.
        systems: Names, or systems whose networks are to be used; None for all that are known here.
        region: Of the output, for faithfulness and agreement; None for the middle half of its sides.
        cells: Cells a side, of outputs and sources, 48 at most.
        runs: Random halves of the units that are left out, beside each alone; 0 does not test faithfulness.
        repeats: Turns in which times are taken, recorded and not; 0 takes none, and no memory.
        seed: Of the halves.
        settings: How a system is called, by its name.
        quiet: No progress bar.

    Raises:
        SettingError: A value outside its range; a system twice; a picture that is its own reference; or no system can
            take part, with what each lacks.
        UnknownNameError: There is no such system; the message names the nearest.
        ImageError, LabelError: The photograph cannot be used, or a map is not there.
        RegionError: The region is empty or outside.
        StorageError: The disk refuses a bank that is made of the reference.

    Example:
        >>> from ktviz import samples
        >>> photo = samples.photo("coffee")[:48, :64]
        >>> found = bench(photo, photo[::-1], ["kt", "image-analogy"], runs=0, repeats=0, cells=4, quiet=True)
        >>> found.agreement[["one", "other"]].values.tolist()
        [['kt', 'image-analogy']]
        >>> found.frame["system"].tolist(), found.traces["kt"].output.shape
        (['kt', 'image-analogy'], (48, 64, 3))
    """
    check_cells("bench cells", cells)
    for name, number in (("runs", runs), ("repeats", repeats)):
        if whole(f"bench {name}", number) < 0:
            raise SettingError(f"bench {name}={number}", "less than 0", "Give a whole number from 0")
    seed, cells, runs, repeats = seed_of("bench seed", seed), int(cells), int(runs), int(repeats)
    given, references = material(input), references_of(reference)
    check_apart(given, references)
    if given.original is not None:
        region_of(region, *given.scaled(*given.original.shape[:2]))  # before any work, if it is outside
    chosen = entrants(systems, given, references, {} if settings is None else settings)
    by: By = "part" if all(is_alone(one) for one in references) else "source"
    turns = 1 + repeats + (repeats > 0) + (runs > 0)
    with tqdm(total=len(chosen) * turns, desc="bench", unit="step", leave=False, disable=quiet) as bar:
        stands = [first_run(one, references, cells) for one in watched(chosen, bar)]
        there = [stand for stand in stands if stand.trace is not None]
        if not there:
            why = " ".join(stand.why for stand in stands).removesuffix(".")
            raise SettingError(f"a bench of {', '.join(one.name for one in stands)}", why, LACKING)
        area = region_of(region, *there[0].shown.size)
        if repeats:
            there = [remembered(one) for one in watched(there, bar)]
            taken = times_of({one.name: one.ready for one in there}, repeats, bar.update)
            there = [told(replace(one, times=times), why) for one, (times, why) in zip(there, taken, strict=True)]
        if runs:
            there = [test(one, area, by, runs, seed) for one in watched(there, bar)]
    about: dict[str, Any] = {"region": [area.x, area.y, area.width, area.height], "by": by, "cells": cells}
    about |= {"runs": runs, "repeats": repeats, "seed": seed}
    about |= {"made": date.today().isoformat(), "versions": versions(), "processor": processor()}
    measured = {one.name: one for one in there}
    return Bench([measured.get(stand.name, stand) for stand in stands], given, references, about)


def material(given: Material | ImageLike) -> Material:
    """Material as it is; anything else as a photograph.

    Raises:
        SettingError: Banks.
        ImageError: The picture cannot be used.
    """
    if isinstance(given, Banks) or (isinstance(given, list) and any(isinstance(one, Banks) for one in given)):
        raise SettingError("the input of a bench", "banks", "Give a picture: Material.of_bank(bank, name)")
    return given if isinstance(given, Material) else Material(given)


def references_of(given: Any) -> list[Given]:
    """What was given as reference, as a list: one picture, or banks.

    Raises:
        SettingError: Nothing, or banks beside something else.
        ImageError: The picture cannot be used.
    """
    several = list(given) if isinstance(given, (list, tuple)) else [given]
    banks = [one for one in several if isinstance(one, Banks)]
    if banks and len(banks) == len(several):
        return several
    if len(several) == 1 and isinstance(several[0], Material):
        return several
    if banks or not several or any(isinstance(one, Material) for one in several):
        found = "banks beside something else" if banks else "several pictures" if several else "nothing"
        raise SettingError("the reference of a bench", found, "Give one picture, or banks")
    return [Material(given, name="" if is_path(given) else GIVEN)]


def is_alone(reference: Given) -> bool:
    """Whether there is one source."""
    return isinstance(reference, Material) or len(reference.sources) == 1


def watched(several: Sequence[Named], bar: Any) -> Iterator[Named]:
    """Systems one after the other, each named on a progress bar while it works."""
    for one in several:
        bar.set_postfix_str(one.name)
        yield one
        bar.update()


def first_run(one: Entrant, references: Sequence[Given], cells: int) -> Stand:
    """The first run of a system, recorded, and where its output comes from; or why there is none."""
    if one.prepared is None:
        return Stand(**vars(one))
    trace, why = attempt(one.name, partial(recorded, one))
    if trace is None:
        return Stand(one.name, None, why)
    found, remark = attempt(one.name, partial(origins, trace, cells, called(trace, references)))
    stand = Stand(**vars(one), trace=trace, origins=found)
    said = NOTHING_GIVEN.format(caveat) if (caveat := stand.shown.caveat) else remark
    return replace(stand, remarks=(said,) if said else ())


def recorded(one: Entrant) -> Trace:
    """The run of a system; TraceError where it left no picture of what went in or came out."""
    trace = one.ready.traced()
    shown = one_site(trace)
    if shown.picture.input is None or shown.output is None:
        found = "its run left no picture of what " + ("came out" if shown.picture.input is not None else "went in")
        raise TraceError(f"{one.name} beside other systems", found, "Name it in `pictures`")
    return trace


def test(one: Stand, region: Box, by: By, runs: int, seed: int) -> Stand:
    """A system with its faithfulness, or with why that cannot be told; nothing of what sources gave none."""
    if one.shown.caveat:
        return one
    found, remark = attempt(one.name, partial(tested, one.shown, region, by, runs, seed))
    return told(replace(one, faithfulness=found), remark)


def remembered(one: Stand) -> Stand:
    """A system with the memory that it takes, or with why that cannot be told."""
    memory, remark = attempt(one.name, partial(taken_by, one.ready.run))
    return told(replace(one, memory=memory), remark)


def told(one: Stand, remark: str) -> Stand:
    """A system with a remark, if there is one that is new."""
    return one if not remark or remark in one.remarks else replace(one, remarks=(*one.remarks, remark))


def region_of(region: Box | None, height: int, width: int) -> Box:
    """The region that is tested, in whole px: the middle half of both sides, if none is given."""
    if region is None:
        region = Box(width // 4, height // 4, width - 2 * (width // 4), height - 2 * (height // 4))
    return bounding_box(region_mask(region, height, width))
