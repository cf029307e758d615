"""The networks of MUNIT against values of the published code."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from ktviz.systems.blocks.adversarial import cross_entropy
from ktviz.systems.blocks.pyramid import halved
from ktviz.systems.munit.losses import Weights, half, half_losses, taken_for_real, told_apart
from ktviz.systems.munit.networks import Discriminators, Generator
from ktviz.systems.munit.norms import LayerNorm

IMAGE, CODE, LOSS, GRADIENT, STEP = 2e-4, 1e-4, 1e-4, 1e-3, 1e-6
WEIGHTS = Weights(cycle=10.0)
NETS = ("gen_a", "gen_b", "dis_a", "dis_b")


@pytest.fixture(scope="module")
def values(shared):
    with np.load(shared / "parity" / "munit_reference.npz") as file:
        return {key: torch.from_numpy(file[key]) for key in file if file[key].dtype.kind in "fiu"}


def state(values, net, group="w"):
    start = f"{group}/{net}/"
    found = {key.removeprefix(start): value for key, value in values.items() if key.startswith(start)}
    return {key: value for key, value in found.items() if ".running_" not in key}


@pytest.fixture
def networks(values):
    made = [Generator(8, 2, 2, 8, 32) if name.startswith("gen") else Discriminators(8, 3, 3) for name in NETS]
    for name, network in zip(NETS, made, strict=True):
        network.load_state_dict(state(values, name))
    return dict(zip(NETS, made, strict=True))


def check(found, expected, tolerance):
    torch.testing.assert_close(found, expected, rtol=0, atol=tolerance)


def test_contents_and_styles_agree(values, networks):
    for domain in "ab":
        network, picture = networks[f"gen_{domain}"], values[f"in/x_{domain}"]
        check(network.content(picture), values[f"out/c_{domain}"], CODE)
        check(network.style(picture), values[f"out/s_{domain}_prime"][:, :, 0, 0], CODE)
    network, picture = networks["gen_a"], values["in/x_a"]
    for sample in range(2):
        check(network.content(picture[sample : sample + 1]), values[f"out/c_a_batch1_{sample}"], CODE)
    for number in (0, 2):
        check(network.enc_content.model[: number + 1](picture), values[f"mid/enc_content_a/{number}"], IMAGE)
    for number in (0, 4):
        check(network.enc_style.model[: number + 1](picture), values[f"mid/enc_style_a/{number}"], IMAGE)


def test_what_a_style_says_of_every_layer_agrees(values, networks):
    a, b = networks["gen_a"], networks["gen_b"]
    drawn = values["in/s_b"][:, :, 0, 0]
    check(b.mlp(drawn), values["out/adain_params_b"], CODE)
    check(a.mlp(values["out/s_a_prime"][:, :, 0, 0]), values["out/adain_params_a_encoded"], CODE)
    styles = b.dec.styles(values["out/adain_params_b"])
    assert len(styles) == 4
    for number, (shift, scale) in enumerate(styles):
        check(shift, values[f"mid/adain_b/{number}/shift"], 0)
        check(scale, values[f"mid/adain_b/{number}/scale"], 0)
    block = b.dec.model[0].model[0].model[0]
    given = values["mid/adain_b/0/input"]
    assert given.shape == values["mid/adain_b/0/output"].shape
    check(block(values["out/c_a"], styles[0]), values["mid/adain_b/0/output"].relu(), IMAGE)


def test_pictures_within_and_across_domains_agree(values, networks):
    a, b = networks["gen_a"], networks["gen_b"]
    content, style = ({d: values[f"out/{kind}_{d}{end}"] for d in "ab"} for kind, end in (("c", ""), ("s", "_prime")))
    style = {domain: code[:, :, 0, 0] for domain, code in style.items()}
    drawn = {domain: values[f"in/s_{domain}"][:, :, 0, 0] for domain in "ab"}
    check(b.decode(content["a"], drawn["b"]), values["out/x_ab"], IMAGE)
    check(a.decode(content["b"], drawn["a"]), values["out/x_ba"], IMAGE)
    single = torch.cat([b.decode(content["a"][n : n + 1], drawn["b"][n : n + 1]) for n in range(2)])
    check(single, values["out/x_ab_batch1"], IMAGE)
    check(a.decode(content["a"], style["a"]), values["out/x_a_recon"], IMAGE)
    check(b.decode(content["b"], style["b"]), values["out/x_b_recon"], IMAGE)
    check(b.decode(content["a"], style["b"]), values["out/x_ab_exemplar"], IMAGE)
    found = b.dec.model[0](content["a"], b.dec.styles(b.mlp(drawn["b"])))
    check(found, values["mid/dec_b/0"], IMAGE)
    check(b.dec.model[2](b.dec.model[1](found)), values["mid/dec_b/2"], IMAGE)


def test_the_norm_over_a_sample_agrees_alone_and_in_a_batch(values):
    norm = LayerNorm(6)
    norm.load_state_dict({"gamma": values["ln/gamma"], "beta": values["ln/beta"]})
    check(norm(values["ln/x"]), values["out/ln_batch2"], CODE)
    check(norm(values["ln/x"][:1]), values["out/ln_batch1"], CODE)
    group = torch.nn.functional.group_norm(values["ln/x"], 1, values["ln/gamma"], values["ln/beta"])
    assert (group - values["out/ln_batch2"]).abs().max() > 1e-3  # another norm


def test_discriminators_agree_at_every_scale(values, networks):
    for name, picture in (("real", values["in/x_b"]), ("fake", values["out/x_ab"])):
        for number, scale in enumerate(networks["dis_b"](picture)):
            check(scale[-1], values[f"out/dis_b_{name}/scale{number}"], CODE)
    check(halved(values["in/x_b"]), values["mid/dis_b/downsampled"], 1e-6)


def test_losses_of_the_logarithm_agree(values, networks):
    fake, real = networks["dis_b"](values["out/x_ab"]), networks["dis_b"](values["in/x_b"])
    torch.testing.assert_close(told_apart(fake, real, cross_entropy), values["loss/nsgan/dis_b"], rtol=LOSS, atol=0)
    torch.testing.assert_close(taken_for_real(fake, cross_entropy), values["loss/nsgan/gen_b"], rtol=LOSS, atol=0)


def optimiser(networks, kind):
    weights = [weight for name in NETS if name.startswith(kind) for weight in networks[name].parameters()]
    return torch.optim.Adam(weights, 1e-3, (0.5, 0.999), weight_decay=1e-4)


def dis_step(values, networks):
    """A step of the discriminators; their losses."""
    a, b = networks["gen_a"], networks["gen_b"]
    with torch.no_grad():
        fake_a = a.decode(b.content(values["in/x_b"]), values["in/dis_s_a"][:, :, 0, 0])
        fake_b = b.decode(a.content(values["in/x_a"]), values["in/dis_s_b"][:, :, 0, 0])
    losses = {
        "a": told_apart(networks["dis_a"](fake_a), networks["dis_a"](values["in/x_a"])),
        "b": told_apart(networks["dis_b"](fake_b), networks["dis_b"](values["in/x_b"])),
    }
    step = optimiser(networks, "dis")
    (losses["a"] + losses["b"]).backward()
    step.step()
    return losses


def gen_losses(values, networks):
    """All losses of a generator step, by the published names."""
    a, b = networks["gen_a"], networks["gen_b"]
    there = half(a, b, values["in/x_a"], values["in/s_b"][:, :, 0, 0])
    back = half(b, a, values["in/x_b"], values["in/s_a"][:, :, 0, 0])
    one, other = (half_losses(found, Weights(1, 1, 1, 1, 1)) for found in (there, back))
    found = {
        "recon_x_a": one["picture"],
        "recon_x_b": other["picture"],
        "recon_s_a": other["style"],
        "recon_s_b": one["style"],
        "recon_c_a": one["content"],
        "recon_c_b": other["content"],
        "cycrecon_x_a": one["cycle"],
        "cycrecon_x_b": other["cycle"],
        "adv_a": taken_for_real(networks["dis_a"](back.other)),
        "adv_b": taken_for_real(networks["dis_b"](there.other)),
    }
    weighted = [part for half_ in (there, back) for part in half_losses(half_, WEIGHTS).values()]
    found["total"] = torch.stack(weighted).sum() + WEIGHTS.adversarial * (found["adv_a"] + found["adv_b"])
    return found


def check_step(values, networks, group, kind):
    """Weights after a step, where the gradient is not tiny: the first step of Adam goes by its sign."""
    checked = 0
    for name in (n for n in NETS if n.startswith(kind)):
        after, gradients = state(values, name, f"after/{group}"), state(values, name, f"grad/{group}")
        weights = dict(networks[name].named_parameters())
        for key, expected in after.items():
            gradient = gradients.get(key)
            sure = torch.ones_like(expected, dtype=torch.bool)
            if gradient is not None:
                sure = gradient.abs() > 1e-3 * gradient.abs().max()
            elif weights[key].grad is not None:
                sure = weights[key].grad.abs() > 1e-3 * weights[key].grad.abs().max()
            check(weights[key].detach()[sure], expected[sure], STEP)
            checked += int(sure.sum())
    assert checked > 100


def check_gradients(values, networks, group, kind):
    count = 0
    for name in (n for n in NETS if n.startswith(kind)):
        weights = dict(networks[name].named_parameters())
        for key, expected in state(values, name, f"grad/{group}").items():
            check(weights[key].grad, expected, GRADIENT * float(expected.abs().max()))
            count += 1
    assert count > 3


def test_a_step_of_the_discriminators_agrees(values, networks):
    losses = dis_step(values, networks)
    for domain, loss in losses.items():
        torch.testing.assert_close(loss, values[f"loss/dis/loss_dis_{domain}"], rtol=LOSS, atol=0)
    check_gradients(values, networks, "dis_step", "dis")
    check_step(values, networks, "dis_step", "dis")


def test_a_step_of_the_generators_agrees(values, networks):
    losses = gen_losses(values, networks)
    for name, loss in losses.items():
        torch.testing.assert_close(loss, values[f"loss/gen/loss_gen_{name}"], rtol=LOSS, atol=0)
    step = optimiser(networks, "gen")
    losses["total"].backward()
    step.step()
    check_gradients(values, networks, "gen_step", "gen")
    check_step(values, networks, "gen_step", "gen")


def test_both_steps_in_the_order_of_training_agree(values, networks):
    dis_step(values, networks)
    losses = gen_losses(values, networks)
    for name, loss in losses.items():
        torch.testing.assert_close(loss, values[f"loss/gen_after_dis_step/loss_gen_{name}"], rtol=LOSS, atol=0)
    step = optimiser(networks, "gen")
    losses["total"].backward()
    step.step()
    check_step(values, networks, "dis_gen_step", "gen")
