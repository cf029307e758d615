"""PatchMatch (Barnes et al. 2009), all cells at once: jump flooding and random search.

Each jump reads the field as it was before it (the published code updates in place, in whatever order blocks run), and
every cell draws random numbers of its own; so a seed gives one result, on any number of threads.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
import torch
from torch import Tensor

from ktviz.systems.image_analogy.cost import PatchCost
from ktviz.systems.image_analogy.draws import draw_below
from ktviz.systems.image_analogy.field import entered

JUMPS = (8, 4, 2, 1)
NEIGHBOURS = ((0, 1), (0, -1), (1, 0), (-1, 0))
"""Where a match comes from: the left, right, upper and lower neighbour hand it on in these directions."""
ORIGINS = ("start", *(f"propagation {jump}" for jump in JUMPS), "random")


@dataclass(frozen=True)
class Search:
    """A field, and how it came to be.

    Attributes:
        start: (H, W, 2) int64, before the search.
        field: (H, W, 2) int64, after it.
        cost: (H, W) float32 of the field.
        start_cost: (H, W) float32.
        origin: (H, W) uint8, where each match came from: numbers of `ORIGINS`.
        settled: (H, W) uint8, the iteration that changed each cell last; 0 where the start stayed.
    """

    start: Tensor
    field: Tensor
    cost: Tensor
    start_cost: Tensor
    origin: Tensor
    settled: Tensor

    @property
    def changed(self) -> float:
        """Share of cells that left their start."""
        return float((self.field != self.start).any(2).float().mean())

    def cpu(self) -> Search:
        """The same on the CPU."""
        return Search(*(getattr(self, each.name).cpu() for each in fields(self)))

    @property
    def mean_cost(self) -> float:
        """Mean over the cells, -2 (the same) to 2."""
        return float(np.mean(self.cost.cpu().numpy(), dtype=np.float64))  # in one order on any number of threads


def patch_match(
    cost: PatchCost,
    start: Tensor,
    *,
    iterations: int,
    radius: int,
    seed: tuple[int, ...],
    forbidden: Tensor | None = None,
) -> Search:
    """Improve a field.

    Args:
        cost: Between the cells of two pictures.
        start: (H, W, 2).
        iterations: Rounds of propagation (jumps 8, 4, 2, 1) and random search.
        radius: Of the first random draw, in cells; halved down to 1.
        seed: Of the random draws: a seed, and what else tells this search from others.
        forbidden: (h, w) bool, cells of the other picture that may not be entered, or None.
    """
    state = State(cost, entered(start, forbidden), forbidden)
    for iteration in range(1, iterations + 1):
        for number, jump in enumerate(JUMPS):
            state.propagate(jump, iteration, number + 1)
        reach = min(radius, max(cost.size_there))
        while reach >= 1:
            state.wander(reach, iteration, (*seed, iteration, reach))
            reach //= 2
    return state.result()


class State:
    """The search between two steps, cells counted row by row."""

    def __init__(self, cost: PatchCost, start: Tensor, forbidden: Tensor | None) -> None:
        self.cost, self.start = cost, start
        self.size, self.size_there = cost.size_here, cost.size_there
        self.allowed = None if forbidden is None else ~forbidden.flatten()
        self.cells = torch.arange(self.size[0] * self.size[1], device=start.device)
        self.entry = (start[..., 0] * self.size_there[1] + start[..., 1]).flatten()
        self.value = cost(self.cells, self.entry)
        self.start_cost = cost.exact(self.cells, self.entry)
        self.origin = torch.zeros(len(self.cells), dtype=torch.uint8, device=start.device)
        self.settled = torch.zeros_like(self.origin)
        self.refused: dict[tuple[int, int], Tensor] = {}
        """What each cell was offered last from each neighbour: worse than what it had then, so worse than now."""

    def propagate(self, jump: int, iteration: int, origin: int) -> None:
        """Offer every cell the matches of its four neighbours at a distance, moved by that distance."""
        offers, asked = [], []
        for down, right in NEIGHBOURS:
            offer = self.handed_on(down * jump, right * jump)
            known = self.refused.get((down * jump, right * jump))
            offers.append(offer)
            asked.append(offer >= 0 if known is None else (offer >= 0) & (offer != known))
            self.refused[down * jump, right * jump] = offer
        self.consider(torch.stack(offers, 1), torch.stack(asked, 1), iteration, origin)

    def handed_on(self, dy: int, dx: int) -> Tensor:
        """The match of each cell's neighbour at -dy, -dx, moved by dy, dx; -1 for none."""
        (height, width), (h, w) = self.size, self.size_there
        offer = self.entry.new_full((height, width), -1)
        if abs(dy) < height and abs(dx) < width:
            here = slice(max(dy, 0), height + min(dy, 0)), slice(max(dx, 0), width + min(dx, 0))
            neighbour = slice(max(-dy, 0), height + min(-dy, 0)), slice(max(-dx, 0), width + min(-dx, 0))
            match = self.entry.view(height, width)[neighbour]
            rows, columns = match // w + dy, match % w + dx
            inside = (rows >= 0) & (rows < h) & (columns >= 0) & (columns < w)
            offer[here] = torch.where(inside, rows * w + columns, -1)
        return offer.flatten()

    def wander(self, reach: int, iteration: int, purpose: tuple[int, ...]) -> None:
        """Offer every cell a random match at most `reach` from its own."""
        height, width = self.size_there
        drawn = []
        for axis, (place, length) in enumerate(((self.entry // width, height), (self.entry % width, width))):
            low, high = (place - reach).clamp(min=0), (place + reach).clamp(max=length - 1)
            drawn.append(low + draw_below(high - low + 1, self.cells, (*purpose, axis)))
        offer = (drawn[0] * width + drawn[1])[:, None]
        self.consider(offer, torch.ones_like(offer, dtype=torch.bool), iteration, len(ORIGINS) - 1)

    def consider(self, offers: Tensor, asked: Tensor, iteration: int, origin: int) -> None:
        """Take the best of what is offered (N, k) where it is asked for, allowed, and better than what there is."""
        asked = asked & (offers != self.entry[:, None])
        if self.allowed is not None:
            asked &= self.allowed[offers.clamp(min=0)]
        values = self.value.new_full(offers.shape, torch.inf)
        values[asked] = self.cost(asked.nonzero()[:, 0], offers[asked])
        least = values.min(1, keepdim=True)  # the first of equals
        better = (least.values[:, 0] < self.value).nonzero()[:, 0]
        self.entry[better] = offers.gather(1, least.indices)[better, 0]
        self.value[better] = least.values[better, 0]
        self.origin[better], self.settled[better] = origin, iteration

    def result(self) -> Search:
        """The field with its cost, summed in double precision."""
        width = self.size_there[1]
        return Search(
            self.start,
            torch.stack((self.entry // width, self.entry % width), 1).view(*self.size, 2),
            self.cost.exact(self.cells, self.entry).view(self.size),
            self.start_cost.view(self.size),
            self.origin.view(self.size),
            self.settled.view(self.size),
        )
