"""Layers and networks that are the same bit for bit on any number of threads."""

import pytest
import torch
from torch import nn

from ktviz.networks.threads import Conv2d, SiLU, at_most, one_thread, threads_for
from ktviz.systems.kt.decoder import Decoder
from ktviz.systems.kt.encoder import Encoder


def on_threads(count, layer, given):
    torch.set_num_threads(count)
    with torch.no_grad():
        return layer(given)


def values(*shape):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize("size", [1_000_001, 32_769, 100, 0])
def test_the_activation_is_the_same_on_any_number_of_threads(size):
    given = values(size)
    known = on_threads(1, SiLU(), given)
    assert torch.allclose(known, nn.functional.silu(given))
    for count in (2, 3, 7):
        assert torch.equal(on_threads(count, SiLU(), given), known)


def test_the_activation_has_its_gradient():
    given = values(50_000).requires_grad_(True)
    SiLU()(given).sum().backward()
    sigmoid = given.detach().sigmoid()
    assert torch.allclose(given.grad, sigmoid * (1 + given.detach() * (1 - sigmoid)), atol=1e-6)


@pytest.mark.parametrize("kernel", [1, 3])
def test_convolutions_are_the_same_on_any_number_of_threads(kernel):
    torch.manual_seed(0)
    layer, plain = (kind(128, 128, kernel, padding=kernel // 2, padding_mode="reflect") for kind in (Conv2d, nn.Conv2d))
    plain.load_state_dict(layer.state_dict())
    given = values(1, 128, 82, 124)
    known = on_threads(1, layer, given)
    assert torch.allclose(known, on_threads(1, plain, given), atol=1e-5)
    for count in (2, 3, 7):
        assert torch.equal(on_threads(count, layer, given), known)
    assert str(layer) == str(plain), "digests of encoders depend on it"


def test_a_convolution_of_one_cell_is_the_same_in_any_part_of_a_picture():
    torch.manual_seed(0)
    layer, given = Conv2d(128, 128, 1), values(1, 128, 56, 83)
    for count in (1, 2):
        known = on_threads(count, layer, given)
        for rows, columns in (
            (slice(0, 16), slice(0, 36)),
            (slice(5, 32), slice(9, 33)),
            (slice(55, 56), slice(80, 83)),
        ):
            found = on_threads(count, layer, given[..., rows, columns])
            assert torch.equal(found, known[..., rows, columns])


@pytest.mark.parametrize("size", [(16, 24), (64, 64), (104, 136), (200, 328)])
def test_the_networks_are_the_same_on_any_number_of_threads(size):
    encoder, decoder, given = Encoder.shipped(), Decoder.shipped(), values(1, 3, *size).sigmoid()

    def run(image):
        with threads_for(image[0, 0].numel() // 16):
            return decoder(encoder(image))

    known = on_threads(1, run, given)
    for count in (2, 3, 16):
        assert torch.equal(on_threads(count, run, given), known)


def test_fewer_threads_are_used_meanwhile_and_as_many_as_before_afterwards():
    torch.set_num_threads(3)
    with at_most(5):
        assert torch.get_num_threads() == 3
    with at_most(2), one_thread():
        assert torch.get_num_threads() == 1
    assert torch.get_num_threads() == 3
