"""Exact products of queries with entries, read out of the feature maps as machine code: numba compiles it at first use,
and keeps it.

Whole numbers are added up in double precision, so few and so small that nothing is rounded: results are the same for
any number of threads, on every processor, and those of a matrix product.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from llvmlite import ir
from numba import njit, types
from numba.core import cgutils
from numba.extending import intrinsic

from ktviz.library.kinds.patches.entries import LANES

HALFS, SINGLES, DOUBLES = (ir.VectorType(kind, LANES) for kind in (ir.HalfType(), ir.FloatType(), ir.DoubleType()))
WORD, NUMBER = ir.IntType(64), ir.IntType(32)
HALF_BYTES, DOUBLE_BYTES = 2, 8
BANDS, ROWS = 4, 4


@njit(nogil=True, cache=True)
def products(
    parts: np.ndarray,
    address: np.ndarray,
    stride: np.ndarray,
    scale: np.ndarray,
    out: np.ndarray,
    first: int,
    last: int,
) -> None:
    """Products of queries with their candidates, band by band, on the grid of exact products.

    Args:
        parts: (n, 4, 16 C) float64, whole numbers: the bands of queries.
        address: (n, R) int64 where in memory each candidate begins.
        stride: (n, R) int64 bytes from one of its rows to the next.
        scale: (n, R) float32 powers of two that take it to the grid.
        out: (n, R, 4) float64 that is written.
        first: Query with which to begin, and
        last: before which to end.
    """
    run = parts.shape[2] // ROWS
    for query in range(first, last):
        asked = parts[query].ctypes.data
        for place in range(address.shape[1]):
            view = address[query, place], stride[query, place], scale[query, place]
            add_up(*view, asked, run, out[query, place].ctypes.data)


@intrinsic  # type: ignore[untyped-decorator]
def add_up(typing: Any, entry: Any, stride: Any, scale: Any, parts: Any, run: Any, out: Any) -> Any:
    """Four products of an entry: its four rows of `run` halfs each, put on the grid, with the parts of a query."""

    def compiled(context: Any, builder: ir.IRBuilder, signature: Any, given: Any) -> Any:
        entry, stride, scale, parts, run, out = given
        module = builder.module
        rounded = cgutils.get_or_insert_function(module, ir.FunctionType(SINGLES, [SINGLES]), "llvm.rint.v16f32")
        fused = cgutils.get_or_insert_function(module, ir.FunctionType(DOUBLES, [DOUBLES] * 3), "llvm.fma.v16f64")
        scales = everywhere(builder, scale)
        sums = [cgutils.alloca_once_value(builder, ir.Constant(DOUBLES, [0.0] * LANES)) for _ in range(BANDS)]
        with cgutils.for_range(builder, WORD(ROWS)) as row:
            stored = builder.add(entry, builder.mul(row.index, stride))
            first = builder.mul(row.index, run)
            with cgutils.for_range(builder, builder.udiv(run, WORD(LANES))) as step:
                along = builder.mul(step.index, WORD(LANES))
                halfs = loaded(builder, HALFS, stored, along, HALF_BYTES)
                numbers = builder.call(rounded, [builder.fmul(builder.fpext(halfs, SINGLES), scales)])
                numbers = builder.fpext(numbers, DOUBLES)
                for band, total in enumerate(sums):
                    start = builder.add(builder.mul(run, WORD(band * ROWS)), builder.add(first, along))
                    part = loaded(builder, DOUBLES, parts, start, DOUBLE_BYTES)
                    builder.store(builder.call(fused, [numbers, part, builder.load(total)]), total)
        for band, total in enumerate(sums):
            place = builder.inttoptr(builder.add(out, WORD(DOUBLE_BYTES * band)), ir.DoubleType().as_pointer())
            builder.store(summed(builder, builder.load(total)), place)
        return context.get_dummy_value()

    numbers = (types.int64, types.int64, types.float32, types.uintp, types.int64, types.uintp)
    return types.void(*numbers), compiled


def loaded(builder: ir.IRBuilder, kind: ir.VectorType, start: Any, place: Any, size: int) -> Any:
    """A vector out of memory: `place` numbers of `size` bytes behind an address."""
    address = builder.add(start, builder.mul(place, WORD(size)))
    return builder.load(builder.inttoptr(address, kind.as_pointer()), align=size)


def everywhere(builder: ir.IRBuilder, value: Any) -> Any:
    """A vector of equal numbers."""
    nothing = ir.Constant(SINGLES, ir.Undefined)
    first = builder.insert_element(nothing, value, NUMBER(0))
    return builder.shuffle_vector(first, nothing, ir.Constant(ir.VectorType(NUMBER, LANES), [0] * LANES))


def summed(builder: ir.IRBuilder, vector: Any) -> Any:
    """The sum of a vector."""
    found = builder.extract_element(vector, NUMBER(0))
    for lane in range(1, LANES):
        found = builder.fadd(found, builder.extract_element(vector, NUMBER(lane)))
    return found
