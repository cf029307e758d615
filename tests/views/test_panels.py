"""Panels: the same in Python and in the browser, and nothing else knows them by name."""

from __future__ import annotations

from pathlib import Path

import pytest

from ktviz.widgets import answers, page, protocol, scene
from ktviz.widgets.panels.registry import PANELS
from ktviz.widgets.protocol import REQUESTS, typescript

WEB = Path(__file__).parents[2] / "web" / "src"
NAMES = [panel.name for panel in PANELS]


def test_what_the_browser_may_say_is_what_python_says():
    found = protocol.GENERATED.read_text(encoding="utf-8")
    assert found == typescript(), "write it again: .venv/bin/python -m ktviz.widgets.protocol"


def test_every_request_has_one_that_answers_it():
    kinds = [*answers.ANSWERS, "translate"]
    assert sorted(kinds) == sorted(REQUESTS)
    own = [kind for panel in PANELS for kind in panel.answers]
    assert len(own) == len(set(own))


def test_panels_have_the_same_names_on_both_sides():
    python = {path.stem for path in Path(scene.__file__).parent.joinpath("panels").glob("*.py")}
    browser = {path.stem for path in (WEB / "panels").glob("*.ts")}
    assert python - {"__init__", "panel", "registry"} == browser - {"index"} == set(NAMES)


@pytest.mark.parametrize("module", [scene, answers, page], ids=lambda module: module.__name__)
def test_what_goes_through_the_registry_imports_no_panel(module):
    assert not {name for name in NAMES if getattr(module, name, None) in [*PANELS]}
    text = Path(module.__file__).read_text(encoding="utf-8")
    assert not [name for name in NAMES if f"panels.{name}" in text or f"panels import {name}" in text]


def test_the_browsers_core_imports_no_panel():
    for path in (WEB / "core").glob("*.ts"):
        assert "/panels" not in "".join(
            line for line in path.read_text(encoding="utf-8").splitlines() if line.startswith("import")
        ), path.name
