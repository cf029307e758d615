"""Bridging asked: made again, without parts, blended, attributed, audited, looked at."""

import shutil
from dataclasses import replace
from functools import partial

import numpy as np
import pytest
import torch

import ktviz as kt
from ktviz.audit.copies import Seen, copies
from ktviz.errors import KtvizError, MismatchError, RegionError, SettingError, TraceError, UnknownNameError
from ktviz.explain.case import case_of
from ktviz.explain.pieces import pieces
from ktviz.explain.source_pictures import source_picture
from ktviz.images import to_pixels
from ktviz.systems.bridge.trained import Networks
from ktviz.systems.registry import opened
from ktviz.testing.forging import change_cell, forge

from .conftest import HAS, NAMES, SHAPE, SIDE, WANT, near

BOX = kt.Box(8, 6, 16, 12)
CELLS = (SIDE // 2) ** 2


def whole(trace):
    return kt.Box(0, 0, trace.size[1], trace.size[0])


def zeroed(code, rows, columns):
    code = code.clone()
    code[:, :, rows, columns] = 0
    return code


# Made again


def test_the_same_run_again_and_with_other_settings(trace, system, picture, other):
    assert system.rerun(trace).digest == trace.digest
    stronger = system.rerun(trace, amount=3.0)
    assert stronger.picture.settings["difference"]["Hat"] == 3.0
    assert np.array_equal(stronger.output, system(picture, HAS, WANT, reference=other, amount=3.0).output)
    assert kt.compare(trace, stronger).about["differs"]
    labels = system.rerun(trace, mode="labels", row=2)  # what labels do not take is dropped
    assert np.array_equal(labels.output, system(picture, HAS, WANT, mode="labels", row=2).output)
    between = system.rerun(labels, mode="between", reference=other)
    assert between.picture.settings["row"] == 2
    assert system.rerun(between, alpha=0.9).picture.settings["alpha"] == 0.9
    less = system.rerun(trace, want=["Hat"])
    assert less.picture.settings["difference"] == {"Hat": 1.5}


def test_a_trace_opens_with_its_pictures_and_not_without(trace, system, tmp_path):
    trace.save(tmp_path / "t.parquet")
    found = kt.Trace.open(tmp_path / "t.parquet")
    again = opened(found, None, system)
    assert again.rerun(found).digest == trace.digest
    without = replace(found.picture, canvases={"input": found.picture.canvases["input"]})
    with pytest.raises(TraceError, match="saved without its reference"):
        again.rerun(kt.Trace(found.table, found.about, [without]))


def test_another_network_is_not_the_same(trace, make_networks):
    with pytest.raises(MismatchError, match="networks"):
        case_of(trace, model=kt.Bridge(networks=make_networks(1)))
    other = make_networks(0)
    other.exclusive = ()
    with pytest.raises(MismatchError, match="configuration"):
        case_of(trace, model=kt.Bridge(networks=other))


# Left out


def test_a_region_of_the_reference_adds_nothing(trace, by_hand, other):
    without = kt.without(trace, BOX)
    asked = zeroed(by_hand.code(other[0]), slice(3, 9), slice(4, 12))
    assert near(without.output, by_hand.painted(by_hand.own + asked))
    share = without.column("weight", winners=False)[without.column("source", winners=False) == "reference"]
    inside = np.zeros((SIDE // 2, SIDE // 2), bool)
    inside[3:9, 4:12] = True
    assert (share[inside.ravel()] == 0).all()
    assert (share[~inside.ravel()] > 0).any()
    assert without.picture.settings["without"] == [
        {"source": "reference", "box": {"x": 8, "y": 6, "width": 16, "height": 12}}
    ]
    both = kt.without(without, kt.SourceRegion("reference", kt.Box(0, 0, 8, 6)))
    assert near(both.output, by_hand.painted(by_hand.own + zeroed(asked, slice(0, 3), slice(0, 4))))


def test_whatever_touches_a_cell_leaves_it_out(trace):
    one = kt.without(trace, kt.Box(9, 7, 1, 1))
    assert one.output.tobytes() == kt.without(trace, kt.Box(8, 6, 2, 2)).output.tobytes()


def test_entries_are_cells_of_the_reference_or_of_the_source(trace, by_hand, other):
    asked = by_hand.code(other[0])
    without = kt.without(trace, [16 * 5 + 3, CELLS + 16 * 2 + 1])
    own = zeroed(by_hand.own, slice(2, 3), slice(1, 2))
    assert near(without.output, by_hand.painted(own + zeroed(asked, slice(5, 6), slice(3, 4))))


def test_the_whole_of_a_part_adds_nothing(trace, system, picture, other, by_hand):
    asked = by_hand.code(other[0])
    assert near(kt.without(trace, "reference").output, by_hand.painted(by_hand.own))
    assert near(kt.without(trace, "input").output, by_hand.painted(asked))
    labels = system.traced(picture, HAS, WANT, mode="between", row=1, alpha=0.5, reference=other)
    for what in ("labels with noise row 1", 2 * CELLS):
        without = kt.without(labels, what)
        assert near(without.output, by_hand.painted(by_hand.own + 0.5 * asked))
    nothing = kt.without(labels, ["labels with noise row 1", "reference"])
    assert near(nothing.output, by_hand.painted(by_hand.own))


def test_a_part_made_again_is_that_part_of_the_whole(trace, system, paint):
    part = system.exclude(trace, BOX)
    entries = trace.column("entry")[:9].tolist()
    assert np.array_equal(part(entries), kt.without(trace, entries).output[BOX.pixels])
    assert np.array_equal(part(), trace.output[BOX.pixels])
    assert np.array_equal(part((), amount=0.5), system.rerun(trace, amount=0.5).output[BOX.pixels])
    other = (paint(55, SIDE, SIDE), ["Blond", "Hat"])  # of the same name
    assert np.array_equal(part((), reference=other), system.rerun(trace, reference=other).output[BOX.pixels])


@pytest.mark.parametrize(
    ("what", "error", "said"),
    [
        ("other", UnknownNameError, "source 'other'"),
        (kt.Box(0, 0, 33, 32), RegionError, "not inside"),
        (kt.SourceRegion("other", kt.Box(0, 0, 4, 4)), UnknownNameError, "source 'other'"),
        (2 * CELLS, UnknownNameError, "made its code of reference, input"),
        (2 * CELLS + 1, UnknownNameError, "entry 513"),
        (-1, UnknownNameError, "entry -1"),
        (0.5, SettingError, "part 0.5"),
        ({"box": 3}, SettingError, "no part of a source"),
    ],
)
def test_what_cannot_be_left_out_is_refused(trace, what, error, said):
    with pytest.raises(error, match=said):
        kt.without(trace, what if not isinstance(what, dict) else [what])


# Blending


@pytest.mark.parametrize("given", [{}, {"mode": "between", "alpha": 0.3}, {"mode": "between", "spade": True}])
def test_a_blend_begins_at_the_sources_own_code_and_ends_at_the_output(system, picture, other, by_hand, given):
    trace = system.traced(picture, HAS, WANT, reference=other, **given)
    blend = system.blend(trace, whole(trace))
    assert np.array_equal(to_pixels(blend(torch.ones(CELLS))), trace.output)
    assert near(to_pixels(blend(torch.zeros(CELLS))), by_hand.painted(by_hand.own))
    part = system.blend(trace, BOX)
    assert torch.equal(part(torch.ones(CELLS)), blend(torch.ones(CELLS))[:, 6:18, 8:24])


def test_an_amount_scales_what_was_asked_for_in_its_cell(trace, system, other, by_hand):
    amount = torch.rand(CELLS, generator=torch.Generator().manual_seed(1))
    made = to_pixels(system.blend(trace, whole(trace))(amount))
    expected = by_hand.own + amount.view(16, 16) * by_hand.code(other[0])
    assert near(made, by_hand.painted(expected))


def test_a_blend_has_the_derivative_that_differences_show(trace, system):
    blend = system.blend(trace, BOX)
    amount = torch.full((CELLS,), 0.9, requires_grad=True)
    blend(amount).sum().backward()
    for cell in amount.grad.abs().topk(3).indices.tolist():
        step = torch.zeros(CELLS)
        step[cell] = 1e-2
        with torch.no_grad():
            change = (blend(0.9 + step) - blend(0.9 - step)).double().sum()
        assert float(change) / 2e-2 == pytest.approx(float(amount.grad[cell]), rel=0.1)


def test_the_footprint_is_the_energy_that_moved_codes_show(trace, system):
    mask = np.zeros(trace.size, bool)
    mask[BOX.pixels] = True
    share, live = system.footprint(trace, mask), system.live(trace)
    assert share.sum() == pytest.approx(1)
    inside, codes, shown = torch.from_numpy(mask), live.mixture.codes()[0], []
    before = live.passage.of_codes([codes], [1.0])[:, inside]
    for cell in range(0, CELLS, 5):
        change = 0.0
        for channel in range(codes.shape[1]):
            moved = codes.clone()
            moved[0, channel, cell // 16, cell % 16] += 1e-2
            change += float((live.passage.of_codes([moved], [1.0])[:, inside] - before).double().square().sum())
        shown.append(change)
    some = share[::5] / share[::5].sum()
    assert np.corrcoef(some, np.array(shown) / sum(shown))[0, 1] > 0.8
    assert system.reach(trace).startswith("the whole picture; half of what decides the middle is within")


# Questions from above


def test_every_method_answers_and_what_went_in_changed_nothing(trace):
    found = {}
    for through in ("overlap", "footprint", "gradient", "ablation", "datamodel"):
        found[through] = kt.attribute(trace, BOX, by="entry", through=through, most=4, runs=12, quiet=True)
        assert len(found[through]), through
    made_of = kt.attribute(trace, BOX).frame.set_index("source")["share"]
    assert 0 < made_of["input"] < 1
    assert made_of.sum() == pytest.approx(1, abs=1e-6)
    gradient = kt.attribute(trace, BOX, through="gradient")
    assert gradient.frame["source"].tolist() == ["reference", "input"]
    assert gradient.frame["share"].tolist() == pytest.approx([1, 0], abs=0.1)
    assert gradient.about["baseline"] == "the source's own code"
    assert kt.attribute(trace, BOX, through="ablation", quiet=True).frame["source"].tolist() == ["reference"]
    assert all(entry < CELLS for entry in found["ablation"].frame["entry"])
    assert found["ablation"].about["instead"] == "nothing: it adds 0 to the code"


def test_faithfulness_tests_them(trace):
    found = kt.faithfulness(kt.attribute(trace, BOX, by="entry"), subsets=6, seeds=range(3), quiet=True)
    assert {"overlap", "footprint", "gradient", "random"} <= set(found.frame["method"])
    assert found.frame["lds_pixels"].notna().all()


def test_both_ends_of_retrievals_are_shown(trace, system, picture, other):
    found = kt.backtrack(trace, BOX)
    assert len(found) == 8 * 6
    for name, (here, there) in zip(found.frame["source"], found.patches, strict=True):
        assert here.shape == there.shape == (24, 24, 3)
        assert np.array_equal(here, there) == (name == "input")
    assert np.array_equal(source_picture(trace, "reference"), other[0])
    assert np.array_equal(source_picture(trace, "input"), picture)
    labels = system.traced(picture, HAS, WANT, mode="labels")
    assert len(kt.backtrack(labels, BOX).patches) == 48


def test_views_and_figures_take_its_traces(trace, tmp_path):
    with kt.Explorer(trace) as view:
        assert view.site == "code"
    view.to_html(tmp_path / "page.html")
    assert (tmp_path / "page.html").stat().st_size > 10_000
    assert trace._repr_html_()
    assert trace.plot() is not None


def test_what_went_in_is_no_work_in_an_audit(trace, system, picture):
    for source in pieces(trace)["source"]:
        assert source == "reference"
    assert system.searched(trace) == ["reference"]
    labels = system.traced(picture, HAS, WANT, mode="labels", row=0)
    assert system.searched(labels) == ["labels with noise row 0"]
    assert pieces(labels).empty


def test_a_reference_called_input_is_a_work_and_the_picture_that_goes_in_is_none(
    trace, system, picture, other, save, tmp_path
):
    save(tmp_path / "input.png", other[0])
    (tmp_path / "input.png").rename(tmp_path / "input")
    named = system.traced(picture, HAS, WANT, reference=(tmp_path / "input", other[1]))
    assert sorted(source["source"] for source in named.about["sources"]) == ["input/input", "reference/input"]
    assert copies(case_of(named, model=system)).empty
    assert set(pieces(named)["source"]) <= {"reference/input"}
    assert kt.Audit.create(named).title == "reference"
    found, known = kt.origins(named, 8), kt.origins(trace, 8)
    assert found.sources == (named.about["sources"][0]["sha256"],)
    assert np.allclose(found.part.toarray(), known.part.toarray())
    for through in ("overlap", "gradient"):
        shares, others = (kt.attribute(one, BOX, through=through).frame for one in (named, trace))
        share, other_share = (frame.set_index("source")["share"] for frame in (shares, others))
        assert share["reference/input"] == pytest.approx(other_share["reference"])
    assert np.array_equal(system.source_picture(named, "reference/input"), other[0])


@pytest.mark.parametrize("name", ["input", "labels with noise row 1"])
def test_a_reference_called_like_another_part_is_left_out_without_that(
    trace, system, picture, other, save, tmp_path, name
):
    save(tmp_path / "face.png", other[0])
    (tmp_path / "face.png").rename(tmp_path / name)
    given = tmp_path / name, other[1]
    between = {"mode": "between", "row": 1, "alpha": 0.5}
    named, plain = (system.traced(picture, HAS, WANT, reference=one, **between) for one in (given, other))
    told = [source["source"] for source in named.about["sources"]]
    labels, region = "labels with noise row 1", kt.Box(4, 6, 9, 8)
    for part, same in (
        (f"reference/{name}", "reference"),
        (kt.SourceRegion(f"reference/{name}", region), kt.SourceRegion("reference", region)),
        (region, region),
        (5, 5),
        ("reference", "reference"),
        ("input", "input"),
        (next(one for one in told if one.startswith("input")), "input"),
        (kt.SourceRegion("input", region), kt.SourceRegion("input", region)),
        (next(one for one in told if one.endswith(labels)) if name == "input" else f"labels/{labels}", labels),
    ):
        assert np.array_equal(kt.without(named, part).output, kt.without(plain, same).output), part
    again = kt.without(kt.without(named, f"reference/{name}"), "input")
    assert np.array_equal(again.output, kt.without(plain, ["reference", "input"]).output)
    assert system.searched(named) == [one for one in told if not one.startswith("input")]
    by_part = kt.attribute(named, BOX, by="part", through="ablation", quiet=True, most=2)
    assert len(by_part)


@pytest.fixture(scope="module")
def audited(trace, system, tmp_path_factory):
    """An audit in which a person asked something."""
    folder = tmp_path_factory.mktemp("audits") / "audit"
    kt.Audit.create(
        trace,
        attributions=[kt.attribute(trace, BOX, through="gradient"), kt.attribute(trace, BOX, through="footprint")],
        comparisons=[kt.compare(trace, kt.without(trace, BOX))],
    ).save(folder)
    return folder


def test_an_audit_is_verified(audited, system):
    verdict = kt.verify(audited, model=system)
    assert verdict, verdict.difference
    assert "identical" in " ".join(verdict.checks)
    assert kt.Audit.open(audited).tables["copies"].empty


def test_what_a_run_need_not_show_is_named_as_stated(audited, system, tmp_path):
    folder = shutil.copytree(audited, tmp_path / "audit")
    want = [*map(list, WANT.items()), ["Smile", False]]
    said = {"has": ["Dark"], "want": want, "reference_has": ["Blond", "Hat"], "seed": 7}
    forge(folder, system, partial(with_settings, said))
    verdict = kt.verify(folder, model=system)
    assert verdict, "if this is found out, it is no longer only stated"
    stated = "has none; want no Smile; reference_has Blond, Hat; seed 7"
    assert any(stated in check for check in verdict.checks if check.startswith("what is only stated"))
    assert f"{stated}: the picture need not show it" in (folder / "report.html").read_text()


@pytest.mark.parametrize(
    "said",
    [
        {"has": ["Smile"]},
        {"has": ["Dark", "Hat"]},
        {"want": [["Blond", True]]},
        {"want": [["Blond", True], ["Hat", True], ["Smile", True]], "reference_has": ["Blond", "Hat"]},
        {"reference_has": ["Blond"]},
        {"reference_has": None},
    ],
)
def test_attributes_that_a_run_shows_are_checked(audited, system, tmp_path, said):
    folder = shutil.copytree(audited, tmp_path / "audit")
    forge(folder, system, partial(with_settings, said))
    assert not kt.verify(folder, model=system)


def with_settings(said, evidence):
    """Evidence of a run that says something else of how it was made."""
    settings = {**evidence.trace.picture.settings, **said}
    return replace(evidence, recording=evidence.recording.with_settings(settings), attributions=(), compared=())


@pytest.mark.parametrize(
    "column", ["weight", "entry", "source", "bridge.norm", "bridge.row", "source_box", "left_over"]
)
@pytest.mark.parametrize("chosen", [True, False])
def test_a_cell_that_was_changed_is_found(audited, system, tmp_path, column, chosen):
    folder = shutil.copytree(audited, tmp_path / "audit")
    forge(folder, system, lambda evidence: change_cell(evidence, column, chosen))
    assert not kt.verify(folder, model=system)


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("has", ["Smile"]),
        ("amount", 1.25),
        ("difference", {"Hat": 1.5}),
        ("reference_has", ["Hat"]),
        ("mode", "labels"),
        ("without", ["input"]),
    ],
)
def test_a_setting_that_was_changed_is_found(trace, system, tmp_path, setting, value):
    folder = tmp_path / "audit"
    kt.Audit.create(trace).save(folder)

    forge(folder, system, partial(with_settings, {setting: value}))
    verdict = kt.verify(folder, model=system)
    assert any(part in verdict.difference for part in ("measures", "settings", "the reference reference", "banks")), (
        verdict
    )


@pytest.mark.parametrize(
    ("setting", "value"), [("want", 5), ("want", [["Hat"]]), ("want", [["Hat", 1], ["Hat", 0]]), ("without", 3)]
)
def test_a_setting_that_is_none_is_refused_in_words(trace, system, setting, value):
    with pytest.raises(KtvizError):
        system.rerun(trace.with_settings({**trace.picture.settings, setting: value}))


def test_what_went_in_is_no_copy_of_itself(paint):
    networks = Networks(replace(SHAPE, side=128), NAMES)
    system = kt.Bridge(networks=networks)
    trace = system.traced(paint(1, 128, 128), HAS, WANT, reference=(paint(2, 128, 128), ["Blond", "Hat"]))
    assert trace.sources().set_index("source")["share"]["input"] > 0
    assert "input" not in set(copies(case_of(trace))["source"])
    assert len(Seen.create(trace.input).points) > 20  # it could be found


def test_what_was_worked_out_without_gradients_can_be_asked_for_them(make_networks, picture, other):
    system = kt.Bridge(networks=make_networks(0))
    with torch.inference_mode():
        trace = system.traced(picture, HAS, WANT, reference=other)
        without = kt.without(trace, BOX)
    assert kt.attribute(trace, BOX, through="gradient").frame["share"].iloc[0] > 0.5
    assert kt.attribute(without, kt.Box(0, 0, 32, 32), through="gradient").about["change"] > 0


@pytest.mark.parametrize("kind", [torch.float64, torch.bfloat16])
def test_networks_in_another_precision_are_asked_alike(make_networks, picture, other, kind):
    system = kt.Bridge(networks=make_networks(0).to(kind))
    trace = system.traced(picture, HAS, WANT, mode="between", row=1, reference=other)
    assert system.rerun(trace).digest == trace.digest
    assert kt.attribute(trace, BOX, through="footprint").frame["share"].sum() == pytest.approx(1, abs=1e-3)
    with torch.autocast("cpu", torch.bfloat16):
        assert system.traced(picture, HAS, WANT, mode="between", row=1, reference=other).digest == trace.digest
