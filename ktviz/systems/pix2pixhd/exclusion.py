"""What a run does without: sources, objects, or what a part of a source touches."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

import numpy as np
import torch

from ktviz.errors import SettingError, UnknownNameError
from ktviz.names import find_name
from ktviz.regions import SourceRegion, region_mask
from ktviz.retrieval.catalogue import Knowledge
from ktviz.systems.parts import is_number, stated
from ktviz.systems.pix2pixhd.centres import Centres
from ktviz.systems.pix2pixhd.objects import Numbers, Objects
from ktviz.values import listed, short

Part = str | int | SourceRegion


def parts_of(without: Any, centres: Centres) -> tuple[Part, ...]:
    """What is to be left out, sources by their whole names.

    Args:
        without: One part, or several: the name of a source or of a bank, the number of an entry, a `SourceRegion`, as
            a person or a trace states it.
        centres: What objects choose from, and what is behind it.

    Raises:
        UnknownNameError: There is no such source or entry.
        SettingError: Something else.
    """
    return tuple(part_of(one, centres) for one in listed(without))


def part_of(part: Any, centres: Centres) -> Part:
    """One part; errors as in `parts_of`."""
    known = knowledge_of(centres)
    if isinstance(part, Mapping):
        part = stated(part)
    if isinstance(part, str):
        banks = {str(one["bank"]) for one in known.describe_sources()}
        return part if part in banks else find_name(part, known.source_names)
    if isinstance(part, SourceRegion) and centres.objects is not None:
        name = find_name(part.source, known.source_names)
        height, width = centres.objects.object_map(known.source_names.index(name)).shape
        region_mask(part.box, height, width)  # refuses what lies outside
        return SourceRegion(name, part.box)
    if is_number(part):
        if not 0 <= part < len(known):
            raise UnknownNameError(
                f"entry {part}", f"entries go from 0 to {len(known) - 1:,}", "Take one that a trace names"
            )
        return int(part)
    raise SettingError(f"without {short(part)}", "no part of the knowledge", "Name sources, entries or a SourceRegion")


def entries_of(parts: Sequence[Part], centres: Centres) -> Numbers:
    """The entries that some parts are, ascending: of objects, or of centres that know none."""
    known = knowledge_of(centres)
    about = known.describe_sources()
    source = known.source_of(torch.arange(len(known))).numpy()
    gone = np.zeros(len(known), dtype=bool)
    for part in parts:
        if isinstance(part, int):
            gone[part] = True
        elif isinstance(part, SourceRegion):
            assert centres.objects is not None
            gone |= touched(part, centres.objects, source)
        else:
            gone |= np.isin(source, [n for n, one in enumerate(about) if part in (one["source"], one["bank"])])
    return np.flatnonzero(gone)


def knowledge_of(centres: Centres) -> Knowledge:
    """What can be left out: objects, or centres that know none."""
    return centres if centres.objects is None else centres.objects


def touched(part: SourceRegion, objects: Objects, source: Numbers) -> np.ndarray[Any, np.dtype[np.bool_]]:
    """The objects (n,) of a source that lie, with a pixel at least, in a part of it."""
    number = objects.source_names.index(part.source)
    instances = objects.object_map(number)
    there = np.unique(instances[region_mask(part.box, *instances.shape)])
    found: np.ndarray[Any, np.dtype[np.bool_]] = (source == number) & np.isin(objects.number, there)
    return found


def described(parts: Sequence[Part]) -> list[Any]:
    """Parts as a trace states them."""
    return [asdict(part) if isinstance(part, SourceRegion) else part for part in parts]
