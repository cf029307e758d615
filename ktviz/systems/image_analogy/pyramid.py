"""The five-level feature pyramid: VGG-19's chain of convolutions from pixels to conv5_1, in any widths.

Level 0 is the picture, levels 1 to 5 are conv1_1 to conv5_1 after their ReLU, at strides 1, 2, 4, 8 and 16. The shipped
pyramid, slim students of VGG-19 and VGG-19 itself are the same chain; they differ in widths, padding and colours.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ktviz.errors import WeightsError
from ktviz.networks.threads import Conv2d, threads_for
from ktviz.networks.weights import module_digest, read_tensors, save_weights

LEVELS = ("pixels", "conv1_1", "conv2_1", "conv3_1", "conv4_1", "conv5_1")
STAGES = (
    ("conv1_1",),
    ("conv1_2", "conv2_1"),
    ("conv2_2", "conv3_1"),
    ("conv3_2", "conv3_3", "conv3_4", "conv4_1"),
    ("conv4_2", "conv4_3", "conv4_4", "conv5_1"),
)
"""The convolutions of each level, from the level before; the last of a stage but the first reads a 2x2 max pooling."""
WIDTHS = (16, 32, 64, 128, 128)
"""Channels of the shipped pyramid's levels."""
TORCHVISION = dict(
    zip((name for stage in STAGES for name in stage), (0, 2, 5, 7, 10, 12, 14, 16, 19, 21, 23, 25, 28), strict=True)
)
"""Numbers of the convolutions in torchvision's `features`."""
IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)
CAFFE_MEAN = (103.939, 116.779, 123.68)
COLOURS = ("colour", "conv0", "conv0_rgb_to_bgr_1x1")
"""What files call a first 1x1 convolution that takes RGB in [0, 1] to the network's colours."""

Padding = Literal["reflect", "zeros"]


