"""The networks of CoCosNet against values of the published code."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from ktviz.systems.blocks.adversarial import hinge, scales
from ktviz.systems.blocks.contextual import contextual_loss
from ktviz.systems.cocosnet.correspondence import (
    Correspondence,
    Shape,
    Warp,
    cells_of_labels,
    means,
    patches,
    picture_of_means,
    picture_of_patches,
)
from ktviz.systems.cocosnet.discriminator import Discriminators
from ktviz.systems.cocosnet.generator import Generator
from ktviz.systems.cocosnet.losses import (
    Weights,
    cycled,
    discriminator_losses,
    generator_losses,
    masked_labels,
    per_sample,
)

IMAGE, CODE, LOSS = 2e-4, 1e-4, 1e-4
SHAPE = Shape(classes=7, width=3, features=12, descriptor=16, hidden=12)


@pytest.fixture(scope="module")
def values(shared):
    with np.load(shared / "parity" / "cocosnet_reference.npz") as file:
        return {key: torch.from_numpy(file[key]) for key in file if file[key].dtype.kind in "fiu"}


def loaded(network, values, net):
    start = f"w/{net}/"
    state = {key.removeprefix(start): value for key, value in values.items() if key.startswith(start)}
    missing, unknown = network.load_state_dict(state, strict=False)
    assert not missing
    assert all(".dec." in key for key in unknown)
    return network.eval()


def check(found, expected, tolerance=CODE):
    found = found if found.ndim == 0 else found[: len(expected)]
    torch.testing.assert_close(found, expected, rtol=0, atol=tolerance)


@pytest.fixture(scope="module")
def inputs(values):
    labels, exemplar_labels = (
        F.one_hot(values[name][:, 0], 7).movedim(-1, 1).float() for name in ("in/label", "in/label_ref")
    )
    return labels, values["in/ref"], exemplar_labels


@pytest.fixture(scope="module")
def correspondence(values):
    return loaded(Correspondence(SHAPE), values, "Corr")


def warp(network, inputs, temperature=0.01):
    target, source = network(*inputs)
    return Warp(target @ source.mT, temperature)


def heard(network, names, run):
    """What modules return during a run."""
    found = {}
    hooks = [
        network.get_submodule(name).register_forward_hook(lambda _, __, output, name=name: found.update({name: output}))
        for name in names
    ]
    result = run()
    for hook in hooks:
        hook.remove()
    return found, result


@torch.no_grad()
def test_features_and_descriptors(values, correspondence, inputs):
    labels, exemplar, _ = inputs
    net = correspondence.adaptive_model_seg
    found, raw = heard(net, ("layer5", "head_0"), lambda: net(labels))
    check(found["layer5"], values["corr/feat_seg_layer5"])
    check(found["head_0"], values["corr/feat_seg_head_0"])
    check(raw, values["corr/feat_seg_raw"])
    check(correspondence.adaptive_model_img(exemplar), values["corr/feat_img_raw"])
    check(correspondence.adaptive_model_img(values["in/image"]), values["corr/feat_img_real_raw"])
    check(correspondence.of_labels(labels), values["corr/feat_seg_normalised"])
    check(correspondence.of_picture(exemplar), values["corr/feat_img_normalised"])
    apart = 10 * F.l1_loss(correspondence.of_labels(labels), correspondence.of_picture(values["in/image"]))
    torch.testing.assert_close(apart, values["corr/loss_novgg_featpair"], rtol=LOSS, atol=0)
    maps, (target, source) = heard(correspondence, ("theta", "phi"), lambda: correspondence(*inputs))
    check(correspondence.mixed(correspondence.of_labels(labels), labels), values["corr/cont_features"])
    check(correspondence.mixed(correspondence.of_picture(exemplar), inputs[2]), values["corr/ref_features"])
    check(maps["theta"], values["corr/theta_map"])
    check(maps["phi"], values["corr/phi_map"])
    cells = values["in/cells"]
    check(target[:, cells], values["corr/theta_unfold_centred_norm_cells"])
    check(source[:, cells], values["corr/phi_unfold_centred_norm_cells"])


@torch.no_grad()
def test_the_warp(values, correspondence, inputs):
    found = warp(correspondence, inputs)
    cells = values["in/cells"]
    check(found.cosine[:, cells], values["corr/f_rows"])
    weights = torch.softmax(found.cosine / 0.01, -1)
    check(weights[:, cells], values["corr/softmax_rows"], IMAGE)
    best, index = found.cosine.max(-1)
    check(best, values["corr/row_max"])
    given = found.cosine.gather(-1, values["corr/argmax"].long()[..., None])[..., 0]
    assert ((index == values["corr/argmax"]) | (best - given < CODE)).all()
    check(-(weights * (weights + 1e-30).log()).sum(-1), values["corr/entropy"], 1e-3)
    exemplar = means(inputs[1])
    check(exemplar, values["corr/exemplar_cells"])
    check(found.to_target(exemplar), values["corr/warp_cells"], IMAGE)
    check(picture_of_means(found.to_target(exemplar), 64, 64), values["corr/warp_out"], IMAGE)
    masks = cells_of_labels(inputs[2]).flatten(2).mT
    check(found.to_target(masks).mT.reshape(2, 7, 16, 16), values["corr/warp_mask"], IMAGE)
    alone = warp(correspondence, [part[:1] for part in inputs])
    check(picture_of_means(alone.to_target(exemplar[:1]), 64, 64), values["corr/warp_out_batch1"], IMAGE)


@torch.no_grad()
def test_variants_of_the_warp(values, correspondence, inputs):
    labels, exemplar, exemplar_labels = inputs
    masks = cells_of_labels(exemplar_labels).flatten(2).mT
    target_masks = cells_of_labels(labels).flatten(2).mT
    found = warp(correspondence, inputs)
    there = found.to_target(means(exemplar))
    group = "corr_bilinear_cycle"
    check(found.cosine[:, values["in/cells"][:8]], values[f"{group}/f_rows"])
    check(picture_of_means(there, 64, 64, smooth=True), values[f"{group}/warp_out"], IMAGE)
    back = found.to_exemplar(there)
    check(back.mT.reshape(2, 3, 16, 16), values[f"{group}/warp_cycle"], IMAGE)
    real = found.to_exemplar(means(values["in/image"]))
    check(real.mT.reshape(2, 3, 16, 16), values[f"{group}/warp_i2r"], IMAGE)
    check(found.to_target(real).mT.reshape(2, 3, 16, 16), values[f"{group}/warp_i2r2i"], IMAGE)
    group = "corr_patch_cycle"
    there = found.to_target(patches(exemplar))
    check(picture_of_patches(there, 64, 64), values[f"{group}/warp_out"], IMAGE)
    check(picture_of_patches(found.to_exemplar(there), 64, 64), values[f"{group}/warp_cycle"], IMAGE)
    soft = warp(correspondence, inputs, 0.05)
    group = "corr_cyclemask_temp"
    check(picture_of_means(soft.to_target(means(exemplar)), 64, 64), values[f"{group}/warp_out"], IMAGE)
    cycled = soft.to_target(soft.to_exemplar(target_masks))
    check(cycled.mT.reshape(2, 7, 16, 16), values[f"{group}/warp_mask"], IMAGE)
    other = loaded(Correspondence(Shape(**{**vars(SHAPE), "centring": False})), values, "Corr")
    plain = warp(other, inputs)
    group = "corr_no_pono_c"
    check(plain.cosine[:, values["in/cells"][:8]], values[f"{group}/f_rows"])
    check(plain.to_target(masks).mT.reshape(2, 7, 16, 16), values[f"{group}/warp_mask"], IMAGE)


@torch.no_grad()
def test_the_configuration_of_deepfashion(values, inputs):
    shape = Shape(**{**vars(SHAPE), "kernel": 4, "masks": False})
    found = warp(loaded(Correspondence(shape), values, "Corr_k4"), inputs)
    check(found.cosine[:, values["in/cells"][:8]], values["corr_k4/f_rows"])
    check(picture_of_patches(found.to_target(patches(inputs[1])), 64, 64), values["corr_k4/warp_out"], IMAGE)


@torch.no_grad()
def test_the_generator(values, inputs):
    generator = loaded(Generator(10, 3, 12, attention=True), values, "G")
    condition = torch.cat([values["corr/warp_out"], inputs[0]], 1)
    names = ("fc", "head_0.norm_0", "head_0", "G_middle_1", "up_1", "attn", "up_2")
    found, picture = heard(generator, names, lambda: generator(condition))
    for name in names:
        check(found[name], values[f"gen/{name.replace('.', '_')}"])
    check(picture, values["gen/fake"], IMAGE)


@torch.no_grad()
def test_the_discriminators(values, inputs):
    net = loaded(Discriminators(10, 4, attention=True), values, "D")
    planes = torch.cat([inputs[0], values["in/image"]], 1)
    for scale, layers in enumerate(net(planes)):
        for layer, found in enumerate(layers):
            check(found, values[f"dis/real/scale{scale}_layer{layer}"])
    check(net.train()(planes)[0][-1], values["dis_train_mode/scale0_final"])
    state = net.state_dict()
    after = {key.split("/")[-1]: value for key, value in values.items() if key.startswith("dis_train_mode/after")}
    assert after
    for key, value in after.items():
        check(state[key], value)


def test_the_contextual_loss(values):
    x, y = values["ctx/X"], values["ctx/Y"]
    for flag, centring in ((1, "channels"), (0, "places")):
        check(contextual_loss(x, y, centring), values[f"ctx/loss_pono_{flag}"])
        check(contextual_loss(x, x, centring), values[f"ctx/loss_pono_{flag}_same"])


def test_the_hinge(values):
    """The last map of each scale counts."""
    maps = {
        side: [[t[:, :, :2], t], [2 * t, t[:, :, :3, :3]]]
        for side, t in (("real", values["hinge/real"]), ("fake", values["hinge/fake"]))
    }
    for side in maps:
        found = scales(lambda x, side=side: hinge(x, side == "real"), maps[side]).mean()
        check(found[None], values[f"hinge/D_{side}"], 1e-6)
    check(scales(lambda x: -x.mean(), maps["fake"]).mean()[None], values["hinge/G"], 1e-6)


class FixedFeatures(torch.nn.Module):
    """What stands in for VGG-19 in the values of the published code."""

    def __init__(self):
        super().__init__()
        widths = (3, 6, 8, 10, 12, 14)
        for n, (before, after) in enumerate(itertools.pairwise(widths), 1):
            self.add_module(f"conv{n}", torch.nn.Conv2d(before, after, 3, padding=1))

    def forward(self, picture):
        mean = torch.tensor([0.40760392, 0.45795686, 0.48501961])[:, None, None]
        x, found = (picture / 2 + 0.5).flip(1) - mean, []
        for n in range(1, 6):
            x = getattr(self, f"conv{n}")(x if n == 1 else F.max_pool2d(x, 2)).relu()
            found.append(x)
        return found


WEIGHTS = {
    "ade": Weights(finest=True),
    "celeba": Weights(self_matching=10.0, perceptual=0.001, depth=-2, cycle=0.1, self_warp=100.0),
}
NAMES = {
    "no_vgg_feat": "domain",
    "GAN": "adversarial",
    "GAN_Feat": "matching",
    "fm": "self_matching",
    "perc": "perceptual",
    "contextual": "contextual",
    "mask": "mask",
    "G_warp_cycle": "cycle",
    "G_warp_self": "self_warp",
}


@pytest.mark.parametrize("task", WEIGHTS)
def test_losses_and_gradients_of_a_step(values, inputs, task):
    weights = WEIGHTS[task]
    labels, exemplar, exemplar_labels = inputs
    target, itself = values["in/image"], values["in/self_ref"]
    networks = {
        "netCorr": loaded(Correspondence(SHAPE), values, "Corr"),
        "netG": loaded(Generator(10, 3, 12, attention=True), values, "G"),
        "netD": loaded(Discriminators(10, 4, attention=True), values, "D"),
    }
    correspondence, generator, discriminators = networks.values()
    features = loaded(FixedFeatures(), values, "feat").requires_grad_(False)
    found = warp(correspondence, inputs)
    warped = picture_of_means(found.to_target(means(exemplar)), 64, 64)
    fake = generator(torch.cat([warped, labels], 1))

    def seen(picture):
        return discriminators(torch.cat([labels, picture], 1))

    losses = generator_losses(
        seen(fake), seen(target), features(fake), features(target), features(exemplar), itself, weights
    )
    losses |= {
        "domain": weights.domain * F.l1_loss(correspondence.of_labels(labels), correspondence.of_picture(target)),
        "mask": weights.mask * masked_labels(found, labels, exemplar_labels),
        "cycle": weights.cycle * cycled(found, means(exemplar)),
        "self_warp": weights.self_warp * per_sample(warped, target, itself),
    }
    expected = {name: values.get(f"loss_{task}/{name}") for name in NAMES}
    for name, value in expected.items():
        if value is not None:
            torch.testing.assert_close(losses[NAMES[name]].detach(), value.squeeze(), rtol=LOSS, atol=1e-8, msg=name)
    total = torch.stack([losses[NAMES[name]] for name, value in expected.items() if value is not None]).sum()
    torch.testing.assert_close(total.detach(), values[f"loss_{task}/G_total"], rtol=LOSS, atol=0)
    total.backward()
    check_gradients(values, task, networks, ("netG", "netCorr"))
    discriminators.zero_grad()
    apart = discriminator_losses(seen(fake.detach()), seen(target), weights)
    for name, ours in (("D_Fake", "fake"), ("D_real", "real")):
        torch.testing.assert_close(apart[ours].detach(), values[f"loss_{task}/{name}"].squeeze(), rtol=LOSS, atol=0)
    (apart["fake"] + apart["real"]).backward()
    check_gradients(values, task, networks, ("netD",))


def check_gradients(values, task, networks, names):
    """Those of the softmax at a temperature of 0.01 are the least exact."""
    for net in names:
        parameters = dict(networks[net].named_parameters())
        start = f"grad_{task}/{net}/"
        gradients = {key.removeprefix(start): value for key, value in values.items() if key.startswith(start)}
        assert gradients
        for name, expected in gradients.items():
            tolerance = 1e-2 if net == "netCorr" else 1e-3
            check(parameters[name].grad, expected, tolerance * float(expected.abs().max()))
