"""What must be equal wherever parts of one work are done."""

from __future__ import annotations

import os
import platform
import sys
from collections.abc import Mapping
from importlib import metadata

import torch

import ktviz

KERNELS = ("MKL_ENABLE_INSTRUCTIONS", "MKL_CBWR", "ONEDNN_MAX_CPU_ISA", "ATEN_CPU_CAPABILITY")
"""Environment variables by which libraries compute as on another processor."""

SAME = "Install the same versions on every machine, and use machines of one kind"
"""What to do where they are not equal."""


def versions() -> dict[str, str]:
    """Versions of what the bytes of a result depend on, and the instructions that it is computed with."""
    chosen = [f"{variable}={os.environ[variable]}" for variable in KERNELS if variable in os.environ]
    return {
        "Python": f"{sys.version_info.major}.{sys.version_info.minor}",
        "ktviz": ktviz.__version__,
        **{name: metadata.version(name) for name in ("torch", "numpy", "numba", "pillow")},
        "instructions": " ".join((platform.machine(), torch.backends.cpu.get_cpu_capability(), *chosen)),
    }


def first_difference(here: Mapping[str, str], there: Mapping[str, str]) -> str:
    """The first version that differs, in words; empty if none does."""
    names = [name for name in here if here[name] != there.get(name)]
    return f"{names[0]} {there.get(names[0], 'none')}, and here it is {here[names[0]]}" if names else ""
