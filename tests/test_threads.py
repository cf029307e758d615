"""Layers and networks that are the same bit for bit on any number of threads."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch
from torch import nn

import ktviz as kt
from ktviz.explain.gradient import integrated
from ktviz.labels import Classes
from ktviz.library.kinds.patches.grid import PatchGrid
from ktviz.networks.threads import (
    PIECES_PER_THREAD,
    Conv2d,
    ConvTranspose2d,
    SiLU,
    at_most,
    one_thread,
    shared_out,
    sharing,
    threads_for,
)
from ktviz.systems.cocosnet import configuration
from ktviz.systems.cocosnet.exemplar import given as exemplar_given
from ktviz.systems.cocosnet.live import Live
from ktviz.systems.cocosnet.networks import Networks as CocosNetworks
from ktviz.systems.cocosnet.passage import Passage
from ktviz.systems.kt.blend import PatchBlend
from ktviz.systems.kt.decoder import Decoder
from ktviz.systems.kt.encoder import Encoder
from ktviz.systems.pix2pixhd.planes import region_means
from ktviz.systems.pix2pixhd.shape import SMALL
from ktviz.systems.pix2pixhd.trained import Networks


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


@pytest.mark.parametrize(("inside", "outside", "size"), [(192, 96, (16, 16)), (24, 12, (48, 64)), (16, 8, (40, 152))])
def test_transposed_convolutions_are_the_same_on_any_number_of_threads(inside, outside, size):
    torch.manual_seed(0)
    sizes = {"stride": 2, "padding": 1, "output_padding": 1}
    layer, plain = (kind(inside, outside, 3, **sizes) for kind in (ConvTranspose2d, nn.ConvTranspose2d))
    plain.load_state_dict(layer.state_dict())
    given = values(1, inside, *size)
    known = on_threads(1, layer, given)
    assert torch.equal(known, on_threads(1, plain, given))
    for count in (2, 3, 4):
        assert torch.equal(on_threads(count, layer, given), known)
    assert str(layer) == str(plain), "digests of generators depend on it"


@pytest.fixture(scope="module")
def small():
    """The networks of pix2pixHD that come with the package, in size."""
    torch.manual_seed(0)
    return Networks(SMALL)


def scene(height, width):
    """A photograph with objects of 24 px, in numbers of their classes, and a code for each."""
    random = np.random.default_rng(0)
    classes = random.integers(1, 14, (-(-height // 24), -(-width // 24)))
    numbers = classes.repeat(24, 0).repeat(24, 1)[:height, :width]
    photo = random.integers(0, 256, (height, width, 3), np.uint8)
    return photo, numbers, torch.from_numpy(random.normal(size=(len(np.unique(numbers)), 3)))


SIZES = [(64, 64), (64, 96), (65, 97), (128, 128), (77, 512), (200, 256), (129, 383), (256, 256), (512, 512)]


@pytest.mark.parametrize("size", SIZES)
def test_pix2pixhd_paints_and_encodes_the_same_on_any_number_of_threads(small, size):
    photo, numbers, codes = scene(*size)

    def made(count):
        torch.set_num_threads(count)
        with torch.no_grad():
            return small.paint(numbers, codes), small.encode(photo, numbers), small.features(photo)

    known = made(1)
    for count in (2, 3, 4):
        assert all(torch.equal(mine, other) for mine, other in zip(known, made(count), strict=True))


@pytest.mark.parametrize("size", [(64, 64), (301, 499)])
def test_means_of_regions_are_the_same_on_any_number_of_threads(size):
    features, numbers = values(2, 3, *size), torch.from_numpy(scene(*size)[1])[None, None].repeat(2, 1, 1, 1)
    known = on_threads(1, lambda given: region_means(given, numbers), features)
    for count in (2, 3, 7):
        assert torch.equal(on_threads(count, lambda given: region_means(given, numbers), features), known)


def test_gradients_of_pix2pixhd_are_the_same_on_any_number_of_threads(small):
    _, numbers, _ = scene(128, 160)
    random = np.random.default_rng(1)
    system = kt.Pix2PixHD(networks=small, centres={label: random.normal(size=(2, 3)) for label in range(14)})
    trace = system.traced(numbers)

    def shares(count):
        torch.set_num_threads(count)
        frame = kt.attribute(trace, kt.Box(40, 40, 24, 24), by="entry", through="gradient").frame
        return frame[["entry", "share"]]

    known = shares(1)
    assert all(shares(count).equals(known) for count in (2, 3))


def test_gradients_are_the_same_on_any_number_of_threads_whatever_the_layers():
    """Here of an activation whose shares fill no whole registers."""
    height, width = 150, 157
    slope = values(3 * height * width)

    def painted(amount):
        return SiLU()(amount * slope).view(3, height, width)

    blend = SimpleNamespace(retrievals=np.arange(len(slope)))
    system = SimpleNamespace(blend=lambda trace, within: painted_in(blend, painted))
    case = SimpleNamespace(system=system, trace=slope)
    mask = np.ones((height, width), bool)

    def found(count):
        torch.set_num_threads(count)
        return integrated(case, mask)

    known = found(1)
    for count in (2, 3, 7):
        credit = found(count)
        assert np.array_equal(credit.parts, known.parts)
        assert (credit.change, credit.levels) == (known.change, known.levels)
    assert torch.get_num_threads() == 7


def painted_in(blend, painted):
    """A function with the retrievals of a blend."""
    painted.retrievals = blend.retrievals
    return painted


def test_a_small_part_is_blended_the_same_on_any_number_of_threads():
    decoder, grid, area = Decoder.shipped(), PatchGrid(6, 6), (slice(None), slice(None))
    case, count = SimpleNamespace(model=SimpleNamespace(decoder=decoder)), len(grid)
    start, parts = values(decoder.channels, 6, 6), values(count, decoder.channels, 4, 4)
    blend = PatchBlend(case, np.arange(count), start, grid, torch.arange(count), parts, None, area, area)
    known = on_threads(1, blend, torch.ones(count))
    for threads in (2, 3, 4, 8):
        assert torch.equal(on_threads(threads, blend, torch.ones(count)), known)


def test_footprints_of_cocosnet_are_the_same_on_any_number_of_threads():
    size = (48, 96)
    torch.manual_seed(0)
    networks = CocosNetworks(configuration.small(Classes.numbered(14))).eval().requires_grad_(False)
    photo, numbers, _ = scene(64, 64)
    exemplar = exemplar_given(photo, numbers, networks.configuration)
    passage, mask = Passage(networks, scene(*size)[1], exemplar), np.zeros(size, bool)
    mixture, mask[3:20, 5:27] = passage.mixture(0.01, 4), True

    def found(count):
        torch.set_num_threads(count)
        return Live(passage, mixture, None).energy.of(mask)

    known = found(1)
    assert all(np.array_equal(found(count), known) for count in (2, 3, 4))


def test_fewer_threads_are_used_meanwhile_and_as_many_as_before_afterwards():
    torch.set_num_threads(3)
    with at_most(5):
        assert torch.get_num_threads() == 3
    with at_most(2), one_thread():
        assert torch.get_num_threads() == 1
    assert torch.get_num_threads() == 3


def test_work_is_shared_out_in_order_by_threads_that_run_torch_alone():
    torch.set_num_threads(3)
    few = PIECES_PER_THREAD
    done = shared_out(3 * few + 1, lambda first, last: (first, last, torch.get_num_threads()))
    assert done == [(0, few, 1), (few, 2 * few, 1), (2 * few, 3 * few + 1, 1)]
    assert shared_out(2 * few - 1, lambda first, last: (first, last)) == [(0, 2 * few - 1)]
    assert shared_out(0, lambda first, last: (first, last)) == [(0, 0)]
    assert torch.get_num_threads() == 3


def test_what_is_shared_out_is_not_shared_out_again():
    torch.set_num_threads(2)
    many = 8 * PIECES_PER_THREAD
    assert shared_out(many, lambda first, last: len(shared_out(many, lambda *_: None))) == [1, 1]


def test_torch_runs_on_one_thread_where_work_is_shared_out():
    torch.set_num_threads(3)
    many = 8 * PIECES_PER_THREAD
    with sharing():
        assert torch.get_num_threads() == 1
        with sharing():
            assert len(shared_out(many, lambda *_: None)) == 3
        assert len(shared_out(many, lambda *_: None)) == 3
    assert torch.get_num_threads() == 3
    with one_thread():
        assert len(shared_out(many, lambda *_: None)) == 1


def test_what_goes_wrong_in_a_part_is_raised_and_all_threads_are_there_again():
    torch.set_num_threads(2)
    with pytest.raises(ZeroDivisionError):
        shared_out(8 * PIECES_PER_THREAD, lambda first, last: 1 / first)
    assert torch.get_num_threads() == 2
    assert len(shared_out(8 * PIECES_PER_THREAD, lambda *_: None)) == 2
