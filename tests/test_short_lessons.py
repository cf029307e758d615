"""The checkers of lessons 1, 3, 4, 5, 8 and 9: each accepts its solution, and says what is wrong with others."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import torch
from exercises import Lesson, unsolved
from scipy.stats import pearsonr, rankdata
from torch.nn import functional as F

from ktviz.lessons import attending, audit_case, counting, keeping, trusting
from ktviz.lessons.attending import attend, heaviest
from ktviz.lessons.audit_case import differing, kinds
from ktviz.lessons.counting import shares
from ktviz.lessons.keeping import survivors
from ktviz.lessons.trusting import lds

LESSONS = {
    "shares": (Lesson("01_backtracking.ipynb", counting, {"np": np}), 0),
    "lds": (Lesson("03_which_knowledge.ipynb", trusting, {"np": np, "rankdata": rankdata}), 0),
    "survivors": (Lesson("04_your_own_library.ipynb", keeping, {"F": F}), 0),
    "heaviest": (Lesson("05_your_own_model.ipynb", attending, {}), 0),
    "kinds": (Lesson("08_audit_case.ipynb", audit_case, {}), 0),
    "differing": (Lesson("08_audit_case.ipynb", audit_case, {}), 1),
    "attend": (Lesson("09_vision_transformer.ipynb", attending, {}), 0),
}


def counted(boxes, sources, region):
    """Retrievals, not pixels."""
    return {name: sources.count(name) / len(sources) for name in sources}


def last_takes_all(boxes, sources, region):
    owner = np.full((region.height, region.width), -1)
    for number, (x, y, width, height) in enumerate(np.array(boxes, dtype=int)):
        owner[max(0, y) : max(0, y + height), max(0, x) : max(0, x + width)] = number
    return {name: float(np.mean([owner == n for n, one in enumerate(sources) if one == name])) for name in sources}


def whole_boxes(boxes, sources, region):
    area = np.array(boxes)[:, 2:].prod(1) / (region.width * region.height)
    return {name: float(sum(a for a, one in zip(area, sources, strict=True) if one == name)) for name in sources}


def kept_by_all(patches, threshold):
    """Turned away by any earlier patch, whether or not it was kept."""
    unit = F.normalize(patches, dim=1)
    return [n for n in range(len(unit)) if n == 0 or (unit[:n] @ unit[n]).max() <= threshold]


def by_place(one, other):
    return {
        row.source: ["creator"] for row, two in zip(one.itertuples(), other.itertuples(), strict=False) if row != two
    }


def of_first(one, other):
    theirs = other.set_index("source")
    same = [row.source for row in one.itertuples() if row.source in theirs.index]
    found = differing(one[one["source"].isin(same)], other[other["source"].isin(same)])
    return {**found, **{row.source: ["share"] for row in one.itertuples() if row.source not in same}}


def overflowing(queries, keys):
    grown = (queries @ keys.T / queries.shape[1] ** 0.5).exp()
    return grown / grown.sum(1, keepdim=True)


WRONG = {
    "shares": [
        (lambda *_: None, "it returns nothing"),
        (lambda *_: [0.5, 0.5], "yours is a list"),
        (lambda boxes, sources, region: {"a": 1.0}, "yours names ['a']"),
        (counted, "0.5, yours has 0.667"),
        (last_takes_all, "each has a half of the credit"),
        (whole_boxes, "each has a half of the credit"),
        (lambda boxes, sources, region: boxes.no_such_thing, "it raised AttributeError in line"),
    ],
    "lds": [
        (lambda *_: None, "it returns nothing"),
        (lambda s, k, c: -lds(s, k, c), "the wrong way round"),
        (lambda s, k, c: pearsonr(k @ s, -c).statistic, "only the order counts"),
        (lambda s, k, c: c, "yours is a ndarray"),
        (lambda s, k, c: abs(lds(s, k, c)), "the score is -1; yours says 1"),
        (lambda s, k, c: float("nan"), "not a finite number"),
        (lambda s, k, c: np.corrcoef(np.argsort(np.argsort(k @ s)), np.argsort(np.argsort(-c)))[0, 1], "share a rank"),
    ],
    "survivors": [
        (lambda *_: None, "it returns nothing"),
        (lambda p, t: [0], "nothing in common all stay"),
        (lambda p, t: range(len(p)), "the first stays; yours keeps [0, 1, 2]"),
        (lambda p, t: [] if torch.equal(p, torch.ones(3, 5)) else survivors(p, t), "yours keeps none"),
        (kept_by_all, "the second was not kept"),
        (lambda p, t: survivors(p.abs(), t), "do not look alike"),
        (lambda p, t: torch.ones(len(p), dtype=torch.bool), "yours is a mask"),
        (lambda p, t: [0.7, 1.7], "are whole"),
    ],
    "heaviest": [
        (lambda *_: None, "it returns nothing"),
        (lambda w, top: w.topk(top), "three results are asked for"),
        (lambda w, top: (*w.topk(top, largest=False)[::-1], 1 - w.topk(top).values.sum(1)), "the lightest entries"),
        (lambda w, top: (heaviest(w, top)[0].flip(1), *heaviest(w, top)[1:]), "the heaviest comes first"),
        (
            lambda w, top: (heaviest(w, top)[0], F.normalize(heaviest(w, top)[1], p=1, dim=1), heaviest(w, top)[2]),
            "the rest is left over",
        ),
        (lambda w, top: (*heaviest(w, top)[:2], heaviest(w, top)[1].sum(1)), "left over are 0.1 and 0.25"),
        (lambda w, top: (heaviest(w, top)[0][0], *heaviest(w, top)[1:]), "entries: the shape (2, 2)"),
    ],
    "kinds": [
        (lambda t: None, "it returns nothing"),
        (lambda t: ["verbatim"], "yours is a list"),
        (lambda t: {"a": "verbatim"}, "yours names ['a']"),
        (lambda t: dict.fromkeys("abcde", "stolen"), "yours says stolen"),
        (lambda t: {**kinds(t), "e": "verbatim"}, "e has 1.4"),
        (lambda t: {**kinds(t), "c": "verbatim"}, "c is mirrored"),
        (lambda t: {**kinds(t), "b": "verbatim"}, "b has 0.7"),
        (lambda t: {**kinds(t), "d": "scaled"}, "measures are never exact"),
    ],
    "differing": [
        (lambda one, other: None, "it returns nothing"),
        (by_place, "compares rows by their place"),
        (lambda one, other: {}, "one work has another creator, art/sails.jpg; yours names []"),
        (lambda one, other: {name: ["share"] for name in differing(one, other)}, "only its creator differs"),
        (lambda one, other: differing(one.round({"share": 3}), other.round({"share": 3})), "in its last digits"),
        (of_first, "only the other table has"),
        (lambda one, other: {k: v[:1] for k, v in differing(one, other).items()}, "all of them are asked for"),
        (lambda one, other: dict([*differing(one, other).items()][:1]), "all of them are asked for"),
    ],
    "attend": [
        (lambda q, k: None, "it returns nothing"),
        (lambda q, k: q @ k.T, "of a query do not add up to 1"),
        (lambda q, k: (q @ k.T / 2).softmax(0), "the parts of every key add up to 1"),
        (lambda q, k: (q @ k.T).softmax(1), "divided by √D"),
        (lambda q, k: (-q @ k.T / 2).softmax(1), "takes most of another"),
        (lambda q, k: (q @ k.T / 4).softmax(1), "the parts are off"),
        (
            lambda q, k: (e := (q @ k.T / q.shape[1] ** 0.5).exp()) / e.sum(1, keepdim=True),
            "does an exponential overflow?",
        ),
        (lambda q, k: attend(q, k)[0], "the shape (2, 3) is asked for"),
        (lambda q, k: (q @ k.T / 2).softmax(1), "by what do you divide?"),
    ],
}
CASES = [(name, *case) for name, cases in WRONG.items() for case in cases]


@pytest.mark.parametrize("name", LESSONS)
def test_the_lessons_solution_is_right_and_a_students_copy_open(name):
    lesson, number = LESSONS[name]
    solution, checker = lesson.solved(number)
    assert checker(solution).state == "right"
    assert checker(unsolved).state == "open"


def test_numpy_in_double_precision_is_right_too():
    def in_numpy(weights, top):
        values = weights.double().numpy()
        order = np.argsort(-values, axis=1, kind="stable")[:, :top]
        kept = np.take_along_axis(values, order, axis=1)
        return [order, kept, 1 - kept.sum(1)]

    assert attending.check_heaviest(in_numpy).state == "right"


@pytest.mark.parametrize("own", [shares, lds, survivors, heaviest, kinds, differing, attend])
def test_what_later_cells_use_is_right(own):
    lesson, number = LESSONS[own.__name__]
    assert lesson.solved(number)[1](lambda *given: own(*given)).state == "right"


@pytest.mark.parametrize("own", [shares, lds, survivors, heaviest, kinds, differing, attend])
def test_the_lesson_s_own_code_is_no_answer(own):
    lesson, number = LESSONS[own.__name__]
    assert "write it yourself" in lesson.solved(number)[1](own).text


def test_an_answer_that_asks_the_lesson_s_own_code_is_none():
    assert "write it yourself" in audit_case.check_kinds(lambda copies: audit_case.kinds(copies)).text


@pytest.mark.parametrize(("name", "wrong", "complaint"), CASES)
def test_a_wrong_solution_is_told_what_is_wrong_and_not_how_to_mend_it(name, wrong, complaint):
    lesson, number = LESSONS[name]
    found = lesson.solved(number)[1](wrong)
    assert found.state == "wrong"
    assert complaint in found.text
    assert not any(len(line) > 12 and line in found.text for line in lesson.solution_lines())


def test_a_forged_table_is_sealed_anew_and_differs_in_its_creators(world, paint, tmp_path):
    trace = world.translator.traced(paint(3, 64, 64))
    folder = tmp_path / "true"
    import ktviz as kt

    kt.Audit.create(trace, title="A", top=0, sample=5, model=world.translator).save(folder)
    table = folder / "tables" / "sources.csv"
    creators = pd.read_csv(table)["creator"]
    audit_case.forge(folder, tmp_path / "forged")
    kt.Audit.open(tmp_path / "forged")  # sealed: its files are as its manifest says
    assert audit_case.ours(folder)["creator"].tolist() == creators.tolist()
