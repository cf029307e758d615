"""The gallery of the lessons, and the door to the sample data."""

import numpy as np
import pytest

from ktviz import samples
from ktviz.errors import UnknownNameError
from ktviz.figures.gallery import gallery

RED, BLUE = (np.full((4, 4, 3), colour, dtype=np.uint8) for colour in ((200, 0, 0), (0, 0, 200)))


def pixels(figure):
    figure.canvas.draw()
    return np.asarray(figure.canvas.buffer_rgba())[..., :3].astype(int)


def test_a_patch_is_magnified_without_mixing_its_pixels():
    patch = np.concatenate((RED[:, :2], BLUE[:, 2:]), axis=1)
    shown = pixels(gallery([patch], columns=2))
    inside = shown[100:300, 20:480].reshape(-1, 3)
    assert shown.shape[1] == 1000
    assert {tuple(colour) for colour in np.unique(inside, axis=0).tolist()} <= {(200, 0, 0), (0, 0, 200)}


def test_pictures_fill_row_after_row_with_their_labels_and_titles():
    figure = gallery([RED] * 5, list("abcde"), columns=2, title="Five")
    texts = [text.get_text() for text in figure.axes[0].texts]
    assert texts == ["Five", *"abcde"]
    left = [image.get_extent()[0] for image in figure.axes[0].images]
    assert left == [left[0], left[1]] * 2 + [left[0]]
    assert figure.get_size_inches()[1] > gallery([RED] * 2, columns=2).get_size_inches()[1]


def test_only_marked_pictures_are_framed():
    assert len(gallery([RED, BLUE]).axes[0].patches) == 0
    assert len(gallery([RED, BLUE], marked=[1]).axes[0].patches) == 1


def test_sample_photographs_have_names():
    assert samples.photo("coffee").shape == (400, 600, 3)
    with pytest.raises(UnknownNameError, match="Did you mean coffee"):
        samples.photo("cofee")
