"""Pictures that another processor painted: rounding is let pass, and nothing else is."""

import copy
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest
import torch

import ktviz as kt
from ktviz.audit.agreement import check_run
from ktviz.audit.evidence import only_winners
from ktviz.errors import Difference
from ktviz.explain.case import case_of


@pytest.fixture(scope="module")
def other(networks, exemplar):
    """A system whose networks round a little differently."""
    torch.manual_seed(3)
    made = copy.copy(networks.plain())
    for weight in made.correspondence.parameters():
        weight.data *= 1 + 1e-7 * torch.randn_like(weight)
    return kt.CoCosNet(*exemplar, made)


@pytest.fixture(scope="module")
def make_elsewhere(other, labels, system):
    """`make_elsewhere(temperature=..., top=...)`: its trace, said to be of the system's on another processor."""

    def make(**settings):
        trace = other.traced(labels, **settings)
        return kt.Trace(
            trace.table, {**trace.about, "processor": "another", "digests": system.digests()}, trace.pictures
        )

    return make


@pytest.fixture(scope="module")
def elsewhere(make_elsewhere):
    return make_elsewhere()


def checked(trace, system):
    return check_run("trace", case_of(trace, model=system), trace)


def changed(trace, column, change):
    """The trace with other values in a column."""
    place = trace.table.schema.get_field_index(column)
    field = trace.table.schema.field(place)
    values = change(trace.column(column, winners=False).copy())
    if pa.types.is_fixed_size_list(field.type):
        array = pa.FixedSizeListArray.from_arrays(pa.array(values.ravel(), field.type.value_type), type=field.type)
    else:
        array = pa.array(values, field.type)
    return trace.with_table(trace.table.set_column(place, field, array))


def test_rounding_is_let_pass(elsewhere, trace, system):
    assert not np.array_equal(elsewhere.column("similarity"), trace.column("similarity"))
    assert "retrievals equal up to rounding" in checked(elsewhere, system)


@pytest.mark.parametrize("kept", [lambda trace: trace, only_winners], ids=["all", "winners"])
@pytest.mark.parametrize("top", [1, 8, 10**4])
@pytest.mark.parametrize("temperature", [1e-6, 1e-5, 1e-3, 0.01, 1.0])
def test_rounding_is_let_pass_at_any_temperature(make_elsewhere, system, temperature, top, kept):
    """However sharp the softmax, and however much of it is left over: of 117 cells, 1, 8 or all are kept."""
    assert "retrievals" in checked(kept(make_elsewhere(temperature=temperature, top=top)), system)


def scaled(factor, left_over=None):
    """Weights times a factor, and what is left over, or what makes the sum 1."""

    def forge(trace):
        weight = trace.column("weight", winners=False).reshape(len(trace), -1) * np.float32(factor)
        rest = 1 - weight.sum(1, keepdims=True) if left_over is None else np.full((len(trace), 1), left_over)
        made = changed(trace, "weight", lambda old: weight.ravel())
        return changed(made, "left_over", lambda old: np.repeat(rest, weight.shape[1], 1).ravel().astype(old.dtype))

    return forge


@pytest.mark.parametrize(
    ("settings", "forge", "said"),
    [
        ({"temperature": 1e-6}, scaled(3, 7), "weight: 3.0, should be 1"),
        ({"temperature": 1e-6}, scaled(0.05, 0.9), "left_over"),
        ({"temperature": 1e-6}, scaled(0.05), "left_over"),
        ({"temperature": 0.001, "top": 50}, scaled(0.5), "left_over"),
        ({"temperature": 0.001, "top": 50}, scaled(1, 0.49), "left_over"),
        ({"temperature": 0.01, "top": 10**4}, scaled(0.01), "left_over"),
        ({"temperature": 0.01, "top": 10**4}, scaled(1, 0.99), "left_over"),
        ({"temperature": 0.01}, scaled(0.99), "left_over"),
        ({"temperature": 0.01}, scaled(0.999, 0), "left_over"),
        ({"temperature": 1.0}, scaled(-1), "weight"),
        ({"temperature": 1e-6}, lambda t: changed(t, "cocosnet.entropy", lambda v: v + 4), "entropy"),
        ({"temperature": 1e-6}, lambda t: changed(t, "weight", lambda v: v[::-1].copy()), "weight"),
    ],
)
def test_no_row_says_what_a_row_cannot_be(make_elsewhere, system, settings, forge, said):
    with pytest.raises(Difference, match=f"retrieval [0-9]+, (cocosnet[.])?{said}"):
        checked(forge(make_elsewhere(**settings)), system)


