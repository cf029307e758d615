"""Products that come out the same in any order, and choices that do not depend on rounding.

A sum of rounded numbers depends on the order of its terms, and so on chunks, threads and the processor's kernels. Here
vectors are first put on a *grid*: multiplied by a power of two and rounded to integers of so few bits that every sum of
their products fits the 53 bits of a float64. Then nothing is rounded on the way, and a matrix product is the same bit
for bit, whoever computes it. The few operations that follow (scaling, a square root, a division) are correctly rounded
by IEEE 754 on every processor.

Fast products in single precision propose; where two numbers are too near each other to trust them, and only there,
`nearest` and `above` look again on the grid.
"""

from __future__ import annotations

import math

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

NORM_BITS = 25
"""Vectors on the grid are shorter than 2^25: products stay below 2^50, and 3 bits are left for fractions of bands."""
SMALLEST = 2.0**-110
"""Vectors whose largest number is smaller keep fewer bits."""
CHUNK = 1024
"""Vectors compared on the grid at a time: 16 MB for C = 128."""


def root(values: Tensor) -> Tensor:
    """Square roots, correctly rounded on the CPU, where PyTorch's may come from a library that is off by a last bit."""
    return torch.from_numpy(np.sqrt(values.numpy())) if values.is_cpu else values.sqrt()


def power_above(values: Tensor) -> Tensor:
    """The smallest power of two above each value; 1 for 0."""
    mantissa = torch.frexp(values).mantissa
    return torch.where(values > 0, values / mantissa, 1.0)


def grid_scale(vectors: Tensor) -> Tensor:
    """The power of two by which vectors (..., D) are multiplied to lie on the grid: (..., 1) float64.

    It follows from their norms, and these from numbers so coarse that single precision adds up their squares exactly.
    """
    size = vectors.shape[-1]
    bits = 12 - math.ceil(math.log2(size) / 2)
    largest = vectors.abs().amax(-1, keepdim=True).clamp(min=SMALLEST)
    scale = 2.0**bits / power_above(largest)
    norm = root((vectors * scale).round_().square_().sum(-1, keepdim=True)) + math.sqrt(size) / 2
    return 2.0**NORM_BITS / power_above(norm.double()) * scale


def on_grid(vectors: Tensor) -> Tensor:
    """Vectors (..., D) as integers proportional to them, with norms below 2^25: (..., D) float64."""
    return (vectors * grid_scale(vectors)).round_()


def lengths(grid: Tensor) -> Tensor:
    """Norms of vectors on the grid (..., D): (...) float64; 1 for empty ones, so that they can be divided by."""
    norm = root(grid.square().sum(-1))
    return torch.where(norm > 0, norm, 1.0)


def cosines(vectors: Tensor, others: Tensor) -> Tensor:
    """Cosine of each vector (N, D) to each of the others (K, D): (N, K) float32."""
    other = on_grid(others)
    found = torch.empty(len(vectors), len(others))
    for rows in torch.arange(len(vectors)).split(CHUNK):
        one = on_grid(vectors[rows])
        found[rows] = (one @ other.T / (lengths(one)[:, None] * lengths(other))).float()
    return found


def paired_cosines(vectors: Tensor, others: Tensor) -> Tensor:
    """Cosine of each vector (N, D) to the other in its row (N, D): (N,) float32."""
    one, other = on_grid(vectors), on_grid(others)
    return ((one * other).sum(-1) / (lengths(one) * lengths(other))).float()


def rounding(dimension: int) -> float:
    """How far a cosine may be off that was summed in single precision, in any order: 1.8e-4 for D = 2048.

    The worst case of a sum, and of the norms by which its terms were divided before. Flat patches come near: their
    roundings are all alike.
    """
    return (1.5 * dimension + 16) * 2.0**-24


def nearest(vectors: Tensor, centres: Tensor) -> Tensor:
    """The centre (K, D) with the largest cosine to each vector (N, D), the first of equal ones: (N,) int64."""
    if len(centres) == 1:
        return torch.zeros(len(vectors), dtype=torch.int64)
    value, place = (vectors @ F.normalize(centres, dim=1).T).topk(2, dim=1)
    best = place[:, 0].clone()
    close = value[:, 0] - value[:, 1] <= 2 * rounding(vectors.shape[1]) * vectors.norm(dim=1)
    best[close] = cosines(vectors[close], centres).argmax(1)
    return best


def above(vectors: Tensor, others: Tensor, threshold: float) -> Tensor:
    """Whether the cosine of unit vectors (N, D) to the others in their rows (N, D) is above a threshold: (N,) bool."""
    value = (vectors * others).sum(1)
    found = value > threshold
    close = near(value, threshold, vectors.shape[1])
    found[close] = paired_cosines(vectors[close], others[close]) > threshold
    return found


def all_above(vectors: Tensor, threshold: float) -> Tensor:
    """Whether the cosine of unit vectors (N, D) to each other is above a threshold: (N, N) bool."""
    value = vectors @ vectors.T
    found = value > threshold
    row, column = near(value, threshold, vectors.shape[1]).nonzero(as_tuple=True)
    for rows, columns in zip(row.split(CHUNK), column.split(CHUNK), strict=True):
        found[rows, columns] = paired_cosines(vectors[rows], vectors[columns]) > threshold
    return found


def near(value: Tensor, threshold: float, dimension: int) -> Tensor:
    """Where a fast product of unit vectors cannot tell on which side of a threshold it lies."""
    return (value - threshold).abs() <= rounding(dimension)


def leading(values: Tensor, count: int, number: Tensor | None = None) -> Tensor:
    """Columns of the largest values of each row, as many as asked or there are; which of equal ones is no accident.

    Args:
        values: (N, K); -inf where there is nothing.
        count: How many per row.
        number: (N, K) that tells equal values apart, the smallest first; their columns if None.

    Returns:
        (N, min(count, K)) int64, by falling value.
    """
    if count >= values.shape[1]:
        return arranged(values, number)
    value, place = values.topk(count + 1, dim=1)
    tied = ((value[:, 1:] == value[:, :-1]) & (value[:, 1:] > -torch.inf)).any(1)
    place = place[:, :count]
    if tied.any():
        place[tied] = arranged(values[tied], None if number is None else number[tied])[:, :count]
    return place


def arranged(values: Tensor, number: Tensor | None = None) -> Tensor:
    """Columns of each row by falling value; see `leading`."""
    if number is None:
        return values.sort(dim=1, descending=True, stable=True).indices
    order = number.argsort(dim=1, stable=True)
    return order.gather(1, values.gather(1, order).sort(dim=1, descending=True, stable=True).indices)
