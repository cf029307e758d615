"""Lessons as assignments of nbgrader and of otter-grader: the same exercises, with checks that students do not see.

Students see a checker's word on their answer, as in every copy. What gives the point are lines that their copies do not
contain. They load the checker anew, whatever the cells above have done to it, and ask it with other inputs than those
of the lesson, so that an answer that only fits these fails.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from ktviz.errors import LessonError
from ktviz.lessons.copies import CHECK, END, EXERCISE, START, STUB, Cell, Notebook, cleaned, source_of, tags_of

POINTS = 1
"""Of every exercise."""
SCHEMA = 3
"""Of nbgrader's metadata."""
ASKED = re.compile(r"(?P<module>\w+)\.(?P<checker>check_\w+)\((?P<answer>\w+)\)")
"""What a cell tagged `check` says."""
HIDDEN = """import sys

for name in [name for name in sys.modules if name.startswith("ktviz.lessons")]:
    del sys.modules[name]
from ktviz.lessons import {module}

feedback = {module}.{checker}({answer}, seed={seed})
assert feedback.state == "right", feedback.text"""
NBGRADER_CONFIG = f"""c = get_config()
c.CourseDirectory.course_id = "ktviz"
c.ClearSolutions.code_stub = {{"python": {STUB!r}}}
c.ExecutePreprocessor.timeout = 600
"""
"""Of a course of nbgrader, as nbgrader_config.py."""


def hidden(cell: Cell, seed: int) -> str:
    """The lines that give the point of the exercise before a cell tagged `check`.

    Raises:
        LessonError: The cell says something else than `MODULE.check_SOMETHING(ANSWER)`.
    """
    asked = ASKED.fullmatch(source_of(cell).strip())
    if asked is None:
        raise LessonError(f"cell {cell['id']}", source_of(cell), "Let it say MODULE.check_SOMETHING(ANSWER), no more")
    return HIDDEN.format(**asked.groupdict(), seed=seed)


def nbgrader_source(notebook: Mapping[str, Any], seed: int) -> Notebook:
    """A lesson as the source of an nbgrader assignment: for `source/NAME/NAME.ipynb` of a course.

    Args:
        notebook: The lesson.
        seed: Of the inputs that give the points. Students are better not told.

    Raises:
        LessonError: A cell tagged `check` does more than ask one checker.

    Example:
        >>> from ktviz.lessons.copies import lesson_paths, read_notebook
        >>> made = nbgrader_source(read_notebook(lesson_paths()[0]), seed=1)
        >>> [cell["id"] for cell in made["cells"] if cell["metadata"].get("nbgrader", {}).get("grade")]
        ['count-check']
    """
    copy = cleaned(notebook)
    for cell in copy["cells"]:
        if EXERCISE in tags_of(cell):
            cell["source"] = source_of(cell).replace(START, "### BEGIN SOLUTION").replace(END, "### END SOLUTION")
            cell["metadata"] = {"nbgrader": grading(cell, solution=True)}
        elif CHECK in tags_of(cell):
            cell["source"] = "\n".join(
                (
                    f"feedback = {source_of(cell)}",
                    "display(feedback)",
                    "### BEGIN HIDDEN TESTS",
                    hidden(cell, seed),
                    "### END HIDDEN TESTS",
                )
            )
            cell["metadata"] = {"nbgrader": {**grading(cell, grade=True), "points": POINTS}}
    return copy


def grading(cell: Cell, *, grade: bool = False, solution: bool = False) -> dict[str, Any]:
    """What nbgrader keeps about a cell."""
    said = {"grade": grade, "solution": solution, "locked": grade, "task": False}
    return {**said, "grade_id": cell["id"], "schema_version": SCHEMA}


def otter_source(notebook: Mapping[str, Any], name: str, seed: int) -> Notebook:
    """A lesson as the source of an otter-grader assignment: for `otter assign NAME.ipynb FOLDER`.

    Args:
        notebook: The lesson.
        name: Of the assignment.
        seed: As in `nbgrader_source`.

    Raises:
        LessonError: A cell tagged `check` does more than ask one checker.
    """
    copy = cleaned(notebook)
    copy["cells"] = [*otter_cells(copy["cells"], name, seed)]
    return copy


def otter_cells(cells: list[Cell], name: str, seed: int) -> Iterator[Cell]:
    """Cells with the marks between them by which otter-grader finds questions, solutions and tests."""
    config = f"# ASSIGNMENT CONFIG\nname: {name}\nexport_cell: false\ncheck_all_cell: false\ngenerate: true"
    yield raw("otter-config", config)
    for cell in cells:
        if EXERCISE in tags_of(cell):
            yield raw(f"{cell['id']}-q", f"# BEGIN QUESTION\nname: {question(cell)}\npoints: {POINTS}")
            yield raw(f"{cell['id']}-s", "# BEGIN SOLUTION")
            yield {**cell, "metadata": {}, "source": with_prompt(source_of(cell))}
            yield raw(f"{cell['id']}-e", "# END SOLUTION")
        elif CHECK in tags_of(cell):
            shown = {**cell, "metadata": {}}
            yield raw(f"{cell['id']}-t", "# BEGIN TESTS")
            yield {**shown, "id": f"{cell['id']}-h", "source": f"# HIDDEN\n{hidden(cell, seed)}"}
            yield raw(f"{cell['id']}-te", "# END TESTS")
            yield raw(f"{cell['id']}-qe", "# END QUESTION")
            yield shown
        else:
            yield cell


def with_prompt(source: str) -> str:
    """A solution in otter-grader's marks, and what students find in its place."""
    lines = []
    for line in source.splitlines():
        indent = line[: len(line) - len(line.lstrip())]
        if line.strip() == START:
            lines.append(f"{indent}# BEGIN SOLUTION NO PROMPT")
        elif line.strip() == END:
            prompt = ('""" # BEGIN PROMPT', STUB, '""" # END PROMPT')
            lines += [f"{indent}# END SOLUTION", *(indent + part for part in prompt)]
        else:
            lines.append(line)
    return "\n".join(lines)


def question(cell: Cell) -> str:
    """A name as otter-grader allows it."""
    return str(cell["id"]).replace("-", "_")


def raw(name: str, source: str) -> Cell:
    """A raw cell."""
    return {"cell_type": "raw", "id": name, "metadata": {}, "source": source}
