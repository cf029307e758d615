"""Pictures that another processor painted: rounding is let pass, and nothing else is."""

import copy

import numpy as np
import pyarrow as pa
import pytest
import torch

import ktviz as kt
from ktviz.audit.agreement import check_run
from ktviz.errors import Difference
from ktviz.explain.case import case_of


@pytest.fixture(scope="module")
def elsewhere(networks, exemplar, labels, system):
    """A trace by networks that round a little differently, said to be of the system's on another processor."""
    torch.manual_seed(3)
    other = copy.copy(networks.plain())
    for weight in other.correspondence.parameters():
        weight.data *= 1 + 1e-7 * torch.randn_like(weight)
    trace = kt.CoCosNet(*exemplar, other).traced(labels)
    about = {**trace.about, "processor": "another", "digests": system.digests()}
    return kt.Trace(trace.table, about, trace.pictures)


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
