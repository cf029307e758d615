"""A picture painted on another processor: all that may differ is rounding, and what rounding decides.

Descriptors there differ in their last digits, and cosines by `SIMILARITY` at most (docs/exactness.md). Where two cells
of the exemplar are equally similar, either may come first, and the last one that is kept may be another. So every
recorded cell must be as similar as the one found in its place, and be what the exemplar says of it. The rest follows
from cosines s, and is held to the recorded ones:

*Weights.* The softmax says w_i / w_0 = e^((s_i - s_0) / T). Recorded cosines are those that it was given, rounded to
single precision, so a quotient may be off by a factor e^(GRAIN / T): by 6 % at the lowest temperature there is, 1e-6.

*What is left over* is the part of the cells that are not kept: w_0 times the sum of their e_j = e^((s_j - s_0) / T).
Here only s_0 is recorded. As no cosine moves by more than SIMILARITY, neither does the one in a place of their order.
So the sum is that of the cells that are not kept here, each s_j within SIMILARITY of the one found, and none above the
last one that is recorded.

*The sum* of weights and of what is left over is 1, which says w_0. In a trace of winners alone it lacks the other kept
cells; their sum has bounds likewise.

*Entropy* H is the sum of -w log w. Recorded weights say their part of it. The rest R is spread over the other cells,
none of which weighs more than the last recorded one, w_l: it adds from -R log w_l to R log(cells / R). And where no
(s_j - s_0) / T moves by more than x, the derivative of H by x is at most the mean distance of -log w from its mean H,
which, as -log w is positive, is 2 H at most. So with x = SIMILARITY / T, H is within a factor e^(2 x) of the one found
here.

*Measures* are means of what is recorded; what a cell feeds in all is its weights, bounded as above where a row does not
record it.

So no row says what a row cannot be, whatever the temperature and however many cells are kept.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from scipy.special import entr, xlogy

from ktviz.errors import Difference
from ktviz.systems.cocosnet.live import Live
from ktviz.systems.cocosnet.result import LITTLE
from ktviz.systems.cocosnet.unrecorded import GRAIN, SIMILARITY, Bounds, Floats, Range, Recorded, bounds
from ktviz.trace.rows import equal
from ktviz.trace.trace import Trace

SINGLE = 1e-6
"""Part by which the quotient of two weights may be off, each rounded to single precision."""
SUM = 1e-5
"""What a sum of weights may be off by that was added up in single precision, however many they are."""
SMALLEST = float(np.finfo(np.float32).tiny)
"""Smaller weights may have been rounded to 0."""
Array = npt.NDArray[Any]
Flags = npt.NDArray[np.bool_]
CHECKED = ("entry", "source_box", "similarity", "weight", "left_over", "margin")
"""Columns that rounding touches, besides the site's own."""


