"""What several benchmarks measure: time, and how near two pictures are."""

from __future__ import annotations

from collections.abc import Callable
from statistics import median

import numpy as np
import numpy.typing as npt
import torch
from skimage.color import rgb2lab
from torch import Tensor, nn

from ktviz.images import Pixels
from ktviz.workbench.measures import seconds as seconds_of

REPEATS = 5


def seconds(work: Callable[[], object], repeats: int = REPEATS) -> float:
    """Median time of some work, after a first run."""
    return side_by_side(work, repeats=repeats)[0]


def side_by_side(*works: Callable[[], object], repeats: int = REPEATS) -> list[float]:
    """Median times of some works, after a first run of each, in turns: what slows the machine for a while slows all."""
    for work in works:
        work()
    rounds = [[seconds_of(work) for work in works] for _ in range(repeats)]
    return [median(times) for times in zip(*rounds, strict=True)]


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


def recall(found: Tensor, truth: Tensor) -> float:
    """The part of queries whose best entry was found."""
    return float((found == truth).float().mean())
