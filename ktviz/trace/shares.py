"""Questions that a trace answers from its rows alone: shares, spread, close calls, a summary."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow.compute as pc

from ktviz.errors import RegionError, TraceError
from ktviz.names import find_name
from ktviz.regions import Box, Mask, Region
from ktviz.trace.overlap import Floats, boxes_reaching

if TYPE_CHECKING:
    from ktviz.trace.trace import Trace


NOTHING, NOT_RECORDED = "nothing taken", "not recorded"
"""Why shares of sources do not add up to 1."""
LEAST = 0.0005
"""Part of a picture below which nobody is told."""
ABOUT = ("bank", "title", "creator", "year", "licence", "spdx", "url", "sha256")
"""What is said of a source, in this order."""


def share_table(
    sources: Sequence[Mapping[str, Any]], share: Sequence[float], retrievals: Sequence[int], similarity: Sequence[float]
) -> pd.DataFrame:
    """One row per source, largest share (overlap) first.

    Args:
        sources: With `source` and whatever else is known of each.
        share: Of each.
        retrievals: That each won, or has a part in.
        similarity: Sum over those retrievals.
    """
    rows = [
        {
            "source": s["source"],
            "share": float(part),
            "retrievals": int(n),
            "similarity": float(total / n) if n else np.nan,
        }
        | {name: s[name] for name in ABOUT if name in s}
        for s, part, n, total in zip(sources, share, retrievals, similarity, strict=True)
    ]
    known = [name for name in ABOUT if any(name in source for source in sources)]
    table = pd.DataFrame(rows, columns=["source", "share", "retrievals", "similarity", *known])
    table = table.sort_values(["share", "source"], ascending=[False, True], ignore_index=True)
    table.attrs["share"] = "overlap"
    return table


def trace_shares(trace: Trace, region: Region) -> pd.DataFrame:
    """See `Trace.sources`."""
    if len(trace.sites) > 1 and (painting := trace.painting()) is not None:
        return trace_shares(painting, region)
    if len(trace.sites) > 1:
        parts = [trace_shares(trace.site(name), region).assign(site=name) for name in trace.sites]
        found = pd.concat(parts, ignore_index=True)
        return found.assign(causal=found["causal"].isna()) if "causal" in found else found  # said where it is not so
    number, count = source_numbers(trace), len(trace.about["sources"])
    overlaps = row_overlaps(trace, region)
    share = by_source(trace, overlaps)
    painted = np.flatnonzero(overlaps * trace.column("weight", winners=False))
    # A retrieval may take from several places of a source: it counts once, with its best candidate.
    pairs = trace.column("query", winners=False)[painted].astype(np.int64) * count + number[painted]
    pairs, first = np.unique(pairs, return_index=True)
    retrievals = np.bincount(pairs % count, minlength=count)
    total = np.bincount(pairs % count, trace.column("similarity", winners=False)[painted[first]], count)
    return with_cause(trace, share_table(trace.about["sources"], share.tolist(), retrievals.tolist(), total.tolist()))


def sources_in_order(trace: Trace) -> list[str]:
    """Names of a trace's sources, as in its recording: those of the site that painted the output by what they gave to
    it, then the others by what they gave to all sites together."""
    whole, mine = trace.whole.recording, {source["source"] for source in trace.about["sources"]}
    tables = [trace_shares(whole.site(name), None) for name in whole.sites]
    total = pd.concat(tables).groupby("source", sort=False, observed=True)["share"].sum()
    painting = whole.painting()
    first = [] if painting is None else trace_shares(painting, None)["source"].tolist()
    others = total.sort_values(ascending=False, kind="stable").index
    return [name for name in dict.fromkeys((*first, *others)) if name in mine]


def with_cause(trace: Trace, table: pd.DataFrame) -> pd.DataFrame:
    """A table of a trace; where its sources did not feed the output, with a column `causal` that says so."""
    return table.assign(causal=False) if trace.caveat else table


def source_shares(trace: Trace, region: Region = None) -> Floats:
    """The share of a region that each source has, (sources,)."""
    return by_source(trace, row_overlaps(trace, region))


def by_source(trace: Trace, overlaps: Floats) -> Floats:
    """What the overlaps of rows (rows,) give to each source, (sources,)."""
    parts = overlaps * source_weights(trace)
    shares: Floats = np.bincount(source_numbers(trace), parts, len(trace.about["sources"])).astype(np.float64)
    return shares


def uncovered(trace: Trace, region: Region = None) -> float:
    """The part of a region that no retrieval covers: nothing was asked for it, or no candidate was there."""
    return max(0.0, 1 - float(trace.overlap(region).sum()))


def lacking(trace: Trace, region: Region = None) -> dict[str, float]:
    """What the shares of sources lack to 1, by why."""
    nothing, shares = uncovered(trace, region), float(source_shares(trace, region).sum())
    return {NOTHING: nothing, NOT_RECORDED: max(0.0, 1 - shares - nothing)}


def lacking_by_class(trace: Trace) -> dict[str, float]:
    """What the shares of sources in the picture lack to 1, by why; what for, where the system says it."""
    known, classes = lacking(trace), trace.picture.uncovered
    why = {f"{NOTHING} for class {name}": part for name, part in classes.items()} if classes else known
    return {name: part for name, part in {**why, NOT_RECORDED: known[NOT_RECORDED]}.items() if part >= LEAST}


def row_shares(trace: Trace, region: Region = None) -> Floats:
    """The share of a region that each row has: overlap of its query times its weight, (rows,)."""
    share: Floats = row_overlaps(trace, region) * trace.column("weight", winners=False)
    return share


def row_overlaps(trace: Trace, region: Region) -> Floats:
    """Overlap of each row's query with a region, (rows,)."""
    overlaps = np.zeros(int(trace.column("query", winners=False).max(initial=-1)) + 1)
    overlaps[trace.column("query")] = trace.overlap(region)
    found: Floats = overlaps[trace.column("query", winners=False)]
    return found


