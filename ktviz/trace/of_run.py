"""From what goes into a run and comes out of it to the pictures of its recording."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt
from torch import Tensor

from ktviz.errors import TraceError
from ktviz.images import Pixels, pixel_digest, to_pixels
from ktviz.retrieval.site import Recordable
from ktviz.trace.columns import Rows
from ktviz.trace.pictures import INPUT, LABELS, OUTPUT, Picture, coded

OVERSHOOT = 0.25
"""How far the values of an image may leave their range; an image of another range leaves it further."""
Range = tuple[float, float]


def pictures_of(
    model: object,
    inputs: tuple[Any, ...],
    output: Any,
    count: int,
    rows: Mapping[int, Sequence[tuple[Rows, str]]],
    said: Mapping[str, Sequence[Pixels]],
    span: Range,
) -> list[Picture]:
    """The images of a run, with sizes, digests and settings.

    Args:
        model: What ran.
        inputs: Of the run.
        output: Of the run.
        count: Images that retrievals belong to.
        rows: By number of the image, its retrievals, and the canvas of each.
        said: Pictures that adapters gave, one per image, by name of the canvas.
        span: What black and white are in the others.
    """
    if isinstance(model, Recordable):
        one = picture(model.pictures(inputs, output), model.settings_of(inputs, output), rows.get(0, ()))
        return [replace(one, about={**one.about, "measures": in_order(model.measures_of(inputs, output))})]
    batches = {INPUT: image_batch(inputs[:1], span), OUTPUT: image_batch((output,), span), **said}
    number = max(count, *(len(batch) for name, batch in batches.items() if name != OUTPUT))
    return [
        picture({name: batch[n] for name, batch in batches.items() if n < len(batch)}, {}, rows.get(n, ()))
        for n in range(number)
    ]


def picture(
    canvases: Mapping[str, npt.NDArray[Any]], settings: Mapping[str, Any], rows: Sequence[tuple[Rows, str]]
) -> Picture:
    """One image, from its canvases, its settings and its retrievals."""
    maps = {LABELS + canvas: part.labels for part, canvas in rows if part.labels is not None}
    kept = {
        name: own(coded(pixels) if name.startswith(LABELS) else pixels) for name, pixels in {**canvases, **maps}.items()
    }
    stated: dict[str, Any] = {
        name: {"height": pixels.shape[0], "width": pixels.shape[1], "sha256": pixel_digest(pixels)}
        for name, pixels in kept.items()
    }
    for canvas in (INPUT, *(canvas for _, canvas in rows)):
        if canvas not in stated:  # what the boxes span
            boxes = [part.columns["box"].astype(np.float32) for part, where in rows if where == canvas and len(part)]
            width, height = (
                int(max((np.ceil((b[:, n] + b[:, n + 2]).max()) for b in boxes), default=0)) for n in (0, 1)
            )
            stated[canvas] = {"height": height, "width": width, "sha256": None}
    return Picture(kept, {"settings": in_order(settings), "canvases": stated})


def in_order(value: Any) -> Any:
    """What is said of a run, mappings by name as in files: a trace says the same whether it is fresh or read back."""
    if isinstance(value, Mapping):
        return {name: in_order(part) for name, part in sorted(value.items(), key=lambda item: str(item[0]))}
    return [in_order(part) for part in value] if isinstance(value, list) else value


def own(pixels: Pixels) -> Pixels:
    """A copy that nobody can draw on: the caller may do so on the model's result."""
    copy = pixels.copy()
    copy.setflags(write=False)
    return copy


def image_batch(values: tuple[Any, ...], span: Range) -> list[Pixels]:
    """Images in the first value, if it is a batch of RGB images in a range, give or take an overshoot."""
    batch = values[0] if values else None
    if not isinstance(batch, Tensor) or batch.ndim != 4 or batch.shape[1] != 3 or not batch.numel():
        return []
    return levelled(batch, span) if within(batch, span) else []


def as_batch(value: object, span: Range, asked: str) -> list[Pixels]:
    """Pictures that an adapter gave, one per image.

    Args:
        value: (B, 3, H, W) or (3, H, W) floats of any type, or (H, W, 3) uint8.
        span: What black and white are in floats, such as (-1, 1).
        asked: What an error calls them.

    Raises:
        TraceError: Something else, or values far beyond the range.
    """
    if isinstance(value, np.ndarray) and value.dtype == np.uint8 and value.ndim == 3 and value.shape[2] == 3:
        return [value]
    if not isinstance(value, Tensor) or value.ndim not in (3, 4) or value.shape[-3] != 3 or not value.numel():
        shape = f" of shape {tuple(value.shape)}" if isinstance(value, (Tensor, np.ndarray)) else ""
        raise TraceError(
            asked, f"a {type(value).__name__}{shape}", "Give (B, 3, H, W) floats, or (H, W, 3) uint8 pixels"
        )
    if not within(value, span):
        low, high = float(value.min()), float(value.max())
        raise TraceError(asked, f"values from {low:.3g} to {high:.3g}", f"Say what black and white are: not {span}")
    return levelled(value[None] if value.ndim == 3 else value, span)


def levelled(batch: Tensor, span: Range) -> list[Pixels]:
    """Pictures (B, 3, H, W), given what black and white are in them."""
    low, high = span
    return [to_pixels((image.float() - low) / (high - low)) for image in batch.detach()]


def within(values: Tensor, span: Range) -> bool:
    """Whether values lie in a range, give or take an overshoot."""
    low, high = span
    room = OVERSHOOT * (high - low)
    least, most = (float(value) for value in values.detach().aminmax())
    return least >= low - room and most <= high + room
