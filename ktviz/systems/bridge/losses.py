"""What bridging learns from (section 4): two ways to a code that are to meet, and pictures that keep what nobody asked
to change."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from ktviz.systems.bridge.networks import Encoder, Generator, Mapping

Losses = dict[str, Tensor]
Judge = Callable[[Tensor], tuple[Tensor, Tensor]]
PUSH, LEAST_PUSH = 0.9, 5.0
"""How far a refinement moves noise: by its root mean square, and by the gradient itself."""
WAYS = ("labels", "reference")
"""To a code."""
SMALLEST = 1e-5
"""What keeps equal pictures from dividing by nothing."""


@dataclass(frozen=True)
class Weights:
    """Of the losses; all but `back` and `around` as published.

    Attributes:
        adversarial: That the discriminator takes a picture for real.
        attributes: That it sees the wanted attributes.
        same: That a picture comes back where nothing is to change.
        cycle: That codes are found again in what was made with them.
        bridge: That codes of labels and of the reference are one.
        seeking: That other noise makes another picture.
        back: That a picture becomes itself again when a change in one place is taken back.
        around: That a picture stays what it is around the places of what is to change.
        penalty: On the discriminator's slope between real and made.
    """

    adversarial: float = 1.0
    attributes: float = 10.0
    same: float = 100.0
    cycle: float = 50.0
    bridge: float = 50.0
    seeking: float = 0.005
    back: float = 0.0
    around: float = 0.0
    penalty: float = 10.0


@dataclass(frozen=True, eq=False)
class Makers:
    """The networks that make pictures."""

    encoder: Encoder
    mapping: Mapping
    generator: Generator


@dataclass(frozen=True, eq=False)
class Asked:
    """What a step is about.

    Attributes:
        source: (B, 3, H, W) in [-1, 1].
        reference: Others, which have the wanted attributes.
        has: (B, attributes) of the source, 0 or 1, and
        wanted: those of the reference.
        noise: (B, noise), the rows of the table that belong to the references, refined.
        fresh: (B, noise) drawn now.
        alpha: (B, 1, 1, 1) the part of the labels' code in the code between.
    """

    source: Tensor
    reference: Tensor
    has: Tensor
    wanted: Tensor
    noise: Tensor
    fresh: Tensor
    alpha: Tensor

    @property
    def difference(self) -> Tensor:
        """(B, attributes): 1 for what is to come, -1 for what is to go."""
        return self.wanted - self.has


@dataclass(frozen=True, eq=False)
class Made:
    """Codes and pictures of a step.

    Attributes:
        own: Code of the source.
        by_labels: Sum of that and the code of the labels, and
        by_reference: of the reference.
        labels: Picture by labels,
        reference: by the reference,
        between: by a mixture of both codes.
        again: By labels with fresh noise.
    """

    own: Tensor
    by_labels: Tensor
    by_reference: Tensor
    labels: Tensor
    reference: Tensor
    between: Tensor
    again: Tensor

    @property
    def pictures(self) -> tuple[Tensor, Tensor, Tensor]:
        """Those that the discriminator judges."""
        return self.labels, self.reference, self.between


def refined(makers: Makers, reference: Tensor, difference: Tensor, noise: Tensor, sign: int) -> Tensor:
    """Noise after a step along how far its code is from the reference's.

    Args:
        makers: The networks.
        reference: (B, 3, H, W).
        difference: (B, attributes).
        noise: (B, n).
        sign: 1 as published, away from the reference: noise that is hard to bridge; -1 towards it; 0 for none.
    """
    if not sign:
        return noise
    with torch.enable_grad():
        moved = noise.detach().requires_grad_(True)
        apart = F.mse_loss(makers.mapping(moved, difference), makers.encoder(reference, difference).detach())
        (slope,) = torch.autograd.grad(apart, moved)
    length = slope.square().mean(1, keepdim=True).sqrt().clamp(min=torch.finfo(slope.dtype).tiny)  # it may be 0
    return (noise + sign * (PUSH / length + LEAST_PUSH) * slope).clamp(-1, 1).detach()


def made(makers: Makers, asked: Asked) -> Made:
    """All that a step makes."""
    difference, source = asked.difference, asked.source
    own = makers.encoder(source, -difference)
    by_labels = own + makers.mapping(asked.noise, difference)
    by_reference = own + makers.encoder(asked.reference, difference)
    between = asked.alpha * by_labels + (1 - asked.alpha) * by_reference
    fresh = own + makers.mapping(asked.fresh, difference)
    labels, reference, mixed, again = (
        makers.generator(source, code) for code in (by_labels, by_reference, between, fresh)
    )
    return Made(own, by_labels, by_reference, labels, reference, mixed, again)


def makers_losses(makers: Makers, judge: Judge, asked: Asked, found: Made) -> Losses:
    """All that the makers are to lower, not weighted."""
    judged = [judge(picture) for picture in found.pictures]
    return {
        "adversarial": -torch.stack([real.mean() for real, _ in judged]).mean(),
        "attributes": mean_of([F.binary_cross_entropy_with_logits(has, asked.wanted) for _, has in judged]),
        "same": same(makers, asked),
        "cycle": cycle(makers, asked, found),
        "bridge": F.l1_loss(found.by_labels, found.by_reference),
        "seeking": F.l1_loss(asked.fresh, asked.noise) / (F.l1_loss(found.again.detach(), found.labels) + SMALLEST),
    }


def same(makers: Makers, asked: Asked) -> Tensor:
    """How far a picture is from itself where nothing is to change, whatever noise and reference say."""
    nothing, source = torch.zeros_like(asked.difference), asked.source
    own = makers.encoder(source, nothing)
    others = (makers.mapping(asked.noise, nothing), makers.encoder(asked.reference, nothing))
    return mean_of([F.l1_loss(makers.generator(source, other + own), source) for other in others])


def cycle(makers: Makers, asked: Asked, found: Made) -> Tensor:
    """How far codes that are found in made pictures are from those with which they were made; and those of attributes
    that nobody asked to change from those of the source."""
    encoder, difference = makers.encoder, asked.difference
    kept = (1 - difference.abs()) * (1 - 2 * asked.has)
    return mean_of(
        [
            F.l1_loss(encoder(found.labels.detach(), difference) + found.own, found.by_labels),
            F.l1_loss(encoder(found.reference.detach(), difference) + found.own, found.by_reference),
            F.l1_loss(encoder(found.labels, kept), encoder(asked.source, kept)),
        ]
    )


def back(
    makers: Makers,
    asked: Asked,
    difference: Tensor,
    where: Tensor,
    looks: Tensor | None = None,
    ways: Sequence[str] = WAYS,
) -> Tensor:
    """How far a picture is from itself after a change in one place is taken back.

    Of no other change is it known, pixel by pixel, what it should give: which hat it was, and what is under a hat. What
    is changed is the picture with that place of the reference; it is taken back by the reference with that place of the
    picture. So the place says what is to be taken, and all around it what is not. Labels do not say which hat it was,
    unless noise does, and take back only what was added. What was beneath must be told by the picture, and not by the
    reference, whose colours are others then.

    Args:
        makers: The networks.
        asked: The step.
        difference: (B, attributes) the part of what is asked for that is changed, and taken back.
        where: (B, 1, H, W) from 0 to 1: its place.
        looks: (B, noise) that says what the pictures look like; None if no noise does.
        ways: "labels", "reference", or both: by which it is taken back.
    """
    source, other = asked.source, asked.reference
    changed = source.lerp(other, where)
    own, added = makers.encoder(changed, difference), (difference >= 0).all(1)
    found = []
    if "reference" in ways:
        kept = torch.where(added[:, None, None, None], in_other_colours(source), source)
        code = own + makers.encoder(other.lerp(kept, where), -difference)
        found.append(F.l1_loss(makers.generator(changed, code), source))
    told, noise = (added, asked.noise) if looks is None else (torch.ones_like(added), looks)
    if "labels" in ways and told.any():
        code = own[told] + makers.mapping(noise[told], -difference[told])
        found.append(F.l1_loss(makers.generator(changed[told], code), source[told]))
    return mean_of(found) if found else own.new_zeros(())


def around(source: Tensor, pictures: Sequence[Tensor], where: Tensor) -> Tensor:
    """How far made pictures are from the source where nothing was to change.

    Args:
        source: (B, 3, H, W).
        pictures: Of the same size.
        where: (B, 1, H, W) from 0 to 1.
    """
    return mean_of([((picture - source).abs() * where).mean() for picture in pictures])


def in_other_colours(pictures: Tensor) -> Tensor:
    """Pictures whose red, green and blue change places, and light and dark or not: (B, 3, H, W) in [-1, 1]."""
    return pictures[:, torch.randperm(3)] * (2 * torch.randint(2, ()) - 1)


def judge_losses(judge: Judge, asked: Asked, pictures: Sequence[Tensor], between: Sequence[Tensor]) -> Losses:
    """All that the discriminator is to lower, not weighted.

    Args:
        judge: The discriminator.
        asked: The step.
        pictures: Made ones, without a way back.
        between: For each the place between source and picture where the slope is held: (B, 1, 1, 1) from 0 to 1.
    """
    real, has = judge(asked.source)
    fakes = [judge(picture)[0].mean() for picture in pictures]
    return {
        "adversarial": mean_of(fakes) - real.mean(),
        "attributes": F.binary_cross_entropy_with_logits(has, asked.has),
        "penalty": mean_of([penalty(judge, asked.source, p, a) for p, a in zip(pictures, between, strict=True)]),
    }


def penalty(judge: Judge, real: Tensor, fake: Tensor, alpha: Tensor) -> Tensor:
    """How far the slope of a discriminator is from 1 between a real picture and a made one (WGAN-GP)."""
    return (slopes(judge, real, fake, alpha) - 1).square().mean()


def slopes(judge: Judge, real: Tensor, fake: Tensor, alpha: Tensor) -> Tensor:
    """The slope of a discriminator at a place between real pictures and made ones: (B,)."""
    place = (real + alpha * (fake - real)).detach().requires_grad_(True)
    (slope,) = torch.autograd.grad(judge(place)[0].sum(), place, create_graph=True)
    found: Tensor = slope.flatten(1).norm(dim=1)
    return found


def weighted(losses: Losses, weights: Weights) -> Losses:
    """Each loss by its weight."""
    return {name: getattr(weights, name) * loss for name, loss in losses.items()}


def mean_of(parts: Sequence[Tensor]) -> Tensor:
    return torch.stack(list(parts)).mean()
