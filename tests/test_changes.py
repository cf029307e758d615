"""What is asked of pictures in a training of attributes, and where it shows."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch

from ktviz.training.changes import Changes, covered

NAMES = ("Dark", "Blond", "Hat", "Smile", "Sunny", "Old")
SIDE = 32
COUNT = 600


@pytest.fixture(scope="module")
def changes():
    """Noise: hair is a shade of the upper half, most of it in the middle; a hat covers its top; a smile is below; where
    it is sunny, all is lighter; age is a shade of the lower half, most of it on the left."""
    random = np.random.default_rng(0)
    values = random.normal(128, 20, (COUNT, SIDE, SIDE, 3))
    has = random.integers(0, 2, (COUNT, 6))
    has[:, 1] = 1 - has[:, 0]
    values[has[:, 0] > 0, :20] += 15
    values[has[:, 0] > 0, 4:14, 8:24] += 60
    values[has[:, 2] > 0, :6] -= 80
    values[has[:, 3] > 0, 26:30, 10:20] += 60
    values[has[:, 4] > 0] += 50
    values[has[:, 5] > 0, 14:] -= 12
    values[has[:, 5] > 0, 16:28, :6] -= 60
    data = SimpleNamespace(
        pictures=values.clip(0, 255).astype(np.uint8), has=torch.from_numpy(has).float(), attributes=NAMES
    )
    return Changes(data, [("Dark", "Blond")], "cpu")


def test_one_change_is_drawn_and_a_group_changes_together(changes):
    difference = torch.zeros(3, 6)
    difference[0, 0], difference[0, 1] = 1, -1
    difference[1] = 1
    torch.manual_seed(0)
    kinds = set()
    for _ in range(40):
        found = changes.one(difference)
        assert torch.equal(found[0], difference[0])
        assert not found[2].any()
        kinds.add(tuple(found[1].tolist()))
    assert kinds == {(1, 1, 0, 0, 0, 0), *(tuple(float(n == place) for n in range(6)) for place in range(2, 6))}
    assert sorted(changes.groups) == [[0, 1], [2], [3], [4], [5]]
    clearest = [float(changes.effect[group[0]].max()) for group in changes.groups]
    assert clearest == sorted(clearest, reverse=True)


@pytest.mark.parametrize("single", [0.0, 1.0])
def test_one_is_asked_for_or_all(changes, single):
    difference = torch.tensor([[0.0, 0, 1, 1, 1, 0]] * 20)
    asked = changes.one_or_all(difference, single).abs().sum(1)
    assert asked.tolist() == [1.0 if single else 3.0] * 20


def test_a_group_has_one_place(changes):
    assert torch.equal(changes.shown[0], changes.shown[1])
    assert changes.shown[0, 0, 10, 16] == 1
    assert changes.shown[2, 0, 10, 16] == 0


def test_what_shows_in_much_of_a_picture_is_looked_at_where_it_shows_most(changes):
    assert changes.wide.tolist() == [True, True, False, False, True, True]
    assert changes.strongest[0, 0, 10, 16] == 1
    assert changes.strongest[0, 0, 18, 1] < changes.shown[0, 0, 18, 1]
    assert torch.equal(changes.strongest[2], changes.shown[2])


def test_what_shows_everywhere_is_no_change_in_one_place(changes):
    torch.manual_seed(0)
    found = {tuple(changes.in_one_place(torch.tensor([[1.0, 1, 1, 1, 1, 0]]))[0][0].tolist()) for _ in range(40)}
    assert found == {(1, 1, 0, 0, 0, 0), (0, 0, 1, 0, 0, 0), (0, 0, 0, 1, 0, 0)}
    nothing, where = changes.in_one_place(torch.tensor([[0.0, 0, 0, 0, 1, 0]]))
    assert not nothing.any()
    assert not where.any()


def test_hair_comes_without_the_hat_and_a_hat_with_what_hair_it_hides(changes):
    torch.manual_seed(0)
    both, hair = torch.tensor([[1.0, -1, 1, 0, 0, 0]]), torch.tensor([[1.0, -1, 0, 0, 0, 0]])
    for _ in range(20):
        one, where = changes.in_one_place(both)
        if one[0, 2]:
            assert torch.equal(where[0], changes.strongest[2])
        else:
            assert torch.equal(where[0], changes.strongest[0] * (1 - changes.strongest[2]))
    assert torch.equal(changes.in_one_place(hair)[1][0], changes.strongest[0])


def test_hair_and_age_do_not_change_together(changes):
    torch.manual_seed(0)
    both, age = torch.tensor([[1.0, -1, 0, 1, 0, 1]]), torch.tensor([[0.0, 0, 0, 0, 0, 1]])
    assert {tuple(changes.in_one_place(both)[0][0].tolist()) for _ in range(20)} == {(0, 0, 0, 1, 0, 0)}
    one, where = changes.in_one_place(age)
    assert torch.equal(one, age)
    assert torch.equal(where[0], changes.strongest[5])
    assert where[0, 0, 20, 2] == 1
    assert where[0, 0, 20, 28] == 0


def test_of_places_that_nobody_knows_nothing_is_asked_around():
    random = np.random.default_rng(0)
    has = torch.from_numpy(random.integers(0, 2, (400, 2))).float()
    data = SimpleNamespace(
        pictures=random.integers(0, 256, (400, 8, 8, 3)).astype(np.uint8), has=has, attributes=("Kind", "Tall")
    )
    unseen = Changes(data, [], "cpu")
    assert not unseen.around(torch.tensor([[1.0, 0.0]])).any()
    assert unseen.around(torch.zeros(1, 2)).min() == 1


def test_around_is_where_nothing_of_what_is_asked_for_shows(changes):
    difference = torch.tensor([[0.0, 0, -1, 1, 0, 0]])
    assert torch.equal(changes.around(difference)[0], 1 - torch.maximum(changes.shown[2], changes.shown[3]))
    assert not covered(changes.shown, torch.zeros(2, 6)).any()
