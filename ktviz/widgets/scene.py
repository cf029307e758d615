"""The scene: all that a view draws at first, from pictures to the winner of every retrieval, as one run of bytes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from ktviz import __version__
from ktviz.explain.bands import BAND_COLUMNS
from ktviz.explain.pieces import pieces_of
from ktviz.explain.regret import coherent
from ktviz.figures.colours import SOURCE_COLOURS
from ktviz.images import Pixels, encode_image
from ktviz.library.kinds.patches.bands import PAPER_WEIGHTS
from ktviz.licences import readable
from ktviz.trace.shares import source_numbers
from ktviz.widgets.packing import Part, pack
from ktviz.widgets.subject import Subject, small

PROTOCOL = 2
"""Number of the language that view and Python speak; it goes up with every change of its words."""
LONGEST_PX = 2048
"""Pictures with a longer side are shown scaled down, and the view says so."""
SCENE_BYTES = 1_300_000
"""Room of the scene of a 512x512 translation: with the bundle the first draw stays below 1.5 MB."""
LEAST_BYTES = 400_000
"""Input and output have this much room together, however much the rest takes."""
THUMB_PX = 200
FIRST_THUMBS = 24
"""Sources whose small picture comes with the scene; those of the others are asked for."""
CREDIT = ("bank", "title", "creator", "year", "licence", "url")
ROUNDING = 1e-6
"""Similarities that differ by less are equal."""
NONE = np.iinfo(np.uint16).max
"""Stands for "no candidate" among source numbers."""


def scene_of(subject: Subject) -> bytes:
    """The scene of a live view, packed."""
    rest = {**columns(subject), **thumbs(subject)}
    taken = sum(len(part) if isinstance(part, bytes) else part.nbytes for part in rest.values())
    return pack(describe(subject), {**pictures(subject, SCENE_BYTES - taken), **rest})


def describe(subject: Subject) -> dict[str, Any]:
    """What the scene says in words and numbers."""
    trace = subject.trace
    height, width = trace.size
    settings = trace.picture.settings
    output = subject.output
    return {
        "protocol": PROTOCOL,
        "version": __version__,
        "width": width,
        "height": height,
        "queries": len(trace),
        "candidates": candidates(subject),
        "preset": settings.get("preset"),
        "weights": list(settings.get("band_weights", PAPER_WEIGHTS)),
        "without": list(settings.get("without", ())),
        "left_over": float((trace.column("left_over") * trace.overlap()).sum()),
        "continued": float(coherent(trace).mean()) if len(trace) else 0.0,
        "best": best_found(subject),
        "kept": similarity_kept(subject),
        "causal": all(site["causal"] for site in trace.about["sites"]),
        "site": trace.sites[0],
        "digest": short_digest(subject),
        "shrunk": output is not None and max(output.shape) > LONGEST_PX,
        "live": subject.case is not None,
        "frozen": subject.frozen,
        "can": abilities(subject),
        "sources": sources(subject),
        "banks": banks(subject),
    }


def short_digest(subject: Subject) -> str:
    """What a trace is called on screen and in requests."""
    return subject.trace.digest[:12]


def best_similarity(subject: Subject) -> npt.NDArray[np.float64] | None:
    """Similarity of the best that there was for each query (N,): of all entries where regret was asked for, else of the
    candidates; None where only winners were recorded."""
    trace = subject.trace
    if abilities(subject)["regret"]:
        found: npt.NDArray[np.float64] = trace.column("similarity").astype(np.float64) + trace.column("regret")
        return found
    if candidates(subject) < 2:
        return None
    best = np.nanmax(matrix(subject, trace.column("similarity", winners=False), np.nan), axis=1)
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


def candidates(subject: Subject) -> int:
    """The most candidates that any retrieval of the trace has."""
    return int(np.bincount(places(subject)).max(initial=0))


def abilities(subject: Subject) -> dict[str, bool]:
    """What of the views has something to show."""
    trace = subject.trace
    return {
        "bands": trace.has(BAND_COLUMNS[0]),
        "regret": trace.has("regret"),
        "tree": subject.banks is not None,
        "soft": bool((trace.column("left_over") > 0).any() or (trace.winners["weight"].to_numpy() < 1).any()),
    }


def sources(subject: Subject) -> list[dict[str, Any]]:
    """Every source with its credit, share and colour, in the order of their numbers."""
    found = []
    for number, row in enumerate(subject.shares.to_dict("records")):
        about = subject.described[str(row["source"])]
        found.append(
            {
                "name": row["source"],
                **{name: str(about.get(name, "unknown")) for name in CREDIT},
                "title": titled(about),
                "licence": readable(str(about.get("licence", "unknown"))),
                "width": about.get("width"),
                "height": about.get("height"),
                "share": row["share"],
                "patches": row["retrievals"],
                "colour": number if number < len(SOURCE_COLOURS) else -1,
            }
        )
    return found


def titled(about: Mapping[str, Any]) -> str:
    """A source's title; its name where none is known."""
    title = str(about.get("title", "unknown"))
    return str(about["source"]) if title in ("unknown", "") else title


def banks(subject: Subject) -> list[dict[str, Any]]:
    """The banks that were searched, with the sizes of their trees where those can be asked."""
    if subject.banks is None:
        return [{"name": name, "nodes": 0, "depth": 0, "entries": 0} for name in subject.trace.about["banks"]]
    return [
        {"name": bank.name, "nodes": len(bank.tree), "depth": bank.tree.depth, "entries": len(bank)}
        for bank in subject.banks.banks
    ]


def pictures(subject: Subject, room: int) -> dict[str, Part]:
    """Input and output, where they are known, in so many bytes if they can be."""
    both = {"input": subject.input, "output": subject.output}
    return encoded({name: pixels for name, pixels in both.items() if pixels is not None}, room)


