"""What a checker says of an exercise: solved, not solved yet, or what is wrong with it. Never the answer."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from html import escape
from typing import Any, Literal

NOT_SOLVED = "not solved yet"
"""Message of the NotImplementedError in a student's copy: torch raises that error, too."""
MARKS = {"right": "✓", "wrong": "✗", "open": "○"}
COLOURS = {"right": "#009E73", "wrong": "#D55E00", "open": "#767676"}
Solution = Callable[..., Any]
SEED = 7
"""Of the inputs that a checker draws in the lesson; what gives the points draws others."""


@dataclass(frozen=True)
class Feedback:
    """A checker's word on an exercise.

    Attributes:
        exercise: Its name.
        state: "right", "wrong" or "open" (not solved yet).
        text: What is wrong with it, or what to do.
    """

    exercise: str
    state: Literal["right", "wrong", "open"]
    text: str

    def __repr__(self) -> str:
        return f"{MARKS[self.state]} {self.exercise}: {self.text}"

    def _repr_html_(self) -> str:
        style = f"border-left: 4px solid {COLOURS[self.state]}; padding: 4px 12px; margin: 4px 0"
        head = f"<b>{MARKS[self.state]} {escape(self.exercise)}</b>"
        return f'<div style="{style}">{head}<br>{escape(self.text)}</div>'


class WrongError(Exception):
    """An exercise's result is not what it has to be; the message says in what way."""


def expect(holds: bool, complaint: str) -> None:
    """Raise WrongError with a complaint unless something holds."""
    if not holds:
        raise WrongError(complaint)


def as_mapping(found: Any, words: str) -> dict[Any, Any]:
    """A result as a dictionary; `words` say from what to what."""
    expect(found is not None, "it returns nothing.")
    expect(hasattr(found, "items"), f"a dictionary {words} is asked for, yours is a {type(found).__name__}.")
    return dict(found.items())


def judge(
    exercise: str, solution: Solution, examine: Callable[[Solution, int], None], learnt: str, seed: int
) -> Feedback:
    """Examine a solution; whatever goes wrong becomes the feedback, so that the rest of the notebook runs.

    Args:
        exercise: Its name.
        solution: The student's function.
        examine: Calls it, and raises WrongError at the first thing that is not as it has to be.
        learnt: What a right solution has shown.
        seed: Of the inputs that are drawn for it.
    """
    try:
        examine(solution, seed)
        expect(not delegates(solution, examine), "it is right, but it asks the lesson's own code: write it yourself.")
    except WrongError as error:
        return Feedback(exercise, "wrong", str(error))
    except NotImplementedError as error:
        if str(error) == NOT_SOLVED:
            return Feedback(
                exercise, "open", "not solved yet. Write it in the cell above, run that cell, then this one."
            )
        return Feedback(exercise, "wrong", raised(error, solution))
    except Exception as error:  # a student's code may raise anything
        return Feedback(exercise, "wrong", raised(error, solution))
    return Feedback(exercise, "right", learnt)


def delegates(solution: Solution, examine: Callable[[Solution, int], None]) -> bool:
    """Whether a solution is of the module that holds its checker, or calls it: there later cells find theirs."""
    names = getattr(getattr(solution, "__code__", None), "co_names", ())
    module = examine.__module__
    return getattr(solution, "__module__", None) == module or module.rpartition(".")[2] in names


def raised(error: Exception, solution: Solution) -> str:
    """An error of the student's code, and the line of the cell where it happened."""
    code = getattr(solution, "__code__", None)
    line, step = 0, error.__traceback__
    while step is not None:
        if code is not None and step.tb_frame.f_code.co_filename == code.co_filename:
            line = step.tb_lineno
        step = step.tb_next
    where = f" in line {line} of its cell" if line else ""
    return f"it raised {type(error).__name__}{where}: {error}"
