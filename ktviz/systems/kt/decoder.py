"""The decoder: a feature map back to an image at four times its resolution."""

from __future__ import annotations

import os

from torch import Tensor, nn

from ktviz.networks.threads import SiLU
from ktviz.networks.weights import fill, read_weights, save_weights
from ktviz.systems.kt.encoder import CHANNELS, conv
from ktviz.systems.kt.packaged import WEIGHTS

silu = SiLU()


class Decoder(nn.Module):
    """Inverts an encoder: (B, C, h, w) to (B, 3, 4h, 4w).

    The output is not clamped: a clamp has no gradient where it saturates, so training goes without it (the authors'
    decoder starts with half of its outputs stuck at 0); the translator clamps when it makes pixels. Padding reflects
    everywhere, so that borders keep their tint.

    Args:
        channels: C of the encoder it inverts.

    Example:
        >>> kt.Decoder.shipped()(torch.zeros(1, 128, 8, 8)).shape
        torch.Size([1, 3, 32, 32])
    """

    def __init__(self, channels: int = CHANNELS) -> None:
        super().__init__()
        self.channels = channels
        self.layers = nn.Sequential(
            conv(channels, 96),
            Residual(96),
            Residual(96),
            conv(96, 4 * 48),
            nn.PixelShuffle(2),
            SiLU(),
            conv(48, 4 * 24),
            nn.PixelShuffle(2),
            SiLU(),
            conv(24, 3),
        )

    @classmethod
    def shipped(cls) -> Decoder:
        """The decoder that comes with the package, for `Encoder.shipped()`.

        Raises:
            WeightsError: It is not the file that was packaged.
        """
        return cls.load(WEIGHTS.path("decoder.safetensors"))

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Decoder:
        """A decoder with weights from a safetensors file written by `ktviz train` or `save`.

        Raises:
            WeightsError: The file is missing, damaged, without a digest, of another architecture, or holds NaN.

        Example:
            >>> path = pathlib.Path(tempfile.mkdtemp()) / "decoder.safetensors"
            >>> Decoder(8).save(path)
            >>> Decoder.load(path)(torch.zeros(1, 8, 4, 4)).shape
            torch.Size([1, 3, 16, 16])
        """
        tensors = read_weights(path)
        first = tensors.get("0.weight")
        decoder = cls(CHANNELS if first is None or first.ndim != 4 else first.shape[1])
        fill(decoder.layers, tensors, path)
        return decoder.eval().requires_grad_(False)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the weights, rounded to float16, with a digest of them, for `load`.

        Raises:
            StorageError: The disk refuses.

        Example:
            >>> path = pathlib.Path(tempfile.mkdtemp()) / "decoder.safetensors"
            >>> Decoder(8).save(path)
            >>> path.is_file()
            True
        """
        save_weights(self.layers, path, {})

    def forward(self, features: Tensor) -> Tensor:
        image: Tensor = self.layers(features)
        return image


class Residual(nn.Module):
    """x + conv(silu(conv(silu(x)))).

    Args:
        channels: That come in, and go out: (B, C, h, w) to the same.

    Example:
        >>> import torch
        >>> Residual(4)(torch.zeros(1, 4, 5, 7)).shape
        torch.Size([1, 4, 5, 7])
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.first = conv(channels, channels)
        self.second = conv(channels, channels)

    def forward(self, x: Tensor) -> Tensor:
        inner: Tensor = self.second(silu(self.first(silu(x))))
        return x + inner
