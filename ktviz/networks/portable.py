"""Small networks in a form that a page can run: a list of layers, and their weights in a byte each."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import numpy.typing as npt
import torch
from torch import nn

LEVELS = 127
"""Of a weight, on either side of 0; each output channel has a scale of its own."""
Array = npt.NDArray[Any]


@dataclass
class Portable:
    """A network of convolutions.

    Attributes:
        layers: In their order: what each is, and the names of its weights.
        weights: By name: int8 (out, in, size, size), and float32 scales and biases (out,).
    """

    layers: list[dict[str, Any]] = field(default_factory=list)
    weights: dict[str, Array] = field(default_factory=dict)

    @property
    def reach(self) -> int:
        """How many px of the input on each side have a part in an output of a network that makes pictures smaller."""
        found, step = 0, 1
        for layer in self.layers:
            if layer["kind"] == "conv":
                found, step = found + step * (layer["size"] // 2), step * layer["stride"]
        return found


def portable(layers: Iterable[nn.Module], name: str) -> Portable | None:
    """Layers in a form that a page can run; None if one is of a kind that pages do not know.

    Args:
        layers: Convolutions with reflected borders, ReLU, SiLU, pixel shuffles, and pairs of convolutions around which
            the input is added (`first`, `second`).
        name: Before the names of weights.

    Example:
        >>> made = portable([nn.Conv2d(3, 8, 3, padding=1, padding_mode="reflect"), nn.ReLU()], "small")
        >>> [layer["kind"] for layer in made.layers], made.weights["small/0/weight"].shape
        (['conv', 'relu'], (8, 3, 3, 3))
    """
    found = Portable()
    for number, layer in enumerate(layers):
        said = described(layer, f"{name}/{number}", found.weights)
        if said is None:
            return None
        found.layers.append(said)
    return found


def described(layer: nn.Module, name: str, weights: dict[str, Array]) -> dict[str, Any] | None:
    """What a layer is; its weights are added to the others."""
    if isinstance(layer, nn.ReLU):
        return {"kind": "relu"}
    if isinstance(layer, nn.SiLU):
        return {"kind": "silu"}
    if isinstance(layer, nn.PixelShuffle):
        return {"kind": "shuffle", "factor": layer.upscale_factor}
    if isinstance(layer, nn.Conv2d):
        return convolution(layer, name, weights)
    pair = [getattr(layer, part, None) for part in ("first", "second")]
    if all(isinstance(one, nn.Conv2d) for one in pair) and len([*layer.children()]) == len(pair):
        said = [convolution(one, f"{name}/{part}", weights) for part, one in enumerate(pair)]  # type: ignore[arg-type]
        return {"kind": "residual", "first": said[0], "second": said[1]} if all(said) else None
    return None


def convolution(layer: nn.Conv2d, name: str, weights: dict[str, Array]) -> dict[str, Any] | None:
    """A convolution, its weights rounded to whole steps; None of one of another kind."""
    size, stride = layer.kernel_size[0], layer.stride[0]
    square = set(layer.kernel_size) == {size} and set(layer.stride) == {stride}
    padded = layer.padding in ((size // 2, size // 2), size // 2) and (size == 1 or layer.padding_mode == "reflect")
    if not (square and padded and layer.groups == 1 and set(layer.dilation) == {1}):
        return None
    weight = layer.weight.detach().float().cpu()
    scale = (weight.abs().amax((1, 2, 3)) / LEVELS).clamp(min=torch.finfo(torch.float32).tiny)
    bias = torch.zeros(len(weight)) if layer.bias is None else layer.bias.detach().float().cpu()
    weights[f"{name}/weight"] = (weight / scale[:, None, None, None]).round().to(torch.int8).numpy()
    weights[f"{name}/scale"], weights[f"{name}/bias"] = scale.numpy(), bias.numpy()
    channels = {"in": layer.in_channels, "out": layer.out_channels}
    return {"kind": "conv", "weights": name, "size": size, "stride": stride, **channels}
