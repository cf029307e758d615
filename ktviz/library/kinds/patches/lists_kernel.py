"""Visits to lists of small whole numbers, as machine code.

Products are of whole numbers, and rounded once (`dot_kernel`): nothing depends on processors, threads or the order of
lists.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ktviz.library.kinds.patches.compiled import compiled
from ktviz.library.kinds.patches.dot_kernel import AT_ONCE, BLOCK, FOUR, TOGETHER, multiply, multiply_together

ROOM = 4
"""Candidates that are kept at a time, over those that are wanted."""
LOW = np.int64(0xFFFFFFFF)
NOTHING = np.int64(np.iinfo(np.int64).min + 1)
"""Less than any product."""
MINUS_INFINITY = np.int32(-0x800000)
"""As bits."""


@compiled()
def best(
    queries: np.ndarray,
    blocks: np.ndarray,
    offsets: np.ndarray,
    factors: np.ndarray,
    block_of: np.ndarray,
    first: np.ndarray,
    visits: np.ndarray,
    before: int,
    out: np.ndarray,
) -> None:
    """The best vectors of the lists that each query visits.

    Args:
        queries: (n, D) uint8: numbers from -63 to 63, and `OFFSET`.
        blocks: (blocks, 16 D) int8; see `dot_kernel`.
        offsets: (blocks, 16) int32: what takes `OFFSET` back.
        factors: (blocks, 16) float32 by which products are multiplied; NaN where there is no vector.
        block_of: (lists + 1,) the first block of each list.
        first: (lists,) the number of the first vector of each.
        visits: (n, L) lists, -1 for none.
        before: Columns of `visits` that come first: what these lists hold tells what others must exceed.
        out: (n, wanted) int64 that is written: products, and numbers of vectors, so that the best are the largest;
            in no order, `NOTHING` where there are fewer.
    """
    wanted, counts = out.shape[1], np.zeros(len(queries), np.int64)
    found = np.empty((len(queries), ROOM * wanted + 2 * BLOCK), np.int64)
    before = min(before, visits.shape[1])
    for start, end in ((0, before), (before, visits.shape[1])):
        visitors, ends = by_list(visits, start, end, len(first))
        visit(queries, blocks, offsets, factors, block_of, first, visitors, ends, wanted, found, counts)
    for query in range(len(queries)):
        shortened(found[query], counts, query, wanted)
        out[query, : counts[query]] = found[query, : counts[query]]
        out[query, counts[query] :] = NOTHING


@compiled()
def by_list(visits: np.ndarray, start: int, end: int, lists: int) -> Any:
    """Some columns of visits (n, L) list by list: the queries, and where those of each list begin, (lists + 1,)."""
    ends = np.zeros(lists + 1, np.int64)
    for query in range(len(visits)):
        for number in visits[query, start:end]:
            if number >= 0:
                ends[number + 1] += 1
    for number in range(lists):
        ends[number + 1] += ends[number]
    visitors, place = np.empty(ends[lists], np.int64), ends.copy()
    for query in range(len(visits)):
        for number in visits[query, start:end]:
            if number >= 0:
                visitors[place[number]] = query
                place[number] += 1
    return visitors, ends


@compiled()
def visit(
    queries: np.ndarray,
    blocks: np.ndarray,
    offsets: np.ndarray,
    factors: np.ndarray,
    block_of: np.ndarray,
    first: np.ndarray,
    visitors: np.ndarray,
    visits: np.ndarray,
    wanted: int,
    found: np.ndarray,
    counts: np.ndarray,
) -> None:
    """Add the best vectors of some lists to what was found for each query.

    Args:
        queries: As in `best`, and so are the others.
        visitors: Queries, list by list, and
        visits: (lists + 1,) where those of each list begin.
        wanted: Vectors per query.
        found: (n, `ROOM` wanted + 2 BLOCK) int64 as `out` is in `best`.
        counts: (n,) how many there are.
    """
    size = queries.shape[1]
    place, least = np.empty(AT_ONCE, np.int64), np.empty(AT_ONCE, np.float32)
    products, masks = np.empty((TOGETHER * AT_ONCE, BLOCK), np.float32), np.empty(TOGETHER * AT_ONCE, np.uint16)
    bits, least_bits = products.view(np.int32), least.view(np.int32)
    bound = np.empty(len(queries), np.int32)
    for query in range(len(queries)):
        bound[query] = shortened(found[query], counts, query, wanted)
    for number in range(len(first)):
        for start in range(visits[number], visits[number + 1], AT_ONCE):
            some = min(AT_ONCE, visits[number + 1] - start)
            for slot in range(AT_ONCE):
                query = visitors[start + min(slot, some - 1)]
                place[slot], least_bits[slot] = queries.ctypes.data + query * size, ordered(bound[query])
            block, end = block_of[number], block_of[number + 1]
            while block < end:
                several = TOGETHER if block + TOGETHER <= end else 1
                places = (
                    place.ctypes.data,
                    blocks.ctypes.data + block * size * BLOCK,
                    offsets.ctypes.data + block * BLOCK * FOUR,
                    factors.ctypes.data + block * BLOCK * FOUR,
                )
                written = least.ctypes.data, products.ctypes.data, masks.ctypes.data
                if several > 1:
                    multiply_together(*places, size // FOUR, *written)
                else:
                    multiply(*places, size // FOUR, *written)
                vector = first[number] + (block - block_of[number]) * BLOCK
                for row in range(several * AT_ONCE):
                    slot = row % AT_ONCE
                    if masks[row] and slot < some:
                        query = visitors[start + slot]
                        taken(found[query], counts, query, masks[row], bits[row], vector + row // AT_ONCE * BLOCK)
                        if counts[query] > found.shape[1] - BLOCK:
                            bound[query] = shortened(found[query], counts, query, wanted)
                            least_bits[slot] = ordered(bound[query])
                block += several


@compiled()
def taken(found: np.ndarray, counts: np.ndarray, query: int, mask: int, bits: np.ndarray, vector: int) -> None:
    """Add those of a block whose bit is set."""
    count = counts[query]
    for lane in range(BLOCK):
        if (mask >> lane) & 1:
            found[count] = (np.int64(ordered(bits[lane])) << 32) | (LOW - (vector + lane))
            count += 1
    counts[query] = count


@compiled()
def shortened(found: np.ndarray, counts: np.ndarray, query: int, wanted: int) -> Any:
    """Keep the best, as many as are wanted, and return the product, in order, from which others would be among them."""
    if counts[query] < wanted:
        return ordered(MINUS_INFINITY)
    largest_first(found, counts[query], wanted)
    counts[query] = wanted
    least = found[0]
    for place in range(1, wanted):
        least = min(least, found[place])
    return least >> 32


@compiled()
def ordered(bits: Any) -> Any:
    """The bits of a float32 as a whole number that is as much larger or smaller as it; and back."""
    return np.int32(bits) ^ ((np.int32(bits) >> 31) & np.int32(0x7FFFFFFF))


@compiled()
def largest_first(values: np.ndarray, count: int, wanted: int) -> None:
    """Bring the largest of the first `count` values to the front, in no order (Hoare's quickselect)."""
    low, high = 0, count - 1
    while low < high:
        middle, left, right = values[(low + high) // 2], low, high
        while left <= right:
            while values[left] > middle:
                left += 1
            while values[right] < middle:
                right -= 1
            if left <= right:
                values[left], values[right] = values[right], values[left]
                left, right = left + 1, right - 1
        if wanted - 1 <= right:
            high = right
        elif wanted - 1 >= left:
            low = left
        else:
            return