class Pyramid(nn.Module):
    """Five levels of features of a picture.

    Args:
        widths: Channels of conv1_1 to conv5_1.
        padding: How the convolutions go on beyond the border.

    Example:
        >>> pyramid = Pyramid()
        >>> [tuple(level.shape[1:]) for level in pyramid(torch.zeros(1, 3, 40, 33))]
        [(16, 40, 33), (32, 20, 17), (64, 10, 9), (128, 5, 5), (128, 3, 3)]
    """

    def __init__(self, widths: Sequence[int] = WIDTHS, padding: Padding = "reflect") -> None:
        super().__init__()
        self.widths, self.padding = tuple(widths), padding
        self.colour = Conv2d(3, 3, 1)
        self.colour.load_state_dict({"weight": 4 * torch.eye(3)[:, :, None, None], "bias": torch.full((3,), -2.0)})
        before = 3
        for name in (name for stage in STAGES for name in stage):
            width = self.widths[int(name[4]) - 1]
            self.add_module(name, Conv2d(before, width, 3))
            before = width

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Pyramid:
        """Any network of this chain, from a .safetensors file or a PyTorch state dict.

        Layers are found by name (torchvision's `features.28`, or `conv5_1`, `conv51`, `block5_conv1`), widths by shape.
        A first 1x1 convolution says that a network takes RGB in [0, 1] and pads by reflection. Without one it is
        VGG-19 as torchvision has it (ImageNet mean and deviation) or as Caffe and Keras have it (BGR less its mean,
        0 to 255), padded with zeros.

        Raises:
            WeightsError: The file is missing or damaged, lacks a layer, has one of another shape, or holds NaN.
        """
        tensors = read_tensors(path)
        found = {name: convolution(tensors, name, path) for stage in STAGES for name in stage}
        colour, padding = colour_of(tensors)
        widths = [len(found[stage[-1]]["bias"]) for stage in STAGES]
        pyramid = cls(widths, padding)
        state = {f"{name}.{part}": value for name, parts in found.items() for part, value in parts.items()}
        state |= {f"colour.{part}": value for part, value in colour.items()}
        for key, value in pyramid.state_dict().items():
            shape = tuple(state[key].shape)
            if shape != value.shape or not state[key].isfinite().all():
                reason = "not finite" if shape == value.shape else f"of shape {shape}, not {tuple(value.shape)}"
                raise WeightsError(f"{key} in {str(path)!r}", reason, "Give the weights of one network as they were")
        pyramid.load_state_dict(state)
        return pyramid.eval().requires_grad_(False)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the weights, rounded to float16, with a digest of them, for `load`.

        Raises:
            StorageError: The disk refuses.
        """
        save_weights(self, path, {})

    def forward(self, image: Tensor) -> list[Tensor]:
        """(B, 3, H, W) in [0, 1] to five maps, (B, widths[k], ceil(H / 2^k), ceil(W / 2^k)), conv1_1 first."""
        return self.between(image, 0, 5)

    def between(self, values: Tensor, start: int, stop: int) -> list[Tensor]:
        """The levels above `start` up to `stop`, given the values of level `start` (after its ReLU)."""
        levels = []
        for stage in range(start, stop):
            halvings = min(stage, 1)
            with threads_for(values[:, 0].numel() >> 2 * halvings):
                values = self.stage(values, stage)
            levels.append(values)
        return levels

    def stage(self, values: Tensor, number: int) -> Tensor:
        """From one level to the next."""
        if number == 0:
            values = self.colour(values)
        for name in STAGES[number]:
            if number > 0 and name == STAGES[number][-1]:
                values = F.max_pool2d(values, 2, ceil_mode=True)
            values = F.relu(self.get_submodule(name)(self.bordered(values)))
        return values

    def bordered(self, values: Tensor) -> Tensor:
        """One more cell on every side."""
        if self.padding == "zeros":
            return F.pad(values, (1, 1, 1, 1))
        # A single row or column has nothing to reflect.
        return F.pad(values, (1, 1, 1, 1), mode="reflect" if min(values.shape[2:]) > 1 else "replicate")

    @property
    def digest(self) -> str:
        """SHA-256 over the layers and the values of the weights."""
        return module_digest(self)


def convolution(tensors: Mapping[str, Tensor], name: str, path: str | os.PathLike[str]) -> dict[str, Tensor]:
    """Weight (out, in, 3, 3) and bias of the layer of that name, under whatever name the file has it."""
    block, number = name[4], name[6]
    pattern = re.compile(
        rf"(?:.*[./])?(?:features\.{TORCHVISION[name]}|conv{block}_?{number}|block{block}_conv{number})"
        r"[./](weight|bias|kernel)(?::0)?"
    )
    parts = {match[1]: tensors[key] for key in tensors if (match := pattern.fullmatch(key))}
    if "kernel" in parts and parts["kernel"].ndim == 4:  # Keras: height, width, in, out
        parts["weight"] = parts.pop("kernel").permute(3, 2, 0, 1)
    if parts.keys() != {"weight", "bias"} or parts["weight"].ndim != 4 or parts["bias"].ndim != 1:
        raise WeightsError(
            f"layer {name} in {str(path)!r}",
            f"no weight and bias of a convolution of that name (first key: {next(iter(tensors), 'none')})",
            "Give a checkpoint that reaches conv5_1: VGG-19 of torchvision, Caffe or Keras, or one that ktviz trained",
        )
    return {part: value.float() for part, value in parts.items()}


def colour_of(tensors: Mapping[str, Tensor]) -> tuple[dict[str, Tensor], Padding]:
    """RGB in [0, 1] to the colours that the network was trained with, and its padding."""
    for name in COLOURS:
        if f"{name}.weight" in tensors and f"{name}.bias" in tensors:
            return {part: tensors[f"{name}.{part}"].float() for part in ("weight", "bias")}, "reflect"
    if any(key.endswith("features.0.weight") for key in tensors):
        mean, deviation = torch.tensor(IMAGENET_MEAN), torch.tensor(IMAGENET_STD)
        return {"weight": torch.diag(1 / deviation)[:, :, None, None], "bias": -mean / deviation}, "zeros"
    return {"weight": 255 * torch.eye(3).flip(0)[:, :, None, None], "bias": -torch.tensor(CAFFE_MEAN)}, "zeros"
