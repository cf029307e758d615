"""The lessons: clean sources, solutions that stay with the instructor, notebooks that run from top to bottom."""

from __future__ import annotations

import importlib.util
import os
import re
import resource
import socket
import subprocess
import sys
from copy import deepcopy
from pathlib import Path
from types import ModuleType, SimpleNamespace

import pytest
from IPython.core.interactiveshell import InteractiveShell
from traitlets.config import Config

import ktviz as kt
from ktviz import samples
from ktviz.errors import LessonError
from ktviz.lessons.copies import (
    CHECK,
    END,
    EXERCISE,
    START,
    as_text,
    cleaned,
    lesson_paths,
    read_notebook,
    source_of,
    student_copy,
    tags_of,
    without_solution,
)
from ktviz.lessons.feedback import MARKS
from notebooks import build

PATHS = lesson_paths()
BHKM, OWN_SYSTEM = (next(path for path in PATHS if name in path.name) for name in ("bhkm", "own_system"))
LONGEST_S = 120
START_CPU_S = 30
"""Of the processor, until a lesson's first cell has run: 15 seconds on two cores."""
ROOT = Path(__file__).parents[1]
BINDER = ROOT / "binder"
EACH = pytest.mark.parametrize("path", PATHS, ids=lambda path: path.stem)


@EACH
def test_the_source_is_clean_and_as_jupyter_would_save_it(path):
    build.check(path)
    assert path.read_text(encoding="utf-8") == as_text(with_lines(cleaned(read_notebook(path))))


def with_lines(notebook):
    """Sources line by line, as Jupyter writes them."""
    for cell in notebook["cells"]:
        cell["source"] = cell["source"].splitlines(keepends=True)
    return notebook


@EACH
def test_every_lesson_has_a_title_take_aways_and_a_closing_question(path):
    texts = [source_of(cell) for cell in read_notebook(path)["cells"] if cell["cell_type"] == "markdown"]
    assert texts[0].startswith(f"# {int(path.name[:2])} · ")
    assert any("## What to take away" in text for text in texts)
    assert any("## The closing question" in text for text in texts)


def test_the_student_s_copy_lacks_every_solution_and_nothing_else():
    source = read_notebook(BHKM)
    student = student_copy(source)
    assert [cell["id"] for cell in student["cells"]] == [cell["id"] for cell in source["cells"]]
    for before, after in zip(source["cells"], student["cells"], strict=True):
        if EXERCISE not in tags_of(before):
            assert after["source"] == source_of(before)
            continue
        lines = source_of(before).splitlines()
        inside = lines[lines.index(f"    {START}") + 1 : lines.index(f"    {END}")]
        assert inside
        assert not any(line in after["source"] for line in inside)
        compile(after["source"], "cell", "exec")


@pytest.fixture(scope="module", autouse=True)
def library():
    """Built before the clock runs."""
    for name in ("art/impasto", "scenes/rooms", "scenes/streets", "pots/glazed", "portraits/clay"):
        samples.bank(name, quiet=True)


def cpu_seconds():
    """What kernels that have ended took of the processor: a busy machine takes longer, but no more."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


@EACH
def test_a_student_who_has_solved_nothing_can_run_the_whole_lesson_in_time_without_a_warning(path):
    """The instructor's copy is run by `make notebooks`, which refuses a lesson whose solution is not right."""
    start = cpu_seconds()
    executed = build.execute(student_copy(read_notebook(path)))
    assert cpu_seconds() - start < LONGEST_S
    outputs = [(cell["id"], output) for cell in executed["cells"] for output in cell.get("outputs", [])]
    assert not [(name, output) for name, output in outputs if is_litter(output)]
    texts = [checker_text(cell) for cell in executed["cells"] if CHECK in tags_of(cell)]
    assert texts
    assert all(text.startswith(MARKS["open"]) for text in texts)


def checker_text(cell):
    (output,) = cell["outputs"]
    return output["data"]["text/plain"]


def is_litter(output):
    """A warning, or a bar of progress: it stays in the notebook, and nobody reads it again."""
    text = f"{output.get('text', '')}{output.get('data', {}).get('text/plain', '')}"
    return output.get("name") == "stderr" or "%|" in text or "building " in text


@pytest.mark.parametrize(("start", "bank"), [("01", "art/impasto"), ("06", "scenes/rooms")])
def test_where_nothing_is_built_a_lesson_starts_in_time_in_silence_with_the_bank_it_uses(start, bank, tmp_path):
    notebook = read_notebook(next(path for path in PATHS if path.name.startswith(start)))
    first = next(number for number, cell in enumerate(notebook["cells"]) if cell["cell_type"] == "code")
    before = cpu_seconds()
    executed = build.execute({**notebook, "cells": notebook["cells"][: first + 1]}, {"KTVIZ_CACHE": str(tmp_path)})
    assert cpu_seconds() - before < START_CPU_S
    assert not [output for output in executed["cells"][first]["outputs"] if is_litter(output)]
    assert [name for path in tmp_path.glob("*.ktlib") for name in kt.Library.open(path)] == [bank]


