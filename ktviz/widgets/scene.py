"""The scene: all that a view draws at first, from pictures to the winner of every retrieval, as one run of bytes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from numbers import Real
from typing import Any

import numpy as np
import numpy.typing as npt

from ktviz import __version__
from ktviz.figures.colours import SOURCE_COLOURS
from ktviz.licences import readable
from ktviz.trace.named import title_of
from ktviz.trace.pictures import in_words
from ktviz.trace.shares import NOT_RECORDED, lacking, lacking_by_class, source_numbers
from ktviz.widgets import label_map
from ktviz.widgets.layout import candidates, matrix
from ktviz.widgets.packing import Part, whole, zipped
from ktviz.widgets.panels.registry import PANELS, appearing
from ktviz.widgets.pictures import LONGEST_PX, encoded
from ktviz.widgets.protocol import NO_SOURCE, PROTOCOL
from ktviz.widgets.subject import Subject

SCENE_BYTES = 1_300_000
"""Room of the scene of a 512x512 translation: with the bundle the first draw stays below 1.5 MB."""
CREDIT = ("bank", "title", "creator", "year", "licence", "url")
ROUNDING = 1e-6
"""Similarities that differ by less are equal."""


def scene_of(subject: Subject) -> bytes:
    """The scene of a live view, packed and within gzip."""
    rest = {**columns(subject), **source_pictures(subject)}
    taken = sum(len(part) if isinstance(part, bytes) else part.nbytes for part in rest.values())
    shown = {**subject.beside, **subject.pictures_by_canvas}
    found = {canvas_part(name): pixels for name, pixels in shown.items()}
    return zipped(describe(subject), {**encoded(found, SCENE_BYTES - taken), **rest})


def canvas_part(name: str) -> str:
    """What the picture of a canvas is called in a scene."""
    return f"canvas/{name}"


def describe(subject: Subject) -> dict[str, Any]:
    """What the scene says in words and numbers."""
    trace = subject.trace
    settings = trace.picture.settings
    panels = appearing(subject)
    said = {
        "protocol": PROTOCOL,
        "version": __version__,
        "canvas": describe_canvas(subject, "canvas"),
        "output": describe_canvas(subject, "output"),
        "beside": [{"name": name, "title": in_words(name)} for name in subject.beside],
        "queries": len(trace),
        "candidates": candidates(trace),
        "preset": settings.get("preset"),
        "without": list(settings.get("without", ())),
        "left_over": lacking(trace)[NOT_RECORDED],
        "coherent": float(subject.coherent.mean()) if len(trace) else 0.0,
        "best": best_found(subject),
        "kept": similarity_kept(subject),
        "causal": not trace.caveat,
        "site": subject.site,
        "sites": list(subject.sites),
        "measures": measures(subject),
        "lacking": {why: part for why, part in lacking_by_class(subject.trace).items() if why != NOT_RECORDED},
        "digest": short_digest(subject),
        "live": subject.case is not None,
        "frozen": subject.frozen,
        "panels": [{"name": one.name, "row": one.row, "appears": one in panels} for one in PANELS],
        "can": abilities(subject),
        "sources": sources(subject),
        "unlisted": subject.trace.unlisted,
        "banks": subject.searched,
    }
    for panel in panels:
        said |= panel.describe(subject)
    return said


def describe_canvas(subject: Subject, role: str) -> dict[str, Any]:
    """The picture that a site states as its "canvas" or its "output": name, title, size; whether it is shown smaller.

    All places in a scene are in px of the canvas; on an output of another size they lie in proportion.
    """
    trace = subject.trace
    name = str(trace.site_about[role])
    height, width = trace.picture.size_of(name) if name in trace.picture.about["canvases"] else trace.size
    shrunk = name in subject.pictures_by_canvas and max(height, width) > LONGEST_PX
    return {"name": name, "title": in_words(name), "width": width, "height": height, "shrunk": shrunk}


def measures(subject: Subject) -> dict[str, float]:
    """What the system measured at the site that is shown: numbers by name."""
    known = subject.trace.picture.measures.get(subject.site)
    return {
        str(name): float(value)
        for name, value in (known if isinstance(known, Mapping) else {}).items()
        if isinstance(value, Real) and np.isfinite(float(value))
    }


def short_digest(subject: Subject) -> str:
    """What a trace is called on screen and in requests."""
    return subject.trace.digest[:12]


def best_similarity(subject: Subject) -> npt.NDArray[np.float64] | None:
    """Similarity of the best that there was for each query (N,): of all entries where regret was asked for, else of the
    candidates; None where only winners were recorded."""
    trace = subject.trace
    if subject.regret is not None:
        found: npt.NDArray[np.float64] = trace.column("similarity").astype(np.float64) + subject.regret
        return found
    if candidates(trace) < 2:
        return None
    best = np.nanmax(matrix(trace, trace.column("similarity", winners=False), np.nan), axis=1)
    return np.asarray(best, dtype=np.float64)


def best_found(subject: Subject) -> float | None:
    """Part of the winners that are the best there was: coherence takes others, to continue a neighbour."""
    best = best_similarity(subject)
    if best is None or not len(best):
        return None
    return float((subject.trace.column("similarity") >= best - ROUNDING).mean())


def similarity_kept(subject: Subject) -> float | None:
    """The winners' similarity as a part of that of the best there was."""
    best = best_similarity(subject)
    if best is None or best.sum() <= 0:
        return None
    return float(subject.trace.column("similarity").sum(dtype=np.float64) / best.sum())


