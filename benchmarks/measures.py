"""What several benchmarks measure: time, and how near two pictures are."""

from __future__ import annotations

import time
from collections.abc import Callable
from statistics import median

import numpy as np
import numpy.typing as npt
import torch
from skimage.color import rgb2lab
from torch import Tensor, nn

from ktviz.images import Pixels

REPEATS = 5


def seconds(work: Callable[[], object], repeats: int = REPEATS) -> float:
    """Median time of some work, after a first run."""
    work()
    found = []
    for _ in range(repeats):
        start = time.perf_counter()
        work()
        found.append(time.perf_counter() - start)
    return median(found)


@torch.no_grad()
def gpu_ms(network: nn.Module, planes: Tensor) -> str:
    """Milliseconds of a network on a GPU, where there is one."""
    if not torch.cuda.is_available():
        return "no GPU"
    network, planes = network.to("cuda"), planes.to("cuda")

    def work() -> None:
        network(planes)
        torch.cuda.synchronize()

    found = 1e3 * seconds(work)
    network.to("cpu")
    return f"{found:.1f}"


def lab_mean(picture: Pixels, mask: npt.NDArray[np.bool_]) -> npt.NDArray[np.float64]:
    """Mean colour of a region in Lab."""
    mean: npt.NDArray[np.float64] = rgb2lab(picture[mask][None] / 255)[0].mean(0)
    return mean


def psnr(a: Pixels, b: Pixels) -> float:
    """Peak signal-to-noise ratio of two pictures in dB."""
    return float(-10 * np.log10(max(np.square(a / 255.0 - b / 255.0).mean(), 1e-10)))
