"""A small pyramid that nobody trained: random convolutions tell places apart well enough for tests."""

import pytest
import torch

import ktviz as kt
from ktviz.systems.image_analogy.inverse import Inverse
from ktviz.systems.image_analogy.method import Method
from ktviz.systems.image_analogy.pyramid import Pyramid

WIDTHS = (4, 6, 8, 8, 8)
BANK = "refs/animals"
CREDITS = (
    "file,title,creator,year,licence,url\n"
    "tiger.png,Tiger,Ann,1901,CC BY 4.0,https://example.org/tiger\n"
    "lion.png,Lion,Bob,1902,CC0-1.0,https://example.org/lion\n"
)


def random_pyramid(seed=5):
    torch.manual_seed(seed)
    network = Pyramid(WIDTHS)
    for name, module in network.named_children():
        if name != "colour":
            torch.nn.init.kaiming_normal_(module.weight, nonlinearity="relu")
            torch.nn.init.normal_(module.bias, std=0.05)
    return network.eval().requires_grad_(False)


def method_of(pyramid):
    torch.manual_seed(6)
    return Method(pyramid, Inverse(WIDTHS))


def write_animals(root, save, paint):
    """in/tiger.png, in/lion.png and credits.csv."""
    save(root / "in" / "tiger.png", paint(1, 40, 48))
    save(root / "in" / "lion.png", paint(2, 32, 40))
    (root / "credits.csv").write_text(CREDITS)


def library_of(folder, place):
    """A library with a bank of the animals of a folder."""
    library = kt.Library.create(place)
    library.build(BANK, folder / "in", kind="pictures", credits=folder / "credits.csv", quiet=True)
    return library


@pytest.fixture(scope="session")
def pyramid():
    return random_pyramid()


@pytest.fixture(scope="session")
def model(pyramid):
    return method_of(pyramid)
