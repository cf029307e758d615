"""The scan of lists of small whole numbers, as machine code: numba compiles it at first use, and keeps it.

Vectors lie in blocks of 16, four numbers of each after the other, as the instruction wants them that adds up four
products of bytes (`vpdpbusd`); where a processor lacks it, the same is done in more steps. Sums are of whole numbers,
and rounded once: nothing depends on processors, threads or the order of lists.
"""

from __future__ import annotations

from typing import Any

import llvmlite.binding as llvm
import numpy as np
from llvmlite import ir
from numba import njit, types
from numba.core import cgutils
from numba.extending import intrinsic

BLOCK = 16
"""Vectors of a block."""
AT_ONCE = 8
"""Queries that share what is read of a block."""
FOUR = 4
"""Bytes that are multiplied and added up at a time."""
OFFSET = 64
"""What is added to the numbers of queries: the instruction wants one side without a sign."""
ROOM = 4
"""Candidates that are kept at a time, over those that are wanted."""
NUMBER, HALF, BYTE, WORD = (ir.IntType(bits) for bits in (32, 16, 8, 64))
SUMS, REALS = ir.VectorType(NUMBER, BLOCK), ir.VectorType(ir.FloatType(), BLOCK)
LOW = np.int64(0xFFFFFFFF)
MINUS_INFINITY = np.int32(-0x800000)
"""As bits."""
HAS_DOTS = bool(llvm.get_host_cpu_features().get("avx512vnni"))


@njit(nogil=True, cache=True)
def scan(
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
        queries: (n, D) uint8: numbers from -63 to 63, and `OFFSET`.
        blocks: (blocks, 16 D) int8, as above.
        offsets: (blocks, 16) int32: what takes `OFFSET` back.
        factors: (blocks, 16) float32 by which products are multiplied; NaN where there is no vector.
        block_of: (lists + 1,) the first block of each list.
        first: (lists,) the number of the first vector of each.
        visitors: Queries, list by list, and
        visits: (lists + 1,) where those of each list begin.
        wanted: Vectors per query.
        found: (n, `ROOM` wanted + 2 BLOCK) int64: products, and numbers of vectors, so that the best are the largest.
        counts: (n,) how many there are.
    """
    size = queries.shape[1]
    place, least = np.empty(AT_ONCE, np.int64), np.empty(AT_ONCE, np.float32)
    products, masks = np.empty((AT_ONCE, BLOCK), np.float32), np.empty(AT_ONCE, np.uint16)
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
            for block in range(block_of[number], block_of[number + 1]):
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
                for slot in range(some):
                    if masks[slot]:
                        query = visitors[start + slot]
                        vector = first[number] + (block - block_of[number]) * BLOCK
                        taken(found[query], counts, query, masks[slot], bits[slot], vector)
                        if counts[query] > found.shape[1] - BLOCK:
                            bound[query] = shortened(found[query], counts, query, wanted)
                            least_bits[slot] = ordered(bound[query])


@njit(nogil=True, cache=True)
def taken(found: np.ndarray, counts: np.ndarray, query: int, mask: int, bits: np.ndarray, vector: int) -> None:
    """Add those of a block whose bit is set."""
    count = counts[query]
    for lane in range(BLOCK):
        if (mask >> lane) & 1:
            found[count] = (np.int64(ordered(bits[lane])) << 32) | (LOW - (vector + lane))
            count += 1
    counts[query] = count


@njit(nogil=True, cache=True)
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


@njit(nogil=True, cache=True)
def ordered(bits: Any) -> Any:
    """The bits of a float32 as a whole number that is as much larger or smaller as it; and back."""
    return np.int32(bits) ^ ((np.int32(bits) >> 31) & np.int32(0x7FFFFFFF))


@njit(nogil=True, cache=True)
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


@intrinsic
def multiply(
    typing: Any,
    queries: Any,
    block: Any,
    offsets: Any,
    factors: Any,
    steps: Any,
    least: Any,
    products: Any,
    masks: Any,
) -> Any:
    """Products of some queries with the vectors of a block, and which of them are not below the queries' least."""

    def compiled(context: Any, builder: ir.IRBuilder, signature: Any, given: Any) -> Any:
        queries, block, offsets, factors, steps, least, products, masks = given
        slots = range(AT_ONCE)
        begin = [builder.load(at(builder, queries, WORD, WORD(slot))) for slot in slots]
        start = builder.load(at(builder, offsets, SUMS, WORD(0)), align=4)
        factor = builder.load(at(builder, factors, REALS, WORD(0)), align=4)
        totals = [cgutils.alloca_once_value(builder, start) for _ in slots]
        with cgutils.for_range(builder, steps) as step:
            stored = builder.load(at(builder, block, SUMS, step.index), align=1)
            for slot in slots:
                asked = builder.load(at(builder, begin[slot], NUMBER, step.index), align=1)
                total = builder.load(totals[slot])
                builder.store(four_products(builder, total, everywhere(builder, asked), stored), totals[slot])
        for slot in slots:
            product = builder.fmul(builder.sitofp(builder.load(totals[slot]), REALS), factor)
            bound = everywhere(builder, builder.load(at(builder, least, NUMBER, WORD(slot))))
            enough = builder.fcmp_ordered(">=", product, builder.bitcast(bound, REALS))
            builder.store(builder.bitcast(enough, HALF), at(builder, masks, HALF, WORD(slot)))
            builder.store(product, at(builder, products, REALS, WORD(slot)), align=4)
        return context.get_dummy_value()

    return types.void(*[types.uintp] * 4, types.int64, *[types.uintp] * 3), compiled


def four_products(builder: ir.IRBuilder, total: Any, asked: Any, stored: Any) -> Any:
    """A sum, and four products of bytes without a sign with bytes with one, in each lane."""
    if HAS_DOTS:
        name, kind = "llvm.x86.avx512.vpdpbusd.512", ir.FunctionType(SUMS, [SUMS] * 3)
        return builder.call(cgutils.get_or_insert_function(builder.module, kind, name), [total, asked, stored])
    lanes, wide = ir.VectorType(BYTE, FOUR * BLOCK), ir.VectorType(HALF, FOUR * BLOCK)
    numbers = builder.zext(builder.bitcast(asked, lanes), wide), builder.sext(builder.bitcast(stored, lanes), wide)
    products = builder.mul(*numbers)  # of 7 bits each
    for part in range(FOUR):
        every = ir.Constant(SUMS, [FOUR * lane + part for lane in range(BLOCK)])
        total = builder.add(total, builder.sext(builder.shuffle_vector(products, products, every), SUMS))
    return total


def everywhere(builder: ir.IRBuilder, value: Any) -> Any:
    """A vector of equal numbers."""
    nothing = ir.Constant(SUMS, ir.Undefined)
    first = builder.insert_element(nothing, value, NUMBER(0))
    return builder.shuffle_vector(first, nothing, ir.Constant(SUMS, [0] * BLOCK))


def at(builder: ir.IRBuilder, start: Any, kind: ir.Type, place: Any) -> Any:
    """The address of one of several things of a kind behind another address."""
    return builder.gep(builder.inttoptr(start, kind.as_pointer()), [place])
