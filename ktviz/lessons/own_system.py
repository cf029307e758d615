"""Checkers for the exercises of "Trace your own system". Each says what is wrong, by what a result must do."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from ktviz.errors import unknown_name
from ktviz.lessons.feedback import SEED, Feedback, Solution, expect, judge
from ktviz.regions import Box, Mask, SourceRegion
from ktviz.retrieval.catalogue import Catalogue
from ktviz.retrieval.matches import Matches
from ktviz.retrieval.queries import Queries
from ktviz.retrieval.site import Reading, RetrievalSite

CLOSE = 1e-4
CELLS, COLOURS = 50, 9
SIDE = 8
"""Of a cell of the painters that are examined, in px."""


def check_two_nearest(solution: Solution, seed: int = SEED) -> Feedback:
    """Exercise 1: `solution(cells, colours)` takes (N, 3) and (K, 3) to Matches that mix the two nearest colours."""
    learnt = "two parts that add up to 1: what a cell took is known to the last bit, and nothing is left over."
    return judge("Exercise 1, two nearest colours", solution, examine_two_nearest, learnt, seed)


def examine_two_nearest(solution: Solution, seed: int) -> None:
    cells, colours = random(seed, CELLS, 3), random(seed, COLOURS, 3)
    cells[7] = colours[4]
    matches = solution(cells.clone(), colours.clone())
    expect(matches is not None, "it returns nothing; the Matches must come back with `return`.")
    expect(isinstance(matches, Matches), f"it must return kt.Matches, yours is a {type(matches).__name__}.")
    expect(len(matches) == CELLS, f"{CELLS} cells are {CELLS} queries, yours has {len(matches)}.")
    expect(matches.weight is not None, "yours is hard: it says who won, and nothing of parts.")
    weight, entry = matches.weight, matches.entry
    expect(
        bool(weight.isfinite().all()),
        "a part is not a finite number: what if a cell has the very colour of the palette?",
    )
    expect(bool((weight >= 0).all()), "a part is negative: nothing is taken away here.")
    taken = int((weight != 0).sum(1).max())
    expect(taken <= 2, f"a cell mixes up to {taken} colours in yours, not two.")
    total = weight.sum(1)
    worst = float(total[(total - 1).abs().argmax()])
    expect(abs(worst - 1) < CLOSE, f"the parts of a cell must add up to 1, yours add up to {worst:.3g}.")
    parts = torch.zeros(CELLS, COLOURS).scatter_add(1, entry.clamp(0, COLOURS - 1), weight)
    check_parts(parts, torch.cdist(cells, colours, p=1))


def check_parts(parts: Tensor, apart: Tensor) -> None:
    """The parts (N, K) of colours in cells that are so far apart."""
    nearest, entry = apart.topk(2, largest=False)
    mine, others = parts.gather(1, entry), parts.scatter(1, entry, 0.0)
    expect(bool((others == 0).all()), "some cells take a colour that is none of their two nearest.")
    expect(
        not torch.allclose(mine, torch.tensor(0.5)), "both colours have one half in every cell, however near they are."
    )
    expect(bool((mine[:, 0] >= mine[:, 1]).all()), "the farther of the two colours has the larger part in yours.")
    exact = float(mine[nearest[:, 0] < CLOSE, 0].min())
    expect(
        exact > 1 - CLOSE, f"a cell that has the very colour of the palette takes it whole, in yours {exact:.3g} of it."
    )
    wanted = nearest.flip(1) / nearest.sum(1, keepdim=True)
    expect(torch.allclose(mine, wanted, atol=CLOSE), "the right colours, but the parts do not go by the two distances.")


def touched(catalogue: Catalogue, region: SourceRegion) -> list[int]:
    """Numbers of the entries that a region of a source overlaps.

    Raises:
        UnknownNameError: There is no such source.
    """
    if region.source not in catalogue.names:
        raise unknown_name("source", region.source, catalogue.names)
    corner, size = catalogue.box.split(2, dim=1)
    first = torch.tensor([region.box.x, region.box.y])
    last = torch.tensor([region.box.right, region.box.bottom])
    overlaps = ((corner < last) & (corner + size > first)).all(1)
    found: list[int] = (overlaps & (catalogue.source == catalogue.names.index(region.source))).nonzero()[:, 0].tolist()
    return found


def check_touched(solution: Solution, seed: int = SEED) -> Feedback:
    """Exercise 2: `solution(catalogue, region)` gives the numbers of the entries that a region overlaps."""
    learnt = "a part of a painting is a list of entries; whoever can leave out entries can leave out parts."
    return judge("Exercise 2, parts of paintings", solution, examine_touched, learnt, seed)


def examine_touched(solution: Solution, seed: int) -> None:
    catalogue = Catalogue.positions(["sky", "sea", "land"], rows=3, columns=4, cell_px=10)

    def found(source: str, box: Box) -> set[int]:
        return numbers(solution(catalogue, SourceRegion(source, box)), len(catalogue))

    whole = found("sea", Box(0, 0, 40, 30))
    strangers = {catalogue.names[int(catalogue.source[entry])] for entry in whole} - {"sea"}
    expect(not strangers, f"asked for the whole of 'sea', it returns entries of {' and '.join(sorted(strangers))}.")
    expect(len(whole) == 12, f"asked for the whole of a painting of 12 pieces, it returns {len(whole)}.")
    expect(
        bool(found("land", Box(12, 12, 2, 2))), "a small region inside a piece overlaps that piece, yours finds none."
    )
    for what, box, wanted in (
        ("inside one piece", Box(12, 12, 2, 2), {29}),
        ("that is exactly one piece", Box(10, 10, 10, 10), {29}),
        ("across a corner of four pieces", Box(15, 5, 10, 10), {25, 26, 29, 30}),
        ("from the middle of one piece to the middle of the third", Box(5, 2, 20, 3), {24, 25, 26}),
    ):
        mine = found("land", box)
        pieces = f"{len(wanted)} piece{'s' if len(wanted) > 1 else ''}"
        expect(len(mine) == len(wanted), f"a region {what} overlaps {pieces}, yours finds {len(mine)}.")
        expect(mine == wanted, f"a region {what} overlaps {pieces}, and yours finds as many, but others.")
    draw = np.random.default_rng(seed)
    catalogue = Catalogue.positions(["sky", "sea", "land"], rows=5, columns=4, cell_px=7)
    for x, y, width, height in draw.integers(1, 20, (20, 4)).tolist():
        region = SourceRegion(catalogue.names[x % 3], Box(x, y, width, height))
        mine = numbers(solution(catalogue, region), len(catalogue))
        expect(mine == {*touched(catalogue, region)}, "with other pieces and other regions, some are off.")


def numbers(value: Any, most: int) -> set[int]:
    """A student's entries."""
    expect(value is not None, "it returns nothing; the numbers must come back with `return`.")
    found = np.asarray([*value] if isinstance(value, set) else value)
    expect(found.dtype != np.bool_, "numbers of entries are asked for, yours is true or false for each of them.")
    expect(found.ndim == 1, f"numbers in one row are asked for, yours have the shape {found.shape}.")
    expect(
        not found.size or np.issubdtype(found.dtype, np.integer), "numbers of entries are whole numbers, yours are not."
    )
    outside = [int(entry) for entry in found if not 0 <= entry < most]
    expect(not outside, f"entry {(*outside, 0)[0]} is none of the {most} entries.")
    return {int(entry) for entry in found}


