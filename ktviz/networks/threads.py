"""Threads, where results must not depend on their number."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from contextvars import ContextVar
from typing import TypeVar

import torch
from torch import Tensor, nn
from torch.nn import functional as F

CELLS_PER_THREAD = 1024
"""Feature cells that keep a thread busy; with fewer, kernels share out the terms of a sum instead of the image."""
BLOCK = 256
"""Cells in a matrix product of a 1x1 convolution."""
UNSHARED = 32_768
"""Numbers that PyTorch does not share out among threads."""
PIECES_PER_THREAD = 128
"""Queries, vectors or leaves that are worth a thread of their own."""
Done = TypeVar("Done")
_cores: ContextVar[int] = ContextVar("_cores", default=0)
"""Threads for what is shared out, where torch runs on one meanwhile; 0 elsewhere."""

_used = False
"""Whether networks have run here: then PyTorch holds threads, which a forked process lacks and would wait for."""


def alone_after_fork() -> None:
    """In a forked process, compute on one thread: slower, but no less exact."""
    if _used:
        torch.set_num_threads(1)


if hasattr(os, "register_at_fork"):  # there is no fork on Windows
    os.register_at_fork(after_in_child=alone_after_fork)


@contextmanager
def at_most(count: int) -> Iterator[None]:
    """Run torch on no more threads meanwhile.

    A Python thread that meets torch for the first time meanwhile keeps the smaller number: slower, but no less exact.
    """
    global _used
    _used = True
    threads = torch.get_num_threads()
    if threads <= count:
        yield
        return
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


def one_thread() -> AbstractContextManager[None]:
    """Run torch on one thread meanwhile."""
    return at_most(1)


def threads_for(cells: int) -> AbstractContextManager[None]:
    """Run a network on as many threads as can share an image of so many feature cells by its area.

    Then every sum of a convolution is one thread's, and comes out as on one thread alone.
    """
    return at_most(max(1, cells // CELLS_PER_THREAD))


@contextmanager
def sharing() -> Iterator[None]:
    """Run torch on one thread meanwhile, and what is `shared_out` on as many as torch used before.

    Threads of torch wait for its next operation by spinning, on cores that others could use.
    """
    before = _cores.set(_cores.get() or torch.get_num_threads())
    try:
        with one_thread():
            yield
    finally:
        _cores.reset(before)


def shared_out(count: int, work: Callable[[int, int], Done]) -> list[Done]:
    """Do some work on as many threads as torch uses, each of which runs torch alone meanwhile.

    Args:
        count: Of pieces.
        work: Does the pieces from a first one to before a last one. Most of it must leave Python's lock alone.

    Returns:
        What was done, from the first pieces to the last.
    """
    threads = min(_cores.get() or torch.get_num_threads(), count // PIECES_PER_THREAD)
    if threads < 2:
        return [work(0, count)]
    ends = [count * part // threads for part in range(threads + 1)]

    def alone(first: int, last: int) -> Done:
        with one_thread():
            return work(first, last)

    with sharing(), ThreadPoolExecutor(threads) as pool:
        return list(pool.map(alone, ends[:-1], ends[1:]))


class Conv2d(nn.Conv2d):
    """The same convolution on any number of threads, of a picture and of a part of it.

    For 1x1 convolutions PyTorch takes other libraries on one thread than on several, and oneDNN cuts their sums by the
    size of the picture: the roundings differ. Here they are matrix products of one shape.
    """

    def _conv_forward(self, input: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        plain = self.kernel_size == self.stride == (1, 1) and self.padding == (0, 0) and self.groups == 1
        if plain and input.ndim == 4:
            return pointwise(input, weight, bias)
        output: Tensor = super()._conv_forward(input, weight, bias)
        return output


class ConvTranspose2d(nn.ConvTranspose2d):
    """The same transposed convolution on any number of threads: it runs on one.

    oneDNN cuts its sums by how many threads there are, however large the picture is.
    """

    def forward(self, input: Tensor, output_size: list[int] | None = None) -> Tensor:
        with one_thread():
            return super().forward(input, output_size)


def pointwise(features: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
    """A 1x1 convolution, `BLOCK` cells at a time: (B, C, h, w) and (O, C, 1, 1) to (B, O, h, w)."""
    cells = features.movedim(1, -1).flatten(0, -2)
    blocks = F.pad(cells, (0, 0, 0, -len(cells) % BLOCK)).view(-1, BLOCK, cells.shape[1])
    found = torch.bmm(blocks, weight.flatten(1).T.expand(len(blocks), -1, -1)).flatten(0, 1)[: len(cells)]
    found = found if bias is None else found + bias
    picture: Tensor = found.unflatten(0, features[:, 0].shape).movedim(-1, 1)
    return picture.contiguous()


class SiLU(nn.SiLU):
    """The same activation on any number of threads, where no gradient is asked for.

    Where a thread's share ends, PyTorch takes the exponential of what fills no whole register by other code. So shares
    are cut to fill registers, and the rest is one thread's.
    """

    def forward(self, input: Tensor) -> Tensor:
        if torch.is_grad_enabled() or input.device.type != "cpu":
            return F.silu(input)
        values = input.flatten()
        shared = len(values) - len(values) % (UNSHARED * torch.get_num_threads())
        if shared == len(values):
            return F.silu(values).view_as(input)
        parts = (values[:shared], *values[shared:].split(UNSHARED))
        return torch.cat([F.silu(part) for part in parts]).view_as(input)
