"""Alignment: features brought to the mean and covariance of knowledge, by whitening and colouring (Li et al. 2017).

Both sides are measured by patches: of a photo, cells count as often as queries cover them. So features that are aligned
to their own moments stay as they are.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from ktviz.networks.threads import one_thread

FLOOR = 1e-3
"""Of eigenvalues, relative to the largest: what varies less is noise, and dividing by it would make it loud."""
ROUNDING = 1e-12
"""Part of the energy of cells below which their variance is what rounding left of none."""


@dataclass(frozen=True)
class Moments:
    """How often, the sum, and the sum of products of the channels of cells: they add up.

    Attributes:
        count: (), float64.
        total: (C,), float64.
        products: (C, C), float64.
    """

    count: Tensor
    total: Tensor
    products: Tensor

    @classmethod
    def nothing(cls, channels: int) -> Moments:
        """Of no cells."""
        return cls(*(torch.zeros(shape, dtype=torch.float64) for shape in ((), (channels,), (channels, channels))))

    @classmethod
    def of(cls, cells: Tensor) -> Moments:
        """Of cells (n, C)."""
        cells = cells.double()
        with one_thread():  # sums in another order would be others
            return cls(cells.new_tensor(len(cells)), cells.sum(0), cells.T @ cells)

    def __add__(self, other: Moments) -> Moments:
        return Moments(self.count + other.count, self.total + other.total, self.products + other.products)

    def __mul__(self, times: float) -> Moments:
        """Of cells of which each counts so many times."""
        return Moments(self.count * times, self.total * times, self.products * times)

    def with_rows(self, features: Tensor, times: Tensor) -> Moments:
        """With some rows of a map (C, h, w), each cell so many times (h, w): row by row, so that a map has the same
        moments however it is cut into rows."""
        found = self
        with one_thread():
            for row, often in zip(features.permute(1, 2, 0), times, strict=True):
                cells = row.double()
                counted = cells * often[:, None]
                found += Moments(often.double().sum(), counted.sum(0), counted.T @ cells)
        return found

    @property
    def mean(self) -> Tensor:
        """(C,)."""
        return self.total / self.count

    @property
    def covariance(self) -> Tensor:
        """(C, C)."""
        mean = self.mean
        return self.products / self.count - mean[:, None] * mean

    def power(self, exponent: float) -> Tensor:
        """A power of the covariance (C, C), its eigenvalues held above a floor; 0 where nothing varies."""
        with one_thread():
            values, vectors = torch.linalg.eigh(self.covariance)
            largest = float(values[-1])
            if largest <= ROUNDING * float(self.products.trace() / self.count):
                return torch.zeros_like(vectors)
            found: Tensor = (vectors * values.clamp(min=FLOOR * largest).pow(exponent)) @ vectors.T
            return found


@dataclass(frozen=True)
class Affine:
    """A change of all cells: weight @ cell + bias.

    Attributes:
        weight: (C, C), float64.
        bias: (C,), float64.
    """

    weight: Tensor
    bias: Tensor

    def __call__(self, features: Tensor) -> Tensor:
        """(C, h, w) to the same, in single precision: row by row, so that it does not depend on how many there are."""
        changed = torch.empty(*features.shape[1:], len(features))
        with one_thread():
            for row, cells in zip(changed, features.permute(1, 2, 0), strict=True):
                row.copy_(torch.addmm(self.bias, cells.double(), self.weight.T))
        return changed.permute(2, 0, 1)


def aligning(of: Moments, to: Moments, amount: float = 1.0) -> Affine:
    """What brings cells of some moments to others, or by a part of the way: 0 leaves them."""
    weight = to.power(0.5) @ of.power(-0.5)
    bias = to.mean - weight @ of.mean
    if amount == 1:
        return Affine(weight, bias)
    return Affine(torch.eye(len(bias), dtype=bias.dtype).lerp(weight, amount), amount * bias)
