"""A small pyramid that nobody trained: random convolutions tell places apart well enough for tests."""

import pytest
import torch

from ktviz.systems.image_analogy.inverse import Inverse
from ktviz.systems.image_analogy.method import Method
from ktviz.systems.image_analogy.pyramid import Pyramid

WIDTHS = (4, 6, 8, 8, 8)


@pytest.fixture(scope="session")
def pyramid():
    torch.manual_seed(5)
    network = Pyramid(WIDTHS)
    for name, module in network.named_children():
        if name != "colour":
            torch.nn.init.kaiming_normal_(module.weight, nonlinearity="relu")
            torch.nn.init.normal_(module.bias, std=0.05)
    return network.eval().requires_grad_(False)


@pytest.fixture(scope="session")
def model(pyramid):
    torch.manual_seed(6)
    return Method(pyramid, Inverse(WIDTHS))
