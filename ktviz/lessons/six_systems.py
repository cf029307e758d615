"""Checkers for the exercises of "Six systems". Each says what is wrong, by what a result must do."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from ktviz.lessons.feedback import SEED, Feedback, Solution, expect, judge

CLOSE = 1e-6
Floats = npt.NDArray[np.float64]


def places(parts: Any) -> Floats:
    """In how many places each row of parts (N, K) lies: exponential of the entropy of what is known, (N,)."""
    parts = np.asarray(parts, dtype=np.float64)
    share = parts / parts.sum(1, keepdims=True)
    found: Floats = np.exp(-(share * np.log(np.where(share > 0, share, 1))).sum(1))
    return found


def check_places(solution: Solution, seed: int = SEED) -> Feedback:
    """Exercise 1: `solution(parts)` takes (N, K) to the number of places of each row, (N,)."""
    learnt = "crumbs hardly count: a number of places that needs no threshold."
    return judge("Exercise 1, places", solution, examine_places, learnt, seed)


def examine_places(solution: Solution, seed: int) -> None:
    equal = numbers(solution(np.full((2, 5), 0.2)), (2,))
    expect(not np.allclose(equal, np.log(5)), "five equal parts are 5 places: yours is the entropy itself.")
    expect(not np.allclose(equal, 1 / 5), "five equal parts are 5 places, yours says 0.2: is a sign wrong?")
    expect(np.allclose(equal, 5), f"five equal parts are 5 places, yours says {equal[0]:.3g}.")
    one = numbers(solution(np.eye(4)), (4,))
    expect(bool(np.isfinite(one).all()), "rows with parts of 0 give something that is not a finite number.")
    expect(np.allclose(one, 1), f"all from one place is 1 place, yours says {one[0]:.3g}.")
    crumbs = np.array([[0.98, 0.01, 0.01]])
    many = numbers(solution(crumbs), (1,))
    expect(many[0] < 2.9, f"one place that gives 0.98 and two crumbs of 0.01: yours counts {many[0]:.3g} places.")
    half = numbers(solution(np.full((1, 5), 0.1)), (1,))
    expect(
        np.allclose(half, 5),
        f"five equal parts of which only half is known are 5 places, too; yours says {half[0]:.3g}.",
    )
    parts = random(seed, 6, 7) ** 2
    wanted = places(parts)
    expect(np.allclose(numbers(solution(parts.copy()), (6,)), wanted, atol=CLOSE), "equal parts are right, others not.")


def check_above_chance(solution: Solution, seed: int = SEED) -> Feedback:
    """Exercise 2: `solution(one, other)` takes two (N, K) to how far they agree above chance."""
    learnt = "chance is what is left when every cell meets every other: nothing had to be drawn."
    return judge("Exercise 2, above chance", solution, examine_above_chance, learnt, seed)


def examine_above_chance(solution: Solution, seed: int) -> None:
    one, two = shares(seed, 30, 5), shares(seed + 1, 30, 5)
    agreement, chance = np.minimum(one, two).sum(1).mean(), np.minimum(one[:, None], two[None]).sum(2).mean()
    found, wanted = number(solution(one.copy(), two.copy())), (agreement - chance) / (1 - chance)
    expect(abs(found - agreement) > CLOSE, "yours is the agreement itself: how much of it is chance?")
    expect(abs(found - (agreement - chance)) > CLOSE, "yours is not in parts of what there can be above chance.")
    cells = np.eye(4)
    same = number(solution(cells.copy(), cells.copy()))
    expect(same <= 1 + CLOSE, f"nothing is more than 1; of two equal outputs, yours says {same:.3g}.")
    expect(abs(same - 1) < CLOSE, f"two equal outputs agree as far as there can be, that is 1; yours says {same:.3g}.")
    other = number(solution(cells, cells[[1, 2, 3, 0]]))
    expect(other < -CLOSE, f"outputs with no place in common agree less than chance, below 0; yours says {other:.3g}.")
    expect(abs(other + 1 / 3) < CLOSE, f"four cells from four places, none in common, is -1/3; yours says {other:.3g}.")
    far = shares(seed + 2, 30, 5)[:1].repeat(30, 0)
    by_chance = number(solution(one, far))
    expect(
        abs(by_chance) < CLOSE,
        f"if all cells of one output are alike, any order is the same: that is chance, 0; yours says {by_chance:.3g}.",
    )
    expect(abs(found - wanted) < CLOSE, f"of thirty cells from five places it is {wanted:.4f}, yours says {found:.4f}.")


def check_cell_shares(solution: Solution, seed: int = SEED) -> Feedback:
    """Exercise 3: `solution(steps)` takes (N, C) to the part of each step in the whole way, (N,)."""
    learnt = "eight numbers, one share: how far each step leads where all of them lead."
    return judge("Exercise 3, shares of a way", solution, examine_cell_shares, learnt, seed)


def examine_cell_shares(solution: Solution, seed: int) -> None:
    steps = np.array([[1.0, 0.0], [2.0, 0.0], [1.0, 3.0], [0.0, -3.0]])
    found = numbers(solution(steps.copy()), (4,))
    total = float(found.sum())
    expect(abs(total - 1) < CLOSE, f"the shares must add up to 1, yours add up to {total:.3g}.")
    expect(
        abs(found[3]) < CLOSE, f"a step across the way leads nowhere on it, and has a share of 0; yours {found[3]:.3g}."
    )
    back = numbers(solution(np.array([[3.0, 1.0], [-1.0, -1.0]])), (2,))
    expect(bool(back[1] < 0), f"a step that leads back has a negative share, yours has {back[1]:.3g}.")
    steps = random(seed, 9, 8)
    way = steps.sum(0)
    expect(
        np.allclose(numbers(solution(steps.copy()), (9,)), steps @ way / (way @ way), atol=CLOSE),
        "in two dimensions they are right, in eight they are not.",
    )


def numbers(value: Any, shape: tuple[int, ...]) -> Floats:
    """A student's numbers."""
    expect(value is not None, "it returns nothing; the result must come back with `return`.")
    found = np.asarray(value)
    expect(np.issubdtype(found.dtype, np.number), f"numbers are asked for, yours are {found.dtype}.")
    expect(found.shape == shape, f"a result of the shape {shape} is asked for, yours has the shape {found.shape}.")
    return found.astype(np.float64)


def number(value: Any) -> float:
    """A student's number."""
    found = float(numbers(value, ()))
    expect(bool(np.isfinite(found)), f"a finite number is asked for, yours is {found}.")
    return found


def random(seed: int, *shape: int) -> Floats:
    """The same normal numbers for the same seed and shape."""
    return np.random.default_rng(seed).normal(size=shape)


def shares(seed: int, rows: int, columns: int) -> Floats:
    """Rows of numbers from 0 that add up to 1."""
    found = random(seed, rows, columns) ** 2
    parts: Floats = found / found.sum(1, keepdims=True)
    return parts
