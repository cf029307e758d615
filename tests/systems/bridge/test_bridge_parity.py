"""The networks of bridging against values of the published code."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from ktviz.systems.bridge.losses import (
    Asked,
    Makers,
    Weights,
    judge_losses,
    made,
    makers_losses,
    refined,
    weighted,
)
from ktviz.systems.bridge.networks import Discriminator, Encoder, Generator, Mapping, Residual
from ktviz.systems.bridge.published import SCOPES, state_of

IMAGE, CODE, LOSS, GRADIENT, STEP = 2e-4, 1e-4, 1e-4, 1e-3, 1e-6


@pytest.fixture(scope="module")
def arrays(shared):
    with np.load(shared / "parity" / "bridge_reference.npz") as file:
        return {key: file[key] for key in file if file[key].dtype.kind in "fiu"}


@pytest.fixture
def values(arrays):
    def found(key):
        value = torch.from_numpy(arrays[key])
        return value.permute(0, 3, 1, 2).contiguous() if value.ndim == 4 and value.shape[-1] != 1 else value

    return found


@pytest.fixture
def networks(arrays):
    made = {
        "generator": Generator(6, width=4, downs=3, hidden=12),
        "mapping": Mapping(4, noise=6, codes=6, ups=2),
        "encoder": Encoder(4, width=3, blocks=2),
        "discriminator": Discriminator(4, width=4, downs=3, side=32),
    }
    weights = {key.removeprefix("w/"): value for key, value in arrays.items() if key.startswith("w/")}
    for name, network in made.items():
        network.load_state_dict(state_of(network, SCOPES[name], weights))
    return made


def check(found, expected, tolerance):
    torch.testing.assert_close(found, expected, rtol=0, atol=tolerance)


@pytest.fixture
def makers(networks):
    return Makers(networks["encoder"], networks["mapping"], networks["generator"])


@pytest.fixture
def asked(values):
    """A step with the refined noise."""
    x, labels, order = values("in/x"), values("in/labels").float(), values("in/perm").long()
    noise = values("out/r_refined")
    return Asked(x, x[order], labels, labels[order], noise, values("in/r_1"), values("in/alpha"))


def blocks(network):
    """What every residual block of a network makes from now on."""
    found = []
    for module in network.modules():
        if isinstance(module, Residual):
            module.register_forward_hook(lambda _, __, output: found.append(output))
    return found


def check_blocks(values, name, found):
    for number, output in enumerate(found):
        check(output, values(f"mid/{name}/block{number}"), IMAGE)
    assert found


def test_codes_agree_block_by_block(values, networks, asked):
    encoder, mapping = networks["encoder"], networks["mapping"]
    check(encoder(asked.source, -asked.difference), values("out/S_s"), CODE)
    seen = blocks(encoder), blocks(mapping)
    check(encoder(asked.reference, asked.difference), values("out/S_r_r"), CODE)
    check(mapping(asked.noise, asked.difference), values("out/S_r_l"), CODE)
    for name, found in zip("EM", seen, strict=True):
        check_blocks(values, name, found)


def test_the_refinement_of_noise_agrees(arrays, values, makers, asked):
    order = values("in/perm").long()
    rows = values("in/rows").long()[order]
    table = values("w/G_R")
    check(table[rows], values("out/r_0"), 0)
    found = refined(makers, asked.reference, asked.difference, table[rows], 1)
    check(found, values("out/r_refined"), CODE)
    changed = table.clone()
    changed[rows] = found
    check(changed, values("after_assign/G_R"), CODE)
    towards = refined(makers, asked.reference, asked.difference, table[rows], -1)
    assert not torch.equal(towards, found)
    assert torch.equal(refined(makers, asked.reference, asked.difference, table[rows], 0), table[rows])


def test_pictures_and_codes_of_a_step_agree(values, makers, asked):
    found = made(makers, asked)
    check(found.by_labels, values("out/S_rand"), CODE)
    check(found.by_reference, values("out/S_ref"), CODE)
    for name, picture in zip(("rand", "ref", "int"), found.pictures, strict=True):
        check(picture, values(f"out/x_{name}"), IMAGE)
    check(found.again, values("out/x_rand1"), IMAGE)


def test_the_generator_agrees_block_by_block(values, networks, asked):
    found = blocks(networks["generator"])
    networks["generator"](asked.source, values("out/S_ref"))
    check_blocks(values, "G", found)
    assert len(found) == 8


def test_the_discriminator_agrees(values, networks, asked):
    found = blocks(networks["discriminator"])
    real, has = networks["discriminator"](asked.source)
    check(real, values("out/D_real_gan"), CODE)
    check(has, values("out/D_real_att"), CODE)
    check_blocks(values, "D", found)
    real, has = networks["discriminator"](values("out/x_rand"))
    check(real, values("out/D_rand_gan"), CODE)
    check(has, values("out/D_rand_att"), CODE)
    check(networks["discriminator"](values("out/x_ref"))[0], values("out/D_ref_gan"), CODE)
    check(networks["discriminator"](values("out/x_int"))[1], values("out/D_int_att"), CODE)


def gradients(arrays, networks, group):
    """Of the published code, as ours: by network and name."""
    start = f"grad/{group}/"
    known = {key.removeprefix(start): value for key, value in arrays.items() if key.startswith(start)}
    found = {name: state_of(network, SCOPES[name], known) for name, network in networks.items()}
    assert sum(map(len, found.values())) == len(known) > 2
    return found


def check_gradients(arrays, networks, group):
    for name, expected in gradients(arrays, networks, group).items():
        weights = dict(networks[name].named_parameters())
        for key, value in expected.items():
            check(weights[key].grad, value, GRADIENT * float(value.abs().max()))


def check_step(arrays, networks, group, step):
    """One parameter or more after a step of Adam, where the gradient is not tiny."""
    step.step()
    start, checked = f"{group}/", 0
    known = {key.removeprefix(start): value for key, value in arrays.items() if key.startswith(start)}
    for name, network in networks.items():
        weights = dict(network.named_parameters())
        for key, expected in state_of(network, SCOPES[name], known).items():
            gradient = weights[key].grad.abs()
            sure = gradient > 1e-3 * gradient.max()
            check(weights[key].detach()[sure], expected[sure], STEP)
            checked += int(sure.sum())
    assert checked > 5


NAMES = {
    "adversarial": "g_gan",
    "attributes": "g_cls",
    "same": "g_rec",
    "cycle": "g_cyc",
    "bridge": "g_sim",
    "seeking": "g_modeseeking",
}


def test_a_step_of_the_makers_agrees(arrays, values, networks, makers, asked):
    losses = makers_losses(makers, networks["discriminator"], asked, made(makers, asked))
    for name, loss in losses.items():
        torch.testing.assert_close(loss, values(f"loss/{NAMES[name]}"), rtol=LOSS, atol=0)
    total = torch.stack(list(weighted(losses, Weights()).values())).sum()
    torch.testing.assert_close(total, values("loss/g_total"), rtol=LOSS, atol=0)
    total.backward()
    check_gradients(arrays, networks, "g")
    parts = [weight for name, net in networks.items() if name != "discriminator" for weight in net.parameters()]
    check_step(arrays, networks, "after_g_step", torch.optim.Adam(parts, 2e-4, (0.5, 0.999)))


def test_a_step_of_the_discriminator_agrees(arrays, values, networks, makers, asked):
    judge = networks["discriminator"]
    with torch.no_grad():
        pictures = made(makers, asked).pictures
    losses = judge_losses(judge, asked, pictures, list(values("in/gp_alpha").unbind(0)))
    for name, published in (("adversarial", "d_gan"), ("attributes", "d_cls"), ("penalty", "gp")):
        torch.testing.assert_close(losses[name], values(f"loss/{published}"), rtol=LOSS, atol=0)
    total = torch.stack(list(weighted(losses, Weights(attributes=1.0)).values())).sum()
    torch.testing.assert_close(total, values("loss/d_total"), rtol=LOSS, atol=0)
    total.backward()
    check_gradients(arrays, {"discriminator": judge}, "d")
    step = torch.optim.Adam(judge.parameters(), 2e-4, (0.5, 0.999))
    check_step(arrays, {"discriminator": judge}, "after_d_step", step)


def test_pictures_of_nothing_to_change_agree(values, makers, asked):
    nothing, source = torch.zeros_like(asked.difference), asked.source
    own = makers.encoder(source, nothing)
    check(makers.generator(source, own + makers.mapping(asked.noise, nothing)), values("out/x_rand_rec"), IMAGE)
    check(makers.generator(source, own + makers.encoder(asked.reference, nothing)), values("out/x_ref_rec"), IMAGE)


def test_inference_agrees(values, makers, asked):
    more = 1.5 * asked.difference
    own = makers.encoder(asked.source, -more)
    labels = makers.mapping(asked.fresh, more)
    by_labels, by_reference = own + labels, own + makers.encoder(asked.reference, more)
    check(by_labels, values("test/S_rand"), CODE)
    check(by_reference, values("test/S_ref"), CODE)
    check(makers.generator(asked.source, by_labels), values("test/x_rand"), IMAGE)
    check(makers.generator(asked.source, by_reference), values("test/x_ref"), IMAGE)
    mixed = makers.generator.between(asked.source, torch.tensor(0.5), labels, by_reference)
    check(mixed, values("test/x_interp"), IMAGE)


def test_a_mixture_of_codes_begins_and_ends_at_each(values, makers, asked):
    one, other = values("test/S_rand"), values("test/S_ref")
    for alpha, code in ((1.0, one), (0.0, other)):
        found = makers.generator.between(asked.source, torch.tensor(alpha), one, other)
        check(found, makers.generator(asked.source, code), 1e-6)
