"""What libraries of sizes that nobody has measured would cost, by the powers with which costs have grown so far."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from benchmarks.curves import Curves
from benchmarks.tables import Table
from ktviz.library.kinds.patches.fit import FOR_TREE

FAR = (100_000_000, 1_000_000_000)
"""Entries that costs are extrapolated to."""
FITTED_FROM = 100_000
"""Entries from which costs are fitted: below, what does not grow is most of them."""
PEAKS = {"to build": "build_gb", "to search and translate": "ask_gb", "to add, remove and rebuild": "edit_gb"}
SAMPLED = 280
"""Bytes that the writer holds for each entry of its sample, at least."""

Found = Mapping[str, float]


@dataclass(frozen=True)
class Cost:
    """Something that grows with the size of a library.

    Attributes:
        what: It is, for the table.
        of: A library as it was measured, the cost.
        told: The cost in words.
        grows_with: Of the entries, what the cost grows with.
        least: Of the entries, what it is at least.
    """

    what: str
    of: Callable[[Found], float]
    told: Callable[[float], str]
    grows_with: Callable[[float], float] = float
    least: Callable[[float], float] = lambda entries: 0.0

    def row(self, found: Sequence[Found]) -> list[str]:
        """Its line of the table, by libraries in the order of their sizes."""
        sizes, costs = [self.grows_with(one["entries"]) for one in found], [self.of(one) for one in found]
        power, factor = np.polyfit(np.log(sizes), np.log(costs), 1)
        far = [max(self.least(size), math.exp(factor) * self.grows_with(size) ** power) for size in FAR]
        measured = f"{self.told(costs[-1])} at {found[-1]['entries']:,.0f}"
        return [self.what, measured, f"{power:z.2f}", *map(self.told, far)]


def sampled(entries: float) -> float:
    """Entries in the sample that the tree of a bank is made from."""
    return min(entries, max(FOR_TREE, entries // 3))


def as_time(seconds: float) -> str:
    """Seconds in words: minutes and hours where there are many.

    Example:
        >>> as_time(0.5), as_time(90), as_time(8000)
        ('0.50 s', '90.0 s', '2.2 h')
    """
    for most, length, unit in ((10, 1, "s"), (120, 1, "s"), (7200, 60, "min")):
        if seconds < most:
            return f"{seconds / length:.{2 if most == 10 else 1}f} {unit}"
    return f"{seconds / 3600:.1f} h"


def as_gb(held: float) -> str:
    """Gigabytes in words."""
    return f"{held:.2f} GB"


COSTS = (
    Cost("building, CPU: what workers share out", lambda one: one["shared_cpu"], as_time),
    Cost("building, CPU: the writer's sample, with its k-means", lambda one: one["sample_cpu"], as_time, sampled),
    Cost("building, CPU: all else that the writer does", lambda one: one["rest_cpu"], as_time),
    Cost(
        "building, memory of the writer",
        lambda one: one["build_gb"],
        as_gb,
        least=lambda entries: SAMPLED * sampled(entries) / 1e9,
    ),
    Cost("on disk", lambda one: one["bytes"] * one["entries"] / 1e9, as_gb),
    Cost("opening", lambda one: one["open"], as_time),
    Cost("searching for a photograph of 512x512 px", lambda one: one["search"], as_time),
    Cost("searching, memory", lambda one: one["ask_gb"], as_gb),
    Cost("adding a source", lambda one: one["add"], as_time),
)


def growth(found: Sequence[Found], given: str = "") -> Table:
    """Of libraries as `scale` measures them, what larger ones would cost.

    Args:
        found: From the smallest to the largest, two at least of as many entries as fits need.
        given: On the command line of `scale`.
    """
    fitted = [one for one in found if one["entries"] >= FITTED_FROM]
    sizes = ", ".join(f"{one['entries']:,.0f}" for one in fitted)
    return Table(
        "scale",
        "What size costs",
        ["what", "measured", "grows with the power", *(f"at {entries:,}" for entries in FAR)],
        [cost.row(fitted) for cost in COSTS],
        "Extrapolated, not measured: cost = a * entries^b by least squares of logarithms, from "
        f"{FITTED_FROM:,} entries on, of libraries of {sizes} entries. What workers share out is divided among them; "
        f"the rest is one machine's. The writer's sample, a third of the entries from {3 * FOR_TREE:,} on, is what its "
        f"cost grows with; the writer holds at least {SAMPLED} bytes for each entry in it.",
        part="growth",
        given=given,
        curves=Curves(
            "The most memory that a library takes",
            "entries",
            "GB",
            {what: [(one["entries"], one[name]) for one in found] for what, name in PEAKS.items()},
            logarithmic="x",
        ),
    )
