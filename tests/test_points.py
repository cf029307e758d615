"""What gives the points of an assignment: lines that students do not have, with inputs that they have not seen."""

from __future__ import annotations

import copy
import sys
from types import SimpleNamespace

import pytest
from test_lessons import LESSON as BHKM
from test_own_system_lesson import LESSON as OWN_SYSTEM
from test_short_lessons import LESSONS as SHORT
from test_six_systems_lesson import LESSON as SIX_SYSTEMS

import ktviz as kt
from ktviz.errors import LessonError
from ktviz.lessons.grading import ASKED, hidden

LONG = {"bhkm": BHKM, "own system": OWN_SYSTEM, "six systems": SIX_SYSTEMS}
EXERCISES = {
    **{
        f"{name} {number}": (lesson, number) for name, lesson in LONG.items() for number in range(len(lesson.exercises))
    },
    **SHORT,
}
EACH = pytest.mark.parametrize("exercise", EXERCISES.values(), ids=EXERCISES.keys())
SEEDS = range(100)
UNSEEN = 987_654


@pytest.fixture(autouse=True)
def modules():
    """The hidden lines load checkers anew; other tests keep theirs."""
    before = {name: module for name, module in sys.modules.items() if name.startswith("ktviz.lessons")}
    yield
    sys.modules.update(before)
    kt.lessons = before["ktviz.lessons"]


def graded(exercise, answer, seed=UNSEEN):
    """What the hidden lines say of an answer: nothing, or what is wrong."""
    lesson, number = exercise
    asked = ASKED.fullmatch(lesson.checks[number])
    known = {asked["answer"]: answer, asked["module"]: lesson.checkers}
    try:
        exec(hidden({"id": "check", "source": lesson.checks[number]}, seed), known)
    except AssertionError as error:
        return str(error)
    return ""


@EACH
def test_the_lesson_s_solution_gets_the_point_whatever_is_drawn(exercise):
    lesson, number = exercise
    solution, checker = lesson.solved(number)
    assert [seed for seed in SEEDS if checker(solution, seed=seed).state != "right"] == []
    assert graded(exercise, solution) == ""


@EACH
def test_results_that_fit_the_lesson_s_inputs_get_no_point(exercise):
    lesson, number = exercise
    solution, checker = lesson.solved(number)
    results = []

    def noted(*given):
        results.append(solution(*given))
        return copy.deepcopy(results[-1])

    assert checker(noted).state == "right"
    left = iter(results)
    assert checker(lambda *given: copy.deepcopy(next(left))).state == "right"
    left = iter(results)
    assert graded(exercise, lambda *given: copy.deepcopy(next(left)))


@EACH
def test_a_checker_that_was_replaced_gives_no_point(exercise, monkeypatch):
    lesson, number = exercise
    checker = ASKED.fullmatch(lesson.checks[number])["checker"]
    right = SimpleNamespace(state="right", text="")
    monkeypatch.setattr(lesson.checkers, checker, lambda answer, seed=0: right)
    monkeypatch.setattr("ktviz.lessons.feedback.judge", lambda *asked: right)
    assert graded(exercise, lambda *given: None)


def test_a_cell_that_does_more_than_ask_a_checker_is_refused():
    with pytest.raises(LessonError, match="check_SOMETHING"):
        hidden({"id": "keep-check", "source": "keeping.check_survivors(survivors)\nprint()"}, 1)
