"""Files of the authors' code fill our networks, and others are named by the first tensor that differs."""

from __future__ import annotations

import json

import pytest
import torch

from ktviz.errors import WeightsError
from ktviz.systems.blocks.checkpoint import load_published
from ktviz.systems.cocosnet.discriminator import Discriminators
from ktviz.systems.pix2pixhd.networks import published_keys
from ktviz.systems.pix2pixhd.shape import PUBLISHED

NAME = "label2city_512p_feat"


@pytest.fixture(scope="module")
def published(shared):
    return json.loads((shared / "parity" / "checkpoint_keys.json").read_text())["entries"]


@pytest.fixture
def write(tmp_path):
    """Zeros of given names and shapes, but for some."""

    def make(keys, **others):
        path = tmp_path / "net.pth"
        torch.save({name: torch.zeros(shape) for name, shape in keys} | others, path)
        return path

    return make


def spent(network):
    return all((value == 0).all() for value in network.state_dict().values())


@pytest.mark.parametrize(
    "legacy", [{}, {"model.2.running_mean": torch.ones(16), "model.2.running_var": torch.ones(16)}]
)
def test_an_encoder_of_pix2pixhd(published, write, legacy):
    encoder = PUBLISHED[NAME].encoder()
    load_published(encoder, write(published[f"pix2pixhd/{NAME}"]["nets"]["E"], **legacy))
    assert spent(encoder)


def test_discriminators(published, write):
    discriminators = PUBLISHED[NAME].discriminators()
    load_published(discriminators, write(published[f"pix2pixhd/{NAME}"]["nets"]["D"]), published_keys)
    assert spent(discriminators)
    others = Discriminators(154, 64, attention=True)
    load_published(others, write(published["cocosnet/ade20k"]["nets"]["D"]), unused=".dec.")
    assert spent(others)


@pytest.mark.slow
@pytest.mark.parametrize("name", [NAME, "label2city_1024p"])
def test_a_generator_of_full_size_loads_and_paints(published, write, name):
    generator = PUBLISHED[name].generator().requires_grad_(False)
    load_published(generator, write(published[f"pix2pixhd/{name}"]["nets"]["G"]))
    assert generator(torch.rand(1, PUBLISHED[name].inside, 64, 128)).shape == (1, 3, 64, 128)


@pytest.mark.parametrize(
    ("change", "found"),
    [
        ({"model.1.bias": torch.zeros(8)}, r"model\.1\.bias is 8, not 16"),
        ({"model.99.weight": torch.zeros(1)}, r"the network has no model\.99\.weight"),
        ({"model.4.bias": torch.full((32,), torch.nan)}, r"NaN or infinity in model\.4\.bias"),
        ({"model.4.bias": None}, r"it lacks model\.4\.bias"),
    ],
)
def test_the_first_tensor_that_differs_is_named(published, write, change, found):
    encoder = PUBLISHED[NAME].encoder()
    before = {name: value.clone() for name, value in encoder.state_dict().items()}
    with pytest.raises(WeightsError, match=found):
        load_published(encoder, write(published[f"pix2pixhd/{NAME}"]["nets"]["E"], **change))
    assert all(torch.equal(value, before[name]) for name, value in encoder.state_dict().items())


def test_a_file_that_is_cut_off_or_not_there(published, write, tmp_path):
    path = write(published[f"pix2pixhd/{NAME}"]["nets"]["E"])
    path.write_bytes(path.read_bytes()[:-5000])
    with pytest.raises(WeightsError, match="damaged or not a checkpoint"):
        load_published(PUBLISHED[NAME].encoder(), path)
    with pytest.raises(WeightsError, match="no such file"):
        load_published(PUBLISHED[NAME].encoder(), tmp_path / "none.pth")
