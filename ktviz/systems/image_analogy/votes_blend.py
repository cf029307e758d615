"""The final votes scaled between the content's own pixels and what they made: exactly, pixel by pixel."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from ktviz.images import Pixels
from ktviz.regions import Box
from ktviz.systems.image_analogy.refine import Smoothing
from ktviz.systems.protocol import Ints
from ktviz.trace.trace import Trace


@dataclass(frozen=True)
class VotesBlend:
    """See `ktviz.systems.protocol.Blend`.

    Attributes:
        retrievals: Those of the part's own pixels, in their order; after refinement all.
        own: (3, n) of the picture itself, in [0, 1], and
        voted: (3, n) of what the votes say.
        size: Height and width of what is blended.
        inner: The part of that which is shown.
        smoothing: Of the refinement, or None.
    """

    retrievals: Ints
    own: Tensor
    voted: Tensor
    size: tuple[int, int]
    inner: tuple[slice, slice]
    smoothing: Smoothing | None

    @classmethod
    def create(cls, trace: Trace, here: Pixels, there: Pixels, within: Box) -> VotesBlend:
        """From the rows of a trace of votes."""
        height, width = here.shape[:2]
        number = np.arange(height * width).reshape(height, width)
        refined = bool(trace.picture.settings["refine"])
        mine = (number if refined else number[within.pixels]).ravel()
        size = (height, width) if refined else (int(within.height), int(within.width))
        inner = within.pixels if refined else (slice(0, size[0]), slice(0, size[1]))
        own, made = (columns(pixels)[mine] for pixels in (here / 255, voted(trace, there)))
        return cls(mine, own.T, made.T, size, inner, Smoothing(here / 255) if refined else None)

    def __call__(self, amount: Tensor, /) -> Tensor:
        """The part (3, h, w) for amounts (n,)."""
        mixed = (self.own + (self.voted - self.own) * amount).view(3, *self.size)
        if self.smoothing is not None:
            own = self.own.view(3, *self.size)
            mixed = (own + self.smoothing(mixed - own)).clamp(0, 1)
        return mixed[:, self.inner[0], self.inner[1]]


def voted(trace: Trace, there: Pixels) -> npt.NDArray[np.float32]:
    """What the recorded votes make of the other picture's pixels: (H, W, 3) in [0, 1]."""
    height, width = trace.size
    query, entry, weight = (trace.column(name, winners=False) for name in ("query", "entry", "weight"))
    values = there.reshape(-1, 3)[entry.astype(np.int64)] / 255 * weight[:, None]
    total = np.stack([np.bincount(query, values[:, channel], height * width) for channel in range(3)], axis=1)
    return total.reshape(height, width, 3).astype(np.float32)


def columns(pixels: npt.NDArray[Any]) -> Tensor:
    """A picture (H, W, 3) as float32 rows (H W, 3)."""
    return torch.from_numpy(np.ascontiguousarray(pixels.reshape(-1, 3), dtype=np.float32))
