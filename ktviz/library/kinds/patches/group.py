"""Numbers put together by what they belong to."""

from __future__ import annotations

from torch import Tensor


def group(labels: Tensor) -> list[tuple[int, Tensor]]:
    """Positions of each label: (N,) int64 to [(label, positions)], labels ascending, -1 left out."""
    order = labels.argsort(stable=True)
    values, sizes = labels[order].unique_consecutive(return_counts=True)
    pairs = zip(values.tolist(), order.split(sizes.tolist()), strict=True)
    return [(label, positions) for label, positions in pairs if label >= 0]
