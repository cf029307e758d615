"""A system of somebody else whose sites have other canvases and outputs, of other sizes, and queries of both kinds."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import nn

import ktviz as kt
from ktviz.trace.adapt import Abilities, Adapted
from ktviz.trace.trace import Trace

SIZE = (48, 64)
"""(height, width) of the input and of its label map; the output is twice as large."""
REFERENCE = (60, 40)
"""Of the reference; what is made of it is half as large, and wider than high."""
BACK = (20, 60)
THERE, AWAY, LABELLED = "there", "back", "labelled"
RING, DISK, PARTS, DOT = 5, 7, 9, 12
"""Regions that ask: one with a hole, one within it, one of several parts, one of a single pixel; the rest is 0."""
ASKING = (RING, DISK, PARTS, DOT)
NAMES = ("a.png", "b.png", "c.png")


def label_map(scale: int = 1) -> torch.Tensor:
    """(48, 64) times scale."""
    y, x = torch.meshgrid(*(torch.arange(side * scale) / scale for side in SIZE), indexing="ij")
    away = ((y - 20) ** 2 + (x - 22) ** 2).sqrt()
    labels = torch.zeros(y.shape, dtype=torch.int64)
    labels[(away < 16) & (away >= 8)] = RING
    labels[away < 5] = DISK
    labels[(x >= 44) & (x < 60) & ((y < 12) | (y >= 30)) & (y < 42)] = PARTS
    labels[24 * scale, 50 * scale] = DOT
    return labels


class Studio(nn.ModuleDict):
    """Its sites look at the image and pass it on."""

    def __init__(self) -> None:
        super().__init__({name: nn.Identity() for name in (THERE, AWAY, LABELLED)})
        self.adapters: list[Adapted] = []  # a trace remembers them weakly
        self.without: tuple[object, ...] = ()

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        for site in self.values():
            site(image)
        return image.flip(-1).repeat_interleave(2, -1).repeat_interleave(2, -2)


def painted(height: int, width: int, *hue: float) -> torch.Tensor:
    """A soft picture: (1, 3, height, width)."""
    y, x = torch.meshgrid(torch.linspace(0, 1, height), torch.linspace(0, 1, width), indexing="ij")
    return torch.stack([(0.5 + 0.4 * torch.sin(7 * x * h + 5 * y)) for h in hue])[None]


def hard(count: int, without: Sequence[object]) -> kt.Matches:
    """Every query takes its own source first of those that may be taken, and the others after it."""
    able = torch.tensor([number for number, name in enumerate(NAMES) if name not in without])
    entry = able[(torch.arange(count)[:, None] + torch.arange(len(able))) % len(able)]
    similarity = torch.linspace(0.9, 0.3, len(able)).repeat(count, 1) + torch.linspace(0, 0.05, count)[:, None]
    return kt.Matches.hard(entry, similarity)


def run(model: Studio, without: Sequence[object] = ()) -> None:
    """What it makes of the reference without some sources is inverted."""
    model.without = tuple(without)
    model(painted(*SIZE, 2, 3, 1))


def canvases() -> tuple[nn.Module, Trace]:
    """The system, to be kept alive, and a trace of it."""
    model = Studio()
    labels = label_map()
    catalogue = kt.Catalogue.wholes(list(NAMES), bank="shelf")
    colours = torch.from_numpy(np.random.default_rng(3).random((16, 3)).astype(np.float32))
    back = painted(*BACK, 3, 1, 2)

    def shown(inputs: object, result: object) -> dict[str, torch.Tensor]:
        return {
            "labels": colours[labels].permute(2, 0, 1)[None],
            "reference:0": painted(*REFERENCE, 1, 2, 3),
            "output:back": 1 - back if model.without else back,
        }

    def site(name: str, queries: kt.Queries, canvas: str, output: str, direction: str) -> Adapted:
        return kt.adapt(
            model[name],
            lambda inputs, result: hard(len(queries), model.without),
            queries=queries,
            catalogue=catalogue,
            canvas=canvas,
            output=output,
            direction=direction,
            pictures=shown,
            abilities=Abilities(rerun=lambda trace: run(model), exclude=lambda trace, names: run(model, names)),
        )

    adapted = [
        site(THERE, kt.Queries.grid(6, 8, step_px=8), "input", "output", "A to B"),
        site(AWAY, kt.Queries.grid(6, 4, step_px=10), "reference:0", "output:back", "B to A"),
        site(LABELLED, kt.Queries.regions(labels, torch.tensor(ASKING)), "labels", "output", ""),
    ]
    model.adapters += adapted
    with kt.record(model, *adapted) as trace:
        run(model)
    return model, trace
