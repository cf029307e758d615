"""What a person leaves out in a view: by creator, licence, bank, part or entry; and translations to go back to."""

from __future__ import annotations

import json

import numpy as np
import pytest

import ktviz as kt
from ktviz.images import decode_image
from ktviz.library.library import Library
from ktviz.systems.kt.translator import Translator
from ktviz.widgets.state import MOST_TRIED
from views.wire import HEIGHT, WIDTH, Wire, unpack

WHO = {"a": ("Ada", "CC0-1.0"), "b": ("Ben", "CC-BY-4.0"), "c": ("Ada", "CC-BY-4.0")}


@pytest.fixture(scope="module")
def credited(tmp_path_factory, pictures, toy, toy_decoder, settings):
    """A translator of two banks, one of them with credits."""
    root = tmp_path_factory.mktemp("credited")
    rows = [f"{name}.png,Picture {name},{who},1900,{licence}" for name, (who, licence) in WHO.items()]
    (root / "credits.csv").write_text("\n".join(["file,title,creator,year,licence", *rows]), encoding="utf-8")
    library = Library.ensure(root / "credited.ktlib", toy, settings)
    library.build("art/warm", [pictures / "warm"], credits=root / "credits.csv", encoder=toy, quiet=True)
    library.build("art/cool", [pictures / "cool"], encoder=toy, quiet=True)
    return Translator(library["art"], toy, toy_decoder)


@pytest.fixture(scope="module")
def trace(credited, paint):
    return credited.traced(paint(41, HEIGHT, WIDTH), align=0)


def names(trace):
    return trace.sources()["source"].tolist()


def told(view):
    return unpack(view._after)[0]["comparison"]


@pytest.mark.parametrize(
    ("by", "gone"),
    [
        (["creator", "Ada"], "ac"),
        (["creator", "Ben"], "b"),
        (["creator", "unknown"], "de"),
        (["licence", "CC-BY-4.0"], "bc"),
        (["licence", "CC0-1.0"], "a"),
        (["bank", "art/cool"], "de"),
    ],
    ids=str,
)
def test_all_that_has_a_creator_a_licence_or_a_bank_is_left_out(wire, trace, by, gone):
    wire.answer("translate", {"by": [by]})
    out = [name for name in names(trace) if name.split("/")[-1][0] in gone]
    assert len(out) == len(gone)
    assert np.array_equal(wire.view.shown.output, kt.without(trace, out).output)
    assert told(wire.view)["removed"] == sorted(names(trace).index(name) for name in out)
    assert told(wire.view)["change"]["by"] == [by]
    assert not {*wire.view.shown.column("source")} & {*out}


def test_a_part_of_a_source_is_left_out(wire, trace):
    source, x, y, width, height = body = [1, 8, 4, 20, 16]
    wire.answer("translate", {"parts": [body]})
    part = kt.SourceRegion(names(trace)[source], kt.Box(x, y, width, height))
    expected = kt.without(trace, part)
    assert np.array_equal(wire.view.shown.output, expected.output)
    assert not np.array_equal(expected.output, trace.output)
    assert (told(wire.view)["removed"], told(wire.view)["change"]["parts"]) == ([], [body])


def test_entries_are_left_out(wire, trace):
    entries = sorted({int(entry) for entry in trace.column("entry")[:40:8]})
    wire.answer("translate", {"entries": entries})
    assert np.array_equal(wire.view.shown.output, kt.without(trace, entries).output)
    assert not {*wire.view.shown.column("entry")} & {*entries}


