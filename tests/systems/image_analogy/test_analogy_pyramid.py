"""The pyramid, in whatever file it comes, and the inverse blocks."""

import pytest
import torch
from safetensors.torch import save_file
from torch.nn import functional as F

from ktviz.errors import MissingWeightsError, WeightsError
from ktviz.systems.image_analogy.inverse import Inverse
from ktviz.systems.image_analogy.pyramid import STAGES, TORCHVISION, Pyramid

NAMES = [name for stage in STAGES for name in stage]


def plain_weights(widths=(2, 3, 4, 4, 5)):
    torch.manual_seed(1)
    tensors, before = {}, 3
    for name in NAMES:
        width = widths[int(name[4]) - 1]
        tensors[f"{name}.weight"], tensors[f"{name}.bias"] = (
            torch.randn(width, before, 3, 3) / 3,
            torch.randn(width) / 9,
        )
        before = width
    return tensors


def plain_features(tensors, values):
    """VGG-19 as it is usually written, padded with zeros."""
    found = []
    for name in NAMES:
        values = F.relu(F.conv2d(values, tensors[f"{name}.weight"], tensors[f"{name}.bias"], padding=1))
        if name.endswith("_1"):
            found.append(values)
        if name in ("conv1_2", "conv2_2", "conv3_4", "conv4_4"):
            values = F.max_pool2d(values, 2, ceil_mode=True)
    return found


def renamed(tensors, name_of):
    return {name_of(*key.split(".")): value for key, value in tensors.items()}


LAYOUTS = {
    "torchvision": lambda t: renamed(t, lambda name, part: f"features.{TORCHVISION[name]}.{part}"),
    "caffe": lambda t: t,
    "keras": lambda t: {
        f"block{k[4]}_conv{k[6]}/{'kernel' if k.endswith('weight') else 'bias'}:0": (
            v.permute(2, 3, 1, 0).contiguous() if v.ndim == 4 else v
        )
        for k, v in t.items()
    },
    "with a colour layer": lambda t: {
        **renamed(t, lambda name, part: f"{name.replace('_', '')}.{part}"),
        "conv0.weight": torch.eye(3)[:, :, None, None] * 2,
        "conv0.bias": torch.tensor([0.1, 0.2, 0.3]),
    },
}


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("suffix", [".safetensors", ".pth"])
def test_any_layout_gives_the_features_of_that_network(tmp_path, layout, suffix):
    tensors, path = plain_weights(), tmp_path / f"vgg{suffix}"
    made = LAYOUTS[layout](tensors)
    save_file(made, path) if suffix == ".safetensors" else torch.save(made, path)
    image = torch.rand(1, 3, 37, 50)
    if layout == "torchvision":
        mean, deviation = torch.tensor([0.485, 0.456, 0.406]), torch.tensor([0.229, 0.224, 0.225])
        given = (image - mean[:, None, None]) / deviation[:, None, None]
    elif layout == "with a colour layer":
        given = 2 * image + torch.tensor([0.1, 0.2, 0.3])[:, None, None]
    else:
        given = 255 * image.flip(1) - torch.tensor([103.939, 116.779, 123.68])[:, None, None]
    wanted = plain_features(tensors, given)
    for found, level in zip(Pyramid.load(path)(image), wanted, strict=True):
        assert found.shape == level.shape
        if layout != "with a colour layer":  # which reflects at the border
            assert torch.allclose(found, level, rtol=1e-4, atol=1e-4 * float(level.max()))
    if layout == "with a colour layer":
        found = Pyramid.load(path)(image)[0]
        assert torch.allclose(found[..., 1:-1, 1:-1], wanted[0][..., 1:-1, 1:-1], atol=1e-5)
        assert not torch.allclose(found, wanted[0], atol=1e-5)


def test_levels_follow_from_any_level_below(pyramid):
    image = torch.rand(1, 3, 45, 38)
    levels = [image, *pyramid(image)]
    assert [tuple(level.shape[2:]) for level in levels[1:]] == [(45, 38), (23, 19), (12, 10), (6, 5), (3, 3)]
    for start in range(5):
        for found, wanted in zip(pyramid.between(levels[start], start, 5), levels[start + 1 :], strict=True):
            assert (found == wanted).all()


@pytest.mark.parametrize("size", [(1, 1), (1, 40), (2, 3), (16, 16)])
def test_smallest_pictures(pyramid, size):
    assert all(level.isfinite().all() and min(level.shape[2:]) >= 1 for level in pyramid(torch.rand(1, 3, *size)))


def test_features_are_the_same_on_any_number_of_threads(pyramid):
    image, found = torch.rand(1, 3, 150, 131), []
    for threads in (1, 2):
        torch.set_num_threads(threads)
        found.append(pyramid(image))
    assert all((one == two).all() for one, two in zip(*found, strict=True))


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda t: t.pop("conv4_2.bias"), "conv4_2"),
        (lambda t: t.pop("conv5_1.weight"), "reaches conv5_1"),
        (lambda t: t.update({"conv3_1.weight": torch.zeros(4, 7, 3, 3)}), r"\(4, 7, 3, 3\), not \(4, 3, 3, 3\)"),
        (lambda t: t.update({"conv2_1.weight": torch.zeros(3, 2, 5, 5)}), r"\(3, 2, 5, 5\)"),
        (lambda t: t.update({"conv1_1.bias": torch.full((2,), torch.nan)}), "not finite"),
        (lambda t: t.update({"conv1_1.bias": torch.zeros(2, 2)}), "conv1_1"),
        (dict.clear, "first key: none"),
    ],
)
def test_weights_that_do_not_fit_are_named(tmp_path, spoil, message):
    tensors = plain_weights()
    spoil(tensors)
    save_file(tensors, tmp_path / "bad.safetensors")
    with pytest.raises(WeightsError, match=message):
        Pyramid.load(tmp_path / "bad.safetensors")


def test_missing_and_damaged_files(tmp_path, pyramid):
    with pytest.raises(MissingWeightsError):
        Pyramid.load(tmp_path / "none.safetensors")
    pyramid.save(tmp_path / "whole.safetensors")
    assert Pyramid.load(tmp_path / "whole.safetensors").widths == pyramid.widths
    data = bytearray((tmp_path / "whole.safetensors").read_bytes())
    data[-40] ^= 64
    (tmp_path / "bad.safetensors").write_bytes(data)
    with pytest.raises(WeightsError, match="damaged"):
        Pyramid.load(tmp_path / "bad.safetensors")


def test_blocks_for_another_pyramid_are_refused(tmp_path):
    Inverse((4, 6, 8, 8, 8)).save(tmp_path / "inverse.safetensors")
    Inverse.load(tmp_path / "inverse.safetensors", (4, 6, 8, 8, 8))
    with pytest.raises(WeightsError, match="another architecture"):
        Inverse.load(tmp_path / "inverse.safetensors")


def test_an_untrained_block_changes_nothing(pyramid):
    image = torch.rand(1, 3, 29, 35)
    levels = [image, *pyramid(image)]
    inverse = Inverse(pyramid.widths)
    for level in range(2, 6):
        found = inverse(pyramid, levels[level - 2], levels[level], level)
        assert (found == levels[level - 2]).all()