def source_weights(trace: Trace) -> Floats:
    """Weight of each row where sources are counted, (rows,): where a site has one source alone to take from, the winner
    also stands for what is left over, which is of the same source."""
    weight: Floats = trace.column("weight", winners=False).astype(np.float64)
    alone = [site["name"] for site in trace.about["sites"] if site.get("one_source")]
    if alone:
        wins = trace.column("chosen", winners=False) & np.isin(trace.column("site", winners=False), alone)
        weight[wins] += trace.column("left_over", winners=False)[wins]
    return weight


def reaching(trace: Trace, mask: Mask, *, winners: bool = False) -> Mask:
    """Which rows, or winners, are of queries that reach into a region (H, W), with their box or their label region."""
    hit = boxes_reaching(trace.column("box", winners=winners), mask)
    label = trace.table["label"]
    if label.null_count == len(label):
        return hit
    asked, at = trace.column("label", winners=winners), trace.column("site", winners=winners)
    for site in trace.about["sites"]:
        labels = trace.picture.labels(site["canvas"])
        mine = (at == site["name"]) & ~np.isnan(asked.astype(np.float64))
        if labels is not None and labels.shape == mask.shape:
            hit[mine] = np.isin(asked[mine], labels[mask])
    return hit


def source_numbers(trace: Trace, *, winners: bool = False) -> np.ndarray[Any, np.dtype[np.int64]]:
    """Place of each row's source in `trace.about["sources"]`."""
    table = trace.winners if winners else trace.table
    column = table["source"].combine_chunks()
    place = {source["source"]: n for n, source in enumerate(trace.about["sources"])}
    known = np.array([place.get(name, -1) for name in column.dictionary.to_pylist()], dtype=np.int64)
    numbers: np.ndarray[Any, np.dtype[np.int64]] = known[column.indices.to_numpy()]
    return numbers


def own_sources(trace: Trace) -> npt.NDArray[np.bool_]:
    """Whether each source is the very picture in which the queries lie, which is no work of its own: (sources,).

    A picture that was given as a reference has a digest of its own, and is another one, whatever it is called.
    """
    canvas = str(trace.site_about["canvas"])
    names = canvas, f"{canvas}/{canvas}"  # told apart from a source of that name by its bank
    return np.array([s["source"] in names and "pixels" not in s for s in trace.about["sources"]], dtype=bool)


def source_sides(trace: Trace) -> Floats:
    """Width and height of every source in px: (sources, 2).

    Where they are not known, as far as what was taken from it reaches; NaN where that lies nowhere.
    """
    sides = np.array(
        [[s.get("width") or np.nan, s.get("height") or np.nan] for s in trace.about["sources"]], np.float64
    )
    sides, number = sides.reshape(-1, 2), source_numbers(trace)
    reach = np.full(sides.shape, -np.inf)
    box = trace.column("source_box", winners=False).astype(np.float64)
    np.fmax.at(reach, number, box[:, :2] + box[:, 2:])
    return np.where(np.isnan(sides), np.where(np.isfinite(reach), reach, np.nan), sides)


