"""Panels: the same in Python and in the browser, and nothing else knows them by name."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
import torch
from torch import nn

import ktviz as kt
from ktviz.retrieval.extension import Extension
from ktviz.systems.kt.translator import Translator
from ktviz.widgets import answers, band_sheets, page, protocol, scene
from ktviz.widgets.panels import sources, tree
from ktviz.widgets.panels.registry import PANELS
from ktviz.widgets.protocol import REQUESTS, typescript
from ktviz.widgets.room import Room
from ktviz.widgets.subject import Subject
from views.wire import unpack

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


# What appears


def appearing(trace):
    with kt.Explorer(trace) as view:
        values, parts = unpack(view._scene)
    return {panel["name"] for panel in values["panels"] if panel["appears"]}, values["can"], parts


def lookup(*extensions, **values):
    """A trace of a system of another name, whose site declares some columns."""
    model = nn.Sequential(nn.Identity())
    matches = kt.Matches.hard(torch.zeros(4, dtype=torch.int64), torch.linspace(0.1, 0.9, 4), **values)
    site = kt.adapt(
        model[0],
        lambda *_: matches,
        queries=kt.Queries.grid(2, 2, step_px=8),
        catalogue=kt.Catalogue.wholes(["a.png"]),
        prefix="mine",
        extensions=extensions,
    )
    with kt.record(model, site) as trace:
        model(torch.zeros(1, 3, 16, 16))
    return trace


def test_a_trace_without_tree_and_bands_has_no_panels_for_them():
    names, can, _ = appearing(lookup())
    assert names == {"translation", "sources", "table"}
    assert not any(can.values())


def test_the_tree_appears_where_a_site_declares_ways_whatever_the_system_is_called():
    ways = Extension("path", pa.list_(pa.int32()), "nodes", "winner")
    names, can, parts = appearing(lookup(ways, path=torch.tensor([[1, 4], [2, -1], [1, 5], [3, -1]])))
    assert names == {"translation", "sources", "tree", "table"}
    assert not can["tree"]  # ways are known, but there is no tree to ask
    assert parts["path"].tolist() == [[1, 4], [2, -1], [1, 5], [3, -1]]


@pytest.mark.parametrize(("ability", "what"), [("tree", "tree"), ("bands", "decode"), ("exclude", "exclude")])
def test_what_a_system_cannot_do_is_not_offered_until_it_can(trace, monkeypatch, ability, what):
    assert appearing(trace)[1][what]
    monkeypatch.setattr(Translator, "abilities", Translator.abilities - {ability})
    assert not appearing(trace)[1][what]


def test_a_tree_that_can_be_asked_appears_where_the_trace_tells_of_no_ways(trace, monkeypatch):
    (panel,) = (panel for panel in PANELS if panel.name == "tree")
    columns = [name for name in trace.table.column_names if not name.startswith("kt.path")]
    bare = Subject.create(trace)
    sites = [{**s, "extensions": [e for e in s["extensions"] if e["name"] in columns]} for s in trace.about["sites"]]
    other = type(trace)(trace.table.select(columns), {**trace.about, "sites": sites}, trace.pictures)
    asked = bare.counterfactual(other)
    assert panel.appears(asked)
    monkeypatch.setattr(Translator, "abilities", Translator.abilities - {"tree"})
    assert not panel.appears(asked)


def test_no_panel_tests_the_name_of_a_system():
    folder = Path(scene.__file__).parent
    text = "".join(path.read_text(encoding="utf-8") for path in [*folder.rglob("*.py"), *WEB.rglob("*.ts")])
    named = [f"{quote}{name}" for name in ("kt.", "image_analogy", "image-analogy") for quote in "'\""]
    assert not [name for name in named if name in text]
    assert "systems.kt" not in text


@pytest.mark.parametrize("sheets", [0.4, 1.3, 2.7, 100])
def test_of_bands_no_more_is_decoded_than_a_page_has_room_for(trace, monkeypatch, sheets):
    monkeypatch.setattr(band_sheets, "SHEET", 32)
    subject, decoded = Subject.create(trace), []
    case, rows = subject.live(), band_sheets.wanted(subject)
    whole = band_sheets.decoded_sheets(case, rows, 10**9)
    count, size = len(whole["decoded_query"]), len(whole["decoded/0"])
    make = band_sheets.band_pictures
    monkeypatch.setattr(band_sheets, "band_pictures", lambda case, rows: decoded.append(len(rows)) or make(case, rows))
    found = band_sheets.decoded_sheets(case, rows, int(sheets * size))
    parts = [part for name, part in found.items() if name.startswith("decoded/")]
    assert sum(map(len, parts)) <= sheets * size
    kept = len(found["decoded_query"])
    assert np.array_equal(found["decoded_query"], whole["decoded_query"][:kept])
    assert np.array_equal(found["decoded_entry"], whole["decoded_entry"][:kept])
    assert decoded[: len(parts) - 1] == [32] * (len(parts) - 1)
    if sheets == 100:
        assert kept == count == sum(decoded)
    if 1 < sheets < 100:  # what is left of the room is used, too
        assert 32 * int(sheets) < kept <= 32 * sheets * 1.1
        assert sum(decoded) == kept
    for number in range(len(parts) - 1):
        assert parts[number] == whole[f"decoded/{number}"]


def test_sites_of_a_trace_encode_pictures_of_their_sources_and_trees_once(world, photo, monkeypatch):
    trace, encoded, described = world.translator.traced(photo), [], []
    first, second = (Subject.create(trace, site=site) for site in trace.sites)
    encode, rows = sources.encode_image, tree.exemplar_rows
    monkeypatch.setattr(sources, "encode_image", lambda *given: encoded.append(given) or encode(*given))
    monkeypatch.setattr(tree, "exemplar_rows", lambda *given: described.append(given) or rows(*given))
    one = [sources.in_page(first, Room(10**9)), tree.in_page(first, Room(10**9))]
    known = Room(10**9, {**one[0], **one[1]})
    other = [sources.in_page(second, known), tree.in_page(second, known)]
    assert len(encoded) == len({*one[0], *other[0]})
    assert len(described) == len(first.trees)
    for name in one[0].keys() & other[0].keys():
        assert one[0][name] == other[0][name]
    for name in (name for name in one[1] if name.startswith("tree/")):
        assert np.array_equal(one[1][name], other[1][name]), name
