"""CoCosNet as a system: what it records follows from what it did, and can be asked, left out, blended and audited."""

import copy
from dataclasses import replace

import numpy as np
import pytest
import torch
from matplotlib.text import Text

import ktviz as kt
from ktviz.errors import (
    AbilityError,
    MismatchError,
    RegionError,
    SettingError,
    TraceError,
    UnknownNameError,
    UnknownSettingError,
)
from ktviz.explain.case import case_of
from ktviz.figures.maps import painted_values, similarity_map
from ktviz.images import to_pixels
from ktviz.labels import Classes
from ktviz.systems.cocosnet.system import CoCosNet
from ktviz.systems.protocol import System
from ktviz.systems.registry import check_class, opened

BOX = kt.Box(8, 8, 16, 12)


def whole(trace):
    return kt.Box(0, 0, trace.size[1], trace.size[0])


def test_it_keeps_the_protocol(system):
    check_class(CoCosNet, "cocosnet", "here")
    assert isinstance(system, System)


# What is recorded


def test_recording_changes_no_bit_and_a_result_has_its_trace(system, labels):
    plain = system(labels)
    with kt.record(system) as trace:
        made = system(labels)
    assert np.array_equal(plain.output, made.output)
    assert plain.trace is None
    assert made.trace.digest == trace.digest
    assert kt.attribute(made, BOX).frame.equals(kt.attribute(trace, BOX).frame)


def test_a_soft_site_with_what_a_recorder_must_log(system, trace, labels, exemplar):
    made, about = system(labels), trace.site_about
    assert (about["kind"], about["canvas"], about["output"], about["scale_px"]) == ("soft", "input", "output", 4.0)
    assert trace.picture.settings == {"temperature": 0.01, "exemplar": None, "top": 8, "without": []}
    assert [*trace.picture.about["canvases"]] == ["input", "reference:0", "reference:labels", "output", "output:warped"]
    assert np.array_equal(trace.column("entropy"), made.mixture.entropy.numpy())
    assert np.array_equal(trace.column("entry", winners=False).reshape(-1, 8), made.mixture.entry.numpy())
    assert np.array_equal(trace.column("weight", winners=False).reshape(-1, 8), made.mixture.weight.numpy())
    assert np.allclose(trace.column("left_over"), made.mixture.left_over, atol=1e-6)
    similarity = trace.column("similarity", winners=False).reshape(-1, 8)
    assert np.allclose(trace.column("margin"), similarity[:, 0] - similarity[:, 1])
    assert np.array_equal(trace.column("target_class"), labels[::4, ::4].ravel())
    y, x = np.divmod(trace.column("entry", winners=False), 13)
    assert np.array_equal(trace.column("entry_class", winners=False), exemplar[1][4 * y, 4 * x])


def test_the_warp_follows_from_what_was_recorded_up_to_what_is_left_over(trace, system, labels, exemplar):
    passage = case_of(trace).system.live(trace).passage
    columns = (trace.column(name, winners=False).copy() for name in ("query", "entry", "weight"))
    query, entry, weight = map(torch.from_numpy, columns)
    again = torch.zeros(len(trace), 3).index_add_(0, query.long(), passage.values[entry] * weight[:, None])
    span = float(passage.values.max() - passage.values.min())
    apart = (again - system(labels).mixture.cells).abs().amax(1)
    room = torch.tensor(trace.column("left_over")) * max(span, float(passage.values.abs().max()))
    assert (apart <= room + 1e-5).all()
    assert trace.column("left_over").max() > 1e-4  # there was something to leave over


