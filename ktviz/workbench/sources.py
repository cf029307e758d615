"""The sources behind the outputs on a bench: what they are called, whichever system took from them; their pictures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ktviz.explain.origins import name_of
from ktviz.explain.source_pictures import source_picture
from ktviz.images import Pixels
from ktviz.licences import UNKNOWN, readable
from ktviz.retrieval.credit import Credit
from ktviz.systems.material import Material
from ktviz.systems.reference import GIVEN
from ktviz.trace.trace import Trace
from ktviz.workbench.entrants import Given
from ktviz.workbench.stand import Stand


@dataclass(frozen=True, eq=False)
class Shown:
    """A source as it is shown.

    Attributes:
        name: What it is called in `Origins`.
        title: What people call it.
        credit: Creator and licence, in words.
        pixels: Its picture.
    """

    name: str
    title: str
    credit: str
    pixels: Pixels


def called(trace: Trace, references: Sequence[Given]) -> dict[str, str]:
    """What sources of a trace are called, where not by the digest of their file: the one picture, and what systems made
    of it, are that one; the input, labels and other pictures are not."""
    only = references[0]
    if not isinstance(only, Material):
        return {}
    digest = only.source["pixels"]
    return {str(one["source"]): only.name for one in trace.about["sources"] if is_of_reference(one, digest)}


def is_of_reference(source: Mapping[str, Any], digest: str) -> bool:
    """Whether a source is of the picture that was given, by its pixels where they are known; banks are called after it:
    reference/picture, objects of it."""
    given = GIVEN in str(source["bank"]).replace("/", " ").split()
    return given and source.get("pixels", digest) == digest


def sources_of(stands: Sequence[Stand], references: Sequence[Given]) -> list[Shown]:
    """The sources that gave something and have a picture; what gave most to all systems together first."""
    only = references[0]
    if isinstance(only, Material):
        return [Shown(only.name, titled(only.credit, only.name), credited(only.credit), only.pixels("a bench"))]
    share, found = given_by(stands), dict[str, Shown]()
    for stand in (one for one in stands if one.origins is not None):
        for source in stand.shown.about["sources"]:
            name, whole = name_of(source, {}), str(source["source"])
            if name in share and name not in found and (picture := source_picture(stand.shown, whole)) is not None:
                credit = credit_of(source)
                found[name] = Shown(name, titled(credit, whole), credited(credit), picture)
    return sorted(found.values(), key=lambda one: -share[one.name])


def given_by(stands: Sequence[Stand]) -> dict[str, float]:
    """Each source that gave something, and how much: cells of the outputs of all systems together."""
    share: dict[str, float] = {}
    for known in (stand.origins for stand in stands if stand.origins is not None):
        given = np.asarray(known.part.sum(0)).reshape(-1, known.cells**2).sum(1)
        for name, part in zip(known.sources, given.tolist(), strict=True):
            share[name] = share.get(name, 0.0) + part
    return {name: part for name, part in share.items() if part}


def credit_of(source: Mapping[str, Any]) -> Credit:
    """The credit of a source of a trace."""
    return Credit(**{part: str(source.get(part, UNKNOWN)) for part in ("title", "creator", "year", "licence", "url")})


def titled(credit: Credit, name: str) -> str:
    """What people call a source."""
    return name if credit.title == UNKNOWN else credit.title


def credited(credit: Credit) -> str:
    """Who made a source, and under which licence, as far as it is known."""
    licence = UNKNOWN if credit.licence == UNKNOWN else readable(credit.licence)
    return ", ".join(part for part in (credit.creator, licence) if part != UNKNOWN)
