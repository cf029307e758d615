"""The images of a recording: what went in and what came out, with sizes and digests."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ktviz.images import Pixels, pixel_digest, to_pixels
from ktviz.systems.kt.translator import Translation
from ktviz.trace.columns import Rows

OVERSHOOT = 0.25
"""How far the values of an image may leave [0, 1]; one in [-1, 1] or [0, 255] leaves it further."""


@dataclass(frozen=True, repr=False)
class Picture:
    """One image of a recording.

    Attributes:
        input: (H, W, 3) uint8; None where the model's input was no image.
        output: (H, W, 3) uint8, or None.
        about: Size, digests of input and output, settings.
    """

    input: Pixels | None
    output: Pixels | None
    about: Mapping[str, Any]

    def __repr__(self) -> str:
        height, width = self.size
        kept = [name for name in ("input", "output") if getattr(self, name) is not None]
        return f"Picture({width}x{height} px, {' and '.join(kept) or 'pixels not'} kept)"

    @property
    def size(self) -> tuple[int, int]:
        """(height, width) in px."""
        return int(self.about["height"]), int(self.about["width"])

    @property
    def nbytes(self) -> int:
        """Memory of the pixels."""
        return sum(pixels.nbytes for pixels in (self.input, self.output) if pixels is not None)


def pictures_of(inputs: tuple[Any, ...], output: Any, count: int, rows: Sequence[Rows]) -> list[Picture]:
    """The images of a run, with sizes, digests and settings."""
    if isinstance(output, Translation):
        return [picture(output.input, output.image, asdict(output.settings), rows)]
    given, made = (image_batch(values) for values in (inputs[:1], (output,)))
    return [picture(at(given, n), at(made, n), {}, rows) for n in range(max(count, len(given)))]


def picture(given: Pixels | None, made: Pixels | None, settings: Mapping[str, Any], rows: Sequence[Rows]) -> Picture:
    if given is not None:
        height, width = given.shape[:2]
    else:  # what the boxes span
        width, height = (
            int(max((np.ceil((b[:, n] + b[:, n + 2]).max()) for b in boxes(rows)), default=0)) for n in (0, 1)
        )
    given, made = own(given), own(made)
    about = {"height": height, "width": width, "settings": dict(settings)}
    digests = {name: None if p is None else pixel_digest(p) for name, p in (("input", given), ("output", made))}
    return Picture(given, made, {**about, **digests})


def own(pixels: Pixels | None) -> Pixels | None:
    """A copy that nobody can draw on: the caller may do so on the model's result."""
    if pixels is None:
        return None
    copy = pixels.copy()
    copy.setflags(write=False)
    return copy


def boxes(rows: Sequence[Rows]) -> list[np.ndarray[Any, Any]]:
    return [part.columns["box"] for part in rows if len(part)]


def image_batch(values: tuple[Any, ...]) -> list[Pixels]:
    """Images in the first value, if it is a batch of RGB images in [0, 1], give or take an overshoot."""
    batch = values[0] if values else None
    if not isinstance(batch, Tensor) or batch.ndim != 4 or batch.shape[1] != 3 or not batch.numel():
        return []
    low, high = (float(value) for value in torch.aminmax(batch.detach()))
    in_range = low >= -OVERSHOOT and high <= 1 + OVERSHOOT
    return [to_pixels(image) for image in batch] if in_range else []


def at(pictures: Sequence[Pixels], number: int) -> Pixels | None:
    return pictures[number] if number < len(pictures) else None
