"""Networks in a form that pages can run, and how a site saw the features of a photo."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional as F

import ktviz as kt
from ktviz import samples
from ktviz.networks.portable import portable
from ktviz.systems.kt.band_pictures import change_of
from ktviz.widgets.band_networks import band_networks
from ktviz.widgets.room import Room


def run(made, image):
    """What a page does, in numpy's numbers."""

    def conv(layer, x):
        weight = torch.from_numpy(made.weights[f"{layer['weights']}/weight"]).float()
        scale, bias = (torch.from_numpy(made.weights[f"{layer['weights']}/{one}"]) for one in ("scale", "bias"))
        side = layer["size"] // 2
        x = F.pad(x, (side,) * 4, mode="reflect") if side else x
        return F.conv2d(x, weight * scale[:, None, None, None], bias, stride=layer["stride"])

    for layer in made.layers:
        match layer["kind"]:
            case "conv":
                image = conv(layer, image)
            case "relu":
                image = image.relu()
            case "silu":
                image = F.silu(image)
            case "shuffle":
                image = F.pixel_shuffle(image, layer["factor"])
            case "residual":
                image = image + conv(layer["second"], F.silu(conv(layer["first"], F.silu(image))))
    return image


def test_the_shipped_networks_make_nearly_the_same_of_whole_bytes():
    encoder, decoder = kt.Encoder.shipped(), kt.Decoder.shipped()
    image = torch.rand(1, 3, 48, 48, generator=torch.Generator().manual_seed(0))
    features = encoder(image)
    small = portable(encoder.layers, "encoder"), portable(decoder.layers, "decoder")
    assert (run(small[0], image) - features).norm() < 0.05 * features.norm()
    assert 255 * (run(small[1], features) - decoder(features)).abs().mean() < 2
    assert sum(part.nbytes for one in small for part in one.weights.values()) < 1_200_000
    assert small[0].reach == 16


@pytest.mark.parametrize(
    "layer",
    [
        nn.Conv2d(3, 4, 3, padding=1),  # zeros around
        nn.Conv2d(3, 4, (1, 3), padding=(0, 1), padding_mode="reflect"),
        nn.Conv2d(4, 4, 3, padding=1, padding_mode="reflect", groups=2),
        nn.Conv2d(3, 4, 3, padding=2, dilation=2, padding_mode="reflect"),
        nn.MaxPool2d(2),
        nn.BatchNorm2d(3),
    ],
)
def test_what_pages_do_not_know_is_not_given_to_them(layer):
    assert portable([layer], "one") is None
    assert portable([nn.ReLU(), layer], "one") is None


def test_the_change_of_features_is_found_where_it_is_a_linear_map():
    random = torch.Generator().manual_seed(1)
    own = torch.randn(500, 6, generator=random)
    matrix, offset = torch.randn(6, 6, generator=random), torch.randn(6, generator=random)
    found = change_of(own, own @ matrix + offset)
    assert np.allclose(found[0], matrix, atol=1e-4)
    assert np.allclose(found[1], offset, atol=1e-4)
    assert change_of(own, own) == (None, None)
    assert change_of(own, own.square()) is None


def test_a_page_has_networks_where_there_is_room_and_pictures_where_there_is_not(world, paint):
    translate = kt.Translator.shipped(samples.bank("art/impasto", quiet=True))
    with kt.Explorer(translate.traced(paint(3, 64, 64))) as view:
        parts = band_networks(view._subject, Room(10**8))
        assert {"networks", "networks/matrix", "networks/offset"} <= set(parts)
        used = int((view._subject.shares["share"] > 0).sum())
        assert sum(name.startswith("bank/") for name in parts) == used
        assert band_networks(view._subject, Room(10**5)) is None
    with kt.Explorer(world.translator.traced(paint(3, 64, 64))) as view:  # its networks are no convolutions
        assert band_networks(view._subject, Room(10**8)) is None