def test_reuse_entropy_and_the_most_used_cells(system, labels, trace):
    made = system(labels)
    best = made.most_reused(3)
    assert made.reuse.ravel()[best["entry"]].tolist() == sorted(made.reuse.ravel(), reverse=True)[:3]
    assert (made.entropy >= -1e-6).all()
    assert made.entropy.max() <= np.log(made.reuse.size)
    kept = np.bincount(trace.column("entry", winners=False), trace.column("weight", winners=False), made.reuse.size)
    assert (kept <= made.reuse.ravel() + 1e-4).all()
    measures = trace.picture.measures["correspondence"]
    assert measures["most_fed"] == pytest.approx(made.reuse.max())
    assert measures["entropy"] == pytest.approx(made.entropy.mean(), rel=1e-5)


def test_a_sharper_softmax_mixes_less(system, labels):
    entropies = [system(labels, temperature=t).entropy.mean() for t in (0.001, 0.01, 0.1)]
    assert entropies == sorted(entropies)


def test_classes_that_the_exemplar_lacks_are_named(system, labels):
    made = system(labels)
    assert made.absent == ("unknown",)
    assert made.measures()["absent"] == (labels == 4).mean()
    assert "the exemplar lacks unknown" in made._repr_html_()
    assert repr(made) == "Synthesis(54x41 px, 5 classes, after reference)"
    assert repr(system) == "CoCosNet(reference, 50x36 px)"


def test_traces_are_equal_on_any_number_of_threads(trace, system, labels):
    for count in (2, 3):
        torch.set_num_threads(count)
        assert system.traced(labels).digest == trace.digest


# Made again, without


def test_the_same_run_again(trace, system):
    assert system.rerun(trace).digest == trace.digest
    other = system.rerun(trace, temperature=0.05)
    assert other.picture.settings["temperature"] == 0.05
    assert len(kt.compare(trace, other).about["differs"]) == 1


def test_cells_that_a_region_touches_are_not_used(trace):
    without = kt.without(trace, kt.Box(0, 0, 21, 36))
    boxes = without.column("source_box", winners=False)
    assert boxes[:, 0].min() == 24
    assert trace.column("source_box", winners=False)[:, 0].min() < 24
    assert without.picture.settings["without"] == [
        {"source": "reference", "box": {"x": 0, "y": 0, "width": 21, "height": 36}}
    ]
    assert kt.without(without, kt.Box(21, 0, 6, 36)).column("source_box", winners=False)[:, 0].min() == 28


def test_an_entry_that_is_left_out_is_not_used(trace):
    entry = int(trace.column("entry")[7])
    without = kt.without(trace, entry)
    assert entry not in without.column("entry", winners=False)
    second = trace.column("entry", winners=False).reshape(-1, 8)[7, 1]
    assert without.column("entry")[7] == second


def test_a_part_made_again_is_that_part_of_the_whole(trace, system):
    part = system.exclude(trace, BOX)
    entries = trace.column("entry")[:5].tolist()
    whole = kt.without(trace, entries).output
    assert np.array_equal(part(entries), whole[BOX.pixels])
    assert np.array_equal(part(), trace.output[BOX.pixels])
    assert np.array_equal(part((), temperature=0.1), system.rerun(trace, temperature=0.1).output[BOX.pixels])


@pytest.mark.parametrize(
    ("what", "error", "said"),
    [
        ("reference", UnknownNameError, "nothing would be left"),
        ("other", UnknownNameError, "the reference is reference"),
        (kt.Box(0, 0, 50, 36), UnknownNameError, "nothing would be left"),
        (kt.Box(0, 0, 51, 36), RegionError, "not inside"),
        (117, UnknownNameError, "reference has 117 cells"),
        (-1, UnknownNameError, "reference has 117 cells"),
        (0.5, SettingError, "no part of the reference"),
    ],
)
def test_what_cannot_be_left_out_is_refused(trace, what, error, said):
    with pytest.raises(error, match=said):
        kt.without(trace, what)


# Blending


def test_the_blend_ends_at_the_output_and_begins_at_the_mean_colour(trace, system):
    blend = system.blend(trace, whole(trace))
    assert np.array_equal(to_pixels(blend(torch.ones(len(trace)))), trace.output)
    live = system.live(trace)
    mean = live.passage.mean().expand(len(trace), -1)
    assert torch.equal(blend(torch.zeros(len(trace))), live.passage.painted(mean))
    part = system.blend(trace, BOX)
    assert torch.equal(part(torch.ones(len(trace))), blend(torch.ones(len(trace)))[:, 8:20, 8:24])


