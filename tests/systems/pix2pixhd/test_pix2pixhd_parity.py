"""The networks of pix2pixHD against values of the published code."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from ktviz.labels import Classes, class_of
from ktviz.library.kinds.codes.rows import rows_of
from ktviz.systems.blocks.adversarial import feature_matching, least_squares, scales
from ktviz.systems.blocks.hourglass import Hourglass
from ktviz.systems.blocks.planes import one_hot
from ktviz.systems.blocks.pyramid import halved
from ktviz.systems.pix2pixhd.codes import drawn
from ktviz.systems.pix2pixhd.losses import discriminator_loss, generator_loss
from ktviz.systems.pix2pixhd.networks import Discriminators, LocalEnhancer, published_keys
from ktviz.systems.pix2pixhd.planes import edges, region_means
from ktviz.systems.pix2pixhd.shape import Shape
from ktviz.systems.pix2pixhd.trained import Networks

from .conftest import laid_out

IMAGE, CODE, LOSS, GRADIENT, STEP = 2e-4, 1e-4, 1e-4, 1e-3, 1e-6


@pytest.fixture(scope="module")
def values(shared):
    with np.load(shared / "parity" / "pix2pixhd_reference.npz") as file:
        return {key: torch.from_numpy(file[key]) for key in file if file[key].dtype.kind in "fiu"}


def state(values, net, group="w"):
    start = f"{group}/{net}/"
    return {key.removeprefix(start): value for key, value in values.items() if key.startswith(start)}


@pytest.fixture
def networks(values):
    generator, encoder = Hourglass(10, 3, 4, 3, 2), Hourglass(3, 3, 4, 3, 0)
    discriminators = Discriminators(10, 4, 3, 3)
    generator.load_state_dict(state(values, "G"))
    encoder.load_state_dict(state(values, "E"))
    discriminators.load_state_dict(published_keys(state(values, "D")))
    return generator, encoder, discriminators


def check(found, expected, tolerance):
    torch.testing.assert_close(found, expected, rtol=0, atol=tolerance)


def test_planes_are_those_of_the_published_code(values):
    found = edges(values["in/inst"])
    check(found, values["mid/edges"], 0)
    check(torch.cat([one_hot(values["in/label"], 6), found], 1), values["mid/input_label"], 0)


def test_planes_of_a_coloured_map_are_those_of_the_published_code(values):
    """It reads a picture where ours reads colours of classes; at one pixel of each class they are made the same."""
    picture, numbers = values["mid/input_label_rgb_mode"][:, :3], values["in/inst"]
    labels = class_of(numbers)[:, 0]
    pixels = [tuple((labels == label).nonzero()[0].tolist()) for label in range(6)]
    levels = [(127.5 * (picture[b, :, y, x] + 1)).round().int().tolist() for b, y, x in pixels]
    classes = Classes(list("abcdef"), levels)
    small = {"width": 4, "downs": 2, "blocks": 1}
    networks = Networks(Shape(classes=6, coloured=True, **small), classes)
    found = networks.planes(numbers)
    check(found[:, 3:], values["mid/input_label_rgb_mode"][:, 3:], 0)
    for batch, y, x in pixels:
        check(found[batch, :3, y, x], picture[batch, :, y, x], 0.5001 / 127.5)  # half a level
    assert found.shape[1] == networks.shape.shown == networks.shape.inside


def test_the_generator_agrees(values, networks):
    generator, encoder, _ = networks
    raw = encoder(values["in/image"])
    check(raw, values["mid/E_raw"], CODE)
    codes = region_means(raw, values["in/inst"])
    check(codes, values["mid/E_instance_mean"], CODE)
    check(region_means(raw, values["in/label"]), values["mid/E_label_mean"], CODE)
    planes = torch.cat([values["mid/input_label"], codes], 1)
    for part, modules in {"down": 4 + 3 * 3, "blocks": 13 + 2, "up": 15 + 3 * 3}.items():
        check(generator.model[:modules](planes), values[f"mid/G_after_{part}"], IMAGE)
    check(generator(planes), values["out/G"], IMAGE)


def test_the_local_enhancer_agrees(values):
    enhancer = LocalEnhancer(10, 3, 2, 1, 2)
    enhancer.load_state_dict(state(values, "local_G"))
    planes = torch.cat([values["mid/input_label"], values["mid/E_instance_mean"]], 1)
    check(enhancer.model(halved(planes)), values["mid/local_trunk"], IMAGE)
    check(enhancer.model1_1(planes), values["mid/local_down"], IMAGE)
    check(enhancer(planes), values["out/local_G"], IMAGE)


def test_the_discriminators_agree(values, networks):
    maps = networks[2](torch.cat([values["mid/input_label"], values["in/image"]], 1))
    for scale, layers in enumerate(maps):
        for layer, found in enumerate(layers):
            check(found, values[f"out/D_real/scale{scale}_layer{layer}"], CODE)
        check(layers[-1].sigmoid(), values[f"out/D_real_sigmoid/scale{scale}"], CODE)


def test_a_step_of_training_agrees(values, networks):
    generator, encoder, discriminators = networks
    planes = values["mid/input_label"]
    fake = generator(torch.cat([planes, region_means(encoder(values["in/image"]), values["in/inst"])], 1))
    check(fake, values["out/fake_train"], IMAGE)
    seen = discriminators(torch.cat([planes, fake], 1))
    apart = discriminators(torch.cat([planes, fake.detach()], 1))
    real = discriminators(torch.cat([planes, values["in/image"]], 1))
    found = {
        "lsgan/G_GAN": scales(lambda x: least_squares(x, True), seen).sum(),
        "lsgan/G_GAN_Feat": 10 * feature_matching(seen, real),
        "lsgan/D_real": scales(lambda x: least_squares(x, True), real).sum(),
        "lsgan/D_fake": scales(lambda x: least_squares(x, False), apart).sum(),
        "lsgan/G_total": generator_loss(seen, real),
        "lsgan/D_total": discriminator_loss(apart, real),
        "bce/G_GAN": scales(lambda x: cross_entropy(x, 1.0), seen).sum(),
        "bce/D_real": scales(lambda x: cross_entropy(x, 1.0), real).sum(),
        "bce/D_fake": scales(lambda x: cross_entropy(x, 0.0), apart).sum(),
    }
    for name, loss in found.items():
        torch.testing.assert_close(loss.detach(), values[f"loss/{name}"], rtol=LOSS, atol=0)
    both = {"G": [generator, encoder], "D": [discriminators]}
    optimisers = {
        side: torch.optim.Adam([p for net in nets for p in net.parameters()], 2e-4, (0.5, 0.999))
        for side, nets in both.items()
    }
    optimisers["G"].zero_grad()
    found["lsgan/G_total"].backward(retain_graph=True)
    check_step(values, {"G": generator, "E": encoder}, optimisers["G"])
    optimisers["D"].zero_grad()
    found["lsgan/D_total"].backward()
    check_step(values, {"D": discriminators}, optimisers["D"])


def cross_entropy(logits, real):
    """What `--no_lsgan` takes in place of least squares."""
    return F.binary_cross_entropy_with_logits(logits, torch.full_like(logits, real))


def check_step(values, networks, optimiser):
    """Gradients, and the parameters after a step, where it is not the sign of next to nothing."""
    for net, network in networks.items():
        gradients = named(values, "grad", net)
        assert gradients
        parameters = dict(network.named_parameters())
        for name, expected in gradients.items():
            check(parameters[name].grad, expected, GRADIENT * float(expected.abs().max()))
    optimiser.step()
    for net, network in networks.items():
        parameters, gradients = dict(network.named_parameters()), named(values, "grad", net)
        for name, expected in named(values, "after_step", net).items():
            clear = gradients[name].abs() > 10 * GRADIENT * gradients[name].abs().max()
            assert clear.float().mean() > 0.5
            check(parameters[name][clear], expected[clear], STEP)


def named(values, group, net):
    """Values of the parameters of a network, under our names."""
    found = state(values, net, group)
    if net != "D":
        return found
    both = published_keys({**state(values, net), **found})
    ours = dict(zip(state(values, net), both, strict=True))
    return {ours[name]: value for name, value in found.items()}


def test_rows_of_objects(values, networks):
    encoder = networks[1]
    found = {}
    for image, ids in zip(values["enc/image"], values["enc/inst"], strict=True):
        with torch.no_grad():
            codes = region_means(encoder(image[None]), ids[None])
        for row in rows_of(codes[0], ids[0]):
            found.setdefault(row.label, []).append([*row.code, row.area])
    expected = named_by_class(values, "out/feature_rows/")
    assert found.keys() == expected.keys()
    for label, rows in expected.items():
        check(torch.tensor(found[label], dtype=torch.float64)[:, :3], rows[:, :3], CODE)
        check(torch.tensor(found[label], dtype=torch.float64)[:, 3], rows[:, 3], 1e-9)


def test_centres_are_drawn_and_laid_out(values, networks):
    centres = {label: rows.numpy() for label, rows in named_by_class(values, "lib/").items()}
    ids = values["in/inst"]
    chosen = drawn(ids, centres, np.random.RandomState(7))
    expected = {
        int(number): int(choice)
        for number, choice in zip(values["out/sample_ids"], values["out/sample_choice"], strict=True)
    }
    assert {number: choice for number, choice in chosen.items() if choice >= 0} == expected
    codes = laid_out(ids, chosen, centres, 3)
    check(codes, values["out/sample_features"], 1e-7)
    with torch.no_grad():
        check(networks[0](torch.cat([values["mid/input_label"], codes], 1)), values["out/inference_sampled"], IMAGE)


def named_by_class(values, start):
    return {int(key.removeprefix(start)): value for key, value in values.items() if key.startswith(start)}
