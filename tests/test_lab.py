"""`ktviz lab`: copies of the lessons that respect a student's work, and JupyterLab in their folder."""

import json
import os
import signal
import subprocess
import sys
import time

import pytest

from ktviz.cli import lab
from ktviz.errors import LessonError, StorageError
from ktviz.lessons.copies import END, START, STUB, copy_lessons, lesson_paths

NAMES = [path.name for path in lesson_paths()]
FAKE = """
import json, os, sys, time
open("started.json", "w").write(json.dumps([os.getcwd(), *sys.argv[1:]]))
time.sleep(float(os.environ.get("FAKE_SLEEP", 0)))
sys.exit(int(os.environ.get("FAKE_CODE", 0)))
"""


@pytest.fixture
def jupyter(tmp_path):
    """An environment in which JupyterLab writes down how it was started, and ends."""
    package = tmp_path / "fake" / "jupyterlab"
    package.mkdir(parents=True)
    (package / "__init__.py").touch()
    (package / "__main__.py").write_text(FAKE)
    return {**os.environ, "PYTHONPATH": str(package.parent)}


def command(*arguments):
    return [sys.executable, "-c", "from ktviz.cli.main import main; main()", "lab", *arguments]


def test_the_lessons_are_copied_without_solutions_and_jupyterlab_runs_there(tmp_path, jupyter):
    done = subprocess.run(
        command("--no-browser", "--port", "9123"), cwd=tmp_path, env=jupyter, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    folder = tmp_path / "ktviz-notebooks"
    as_root = ["--allow-root"] if os.geteuid() == 0 else []
    started = json.loads((folder / "started.json").read_text())
    assert started == [str(folder), "--no-browser", "--port=9123", *as_root]
    assert sorted(path.name for path in folder.glob("*.ipynb")) == NAMES
    text = "".join(path.read_text() for path in folder.glob("*.ipynb"))
    assert START not in text
    assert END not in text
    assert text.count(json.dumps(STUB)[1:-1]) == 18
    assert "9 lessons copied" in done.stdout


def test_the_exit_code_is_jupyterlab_s(tmp_path, jupyter):
    done = subprocess.run(command("-q"), cwd=tmp_path, env={**jupyter, "FAKE_CODE": "3"}, capture_output=True)
    assert done.returncode == 3
    assert done.stdout == b""


def test_ctrl_c_is_left_to_jupyterlab(tmp_path, jupyter):
    process = subprocess.Popen(
        command("-q"), cwd=tmp_path, env={**jupyter, "FAKE_SLEEP": "1.5"}, stderr=subprocess.PIPE, text=True
    )
    deadline = time.monotonic() + 60
    while not (tmp_path / "ktviz-notebooks" / "started.json").exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)  # to ktviz alone: a terminal would send it to both
    _, stderr = process.communicate(timeout=60)
    assert process.returncode == 0, stderr
    assert "Interrupted" not in stderr


def test_what_a_student_changed_stays_and_is_named(tmp_path):
    assert copy_lessons(tmp_path) == (NAMES, [])
    mine = tmp_path / NAMES[1]
    mine.write_text(mine.read_text() + " ")
    (tmp_path / NAMES[2]).unlink()
    assert copy_lessons(tmp_path) == ([NAMES[2]], [NAMES[1]])
    assert mine.read_text().endswith(" ")


def test_without_jupyterlab_the_error_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setattr(lab, "find_spec", lambda name: None)
    with pytest.raises(LessonError, match=r"pip install 'ktviz\[notebooks\]'"):
        lab.lab(tmp_path / "new")
    assert not (tmp_path / "new").exists()


def test_a_file_in_the_way_is_named(tmp_path):
    (tmp_path / "lessons").write_text("not a folder")
    with pytest.raises(StorageError, match="lessons"):
        copy_lessons(tmp_path / "lessons")