def test_the_blend_has_the_derivative_that_differences_show(trace, system):
    blend = system.blend(trace, BOX)
    amount = torch.ones(len(trace), requires_grad=True)
    blend(amount).sum().backward()
    for cell in amount.grad.abs().topk(3).indices.tolist():
        step = torch.zeros(len(trace))
        step[cell] = 1e-3
        with torch.no_grad():
            change = (blend(1 + step) - blend(1 - step)).double().sum()
        assert float(change) / 2e-3 == pytest.approx(float(amount.grad[cell]), rel=0.05)


def test_of_a_mean_without_what_is_left_out(trace, system, exemplar):
    without = kt.without(trace, kt.Box(0, 0, 24, 36))
    live = system.live(without)
    expected = 2 * exemplar[0][:, 24:48].mean((0, 1)) / 255 - 1
    colours = live.passage.mean(live.forbidden)[0].numpy()
    assert np.abs(colours - expected).max() < 0.05
    assert np.abs(colours - live.passage.mean()[0].numpy()).max() > 0.01


def test_the_footprint_is_the_energy_that_ablation_of_cells_shows(system, labels):
    """Colours of one cell of the warp are moved a little: where the region changes, and how much."""
    trace = system.traced(labels[:24, :28])
    mask = np.zeros(trace.size, dtype=bool)
    mask[BOX.pixels] = True
    live = system.live(trace)
    share = system.footprint(trace, mask)
    assert share.sum() == pytest.approx(1)
    cells, inside, shown = live.mixture.cells, torch.from_numpy(mask), []
    before = live.passage.painted(cells)[:, inside]
    for cell in range(len(trace)):
        change = 0.0
        for colour in range(3):
            moved = cells.clone()
            moved[cell, colour] += 1e-3
            change += float((live.passage.painted(moved)[:, inside] - before).double().square().sum())
        shown.append(change)
    measured = np.array(shown) / sum(shown)
    assert np.corrcoef(share, measured)[0, 1] > 0.9
    assert np.abs(share - measured).sum() / 2 < 0.35


def test_a_generator_that_does_not_look_at_the_warp_leaves_the_overlap(make_networks, exemplar, labels):
    networks = make_networks()
    for name, weight in networks.generator.named_parameters():
        if "mlp_shared" in name and weight.ndim == 4:
            weight[:, :3] = 0
    networks.generator.fc.weight[:, :3] = 0
    system = CoCosNet(*exemplar, networks)
    trace = system.traced(labels)
    mask = np.zeros(trace.size, dtype=bool)
    mask[BOX.pixels] = True
    assert np.array_equal(system.footprint(trace, mask), trace.overlap(mask))
    with pytest.raises(TraceError, match="the knowledge changed nothing"):
        kt.attribute(trace, BOX, through="gradient")


def test_reach_says_what_was_measured(trace, system):
    assert system.reach(trace).startswith("the whole picture; half of what decides the middle is within")
    assert np.array_equal(system.behind(trace, np.ones(trace.size, bool)), np.arange(len(trace)))


# Exact search


def test_the_warp_has_no_regret(trace):
    found = trace.regret()
    assert (found["regret"] == 0).all()
    assert (found["entry"] == found["exact_entry"]).all()
    assert (kt.without(trace, kt.Box(0, 0, 24, 36)).regret()["regret"] == 0).all()


