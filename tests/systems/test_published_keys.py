"""The published sizes have the tensors of the authors' checkpoints, by name and shape."""

from __future__ import annotations

import json

import pytest
import torch

from ktviz.systems.blocks.checkpoint import LEGACY
from ktviz.systems.cocosnet.correspondence import Correspondence, Shape
from ktviz.systems.cocosnet.discriminator import Discriminators
from ktviz.systems.cocosnet.generator import Generator
from ktviz.systems.munit.shape import PUBLISHED as MUNIT
from ktviz.systems.pix2pixhd.networks import published_keys
from ktviz.systems.pix2pixhd.shape import PUBLISHED


@pytest.fixture(scope="module")
def published(shared):
    return json.loads((shared / "parity" / "checkpoint_keys.json").read_text())["entries"]


def tensors(build):
    """Names and shapes of a network that is never made."""
    with torch.device("meta"):
        return {name: list(value.shape) for name, value in build().state_dict().items()}


@pytest.mark.parametrize("name", PUBLISHED)
def test_pix2pixhd(published, name):
    shape, nets = PUBLISHED[name], published[f"pix2pixhd/{name}"]["nets"]
    assert tensors(shape.generator) == dict(nets["G"])
    assert tensors(shape.discriminators) == published_keys(dict(nets["D"]))
    assert ("E" in nets) == (shape.codes > 0)
    if "E" in nets:
        assert tensors(shape.encoder) == dict(nets["E"])


def test_munit(published):
    """Buffers of norms that need none are not ours; a file has the generators of both domains, alike."""
    for part, build in (("gen", MUNIT["edges2shoes"].generator), ("dis", MUNIT["edges2shoes"].discriminators)):
        (held,) = (keys for name, keys in published["munit/edges2shoes"]["nets"].items() if name.startswith(part))
        assert tensors(build) == {name: shape for name, shape in held if not name.endswith(LEGACY)}


@pytest.mark.parametrize(
    ("name", "shape"),
    [
        ("ade20k", Shape(classes=151)),
        ("celebahq", Shape(classes=19, kernel=4)),
        ("celebahqedge", Shape(classes=15, kernel=4)),
        ("deepfashion", Shape(classes=20, kernel=4, masks=False)),
    ],
)
def test_cocosnet(published, name, shape):
    nets, inside = published[f"cocosnet/{name}"]["nets"], shape.classes + 3
    assert tensors(lambda: Correspondence(shape)) == dict(nets["Corr"])
    assert tensors(lambda: Generator(inside, 64, 128, attention=True)) == dict(nets["G"])
    ours = tensors(lambda: Discriminators(inside, 64, attention=True))
    assert ours == {key: shape for key, shape in nets["D"] if ".dec." not in key}
