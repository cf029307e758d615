"""Search keys: the mean of every channel and the leading directions of each band, so that a leaf is a small matrix.

The means are kept whole because leading directions are the bank's own: a photograph may hold half of its energy where
the bank's paintings hold almost none, and that little decides which entry wins.

Keys only choose which entries are compared exactly; every similarity that leaves the search is computed from the
features themselves.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from ktviz.library.entries import Entries
from ktviz.model.bands import band_vectors

SAMPLE = 8192
"""Entries from which the directions are estimated."""
CHUNK = 4096


@dataclass(frozen=True)
class KeyProjection:
    """Per band an orthonormal basis; together they take a patch to D numbers.

    Attributes:
        bases: For LL, LH, HL, HH: (4 C, d_band) float32; D is the sum of the d_band.
    """

    bases: tuple[Tensor, Tensor, Tensor, Tensor]

    @property
    def band_of(self) -> Tensor:
        """(D,) number of the band each key dimension belongs to."""
        return torch.repeat_interleave(torch.arange(4), torch.tensor([b.shape[1] for b in self.bases]))

    def __call__(self, vectors: Tensor) -> Tensor:
        """Keys of patches: (N, 16 C) to (N, D)."""
        bands = band_vectors(vectors)
        return torch.cat([bands[:, b] @ self.bases[b] for b in range(4)], dim=1)


def fit_projection(entries: Entries, dimensions: int, seed: int) -> KeyProjection:
    """The mean of each channel, and `dimensions` directions with the most energy in what the means leave.

    Bands stay apart, so that they can be weighted per call.
    """
    random = torch.Generator().manual_seed(seed)
    rows = torch.randperm(len(entries), generator=random)[:SAMPLE].sort().values
    means = 0.5 * torch.eye(entries.channels).repeat(4, 1)  # four LL coefficients of a channel: unit columns
    moments = band_moments(entries, rows)
    rest = torch.eye(len(means)) - means @ means.T
    moments[0] = rest @ moments[0] @ rest
    values, vectors = [], []
    for moment in moments:
        value, vector = torch.linalg.eigh(moment)
        values.append(value.flip(0))
        # An eigenvector's sign is arbitrary: make its largest part positive, for the same bytes every time.
        largest = vector.gather(0, vector.abs().argmax(0, keepdim=True))
        vectors.append((vector * largest.sign()).flip(1))
    values[0] = values[0][: len(means) - entries.channels]  # the other directions of LL are the means themselves
    keep = share_out(values, dimensions)
    ll, lh, hl, hh = (vector[:, :k].contiguous() for vector, k in zip(vectors, keep, strict=True))
    return KeyProjection((torch.cat((means, ll), 1), lh, hl, hh))


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
    """Keys of all entries: (N, D) float16."""
    chunks = torch.arange(len(entries)).split(CHUNK)
    return torch.cat([projection(entries.vectors(rows)).half() for rows in chunks])
