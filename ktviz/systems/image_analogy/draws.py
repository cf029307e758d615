"""Random numbers of a cell: they depend on the seed, the purpose and the cell, never on threads, chunks or devices."""

from __future__ import annotations

from torch import Tensor

WORD = (1 << 64) - 1


def mixed(value: int) -> int:
    """SplitMix64 (Steele et al. 2014) of a whole number: 64 bits."""
    value = (value + 0x9E3779B97F4A7C15) & WORD
    value = (value ^ (value >> 30)) * 0xBF58476D1CE4E5B9 & WORD
    value = (value ^ (value >> 27)) * 0x94D049BB133111EB & WORD
    return value ^ (value >> 31)


def signed(value: int) -> int:
    """The same 64 bits as a signed number, as tensors hold them."""
    return value - (1 << 64) if value >> 63 else value


def draw_below(bounds: Tensor, cells: Tensor, purpose: tuple[int, ...]) -> Tensor:
    """For each cell a number from 0 to below its bound.

    Args:
        bounds: (N,) int64, or one number, at least 1.
        cells: (N,) int64, their numbers.
        purpose: What it is for: seed, level, iteration and so on; other numbers give other draws.
    """
    key = 0
    for number in purpose:
        key = mixed(key ^ mixed(number & WORD))
    value = (cells + signed(key)) * signed(0x9E3779B97F4A7C15)
    for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):
        value = (value ^ shifted(value, shift)) * signed(factor)
    return shifted(value ^ shifted(value, 31), 1) % bounds


def shifted(value: Tensor, bits: int) -> Tensor:
    """A shift to the right that fills with zeros."""
    return (value >> bits) & ((1 << (64 - bits)) - 1)
