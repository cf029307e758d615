"""How much of a tone is each winner's: exact parts of what alignment makes of a photo's features.

Aligned features are R g + m, where m is the mean and R the root of the covariance of what was taken, and g does not
depend on which winner gives what. As m is a mean over winners, and R = C R^-1 for a covariance C that is one, too,
every winner has a part of both, and the parts add up.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from ktviz.library.kinds.patches.grid import SIZE
from ktviz.library.kinds.patches.union import BankUnion
from ktviz.systems.kt.alignment import Moments
from ktviz.systems.kt.tone import PATCHES_AT_ONCE, Look, Taken


@dataclass(frozen=True)
class ToneParts:
    """The change by tone of some features, as a linear function of how much each winner counts.

    Attributes:
        taken: What gave the tone, and
        tone: its moments.
        start: (C, h, w) features of the photo, in double precision.
        coloured: (C, cells) what R is applied to.
        amount: Of the mean, 0 to 1.
    """

    taken: Taken
    tone: Moments
    start: Tensor
    coloured: Tensor
    amount: float

    @classmethod
    def create(cls, taken: Taken, look: Look, start: Tensor, align: float) -> ToneParts:
        """For some features of a photo (C, h, w)."""
        cells = start.double().flatten(1)
        toned = look.before.weight @ cells + look.before.bias[:, None]
        # Of half of the way, what is not aligned the second time was aligned the first.
        first = look.tone.power(-0.5) @ ((toned - (1 - align) * cells) / align - look.tone.mean[:, None])
        second = look.made.power(-0.5) @ (toned - look.made.mean[:, None])
        coloured = align * second + align * (1 - align) * first
        return cls(taken, look.tone, start.double(), coloured, 1 - (1 - align) ** 2)

    def __call__(self, amount: Tensor) -> Tensor:
        """The change (C, h, w) where winners count so much (N,), 0 to 1; differentiable."""
        mean, covariance = weighted(self.taken, self.tone, amount)
        part = amount.double().mean()
        root, floored = self.tone.power(0.5), self.tone.power(-0.5)
        rest = root - self.tone.covariance @ floored  # of what lies below the floor: everybody's alike
        made = (covariance @ floored + part * rest) @ self.coloured + self.amount * mean[:, None]
        return (made - part * self.amount * self.start.flatten(1)).view(self.start.shape).float()


def weighted(taken: Taken, tone: Moments, amount: Tensor) -> tuple[Tensor, Tensor]:
    """Mean (C,) and covariance (C, C) about the mean of a tone, of what was taken, weighted by an amount (N,).

    Over all: they are sums over winners, so that amounts have their parts of both.
    """
    if taken.of == "sources":
        return weighted_sources(taken, tone, amount)
    apply: Any = WeightedPatches.apply
    found: tuple[Tensor, Tensor] = apply(amount, taken.banks, taken.winner, tone.mean)
    return found


def weighted_sources(taken: Taken, tone: Moments, amount: Tensor) -> tuple[Tensor, Tensor]:
    """The same where winners stand for their whole sources."""
    mean = tone.mean
    first, second = torch.zeros_like(mean), torch.zeros_like(tone.products)
    for mine, source in taken.by_source():
        often, crossed = amount[mine].double().mean(), source.total[:, None] * mean
        first = first + often * source.total
        about = source.products - crossed - crossed.T + source.count * mean[:, None] * mean
        second = second + often * about
    return first / tone.count, second / tone.count


class WeightedPatches(torch.autograd.Function):
    """See `weighted`: patches are read twice, and never held together."""

    @staticmethod
    def forward(ctx: Any, amount: Tensor, banks: BankUnion, winner: Tensor, mean: Tensor) -> tuple[Tensor, Tensor]:
        ctx.known = banks, winner, mean
        first, second = torch.zeros_like(mean), torch.zeros(len(mean), len(mean), dtype=mean.dtype)
        for some, cells in patches_of(banks, winner):
            often, far = amount[some].double()[:, None, None], cells - mean
            first += (cells * often).sum((0, 1))
            second += (far * often).flatten(0, 1).T @ far.flatten(0, 1)
        count = SIZE * SIZE * len(winner)
        return first / count, second / count

    @staticmethod
    def backward(ctx: Any, *gradient: Tensor) -> Any:
        banks, winner, mean = ctx.known
        of_mean, of_covariance = gradient
        found = torch.zeros(len(winner), dtype=mean.dtype)
        for some, cells in patches_of(banks, winner):
            far = cells - mean
            found[some] = cells.sum(1) @ of_mean + ((far @ of_covariance) * far).sum((1, 2))
        return (found / (SIZE * SIZE * len(winner))).float(), None, None, None


def patches_of(banks: BankUnion, winner: Tensor) -> Iterator[tuple[Tensor, Tensor]]:
    """Some winners at a time: their places, and their cells (n, 16, C) in double precision."""
    for some in torch.arange(len(winner)).split(PATCHES_AT_ONCE):
        yield some, banks.patches(winner[some]).flatten(2).transpose(1, 2).double()
