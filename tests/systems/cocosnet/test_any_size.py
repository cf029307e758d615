"""Pictures of any size: what is added at the edges is cut off again, and where nothing is added nothing changes."""

import numpy as np
import pytest
import torch
from torch.nn import functional as F

import ktviz as kt
from ktviz.images import to_tensor
from ktviz.systems.cocosnet.correspondence import (
    Shape,
    Warp,
    means,
    patches,
    picture_of_means,
    picture_of_patches,
)

KINDS = {
    "mean colours": {},
    "smooth": {"smooth": True},
    "patches": {"patches": True},
    "attention": {"attention": True, "width": 4},
    "without masks": {"shape": Shape(5, width=2, features=8, descriptor=6, hidden=6, kernel=4, masks=False)},
}


@pytest.mark.parametrize("kind", KINDS)
@torch.no_grad()
def test_a_picture_is_what_the_published_steps_make(make_networks, make_map, paint, kind):
    networks = make_networks(**KINDS[kind])
    labels, pixels, exemplar_labels = make_map(1, 64, 96), paint(2, 64, 96), make_map(3, 64, 96)
    target, there = (F.one_hot(torch.from_numpy(m), 5).movedim(-1, 0)[None].float() for m in (labels, exemplar_labels))
    picture = 2 * to_tensor(pixels) - 1
    one, other = networks.correspondence(target, picture, there)
    cells = Warp(one @ other.mT).to_target((patches if kind == "patches" else means)(picture))
    if kind == "patches":
        warped = picture_of_patches(cells, 64, 96)
    else:
        warped = picture_of_means(cells, 64, 96, smooth=kind == "smooth")
    expected = (networks.generator(torch.cat((warped, target), 1))[0] + 1) / 2
    found = kt.CoCosNet(pixels, exemplar_labels, networks)(labels)
    assert np.abs(found.output - 255 * expected.permute(1, 2, 0).numpy()).max() < 1
    assert np.abs(found.warped - 255 * (warped[0].permute(1, 2, 0).numpy() + 1) / 2).max() < 0.6


@pytest.mark.parametrize("size", [(16, 16), (17, 35), (33, 64), (100, 18)])
@pytest.mark.parametrize("kind", ["mean colours", "smooth", "patches"])
def test_any_size_of_both(make_networks, make_map, paint, size, kind):
    networks = make_networks(**KINDS[kind])
    height, width = size
    system = kt.CoCosNet(paint(4, width, height), make_map(5, width, height), networks)
    found = system(make_map(6, height, width))
    assert found.output.shape == found.warped.shape == (height, width, 3)
    assert found.entropy.shape == (-(-height // 4), -(-width // 4))
    assert found.reuse.shape == (-(-width // 4), -(-height // 4))
    assert found.reuse.sum() == pytest.approx(found.entropy.size, rel=1e-5)


def test_boxes_of_the_last_cells_end_where_pictures_end(trace, labels, exemplar):
    box, source_box = trace.column("box"), trace.column("source_box", winners=False)
    assert (box[:, 0] + box[:, 2]).max() == labels.shape[1]
    assert (box[:, 1] + box[:, 3]).max() == labels.shape[0]
    assert (source_box[:, 0] + source_box[:, 2]).max() <= exemplar[0].shape[1]
    assert (source_box[:, 1] + source_box[:, 3]).max() <= exemplar[0].shape[0]


def test_a_warp_of_one_colour_stays_that_colour_at_the_edges(networks, make_map):
    pixels = np.full((30, 30, 3), (200, 40, 90), np.uint8)
    found = kt.CoCosNet(pixels, make_map(1, 30, 30), networks)(make_map(2, 21, 43))
    assert (found.warped == pixels[0, 0]).all()
