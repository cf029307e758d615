"""Where a training computes, and in which precision."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch

from ktviz.errors import SettingError


def fast_type(device: torch.device | str) -> torch.dtype:
    """bfloat16 where it is fast, else float32.

    Graphics processors and CPUs with AVX-512 take half the time in bfloat16. On other CPUs PyTorch multiplies bfloat16
    in plain loops, which take more than ten times as long as float32.
    """
    capable = torch.device(device).type != "cpu" or torch.backends.cpu.get_cpu_capability().startswith("AVX512")
    return torch.bfloat16 if capable else torch.float32


def check_device(device: str) -> None:
    """Raise SettingError unless `device` is the CPU, or CUDA where there is one."""
    if device not in ("cpu", "cuda"):
        raise SettingError(f"device {device!r}", "unknown", "Choose cpu or cuda")
    if device == "cuda" and not torch.cuda.is_available():
        raise SettingError("device 'cuda'", "torch finds none here", "Choose cpu, or install torch for CUDA")


@contextmanager
def fast_arithmetic(device: str) -> Iterator[None]:
    """Denormal numbers make CPU training several times slower: flush them to zero meanwhile."""
    if device != "cpu":
        yield
        return
    torch.set_flush_denormal(True)
    try:
        yield
    finally:
        torch.set_flush_denormal(False)
