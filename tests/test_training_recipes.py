"""Recipes for label maps: what is outside its range is refused, and what is inside can be stated in a log."""

import json
from dataclasses import asdict, replace

import numpy as np
import pytest

from ktviz.errors import SettingError
from ktviz.systems.cocosnet.losses import Weights
from ktviz.systems.pix2pixhd.shape import Shape
from ktviz.training import cocosnet, pix2pixhd

SHAPE = Shape(3, codes=3, width=4, downs=2, blocks=1, encoder_width=4, encoder_downs=1, discriminator_width=4)
PIX2PIXHD, COCOSNET = pix2pixhd.Recipe(shape=SHAPE), cocosnet.Recipe()
OF_BOTH = [
    {"steps": 0},
    {"steps": 1.5},
    {"steps": True},
    {"batch": 1.5},
    {"seed": -1},
    {"seed": 2**64},
    {"constant": 1.5},
    {"decay": float("nan")},
    {"learning_rate": -1.0},
    {"learning_rate": float("nan")},
    {"discriminator_rate": 0.0},
    {"discriminator_rate": "fast"},
    {"polish": -1.0},
    {"polish_rate": 1.5},
    {"polish_adversarial": -0.5},
    {"pixels": -4.0},
    {"pixels": float("inf")},
    {"crop": (128,)},
    {"crop": 128},
    {"crop": (128.0, 128)},
    {"crop": (128, 128, 128)},
    {"crop": (130, 128)},
    {"crop": (0, 128)},
]


@pytest.mark.parametrize(
    ("recipe", "changes"),
    [
        *((recipe, changes) for recipe in (PIX2PIXHD, COCOSNET) for changes in OF_BOTH),
        (PIX2PIXHD, {"whole": 1.5}),
        (PIX2PIXHD, {"perceptual": -1.0}),
        (PIX2PIXHD, {"shape": replace(SHAPE, codes=0)}),
        (PIX2PIXHD, {"shape": replace(SHAPE, coloured=True)}),
        (PIX2PIXHD, {"shape": "small"}),
        (PIX2PIXHD, {"shape": replace(SHAPE, encoder_downs=5), "crop": (80, 80)}),
        (PIX2PIXHD, {"shape": replace(SHAPE, downs=6), "crop": (64, 64)}),
        (COCOSNET, {"alike": -0.1}),
        (COCOSNET, {"itself": 0.7, "alike": 0.6}),
        (COCOSNET, {"polish_contextual": -1.0}),
        (COCOSNET, {"warmup": -3}),
        (COCOSNET, {"warmup": 2.5}),
        (COCOSNET, {"discriminator_width": 0}),
        (COCOSNET, {"weights": {"mask": 1.0}}),
    ],
)
def test_settings_outside_their_range_are_refused(recipe, changes):
    with pytest.raises(SettingError):
        replace(recipe, **changes)


@pytest.mark.parametrize(
    "changes",
    [{"mask": -1.0}, {"cycle": float("nan")}, {"domain": "much"}, {"depth": 5}, {"depth": 0.5}, {"finest": 1}],
)
def test_weights_of_losses_outside_their_range_are_refused(changes):
    with pytest.raises(SettingError):
        Weights(**changes)


def test_a_recipe_holds_only_numbers_that_a_log_can_state():
    weights = Weights(mask=np.float32(2), depth=np.int64(-2))
    given = {"steps": np.int64(5), "seed": np.uint8(3), "learning_rate": np.float32(0.5), "pixels": 2}
    recipe = cocosnet.Recipe(**given, crop=[np.int32(128), 192], weights=weights)
    stated = json.loads(json.dumps(asdict(recipe)))
    assert (stated["steps"], stated["seed"], stated["learning_rate"], stated["pixels"]) == (5, 3, 0.5, 2.0)
    assert (stated["crop"], stated["weights"]["mask"], stated["weights"]["depth"]) == ([128, 192], 2.0, -2)
    assert cocosnet.Recipe(**{**stated, "weights": Weights(**stated["weights"])}) == recipe