def encoded(found: Mapping[str, Pixels], room: int = LEAST_BYTES) -> dict[str, Part]:
    """Pictures as files, of at most `LONGEST_PX` px a side: without loss if all of them fit, else all as JPEG."""
    shown = {name: small(pixels, LONGEST_PX) for name, pixels in found.items()}
    lossless: dict[str, Part] = {name: encode_image(pixels) for name, pixels in shown.items()}
    if sum(map(len, lossless.values())) <= max(room, LEAST_BYTES):
        return lossless
    return {name: encode_image(pixels, "jpeg") for name, pixels in shown.items()}


def thumbs(subject: Subject) -> dict[str, Part]:
    """Small pictures of the first sources."""
    found: dict[str, Part] = {}
    for number in range(min(FIRST_THUMBS, len(subject.names))):
        picture = subject.picture(number)
        if picture is not None:
            found[f"thumb/{number}"] = encode_image(small(picture, THUMB_PX), "jpeg")
    return found


def columns(subject: Subject) -> dict[str, Part]:
    """The retrievals: (N,) per query, (N, k) per candidate with `NONE` or NaN where there are fewer."""
    trace = subject.trace
    found: dict[str, Part] = {
        "query": trace.column("query").astype(np.int32),
        "y": trace.column("y").astype(np.int32),
        "x": trace.column("x").astype(np.int32),
        "box": trace.column("box").astype(np.float32),
        "source_box": trace.column("source_box").astype(np.float32),
        "margin": trace.column("margin").astype(np.float32),
        "coherent": coherent(trace).astype(np.uint8),
        "piece": piece(subject),
        "chosen": chosen(subject),
        "entry": matrix(subject, trace.column("entry", winners=False).astype(np.int32), -1),
        "source": matrix(subject, view_numbers(subject), NONE),
        "similarity": matrix(subject, trace.column("similarity", winners=False), np.nan),
        **paths(subject),
    }
    if abilities(subject)["soft"]:
        found["weight"] = matrix(subject, trace.column("weight", winners=False), 0)
    if abilities(subject)["regret"]:
        found["regret"] = trace.column("regret").astype(np.float32)
    return found


def places(subject: Subject) -> npt.NDArray[np.int64]:
    """Place among the winners of each row's query: (rows,)."""
    query = subject.trace.column("query").astype(np.int64)
    order = np.argsort(query, kind="stable")
    found: npt.NDArray[np.int64] = order[
        np.searchsorted(query[order], subject.trace.column("query", winners=False).astype(np.int64))
    ]
    return found


def slots(subject: Subject) -> npt.NDArray[np.int64]:
    """Number of each row among the rows of its query, in the order of ranks: (rows,)."""
    place = places(subject)
    order = np.lexsort((subject.trace.column("rank", winners=False), place))
    first = np.searchsorted(place[order], place[order])
    slot = np.empty(len(place), dtype=np.int64)
    slot[order] = np.arange(len(place)) - first
    return slot


def matrix(subject: Subject, values: npt.NDArray[Any], missing: float) -> npt.NDArray[Any]:
    """A column of rows as one row per query and one column per candidate: (rows, ...) to (N, k, ...)."""
    shape = (len(subject.trace), candidates(subject), *values.shape[1:])
    found = np.full(shape, missing, dtype=values.dtype)
    found[places(subject), slots(subject)] = values
    return found


def chosen(subject: Subject) -> npt.NDArray[np.uint16]:
    """Which candidate of each query won: (N,)."""
    winner = subject.trace.column("chosen", winners=False).astype(bool)
    found = np.zeros(len(subject.trace), dtype=np.uint16)
    found[places(subject)[winner]] = slots(subject)[winner]
    return found


def view_numbers(subject: Subject) -> npt.NDArray[np.uint16]:
    """Number in the view of each row's source: (rows,)."""
    known = [subject.number[source["source"]] for source in subject.trace.about["sources"]]
    numbers: npt.NDArray[np.uint16] = np.array(known, dtype=np.uint16)[source_numbers(subject.trace)]
    return numbers


def piece(subject: Subject) -> npt.NDArray[np.uint16]:
    """Which piece each retrieval belongs to, counted from 1; 0 for none: (N,)."""
    found = np.zeros(len(subject.trace), dtype=np.uint16)
    if not len(found) or np.isnan(subject.trace.column("source_box")).any():
        return found  # sources that are wholes have no places that could continue each other
    for number, (part, _) in enumerate(pieces_of(subject.trace), start=1):
        found[part] = number
    return found


def paths(subject: Subject) -> dict[str, Part]:
    """Nodes on every winner's way down its bank's tree (N, depth), -1 beyond the leaf, and the cosines to them."""
    winners = subject.trace.winners
    if not subject.trace.has("kt.path"):
        return {}
    lengths = np.diff(offsets(winners["kt.path"]))
    depth = int(lengths.max(initial=0))
    if not depth:
        return {}
    inside = np.arange(depth) < lengths[:, None]
    node = np.full(inside.shape, -1, dtype=np.int32)
    similarity = np.full(inside.shape, np.nan, dtype=np.float32)
    node[inside] = winners["kt.path"].combine_chunks().flatten().to_numpy()
    similarity[inside] = winners["kt.path_similarity"].combine_chunks().flatten().to_numpy(zero_copy_only=False)
    return {"path": node, "path_similarity": similarity}


def offsets(column: pa.ChunkedArray) -> npt.NDArray[np.int64]:
    """Where the list of each row begins, and the end: (rows + 1,)."""
    lengths = column.combine_chunks().value_lengths().fill_null(0).to_numpy(zero_copy_only=False)
    return np.concatenate(([0], lengths.cumsum())).astype(np.int64)
