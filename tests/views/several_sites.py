"""A system of somebody else that chooses at several sites, in two directions."""

from __future__ import annotations

import numpy as np
import torch
from torch import nn

import ktviz as kt
from ktviz.trace.trace import Trace

SIDE = 32
SITES = {
    "coarse, there": (2, "A → B"),
    "coarse, back": (2, "B → A"),
    "fine, there": (4, "A → B"),
    "fine, back": (4, "B → A"),
    "vote": (8, None),
}
"""Rows and columns of queries, and direction, of every site."""
LAST = "vote"


class Sites(nn.ModuleDict):
    """Every site looks at the image and passes it on; the picture comes out turned."""

    def __init__(self) -> None:
        super().__init__({name: nn.Identity() for name in SITES})

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        for site in self.values():
            site(image)
        return image.flip(-1)


def several_sites(banks: int = 2, seed: int = 5) -> tuple[nn.Module, Trace]:
    """The system, to be kept alive, and a trace of it: each site takes sources of its bank by chance."""
    random = np.random.default_rng(seed)
    model = Sites()
    adapted = []
    for place, (name, (rows, _)) in enumerate(SITES.items()):
        number = place % banks
        catalogue = kt.Catalogue.wholes([f"{number}{letter}.png" for letter in "abc"], bank=f"bank/{number}")
        matches = kt.Matches.hard(
            torch.from_numpy(random.permuted(np.tile(np.arange(3), (rows**2, 1)), axis=1)),
            torch.from_numpy(np.sort(random.random((rows**2, 3)).astype(np.float32))[:, ::-1].copy()),
        )
        queries = kt.Queries.grid(rows, rows, step_px=SIDE // rows)
        adapted.append(kt.adapt(model[name], lambda inputs, output, m=matches: m, queries=queries, catalogue=catalogue))
    with kt.record(model, *adapted) as trace:
        model(torch.linspace(0, 1, SIDE).expand(1, 3, SIDE, SIDE))
    return model, with_directions(trace)


def with_directions(trace: Trace) -> Trace:
    """The same, with what the sites say of their direction."""
    sites = [{**site, "direction": SITES[site["name"]][1]} for site in trace.about["sites"]]
    return Trace(trace.table, {**trace.about, "sites": sites}, trace.pictures)
