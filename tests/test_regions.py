"""Regions: which pixels a box, a mask, a polygon or a pixel means, and which are refused."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from ktviz.errors import RegionError
from ktviz.regions import Box, bounding_box, region_mask

HEIGHT, WIDTH = 20, 30


def pixels(region):
    """The set of (x, y) that a region covers in an image of 30x20 px."""
    mask = region_mask(region, HEIGHT, WIDTH)
    assert mask.shape == (HEIGHT, WIDTH)
    assert mask.dtype == bool
    return {(x, y) for y, x in zip(*np.nonzero(mask), strict=True)}


def inside_convex(corners, x, y):
    """Whether a point is on one side of all edges of a convex polygon."""
    edges = [*pairwise(corners), (corners[-1], corners[0])]
    sides = [(x1 - x0) * (y - y0) - (y1 - y0) * (x - x0) for (x0, y0), (x1, y1) in edges]
    return all(s > 0 for s in sides) or all(s < 0 for s in sides)


def test_none_is_the_whole_image():
    assert len(pixels(None)) == HEIGHT * WIDTH


def test_a_box_covers_its_pixels_and_no_other():
    assert pixels(Box(3, 5, 4, 2)) == {(x, y) for x in range(3, 7) for y in range(5, 7)}


def test_a_box_may_be_the_whole_image():
    assert pixels(Box(0, 0, WIDTH, HEIGHT)) == pixels(None)


def test_a_box_between_pixels_covers_every_pixel_that_it_touches():
    assert pixels(Box(3.5, 5.25, 1, 0.5)) == {(3, 5), (4, 5)}


def test_a_box_knows_its_other_corner_and_its_centre():
    box = Box(3, 5, 4, 2)
    assert (box.right, box.bottom, box.centre) == (7, 7, (5, 6))


@pytest.mark.parametrize("pixel", [(7, 4), [7, 4], np.array([7, 4]), (7.5, 4.9)])
def test_a_pair_of_numbers_is_one_pixel(pixel):
    assert pixels(pixel) == {(7, 4)}


def test_the_last_pixel_belongs_to_the_image():
    assert pixels((WIDTH - 1, HEIGHT - 1)) == {(WIDTH - 1, HEIGHT - 1)}


def test_a_mask_means_itself():
    mask = np.random.default_rng(0).random((HEIGHT, WIDTH)) < 0.3
    assert np.array_equal(region_mask(mask, HEIGHT, WIDTH), mask)
    assert np.array_equal(region_mask(mask.tolist(), HEIGHT, WIDTH), mask)


@pytest.mark.parametrize(
    "corners",
    [
        [(2.2, 3.1), (25.7, 5.3), (11.4, 18.9)],
        [(11.4, 18.9), (25.7, 5.3), (2.2, 3.1)],
        [(5.1, 1.2), (20.3, 1.9), (28.8, 9.7), (19.2, 18.4), (4.3, 13.3)],
        [(3, 2), (10, 2), (10, 9), (3, 9)],
    ],
)
def test_a_polygon_covers_the_pixels_whose_centre_is_inside(corners):
    expected = {(x, y) for y in range(HEIGHT) for x in range(WIDTH) if inside_convex(corners, x + 0.5, y + 0.5)}
    assert pixels(corners) == expected
    assert pixels(np.array(corners)) == expected


def test_polygons_that_share_an_edge_leave_no_gap_and_do_not_overlap():
    """The edge runs through centres of pixels."""
    upper, lower = pixels([(4, 4), (16, 4), (16, 16)]), pixels([(4, 4), (16, 16), (4, 16)])
    assert not upper & lower
    assert upper | lower == pixels(Box(4, 4, 12, 12))


def test_a_polygon_that_crosses_itself_is_read_by_the_even_odd_rule():
    """A pentagram: its tips are inside, its middle is crossed twice."""
    angle = np.pi / 2 + 4 * np.pi / 5 * np.arange(5)
    star = pixels(np.stack((15 + 9.5 * np.cos(angle), 10 - 9.5 * np.sin(angle)), axis=1))
    assert (15, 10) not in star
    assert (15, 2) in star


def test_the_box_around_a_mask_is_the_smallest():
    mask = np.zeros((HEIGHT, WIDTH), dtype=bool)
    mask[4, 7] = mask[9, 12] = True
    assert bounding_box(mask) == Box(7, 4, 6, 6)


@pytest.mark.parametrize("box", [Box(-1, 0, 4, 4), Box(0, -0.1, 4, 4), Box(27, 0, 4, 4), Box(0, 17, 4, 4)])
def test_a_box_that_leaves_the_image_is_refused_with_the_images_size(box):
    with pytest.raises(RegionError, match="not inside the image of 30x20 px"):
        pixels(box)


@pytest.mark.parametrize("box", [Box(3, 3, 0, 5), Box(3, 3, 5, 0), Box(3, 3, -2, 5), Box(3.5, 3.5, 0, 0)])
def test_a_box_without_area_is_refused(box):
    with pytest.raises(RegionError, match="empty"):
        pixels(box)


@pytest.mark.parametrize("bad", [float("nan"), float("inf"), -float("inf")])
def test_numbers_that_are_not_finite_are_refused(bad):
    regions = [Box(bad, 0, 4, 4), Box(0, 0, 4, bad), (bad, 3), [(1, 1), (5, bad), (9, 9)]]
    for region in regions:
        with pytest.raises(RegionError, match="not finite"):
            pixels(region)


@pytest.mark.parametrize("pixel", [(WIDTH, 0), (0, HEIGHT), (-1, 0), (0, -1)])
def test_a_pixel_outside_is_refused(pixel):
    with pytest.raises(RegionError, match="not inside the image"):
        pixels(pixel)


def test_an_empty_mask_is_refused():
    with pytest.raises(RegionError, match="an empty mask"):
        pixels(np.zeros((HEIGHT, WIDTH), dtype=bool))


@pytest.mark.parametrize(
    "region",
    [
        np.ones((WIDTH, HEIGHT), dtype=bool),
        np.ones((HEIGHT, WIDTH, 1), dtype=bool),
        np.array([True, False]),
        [(1, 2), (3, 4)],
        [],
        "sky",
        ("1", "2"),
        7,
        (1, 2, 3),
    ],
)
def test_what_is_no_region_is_refused_with_the_shapes_that_are(region):
    with pytest.raises(RegionError, match=r"Give a Box, a bool mask of shape \(20, 30\)"):
        pixels(region)


def test_corners_that_are_not_pairs_are_refused():
    with pytest.raises(RegionError, match="not pairs"):
        pixels([(1, 2), (3, 4), (5,)])


def test_a_polygon_that_leaves_the_image_is_refused():
    with pytest.raises(RegionError, match="polygon of 3 corners"):
        pixels([(1, 1), (40, 1), (1, 9)])


@pytest.mark.parametrize("corners", [[(1, 1), (5, 1), (9, 1)], [(2, 2), (2, 2), (2, 2)]])
def test_a_polygon_without_area_is_refused(corners):
    with pytest.raises(RegionError, match="empty"):
        pixels(corners)


def test_a_polygon_between_the_centres_of_pixels_is_refused():
    with pytest.raises(RegionError, match="no pixel's centre"):
        pixels([(3.6, 3.6), (3.9, 3.6), (3.6, 3.9)])


def test_numbers_in_the_place_of_a_mask_are_refused_with_the_way_to_make_one():
    with pytest.raises(RegionError, match=r"numbers, not a mask. Say which pixels"):
        region_mask(np.ones((HEIGHT, WIDTH), dtype=np.uint8), HEIGHT, WIDTH)
