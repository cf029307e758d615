"""Keys of queries, as machine code.

Bands of queries become bytes, each band in units of its own, and are multiplied with bases of bytes (`dot_kernel`):
single steps are rounded one by one, and sums are of whole numbers, so keys do not depend on processors or threads.
"""

from __future__ import annotations

import numpy as np

from ktviz.library.kinds.patches.compiled import compiled
from ktviz.library.kinds.patches.dot_kernel import AT_ONCE, BLOCK, FOUR, OFFSET, multiply

BANDS, BLOCKS = 4, 4
"""Of a patch: blocks of 2x2 cells."""
LARGEST = 63
"""Of the numbers of queries."""
TINY = np.float32(1e-36)
"""Bands without larger numbers are empty."""


@compiled()
def project(
    vectors: np.ndarray,
    blocks: np.ndarray,
    offsets: np.ndarray,
    factors: np.ndarray,
    block_of: np.ndarray,
    ends: np.ndarray,
    keys: np.ndarray,
) -> None:
    """Project the bands of some vectors.

    Args:
        vectors: (n, 16 C) float32, position by position.
        blocks: (blocks, 16 * 4 C) int8: directions, band by band.
        offsets: (blocks, 16) int32: what takes `OFFSET` back.
        factors: (blocks, 16) float32 units of the directions.
        block_of: (5,) the first block of each band, and the end.
        ends: (5,) the first direction of each band, and the end.
        keys: (n, D) float32 that is written.
    """
    size = vectors.shape[1] // BANDS
    coefficients, numbers = np.empty((BANDS, size), np.float32), np.empty((AT_ONCE, BANDS, size), np.uint8)
    units, place = np.empty((AT_ONCE, BANDS), np.float32), np.empty(AT_ONCE, np.int64)
    products, masks = np.empty((AT_ONCE, BLOCK), np.float32), np.empty(AT_ONCE, np.uint16)
    least = np.full(AT_ONCE, np.inf, np.float32)
    for start in range(0, len(vectors), AT_ONCE):
        some = min(AT_ONCE, len(vectors) - start)
        for slot in range(some):
            transform(vectors[start + slot], coefficients)
            as_bytes(coefficients, numbers[slot], units[slot])
        for band in range(BANDS):
            for slot in range(AT_ONCE):
                place[slot] = numbers[min(slot, some - 1), band].ctypes.data
            for block in range(block_of[band], block_of[band + 1]):
                multiply(
                    place.ctypes.data,
                    blocks.ctypes.data + block * size * BLOCK,
                    offsets.ctypes.data + block * BLOCK * FOUR,
                    factors.ctypes.data + block * BLOCK * FOUR,
                    size // FOUR,
                    least.ctypes.data,
                    products.ctypes.data,
                    masks.ctypes.data,
                )
                begin = ends[band] + (block - block_of[band]) * BLOCK
                for slot in range(some):
                    for lane in range(min(BLOCK, ends[band + 1] - begin)):
                        keys[start + slot, begin + lane] = products[slot, lane] * units[slot, band]


@compiled()
def transform(vector: np.ndarray, coefficients: np.ndarray) -> None:
    """Haar coefficients (4, 4 C) of a vector (16 C,); see `bands.coefficients`."""
    channels, half = len(vector) // (BANDS * BLOCKS), np.float32(0.5)
    for block in range(BLOCKS):
        upper = (block // 2 * 8 + block % 2 * 2) * channels
        lower = upper + 4 * channels
        for channel in range(channels):
            a, b = half * vector[upper + channel], half * vector[upper + channels + channel]
            c, d = half * vector[lower + channel], half * vector[lower + channels + channel]
            place = block * channels + channel
            coefficients[0, place] = (a + b) + (c + d)
            coefficients[1, place] = (b - a) + (d - c)
            coefficients[2, place] = (c + d) - (a + b)
            coefficients[3, place] = (d - c) - (b - a)


@compiled()
def as_bytes(coefficients: np.ndarray, numbers: np.ndarray, units: np.ndarray) -> None:
    """Each band (4, 4 C) as numbers from -63 to 63, and `OFFSET`; and what they are multiples of, (4,)."""
    bits, most = coefficients.view(np.int32), np.empty(1, np.int32)
    for band in range(BANDS):
        most[0] = 0
        for place in range(coefficients.shape[1]):  # as whole numbers: processors find the largest of many at a time
            most[0] = max(most[0], bits[band, place] & np.int32(0x7FFFFFFF))
        largest = most.view(np.float32)[0]
        units[band] = largest / np.float32(LARGEST)
        scale = np.float32(LARGEST) / largest if largest > TINY else np.float32(0)
        for place in range(coefficients.shape[1]):
            numbers[band, place] = np.uint8(np.int32(np.rint(coefficients[band, place] * scale)) + OFFSET)
