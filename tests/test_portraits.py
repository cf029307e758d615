"""The generator of portraits: attributes change what they say, and nothing else."""

from __future__ import annotations

import numpy as np
import pytest

from sample_data.generator.portraits import ATTRIBUTES, portrait

SIZE = 48
BARE = dict.fromkeys(ATTRIBUTES, False) | {"Dark_Hair": True}
SEED = 300_029


def switched(name, shades_seed=None, size=SIZE):
    """A portrait without an attribute, and with it."""
    without, there = (portrait(SEED, BARE | {name: there}, shades_seed, size).picture for there in (False, True))
    return without, there


@pytest.mark.parametrize(
    ("name", "rows"),
    [("Fringe", slice(4, 26)), ("Smile", slice(18, 38)), ("Glasses", slice(16, 32)), ("Hat", slice(0, 28))],
)
def test_an_attribute_changes_its_part_of_the_picture_alone(name, rows):
    without, there = switched(name)
    changed = np.abs(there - without).max(2) > 0
    assert changed.any()
    changed[rows] = False
    assert not changed.any()


def test_a_smile_shows_teeth():
    without, there = switched("Smile", shades_seed=300_007, size=96)  # of somebody who laughs
    mouth = (slice(62, 76), slice(36, 60))
    assert there[mouth].min(2).max() > 0.85 > 0.75 > without[mouth].min(2).max()


def test_a_shade_changes_how_an_attribute_looks_and_nothing_where_it_is_not_there():
    one, other = (portrait(SEED, BARE, seed, SIZE).picture for seed in (1, 2))
    fringe = slice(0, 24)  # the shade of the hair always shows, the others do not
    assert np.abs(one - other)[24:40].max() < np.abs(one - other)[fringe].max()
    hats = [portrait(SEED, BARE | {"Hat": True}, seed, SIZE).picture[4:12, 16:32].mean((0, 1)) for seed in (1, 2)]
    assert np.abs(hats[0] - hats[1]).max() > 0.1


def test_the_shadow_of_a_brim_ends_before_the_picture_does():
    without, there = switched("Hat", shades_seed=300_022)
    assert portrait(SEED, BARE, 300_022, SIZE).face.shades.crown > 0.5
    assert np.abs(there - without)[:, 0].max() == 0


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        (({"Hatt": True},), "Hatt unknown; there are Dark_Hair"),
        (({"Dark_Hair": True, "Blond_Hair": True},), "give exactly one"),
        (({}, None, 8), "at least 32"),
    ],
)
def test_odd_wishes_are_refused(asked, said):
    with pytest.raises(ValueError, match=said):
        portrait(300_004, *asked)