def find_source(trace: Trace, name: str) -> str:
    """The source that a name means; see `find_name`.

    Raises:
        UnknownNameError: There is none, or more than one; the message names the nearest, or all of them.
    """
    return find_name(name, [source["source"] for source in trace.about["sources"]])


def spread(trace: Trace, source: str, box: Box | None) -> pd.DataFrame:
    """See `Trace.spread`."""
    if len(trace.sites) > 1 and (painting := trace.painting()) is not None:
        return spread(painting, source, box)
    source = find_source(trace, source)
    table = trace.table
    mask = pc.and_(pc.equal(table["source"].cast("string"), source), pc.not_equal(table["weight"], 0))
    rows = np.flatnonzero(mask.to_numpy())
    places = trace.column("source_box", winners=False)[rows]
    if box is not None:
        check_part(trace, source, box)
        x, y, width, height = places.T
        rows = rows[(x < box.right) & (x + width > box.x) & (y < box.bottom) & (y + height > box.y)]
    share = np.zeros(len(table))
    for name in trace.sites:
        mine = np.flatnonzero(trace.column("site", winners=False) == name)
        share[mine] = row_shares(trace.site(name))
    columns = ["site", "query", "box", "source_box", "similarity"]
    found: pd.DataFrame = table.select(columns).take(rows).to_pandas()
    found.insert(4, "share", share[rows])
    return with_cause(trace, found.sort_values("share", ascending=False, kind="stable", ignore_index=True))


def check_part(trace: Trace, source: str, box: Box) -> None:
    """Raise RegionError unless a box lies in a source."""
    about = next(s for s in trace.about["sources"] if s["source"] == source)
    right, bottom = about.get("width", np.inf), about.get("height", np.inf)
    if not (box.width > 0 and box.height > 0):
        raise RegionError(f"part {box} of {source}", "it is empty", "Give it a width and a height")
    if box.x < 0 or box.y < 0 or box.x >= right or box.y >= bottom:
        raise RegionError(f"part {box} of {source}", f"not inside its {right}x{bottom} px", "Check x and y")


def close_calls(trace: Trace, below: float | None) -> pd.DataFrame:
    """See `Trace.margin`."""
    if trace.thinned:
        raise TraceError("margins", "the trace was thinned to winners", "Record with more memory")
    rows = trace.to_pandas()[["image", "site", "query", "rank", "box", "margin", "source", "entry"]]
    keys = ["image", "site", "query"]
    best = rows.drop_duplicates(keys)  # of those kept: rows come in the order of ranks
    others = rows.drop(index=best.index)
    second = others[others["rank"] == 1][[*keys, "source", "entry"]]
    both = best.drop(columns="rank").merge(second, on=keys, how="left", suffixes=("", "_second"))
    if below is not None:
        both = both[both["margin"] < below]
    return with_cause(trace, both.sort_values("margin", kind="stable", ignore_index=True))


def summary(trace: Trace) -> pd.Series:
    """See `Trace.summary`."""
    if not len(trace):
        return pd.Series(
            {"images": len(trace.pictures), "sites": ", ".join(trace.sites), "retrievals": 0}, name="trace"
        )
    similarity, margin = trace.column("similarity"), trace.column("margin")
    used = len(np.unique(source_numbers(trace)[trace.column("weight", winners=False) != 0]))
    sources = len(trace.about["sources"]) + trace.unlisted
    facts: dict[str, object] = {
        "images": len(trace.pictures),
        "sites": ", ".join(trace.sites),
        "retrievals": len(trace),
        "candidates": trace.table.num_rows,
        "sources most alike" if trace.caveat else "sources used": f"{used} of {sources:,}",
        "similarity, median": round(float(np.median(similarity)), 4),
        "margin, median": round(float(np.nanmedian(margin)), 4) if np.isfinite(margin).any() else None,
        "left over, mean": round(float(trace.column("left_over").mean()), 4),
        "causal": not trace.caveat,
        "thinned": trace.thinned,
        "bytes": trace.table.nbytes,
        "digest": trace.digest[:12],
    }
    return pd.Series(facts, name="trace")


def text(trace: Trace, rows: int = 8) -> str:
    """The summary and the largest shares, to be printed."""
    lines = [summary(trace).to_string()]
    caveat = f" ({trace.caveat})" if trace.caveat else ""
    for image in range(len(trace.pictures)):
        shares = trace.image(image).sources()
        columns = ["source", "share", "retrievals", "title", "creator", "licence"]
        lines += ["", f"image {image}: shares by overlap{caveat}", shares[columns].head(rows).to_string(index=False)]
    return "\n".join(lines)
