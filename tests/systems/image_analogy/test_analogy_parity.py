"""The parts of Deep Image Analogy against an independent implementation in double precision."""

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional as F

from ktviz.systems.image_analogy.blend import blend
from ktviz.systems.image_analogy.cost import PatchCost, joined
from ktviz.systems.image_analogy.field import upsampled
from ktviz.systems.image_analogy.inversion import energy, optimised
from ktviz.systems.image_analogy.refine import smoothed
from ktviz.systems.image_analogy.vote import Votes

TIE = 1e-6


@pytest.fixture(scope="module")
def reference(shared):
    with np.load(shared / "parity" / "deep_image_analogy_reference.npz") as file:
        return {name: file[name] if file[name].dtype.kind == "U" else torch.from_numpy(file[name]) for name in file}


def pair_cost(reference, group, patch):
    a, a_prime, b, b_prime = (reference[f"{group}/{name}"] for name in ("FA", "FAp", "FB", "FBp"))
    return PatchCost(joined(a_prime, a), joined(b_prime, b), patch)


@pytest.mark.parametrize("patch", [3, 5])
def test_cost_of_given_matches(reference, patch):
    cost = pair_cost(reference, "cost", patch)
    p, q = (
        places[:, 0] * width + places[:, 1] for places, width in ((reference["cost/p"], 11), (reference["cost/q"], 13))
    )
    assert (cost.overlap(p, q) == reference[f"cost/count{patch}"]).all()
    wanted = reference[f"cost/d{patch}"]
    assert (cost.exact(p, q) - wanted).abs().max() < TIE
    order = p.argsort(stable=True)
    once = order[torch.cat([torch.tensor([True]), p[order].diff() > 0])]
    assert (cost(p[once], q[once]) - wanted[once]).abs().max() < TIE


@pytest.mark.parametrize("patch", [3, 5])
@pytest.mark.parametrize("way", ["ab", "ba"])
@pytest.mark.parametrize("grids", ["24x24", "20x26"])
def test_exact_field(reference, grids, way, patch):
    cost = pair_cost(reference, f"nnf_{grids}", patch)
    cost = cost if way == "ab" else cost.back()
    height, width = cost.size_here
    numbers, costs = cost.best(torch.arange(height * width))
    field = torch.stack((numbers[:, 0] // cost.size_there[1], numbers[:, 0] % cost.size_there[1]), 1)
    other = (field.view(height, width, 2) != reference[f"nnf_{grids}/{way}{patch}"]).any(2)
    assert (reference[f"nnf_{grids}/{way}{patch}_gap"][other] < TIE).all()
    assert (costs.view(height, width) - reference[f"nnf_{grids}/{way}{patch}_cost"]).abs().max() < TIE


@pytest.mark.parametrize("case", ["a", "b", "c"])
def test_upsampling_with_ratios_that_are_no_whole_numbers(reference, case):
    here, there = (tuple(reference[f"up_{case}/{side}_new"].tolist()) for side in "AB")
    assert (upsampled(reference[f"up_{case}/nn"], here, there) == reference[f"up_{case}/nn_new"]).all()


@pytest.mark.parametrize("patch", [3, 5])
def test_votes(reference, patch):
    values = reference["vote/F"].double()
    votes = Votes(reference["vote/nn"], tuple(values.shape[1:]), patch)
    assert (votes.average(values) - reference[f"vote/out{patch}"]).abs().max() < 1e-12
    sources, weights = votes.of(torch.arange(9 * 11))
    assert ((sources >= 0).sum(1).view(9, 11) == reference[f"vote/count{patch}"]).all()
    pixels = reference["vote/image_u8"].double()
    cut = votes.average(pixels).floor().byte()  # as published; ours are rounded
    assert (cut == reference[f"vote/image{patch}_u8"]).all()
    rendered = (pixels.flatten(1)[:, sources.clamp(min=0)] * weights).sum(2).view(3, 9, 11)
    assert (rendered - votes.average(pixels)).abs().max() < 1e-4


@pytest.mark.parametrize("alpha", [0.6, 1.0])
@pytest.mark.parametrize(("curve", "name"), [("step", "hard"), ("sigmoid", "sigmoid")])
def test_blending(reference, curve, name, alpha):
    own, other = reference["blend/F_A"].double(), reference["blend/F_Ap"].double()
    found = blend(own, alpha, curve)
    assert (found.response - reference["blend/response"]).abs().max() < 1e-12
    assert (found.kept - reference[f"blend/{name}_{alpha}/w"]).abs().max() < 1e-12
    assert (found.mix(own, other) - reference[f"blend/{name}_{alpha}/out"]).abs().max() < 1e-12


@pytest.mark.parametrize("border", ["original", "full"])
def test_refinement(reference, border):
    guide, image = (reference[f"wls/{name}"].double().flip(2).numpy() for name in ("guide", "image"))
    smooth_image, smooth_guide = smoothed([image, guide], guide, border)
    found = {"image": smooth_image, "guide": smooth_guide, "refined": guide + smooth_image - smooth_guide}
    for name, value in found.items():
        assert np.abs(value[..., ::-1] - reference[f"wls/{border}_border/{name}"].numpy()).max() < 1e-5


class Stage(nn.Module):
    """Convolution, pooling, convolution, as the reference has them."""

    def __init__(self, reference):
        super().__init__()
        self.parts = [reference[f"inv/{name}"].double() for name in ("w1", "b1", "w2", "b2")]

    def between(self, values, start, stop):
        w1, b1, w2, b2 = self.parts
        pooled = F.max_pool2d(F.relu(F.conv2d(values, w1, b1, padding=1)), 2, ceil_mode=True)
        return [F.relu(F.conv2d(pooled, w2, b2, padding=1))]


def test_inversion_energy_and_gradient(reference):
    stage, target = Stage(reference), reference["inv/target"][None]
    start = reference["inv/R0"].double()[None].requires_grad_()
    loss = energy(stage, start, target, 2)
    loss.backward()
    assert loss.item() == pytest.approx(float(reference["inv/energy_R0"]), rel=1e-9)
    wanted = reference["inv/gradient_R0"]
    assert (start.grad[0] - wanted).abs().max() < 1e-9 * wanted.abs().max()
    found = optimised(stage, start.detach(), target, 2, 100)
    assert found.before == pytest.approx(loss.item())
    assert found.after < 2 * float(reference["inv/energy_after_scipy_lbfgs_100"]) + 1e-3 * found.before
    assert float(energy(stage, found.values, target, 2)) == pytest.approx(found.after)
