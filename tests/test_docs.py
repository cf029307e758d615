"""Pages that list what there is list all of it."""

import re
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest

import ktviz as kt
from ktviz import errors
from ktviz.help.pages import error_pages
from ktviz.systems.registry import OURS
from ktviz.testing import CHECKS
from ktviz.testing.tampering import TAMPERINGS
from ktviz.widgets.asking import RequestError

ROOT = Path(__file__).parents[1]
PACKAGES = sorted(path.parent.name for path in (ROOT / "ktviz").glob("*/__init__.py"))
SYSTEMS = sorted(path.parent.name for path in (ROOT / "ktviz" / "systems").glob("*/__init__.py"))
WITH_SITES = sorted(path.parent.name for path in (ROOT / "ktviz" / "systems").glob("*/sites.py"))


@pytest.mark.parametrize("page", ["README.md", "docs/architecture.md"])
def test_every_package_and_system_is_named(page):
    text = (ROOT / page).read_text(encoding="utf-8")
    if page == "README.md":
        text = text.split("## Where things are")[1].split("##")[0]
    assert [name for name in (*PACKAGES, *SYSTEMS) if name not in text] == []


@pytest.mark.parametrize("system", WITH_SITES)
def test_every_column_of_a_system_is_named(system):
    text = (ROOT / "docs" / "trace.md").read_text(encoding="utf-8")
    values = vars(import_module(f"ktviz.systems.{system}.sites")).values()
    columns = [one for value in values for one in (value if isinstance(value, tuple) else [value])]
    names = {column.name for column in columns if isinstance(column, kt.Extension)}
    assert names
    assert f"`{system}." in text
    assert [name for name in names if f"`{name}`" not in text and f"`{system}.{name}`" not in text] == []


@pytest.mark.parametrize(
    ("kind", "systems"),
    [("pictures", ("image-analogy", "cocosnet", "bridge")), ("codes", ("pix2pixhd", "munit"))],
)
def test_every_kind_of_bank_names_the_systems_that_use_it(kind, systems):
    rows = (ROOT / "docs" / "library-format.md").read_text(encoding="utf-8").splitlines()
    row = next(row for row in rows if row.startswith(f"| `{kind}` |"))
    assert all(f"`{system}`" in row for system in systems)


def test_every_check_of_a_system_is_named():
    text = (ROOT / "docs" / "systems.md").read_text(encoding="utf-8").split("## A system of your own")[1]
    rows = [line for line in text.splitlines() if line.startswith("| ")]
    assert [row.split(" | ")[0].removeprefix("| ") for row in rows[2:]] == [*CHECKS]
    assert len(TAMPERINGS) == 11  # as it says


def test_every_error_has_a_page_that_says_how_it_shows_where_it_is_from_and_what_to_do():
    known = {
        name for name, value in vars(errors).items() if isinstance(value, type) and issubclass(value, kt.KtvizError)
    }
    pages = error_pages()
    assert set(pages) == known
    for name, text in pages.items():
        assert re.findall(r"(?m)^\*\*([\w ]+)", text) == ["You see", "Cause", "What to do"], name


@pytest.mark.parametrize("name", sorted(error_pages()))
def test_every_error_names_its_page(name):
    error = getattr(errors, name)("asked", "found", "Do this")
    assert error.__notes__ == [f"More about it: ktviz error {name}"]
    assert str(error) == "asked: found. Do this."


def test_an_error_that_has_no_page_of_its_own_names_that_of_its_base():
    class FullError(errors.StorageError):
        """Of somebody else."""

    for kind, page in ((FullError, "StorageError"), (RequestError, "KtvizError")):
        assert kind("asked", "found", "Do this").__notes__ == [f"More about it: ktviz error {page}"]


def test_the_pages_of_systems_name_all_of_their_sites():
    for name in OURS:
        text = (ROOT / "docs" / "systems" / f"{name}.md").read_text(encoding="utf-8")
        assert "## Sites" in text
        assert f"_facts/{name}.md" in text
        assert "![" in text, name


def test_edge_maps_of_scenes_are_made_as_it_says(monkeypatch):
    monkeypatch.chdir(ROOT)
    code = (ROOT / "sample_data" / "README.md").read_text(encoding="utf-8").split("```python\n")[1].split("```")[0]
    made = {}
    exec(code, made)
    padded = np.pad(made["objects"], 1, mode="edge")
    around = (padded[1:-1, :-2], padded[1:-1, 2:], padded[:-2, 1:-1], padded[2:, 1:-1])
    assert np.array_equal(made["edge"], np.any([made["objects"] != other for other in around], axis=0))
    assert 0 < made["edge"].mean() < 1