@pytest.mark.parametrize("name", ["left_over", "margin", "cocosnet.entropy"])
def test_candidates_of_a_retrieval_agree_about_it(elsewhere, system, name):
    """Off by what rounding could do, but in one row alone."""

    def nudge(values):
        values[3] = np.nextafter(values[3], np.float32(9))
        return values

    with pytest.raises(Difference, match=f"retrieval 0, {name}"):
        checked(changed(elsewhere, name, nudge), system)


def test_similarities_fall_from_rank_to_rank(make_elsewhere, system):
    """Two that are so near each other that rounding could change places say which comes first."""

    def exchange(values):
        falls = -np.diff(values)
        row = np.flatnonzero((falls > 0) & (falls < 5e-6))[0]
        values[row : row + 2] = values[row : row + 2][::-1].copy()
        return values

    with pytest.raises(Difference, match="do not fall from rank to rank"):
        checked(changed(make_elsewhere(top=10**4), "similarity", exchange), system)


@pytest.mark.parametrize("name", ["entropy", "left_over", "unused", "most_fed", "absent"])
def test_measures_follow_from_the_rows(elsewhere, system, name):
    (picture,) = elsewhere.pictures
    measures = {**picture.measures["correspondence"]}
    measures[name] = measures[name] * 1.01 + 0.01
    forged = replace(picture, about={**picture.about, "measures": {"correspondence": measures}})
    with pytest.raises(Difference, match=f"its measure {name} is"):
        checked(kt.Trace(elsewhere.table, elsewhere.about, [forged]), system)


def test_a_column_more_is_named(elsewhere, system):
    more = elsewhere.table.append_column("regret", pa.nulls(len(elsewhere.table), pa.float32()))
    more = more.append_column("exact_entry", pa.nulls(len(more), pa.int64()))
    with pytest.raises(Difference, match="other columns"):
        checked(elsewhere.with_table(more), system)


def first(value):
    def change(values):
        values[0] = value(values)
        return values

    return change


@pytest.mark.parametrize(
    ("column", "value", "said"),
    [
        ("entry", lambda v: v[9], "a candidate that is not as good"),
        ("entry", lambda v: v[1], "a candidate that is not as good"),
        ("entry", lambda v: 10**6, "a candidate that is not as good"),
        ("similarity", lambda v: v[0] - 0.01, "similarity"),
        ("weight", lambda v: v[0] - 0.05, "weight"),
        ("left_over", lambda v: v[0] + 0.2, "left_over"),
        ("margin", lambda v: v[0] + 0.01, "margin"),
        ("cocosnet.entropy", lambda v: v[0] + 1, "entropy"),
        ("cocosnet.target_class", lambda v: 1 - min(1, v[0]), "target_class"),
        ("cocosnet.entry_class", lambda v: v[0] + 1, "entry_class"),
        ("source_box", lambda v: v[0] + 4, "source_box"),
        ("box", lambda v: v[0] + 4, "the column box was changed"),
        ("rank", lambda v: 3, "the column rank was changed"),
    ],
)
def test_anything_else_is_named(elsewhere, system, column, value, said):
    with pytest.raises(Difference, match=said):
        checked(changed(elsewhere, column, first(value)), system)


def test_a_cell_that_was_left_out_is_no_candidate(elsewhere, system):
    without = system.rerun(elsewhere, without=[int(elsewhere.column("entry")[0])])
    forged = kt.Trace(elsewhere.table, {**without.about, "processor": "another"}, without.pictures)
    with pytest.raises(Difference, match=r"a candidate that is not as good|was changed|should be"):
        system.check_rounded("trace", forged, without)
