"""Overlap: each pixel's credit goes in equal parts to the boxes that cover it."""

import numpy as np
import pytest

from ktviz.trace.overlap import box_sums, boxes_reaching, coverage, overlap


def boxes_of(*boxes):
    return np.array(boxes, dtype=np.float32)


def test_two_boxes_share_what_they_both_cover():
    # 24x16 px: each box has 8 columns alone and half of the 8 that they share.
    two = boxes_of((0, 0, 16, 16), (8, 0, 16, 16))
    assert overlap(two, np.ones((16, 24))).tolist() == pytest.approx([0.5, 0.5])
    # Of the picture only 18 columns are seen: 8 + 4 for the first, 4 + 2 for the second.
    assert overlap(two, np.ones((16, 18))).tolist() == pytest.approx([12 / 18, 6 / 18])


def test_a_region_gives_nothing_to_boxes_outside_it_not_even_dust():
    mask = np.zeros((64, 64), bool)
    mask[:16, :16] = True
    many = boxes_of(*((x, y, 16, 16) for y in range(0, 56, 8) for x in range(0, 56, 8)))
    weight = overlap(many, mask)
    reaches = (many[:, 0] < 16) & (many[:, 1] < 16)
    assert (weight[~reaches] == 0).all()
    assert (weight[reaches] > 0).all()
    assert weight.sum() == pytest.approx(1)


@pytest.mark.parametrize("seed", range(4))
def test_any_boxes_and_weights_are_credited_pixel_by_pixel(seed):
    random = np.random.default_rng(seed)
    corner, size = random.integers(0, 30, (12, 2)), random.integers(1, 20, (12, 2))
    many = np.concatenate((corner, size), 1).astype(np.float32)
    weight = random.random((37, 41))
    expected, cover = np.zeros(12), np.zeros(weight.shape)
    for x, y, w, h in many.astype(int):
        cover[y : y + h, x : x + w] += 1
    for n, (x, y, w, h) in enumerate(many.astype(int)):
        expected[n] = (weight / np.maximum(cover, 1))[y : y + h, x : x + w].sum() / weight.sum()
    assert np.array_equal(coverage(many, *weight.shape), cover)
    assert overlap(many, weight) == pytest.approx(expected)


@pytest.mark.parametrize("seed", range(4))
def test_a_part_of_a_picture_is_credited_as_within_the_whole_picture(seed):
    random = np.random.default_rng(seed)
    many = random.uniform((-5, -5, 0.5, 0.5), (40, 36, 20, 20), (40, 4)).round(1 - seed % 2).astype(np.float32)
    many = np.concatenate((many, many + 0.5))  # edges between two pixels are rounded to the same one
    mask = np.zeros((37, 41), bool)
    (y, x), (height, width) = random.integers(0, 25, 2), random.integers(1, 12, 2)
    mask[y : y + height, x : x + width] = random.random((height, width)) < 0.7
    mask[y, x] = True
    credit = mask / np.maximum(coverage(many, *mask.shape), 1)
    assert overlap(many, mask) == pytest.approx(box_sums(credit, many) / mask.sum())
    assert np.array_equal(boxes_reaching(many, mask), box_sums(mask.astype(float), many) > 0.5)


def test_an_empty_region_reaches_nothing():
    assert not boxes_reaching(boxes_of((0, 0, 16, 16)), np.zeros((20, 20), bool)).any()
