"""Sheets of pictures that a training keeps, to be looked at."""

from __future__ import annotations

import torch
from torch import Tensor

from ktviz.images import Pixels
from ktviz.labels import Classes, coloured


def sheet(columns: list[Tensor]) -> Pixels:
    """Columns of pictures, (B, 3, h, w) in [-1, 1] each, as one picture."""
    rows = torch.cat([column.float().cpu() for column in columns], 3).clamp(-1, 1)
    made: Pixels = ((rows + 1) * 127.5).round().byte().permute(0, 2, 3, 1).flatten(0, 1).numpy()
    return made


def shown(labels: Tensor, classes: Classes) -> Tensor:
    """Label maps (B, 1, h, w) in the colours of their classes: (B, 3, h, w) in [-1, 1]."""
    pixels = coloured(labels[:, 0].cpu().numpy(), classes)
    return torch.from_numpy(pixels).permute(0, 3, 1, 2) / 127.5 - 1
