"""The teacher: normalised VGG-19 relu3_1, projected on the leading directions of its own features."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor, nn

from ktviz.networks.weights import load_weights, save_weights
from ktviz.systems.kt.encoder import CHANNELS, Encoder


class Teacher(nn.Module):
    """Projected VGG-19 features: (B, 3, H, W) in [0, 1] to (B, 128, H/4, W/4).

    The 256 channels are projected on the 128 leading eigenvectors of their uncentred second-moment matrix and scaled
    to unit RMS. Uncentred, because retrieval compares by uncentred cosine: the projection keeps angles.

    Args:
        vgg: The full network, 256 channels.
    """

    def __init__(self, vgg: Encoder) -> None:
        super().__init__()
        self.vgg = vgg
        self.projection = nn.Conv2d(vgg.channels, CHANNELS, 1, bias=False)
        self.requires_grad_(False)

    def forward(self, image: Tensor) -> Tensor:
        features: Tensor = self.projection(self.vgg(image))
        return features

    def fit(self, batches: list[Tensor]) -> float:
        """Fit the projection on features of some batches; returns the share of energy it keeps."""
        moment = torch.zeros(self.vgg.channels, self.vgg.channels, dtype=torch.float64)
        cells = 0
        for batch in batches:
            with torch.inference_mode():
                flat = self.vgg(batch).transpose(0, 1).flatten(1).double()
            moment += (flat @ flat.T).cpu()
            cells += flat.shape[1]
        values, vectors = torch.linalg.eigh(moment / cells)
        leading = vectors[:, -CHANNELS:].flip(1)
        # An eigenvector's sign is arbitrary; fix it so that a repeated run gives the same target.
        leading = leading * leading.sum(0).sign()
        kept = values[-CHANNELS:].sum()
        unit_rms = (CHANNELS / kept).sqrt()
        self.projection.weight.copy_((leading.T * unit_rms).float()[:, :, None, None])
        return float(kept / values.sum())

    def save_projection(self, path: Path) -> None:
        save_weights(self.projection, path, {"what": "projection of VGG-19 relu3_1 that the student learns"})

    def load_projection(self, path: Path) -> None:
        load_weights(self.projection, path)
