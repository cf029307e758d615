"""Bridging as a system: what it makes and records is what its networks say, added up by hand."""

import numpy as np
import pytest
import torch

import ktviz as kt
from ktviz.systems.bridge.system import Bridge
from ktviz.systems.draws import drawn
from ktviz.systems.protocol import System
from ktviz.systems.registry import check_class

from .conftest import HAS, SIDE, WANT, near

CELLS = (SIDE // 2) ** 2


def columns(trace, name):
    """A column of all candidates, (cells, candidates)."""
    values = trace.column(name, winners=False)
    return values.reshape(len(trace), -1, *values.shape[1:])


def of_source(trace, source, name):
    """A column of the candidates that are of one source, by query."""
    rows = trace.column("source", winners=False) == source
    assert np.array_equal(trace.column("query", winners=False)[rows], np.arange(len(trace)))
    return trace.column(name, winners=False)[rows]


def flat(code):
    return code.sum(1).flatten().numpy()


def test_it_keeps_the_protocol(system):
    check_class(Bridge, "bridge", "here")
    assert isinstance(system, System)
    assert repr(system) == "Bridge(32x32 px, 4 attributes, no bank)"


def test_a_picture_after_a_reference_is_that_of_both_codes_added_up(system, picture, other, by_hand):
    made = system(picture, HAS, WANT, reference=other)
    asked = by_hand.code(other[0])
    assert near(made.output, by_hand.painted(by_hand.own + asked))
    assert made.difference == {"Dark": -1.5, "Blond": 1.5, "Hat": 1.5}
    assert repr(made) == "Change(-Dark, +Blond, +Hat, after reference)"
    expected = flat(asked) / np.maximum(flat(asked) + flat(by_hand.own), 1e-9)
    assert np.allclose(made.share_map.ravel(), expected, atol=1e-6)
    assert made.share_map.std() > 0.05
    assert np.array_equal(made.drawn[::2, ::2, 0], np.round(made.share_map * 255).astype(np.uint8))


def test_a_picture_by_labels_is_that_of_noise_and_difference(system, networks, picture, by_hand):
    noise = [0.3, -1.0, 0.0, 0.7, 2.0, -0.2]
    for given, numbers, origin in (
        ({"noise": noise}, torch.tensor([noise]), "given noise"),
        ({"row": 3}, networks.table[3:4], "noise row 3"),
        ({"seed": 7}, drawn(7, 6)[None], "drawn noise"),
    ):
        made = system(picture, HAS, WANT, mode="labels", **given)
        assert near(made.output, by_hand.painted(by_hand.own + by_hand.labels(numbers)))
        assert made.origin == f"after labels with {origin}"
        assert made.reference is None
    outputs = [system(picture, HAS, WANT, mode="labels", seed=seed).output for seed in (1, 2)]
    assert not near(*outputs)


def test_between_is_a_mixture_of_codes_as_in_training(system, networks, picture, other, by_hand):
    labels, reference = by_hand.labels(networks.table[:1]), by_hand.code(other[0])
    ends = {}
    for alpha in (0.0, 0.25, 1.0):
        made = system(picture, HAS, WANT, mode="between", alpha=alpha, row=0, reference=other)
        mixed = by_hand.own + alpha * labels + (1 - alpha) * reference
        assert near(made.output, by_hand.painted(mixed))
        ends[alpha] = made.output
    assert near(ends[0.0], system(picture, HAS, WANT, reference=other).output)
    assert near(ends[1.0], system(picture, HAS, WANT, mode="labels", row=0).output)
    assert system(picture, HAS, WANT, mode="between", reference=other).settings.alpha == 0.5


@torch.no_grad()
def test_between_with_spade_mixes_what_the_norms_make_as_in_the_published_test(
    system, networks, picture, other, by_hand
):
    made = system(picture, HAS, WANT, mode="between", spade=True, alpha=0.5, row=0, reference=other)
    labels, both = by_hand.labels(networks.table[:1]), by_hand.own + by_hand.code(other[0])
    mixed = networks.generator.between(by_hand.seen(picture), torch.tensor(0.5), labels, both)
    expected = ((mixed[0].permute(1, 2, 0) + 1) / 2).clamp(0, 1).mul(255).round().byte().numpy()
    assert near(made.output, expected)
    assert not near(made.output, system(picture, HAS, WANT, mode="between", row=0, reference=other).output)
    shares = made.shares
    assert np.allclose(shares["labels"], 0.5, atol=1e-6)
    assert np.allclose(shares["own"] + shares["reference"], 0.5, atol=1e-6)


def test_the_amount_scales_the_difference(system, networks, picture, other, by_hand):
    made = system(picture, HAS, WANT, reference=other, amount=1.0)
    one = torch.tensor([[-1.0, 1.0, 1.0, 0.0]])
    assert near(made.output, by_hand.painted(by_hand.code(picture, -one) + by_hand.code(other[0], one)))
    assert not near(made.output, system(picture, HAS, WANT, reference=other).output)
    nothing = system(picture, HAS, {}, mode="labels", row=0)
    assert near(nothing.output, system(picture, HAS, WANT, mode="labels", row=0, amount=0).output)
    assert repr(nothing) == "Change(nothing, after labels with noise row 0)"


def test_only_what_changes_and_how_far_decides_of_attributes(system, picture, other):
    """Codes are asked for in the direction of the difference: what stays does not count."""
    one = system(picture, ["Dark", "Smile"], WANT, reference=other)
    same = system(picture, {"Dark": 1, "Blond": 0, "Smile": False}, ["Blond", "Hat"], reference=other)
    assert np.array_equal(one.output, same.output)


# What is recorded


def test_recording_changes_no_bit_and_a_result_has_its_trace(system, picture, other):
    plain = system(picture, HAS, WANT, reference=other)
    with kt.record(system) as trace:
        made = system(picture, HAS, WANT, reference=other)
    assert np.array_equal(plain.output, made.output)
    assert plain.trace is None
    assert made.trace.digest == trace.digest
    assert kt.attribute(made).frame.equals(kt.attribute(trace).frame)


def test_every_cell_records_what_it_is_made_of(trace, by_hand, other):
    about = trace.site_about
    assert (trace.sites, about["kind"], about["scale_px"], about["paints"]) == (["code"], "soft", 2.0, True)
    assert len(trace) == CELLS
    weight, rank = columns(trace, "weight"), columns(trace, "rank")
    assert np.allclose(weight.sum(1), 1, atol=1e-6)
    assert (np.diff(weight, axis=1) <= 0).all()
    assert np.array_equal(rank, np.tile([0, 1], (CELLS, 1)))
    assert np.array_equal(columns(trace, "similarity"), weight)
    asked, own = flat(by_hand.code(other[0])), flat(by_hand.own)
    assert np.allclose(of_source(trace, "reference", "weight"), asked / (asked + own), atol=1e-5)
    assert np.allclose(of_source(trace, "input", "weight"), own / (asked + own), atol=1e-5)
    assert np.allclose(of_source(trace, "reference", "bridge.norm"), asked, rtol=1e-4, atol=1e-5)
    assert np.allclose(of_source(trace, "input", "bridge.norm"), own, rtol=1e-4, atol=1e-5)
    for source, first in (("reference", 0), ("input", CELLS)):
        assert np.array_equal(of_source(trace, source, "entry"), np.arange(CELLS) + first)
        assert np.array_equal(of_source(trace, source, "source_box"), trace.column("box"))
    assert set(trace.column("row")) == {-1}
    assert np.isnan(trace.column("alpha").astype(float)).all()


def test_a_run_states_how_it_was_made(trace, picture, other):
    assert trace.picture.settings == {
        "has": ["Dark", "Smile"],
        "want": [["Blond", True], ["Hat", True]],
        "difference": {"Dark": -1.5, "Blond": 1.5, "Hat": 1.5},
        "mode": "reference",
        "alpha": None,
        "spade": False,
        "noise": None,
        "row": None,
        "seed": 0,
        "amount": 1.5,
        "reference": "reference:0",
        "reference_has": ["Blond", "Hat"],
        "without": [],
    }
    assert [*trace.picture.canvases] == ["input", "reference:0", "output"]
    assert np.array_equal(trace.picture.canvases["reference:0"], other[0])
    measures = trace.picture.measures["code"]
    assert sum(measures.values()) == pytest.approx(1, abs=1e-6)
    assert measures["reference"] == pytest.approx(of_source(trace, "reference", "weight").mean(), abs=1e-6)


def test_the_trace_holds_noise_that_was_drawn(system, picture):
    drawn, given = ({"seed": 4}, {"noise": [0.5] * 6})
    assert system.traced(picture, HAS, WANT, mode="labels", **given).picture.measures["noise"]["1"] == 0.5
    noise = system.traced(picture, HAS, WANT, mode="labels", **drawn).picture.measures["noise"]
    again = system.traced(picture, HAS, WANT, mode="labels", noise=[*noise.values()])
    assert np.array_equal(again.output, system(picture, HAS, WANT, mode="labels", seed=4).output)


def test_the_trace_holds_what_codes_say_to_the_generator(system, picture, other):
    with kt.record(system) as trace:
        found = system(picture, HAS, WANT, reference=other)
    said = trace.picture.measures["spade"]
    (code,) = found.mixture.codes()
    first = system.networks.generator.after[0].norm_1
    with torch.no_grad():
        scale, shift = first.modulation(torch.zeros(1, 1, SIDE // 4, SIDE // 4), code)
    assert said["scale_1_1"] == pytest.approx(float(scale.abs().mean()))
    assert said["shift_1_1"] == pytest.approx(float(shift.abs().mean()))
    assert len(said) == 4 * len(system.networks.generator.after)
    theirs, both, labels = (
        system.traced(picture, HAS, WANT, reference=other, mode="between", spade=True, alpha=alpha)
        for alpha in (0.0, 0.5, 1.0)
    )
    ends = [trace.picture.measures["spade"] for trace in (theirs, labels)]
    assert ends[0] == pytest.approx(said)
    for name, number in both.picture.measures["spade"].items():
        assert 0 < number <= (ends[0][name] + ends[1][name]) / 2 + 1e-6


def test_labels_claim_no_picture(system, picture):
    for given, row, name in (({"row": 2}, 2, "labels with noise row 2"), ({"seed": 1}, -1, "labels with drawn noise")):
        trace = system.traced(picture, HAS, WANT, mode="labels", **given)
        assert [source["source"] for source in trace.about["sources"]] == [name, "input"]
        assert np.isnan(of_source(trace, name, "source_box")).all()
        assert set(of_source(trace, name, "entry")) == {2 * CELLS}
        assert set(trace.column("row")) == {row}
        assert np.allclose(columns(trace, "weight").sum(1), 1, atol=1e-6)
        assert kt.Explorer(trace).site == "code"


def test_between_records_all_three_and_alpha(system, picture, other):
    trace = system.traced(picture, HAS, WANT, mode="between", alpha=0.25, row=1, reference=other)
    assert set(trace.column("alpha")) == {np.float32(0.25)}
    assert np.allclose(columns(trace, "weight").sum(1), 1, atol=1e-6)
    made = system(picture, HAS, WANT, mode="between", alpha=0.25, row=1, reference=other)
    for source, part in (("reference", "reference"), ("labels with noise row 1", "labels"), ("input", "own")):
        assert np.allclose(of_source(trace, source, "weight"), made.shares[part].ravel(), atol=1e-6)


def test_cells_of_which_nothing_is_known_are_left_over(make_networks, picture, other):
    """Where both codes are 0 the cell owes nothing to anybody."""
    networks = make_networks(3)
    networks.encoder.norm.bias.fill_(-30.0)  # codes are what is left above 0
    trace = kt.Bridge(networks=networks).traced(picture, HAS, WANT, reference=other)
    assert (trace.column("left_over") == 1).all()
    assert trace.sources()["share"].tolist() == [0, 0]


def test_traces_are_equal_on_any_number_of_threads(trace, system, picture, other):
    for count in (2, 3):
        torch.set_num_threads(count)
        assert system.traced(picture, HAS, WANT, reference=other).digest == trace.digest


def test_a_notebook_shows_source_reference_output_and_shares(system, picture, other):
    shown = system(picture, HAS, WANT, reference=other)._repr_html_()
    assert all(text in shown for text in ("Source", "Reference", "Output", "Share of what was asked for", "+Hat"))
    assert shown.count("data:image/") == 4


def test_calls_in_training_mode_change_nothing(make_networks, picture, other):
    system = kt.Bridge(networks=make_networks(0)).train()
    before = system.digests()
    system(picture, HAS, WANT, reference=other)
    assert system.digests() == before
    assert not system.networks.training
