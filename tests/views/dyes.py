"""A system of somebody else with continuous codes: a cloth is dyed with three numbers, taken from a shelf of dyes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import nn

import ktviz as kt
from ktviz.systems.plain import PlainSystem

SHELF = np.array([[200.0, 30, 30], [40, 180, 60], [30, 60, 210], [220, 200, 40], [210, 60, 50], [90, 90, 90]])
NAMES = ("madder", "weld", "woad", "saffron", "cochineal", "oak gall")
SIDE = 24


class Dyer(nn.Module, PlainSystem):
    """Dyes a cloth in a mixture; darkest at its left border."""

    name, baseline = "dyer", "the mean dye"
    abilities = frozenset({"rerun", "exclude", "space"})

    def __init__(self, shelf=SHELF):
        super().__init__()
        self.site, self.shelf = nn.Identity(), np.asarray(shelf, np.float64)

    def forward(self, mixture):
        self.site(torch.tensor([mixture]))
        return mixture

    def traced(self, mixture):
        """The trace of a run; `mixture` is the part of each dye."""

        def read(inputs, output):
            order = output.argsort(dim=1, descending=True, stable=True)
            weight = output.gather(1, order).float()
            return kt.Matches(order, weight, torch.zeros(1, dtype=torch.int64), weight)

        names = [f"shelf/dyes/{name}.png" for name in NAMES[: len(self.shelf)]]
        catalogue = kt.Catalogue.wholes(names, bank="shelf/dyes")
        site = kt.adapt(self.site, read, queries=kt.Queries.grid(1, 1, step_px=SIDE), catalogue=catalogue)
        with kt.record(self, site) as trace:
            self(list(mixture))
        return trace

    def digests(self):
        return {"shelf": str(self.shelf.tolist())}

    def pictures(self, inputs, output):
        return {"input": np.full((SIDE, SIDE, 3), 240, np.uint8), "output": dyed(output @ self.shelf)}

    def settings_of(self, inputs, output):
        return {"mixture": output}

    def rerun(self, trace, *, without=(), **settings):
        gone = [any(name in part for part in without) for name in NAMES[: len(self.shelf)]]
        left = np.where(gone, 0, trace.picture.settings["mixture"])
        return self.traced(left / left.sum())

    def space(self, trace):
        return Shelf(self.shelf, np.array(trace.picture.settings["mixture"]))


@dataclass(frozen=True)
class Shelf:
    """See `ktviz.systems.code_space.CodeSpace`."""

    codes: np.ndarray
    mixture: np.ndarray
    kind = "dye"
    origin = "it is a mixture"

    @property
    def used(self):
        return self.mixture @ self.codes

    @property
    def parts(self):
        return {entry: float(part) for entry, part in enumerate(self.mixture) if part}

    def picture(self, code):
        return dyed(code)

    def sources(self, entries):
        return [
            {"source": f"shelf/dyes/{NAMES[n % 6]}.png", "title": NAMES[n % 6], "creator": f"Dyer {n}"} for n in entries
        ]

    def thumbs(self, entries, side):
        found = [np.tile(self.codes[n].round().clip(0, 255), (side, side, 1)) for n in entries]
        return np.array(found, np.uint8).reshape(-1, side, side, 3)


def dyed(code):
    """A cloth in a dye."""
    fade = np.linspace(0.5, 1, SIDE)[None, :, None]
    return np.clip(np.rint(fade * np.asarray(code) * np.ones((SIDE, 1, 1))), 0, 255).astype(np.uint8)
