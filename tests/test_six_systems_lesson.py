"""The checkers of lesson 6: each accepts the lesson's solution, and says what is wrong with others, never how."""

from __future__ import annotations

import numpy as np
import pytest
from exercises import Lesson, unsolved

from ktviz.lessons import six_systems
from ktviz.lessons.six_systems import places

LESSON = Lesson("06_six_systems.ipynb", six_systems, {"np": np})


def entropy(parts):
    return np.log(places(parts))


def agreed(one, other):
    return np.minimum(one, other).sum(1).mean()


def by_chance(one, other):
    return np.minimum(one[:, None], other[None]).sum(2).mean()


def exact(one, other):
    return (agreed(one, other) - by_chance(one, other)) / (1 - by_chance(one, other))


def length(steps):
    sizes = np.linalg.norm(steps, axis=1)
    return sizes / sizes.sum()


PLACES = [
    (lambda parts: None, "it returns nothing"),
    (lambda parts: float(places(parts)[0]), "the shape (2,) is asked for, yours has the shape ()"),
    (lambda parts: np.exp(-(parts * np.log(parts)).sum(1)), "not a finite number"),
    (entropy, "yours is the entropy itself"),
    (lambda parts: 1 + entropy(parts), "five equal parts are 5 places, yours says 2.61"),
    (lambda parts: 1 / places(parts), "is a sign wrong?"),
    (lambda parts: (parts > 0).sum(1), "yours counts 3 places"),
    (lambda parts: places(parts) * parts.sum(1), "of which only half is known"),
    (lambda parts: 1 / np.square(parts / parts.sum(1, keepdims=True)).sum(1), "equal parts are right, others not"),
]
ABOVE_CHANCE = [
    (lambda one, other: None, "it returns nothing"),
    (lambda one, other: np.minimum(one, other).sum(1), "a result of the shape () is asked for"),
    (lambda one, other: np.maximum(one, other).sum(1).mean() * 2, "nothing is more than 1"),
    (lambda one, other: 0.5 * exact(one, other), "that is 1; yours says 0.5"),
    (agreed, "yours is the agreement itself"),
    (lambda one, other: max(0.0, exact(one, other)), "agree less than chance, below 0"),
    (lambda one, other: agreed(one, other) - by_chance(one, other), "not in parts of what there can be above chance"),
    (
        lambda one, other: (agreed(one, other) - 1 / one.shape[1]) / (1 - 1 / one.shape[1]),
        "any order is the same",
    ),
]
CELL_SHARES = [
    (lambda steps: None, "it returns nothing"),
    (lambda steps: steps / steps.sum(0), "the shape (4,) is asked for, yours has the shape (4, 2)"),
    (lambda steps: steps @ steps.sum(0), "yours add up to"),
    (length, "a step across the way"),
    (lambda steps: abs(steps @ steps.sum(0)) / abs(steps @ steps.sum(0)).sum(), "has a negative share"),
    (lambda steps: steps[:, :2] @ steps[:, :2].sum(0) / np.square(steps[:, :2].sum(0)).sum(), "in eight they are not"),
]
ALL = [
    *((six_systems.check_places, *case) for case in PLACES),
    *((six_systems.check_above_chance, *case) for case in ABOVE_CHANCE),
    *((six_systems.check_cell_shares, *case) for case in CELL_SHARES),
]


@pytest.mark.parametrize("number", range(len(LESSON.exercises)))
def test_the_lesson_s_solution_is_accepted_by_its_checker(number):
    solution, check = LESSON.solved(number)
    feedback = check(solution)
    assert feedback.state == "right", feedback.text


@pytest.mark.parametrize(("check", "wrong", "said"), ALL)
@pytest.mark.filterwarnings("ignore:divide by zero", "ignore:invalid value")
def test_what_is_wrong_is_said_and_not_how_to_do_it(check, wrong, said):
    feedback = check(wrong)
    assert feedback.state == "wrong"
    assert said in feedback.text
    assert not any(line in feedback.text for line in LESSON.solution_lines())


@pytest.mark.parametrize(
    "check", [six_systems.check_places, six_systems.check_above_chance, six_systems.check_cell_shares]
)
def test_what_is_not_solved_is_open(check):
    assert check(unsolved).state == "open"
