"""Copies of the lessons: one source per lesson, from which the student's copy is derived.

In a cell tagged `exercise`, the lines from `# solution` to `# end of solution` are the solution. The student's copy has
one line in their place, which raises NotImplementedError until it is replaced.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ktviz.errors import LessonError
from ktviz.files import replacing, shipped_folder
from ktviz.lessons.feedback import NOT_SOLVED

EXERCISE, CHECK = "exercise", "check"
"""Tags of cells."""
START, END = "# solution", "# end of solution"
STUB = f'raise NotImplementedError("{NOT_SOLVED}")  # your code instead of this line'
FIRST = "01_backtracking.ipynb"
KERNEL = {"display_name": "Python 3", "language": "python", "name": "python3"}
Notebook = dict[str, Any]
Cell = dict[str, Any]


def lesson_folder() -> Path:
    """Where the sources of the lessons lie.

    Raises:
        LessonError: Nowhere.
    """
    found = shipped_folder("notebooks", FIRST)
    if found is None:
        raise LessonError("the lessons", "none came with ktviz", "Install ktviz again, or run from a checkout")
    return found


def lesson_paths() -> list[Path]:
    """The sources, in the order of the course."""
    return sorted(lesson_folder().glob("[0-9]*.ipynb"))


def copy_lessons(folder: Path) -> tuple[list[str], list[str]]:
    """Put students' copies into a folder. A file that is there and differs may hold somebody's work: it is kept.

    Returns:
        Names of the files that were written, and of those that were kept.

    Raises:
        StorageError: The disk refuses.
    """
    copied, kept = [], []
    for path in lesson_paths():
        text, target = as_text(student_copy(read_notebook(path))), folder / path.name
        if not target.exists():
            with replacing(target) as temporary:
                temporary.write_text(text, encoding="utf-8")
            copied.append(path.name)
        elif target.read_bytes() != text.encode():
            kept.append(path.name)
    return copied, kept


def read_notebook(path: Path) -> Notebook:
    """A notebook as it is in its file.

    Raises:
        LessonError: Not a notebook of format 4.5 or later, whose cells have ids.
    """
    asked, todo = f"lesson {path.name}", "Open it in JupyterLab and save it"
    try:
        notebook = json.loads(path.read_text(encoding="utf-8"))
        version = notebook["nbformat"], notebook["nbformat_minor"]
        ids = [cell["id"] for cell in notebook["cells"]]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise LessonError(asked, f"cannot be read as a notebook ({type(error).__name__}: {error})", todo) from None
    if version < (4, 5) or not ids:
        raise LessonError(asked, f"format {version[0]}.{version[1]} with {len(ids)} cells", todo)
    return dict(notebook)


def as_text(notebook: Mapping[str, Any]) -> str:
    """A notebook as the text of its file, as Jupyter writes it."""
    return json.dumps(notebook, indent=1, sort_keys=True, ensure_ascii=False) + "\n"


def cleaned(notebook: Mapping[str, Any]) -> Notebook:
    """The same without outputs, execution counts, and metadata but tags and kernel."""
    cells = [cleaned_cell(cell) for cell in notebook["cells"]]
    metadata = {"kernelspec": KERNEL, "language_info": {"name": "python"}}
    return {"cells": cells, "metadata": metadata, "nbformat": 4, "nbformat_minor": 5}


def cleaned_cell(cell: Mapping[str, Any]) -> Cell:
    found = {"cell_type": cell["cell_type"], "id": cell["id"], "metadata": {}, "source": source_of(cell)}
    if tags_of(cell):
        found["metadata"] = {"tags": tags_of(cell)}
    if cell["cell_type"] == "code":
        found |= {"execution_count": None, "outputs": []}
    return found


def student_copy(notebook: Mapping[str, Any]) -> Notebook:
    """What a student gets: cleaned, exercises without their solutions."""
    copy = cleaned(notebook)
    for cell in copy["cells"]:
        if EXERCISE in tags_of(cell):
            cell["source"] = without_solution(cell["source"])
    return copy


def without_solution(source: str) -> str:
    """The source of an exercise with a stub in place of every solution.

    Raises:
        LessonError: A mark without its partner.
    """
    kept: list[str] = []
    inside = False
    for line in source.splitlines():
        mark = line.strip()
        if mark in (START, END):
            if inside == (mark == START):
                raise LessonError(f"exercise {source[:40]!r}", f"{mark!r} without its partner", "Mark begin and end")
            inside = not inside
            if inside:
                kept.append(line[: len(line) - len(line.lstrip())] + STUB)
        elif not inside:
            kept.append(line)
    if inside:
        raise LessonError(f"exercise {source[:40]!r}", f"{START!r} without its partner", "Mark begin and end")
    return "\n".join(kept)


def tags_of(cell: Mapping[str, Any]) -> list[str]:
    return list(cell["metadata"].get("tags", []))


def source_of(cell: Mapping[str, Any]) -> str:
    """The source as one text; files may hold it line by line."""
    source = cell["source"]
    return source if isinstance(source, str) else "".join(source)
