"""Encoders: an image to a feature map at a quarter of its resolution.

The shipped encoder is a compact student of normalised VGG-19 relu3_1; VGG-19 itself can take its place. Any module
with `channels`, `stride` and a forward of the same shape can be plugged into a `Translator` or a library build.
"""

from __future__ import annotations

import os
from typing import Literal

from torch import Tensor, nn

from ktviz.library.kinds.patches.features import STRIDE
from ktviz.networks.threads import Conv2d
from ktviz.networks.weights import load_weights, module_digest, save_weights
from ktviz.systems.kt.packaged import WEIGHTS
from ktviz.systems.kt.vgg import fetch_vgg19, vgg19_layers

CHANNELS = 128


class Encoder(nn.Module):
    """A convolutional encoder: (B, 3, H, W) in [0, 1] to (B, C, H/4, W/4).

    Args:
        layers: The network.
        channels: C, its output channels.
        name: Written into libraries, e.g. ``"ktviz-student"``.

    Example:
        >>> kt.Encoder.shipped()(torch.zeros(1, 3, 32, 32)).shape
        torch.Size([1, 128, 8, 8])
    """

    def __init__(self, layers: nn.Module, channels: int, name: str) -> None:
        super().__init__()
        self.layers = layers
        self.channels = channels
        self.stride = STRIDE
        self.name = name

    @classmethod
    def student(cls) -> Encoder:
        """The shipped architecture with random weights, as training starts it.

        Example:
            >>> Encoder.student()(torch.zeros(1, 3, 64, 64)).shape
            torch.Size([1, 128, 16, 16])
        """
        return cls(student_layers(), CHANNELS, "ktviz-student")

    @classmethod
    def shipped(cls) -> Encoder:
        """The encoder that comes with the package (offline, float16 on disk, float32 in memory).

        Raises:
            WeightsError: It is not the file that was packaged.
        """
        return cls.load(WEIGHTS.path("encoder.safetensors"))

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Encoder:
        """The student architecture with weights from a safetensors file written by `ktviz train` or `save`.

        Raises:
            WeightsError: The file is missing, damaged, without a digest, of another architecture, or holds NaN.

        Example:
            >>> path = pathlib.Path(tempfile.mkdtemp()) / "encoder.safetensors"
            >>> Encoder.shipped().save(path)
            >>> Encoder.load(path).digest == Encoder.shipped().digest
            True
        """
        encoder = cls.student()
        load_weights(encoder.layers, path)
        return encoder.eval().requires_grad_(False)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the weights, rounded to float16, with a digest of them; `load` reads those of a student.

        Raises:
            StorageError: The disk refuses.

        Example:
            >>> path = pathlib.Path(tempfile.mkdtemp()) / "encoder.safetensors"
            >>> Encoder.student().save(path)
            >>> path.stat().st_size < 1_000_000
            True
        """
        save_weights(self.layers, path, {})

    @classmethod
    def vgg19(
        cls,
        weights: str | os.PathLike[str] = "download",
        layer: Literal["relu3_1", "relu3_2"] = "relu3_1",
    ) -> Encoder:
        """VGG-19 up to `layer` (C = 256), from torchvision's checkpoint layout or the normalised layout.

        Args:
            weights: A checkpoint (.pth or .safetensors), or ``"download"`` for torchvision's `vgg19` weights (548 MB,
                cached). Torchvision's network takes ImageNet mean and std, which is done here; the normalised layout
                (AdaIN, WCT, the paper) begins with a 1x1 colour convolution that does the same.
            layer: Where to stop; the paper's code uses relu3_2.

        Raises:
            WeightsError: The file is missing, damaged, of neither layout, or stops before `layer`.

        Example:
            >>> Encoder.vgg19("vgg19-dcbb9e9d.pth", "relu3_2")(torch.zeros(1, 3, 64, 64)).shape  # doctest: +SKIP
        """
        path = fetch_vgg19() if os.fspath(weights) == "download" else weights
        encoder = cls(vgg19_layers(path, layer), 256, f"vgg19-{layer}")
        return encoder.eval().requires_grad_(False)

    def forward(self, image: Tensor) -> Tensor:
        features: Tensor = self.layers(image)
        return features

    @property
    def digest(self) -> str:
        """SHA-256 over names, shapes and values of the weights: a library remembers which encoder made it."""
        return module_digest(self)


def student_layers() -> nn.Sequential:
    """The student: stride 4, 0.45 M parameters, reflection padding."""
    return nn.Sequential(
        conv(3, 48, kernel=5, stride=2),
        nn.ReLU(),
        conv(48, 64),
        nn.ReLU(),
        conv(64, 64),
        nn.ReLU(),
        conv(64, 128, stride=2),
        nn.ReLU(),
        conv(128, 128),
        nn.ReLU(),
        conv(128, 128),
        nn.ReLU(),
        conv(128, CHANNELS, kernel=1),
    )


def conv(inputs: int, outputs: int, kernel: int = 3, stride: int = 1) -> Conv2d:
    """A convolution that keeps the size (up to the stride) by reflection."""
    return Conv2d(inputs, outputs, kernel, stride, padding=kernel // 2, padding_mode="reflect")
