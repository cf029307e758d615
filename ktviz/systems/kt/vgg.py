"""VGG-19 (Simonyan and Zisserman 2014) up to conv3_2, built from two checkpoint layouts without torchvision."""

from __future__ import annotations

import hashlib
import os
import urllib.request
from contextlib import nullcontext
from http.client import HTTPException
from pathlib import Path
from typing import Literal
from urllib.error import URLError

import torch
from torch import Tensor, nn
from tqdm.auto import tqdm

from ktviz.errors import WeightsError
from ktviz.files import cache_folder, caching, replacing
from ktviz.images import file_digest
from ktviz.networks.threads import Conv2d
from ktviz.networks.weights import read_tensors

Padding = Literal["reflect", "zeros"]
WIDTHS = (64, 64, 128, 128, 256, 256)
LAYERS = ("conv1_1", "conv1_2", "conv2_1", "conv2_2", "conv3_1", "conv3_2")
TORCHVISION_INDEX = dict(zip(LAYERS, (0, 2, 5, 7, 10, 12), strict=True))
COLOUR = "conv0_rgb_to_bgr_1x1"
IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)
URL = "https://download.pytorch.org/models/vgg19-dcbb9e9d.pth"
SHA256_PREFIX = "dcbb9e9d"


def vgg19_layers(path: str | os.PathLike[str], layer: str) -> nn.Sequential:
    """VGG-19 from RGB in [0, 1] to `layer` ("relu3_1" or "relu3_2"), 256 channels at stride 4.

    Reads torchvision's layout (`features.0.weight` ..., zero padding, ImageNet mean and std) and the normalised layout
    (`conv0_rgb_to_bgr_1x1.weight`, `conv1_1.weight` ..., reflection padding).

    Raises:
        WeightsError: Unknown layer or layout, or a checkpoint that stops before `layer`.
    """
    last = layer.replace("relu", "conv")
    if last not in LAYERS[4:]:
        raise WeightsError(f"VGG-19 layer {layer!r}", "not one of relu3_1, relu3_2", "Choose one of these")
    tensors = read_tensors(path)
    padding: Padding
    if f"{COLOUR}.weight" in tensors:
        colour, names, padding = colour_layer(tensors), {n: n for n in LAYERS}, "reflect"
    elif "features.0.weight" in tensors:
        colour, names, padding = imagenet_layer(), {n: f"features.{i}" for n, i in TORCHVISION_INDEX.items()}, "zeros"
    else:
        raise WeightsError(
            f"VGG-19 weights {str(path)!r}",
            f"neither torchvision's nor the normalised layout (first key: {next(iter(tensors), 'none')})",
            "Give torchvision's vgg19 checkpoint or a normalised VGG-19",
        )
    wanted = LAYERS[: LAYERS.index(last) + 1]
    missing = [key for n in wanted for key in (f"{names[n]}.weight", f"{names[n]}.bias") if key not in tensors]
    if missing:
        raise WeightsError(f"VGG-19 up to {layer}", f"{path} has no {missing[0]}", "Give a checkpoint that reaches it")
    layers: list[nn.Module] = [colour]
    for name, inputs, outputs in zip(wanted, (3, *WIDTHS), WIDTHS, strict=False):
        layers += [filled_conv(tensors, names[name], (outputs, inputs, 3, 3), padding), nn.ReLU()]
        if name in ("conv1_2", "conv2_2"):
            layers.append(nn.MaxPool2d(2, ceil_mode=True))
    return nn.Sequential(*layers)


def filled_conv(tensors: dict[str, Tensor], name: str, shape: tuple[int, ...], padding_mode: Padding) -> Conv2d:
    weight, bias = tensors[f"{name}.weight"].float(), tensors[f"{name}.bias"].float()
    if weight.shape != shape or bias.shape != shape[:1] or not (weight.isfinite().all() and bias.isfinite().all()):
        raise WeightsError(
            f"VGG-19 layer {name}", f"of shape {tuple(weight.shape)}, not {shape}, or not finite", "Fetch them again"
        )
    layer = Conv2d(shape[1], shape[0], 3, padding=1, padding_mode=padding_mode)
    layer.load_state_dict({"weight": weight, "bias": bias})
    return layer


def colour_layer(tensors: dict[str, Tensor]) -> Conv2d:
    layer = Conv2d(3, 3, 1)
    layer.load_state_dict({part: tensors[f"{COLOUR}.{part}"].float() for part in ("weight", "bias")})
    return layer


def imagenet_layer() -> Conv2d:
    """(rgb - mean) / std as a 1x1 convolution."""
    layer = Conv2d(3, 3, 1)
    mean, std = torch.tensor(IMAGENET_MEAN), torch.tensor(IMAGENET_STD)
    layer.load_state_dict({"weight": torch.diag(1 / std)[:, :, None, None], "bias": -mean / std})
    return layer


def fetch_vgg19(url: str = URL, sha256_prefix: str = SHA256_PREFIX, folder: Path | None = None) -> Path:
    """Download torchvision's vgg19 checkpoint once into the cache; check its digest, and again later.

    Args:
        url: Where from.
        sha256_prefix: First hex digits of the file's SHA-256, as in torchvision's file name.
        folder: Where to; `weights` in the cache if None.

    Returns:
        The file, complete and checked.

    Raises:
        WeightsError: The network or the digest fails; nothing half-written is left.
        StorageError: The folder cannot be written; of the cache, the message says what to do.
    """
    target = (folder or cache_folder() / "weights") / url.rsplit("/", 1)[-1]
    if target.is_file() and file_digest(target).startswith(sha256_prefix):
        return target
    with nullcontext() if folder else caching(), replacing(target) as temporary:
        try:
            digest = download(url, temporary)
        except (URLError, TimeoutError, ConnectionError, HTTPException) as error:
            raise WeightsError(f"download {url}", str(error), f"Fetch it by hand into {target.parent}") from None
        if not digest.startswith(sha256_prefix):
            raise WeightsError(f"download {url}", f"SHA-256 is {digest[:8]}..., not {sha256_prefix}...", "Try again")
    return target


def download(url: str, path: Path) -> str:
    """Stream `url` into `path` with a progress bar; returns the SHA-256 in hex."""
    digest = hashlib.sha256()
    with urllib.request.urlopen(url, timeout=60) as reply, path.open("wb") as file:
        size = int(reply.headers.get("Content-Length", 0)) or None
        with tqdm(total=size, unit="B", unit_scale=True, desc="VGG-19") as bar:
            while chunk := reply.read(1 << 20):
                file.write(chunk)
                digest.update(chunk)
                bar.update(len(chunk))
    return digest.hexdigest()