def test_similarities_of_others(trace, system):
    places, entries = np.array([0, 3, 3, 4]), np.array([5, 0, -1, 10**6])
    found = system.similarity_of(trace, places, entries)
    assert torch.isinf(found[2:]).all()
    live = system.live(trace)
    assert found[0] == pytest.approx(float(live.passage.target[0] @ live.passage.source[5]), abs=1e-6)
    mine = system.similarity_of(trace, np.arange(len(trace)), trace.column("entry"))
    assert np.array_equal(mine, trace.column("similarity"))
    without = kt.without(trace, 5)
    assert torch.isinf(system.similarity_of(without, np.array([0]), np.array([5]))).all()


# Questions from above


def test_every_method_answers(trace):
    for through in ("overlap", "footprint", "gradient", "ablation", "datamodel"):
        found = kt.attribute(trace, BOX, by="entry", through=through, most=4, runs=12, quiet=True)
        assert len(found), through
    assert kt.attribute(trace, BOX, through="footprint").frame["share"].sum() == pytest.approx(1, abs=0.01)
    assert kt.attribute(trace, BOX, through="gradient").about["baseline"] == "the exemplar's mean colour"
    entry = int(kt.attribute(trace, BOX, by="entry").top(1)[0])
    assert len(kt.compare(trace, kt.without(trace, entry))) > 0


def test_the_exemplar_has_the_whole_share_and_its_cells_what_was_recorded(system, labels):
    trace = system.traced(labels, top=2, temperature=0.5)
    left_over = float((trace.column("left_over").astype(float) * trace.overlap()).sum())
    assert left_over > 0.1
    assert trace.sources()["share"].tolist() == pytest.approx([1])
    assert kt.backtrack(trace).frame["overlap"].sum() == pytest.approx(1)
    for through in ("overlap", "footprint", "gradient"):
        whole, parts = (kt.attribute(trace, by=by, through=through) for by in ("source", "entry"))
        error = 1e-3 + whole.about.get("completeness_error", 0)
        assert whole.frame["share"].tolist() == pytest.approx([1], abs=error), through
        assert parts.frame["share"].sum() < 0.95, through


def test_faithfulness_tests_them(trace):
    attribution = kt.attribute(trace, BOX, by="entry", through="footprint")
    found = kt.faithfulness(attribution, subsets=6, seeds=range(3), quiet=True)
    assert {"footprint", "gradient", "random"} <= set(found.frame["method"])
    assert found.frame["lds_pixels"].notna().all()


def test_backtracking_shows_both_ends(trace):
    found = kt.backtrack(trace, BOX)
    assert len(found) == 12
    assert all(here.shape[2] == there.shape[2] == 3 for here, there in found.patches)
    assert found.frame["overlap"].sum() == pytest.approx(1)
    assert found.plot() is not None
    weight = trace.column("weight")[found.about["places"][0]]
    assert f"weight {weight:.3f}" in found._repr_html_()


def test_views_take_its_traces(trace, tmp_path):
    with kt.Explorer(trace) as view:
        assert view.site == "correspondence"
    view.to_html(tmp_path / "page.html")
    assert (tmp_path / "page.html").stat().st_size > 10_000
    assert trace._repr_html_()
    titles = [text.get_text() for text in trace.plot().findobj(Text)]
    assert "Weight of the winners" in titles


def test_weights_are_shown_where_weights_are_named(trace):
    shown = similarity_map(trace)
    at = trace.column("box").astype(int)[:, :2]
    assert np.array_equal(shown[at[:, 1], at[:, 0]], painted_values(trace.column("weight")))


def test_an_audit_is_verified_and_one_that_was_tampered_with_is_not(trace, system, tmp_path):
    audit = kt.Audit.create(
        trace,
        attributions=[kt.attribute(trace, BOX, through="gradient")],
        comparisons=[kt.compare(trace, kt.without(trace, kt.Box(0, 0, 16, 16)))],
    )
    audit.save(tmp_path / "audit")
    verdict = kt.verify(tmp_path / "audit", model=system)
    assert verdict, verdict.difference
    assert "identical" in " ".join(verdict.checks)
    altered = trace.with_settings({**trace.picture.settings, "temperature": 0.011})
    with pytest.raises(MismatchError):
        kt.Audit.create(kt.Trace(altered.table, altered.about, [without_output(altered)]), model=system)
    forged = replace(audit, evidence=replace(audit.evidence, recording=altered))
    forged.save(tmp_path / "forged")
    assert not kt.verify(tmp_path / "forged", model=system)


