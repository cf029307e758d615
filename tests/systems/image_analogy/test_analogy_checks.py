"""What a whole analogy with the shipped networks must reach, on real photographs."""

import numpy as np
import pytest
import torch

from ktviz.images import read_image, resize, to_pixels, to_tensor
from ktviz.systems.image_analogy.inversion import energy, optimised
from ktviz.systems.image_analogy.method import Method
from ktviz.systems.image_analogy.settings import Settings
from ktviz.training.image_analogy import voted_pairs
from ktviz.training.warps import twins

SIDE_PX = 96
FROM_ANYWHERE = Settings(start="random")


@pytest.fixture(scope="module")
def shipped():
    return Method.shipped()


@pytest.fixture(scope="module")
def square(shared):
    """The middle of a picture of the pairs, by its folder and name."""

    def of(folder, name):
        picture = read_image(shared / "data/pairs/photo2photo_analogy" / folder / f"{name}.jpg")
        height, width = picture.shape[:2]
        side = min(height, width)
        top, left = (height - side) // 2, (width - side) // 2
        return resize(picture[top : top + side, left : left + side], SIDE_PX, SIDE_PX)

    return of


def contours(picture):
    down, across = np.gradient(picture.mean(2))
    return np.hypot(down, across).ravel()


@pytest.mark.parametrize(("name", "stranger"), [("cat_tiger", "yosemite"), ("flowers", "bird")])
def test_a_picture_that_was_bent_and_recoloured_is_found_from_a_random_field(shipped, square, name, stranger):
    picture = square("content", name)
    pair = twins(to_tensor(picture), np.random.default_rng(0))
    level = shipped(to_pixels(pair.twin), picture, FROM_ANYWHERE).level("conv1_1")
    truth = ((pair.origin[0] + 1) * SIDE_PX - 1) / 2
    inside = ((truth >= 0) & (truth <= SIDE_PX - 1)).all(2)
    rough = torch.from_numpy(contours(to_pixels(pair.twin)).reshape(SIDE_PX, SIDE_PX))
    error = (level.sides["ab"].search.field.flip(2) - truth).norm(dim=2)
    assert error[inside & (rough >= rough.median())].median() <= 2
    assert level.consistency().median() <= 2
    unrelated = shipped(picture, square("content", stranger), FROM_ANYWHERE).level("conv1_1")
    assert unrelated.consistency().median() > 4 * level.consistency().median().clamp(min=1)


@pytest.mark.parametrize("level", [2, 3, 4, 5])
def test_inversion_leaves_a_tenth_of_the_energy_and_a_warm_start_begins_lower(shipped, square, level):
    pyramid = shipped.pyramid
    here, there = ([image[0], *(f[0] for f in pyramid(image))] for image in map(to_tensor, two(square)))
    warm, target = (part[None] for part in voted_pairs(here, there)[level])
    random = torch.rand(warm.shape, generator=torch.Generator().manual_seed(0)) * 2 * warm.mean()
    found = optimised(pyramid, random, there[level][None], level, iterations=50)
    assert found.after <= 0.1 * found.before
    assert energy(pyramid, warm, target, level) < energy(pyramid, random, target, level)


def two(square):
    return square("content", "cat_tiger"), square("reference", "cat_tiger")


def test_the_more_is_blended_in_the_more_of_the_picture_stays(shipped, square):
    a, b_prime = two(square)
    kept = []
    for alpha in (0.0, 0.5, 1.0):
        made = shipped(a, b_prime, Settings(blend=(alpha,) * 5, iterations=5)).a_prime
        kept.append(np.corrcoef(contours(a), contours(made))[0, 1])
    assert kept == sorted(kept)
    assert kept[2] > kept[0] + 0.2
