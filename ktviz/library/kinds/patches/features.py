"""Features: what banks of patches and translators need of an encoder, whatever network it is."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

import torch
from torch import Tensor, nn

from ktviz.errors import WeightsError
from ktviz.networks.running import run
from ktviz.networks.threads import one_thread
from ktviz.networks.weights import module_digest

STRIDE = 4
"""Pixels per feature cell."""


@runtime_checkable
class FeatureExtractor(Protocol):
    """What a translator and a library need of an encoder.

    `channels` is C; `stride` is the number of pixels per feature cell; calling it maps (B, 3, H, W) in [0, 1] to
    (B, C, H / stride, W / stride).
    """

    channels: int
    stride: int

    def __call__(self, image: Tensor, /) -> Tensor: ...


def extractor_digest(encoder: FeatureExtractor, *, in_single: bool = False) -> str:
    """A digest for any encoder: of its layers and weights if it is a module, else the one it names itself.

    Args:
        encoder: Any.
        in_single: As in `module_digest`.

    Raises:
        WeightsError: Not a module, and without a `digest`.
    """
    if isinstance(encoder, nn.Module):
        return module_digest(encoder, in_single=in_single)
    digest = getattr(encoder, "digest", None)
    if not isinstance(digest, str):
        raise WeightsError(
            f"encoder {type(encoder).__qualname__}", "neither a torch module nor a `digest`", "Give it a digest"
        )
    return digest


@torch.no_grad()
def encode(encoder: FeatureExtractor, image: Tensor) -> Tensor:
    """Features of one image, (1, 3, H, W) to (1, C, h, w), contiguous, without gradients.

    Runs on one thread: convolutions round differently on more, and equal sources shall give equal libraries.
    """
    with one_thread():
        return run(encoder, image).contiguous()
