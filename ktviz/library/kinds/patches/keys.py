"""Search keys: the mean of every channel and the leading directions of each band, so that a leaf is a small matrix.

The means are kept whole because leading directions are the bank's own: a photograph may hold half of its energy where
the bank's paintings hold almost none, and that little decides which entry wins.

A key is divided by the norm of its patch, and each of its numbers is a byte in units of its own: the largest that an
entry of the bank held when it was built. With one unit for all, directions would be lost in which few entries hold
much; and of these a photograph may hold a lot.

Keys only choose which entries are compared exactly; every similarity that leaves the search is computed from the
features themselves.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor

from ktviz.library.kinds.patches.bands import band_vectors
from ktviz.library.kinds.patches.entries import GRID_CHUNK, Entries
from ktviz.retrieval.exact import on_grid, root

SAMPLE = 8192
"""Entries from which the directions are estimated."""
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

    def __call__(self, vectors: Tensor) -> Tensor:
        """Keys of patches: (N, 16 C) to (N, D) int8."""
        numbers = [self.of_few(rows) / self.units for rows in vectors.split(GRID_CHUNK)]
        return torch.cat(numbers).round_().clamp_(-LARGEST, LARGEST).to(torch.int8)

    def of_few(self, vectors: Tensor) -> Tensor:
        """The same before they become bytes, of so few that what is made on the way stays in the processor's cache:
        (n, D) float32 from -1 to 1."""
        bands = band_vectors(on_grid(vectors))
        norm = root(bands.square().sum((1, 2))).clamp(min=1)  # of whole numbers: 0, or at least a half
        return (self.of_bands(bands) / norm[:, None]).float()

    def of_bands(self, bands: Tensor) -> Tensor:
        """The same of bands on the grid of exact products, in its units: (N, 4, 4 C) to (N, D) float64."""
        return torch.cat([bands[:, b] @ self._bases[b] for b in range(4)], dim=1).div_(BASIS_UNITS)

    @cached_property
    def _bases(self) -> list[Tensor]:
        """The bases as whole numbers."""
        return [(BASIS_UNITS * basis.double()).round_() for basis in self.bases]


def fit_projection(entries: Entries, dimensions: int, seed: int) -> KeyProjection:
    """The mean of each channel, and `dimensions` directions with the most energy in what the means leave.

    Bands stay apart, so that they can be weighted per call.
    """
    bases = fit_bases(entries, dimensions, seed)
    whole = KeyProjection(bases, torch.ones(sum(basis.shape[1] for basis in bases)))
    parts = torch.arange(len(entries)).split(GRID_CHUNK)
    most = torch.stack([whole.of_few(entries.vectors(rows)).abs().amax(0) for rows in parts]).amax(0)
    return KeyProjection(bases, (most / LARGEST).clamp(min=torch.finfo(torch.float32).tiny))


def fit_bases(entries: Entries, dimensions: int, seed: int) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """The bases of a projection."""
    random = torch.Generator().manual_seed(seed)
    rows = torch.randperm(len(entries), generator=random)[:SAMPLE].sort().values
    spreads = [spread.kron(torch.eye(entries.channels)) for spread in (BESIDE_THE_MEAN, *[torch.eye(4)] * 3)]
    values, vectors = [], []
    for moment, spread in zip(band_moments(entries, rows), spreads, strict=True):
        value, vector = torch.linalg.eigh(spread.T @ moment @ spread)
        values.append(value.flip(0))
        vectors.append(spread @ fix_signs(vector).flip(1))
    keep = share_out(values, dimensions)
    ll, lh, hl, hh = (vector[:, :k].contiguous() for vector, k in zip(vectors, keep, strict=True))
    means = MEAN.kron(torch.eye(entries.channels))
    return torch.cat((means, ll), 1), lh, hl, hh


def fix_signs(vectors: Tensor) -> Tensor:
    """Columns with a positive largest part: an eigenvector's sign is arbitrary, and bytes must not be."""
    return vectors * vectors.gather(0, vectors.abs().argmax(0, keepdim=True)).sign()


def band_moments(entries: Entries, rows: Tensor) -> Tensor:
    """Second moments of normalised patches, band by band: (4, 4 C, 4 C)."""
    size = 4 * entries.channels
    moments = torch.zeros(4, size, size)
    for chunk in rows.split(CHUNK):
        bands = band_vectors(entries.vectors(chunk))
        bands = bands / bands.square().sum((1, 2), keepdim=True).sqrt().clamp(min=1e-8)
        moments += torch.einsum("nbi,nbj->bij", bands, bands)
    return moments / len(rows)


def share_out(values: Sequence[Tensor], dimensions: int) -> list[int]:
    """How many directions each band gets: the largest eigenvalues of all bands win, but none gets next to nothing."""
    least = max(1, dimensions // 16)  # a band with little energy may be the one that a caller weights
    band = torch.repeat_interleave(torch.arange(4), torch.tensor([len(v) for v in values]))
    best = torch.cat(list(values)).argsort(descending=True, stable=True)[:dimensions]
    return [min(len(values[b]), max(least, int((band[best] == b).sum()))) for b in range(4)]


def compute_keys(entries: Entries, projection: KeyProjection) -> Tensor:
    """Keys of all entries: (N, D) int8."""
    chunks = torch.arange(len(entries)).split(CHUNK)
    return torch.cat([projection(entries.vectors(rows)) for rows in chunks])
