"""The losses of pix2pixHD (section 3.2): least squares at every scale, and features alike in the discriminators."""

from __future__ import annotations

from functools import partial

from torch import Tensor

from ktviz.systems.blocks.adversarial import Maps, feature_matching, least_squares, scales

FEATURES = 10.0
"""Weight of feature matching."""


def generator_loss(fake: Maps, real: Maps) -> Tensor:
    """Of generator and encoder: the made picture passes for real, and looks to the discriminators like the true one.

    Every layer counts a fourth of what four would: the published balance, for three layers with strides.
    """
    layers = len(fake[0]) - 1
    passing = scales(partial(least_squares, real=True), fake).sum()
    return passing + FEATURES * 4 / layers * feature_matching(fake, real)


def discriminator_loss(fake: Maps, real: Maps) -> Tensor:
    """Of the discriminators, for maps of a made picture through which nothing flows back."""
    found, missed = scales(partial(least_squares, real=True), real), scales(partial(least_squares, real=False), fake)
    return (found.sum() + missed.sum()) / 2
