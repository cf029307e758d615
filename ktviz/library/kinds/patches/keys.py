"""Search keys: the mean of every channel and the leading directions of each band, so that a leaf is a small matrix.

The means are kept whole because leading directions are the bank's own: a photograph may hold half of its energy where
the bank's paintings hold almost none, and that little decides which entry wins.

A key is divided by the norm of its patch, and each of its numbers is a byte in units of its own: the largest that one
of many entries held when the frame of the bank was made. With one unit for all, directions would be lost in which few
entries hold much; and of these a photograph may hold a lot.

Keys only choose which entries are compared exactly; every similarity that leaves the search is computed from the
features themselves.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ktviz.library.kinds.patches.bands import band_vectors
from ktviz.library.kinds.patches.entries import GRID_CHUNK
from ktviz.library.kinds.patches.lists import Lists
from ktviz.library.kinds.patches.query_keys_kernel import project
from ktviz.retrieval.exact import grid_scale, root

CHUNK = 4096
LARGEST = 127
"""Of the numbers of keys."""
BASIS_UNITS = 2.0**24
"""Units of a basis on the grid of exact products: its vectors are as long, and products with patches below 2^49."""
MEAN = torch.full((4, 1), 0.5)
"""The mean over a band's four coefficients."""
BESIDE_THE_MEAN = 0.5 * torch.tensor([[1.0, 1.0, 1.0], [1.0, -1.0, -1.0], [-1.0, 1.0, -1.0], [-1.0, -1.0, 1.0]])
"""The three directions that the mean leaves."""


@dataclass(frozen=True, repr=False)
class KeyProjection:
    """Per band an orthonormal basis; together they take a patch to D numbers.

    Attributes:
        bases: For LL, LH, HL, HH: (4 C, d_band) float32; D is the sum of the d_band.
        units: (D,) float32: what the numbers of keys are multiples of.
    """

    bases: tuple[Tensor, Tensor, Tensor, Tensor]
    units: Tensor

    def __repr__(self) -> str:
        return f"KeyProjection({len(self.bases[0])} numbers of each band to {len(self.band_of)} in all)"

    @property
    def band_of(self) -> Tensor:
        """(D,) number of the band each key dimension belongs to."""
        return torch.repeat_interleave(torch.arange(4), torch.tensor([b.shape[1] for b in self.bases]))

    def __call__(self, vectors: Tensor) -> tuple[Tensor, Tensor]:
        """Keys of patches (N, 16 C), (N, D) int8; and their band energies, (N, 4) float32."""
        keys, energy = torch.empty(len(vectors), len(self.units), dtype=torch.int8), torch.empty(len(vectors), 4)
        for rows in torch.arange(len(vectors)).split(GRID_CHUNK):
            numbers, energy[rows] = self.of_few(vectors[rows])
            keys[rows] = (numbers / self.units).round_().clamp_(-LARGEST, LARGEST).to(torch.int8)
        return keys, energy

    def of_few(self, vectors: Tensor) -> tuple[Tensor, Tensor]:
        """The same before keys become bytes, of so few that what is made on the way stays in the processor's cache:
        (n, D) float32 from -1 to 1."""
        scale = grid_scale(vectors)
        bands = band_vectors((vectors * scale).round_())
        energy = bands.square().sum(2)
        norm = root(energy.sum(1)).clamp(min=1)  # of whole numbers: 0, or at least a half
        return (self.of_bands(bands) / norm[:, None]).float(), (energy / scale.square()).float()

    def of_queries(self, vectors: Tensor) -> Tensor:
        """Keys of queries (N, 16 C) float32 by fast products of bytes, as long as the queries: (N, D) float32.

        They err by about a thousandth of a query's norm, less than the bytes of entries do.
        """
        keys, (directions, units, ends) = torch.empty(len(vectors), len(self.units)), self._directions
        held = directions.blocks, directions.offsets, units, directions.block_of, ends
        project(vectors.contiguous().numpy(), *held, keys.numpy())
        return keys

    def of_bands(self, bands: Tensor) -> Tensor:
        """The same of bands on the grid of exact products, in its units: (N, 4, 4 C) to (N, D) float64."""
        return torch.cat([bands[:, b] @ self._bases[b] for b in range(4)], dim=1).div_(BASIS_UNITS)

    @cached_property
    def _bases(self) -> list[Tensor]:
        """The bases as whole numbers."""
        return [(BASIS_UNITS * basis.double()).round_() for basis in self.bases]

    @cached_property
    def _directions(self) -> tuple[Lists, NDArray[np.float32], NDArray[np.int64]]:
        """The bases as bytes, band by band; units of their directions; and where those of each band begin."""
        sizes = torch.tensor([basis.shape[1] for basis in self.bases])
        columns = torch.cat(self.bases, 1).T
        units = (columns.abs().amax(1) / LARGEST).clamp(min=torch.finfo(torch.float32).tiny)
        numbers = (columns / units[:, None]).round_().to(torch.int8)
        directions = Lists.create(numbers, torch.ones(columns.shape[1]), sizes.cumsum(0) - sizes, sizes)
        return directions, directions.spread(units.numpy()), np.r_[0, sizes.cumsum(0).numpy()]


