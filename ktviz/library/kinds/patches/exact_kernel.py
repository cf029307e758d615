"""Exact products of queries with entries, read out of the feature maps as machine code.

Whole numbers are added up in double precision, so few and so small that nothing is rounded: results are the same for
any number of threads, on every processor, and those of a matrix product.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from ktviz.library.kinds.patches.compiled import compiled
from ktviz.library.kinds.patches.entries import LANES

HALFS, SINGLES, DOUBLES = (ir.VectorType(kind, LANES) for kind in (ir.HalfType(), ir.FloatType(), ir.DoubleType()))
WORD, NUMBER = ir.IntType(64), ir.IntType(32)
HALF_BYTES, DOUBLE_BYTES = 2, 8
BANDS, BLOCKS = 4, ((0, 0), (0, 1), (1, 0), (1, 1))
"""Of a patch: blocks of 2x2 cells, down and to the right."""
ROWS, LINE_BYTES = 4, 64
"""Rows of cells of a patch, and bytes that a processor fetches at a time."""
PREFETCH = "llvm.prefetch.p0i8"
FUSED, ROUNDED = "llvm.fma.v16f64", "llvm.rint.v16f32"


@compiled()
def products(
    queries: np.ndarray,
    grid: np.ndarray,
    address: np.ndarray,
    stride: np.ndarray,
    scale: np.ndarray,
    energy: np.ndarray,
    out: np.ndarray,
) -> None:
    """Band energies of queries, and their products with their candidates band by band, on the grid of exact products.

    Args:
        queries: (n, 16 C) float32.
        grid: (n, 1) float64 powers of two that take them to the grid.
        address: (n, R) int64 where in memory each candidate begins.
        stride: (n, R) int64 bytes from one of its rows to the next.
        scale: (n, R) float32 powers of two that take it to the grid.
        energy: (n, 4) float64 that is written, and
        out: (n, R, 4) float64.
    """
    channels = queries.shape[1] // (BANDS * len(BLOCKS))
    bands = np.empty((BANDS, len(BLOCKS) * channels))
    for query in range(len(queries)):
        transform(queries[query], grid[query, 0], bands)
        add_up_squares(bands, energy[query])
        for place in range(address.shape[1]):
            if place + 1 < address.shape[1]:
                for row in range(ROWS):
                    begin = address[query, place + 1] + row * stride[query, place + 1]
                    for line in range(begin, begin + ROWS * channels * HALF_BYTES, LINE_BYTES):
                        fetch(line)
            view = address[query, place], stride[query, place], scale[query, place]
            add_up(*view, bands.ctypes.data, channels, out[query, place].ctypes.data)


@compiled()
def transform(vector: np.ndarray, scale: float, bands: np.ndarray) -> None:
    """Haar coefficients (4, 4 C) of a vector (16 C,) that is put on the grid; see `bands.coefficients`."""
    channels = len(vector) // (BANDS * len(BLOCKS))
    for block in range(len(BLOCKS)):
        upper = (block // 2 * 8 + block % 2 * 2) * channels
        lower = upper + 4 * channels
        for channel in range(channels):
            a, b = np.rint(vector[upper + channel] * scale), np.rint(vector[upper + channels + channel] * scale)
            c, d = np.rint(vector[lower + channel] * scale), np.rint(vector[lower + channels + channel] * scale)
            place = block * channels + channel
            bands[0, place] = 0.5 * (a + b + c + d)
            bands[1, place] = 0.5 * (b - a + d - c)
            bands[2, place] = 0.5 * (c + d - a - b)
            bands[3, place] = 0.5 * (d - c - b + a)


@compiled(fastmath={"reassoc"})
def add_up_squares(bands: np.ndarray, energy: np.ndarray) -> None:
    """Band energies (4,) of coefficients (4, 4 C): as nothing is rounded, sums are the same in any order."""
    for band in range(BANDS):
        total = 0.0
        for value in bands[band]:
            total += value * value
        energy[band] = total


@intrinsic
def fetch(typing: Any, address: Any) -> Any:
    """Let the processor fetch what lies at an address, while it computes."""

    def compiled(context: Any, builder: ir.IRBuilder, signature: Any, given: Any) -> Any:
        place = ir.IntType(8).as_pointer()
        kind = ir.FunctionType(ir.VoidType(), [place, NUMBER, NUMBER, NUMBER])
        prefetch = cgutils.get_or_insert_function(builder.module, kind, PREFETCH)
        builder.call(prefetch, [builder.inttoptr(given[0], place), NUMBER(0), NUMBER(2), NUMBER(1)])
        return context.get_dummy_value()

    return types.void(types.int64), compiled


@intrinsic
def add_up(typing: Any, entry: Any, stride: Any, scale: Any, bands: Any, channels: Any, out: Any) -> Any:
    """The four products of an entry, put on the grid and transformed block by block, with the bands of a query."""

    def compiled(context: Any, builder: ir.IRBuilder, signature: Any, given: Any) -> Any:
        entry, stride, scale, bands, channels, out = given
        fused = cgutils.get_or_insert_function(builder.module, ir.FunctionType(DOUBLES, [DOUBLES] * 3), FUSED)
        scales = everywhere(builder, scale)
        sums = [cgutils.alloca_once_value(builder, ir.Constant(DOUBLES, [0.0] * LANES)) for _ in range(BANDS)]
        for block, (down, right) in enumerate(BLOCKS):
            upper = builder.add(entry, builder.mul(stride, WORD(2 * down)))
            rows = upper, builder.add(upper, stride)
            columns = [builder.mul(channels, WORD(2 * right + side)) for side in range(2)]
            with cgutils.for_range(builder, builder.udiv(channels, WORD(LANES))) as step:
                along = builder.mul(step.index, WORD(LANES))
                cells = [
                    on_grid(builder, row, builder.add(column, along), scales) for row in rows for column in columns
                ]
                start = builder.add(builder.mul(channels, WORD(block)), along)
                for band, (total, stored) in enumerate(zip(sums, haar(builder, *cells), strict=True)):
                    place = builder.add(builder.mul(channels, WORD(band * len(BLOCKS))), start)
                    asked = loaded(builder, DOUBLES, bands, place, DOUBLE_BYTES)
                    builder.store(builder.call(fused, [stored, asked, builder.load(total)]), total)
        for band, total in enumerate(sums):
            place = builder.inttoptr(builder.add(out, WORD(DOUBLE_BYTES * band)), ir.DoubleType().as_pointer())
            half = builder.fmul(summed(builder, builder.load(total)), ir.Constant(ir.DoubleType(), 0.5))
            builder.store(half, place)
        return context.get_dummy_value()

    numbers = (types.int64, types.int64, types.float32, types.uintp, types.int64, types.uintp)
    return types.void(*numbers), compiled


def on_grid(builder: ir.IRBuilder, row: Any, place: Any, scales: Any) -> Any:
    """Numbers of an entry on the grid of exact products."""
    rounded = cgutils.get_or_insert_function(builder.module, ir.FunctionType(SINGLES, [SINGLES]), ROUNDED)
    numbers = builder.fpext(loaded(builder, HALFS, row, place, HALF_BYTES), SINGLES)
    return builder.fpext(builder.call(rounded, [builder.fmul(numbers, scales)]), DOUBLES)


def haar(builder: ir.IRBuilder, a: Any, b: Any, c: Any, d: Any) -> tuple[Any, Any, Any, Any]:
    """Twice the coefficients LL, LH, HL and HH of a block of cells a b / c d; see `bands.doubled`."""
    upper, lower = builder.fadd(a, b), builder.fadd(c, d)
    left, right = builder.fsub(b, a), builder.fsub(d, c)
    sums = builder.fadd(upper, lower), builder.fadd(left, right)
    return *sums, builder.fsub(lower, upper), builder.fsub(right, left)


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
