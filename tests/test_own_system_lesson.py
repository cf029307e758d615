"""The checkers of lesson 7: each accepts the lesson's solution, and says what is wrong with others, never how."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from exercises import Lesson, unsolved

import ktviz as kt
from ktviz.errors import UnknownNameError
from ktviz.images import to_pixels
from ktviz.lessons import own_system


def apart(cells, colours):
    return torch.cdist(cells, colours, p=1)


LESSON = Lesson(
    "07_trace_your_own_system.ipynb",
    own_system,
    {"torch": torch, "kt": kt, "apart": apart, "to_pixels": to_pixels},
)


def mixed(parts_of, top=2, largest=False, of=2):
    """Matches of as many of the nearest colours, with parts that a function makes of their distances."""

    def solution(cells, colours):
        nearest, entry = apart(cells, colours).topk(of, largest=largest)
        parts = torch.zeros(len(cells), len(colours)).scatter(1, entry, parts_of(nearest))
        return kt.Matches.soft(parts, top=top)

    return solution


def share(values):
    return values / values.sum(1, keepdim=True)


def hard(cells, colours):
    nearest, entry = apart(cells, colours).topk(2, largest=False)
    return kt.Matches.hard(entry, -nearest)


TWO_NEAREST = [
    (lambda c, k: None, "it returns nothing"),
    (lambda c, k: apart(c, k).argmin(1), "must return kt.Matches, yours is a Tensor"),
    (hard, "yours is hard"),
    (lambda c, k: mixed(lambda d: share(d.flip(1)))(c[:9], k), "yours has 9"),
    (lambda c, k: kt.Matches.soft((-apart(c, k)).softmax(1), top=9), "mixes up to 9 colours"),
    (mixed(lambda d: share(d.flip(1)), top=1), "the parts of a cell must add up to 1"),
    (mixed(lambda d: d.flip(1)), "the parts of a cell must add up to 1"),
    (mixed(lambda d: 1 - d.flip(1)), "a part is negative"),
    (mixed(lambda d: share(1 / d)), "what if a cell has the very colour"),
    (mixed(lambda d: share(d.flip(1)), largest=True), "none of their two nearest"),
    (mixed(lambda d: share(torch.ones_like(d))), "one half in every cell"),
    (mixed(share), "the farther of the two colours has the larger part"),
    (mixed(lambda d: (-d).softmax(1)), "takes it whole, in yours 0."),
    (mixed(lambda d: share(d.flip(1).square())), "do not go by the two distances"),
    (lambda c, k: apart(c, k.T), "it raised RuntimeError in line"),
]


def entries(inside, mine=lambda catalogue, region: catalogue.source == catalogue.names.index(region.source)):
    """Entries of a painting of which something holds, given their sides and the region's box."""

    def solution(catalogue, region):
        x, y, width, height = catalogue.box.T
        found = inside(x, y, x + width, y + height, region.box) & mine(catalogue, region)
        return found.nonzero()[:, 0]

    return solution


def overlaps(left, top, right, bottom, box):
    return (left < box.right) & (right > box.x) & (top < box.bottom) & (bottom > box.y)


def within(left, top, right, bottom, box):
    return (left >= box.x) & (right <= box.right) & (top >= box.y) & (bottom <= box.bottom)


def centre_within(left, top, right, bottom, box):
    x, y = (left + right) / 2, (top + bottom) / 2
    return (x > box.x) & (x < box.right) & (y > box.y) & (y < box.bottom)


def touches(left, top, right, bottom, box):
    return (left <= box.right) & (right >= box.x) & (top <= box.bottom) & (bottom >= box.y)


def turned(left, top, right, bottom, box):
    return overlaps(top, left, bottom, right, box) if box.width < 40 else overlaps(left, top, right, bottom, box)


TOUCHED = [
    (lambda c, r: None, "it returns nothing"),
    (lambda c, r: c.source == c.names.index(r.source), "true or false"),
    (lambda c, r: c.box, "numbers in one row are asked for, yours have the shape (36, 4)"),
    (lambda c, r: [0.5], "whole numbers, yours are not"),
    (lambda c, r: [3, 99], "entry 99 is none of the 36"),
    (entries(overlaps, lambda c, r: True), "it returns entries of land and sky"),
    (lambda c, r: entries(overlaps)(c, r) % 12, "it returns entries of sky"),
    (lambda c, r: entries(overlaps)(c, r)[:-1], "a painting of 12 pieces, it returns 11"),
    (entries(within), "yours finds none"),
    (entries(centre_within), "yours finds none"),
    (entries(touches), "that is exactly one piece overlaps 1 piece, yours finds 9"),
    (entries(turned), "yours finds as many, but others"),
    (lambda c, r: c.names.index(r), "it raised ValueError in line"),
]


