"""The exercises of a lesson, as its source holds them: their solutions and their checkers."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from types import ModuleType
from typing import Any

from ktviz.lessons.copies import CHECK, END, EXERCISE, START, lesson_folder, read_notebook, source_of, tags_of
from ktviz.lessons.feedback import NOT_SOLVED


class Lesson:
    """A lesson.

    Args:
        file: Its name.
        checkers: The module of its checkers.
        known: What its solutions use, by name.
    """

    def __init__(self, file: str, checkers: ModuleType, known: Mapping[str, Any]) -> None:
        cells = read_notebook(lesson_folder() / file)["cells"]
        self.exercises, self.checks = (
            [source_of(cell) for cell in cells if tag in tags_of(cell)] for tag in (EXERCISE, CHECK)
        )
        self.checkers, self.known = checkers, known

    def solved(self, number: int) -> tuple[Callable[..., Any], Callable[..., Any]]:
        """The lesson's solution of an exercise, and the checker that the lesson calls."""
        known = dict(self.known)
        exec(self.exercises[number], known)
        module = self.checkers.__name__.rpartition(".")[2]
        checker, name = self.checks[number].removeprefix(f"{module}.").removesuffix(")").split("(")
        return known[name], getattr(self.checkers, checker)

    def solution_lines(self) -> Iterator[str]:
        """The lines of all solutions."""
        for source in self.exercises:
            lines = [line.strip() for line in source.splitlines()]
            yield from lines[lines.index(START) + 1 : lines.index(END)]


def unsolved(*arguments: object) -> None:
    """An exercise as students get it."""
    raise NotImplementedError(NOT_SOLVED)
