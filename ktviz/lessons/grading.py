"""Lessons as assignments of nbgrader and of otter-grader: the same exercises, with checks that students do not see.

Students see a checker's word on their answer, as in every copy. What gives the point is a line that their copies do not
contain: it asks the checker once more, and fails unless the answer is right.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ktviz.lessons.copies import CHECK, END, EXERCISE, START, STUB, Cell, Notebook, cleaned, source_of, tags_of

POINTS = 1
"""Of every exercise."""
SCHEMA = 3
"""Of nbgrader's metadata."""
NBGRADER_CONFIG = f"""c = get_config()
c.CourseDirectory.course_id = "ktviz"
c.ClearSolutions.code_stub = {{"python": {STUB!r}}}
c.ExecutePreprocessor.timeout = 600
"""
"""Of a course of nbgrader, as nbgrader_config.py."""


def nbgrader_source(notebook: Mapping[str, Any]) -> Notebook:
    """A lesson as the source of an nbgrader assignment: for `source/NAME/NAME.ipynb` of a course.

    Example:
        >>> from ktviz.lessons.copies import lesson_paths, read_notebook
        >>> made = nbgrader_source(read_notebook(lesson_paths()[0]))
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
                    'assert feedback.state == "right", feedback.text',
                    "### END HIDDEN TESTS",
                )
            )
            cell["metadata"] = {"nbgrader": {**grading(cell, grade=True), "points": POINTS}}
    return copy


def grading(cell: Cell, *, grade: bool = False, solution: bool = False) -> dict[str, Any]:
    """What nbgrader keeps about a cell."""
    said = {"grade": grade, "solution": solution, "locked": grade, "task": False}
    return {**said, "grade_id": cell["id"], "schema_version": SCHEMA}


def otter_source(notebook: Mapping[str, Any], name: str) -> Notebook:
    """A lesson as the source of an otter-grader assignment: for `otter assign NAME.ipynb FOLDER`.

    Args:
        notebook: The lesson.
        name: Of the assignment.
    """
    copy = cleaned(notebook)
    copy["cells"] = [*otter_cells(copy["cells"], name)]
    return copy


def otter_cells(cells: list[Cell], name: str) -> Iterator[Cell]:
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
            hidden = f'# HIDDEN\nassert ({source_of(cell)}).state == "right"'
            yield raw(f"{cell['id']}-t", "# BEGIN TESTS")
            yield {**shown, "id": f"{cell['id']}-h", "source": hidden}
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
