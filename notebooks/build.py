"""Build the course: students' copies, instructors' copies with their outputs, pages that need no kernel, slides for the
projector, and assignments of nbgrader and otter-grader.

    python notebooks/build.py        # all lessons, into notebooks/built/
    python notebooks/build.py 02     # those whose names begin like this

Sources carry no outputs. In a cell tagged `exercise`, the lines from `# solution` to `# end of solution` are the
solution; a cell tagged `check` follows, in which a checker says what is wrong. What does not keep to that is refused.
"""

from __future__ import annotations

import os
import secrets
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import nbformat
from jinja2 import DictLoader
from nbclient import NotebookClient
from nbconvert import HTMLExporter

from ktviz import samples
from ktviz.errors import LessonError
from ktviz.lessons.copies import (
    CHECK,
    END,
    EXERCISE,
    START,
    STUB,
    Cell,
    Notebook,
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
from ktviz.lessons.grading import NBGRADER_CONFIG, nbgrader_source, otter_source

BUILT = Path(__file__).resolve().parent / "built"
CELL_TIMEOUT_S = 300
REMEDY = "Mend it; `jupyter nbconvert --clear-output --inplace FILE` takes outputs away"
OFFLINE = """
{%- extends 'index.html.j2' -%}
{% block html_head_js %}{% endblock %}
{% block html_head_js_mathjax %}{% endblock %}
{% block html_head_js_mermaidjs %}{% endblock %}
{% block html_head_css %}<style>main { max-width: 1200px; margin: 0 auto }</style>{% endblock %}
"""
"""Jupyter's page without the scripts that it fetches from elsewhere."""
SLIDES = """
{%- extends 'offline.html.j2' -%}
{% block html_head_css %}{{ super() }}<style>
html { scroll-snap-type: y proximity }
main { max-width: none }
.slide { box-sizing: border-box; min-height: 100vh; scroll-snap-align: start; padding: 3vh 6vw; font-size: 135% }
.slide + .slide { border-top: 1px solid #ddd }
.slide .jp-InputPrompt, .slide .jp-OutputPrompt { display: none }
</style><script>
addEventListener("keydown", (event) => {
  const step = { ArrowRight: 1, PageDown: 1, ArrowLeft: -1, PageUp: -1 }[event.key];
  if (!step || event.target.closest("input, select, textarea")) return;
  const slides = [...document.querySelectorAll(".slide")];
  const here = slides.findLastIndex((one) => one.getBoundingClientRect().top < 20);
  slides[Math.min(slides.length - 1, Math.max(0, here + step))].scrollIntoView();
  event.preventDefault();
});
</script>{% endblock %}
{% block body_loop %}<section class="slide">{{ super() }}</section>{% endblock %}
{% block any_cell %}
{%- if cell.metadata.get("slide") -%}</section><section class="slide">{%- endif -%}
{{ super() }}
{% endblock %}
"""
"""A slide for each heading; arrow keys go through them."""
INSTALLING = """# Where ktviz is missing, as on Colab, this installs it; where it is there, nothing happens.
import sys
from importlib.util import find_spec

if find_spec("ktviz") is None:
    %pip install --quiet ktviz
if "google.colab" in sys.modules:
    from google.colab import output

    output.enable_custom_widget_manager()  # live views"""
"""What a student's copy starts with, below its title. What runs it is Jupyter already, so only ktviz is asked for."""


def main() -> None:
    wanted = [path for path in lesson_paths() if not sys.argv[1:] or path.name.startswith(tuple(sys.argv[1:]))]
    for path in wanted:
        check(path)
    samples.library()  # so that no lesson shows how it is built
    for path in wanted:
        build(path, BUILT)
        print(f"built {path.stem}")


def build(path: Path, folder: Path) -> None:
    """Make the copies and the page of one lesson.

    Raises:
        LessonError: A checker does not accept the lesson's own solution.
    """
    source = read_notebook(path)
    write(folder / "student" / path.name, as_text(with_start(student_copy(source))))
    if any(EXERCISE in tags_of(cell) for cell in source["cells"]):
        write_assignments(path, source, folder)
    executed = execute(source, {"KTVIZ_DISPLAY": "page"})
    refused = [cell["id"] for cell in executed["cells"] if CHECK in tags_of(cell) and not is_right(cell)]
    if refused:
        raise LessonError(f"lesson {path.name}", f"{', '.join(refused)} refuses the solution", "Mend one of them")
    write(folder / "instructor" / path.name, as_text(executed))
    write(folder / "html" / f"{path.stem}.html", as_page(executed, title=path.stem))
    write(folder / "slides" / f"{path.stem}.html", as_slides(executed, title=path.stem))


def with_start(student: Notebook) -> Notebook:
    """A student's copy that installs ktviz where it is missing, before anything needs it."""
    cell = {"cell_type": "code", "id": "start", "metadata": {"tags": []}, "source": INSTALLING}
    title, *rest = student["cells"]
    return {**student, "cells": [title, {**cell, "execution_count": None, "outputs": []}, *rest]}


def write_assignments(path: Path, source: Notebook, folder: Path) -> None:
    """The lesson as an assignment of nbgrader and of otter-grader, with inputs that nobody has seen before."""
    course, seed = folder / "nbgrader", secrets.randbelow(10**6)
    write(course / "nbgrader_config.py", NBGRADER_CONFIG)
    write(course / "source" / path.stem / path.name, as_text(nbgrader_source(source, seed)))
    write(folder / "otter" / path.name, as_text(otter_source(source, path.stem, seed)))


def check(path: Path) -> None:
    """Refuse a source that does not keep to the rules.

    Raises:
        LessonError: With everything that is wrong.
    """
    found = list(faults(read_notebook(path)))
    if found:
        raise LessonError(f"lesson {path.name}", "; ".join(found), REMEDY)


def faults(notebook: Notebook) -> Iterator[str]:
    """What is wrong with a source."""
    cells: list[Cell] = notebook["cells"]
    counts = Counter(cell["id"] for cell in cells)
    yield from (f"{count} cells have the id {name}" for name, count in counts.items() if count > 1)
    for cell in cells:
        yield from cell_faults(cell)
    # Every exercise is followed by its checker, whatever lies between them.
    order = [(tag, cell["id"]) for cell in cells for tag in tags_of(cell) if tag in (EXERCISE, CHECK)]
    for number, (tag, name) in enumerate(order):
        if tag == EXERCISE and [following for following, _ in order[number + 1 : number + 2]] != [CHECK]:
            yield f"exercise {name} has no checker"
        if tag == CHECK and (number == 0 or order[number - 1][0] == CHECK):
            yield f"checker {name} has no exercise"


def cell_faults(cell: Cell) -> Iterator[str]:
    name, source = cell["id"], source_of(cell)
    if cell.get("outputs") or cell.get("execution_count") is not None:
        yield f"cell {name} was run: its outputs are in the file"
    yield from (f"cell {name} has the unknown tag {tag}" for tag in tags_of(cell) if tag not in (EXERCISE, CHECK))
    marks = [line.strip() for line in source.splitlines() if line.strip() in (START, END)]
    if EXERCISE not in tags_of(cell):
        if marks:
            yield f"cell {name} marks a solution, but is not tagged {EXERCISE}: students would see it"
        return
    if not marks:
        yield f"exercise {name} marks no solution"
    try:
        student = without_solution(source)
    except LessonError as error:
        yield f"exercise {name}: {error.found}"
        return
    if any(line.startswith(STUB) for line in student.splitlines()):
        yield f"exercise {name} is outside a function: an unsolved one would stop the notebook"


def execute(notebook: Notebook, environment: dict[str, str] | None = None) -> Notebook:
    """Run a notebook from top to bottom on a fresh kernel: cleaned, with outputs.

    Raises:
        nbclient.exceptions.CellExecutionError: A cell failed.
    """
    node = nbformat.from_dict(cleaned(notebook))
    client = NotebookClient(node, timeout=CELL_TIMEOUT_S, kernel_name="python3", record_timing=False)
    client.execute(env={**os.environ, **(environment or {})})
    return {**node, "metadata": cleaned(notebook)["metadata"]}


def is_right(cell: Cell) -> bool:
    """Whether a checker that was run accepts what it was given."""
    texts = [output.get("data", {}).get("text/plain", "") for output in cell["outputs"]]
    return any(text.startswith(MARKS["right"]) for text in texts)


def as_slides(notebook: Notebook, title: str) -> str:
    """A notebook that was run as slides for the projector: exercises as students see them, with what they lead to."""
    cells = []
    for number, cell in enumerate(notebook["cells"]):
        begins = number > 0 and cell["cell_type"] == "markdown" and source_of(cell).startswith("#")
        source = without_solution(source_of(cell)) if EXERCISE in tags_of(cell) else source_of(cell)
        cells.append({**cell, "source": source, "metadata": {**cell["metadata"], "slide": begins}})
    return as_page({**notebook, "cells": cells}, title, "slides.html.j2")


def as_page(notebook: Notebook, title: str, template: str = "offline.html.j2") -> str:
    """A notebook that was run as one HTML file that asks nothing of the network."""
    templates = DictLoader({"offline.html.j2": OFFLINE, "slides.html.j2": SLIDES})
    exporter = HTMLExporter(extra_loaders=[templates], template_file=template)
    page: str = exporter.from_notebook_node(nbformat.from_dict(notebook), {"metadata": {"name": title}})[0]
    return page


def write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    try:
        main()
    except LessonError as error:
        sys.exit(str(error))
