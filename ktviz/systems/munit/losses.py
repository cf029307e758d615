"""What MUNIT learns from: pictures, contents and styles come back, and others are taken for real (section 4)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from torch import Tensor
from torch.nn import functional as F

from ktviz.systems.blocks.adversarial import Maps, least_squares, scales
from ktviz.systems.munit.networks import Generator

Losses = dict[str, Tensor]
Loss = Callable[[Tensor, bool], Tensor]


@dataclass(frozen=True)
class Weights:
    """Of the losses, as published for drawings.

    Attributes:
        adversarial: That discriminators take a picture for real.
        picture: That it comes back from its own content and style.
        style: That a drawn style is found again in what was made with it.
        content: That a content is.
        cycle: That a picture comes back from the other domain; 10 for photographs.
        perceptual: That features of a fixed network stay, each channel without its mean and deviation.
    """

    adversarial: float = 1.0
    picture: float = 10.0
    style: float = 1.0
    content: float = 1.0
    cycle: float = 0.0
    perceptual: float = 0.0


@dataclass(frozen=True, eq=False)
class Half:
    """One direction of a step: a picture x of one domain, made again in it and in the other one.

    Attributes:
        x: (B, 3, H, W) in [-1, 1].
        content: Its own.
        again: From its own content and style.
        drawn: The style, (B, numbers), in which it was made in the other domain, as
        other: a picture.
        content_again: The content that is found in that, and
        style_again: the style.
        back: From that content and its own style, in its own domain.
    """

    x: Tensor
    content: Tensor
    again: Tensor
    drawn: Tensor
    other: Tensor
    content_again: Tensor
    style_again: Tensor
    back: Tensor


def half(here: Generator, there: Generator, x: Tensor, drawn: Tensor) -> Half:
    """A picture of one domain, made in both."""
    content, style = here.content(x), here.style(x)
    other = there.decode(content, drawn)
    content_again, style_again = there.content(other), there.style(other)
    back = here.decode(content_again, style)
    return Half(x, content, here.decode(content, style), drawn, other, content_again, style_again, back)


def half_losses(found: Half, weights: Weights) -> Losses:
    """All losses of a direction but the discriminators', weighted. Nothing is held still: codes learn from both
    sides."""
    return {
        "picture": weights.picture * F.l1_loss(found.again, found.x),
        "style": weights.style * F.l1_loss(found.style_again, found.drawn),
        "content": weights.content * F.l1_loss(found.content_again, found.content),
        "cycle": weights.cycle * F.l1_loss(found.back, found.x),
    }


def taken_for_real(fake: Maps, loss: Loss = least_squares) -> Tensor:
    """How far discriminators are from taking a made picture for real, all scales together."""
    return scales(lambda logits: loss(logits, True), fake).sum()


def told_apart(fake: Maps, real: Maps, loss: Loss = least_squares) -> Tensor:
    """How far discriminators are from telling made pictures from real ones, all scales together."""
    return scales(lambda logits: loss(logits, False), fake).sum() + taken_for_real(real, loss)


def same_features(fake: Tensor, x: Tensor) -> Tensor:
    """How far features (B, C, h, w) of a made picture are from those of the one it was made of, each channel without
    its mean and deviation: what is shown, and not how (section 5)."""
    return F.mse_loss(F.instance_norm(fake), F.instance_norm(x))