def check_changed(solution: Solution, seed: int = SEED) -> Feedback:
    """Exercise 3: `solution(painter, image)` gives the pixels (H, W) that recording changes."""
    learnt = "one run alone, one that is recorded, and no pixel may differ: a control that can fail."
    return judge("Exercise 3, neutrality", solution, examine_changed, learnt, seed)


def examine_changed(solution: Solution, seed: int) -> None:
    image = random(seed, 1, 3, 2 * SIDE, 3 * SIDE).sigmoid()
    honest = pixels_of(solution(Toy(), image.clone()), image)
    expect(
        not honest.all(),
        "of an honest painter it says that every pixel changes: compare two pictures of the painter, for equality.",
    )
    expect(not honest.any(), f"recording changes nothing in an honest painter, yours finds {honest.sum()} pixels.")
    drawn = (*np.random.default_rng(seed).choice(5, 3, replace=False).tolist(),)
    for lies, changes in (((0, 2), "other pixels"), ((4,), "pixels with another blue"), (drawn, "other pixels")):
        where = np.isin(np.arange(6), lies).reshape(2, 3).repeat(SIDE, 0).repeat(SIDE, 1)
        found = pixels_of(solution(Toy(lies), image.clone()), image)
        what = f"of a painter that paints {where.sum()} {changes} when somebody records"
        expect(bool(found.any()) or 4 in lies, f"{what}, yours finds none: are your two runs made in the same way?")
        expect(found.sum() == where.sum(), f"{what}, yours finds {found.sum()}.")
        expect(np.array_equal(found, where), f"{what}, yours finds as many, but others.")


def pixels_of(value: Any, image: Tensor) -> Mask:
    """A student's pixels."""
    expect(value is not None, "it returns nothing; the pixels must come back with `return`.")
    found: npt.NDArray[Any] = np.asarray(value)
    wanted = tuple(image.shape[2:])
    expect(found.shape == wanted, f"one answer per pixel is {wanted}, yours has the shape {found.shape}.")
    expect(found.dtype == np.bool_, f"every pixel has changed or not: True or False, yours holds {found.dtype}.")
    return found


class Toy(nn.Module):
    """Paints cell n with colour n, unless its site lies.

    Args:
        lies: Cells in which reading the site changes the choice.
    """

    def __init__(self, lies: tuple[int, ...] = ()) -> None:
        super().__init__()
        self.site = ToySite(lies)
        self.colours = torch.tensor([[0, 0, 0], [1, 1, 1], [0.5, 0.5, 0.5], [0, 0, 0], [0.2, 0, 0.4], [0.2, 0, 0.9]])

    def forward(self, image: Tensor) -> Tensor:
        """An image (1, 3, H, W) to a picture of its size."""
        rows, columns = (side // SIDE for side in image.shape[2:])
        chosen = self.colours[self.site(rows, columns).winner].T.view(3, rows, columns)
        return chosen.repeat_interleave(SIDE, 1).repeat_interleave(SIDE, 2)[None]


class ToySite(RetrievalSite):
    """Chooses colour n for cell n; where it lies, reading makes it colour n + 1."""

    def __init__(self, lies: tuple[int, ...]) -> None:
        super().__init__()
        self.lies = [*lies]

    def forward(self, rows: int, columns: int) -> Matches:
        entry = torch.arange(rows * columns)
        return Matches.hard(entry, torch.ones(len(entry)))

    def read(self, inputs: tuple[Any, ...], output: Matches) -> list[Reading]:
        output.entry[self.lies] += 1
        rows, columns = inputs
        catalogue = Catalogue.wholes([*map(str, range(len(output)))])
        return [Reading(output, Queries.grid(rows, columns, SIDE), catalogue)]


def random(seed: int, *shape: int) -> Tensor:
    """The same normal numbers for the same seed and shape, whatever else was drawn."""
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))
