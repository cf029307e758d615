"""Lessons as assignments: released, solved or not, and graded by nbgrader and by otter-grader themselves."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from ktviz.lessons.copies import CHECK, EXERCISE, STUB, as_text, lesson_paths, read_notebook, tags_of
from ktviz.lessons.grading import NBGRADER_CONFIG, nbgrader_source, otter_source

pytestmark = pytest.mark.slow
SOLUTION = "    return keeping.survivors(patches, threshold)"
ANSWERS = {"right": SOLUTION, "wrong": "    return [0]", "open": f"    {STUB}"}


def cell(name, source, *tags):
    metadata = {"tags": [*tags]} if tags else {}
    said = {"execution_count": None, "outputs": []}
    return {"cell_type": "code", "id": name, "metadata": metadata, "source": source, **said}


@pytest.fixture(scope="module")
def lesson():
    """A short one."""
    exercise = f"def survivors(patches, threshold):\n    # solution\n{SOLUTION}\n    # end of solution"
    cells = [
        cell("setup", "from ktviz.lessons import keeping"),
        cell("keep", exercise, EXERCISE),
        cell("keep-check", "keeping.check_survivors(survivors)", CHECK),
    ]
    return {"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}


def run(folder, *command):
    # nbgrader calls alembic by its name, so the folder of this environment's commands has to be among those searched.
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-m", *map(str, command)],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PATH": path, "PYTHONWARNINGS": "ignore"},
    )
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]


def answered(path, target, answer):
    """A student's notebook with an answer in the place of the stub."""
    notebook = json.loads(path.read_text(encoding="utf-8"))
    for one in notebook["cells"]:
        source = "".join(one["source"])
        assert SOLUTION not in source
        if "def survivors" in source:
            assert STUB in source
            one["source"] = source.replace(f"    {STUB}", answer)
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(json.dumps(notebook), encoding="utf-8")


def test_nbgrader_releases_grades_and_writes_feedback(lesson, tmp_path):
    source = tmp_path / "source" / "short" / "short.ipynb"
    source.parent.mkdir(parents=True)
    source.write_text(as_text(nbgrader_source(lesson)), encoding="utf-8")
    (tmp_path / "nbgrader_config.py").write_text(NBGRADER_CONFIG, encoding="utf-8")
    run(tmp_path, "nbgrader", "generate_assignment", "short")
    released = tmp_path / "release" / "short" / "short.ipynb"
    assert 'feedback.state == "right"' not in released.read_text(encoding="utf-8")
    for student, answer in ANSWERS.items():
        answered(released, tmp_path / "submitted" / student / "short" / "short.ipynb", answer)
    run(tmp_path, "nbgrader", "autograde", "short")
    run(tmp_path, "nbgrader", "generate_feedback", "short")
    assert scores(tmp_path / "gradebook.db") == {"right": 1.0, "wrong": 0.0, "open": 0.0}
    feedback = (tmp_path / "feedback" / "wrong" / "short" / "short.html").read_text(encoding="utf-8")
    assert "nothing in common all stay" in feedback


def scores(path):
    """Points by student, as nbgrader keeps them."""
    query = """select student.id, sum(coalesce(grade.auto_score, 0)) from grade
        join submitted_notebook on grade.notebook_id = submitted_notebook.id
        join submitted_assignment on submitted_notebook.assignment_id = submitted_assignment.id
        join student on submitted_assignment.student_id = student.id group by student.id"""
    with sqlite3.connect(path) as base:
        return dict(base.execute(query).fetchall())


def test_otter_grader_releases_and_grades(lesson, tmp_path):
    (tmp_path / "short.ipynb").write_text(as_text(otter_source(lesson, "short")), encoding="utf-8")
    run(tmp_path, "otter", "assign", "short.ipynb", "dist", "--no-run-tests")
    released = tmp_path / "dist" / "student" / "short.ipynb"
    assert 'state == "right"' not in released.read_text(encoding="utf-8")
    (grader,) = (tmp_path / "dist" / "autograder").glob("*.zip")
    found = {}
    for student, answer in ANSWERS.items():
        answered(released, tmp_path / student / "short.ipynb", answer)
        run(tmp_path / student, "otter", "run", "-a", grader, "short.ipynb", "-o", ".")
        tests = json.loads((tmp_path / student / "results.json").read_text(encoding="utf-8"))["tests"]
        found[student] = sum(test.get("score", 0) for test in tests if test.get("max_score"))
    assert found == {"right": 1.0, "wrong": 0.0, "open": 0.0}


@pytest.mark.parametrize("path", lesson_paths(), ids=lambda path: path.stem)
def test_every_exercise_of_every_lesson_gives_a_point(path):
    source = read_notebook(path)
    exercises = [one["id"] for one in source["cells"] if EXERCISE in tags_of(one)]
    assert exercises
    made = nbgrader_source(source)
    graded = [one for one in made["cells"] if one["metadata"].get("nbgrader", {}).get("grade")]
    assert len(graded) == len(exercises)
    marks = [one["source"] for one in otter_source(source, Path(path).stem)["cells"] if one["cell_type"] == "raw"]
    assert sum(mark.startswith("# BEGIN QUESTION") for mark in marks) == len(exercises)
