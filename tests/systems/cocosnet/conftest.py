"""Small networks that nobody trained, label maps and pictures in blocks: enough for cells to be told apart."""

from dataclasses import replace

import numpy as np
import pytest
import torch

import ktviz as kt
from ktviz.labels import Classes
from ktviz.systems.cocosnet.configuration import Configuration
from ktviz.systems.cocosnet.correspondence import Shape
from ktviz.systems.cocosnet.networks import Networks

NAMES = ("sky", "road", "car", "tree", "unknown")
CLASSES = Classes(NAMES, ((70, 130, 180), (128, 64, 128), (0, 0, 142), (0, 90, 0), (0, 0, 0)))
CONFIGURATION = Configuration(
    CLASSES, Shape(5, width=2, features=8, descriptor=6, hidden=6), width=3, hidden=6, attention=False
)

MAPLESS = replace(CONFIGURATION.shape, masks=False)
"""Of networks that compare no label maps, so that exemplars need none."""
BANK = "scenes/street"
CREDITS = "file,title,creator,year,licence,url\n" + "".join(
    f"{name}.png,Lane {name},Ann,1901,CC BY 4.0,https://example.org/{name}\n" for name in "abcd"
)


def library_of(root, save, paint):
    """A library with a bank of some lanes, without label maps."""
    for number, name in enumerate("abcd"):
        save(root / "in" / f"{name}.png", paint(number, 32 + 4 * number, 45))
    (root / "credits.csv").write_text(CREDITS)
    library = kt.Library.create(root / "lanes.ktlib")
    library.build(BANK, root / "in", kind="pictures", credits=root / "credits.csv", quiet=True)
    return library


def random_networks(configuration, seed=0):
    """Weights large enough to tell something apart: the published initialisation hardly does."""
    torch.manual_seed(seed)
    networks = Networks(configuration)
    for module in networks.modules():
        if isinstance(module, torch.nn.Conv2d):
            torch.nn.init.kaiming_normal_(module.weight_orig if hasattr(module, "weight_orig") else module.weight)
    for _ in range(3):  # spectral norm finds its vectors
        networks.train().correspondence.of_target(torch.rand(1, configuration.planes, 32, 32))
    return networks.eval().requires_grad_(False)


def block_map(seed, height, width, count=4, block=13):
    """A label map in blocks."""
    random = np.random.default_rng(seed)
    blocks = random.integers(0, count, (-(-height // block), -(-width // block)))
    return np.kron(blocks, np.ones((block, block), dtype=np.int64))[:height, :width]


@pytest.fixture(scope="session")
def make_networks():
    """`make_networks(**changes)`: random ones of a small configuration with changes."""
    return lambda seed=0, **changes: random_networks(replace(CONFIGURATION, **changes), seed)


@pytest.fixture(scope="session")
def networks():
    return random_networks(CONFIGURATION)


@pytest.fixture(scope="session")
def make_map():
    """`make_map(seed, height, width, count)`: a label map in blocks."""
    return block_map


@pytest.fixture(scope="session")
def labels():
    """Of the target, 41x54 px: neither 4 nor 32 divides its sides."""
    return block_map(1, 41, 54, count=5)


@pytest.fixture(scope="session")
def exemplar(paint):
    """Of another size, 36x50 px, and its label map, which lacks the class "unknown"."""
    return paint(2, 36, 50), block_map(3, 36, 50)


@pytest.fixture(scope="session")
def system(networks, exemplar):
    return kt.CoCosNet(*exemplar, networks)


@pytest.fixture(scope="session")
def trace(system, labels):
    return system.traced(labels)
