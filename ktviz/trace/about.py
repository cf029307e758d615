"""What a trace says about itself: versions, device, seed, and digests of model, library, input and output."""

from __future__ import annotations

import hashlib
import itertools
import os
import platform
from collections.abc import Mapping, Sequence
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import Any

import torch
from torch import nn

import ktviz
from ktviz.engines.versions import KERNELS
from ktviz.networks.weights import module_digest
from ktviz.retrieval.catalogue import Knowledge
from ktviz.retrieval.site import Recordable
from ktviz.trace.listed import Listed
from ktviz.trace.schema import KIND, SCHEMA_VERSION


def about_recording(
    model: nn.Module,
    knowledge: Sequence[Knowledge],
    listed: Listed,
    sites: Sequence[Mapping[str, Any]],
    thinned: bool,
    candidates: int | None,
    seed: int,
    inputs_on: str | None,
) -> dict[str, Any]:
    """The metadata of a trace."""
    return {
        "kind": KIND,
        "schema": SCHEMA_VERSION,
        "system": model.name if isinstance(model, Recordable) else "",
        "versions": versions(),
        "device": ", ".join((named_device(device_of(model) or inputs_on or "cpu"), *compiled_parts(model))),
        "processor": processor(),
        "seed": seed,
        "digests": {**model_digests(model), **{k: v for known in knowledge for k, v in known.digests().items()}},
        "sites": list(sites),
        **listed.about(),
        "thinned": thinned,
        "candidates": candidates,
    }


version = cache(metadata.version)


FORMERLY = {"numba": "faiss"}
"""What was named in the place of a package, when another one searched."""


def versions() -> dict[str, str]:
    """Versions of what results depend on."""
    return {
        "ktviz": ktviz.__version__,
        "torch": str(torch.__version__),
        "numba": version("numba"),
        "python": platform.python_version(),
    }


def device_of(model: nn.Module) -> str | None:
    """Where a model's weights are; None for one without weights, which computes where its inputs are."""
    return next((str(held.device) for held in itertools.chain(model.parameters(), model.buffers())), None)


def compiled_parts(model: nn.Module) -> list[str]:
    """Parts of a model that torch.compile has compiled, and so compute in another order."""
    return [f"{name or type(model).__name__} compiled" for name, module in model.named_modules() if is_compiled(module)]


def is_compiled(module: nn.Module) -> bool:
    """Whether torch.compile has compiled a module."""
    return hasattr(module, "_orig_mod") or getattr(module, "_compiled_call_impl", None) is not None


def named_device(device: str) -> str:
    """A device, with the name of the GPU."""
    return f"{device}, {torch.cuda.get_device_name(device)}" if device.startswith("cuda") else device


@cache
def processor() -> str:
    """What computes: its name, its instructions, what chooses other kernels. Where two are equal, results are, too."""
    name, flags = platform.processor() or platform.machine(), ""
    if Path("/proc/cpuinfo").is_file():
        first = Path("/proc/cpuinfo").read_text(errors="replace").split("\n\n", 1)[0]
        known = {key.strip(): value.strip() for key, _, value in (line.partition(":") for line in first.splitlines())}
        name, flags = known.get("model name", name), known.get("flags", "")
    digest = hashlib.sha256(" ".join(sorted(flags.split())).encode()).hexdigest()[:8]
    chosen = [f"{variable}={os.environ[variable]}" for variable in KERNELS if variable in os.environ]
    return ", ".join((name, torch.backends.cpu.get_cpu_capability(), digest, *chosen))


def model_digests(model: nn.Module) -> dict[str, str]:
    """Digests of what a system names, or of another model as a whole."""
    return dict(model.digests()) if isinstance(model, Recordable) else {"model": module_digest(model)}
