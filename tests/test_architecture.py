"""Arrows point down only, without a circle, among modules and among packages."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator
from functools import cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

import ktviz
from ktviz.systems.registry import OURS

PACKAGE = Path(__file__).parent.parent / "ktviz"
LAYERS = (
    ("errors", "licences", "printing"),
    ("help",),
    ("files", "memory", "regions", "values"),
    ("folders", "images", "tables"),
    ("labels", "names"),
    ("networks",),
    ("engines",),
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


PLACES = {system: place.partition(":")[0].split(".")[2] for system, place in OURS.items()}
"""By system the package within ktviz.systems that is its own."""
ALIAS = re.compile(rf"(?<!\w)kt\.(?=(?:{'|'.join(ktviz.__all__)})\b|$)")
"""`kt.` before a public name, as after `import ktviz as kt`: it names no system."""


def words_of(system: str) -> re.Pattern[str]:
    """How a system is called: by its name, its package, its class, in capitals; not as a part of another word."""
    kind, package = OURS[system].partition(":")[2], PLACES[system]
    names = "|".join(sorted({system, package, kind, kind.lower()}))
    return re.compile(rf"(?<![A-Za-z0-9])(?:(?:{names})(?![a-z0-9])|{package.upper()}(?![A-Za-z0-9]))")


WORDS = {system: words_of(system) for system in OURS}


def texts(source: str) -> Iterator[str]:
    """Identifiers and literals of some Python, without comments and docstrings, which speak of systems in words."""
    tree = ast.parse(source)
    spoken = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if id(node) in spoken and isinstance(node, ast.Constant):
            continue
        for _, value in ast.iter_fields(node):
            yield from (text for text in (value if isinstance(value, list) else [value]) if isinstance(text, str))


def named_in(found: Iterable[str]) -> set[str]:
    """The systems that some texts name."""
    plain = [ALIAS.sub("", text) for text in found]
    return {system for system, words in WORDS.items() if any(words.search(text) for text in plain)}


ALL = {*OURS}
NAMED: dict[str, set[str]] = {
    "ktviz": ALL,  # the public names
    "ktviz.systems.registry": ALL,  # where each is
    "ktviz.cli.making.registry": ALL,  # how commands use each
    "ktviz.cli.making.options": ALL,  # which option is for whom
    "ktviz.cli.demos.registry": ALL,  # whose demo
    "ktviz.cli.train": ALL,  # whose recipe
    "ktviz.cli.train_maps": {"cocosnet", "pix2pixhd"},
    "ktviz.cli.train_domains": {"munit"},
    "ktviz.cli.train_bridge": {"bridge"},
    "ktviz.training.image_analogy": {"image-analogy", "kt"},  # whose recipe measures errors, too
    "ktviz.training.one_way": {"bridge"},
    "ktviz.training.perceptual": {"image-analogy"},  # its pyramid tells how alike pictures look
    "ktviz.training.polish": {"kt"},
    "ktviz.training.teacher": {"kt"},
    "ktviz.samples": {"kt", "munit", "pix2pixhd"},  # whose encoders make the banks
    "ktviz.testing.toy": {"kt"},  # a world for it
    "ktviz.library.kinds.patches.identity": {"kt"},  # Library.create without an encoder
    "ktviz.trace.schema1": {"kt"},  # the first schema knew no other
}
"""Where systems are named outside of their own packages, beside the modules that a system has of its own."""
OF_ONE = ("ktviz.cli.making", "ktviz.cli.demos", "ktviz.training")
"""Packages in which each system may have a module of its own, called as its package."""


def may_name(module: str) -> set[str]:
    """The systems that a module names, and has to."""
    package, _, last = module.rpartition(".")
    own = {system for system, place in PLACES.items() if package in OF_ONE and last == place}
    return NAMED.get(module, own)


OUTSIDE = [module for module in FILES if not module.startswith(tuple(f"ktviz.systems.{p}" for p in PLACES.values()))]


@pytest.mark.parametrize("module", OUTSIDE)
def test_no_module_outside_of_a_system_names_it_but_those_that_have_to(module):
    assert named_in(texts(FILES[module].read_text(encoding="utf-8"))) == may_name(module)


def test_places_where_systems_are_named_exist():
    assert {*NAMED} <= {*FILES}


@pytest.mark.parametrize(
    "path",
    [*sorted(PACKAGE.rglob("*.jinja")), *sorted((PACKAGE.parent / "web" / "src").rglob("*.ts"))],
    ids=lambda path: path.name,
)
def test_no_page_names_a_system(path):
    """Their classes of style begin with `kt-`."""
    assert named_in([path.read_text(encoding="utf-8")]) <= {"kt"}


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ('x = "munit"', {"munit"}),
        ("from ktviz.systems.bridge.system import Bridge", {"bridge"}),
        ("import ktviz.systems.image_analogy.system", {"image-analogy"}),
        ("def train_pix2pixhd(): ...", {"pix2pixhd"}),
        ("f(cocosnet=COCOSNET)", {"cocosnet"}),
        ("lambda translator: translator.code", {"kt"}),
        ('trace.column("kt.path")', {"kt"}),
        ('f"{name} of kt"', {"kt"}),
        ('"Give kt.Box(x, y)"', set()),
        ('f"Give a kt.{kind}"', set()),
        ('"""What munit does."""', set()),
        ('def f():\n    """As kt."""  # as bridge', set()),
        ('abridged, ktlib = "bridges.ktlib"', set()),
    ],
)
def test_what_names_a_system_is_found(source, found):
    assert named_in(texts(source)) == found


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
        allowed = (
            module.startswith("ktviz.figures")
            or (module.startswith("ktviz.widgets") and "widget" in name)
            or (module.startswith("ktviz.workbench.app") and "widget" in name)
        )
        assert late or not drawing or allowed, name