def with_units(bases: tuple[Tensor, Tensor, Tensor, Tensor], most: Tensor) -> KeyProjection:
    """A projection whose keys hold numbers (D,) that are as large, and smaller ones."""
    return KeyProjection(bases, (most / LARGEST).clamp(min=torch.finfo(torch.float32).tiny))


def without_units(bases: tuple[Tensor, Tensor, Tensor, Tensor]) -> KeyProjection:
    """A projection whose keys have no units yet."""
    return KeyProjection(bases, torch.ones(sum(basis.shape[1] for basis in bases)))


def fit_bases(vectors: Tensor, dimensions: int) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """The mean of each channel, and `dimensions` directions with the most energy in what the means leave.

    Bands stay apart, so that they can be weighted per call.

    Args:
        vectors: (n, 16 C) some patches.
        dimensions: Beside the means.
    """
    channels = vectors.shape[1] // 16
    spreads = [spread.kron(torch.eye(channels)) for spread in (BESIDE_THE_MEAN, *[torch.eye(4)] * 3)]
    values, directions = [], []
    for moment, spread in zip(band_moments(vectors), spreads, strict=True):
        value, vector = torch.linalg.eigh(spread.T @ moment @ spread)
        values.append(value.flip(0))
        directions.append(spread @ fix_signs(vector).flip(1))
    keep = allotted(values, dimensions)
    ll, lh, hl, hh = (vector[:, :k].contiguous() for vector, k in zip(directions, keep, strict=True))
    means = MEAN.kron(torch.eye(channels))
    return torch.cat((means, ll), 1), lh, hl, hh


def fix_signs(vectors: Tensor) -> Tensor:
    """Columns with a positive largest part: an eigenvector's sign is arbitrary, and bytes must not be."""
    return vectors * vectors.gather(0, vectors.abs().argmax(0, keepdim=True)).sign()


def band_moments(vectors: Tensor) -> Tensor:
    """Second moments of normalised patches (n, 16 C), band by band: (4, 4 C, 4 C)."""
    size = vectors.shape[1] // 4
    moments = torch.zeros(4, size, size)
    for chunk in vectors.split(CHUNK):
        bands = band_vectors(chunk)
        bands = bands / bands.square().sum((1, 2), keepdim=True).sqrt().clamp(min=1e-8)
        moments += torch.einsum("nbi,nbj->bij", bands, bands)
    return moments / len(vectors)


def allotted(values: Sequence[Tensor], dimensions: int) -> list[int]:
    """How many directions each band gets: the largest eigenvalues of all bands win, but none gets next to nothing."""
    least = max(1, dimensions // 16)  # a band with little energy may be the one that a caller weights
    band = torch.repeat_interleave(torch.arange(4), torch.tensor([len(v) for v in values]))
    best = torch.cat(list(values)).argsort(descending=True, stable=True)[:dimensions]
    return [min(len(values[b]), max(least, int((band[best] == b).sum()))) for b in range(4)]