@pytest.fixture(scope="module")
def said():
    """What the cells of lesson 7 say, by name, line by line."""
    found = {}
    for cell in build.execute(read_notebook(OWN_SYSTEM))["cells"]:
        outputs = cell.get("outputs", [])
        text = "".join(output.get("text") or output["data"].get("text/plain", "") for output in outputs)
        found[cell["id"]] = text.splitlines()
    return found


def test_in_lesson_7_the_audit_is_verified_and_another_picture_in_it_is_found(said):
    assert said["audit"][-1].startswith("tables, pictures and report")
    assert "output.png was changed" in said["tamper"][0]


def test_in_lesson_7_all_promises_are_kept_but_those_of_liars(said):
    assert [line for line in said["suite"][1:] if not line.endswith("kept")] == [
        "removal        its knowledge is in no library",
        "bad input          the trial has no bad input",
    ]
    assert [line.split()[0] for line in said["liar"] if "BROKEN" in line] == ["neutrality", "rerun"]
    assert [line.split()[0] for line in said["question"] if "BROKEN" in line] == ["rerun", "blending"]
    assert said["question-audit"][0] == "the same picture: True"
    assert said["question-audit"][1].startswith("trace.parquet, retrieval")


def test_in_lesson_7_shares_are_what_its_text_says(said):
    shares = {name: [*map(float, numbers)] for name, *numbers in map(str.split, said["fade"][2:])}
    (overlap, gradient, ablation), fruit = shares["sails"], shares["oranges"]
    assert overlap > 0.5
    assert gradient < fruit[1]
    assert ablation > 1


@pytest.fixture
def notebook(monkeypatch):
    """`notebook(source)`: run a cell as a kernel does, without a network; what it asked pip for."""
    asked = []
    shell = InteractiveShell(config=Config({"HistoryManager": {"enabled": False}}))
    shell.register_magic_function(asked.append, magic_name="pip")
    monkeypatch.setattr(socket.socket, "connect", lambda *given: pytest.fail("the network was asked"))

    def run(source):
        shell.run_cell(source).raise_error()
        return asked

    return run


def missing_ktviz(monkeypatch):
    found = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "ktviz" else found(name))


def test_the_start_of_a_student_s_copy_does_nothing_where_ktviz_is(notebook):
    before = set(sys.modules)
    assert notebook(build.INSTALLING) == []
    assert not any(name.startswith("google") for name in set(sys.modules) - before)


def test_the_start_of_a_student_s_copy_asks_pip_for_what_there_is(notebook, monkeypatch):
    missing_ktviz(monkeypatch)
    (line,) = notebook(build.INSTALLING)
    assert [word for word in line.split() if not word.startswith("-")] == ["install", "ktviz"]


def test_the_start_of_a_student_s_copy_turns_live_views_on_in_colab(notebook, monkeypatch):
    enabled = []
    output = SimpleNamespace(enable_custom_widget_manager=lambda: enabled.append(True))
    for name, module in (("google", ModuleType("google")), ("google.colab", SimpleNamespace(output=output))):
        monkeypatch.setitem(sys.modules, name, module)
    assert notebook(build.INSTALLING) == []
    assert enabled == [True]


def test_binder_installs_the_checkout_and_all_that_a_lesson_needs():
    lines = [line for line in (BINDER / "requirements.txt").read_text().splitlines() if not line.startswith("#")]
    assert [line for line in lines if not line.startswith("-")] == [".[notebooks]"]
    python = re.fullmatch(r"python-(\d+)\.(\d+)\n", (BINDER / "runtime.txt").read_text())
    assert tuple(map(int, python.groups())) >= (3, 11)


def test_binder_has_every_bank_that_a_lesson_uses_and_students_copies(tmp_path):
    script = BINDER / "postBuild"
    used = {name for path in PATHS for name in re.findall(r'samples\.(?:bank|library)\(\\"([\w/]+)', path.read_text())}
    assert used
    assert {name for name in used if f'"{name}"' not in script.read_text()} == set()
    assert os.access(script, os.X_OK)
    run_there = {**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}", "PYTHONPATH": str(ROOT)}
    subprocess.run([script], cwd=tmp_path, env=run_there, check=True)
    copies = sorted((tmp_path / "ktviz-notebooks").iterdir())
    assert [path.name for path in copies] == [path.name for path in PATHS]
    assert START not in copies[1].read_text()


SOLVED = "def two():\n    # solution\n    return 2\n    # end of solution"


