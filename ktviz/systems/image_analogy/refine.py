"""Edge-preserving refinement for photographs: the colours of a result, with the detail of the picture that guides it.

Weighted least squares (Farbman et al. 2008): each channel u is smoothed except across the guide's edges by solving
(I + L) v = u, the weight of two neighbours being lambda / (|difference of the guide|^alpha + epsilon).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import torch
from scipy import sparse
from scipy.sparse.linalg import splu
from torch import Tensor

from ktviz.images import Pixels

Image = npt.NDArray[np.float64]
"""(H, W, 3), 0 to 1."""
Border = Literal["full", "original"]
SMOOTHNESS, SHARPNESS, FLAT = 0.8, 1.0, 1e-4
"""lambda, alpha, epsilon."""
GREY = (0.299, 0.587, 0.114)
"""Parts of red, green and blue."""


def refined(picture: Pixels, guide: Pixels) -> Pixels:
    """guide + smooth(picture) - smooth(guide), both smoothed along the guide.

    Args:
        picture: (H, W, 3) uint8, whose colours are kept.
        guide: The same shape, whose detail is kept.
    """
    colours, detail = picture / 255, guide / 255
    made = detail + np.subtract(*smoothed([colours, detail], detail))
    return np.asarray((made.clip(0, 1) * 255).round().astype(np.uint8))


def smoothed(images: list[Image], guide: Image, border: Border = "full") -> list[Image]:
    """Weighted least squares smoothing of images along the edges of a guide.

    Args:
        images: (H, W, 3) each.
        guide: The same shape.
        border: "original" leaves the last row and the last column without weights along them, as the published code.
    """
    solve = solver(guide, border)
    height, width = guide.shape[:2]
    channels = np.concatenate([image.reshape(-1, 3) for image in images], axis=1)
    solved = solve(channels)
    return [solved[:, 3 * n : 3 * n + 3].reshape(height, width, 3) for n in range(len(images))]


def solver(guide: Image, border: Border = "full") -> Callable[[Image], Image]:
    """What solves (I + L) v = u for columns u (H W, n), L following the edges of a guide (H, W, 3)."""
    height, width = guide.shape[:2]
    grey = guide @ np.array(GREY)
    down = SMOOTHNESS / (np.abs(np.diff(grey, axis=0)) ** SHARPNESS + FLAT)
    across = SMOOTHNESS / (np.abs(np.diff(grey, axis=1)) ** SHARPNESS + FLAT)
    if border == "original":
        down[:, -1] = 0
        across[-1] = 0
    numbers = np.arange(height * width).reshape(height, width)
    first = np.concatenate((numbers[:-1].ravel(), numbers[:, :-1].ravel()))
    second = np.concatenate((numbers[1:].ravel(), numbers[:, 1:].ravel()))
    weight = np.concatenate((down.ravel(), across.ravel()))
    links = sparse.coo_matrix((weight, (first, second)), shape=(numbers.size,) * 2)
    links = links + links.T
    degree = np.asarray(links.sum(1)).ravel()
    system = sparse.csc_matrix(sparse.diags(1 + degree) - links)
    options = {"SymmetricMode": True}
    solve: Callable[[Image], Image] = splu(
        system, permc_spec="MMD_AT_PLUS_A", diag_pivot_thresh=0.0, options=options
    ).solve
    return solve


class Smoothing:
    """The smoothing along one guide as a linear map of pictures (3, H, W), with its derivative.

    Args:
        guide: (H, W, 3), 0 to 1.
    """

    def __init__(self, guide: Image) -> None:
        self.solve = solver(guide)

    def __call__(self, picture: Tensor) -> Tensor:
        made: Tensor = Solved.apply(picture, self.solve)  # type: ignore[no-untyped-call]
        return made


class Solved(torch.autograd.Function):
    """I + L is symmetric, and so is its inverse: the derivative is smoothed in the same way."""

    @staticmethod
    def forward(ctx: Any, picture: Tensor, solve: Callable[[Image], Image]) -> Tensor:
        ctx.solve = solve
        return solved(picture, solve)

    @staticmethod
    def backward(ctx: Any, *gradient: Tensor) -> tuple[Tensor, None]:
        return solved(gradient[0], ctx.solve), None


def solved(picture: Tensor, solve: Callable[[Image], Image]) -> Tensor:
    """Each channel of a picture (3, H, W), solved for."""
    columns = picture.detach().double().flatten(1).T.numpy()
    return torch.from_numpy(solve(np.ascontiguousarray(columns)).T.copy()).to(picture.dtype).view_as(picture)
