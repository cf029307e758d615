"""Every public name says what it is and shows how it is used, and examples in docstrings do what they say."""

import doctest
import inspect
import pathlib
import tempfile
from importlib import import_module

import pytest
import torch

import ktviz as kt
from ktviz import samples
from ktviz.testing import CellColours, CellMeans, ToyWorld, toy_photo

PACKAGE = pathlib.Path(__file__).parents[1] / "ktviz"
WITH_EXAMPLES = sorted(
    ".".join(("ktviz", *path.relative_to(PACKAGE).with_suffix("").parts)).removesuffix(".__init__")
    for path in PACKAGE.rglob("*.py")
    if ">>> " in path.read_text(encoding="utf-8")
)
PUBLIC = sorted(set(kt.__all__) - {"__version__"})


@pytest.fixture(scope="module")
def known(tmp_path_factory):
    """What examples may use without saying where it is from; the reference says so."""
    world, photo = ToyWorld(tmp_path_factory.mktemp("toy")), toy_photo()
    return {
        "kt": kt,
        "torch": torch,
        "pathlib": pathlib,
        "tempfile": tempfile,
        "samples": samples,
        "CellMeans": CellMeans,
        "CellColours": CellColours,
        "world": world,
        "bank": next(iter(world.library)),
        "photo": photo,
        "trace": world.translator.traced(photo),
    }


@pytest.mark.parametrize("module", WITH_EXAMPLES)
def test_examples_give_what_they_show(module, known):
    assert not doctest.testmod(import_module(module), extraglobs=known).failed


@pytest.mark.parametrize("name", PUBLIC)
def test_every_public_name_has_an_example(name):
    value = getattr(kt, name)
    described = value if inspect.isclass(value) or inspect.isfunction(value) else type(value)
    text = inspect.getdoc(described) or ""
    assert len(text.splitlines()[0]) > 10
    assert ">>> " in text


@pytest.mark.parametrize("name", [name for name in PUBLIC if inspect.isfunction(getattr(kt, name))])
def test_every_public_function_describes_its_arguments(name):
    function = getattr(kt, name)
    text = inspect.getdoc(function) or ""
    stated = [one for one in inspect.signature(function).parameters if one not in ("self", "_")]
    assert "Args:" in text or len(stated) <= 1 or all(f"`{one}`" in text for one in stated)
