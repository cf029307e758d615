"""Bridging with one of its two ways to a code alone: what each is worth without the other.

Losses are those of both ways (`ktviz.systems.bridge.losses`), as far as they are about the one that is left.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor
from torch.nn import functional as F

from ktviz.systems.bridge.losses import SMALLEST, Asked, Judge, Losses, Makers, mean_of

Way = Literal["labels", "reference"]


@dataclass(frozen=True, eq=False)
class OneWay:
    """Codes and pictures of a step.

    Attributes:
        own: Code of the source.
        code: Sum of that and the code that was asked for.
        picture: Of that code.
        again: By labels with fresh noise; None after a reference.
    """

    own: Tensor
    code: Tensor
    picture: Tensor
    again: Tensor | None


def asked_code(makers: Makers, asked: Asked, way: Way, difference: Tensor) -> Tensor:
    """The code that labels or the reference give in a direction."""
    labels = way == "labels"
    code: Tensor = makers.mapping(asked.noise, difference) if labels else makers.encoder(asked.reference, difference)
    return code


def made_one_way(makers: Makers, asked: Asked, way: Way) -> OneWay:
    """All that a step makes."""
    own = makers.encoder(asked.source, -asked.difference)
    code = own + asked_code(makers, asked, way, asked.difference)
    again = None
    if way == "labels":
        again = makers.generator(asked.source, own + makers.mapping(asked.fresh, asked.difference))
    return OneWay(own, code, makers.generator(asked.source, code), again)


def one_way_losses(makers: Makers, judge: Judge, asked: Asked, found: OneWay, way: Way) -> Losses:
    """All that the makers are to lower, not weighted."""
    judged, has = judge(found.picture)
    losses = {
        "adversarial": -judged.mean(),
        "attributes": F.binary_cross_entropy_with_logits(has, asked.wanted),
        "same": same(makers, asked, way),
        "cycle": cycle(makers, asked, found),
    }
    if found.again is not None:
        seen = F.l1_loss(found.again.detach(), found.picture) + SMALLEST
        losses["seeking"] = F.l1_loss(asked.fresh, asked.noise) / seen
    return losses


def same(makers: Makers, asked: Asked, way: Way) -> Tensor:
    """How far a picture is from itself where nothing is to change."""
    nothing = torch.zeros_like(asked.difference)
    code = makers.encoder(asked.source, nothing) + asked_code(makers, asked, way, nothing)
    return F.l1_loss(makers.generator(asked.source, code), asked.source)


def cycle(makers: Makers, asked: Asked, found: OneWay) -> Tensor:
    """How far the code that is found in the made picture is from that with which it was made; and that of attributes
    that nobody asked to change from that of the source."""
    encoder, difference = makers.encoder, asked.difference
    kept = (1 - difference.abs()) * (1 - 2 * asked.has)
    again = encoder(found.picture.detach(), difference) + found.own
    return mean_of([F.l1_loss(again, found.code), F.l1_loss(encoder(found.picture, kept), encoder(asked.source, kept))])
