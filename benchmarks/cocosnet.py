"""CoCosNet: the warp in blocks beside the dense one, and what a picture costs.

Weights are random where none are shipped: time and memory do not depend on them.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F
from torch.utils.flop_counter import FlopCounterMode

from benchmarks.measures import REPEATS, gpu_ms, side_by_side
from benchmarks.tables import Table, peak_gb, said_by
from ktviz.labels import Classes
from ktviz.systems.cocosnet.blockwise import mixed
from ktviz.systems.cocosnet.configuration import small
from ktviz.systems.cocosnet.correspondence import Warp
from ktviz.systems.cocosnet.networks import Networks
from ktviz.systems.cocosnet.passage import Passage
from ktviz.systems.cocosnet.system import CoCosNet
from ktviz.trace.record import record

CLASSES = 19
CASES = ((64, 288), (64, 2304), (128, 288), (256, 288))
"""Cells a side of target and exemplar, and numbers in a descriptor: of `small` 288, as published 2304."""
DENSE = 128
"""Cells a side up to which the dense warp fits: three matrices of 1 GB; for 256 cells a side, of 17 GB."""
SIDES = (256, 512)
TARGETS = {256: "≤ 2 s"}
COLUMNS = (
    *("px", "descriptors, s", "warp, s", "generator, s", "all, s", "target", "ms a megapixel"),
    *("recorded", "target", "GFLOP", "generator on a GPU, ms"),
)
TEMPERATURE = 0.01


def main() -> Iterator[Table]:
    yield warp()
    yield cost()


def warp() -> Table:
    """Time, memory and difference, one process each."""
    rows = []
    for cells, size in CASES:
        found = [row(kind, cells, size) for kind in ("dense", "blockwise") if kind == "blockwise" or cells <= DENSE]
        dense, blocks = found if len(found) == 2 else (["does not fit", ""], found[0])
        rows.append([f"{cells * cells:,} x {cells * cells:,}", str(size), *dense, *blocks, apart(cells, size)])
    columns = ["cells", "numbers a descriptor", "dense, s", "dense, GB", "in blocks, s", "in blocks, GB", "apart"]
    return Table(
        "cocosnet",
        "CoCosNet: the warp",
        columns,
        rows,
        "GB: the most that a process held beyond PyTorch, descriptors and colours. In blocks there is "
        "more in the time: exact cosines, the top 8 of every row, its entropy, and what every cell of the exemplar "
        "feeds. Apart: largest difference of a colour from -1 to 1.",
        part="warp",
    )


def row(kind: str, cells: int, size: int) -> list[str]:
    """Seconds and GB of one warp in a process of its own."""
    seconds, peak = map(float, said_by("cocosnet", kind, str(cells), str(size)))
    return [f"{seconds:.2f}", f"{peak:.2f}"]


def run_once(kind: str, cells: int, size: int) -> None:
    """One warp, for `row`: prints seconds, and GB beyond what was held before."""
    target, source, values = made(cells, size)
    held, start = peak_gb(), time.perf_counter()
    if kind == "dense":
        dense(target, source, values)
    else:
        mixed(target, source, values, TEMPERATURE)
    print(time.perf_counter() - start, peak_gb() - held)


def dense(target: Tensor, source: Tensor, values: Tensor) -> Tensor:
    """The warp by its matrix."""
    return Warp(target[None] @ source.mT[None], TEMPERATURE).to_target(values[None])[0]


def apart(cells: int, size: int) -> str:
    """The largest difference of both warps."""
    if cells > DENSE // 2:
        return ""
    case = made(cells, size)
    return f"{float((dense(*case) - mixed(*case, TEMPERATURE).cells).abs().max()):.1e}"


def made(cells: int, size: int) -> tuple[Tensor, Tensor, Tensor]:
    """Descriptors of a target and an exemplar that vary slowly over the picture, and colours."""
    random = torch.Generator().manual_seed(0)

    def descriptors() -> Tensor:
        coarse = torch.randn(1, size, 9, 9, generator=random)
        smooth = F.interpolate(coarse, (cells, cells), mode="bicubic")[0].flatten(1).T
        return F.normalize(smooth + 0.3 * torch.randn(cells * cells, size, generator=random), dim=1)

    return descriptors(), descriptors(), torch.rand(cells * cells, 3, generator=random) * 2 - 1


def cost() -> Table:
    """What a picture costs, part by part."""
    networks = Networks(small(Classes.numbered(CLASSES))).plain().requires_grad_(False)
    parameters = sum(weight.numel() for weight in networks.parameters())
    rows = [costs(networks, side) for side in SIDES]
    return Table(
        "cocosnet",
        "CoCosNet: what a picture costs",
        COLUMNS,
        rows,
        f"Configuration `small` with {CLASSES} classes: {parameters / 1e6:.2f} million parameters, "
        f"{2 * parameters / 1e6:.1f} MB. Target and exemplar have the same size. GFLOP: of the networks. "
        f"Recorded: time with recording over time without. Medians of {REPEATS}.",
        part="cost",
    )


@torch.no_grad()
def costs(networks: Networks, side: int) -> list[str]:
    random = np.random.default_rng(0)
    blocks = random.integers(0, CLASSES, (16, 16))
    labels = np.kron(blocks, np.ones((side // 16, side // 16), dtype=np.int64))
    pixels = random.integers(0, 256, (side, side, 3), dtype=np.uint8)
    system = CoCosNet(pixels, labels.T, networks)

    def passage() -> Passage:
        found = Passage(networks, labels, system.exemplars.named("reference"))
        found.target.add(found.source)
        return found

    def recorded() -> None:
        with record(system):
            system(labels)

    known = passage()
    mixture = known.mixture(TEMPERATURE, 8)
    parts = [passage, lambda: known.mixture(TEMPERATURE, 8), lambda: known.painted(mixture.cells)]
    times = side_by_side(*parts, lambda: system(labels), recorded)
    with FlopCounterMode(display=False) as counter:
        passage().painted(mixture.cells)
    recording = f"{times.pop() / times[-1]:.2f} x"
    condition = torch.cat((known.warped(mixture.cells), known.planes), 1)
    return [
        f"{side}x{side}",
        *(f"{t:.2f}" for t in times),
        TARGETS.get(side, ""),
        f"{1e9 * times[-1] / side**2:.0f}",
        recording,
        "≤ 1.05",
        f"{counter.get_total_flops() / 1e9:.0f}",
        gpu_ms(networks.generator, condition),
    ]


if __name__ == "__main__":
    run_once(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