def recorded(painter, image):
    with kt.record(painter):
        return to_pixels(painter(image))


def alone(painter, image):
    return to_pixels(painter(image))


CHANGED = [
    (lambda p, i: None, "it returns nothing"),
    (lambda p, i: (alone(p, i) != recorded(p, i)).any(), "yours has the shape ()"),
    (lambda p, i: alone(p, i) != recorded(p, i), "yours has the shape (16, 24, 3)"),
    (lambda p, i: (alone(p, i) != recorded(p, i)).sum(2), "yours holds int64"),
    (lambda p, i: (alone(p, i) == recorded(p, i)).all(2), "it says that every pixel changes"),
    (lambda p, i: (to_pixels(i) != recorded(p, i)).any(2), "it says that every pixel changes"),
    (lambda p, i: to_pixels(i)[..., 0] > 127, "recording changes nothing in an honest painter, yours finds"),
    (lambda p, i: (alone(p, i) != alone(p, i)).any(2), "are your two runs made in the same way?"),
    (lambda p, i: (recorded(p, i) != recorded(p, i)).any(2), "are your two runs made in the same way?"),
    (lambda p, i: (alone(p, i) != recorded(p, i)).all(2), "64 pixels with another blue when somebody records, yours"),
    (lambda p, i: (alone(p, i) != recorded(p, i)).any(2)[::-1], "yours finds as many, but others"),
    (lambda p, i: np.zeros(i.shape), "yours has the shape (1, 3, 16, 24)"),
    (lambda p, i: p.no_such_thing, "it raised AttributeError in line"),
]
WRONG = [
    (checker, *case)
    for checker, cases in (
        (own_system.check_two_nearest, TWO_NEAREST),
        (own_system.check_touched, TOUCHED),
        (own_system.check_changed, CHANGED),
    )
    for case in cases
]
RIGHT = [
    (own_system.check_touched, lambda c, r: set(entries(overlaps)(c, r).tolist())),
    (own_system.check_touched, lambda c, r: [*entries(overlaps)(c, r)]),
    (own_system.check_changed, lambda p, i: torch.tensor((recorded(p, i) != alone(p, i)).any(2))),
]


@pytest.mark.parametrize("number", range(3))
def test_the_lesson_s_solution_is_accepted_by_its_checker(number):
    solution, checker = LESSON.solved(number)
    feedback = checker(solution)
    assert feedback.state == "right", feedback
    assert repr(feedback).startswith(f"✓ Exercise {number + 1}")


@pytest.mark.parametrize(("checker", "right"), RIGHT)
def test_a_right_answer_in_another_form_is_accepted(checker, right):
    assert checker(right).state == "right", checker(right)


@pytest.mark.parametrize(("checker", "wrong", "words"), WRONG, ids=[f"{c.__name__}: {words}" for c, _, words in WRONG])
def test_a_wrong_answer_is_told_what_is_wrong_and_never_the_answer(checker, wrong, words):
    feedback = checker(wrong)
    assert feedback.state == "wrong"
    assert words in feedback.text
    assert not any(line in feedback.text for line in LESSON.solution_lines())


@pytest.mark.parametrize("seed", range(5))
def test_what_the_lesson_goes_on_with_does_as_its_solution(seed):
    catalogue = kt.Catalogue.positions(["sky", "sea"], rows=5, columns=7, cell_px=8)
    x, y, width, height = np.random.default_rng(seed).integers(1, 28, 4).tolist()
    region = kt.SourceRegion("sea", kt.Box(x, y, width, height))
    assert own_system.touched(catalogue, region) == LESSON.solved(1)[0](catalogue, region)
    with pytest.raises(UnknownNameError, match=r"seas.*sea"):
        own_system.touched(catalogue, kt.SourceRegion("seas", region.box))


@pytest.mark.parametrize("number", range(3))
def test_an_unsolved_exercise_is_open_and_stops_nothing(number):
    feedback = LESSON.solved(number)[1](unsolved)
    assert feedback.state == "open"
    assert "not solved yet" in repr(feedback)