def code(name, source, *tags, count=None, outputs=()):
    metadata = {"tags": list(tags)} if tags else {}
    return {
        "cell_type": "code",
        "id": name,
        "metadata": metadata,
        "source": source,
        "execution_count": count,
        "outputs": list(outputs),
    }


EXERCISE_CELL, CHECK_CELL = code("two", SOLVED, EXERCISE), code("two-check", "two()", CHECK)
PRINTED = {"output_type": "stream", "name": "stdout", "text": "2"}


def lesson(path, *cells):
    path.write_text(as_text({"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}))
    return path


def test_a_lesson_that_keeps_to_the_rules_is_accepted(tmp_path):
    build.check(lesson(tmp_path / "good.ipynb", code("setup", "import ktviz"), EXERCISE_CELL, CHECK_CELL))


@pytest.mark.parametrize(
    ("cells", "fault"),
    [
        ([code("a", "1", outputs=[PRINTED])], "cell a was run"),
        ([code("a", "1", count=2), code("b", "2", count=1)], "cell a was run: .* cell b was run"),
        ([code("a", "1"), code("a", "2")], "2 cells have the id a"),
        ([EXERCISE_CELL], "exercise two has no checker"),
        ([EXERCISE_CELL, code("three", SOLVED, EXERCISE), CHECK_CELL], "exercise two has no checker"),
        ([CHECK_CELL], "checker two-check has no exercise"),
        ([EXERCISE_CELL, CHECK_CELL, code("again", "two()", CHECK)], "checker again has no exercise"),
        ([code("two", SOLVED)], "not tagged exercise: students would see it"),
        ([code("two", "def two():\n    return 2", EXERCISE), CHECK_CELL], "exercise two marks no solution"),
        ([code("two", f"{START}\nx = 2\n{END}", EXERCISE), CHECK_CELL], "outside a function"),
        ([code("two", SOLVED.rsplit("\n", 1)[0], EXERCISE), CHECK_CELL], "'# solution' without its partner"),
        ([code("two", SOLVED, "excercise")], "unknown tag excercise"),
    ],
)
def test_a_bad_lesson_is_refused_with_the_cell_and_the_reason(tmp_path, cells, fault):
    with pytest.raises(LessonError, match=fault):
        build.check(lesson(tmp_path / "bad.ipynb", *cells))


@pytest.mark.parametrize("text", ["no notebook", "[]", "{}", '{"nbformat": 4, "nbformat_minor": 4, "cells": []}'])
def test_a_file_that_is_no_lesson_is_named(tmp_path, text):
    (tmp_path / "bad.ipynb").write_text(text)
    with pytest.raises(LessonError, match=r"bad\.ipynb"):
        build.check(tmp_path / "bad.ipynb")


def test_marks_must_come_in_pairs():
    for source in (f"{END}\n", f"{START}\n{START}\n{END}", f"{START}\n{END}\n{END}"):
        with pytest.raises(LessonError, match="without its partner"):
            without_solution(source)


def test_building_makes_three_copies_and_no_page_that_asks_the_network(tmp_path):
    exercise, check = solved_exercise()
    exercise["metadata"] |= {"collapsed": True}
    build.build(lesson(tmp_path / "l.ipynb", exercise, check), tmp_path)
    student, instructor = (read_notebook(tmp_path / kind / "l.ipynb") for kind in ("student", "instructor"))
    assert "kept.append" not in as_text(student)
    assert "kept.append" in as_text(instructor)
    assert all(cell["metadata"] == {"tags": tags_of(cell)} for cell in (*student["cells"], *instructor["cells"]))
    assert instructor["cells"][1]["outputs"]
    assert [cell["id"] for cell in student["cells"]] == ["keep", "start", "keep-check"]
    assert [cell["id"] for cell in instructor["cells"]] == ["keep", "keep-check"]
    slides = (tmp_path / "slides" / "l.html").read_text()
    assert "kept.append" not in slides
    assert slides.count('<section class="slide">') == 1
    page = (tmp_path / "html" / "l.html").read_text()
    assert "<b>✓ Exercise, survivors</b>" in page
    assert 'src="http' not in page


def test_a_checker_that_refuses_its_own_solution_stops_the_build(tmp_path):
    exercise, check = solved_exercise()
    exercise["source"] = source_of(exercise).replace("return kept", "return kept[1:]")
    with pytest.raises(LessonError, match="keep-check refuses the solution"):
        build.build(lesson(tmp_path / "l.ipynb", exercise, check), tmp_path)


def solved_exercise():
    """The exercise of lesson 4 with its checker."""
    cells = {
        cell["id"]: cell for cell in read_notebook(next(path for path in PATHS if "library" in path.name))["cells"]
    }
    return deepcopy(cells["keep"]), deepcopy(cells["keep-check"])
