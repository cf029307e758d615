"""Codes on a map: principal components with their part of the variance, and the way back to a code."""

import numpy as np
import pytest
from sklearn.decomposition import PCA

from ktviz.explain.projection import Projection, apart, spread


@pytest.fixture
def codes():
    """Correlated, and not around 0."""
    random = np.random.default_rng(4)
    return random.normal(size=(40, 6)) @ random.normal(size=(6, 6)) + random.normal(size=6)


def test_axes_and_variance_are_those_of_principal_components(codes):
    found, known = Projection.of(codes), PCA(2).fit(codes)
    assert found.explained == pytest.approx(known.explained_variance_ratio_)
    assert np.abs(np.sum(found.axes * known.components_, axis=1)) == pytest.approx([1, 1])
    assert np.abs(found.places(codes)) == pytest.approx(np.abs(known.transform(codes)))
    assert found.axes @ found.axes.T == pytest.approx(np.eye(2), abs=1e-12)


def test_the_explained_part_is_what_places_keep_of_the_distances_to_the_mean(codes):
    found = Projection.of(codes)
    kept = np.square(found.places(codes)).sum(0) / np.square(codes - codes.mean(0)).sum()
    assert found.explained == pytest.approx(kept)


def test_an_axis_points_to_where_its_largest_number_is_positive(codes):
    for one in (codes, -codes):
        axes = Projection.of(one).axes
        assert (axes[np.arange(2), np.abs(axes).argmax(1)] > 0).all()


def test_a_moved_code_lies_where_it_was_moved_to_and_keeps_all_else(codes):
    found, code = Projection.of(codes), codes[7]
    moved = found.moved(code, np.array([1.5, -0.25]))
    assert found.places(moved) - found.places(code) == pytest.approx([1.5, -0.25])
    rest = np.eye(6) - found.axes.T @ found.axes
    assert rest @ moved == pytest.approx(rest @ code)
    assert apart(moved[None], code) == pytest.approx(np.hypot(1.5, 0.25))


def test_a_code_that_is_not_moved_is_the_same_bit_for_bit(codes):
    found = Projection.of(codes)
    assert all(np.array_equal(found.moved(code, np.zeros(2)), code) for code in codes)


@pytest.mark.parametrize(
    ("codes", "explained"),
    [
        (np.array([[1.0, 2, 3]]), [0, 0]),
        (np.full((5, 3), 2.5), [0, 0]),
        (np.array([[0.0, 0, 0], [0, 3, 4]]), [1, 0]),
        (np.array([[1.0], [4.0], [2.0]]), [1, 0]),
        (np.array([[0.0, 0], [1, 1], [2, 0]]), [0.75, 0.25]),
    ],
    ids=["one", "equal", "two", "a single number", "a plane"],
)
def test_few_or_equal_codes_have_a_map_that_says_what_it_shows(codes, explained):
    found = Projection.of(codes)
    assert found.explained == pytest.approx(explained)
    assert np.isfinite(found.places(codes)).all()
    back = found.mean + found.places(codes) @ found.axes
    assert back == pytest.approx(codes)
    assert np.isfinite(found.moved(codes[0], np.array([3.0, 4.0]))).all()


def test_places_are_spread_by_taking_the_farthest_from_all_before():
    places = np.array([[0.0, 0], [1, 0], [10, 0], [10, 1], [4, 0]])
    assert spread(places, 0, 3) == [0, 3, 4]
    assert sorted(spread(places, 2, 99)) == [0, 1, 2, 3, 4]
    assert spread(places[:1], 0, 5) == [0]
