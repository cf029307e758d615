"""The checkers of lesson 2: each accepts the lesson's solution, and says what is wrong with others, never how."""

from __future__ import annotations

import pytest
import torch
from exercises import Lesson, unsolved
from torch.nn import functional as F

from ktviz.lessons import bhkm
from ktviz.library.kinds.patches.bands import haar

LESSON = Lesson("02_bhkm_step_by_step.ipynb", bhkm, {"torch": torch, "F": F})


def quadrants(patches):
    a, b, c, d = patches[..., :2, :2], patches[..., :2, 2:], patches[..., 2:, :2], patches[..., 2:, 2:]
    return torch.stack([a + b + c + d, b + d - a - c, c + d - a - b, a + d - b - c], 1) / 2


def signed(*signs):
    return lambda patches: haar(patches) * torch.tensor(signs)[:, None, None, None]


HAAR = [
    (lambda p: haar(p) / 2, "0.25 times the energy"),
    (lambda p: haar(p)[:, [0, 2, 1, 3]], "only LH and LL may answer, but your HL"),
    (signed(1, -1, 1, 1), "LH is positive, yours is negative"),
    (signed(1, 1, 1, -1), "HH is positive, yours is negative"),
    (quadrants, "are the four cells of a block neighbours?"),
    (lambda p: haar(p).flip(-1), "do not stand where their 2x2 blocks stand"),
    (lambda p: haar(p).movedim(1, 2), "yours gives (40, 3, 4, 2, 2)"),
    (lambda p: list(haar(p).unbind(1)), "must be numbers in one tensor, yours are a list"),
    (lambda p: 0 * haar(p), "your LL is empty"),
    (lambda p: None, "it returns nothing"),
    (lambda p: haar(p)[:, [1, 0, 2, 3]], "your LH holds something"),
    (lambda p: p.no_such_thing, "it raised AttributeError in line"),
]


def cosine(one, other):
    return F.cosine_similarity(one.flatten(), other.flatten(), dim=0)


SIMILARITY = [
    (cosine, "it changes when HH alone changes"),
    (lambda q, e: (q[:3] * e[:3]).sum(), "three times the contrast"),
    (lambda q, e: (q[:3] * e[:3]).sum() / q.norm() / e.norm(), "from the product and from the lengths"),
    (lambda q, e: sum(cosine(a, b) for a, b in zip(q[:3], e[:3], strict=True)) / 3, "as much say as the others"),
    (lambda q, e: cosine(q[:3], e[:3]).abs(), "opposite directions, yours says 1"),
    (lambda q, e: cosine(q[:3], -e[:3]), "that is 1, yours says -1"),
    (lambda q, e: F.cosine_similarity(q, e, dim=0), "one similarity, yours has the shape (3, 2, 2)"),
    (lambda q, e: cosine(q[:3], e[:3]) ** 3, "its values are off"),
    (lambda q, e: torch.tensor(float("nan")), "not a finite number"),
    (lambda q, e: q.flatten() @ e, "it raised RuntimeError in line"),
]


def kmeans(points, centres, unit=True, keep=True, assign=torch.argmax):
    labels = assign(points @ centres.T, 1)
    members = [points[labels == number] for number in range(len(centres))]
    moved = [mine.mean(0) if len(mine) or not keep else old for mine, old in zip(members, centres, strict=True)]
    return labels, F.normalize(torch.stack(moved), dim=1) if unit else torch.stack(moved)


ROUND = [
    (lambda p, c: kmeans(p, c, unit=False), "your centres have lengths from"),
    (lambda p, c: kmeans(p, c, keep=False), "became NaN"),
    (lambda p, c: kmeans(p, c, assign=torch.argmin), "farthest centre"),
    (lambda p, c: (kmeans(p, c)[0], c), "have not moved"),
    (lambda p, c: (kmeans(p, c)[0], kmeans(p, c)[1][:4]), "5 centres must stay (5, 12)"),
    (lambda p, c: kmeans(p, c)[1], "it must return two things"),
    (lambda p, c: (kmeans(p, c)[0][:, None], c), "labels, yours are (161, 1)"),
    (lambda p, c: (kmeans(p, c)[0].roll(1), c), "not with the centre they have the largest cosine with"),
    (lambda p, c: (kmeans(p, c)[0], F.normalize(kmeans(p, c)[1] + 0.1, dim=1)), "must stay where it was"),
]


