"""Products of small whole numbers as machine code: some queries with the sixteen vectors of a block, or of two.

Vectors lie in blocks of 16, four numbers of each after the other, as the instruction wants them that adds up four
products of bytes (`vpdpbusd`); where a processor lacks it, the same is done in more steps. Sums are of whole numbers,
and rounded once.
"""

from __future__ import annotations

from typing import Any

import llvmlite.binding as llvm
from llvmlite import ir
from numba import types
from numba.core import cgutils, config
from numba.extending import intrinsic

BLOCK = 16
"""Vectors of a block."""
AT_ONCE = 8
"""Queries that share what is read of a block."""
FOUR = 4
"""Bytes that are multiplied and added up at a time."""
OFFSET = 64
"""What is added to the numbers of queries: the instruction wants one side without a sign."""
NUMBER, HALF, BYTE, WORD = (ir.IntType(bits) for bits in (32, 16, 8, 64))
SUMS, REALS = ir.VectorType(NUMBER, BLOCK), ir.VectorType(ir.FloatType(), BLOCK)


def has_dots() -> bool:
    """Whether the instruction is there, and numba was not told to compile for another processor."""
    if config.CPU_FEATURES is not None:
        return "+avx512vnni" in config.CPU_FEATURES
    return config.CPU_NAME is None and bool(llvm.get_host_cpu_features().get("avx512vnni"))


HAS_DOTS = has_dots()
TOGETHER = 2 if HAS_DOTS else 1
"""Blocks that share what is read of queries: as many sums as there are registers for."""


def products_with(blocks: int) -> Any:
    """A function: products of some queries with so many blocks, and which of them are not below the queries' least."""

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
        def compiled(context: Any, builder: ir.IRBuilder, signature: Any, given: Any) -> Any:
            queries, block, offsets, factors, steps, least, products, masks = given
            slots, numbers = range(AT_ONCE), range(blocks)
            begin = [builder.load(at(builder, queries, WORD, WORD(slot))) for slot in slots]
            start = [builder.load(at(builder, offsets, SUMS, WORD(number)), align=4) for number in numbers]
            totals = [[cgutils.alloca_once_value(builder, start[number]) for _ in slots] for number in numbers]
            with cgutils.for_range(builder, steps) as step:
                places = [builder.add(step.index, builder.mul(steps, WORD(number))) for number in numbers]
                stored = [builder.load(at(builder, block, SUMS, place), align=1) for place in places]
                for slot in slots:
                    asked = everywhere(builder, builder.load(at(builder, begin[slot], NUMBER, step.index), align=1))
                    for number in numbers:
                        total = builder.load(totals[number][slot])
                        builder.store(four_products(builder, total, asked, stored[number]), totals[number][slot])
            for number in numbers:
                factor = builder.load(at(builder, factors, REALS, WORD(number)), align=4)
                for slot in slots:
                    product = builder.fmul(builder.sitofp(builder.load(totals[number][slot]), REALS), factor)
                    bound = everywhere(builder, builder.load(at(builder, least, NUMBER, WORD(slot))))
                    enough = builder.fcmp_ordered(">=", product, builder.bitcast(bound, REALS))
                    place = WORD(number * AT_ONCE + slot)
                    builder.store(builder.bitcast(enough, HALF), at(builder, masks, HALF, place))
                    builder.store(product, at(builder, products, REALS, place), align=4)
            return context.get_dummy_value()

        return types.void(*[types.uintp] * 4, types.int64, *[types.uintp] * 3), compiled

    return multiply


multiply = products_with(1)
"""Products with one block; `products` (8, 16) and `masks` (8,) are written, a row for each query."""
multiply_together = products_with(TOGETHER)
"""The same with `TOGETHER` blocks that lie one behind the other: eight rows for each."""


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