def abilities(subject: Subject) -> dict[str, bool]:
    """What of the views has something to show."""
    found = {"soft": is_soft(subject), "exclude": subject.can("rerun", "exclude")}
    for panel in PANELS:
        found |= panel.can(subject)
    return found


def is_soft(subject: Subject) -> bool:
    """Whether several candidates, or some that were not recorded, have a part in a result."""
    trace = subject.trace
    return bool((trace.column("left_over") > 0).any() or (trace.winners["weight"].to_numpy() < 1).any())


def sources(subject: Subject) -> list[dict[str, Any]]:
    """Every source that is listed, with its credit, share and colour, in the order of their numbers.

    Sources of which the same sites choose have different colours, as far as these go; `here` are those of this site.
    """
    found = []
    ranks: Counter[tuple[str, ...]] = Counter()
    for row in subject.shares.to_dict("records"):
        about = subject.described[str(row["source"])]
        asked = subject.asked.get(str(about["bank"]), (subject.site,))
        rank = ranks[asked]
        ranks[asked] += 1
        found.append(
            {
                "name": row["source"],
                **credited(about),
                "width": about.get("width"),
                "height": about.get("height"),
                "share": row["share"],
                "retrievals": row["retrievals"],
                "colour": rank if rank < len(SOURCE_COLOURS) else -1,
                "here": subject.site in asked,
            }
        )
    return found


def credited(about: Mapping[str, Any]) -> dict[str, str]:
    """The credit of a source, as it is shown."""
    known = {name: str(about.get(name, "unknown")) for name in CREDIT}
    return {**known, "title": title_of(about), "licence": readable(known["licence"])}


def source_pictures(subject: Subject) -> dict[str, Part]:
    """What panels show of the sources; the same for all traces of a view."""
    found: dict[str, Part] = {}
    for panel in appearing(subject):
        found |= panel.pictures(subject)
    return found


def columns(subject: Subject) -> dict[str, Part]:
    """The winners, (N,) per query; where several candidates have a part in a result, all of them: (N, k), with
    `NO_SOURCE` where there are fewer."""
    trace = subject.trace
    found: dict[str, Part] = {
        "query": trace.column("query").astype(np.int32),
        "box": trace.column("box").astype(np.float32),
        "source_box": trace.column("source_box").astype(np.float32),
        "margin": trace.column("margin").astype(np.float32),
        "coherent": subject.coherent,
        "entry": trace.column("entry").astype(np.int32),
        "source": whole(subject.numbers_of(source_numbers(trace, winners=True))),
        "similarity": trace.column("similarity").astype(np.float32),
    }
    if is_soft(subject):
        found["mixed/entry"] = matrix(trace, trace.column("entry", winners=False).astype(np.int32), -1)
        found["mixed/source"] = whole(subject.numbers_of(matrix(trace, source_numbers(trace), NO_SOURCE)))
        found["mixed/weight"] = matrix(trace, trace.column("weight", winners=False).astype(np.float32), 0)
    found |= label_map.columns(trace)
    for panel in appearing(subject):
        found |= panel.columns(subject)
    return found