@dataclass(frozen=True)
class Case:
    """A recorded trace and what is found here.

    Attributes:
        name: What errors call the trace.
        trace: As it was recorded.
        again: As it is made here.
        live: The run, worked out here.
        temperature: Of it.
    """

    name: str
    trace: Trace
    again: Trace
    live: Live
    temperature: float

    def check(self) -> Flags:
        """Raise Difference at the first column that rounding does not explain; else, which winners are other ones."""
        self.check_untouched()
        self.check_candidates()
        self.check_entries()
        self.check_margins()
        self.check_weights()
        self.check_entropy()
        self.check_measures()
        other: Flags = self.trace.column("entry") != self.again.column("entry")
        return other

    def check_untouched(self) -> None:
        """There are the same rows and columns, and those that no rounding touches are equal."""
        names = self.trace.table.column_names
        if names != self.again.table.column_names:
            raise Difference(f"{self.name} has other columns")
        for column in names:
            touched = column in CHECKED or column.startswith("cocosnet.")
            if not touched and not self.trace.table[column].equals(self.again.table[column]):
                raise Difference(f"{self.name}: the column {column} was changed")

    def check_candidates(self) -> None:
        """Every candidate is one that could be taken, once, and as good as the one found in its place; in order."""
        query, entry = (self.column(name).astype(np.int64) for name in ("query", "entry"))
        true = self.live.similarity(query, entry).numpy()
        found = self.again.column("similarity", winners=False)
        pairs, count = np.unique(np.stack((query, entry)), axis=1, return_counts=True)
        good = near(true, found, SIMILARITY) & ~np.isin(query, pairs[0][count > 1])
        for row in np.flatnonzero(~good)[:1]:
            found_here = "a candidate that is not as good as the one found here"
            raise Difference(f"{self.name}, retrieval {query[row]}: {found_here} (recorded entry {entry[row]})")
        self.expect("similarity", near(self.column("similarity"), true, SIMILARITY), true)
        value, number = self.similarity, entry.reshape(self.similarity.shape)
        tied = (value[:, 1:] == value[:, :-1]) & (number[:, 1:] > number[:, :-1])
        for row in np.flatnonzero(~((value[:, 1:] < value[:, :-1]) | tied).all(1))[:1]:
            raise Difference(f"{self.name}, retrieval {row}: its similarities do not fall from rank to rank")

    def check_entries(self) -> None:
        """What is said of cells is what exemplar and label map say of them."""
        entry = torch.from_numpy(self.column("entry").astype(np.int64))
        exemplar = self.live.passage.exemplar
        known = {
            "source_box": exemplar.catalogue.boxes(entry).numpy(),
            "cocosnet.entry_class": exemplar.cell_labels()[entry].numpy(),
            "cocosnet.target_class": self.again.column("cocosnet.target_class", winners=False),
        }
        for name, true in known.items():
            self.expect(name, equal(self.column(name), true), true)

    def check_margins(self) -> None:
        """Margins are those of the recorded similarities; of winners alone, as large as here, up to rounding."""
        stated, true = self.column("margin"), self.again.column("margin", winners=False)
        if self.named > 1:
            true = np.repeat(self.similarity[:, 0] - self.similarity[:, 1], self.named)
            self.expect("margin", equal(stated, true), true)
        else:
            none = np.isnan(stated) & np.isnan(true)  # of a single cell
            self.expect("margin", none | near(stated, true, 2 * SIMILARITY) & ~np.signbit(stated), true)

    def check_weights(self) -> None:
        """Weights follow from the recorded similarities, and add up to 1 with what is left over; see the module."""
        weight, left_over = self.weight, self.of_retrievals("left_over")
        for name in ("weight", "left_over"):
            part = np.clip(self.column(name), 0, 1) + 0.0  # 0 is not -0
            self.expect(name, equal(self.column(name), part), part)
        quotient, room = np.exp((self.similarity - self.first) / self.temperature), GRAIN / self.temperature + SINGLE
        least, most = (weight[:, :1] * quotient * np.exp(sign * room) for sign in (-1, 1))
        for rank in range(self.named):
            self.within("weight", weight[:, rank], (least[:, rank] - SMALLEST, most[:, rank] + SMALLEST))
        least, most = (weight[:, 0] * part for part in self.unrecorded.left)
        self.within("left_over", left_over, (least - SUM, most + SUM))
        least, most = (1 - weight.sum(1) - weight[:, 0] * part for part in reversed(self.unrecorded.kept))
        self.within("left_over", left_over, (least - SUM, most + SUM))

    def check_entropy(self) -> None:
        """Entropy follows from the recorded weights, and is as large as here, up to rounding; see the module."""
        name, weight = "cocosnet.entropy", self.weight
        stated, here = self.of_retrievals(name), self.again.column(name).astype(np.float64)
        room = 2 * SIMILARITY / self.temperature
        self.within(name, stated, (here * np.exp(-room) - SUM, here * np.exp(room) + SUM))
        rest, part, cells = 1 - weight.sum(1), entr(weight).sum(1), max(1, self.available - self.named)
        less, more = np.maximum(rest - SUM, 0), np.maximum(rest, 0) + SUM
        least = part - xlogy(less, weight[:, -1]) - less * GRAIN / self.temperature
        self.within(name, stated, (least - SUM, part + entr(more) + xlogy(more, cells) + SUM))

    def check_measures(self) -> None:
        """Measures follow from the recorded rows, and from what the cells may weigh that are not recorded."""
        for site, here in self.again.picture.measures.items():
            low, high = self.unrecorded.fed[0] * (1 - SUM), self.unrecorded.fed[1] * (1 + SUM)
            means = {
                name: float(self.trace.column(column).astype(np.float64).mean())
                for name, column in (("entropy", "cocosnet.entropy"), ("left_over", "left_over"))
            }
            ranges = {
                **{name: (mean - SUM, mean + SUM) for name, mean in means.items()},
                "unused": (float((high < LITTLE).mean()), float((low < LITTLE).mean())),
                "most_fed": (float(low.max()), float(high.max())),
                "absent": (here["absent"], here["absent"]),
            }
            for name, (least, most) in ranges.items():
                stated = self.trace.picture.measures[site][name]
                if not least <= stated <= most:
                    should = f"should be from {least:.6g} to {most:.6g}"
                    raise Difference(f"{self.name}: its measure {name} is {stated:.6g}, {should}")

    @cached_property
    def unrecorded(self) -> Bounds:
        """What the cells may weigh that are not recorded."""
        entry = torch.from_numpy(self.column("entry").astype(np.int64)).view(self.similarity.shape)
        similarity, weight = torch.from_numpy(self.similarity).double(), torch.from_numpy(self.weight)
        return bounds(Recorded(entry, similarity, weight, self.temperature), self.live)

    @cached_property
    def similarity(self) -> npt.NDArray[np.float32]:
        """(retrievals, recorded candidates), as recorded."""
        found: npt.NDArray[np.float32] = self.column("similarity").reshape(len(self.again), -1).astype(np.float32)
        return found

    @property
    def first(self) -> Floats:
        """(retrievals, 1) the best."""
        return self.similarity[:, :1].astype(np.float64)

    @cached_property
    def weight(self) -> Floats:
        """(retrievals, recorded candidates), as recorded."""
        found: Floats = self.column("weight").reshape(len(self.again), -1).astype(np.float64)
        return found

    @property
    def named(self) -> int:
        """Candidates of a retrieval that are recorded."""
        return int(self.similarity.shape[1])

    @property
    def available(self) -> int:
        """Cells that could be taken."""
        count, forbidden = len(self.live.passage.source), self.live.forbidden
        return count if forbidden is None else count - int(forbidden.sum())

    def of_retrievals(self, name: str) -> Floats:
        """(retrievals,) a column that says the same of all candidates of one."""
        values = self.column(name).reshape(len(self.again), -1)
        first = np.repeat(values[:, 0], values.shape[1])
        self.expect(name, equal(self.column(name), first), first)
        found: Floats = values[:, 0].astype(np.float64)
        return found

    def expect(self, name: str, right: Flags, true: Array) -> None:
        """Raise Difference at the first row in which a column is not right."""
        for row in np.flatnonzero(~right)[:1]:
            query, stated = self.column("query")[row], self.column(name)[row]
            raise Difference(f"{self.name}, retrieval {query}, {name}: {stated}, should be {true[row]}")

    def within(self, name: str, stated: Floats, bounds: Range) -> None:
        """Raise Difference at the first retrieval in which a number is not between bounds."""
        low, high = bounds
        for row in np.flatnonzero(~((low <= stated) & (stated <= high)))[:1]:
            should = f"should be from {max(0.0, low[row]):.6g} to {high[row]:.6g}"
            raise Difference(f"{self.name}, retrieval {row}, {name}: {stated[row]:.6g}, {should}")

    def column(self, name: str) -> Array:
        """A column of the recorded trace, of all candidates."""
        found: Array = self.trace.column(name, winners=False)
        return found


def near(one: Array, other: Array, room: float) -> Flags:
    """Which numbers differ by no more than `room`; none does that is no number."""
    found: Flags = np.abs(one.astype(np.float64) - other.astype(np.float64)) <= room
    return found
