"""Arrows point down only: nothing imports a layer above its own."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parent.parent / "ktviz"
LAYERS = {
    "errors": 0,
    "files": 0,
    "memory": 0,
    "printing": 0,
    "tables": 0,
    "values": 1,
    "images": 1,
    "names": 1,
    "regions": 1,
    "model": 2,
    "library": 2,
    "training": 3,
    "trace": 3,
    "testing": 3,
    "samples": 3,
    "explain": 4,
    "lessons": 4,
    "figures": 5,
    "audit": 6,
    "widgets": 7,
    "cli": 8,
}
"""A module may import from layers of its own number and below. `model` and `library` need each other."""
DRAWING = {"matplotlib", "plotly", "ipywidgets", "anywidget"}
MODULES = sorted(path for path in PACKAGE.rglob("*.py") if path.parent != PACKAGE or path.stem in LAYERS)


def imports(path):
    """Modules imported when this one is: not those inside functions, nor those for type checkers only."""
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module or ""


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.relative_to(PACKAGE).as_posix())
def test_imports_point_down(path):
    layer = LAYERS[path.relative_to(PACKAGE).parts[0].removesuffix(".py")]
    for name in imports(path):
        parts = name.split(".")
        if parts[0] == "ktviz" and len(parts) > 1:
            assert LAYERS[parts[1]] <= layer, name
        allowed = path.parent.name == "figures" or (path.parent.name == "widgets" and parts[0] == "anywidget")
        assert parts[0] not in DRAWING or allowed, name


def test_the_library_knows_nothing_of_recording():
    for path in (PACKAGE / "library").glob("*.py"):
        assert "ktviz.trace" not in path.read_text(encoding="utf-8"), path.name
