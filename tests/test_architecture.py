"""Arrows point down only, without a circle, among modules and among packages."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parent.parent / "ktviz"
LAYERS = (
    ("errors", "licences", "printing"),
    ("files", "memory", "regions", "values"),
    ("folders", "images", "tables"),
    ("labels", "names"),
    ("networks",),
    ("retrieval",),
    ("library", "trace"),
    ("systems",),
    ("explain",),
    ("figures", "samples", "training"),
    ("audit",),
    ("testing", "widgets"),
    ("lessons", "workbench"),
    ("cli",),
)
"""A package imports packages of earlier rows; of its own row none."""
LAYER = {name: number for number, row in enumerate(LAYERS) for name in row}
DRAWING = {"matplotlib", "plotly", "ipywidgets", "anywidget"}
FILES = {
    ".".join(("ktviz", *path.relative_to(PACKAGE).with_suffix("").parts)).removesuffix(".__init__"): path
    for path in sorted(PACKAGE.rglob("*.py"))
}


def package_of(module: str) -> str:
    return module.split(".")[1]


@cache
def imports(module: str) -> tuple[tuple[str, bool], ...]:
    """What a module imports, and whether it does so late: within a function. What is only for type checkers is not."""
    return tuple(walk(ast.parse(FILES[module].read_text(encoding="utf-8")), late=False))


def walk(node: ast.AST, late: bool) -> Iterator[tuple[str, bool]]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Import):
            yield from ((alias.name, late) for alias in child.names)
        elif isinstance(child, ast.ImportFrom):
            for alias in child.names:
                name = f"{child.module}.{alias.name}"
                yield (name if name in FILES else child.module or ""), late
        elif not (isinstance(child, ast.If) and "TYPE_CHECKING" in ast.unparse(child.test)):
            yield from walk(child, late or isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda))


def arrows(*, late: bool) -> dict[str, set[str]]:
    """By module of ktviz, the other modules of ktviz that it imports, at once or late."""
    return {
        module: {name for name, when in imports(module) if name in FILES and when == late and name != module}
        for module in FILES
        if module not in ("ktviz", "ktviz.__main__")  # which stand above all others
    }


def circle(graph: dict[str, set[str]]) -> list[str]:
    """A circle, if there is one."""
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        return list(error.args[1])
    return []


def test_modules_import_each_other_without_a_circle():
    assert not circle(arrows(late=False))


def test_every_package_has_its_place():
    assert {package_of(module) for module in arrows(late=False)} == set(LAYER)


@pytest.mark.parametrize("module", sorted(arrows(late=False)))
def test_imports_point_down(module):
    mine = package_of(module)
    for name in arrows(late=False)[module] - {"ktviz"}:
        assert package_of(name) == mine or LAYER[package_of(name)] < LAYER[mine], name


ABOVE = ("explain", "figures", "audit", "workbench", "widgets")
"""What asks systems knows the protocol, and none of them by its class."""


@pytest.mark.parametrize("module", sorted(name for name in FILES if name.split(".")[1:2] and package_of(name) in ABOVE))
def test_what_asks_systems_imports_none_of_them(module):
    for name in arrows(late=False)[module] | arrows(late=True)[module]:
        own = ("kt", "image_analogy", "cocosnet", "pix2pixhd", "munit", "bridge")
        assert not name.startswith(tuple(f"ktviz.systems.{system}" for system in own)), name


def test_late_imports_are_known():
    """Short forms of a layer above (`plot`, `explore`, `regret`), which import it when they are called."""
    up = {
        f"{package_of(module)} → {package_of(name)}"
        for module, names in arrows(late=True).items()
        for name in names - {"ktviz"}
        if package_of(name) != package_of(module) and LAYER[package_of(name)] >= LAYER[package_of(module)]
    }
    assert up == LATE


LATE = {
    "explain → figures",  # result.plot(), and what a notebook shows of it
    "library → figures",  # what a notebook shows of a library and its banks
    "library → systems",  # Library.create without an encoder: the one that comes with the package
    "systems → figures",  # what a notebook shows of a translation
    "trace → explain",  # trace.regret() and trace.with_regret()
    "trace → figures",  # trace.plot(), and what a notebook shows of it
    "trace → widgets",  # trace.explore()
}


@pytest.mark.parametrize("module", sorted(FILES))
def test_only_figures_and_views_draw(module):
    for name, late in imports(module):
        drawing = name.split(".")[0] in DRAWING
        allowed = module.startswith("ktviz.figures") or (module.startswith("ktviz.widgets") and "anywidget" in name)
        assert late or not drawing or allowed, name
