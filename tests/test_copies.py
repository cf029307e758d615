"""Copies: a part of a work that was pasted into a photograph is found however it was laid, and clean ones have none."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from PIL import Image

import ktviz as kt
from ktviz.audit.copies import WINDOW, Seen, Work, found_in, two_nearest
from ktviz.images import read_image, resize, resize_short_side

LEFT, TOP, SIDE = 96, 96, 112
"""Where a part is pasted, and how large it is, in px."""
THUMB = 256
"""Shorter side of the work as a library holds it."""


@pytest.fixture(scope="module")
def original(samples):
    return read_image(samples / "art" / "woodcut" / "great-swell.jpg")


@pytest.fixture(scope="module")
def thumb(original):
    return resize_short_side(original, THUMB)


@pytest.fixture(scope="module")
def work(thumb):
    return made(thumb)


@pytest.fixture(scope="module")
def photo(samples):
    return resize_short_side(read_image(samples / "photos" / "coffee.jpg"), 320)


def test_the_two_nearest_local_features_and_their_distances_are_those_that_one_by_one_comparison_finds(work, photo):
    seen, form = Seen.create(photo), work.forms[0]
    first, second, nearest = two_nearest(form.descriptors, seen.descriptors)
    pairs = cv2.BFMatcher().knnMatch(form.descriptors, seen.descriptors, k=2)
    assert np.array_equal(first, [one.distance for one, _ in pairs])
    assert np.array_equal(second, [other.distance for _, other in pairs])
    apart = first < second  # of two that are as near, either is right
    assert np.array_equal(nearest[apart], np.array([one.trainIdx for one, _ in pairs])[apart])


def made(thumb):
    return Work("art/x.png", 1.0, (Seen.create(thumb), Seen.create(np.ascontiguousarray(thumb[:, ::-1]))))


def turned(picture, degrees):
    return np.asarray(Image.fromarray(picture).rotate(degrees, Image.Resampling.BICUBIC))


def scaled(picture, by):
    return resize(picture, round(picture.shape[1] * by), round(picture.shape[0] * by))


def pasted(photo, part):
    changed = photo.copy()
    changed[TOP : TOP + part.shape[0], LEFT : LEFT + part.shape[1]] = part
    return changed


def middle(picture):
    top, left = (max(0, length - SIDE) // 2 for length in picture.shape[:2])
    return picture[top : top + SIDE, left : left + SIDE]


KINDS = {
    "as it is": (lambda thumb, original: thumb, 1.0, 0, False),
    "mirrored": (lambda thumb, original: thumb[:, ::-1], 1.0, 0, True),
    "upside down": (lambda thumb, original: thumb[::-1], 1.0, 180, True),
    "at 0.9": (lambda thumb, original: scaled(thumb, 0.9), 0.9, 0, False),
    "at 0.6": (lambda thumb, original: scaled(thumb, 0.6), 0.6, 0, False),
    "of a larger original": (
        lambda thumb, original: scaled(original, 2 * THUMB / min(original.shape[:2])),
        2.0,
        0,
        False,
    ),
    "turned": (lambda thumb, original: turned(thumb, 7), 1.0, -7, False),
    "darker, with less contrast": (lambda thumb, original: (thumb * 0.6 + 10).astype(np.uint8), 1.0, 0, False),
}


@pytest.mark.parametrize("kind", KINDS)
def test_a_pasted_part_is_found_where_it_is_and_how_it_lies(work, photo, thumb, original, kind):
    change, scale, degrees, mirrored = KINDS[kind]
    part = middle(change(thumb, original))
    found = list(found_in(Seen.create(pasted(photo, part)), work, 1.0))
    assert found
    first = max(found, key=lambda row: row["area"])
    assert first["mirrored"] == mirrored
    assert first["scale"] == pytest.approx(scale, rel=0.03)
    assert abs((first["turned"] - degrees + 180) % 360 - 180) < 1.5
    for row in found:
        assert row["correlation"] >= 0.9
        assert row["x"] >= LEFT - WINDOW
        assert row["y"] >= TOP - WINDOW
        assert row["x"] + row["width"] <= LEFT + part.shape[1] + WINDOW
        assert row["y"] + row["height"] <= TOP + part.shape[0] + WINDOW


def test_the_place_in_the_work_is_told(work, photo, thumb):
    first = next(found_in(Seen.create(pasted(photo, thumb[40:152, 60:172])), work, 1.0))
    assert first["source_x"] - 60 == pytest.approx(first["x"] - LEFT, abs=2)
    assert first["source_y"] - 40 == pytest.approx(first["y"] - TOP, abs=2)


def test_clean_pictures_hold_no_copies(samples, photo):
    """Photographs and works of four styles, of which none shows the same."""
    seen = [Seen.create(photo), Seen.create(resize_short_side(read_image(samples / "photos" / "rocket.jpg"), 320))]
    works = [path for path in sorted((samples / "art").rglob("*.jpg")) if not path.name.startswith("after-")]
    for path in works[::3]:
        work = made(resize_short_side(read_image(path), THUMB))
        assert not [row for picture in seen for row in found_in(picture, work, 1.0)], path


def test_what_shows_nothing_agrees_with_nothing(work):
    flat = np.full((200, 200, 3), 128, np.uint8)
    assert not list(found_in(Seen.create(flat), work, 1.0))
    assert not list(found_in(work.forms[0], made(flat), 1.0))


def test_an_audit_tells_a_copy_and_says_nothing_of_a_clean_photo(tmp_path, samples, original, photo, thumb):
    """From file to table, with the boxes in px of the original work."""
    library = kt.Library.ensure(tmp_path / "l.ktlib", settings=kt.LibrarySettings(side_px=THUMB, stride=2))
    library.build("art/wood", [samples / "art" / "woodcut" / "great-swell.jpg"], quiet=True)
    translator = kt.Translator.shipped(library["art/wood"])
    small = photo[:240, :240]
    traces = [translator.traced(pixels) for pixels in (small, pasted(small, thumb[40:152, 60:172]))]
    clean, made_of = (kt.Audit.create(trace, sample=5, model=translator) for trace in traces)
    assert not len(clean.tables["copies"])
    row = made_of.tables["copies"].set_index("picture").loc["input"]
    px = min(original.shape[:2]) / THUMB
    assert row["source_x"] == pytest.approx((row["x"] - LEFT + 60) * px, abs=3 * px)
    assert row["scale"] == pytest.approx(1 / px, rel=0.03)
    assert made_of.verify(library, model=translator)
