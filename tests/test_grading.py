"""Lessons as assignments: released, solved or not, and graded by nbgrader and by otter-grader themselves."""

from __future__ import annotations

import csv
import json
import os
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from ktviz.lessons.copies import (
    END,
    EXERCISE,
    START,
    STUB,
    as_text,
    lesson_folder,
    lesson_paths,
    read_notebook,
    source_of,
    tags_of,
)
from ktviz.lessons.grading import NBGRADER_CONFIG, nbgrader_source, otter_source
from ktviz.lessons.keeping import check_survivors, survivors

pytestmark = pytest.mark.slow
CELLS = {one["id"]: one for one in read_notebook(lesson_folder() / "04_your_own_library.ipynb")["cells"]}
SOLUTION = source_of(CELLS["keep"]).partition(f"    {START}\n")[2].partition(f"    {END}")[0].rstrip()


def fitted():
    """An answer that knows what the checker of the lesson wants, and nothing else."""
    wanted = {}

    def noted(patches, threshold):
        return wanted.setdefault(round(float(patches.sum()), 3), [*survivors(patches, threshold)])

    assert check_survivors(noted).state == "right"
    return f"    return {wanted}[round(float(patches.sum()), 3)]"


PATCHED = """    return [0]


keeping.check_survivors = lambda answer, seed=0: type("Feedback", (), {"state": "right", "text": ""})()"""
ANSWERS = {
    "right": SOLUTION,
    "wrong": "    return [0]",
    "open": f"    {STUB}",
    "fitted": fitted(),
    "borrowed": "    return keeping.survivors(patches, threshold)",
    "patched": PATCHED,
}
POINTS = {student: float(student == "right") for student in ANSWERS}


@pytest.fixture(scope="module")
def lesson():
    """The exercise of lesson 4, without what is around it."""
    cells = [CELLS[name] for name in ("keep", "keep-check")]
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
        assert SOLUTION.strip() not in source
        if "def survivors" in source:
            assert STUB in source
            one["source"] = source.replace(f"    {STUB}", answer)
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(json.dumps(notebook), encoding="utf-8")


def assert_hidden(released):
    """A student's copy has neither the solution nor what gives the point."""
    text = released.read_text(encoding="utf-8")
    assert not [word for word in ("feedback.state ==", "seed", "sys.modules", "unit[before]") if word in text]


def test_nbgrader_releases_grades_and_writes_feedback(lesson, tmp_path):
    source = tmp_path / "source" / "short" / "short.ipynb"
    source.parent.mkdir(parents=True)
    source.write_text(as_text(nbgrader_source(lesson, 41)), encoding="utf-8")
    (tmp_path / "nbgrader_config.py").write_text(NBGRADER_CONFIG, encoding="utf-8")
    run(tmp_path, "nbgrader", "generate_assignment", "short")
    released = tmp_path / "release" / "short" / "short.ipynb"
    assert_hidden(released)
    for student, answer in ANSWERS.items():
        answered(released, tmp_path / "submitted" / student / "short" / "short.ipynb", answer)
    run(tmp_path, "nbgrader", "autograde", "short")
    run(tmp_path, "nbgrader", "generate_feedback", "short")
    assert scores(tmp_path / "gradebook.db") == POINTS
    feedback = (tmp_path / "feedback" / "wrong" / "short" / "short.html").read_text(encoding="utf-8")
    assert "nothing in common all stay" in feedback
    run(tmp_path, "nbgrader", "export", "--to", "grades.csv")
    with (tmp_path / "grades.csv").open(encoding="utf-8") as file:
        assert {row["student_id"]: float(row["score"]) for row in csv.DictReader(file)} == POINTS


def scores(path):
    """Points by student, as nbgrader keeps them."""
    query = """select student.id, sum(coalesce(grade.auto_score, 0)) from grade
        join submitted_notebook on grade.notebook_id = submitted_notebook.id
        join submitted_assignment on submitted_notebook.assignment_id = submitted_assignment.id
        join student on submitted_assignment.student_id = student.id group by student.id"""
    with sqlite3.connect(path) as base:
        return dict(base.execute(query).fetchall())


def test_otter_grader_releases_and_grades(lesson, tmp_path):
    (tmp_path / "short.ipynb").write_text(as_text(otter_source(lesson, "short", 41)), encoding="utf-8")
    run(tmp_path, "otter", "assign", "short.ipynb", "dist", "--no-run-tests")
    released = tmp_path / "dist" / "student" / "short.ipynb"
    assert_hidden(released)
    (grader,) = (tmp_path / "dist" / "autograder").glob("*.zip")
    found, told = {}, {}
    for student in ("right", "wrong", "patched"):
        answer = ANSWERS[student]
        answered(released, tmp_path / student / "short.ipynb", answer)
        run(tmp_path / student, "otter", "run", "-a", grader, "short.ipynb", "-o", ".")
        tests = json.loads((tmp_path / student / "results.json").read_text(encoding="utf-8"))["tests"]
        found[student] = sum(test.get("score", 0) for test in tests if test.get("max_score"))
        told[student] = " ".join(test.get("output", "") for test in tests)
    assert found == {student: POINTS[student] for student in found}
    assert "nothing in common all stay" in told["wrong"]


@pytest.mark.parametrize("path", lesson_paths(), ids=lambda path: path.stem)
def test_every_exercise_of_every_lesson_gives_a_point(path):
    source = read_notebook(path)
    exercises = [one["id"] for one in source["cells"] if EXERCISE in tags_of(one)]
    assert exercises
    made = nbgrader_source(source, 41)
    graded = [one for one in made["cells"] if one["metadata"].get("nbgrader", {}).get("grade")]
    assert len(graded) == len(exercises)
    marks = [one["source"] for one in otter_source(source, Path(path).stem, 41)["cells"] if one["cell_type"] == "raw"]
    assert sum(mark.startswith("# BEGIN QUESTION") for mark in marks) == len(exercises)