def without_output(trace):
    kept = {name: pixels for name, pixels in trace.picture.canvases.items() if name != "output"}
    return replace(trace.picture, canvases=kept)


def test_a_trace_opens_with_its_own_exemplar(trace, system, tmp_path):
    trace.save(tmp_path / "trace.parquet")
    found = kt.Trace.open(tmp_path / "trace.parquet")
    again = opened(found, None, system)
    assert again.rerun(found).digest == trace.digest
    trace.save(tmp_path / "bare.parquet", pictures="none")
    with pytest.raises(TraceError, match="saved without its exemplar"):
        opened(kt.Trace.open(tmp_path / "bare.parquet"), None, system)


def test_another_exemplar_label_map_or_network_is_not_the_same(trace, system, networks, make_networks, exemplar):
    pixels, labels = exemplar
    for other, said in (
        (CoCosNet(255 - pixels, labels, networks), "library source reference"),
        (CoCosNet(pixels, np.roll(labels, 1, 0), networks), "library source reference labels"),
        (CoCosNet(pixels, labels, make_networks(seed=1)), "correspondence"),
    ):
        with pytest.raises(MismatchError, match=said):
            case_of(trace, model=other)


def otherwise(networks, change):
    """The same weights, used otherwise."""
    made = copy.deepcopy(networks)
    made.configuration = change(made.configuration)
    made.correspondence.shape = made.configuration.shape
    return made


@pytest.mark.parametrize(
    "change",
    [
        lambda known: replace(known, smooth=True),
        lambda known: replace(known, temperature=0.02),
        lambda known: replace(known, shape=replace(known.shape, centring=False)),
        lambda known: replace(known, classes=Classes(("a", *known.classes.names[1:]), known.classes.colours)),
    ],
)
def test_equal_weights_that_are_used_otherwise_are_another_network(trace, networks, exemplar, labels, tmp_path, change):
    other = CoCosNet(*exemplar, otherwise(networks, change))
    with pytest.raises(MismatchError, match="configuration"):
        kt.compare(trace, other.traced(labels))
    kt.Audit.create(trace).save(tmp_path / "audit")
    verdict = kt.verify(tmp_path / "audit", model=other)
    assert "configuration" in verdict.difference


def test_calls_in_training_mode_change_no_weight(networks, exemplar, labels):
    system = CoCosNet(*exemplar, networks).train()
    before = system.digests()
    system(labels)
    assert system.digests() == before
    assert not system.networks.training


@pytest.mark.parametrize(
    ("given", "error", "said"),
    [
        *(({"temperature": t}, SettingError, "not a finite number from 1e-06") for t in (0, 1e-310, np.nan, np.inf)),
        ({"temperature": "warm"}, SettingError, "not a number"),
        ({"top": 0}, SettingError, "less than 1"),
        ({"top": 2.5}, SettingError, "not a whole number"),
        ({"exemplar": 3}, SettingError, "not a name"),
        ({"exemplar": "other"}, UnknownNameError, "there is one, reference"),
        ({"temprature": 0.1}, UnknownSettingError, "temperature"),
        ({"without": 0.5}, SettingError, "no part of the reference"),
    ],
)
def test_settings_are_checked(system, labels, given, error, said):
    with pytest.raises(error, match=said):
        system(labels, **given)


def test_only_the_site_that_paints_can_be_blended(trace, system):
    part = kt.Trace(trace.table, {**trace.about, "sites": [{**trace.site_about, "name": "exemplar"}]}, trace.pictures)
    with pytest.raises(AbilityError, match="paints nothing itself"):
        system.blend(part, BOX)
