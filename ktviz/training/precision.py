"""The precision in which training multiplies."""

from __future__ import annotations

import torch


def fast_type(device: torch.device | str) -> torch.dtype:
    """bfloat16 where it is fast, else float32.

    Graphics processors and CPUs with AVX-512 take half the time in bfloat16. On other CPUs PyTorch multiplies bfloat16
    in plain loops, which take more than ten times as long as float32.
    """
    capable = torch.device(device).type != "cpu" or torch.backends.cpu.get_cpu_capability().startswith("AVX512")
    return torch.bfloat16 if capable else torch.float32