def walk(query, tree, node=0):
    while len(tree.children[node]):
        children = tree.children[node]
        node = int(children[(F.normalize(tree.centres[children], dim=1) @ query).argmax()])
    return node


def nearest_leaf(query, tree):
    return tree.leaves[(F.normalize(tree.centres[tree.leaves], dim=1) @ query).argmax()]


def place_of_leaf(query, tree):
    leaf = walk(query, tree)
    return int((tree.children[int(tree.parent[leaf])] == leaf).nonzero())


DESCENT = [
    (lambda q, t: int(t.children[0][(F.normalize(t.centres[t.children[0]], dim=1) @ q).argmax()]), "has children"),
    (place_of_leaf, "among its siblings"),
    (nearest_leaf, "it compares all leaves"),
    (lambda q, t: walk(-q, t), "the child that is least similar"),
    (lambda q, t: bhkm.ends(q[None], t, long=True)[0], "long centres win"),
    (lambda q, t: 99, "node 99 is none of the 12 nodes"),
    (lambda q, t: 3, "a leaf that greedy descent does not reach"),
    (lambda q, t: 2.5, "a whole number"),
    (lambda q, t: t.leaves, "yours gives 7 numbers"),
]


def recall_of(exact_entry, exact, entry, similarity):
    return (entry == exact_entry).float().mean()


REGRET = [
    (lambda *a: (100 * recall_of(*a), 0.0), "from 0 to 1; yours is 74"),
    (lambda *a: (1 - recall_of(*a), 0.0), "the queries that missed"),
    (lambda *a: ((a[1] == a[3]).float().mean(), 0.0), "Recall asks for the entry itself"),
    (lambda *a: (0.5, 0.0), "not the part of the queries that found"),
    (lambda *a: (recall_of(*a), (a[3] - a[1]).mean()), "your regret is negative"),
    (lambda *a: (recall_of(*a), (a[1] - a[3])[a[0] != a[2]].mean()), "All queries count"),
    (lambda *a: (recall_of(*a), (a[1] - a[3]).sum()), "the sum over the queries"),
    (lambda *a: (recall_of(*a), ((a[1] - a[3]) / a[1]).mean()), "a difference is asked"),
    (lambda *a: (recall_of(*a), (a[1] - a[3]).median()), "not the mean difference"),
    (recall_of, "it must return two numbers"),
]
WRONG = [
    (checker, *case)
    for checker, cases in (
        (bhkm.check_haar, HAAR),
        (bhkm.check_similarity, SIMILARITY),
        (bhkm.check_round, ROUND),
        (bhkm.check_descent, DESCENT),
        (bhkm.check_regret, REGRET),
    )
    for case in cases
]


@pytest.mark.parametrize("number", range(5))
def test_the_lesson_s_solution_is_accepted_by_its_checker(number):
    solution, checker = LESSON.solved(number)
    feedback = checker(solution)
    assert feedback.state == "right", feedback
    assert repr(feedback).startswith("✓ Exercise")


@pytest.mark.parametrize(("checker", "wrong", "words"), WRONG, ids=[words for _, _, words in WRONG])
def test_a_wrong_answer_is_told_what_is_wrong_and_never_the_answer(checker, wrong, words):
    feedback = checker(wrong)
    assert feedback.state == "wrong"
    assert words in feedback.text
    assert not any(line in feedback.text for line in LESSON.solution_lines())
    assert words.replace(">", "&gt;") in feedback._repr_html_()


@pytest.mark.parametrize("number", range(5))
def test_an_unsolved_exercise_is_open_and_stops_nothing(number):
    feedback = LESSON.solved(number)[1](unsolved)
    assert feedback.state == "open"
    assert "not solved yet" in repr(feedback)


def test_what_torch_has_not_implemented_is_not_taken_for_unsolved():
    def unlucky(patches):
        raise NotImplementedError("Could not run 'aten::mm'")

    assert bhkm.check_haar(unlucky).state == "wrong"
    assert "aten::mm" in bhkm.check_haar(unlucky).text


def test_a_checker_lends_its_data_and_keeps_its_own():
    def greedy_hands(patches):
        bands = haar(patches)
        patches.zero_()
        return bands

    assert bhkm.check_haar(greedy_hands).state == "right"