def test_all_of_it_together_is_one_run(wire, trace):
    body = {"without": [0], "by": [["licence", "CC0-1.0"]], "parts": [[2, 0, 0, 16, 16]], "weights": [1, 1, 0, 0]}
    wire.answer("translate", body)
    part = kt.SourceRegion(names(trace)[2], kt.Box(0, 0, 16, 16))
    out = [name for name in names(trace) if name.endswith("/a.png") or name == names(trace)[0]]
    assert np.array_equal(wire.view.shown.output, kt.without(trace, [*out, part], band_weights=[1, 1, 0, 0]).output)
    again = json.loads(json.dumps(told(wire.view)["change"]))
    before = wire.view.shown
    wire.answer("translate", {})
    wire.answer("translate", again)  # what the view is told is what it may ask
    assert wire.view.shown is before


@pytest.mark.parametrize(
    "body",
    [
        *({"by": wrong} for wrong in ("Ada", {"creator": "Ada"}, [["creator"]], [["painter", "A"]], [["creator", 5]])),
        *({"by": [[field, "nobody"]]} for field in ("creator", "licence", "bank")),
        *(
            {"parts": wrong}
            for wrong in (5, [[0, 1, 2, 3]], [[9, 0, 0, 4, 4]], [["a", 0, 0, 4, 4]], [[0, 0, 0, 4, ""]])
        ),
        *({"parts": [[0, *box]]} for box in ([0, 0, 0, 0], [-4, 0, 8, 8], [0, 0, 1e9, 4], [float("nan"), 0, 4, 4])),
        {"parts": [[0, 0, 0, 4, 4]] * 65},
        *({"entries": wrong} for wrong in ([-1], ["a"], [10**6], [2**40], 7)),
        {"by": [["creator", "Ada"], ["creator", "Ben"], ["creator", "unknown"]]},
    ],
    ids=lambda body: str(body)[:50],
)
def test_what_cannot_be_left_out_is_refused_and_nothing_changes(wire, body):
    comparison, kept = wire.view.comparison, wire.view.comparisons
    wire.refusal("translate", body)
    assert (wire.view.comparison, wire.view.comparisons, wire.view.showing) == (comparison, kept, "before")


# To go back to


def test_translations_are_kept_and_shown_again_without_being_made_again(wire, trace, credited, monkeypatch):
    view = wire.view
    for without in ([0], [1]):
        wire.answer("translate", {"without": without})
    first, second = view.comparisons
    monkeypatch.setattr(type(credited), "forward", None)  # none is made
    wire.answer("translate", {"without": [0]})
    assert view.comparison is first
    assert view.comparisons == [first, second]
    wire.answer("translate", {})
    assert (view.showing, view._after, view.comparisons) == ("before", b"", [first, second])
    wire.answer("translate", {"without": [1]})
    assert view.comparison is second
    wire.answer("region", {"box": [0, 0, 8, 8]})


def test_the_browser_is_told_what_is_kept_with_small_pictures(wire, trace):
    view = wire.view
    for without in ([0], [2]):
        wire.answer("translate", {"without": without})
    values, parts = unpack(view._tried)
    assert [state["change"]["without"] for state in values["states"]] == [[0], [2]]
    assert [state["changed"] for state in values["states"]] == [found.changed_share for found in view.comparisons]
    assert values["states"][1]["digest"] == unpack(view._after)[0]["digest"]
    assert decode_image(parts["picture/0"].tobytes()).shape == trace.output.shape
    assert len(view._tried) < 20_000


def test_the_oldest_makes_room(wire, trace):
    for n in range(MOST_TRIED + 2):
        wire.answer("translate", {"weights": [1, 1, 1, n / 16 + 0.1]})
    kept = unpack(wire.view._tried)[0]["states"]
    assert [state["change"]["weights"][3] for state in kept] == [n / 16 + 0.1 for n in range(2, MOST_TRIED + 2)]
    wire.answer("translate", {"weights": [1, 1, 1, 0.1]})  # it is made again
    assert wire.view.shown.picture.about["settings"]["band_weights"][3] == 0.1


def test_a_closed_view_keeps_nothing(trace):
    view = kt.Explorer(trace)
    Wire(view).answer("translate", {"without": [0]})
    view.close()
    assert view.comparisons == []
