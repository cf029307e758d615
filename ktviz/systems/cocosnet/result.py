"""What CoCosNet makes: a picture, the warped exemplar behind it, and what every cell took from where."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from ktviz.images import Pixels
from ktviz.labels import Classes, coloured
from ktviz.labels.maps import Map
from ktviz.systems.choice import Choice
from ktviz.systems.cocosnet.blockwise import Mixture
from ktviz.systems.cocosnet.exemplar import Exemplar
from ktviz.trace.overlap import Floats
from ktviz.trace.recorded import Recorded

LITTLE = 0.01
"""Cells of the exemplar that feed less, in cells of the output, count as unused."""


@dataclass(frozen=True, repr=False, eq=False)
class Synthesis(Recorded):
    """A picture, painted after a label map in the look of an exemplar. Where it was recorded, `trace` is its trace.

    Attributes:
        labels: (H, W) int64 as given.
        classes: Of the label maps.
        exemplar: Its pixels, its label map, and what is known of it.
        warped: (H, W, 3) uint8: the exemplar's cells, mixed for every cell of the label map.
        output: (H, W, 3) uint8: what the generator makes of that.
        mixture: What every cell took.
        choice: The ranking from which the exemplar was taken; None where it was given.
        settings: As used, as a trace states them.
    """

    labels: Map
    classes: Classes
    exemplar: Exemplar
    warped: Pixels
    output: Pixels
    mixture: Mixture = field(repr=False)
    choice: Choice | None
    settings: Mapping[str, Any]

    def __repr__(self) -> str:
        height, width = self.labels.shape
        return f"Synthesis({width}x{height} px, {len(np.unique(self.labels))} classes, after {self.exemplar.name})"

    def _repr_html_(self) -> str | None:
        """What a notebook shows."""
        from ktviz.figures.cards import run_card

        pictures = {
            "Label map": self.coloured,
            "Exemplar": self.exemplar.pixels,
            "Exemplar, warped": self.warped,
            "Output": self.output,
        }
        facts = [self.exemplar.name, f"temperature {self.settings['temperature']:g}"]
        facts += [f"the exemplar lacks {', '.join(self.absent)}"] * bool(self.absent)
        return run_card("Synthesis", facts, pictures)

    @property
    def coloured(self) -> Pixels:
        """(H, W, 3) uint8: the label map in the colours of its classes."""
        return coloured(self.labels, self.classes)

    @property
    def absent(self) -> tuple[str, ...]:
        """Classes of the label map that the exemplar lacks: their cells take what is most alike among others.

        None where the exemplar has no label map.
        """
        if self.exemplar.labels is None:
            return ()
        return tuple(self.classes.names[n] for n in np.setdiff1d(self.labels, self.exemplar.labels))

    @property
    def reuse(self) -> Floats:
        """(h, w) how many cells of the output each cell of the exemplar feeds: sums of its parts."""
        catalogue = self.exemplar.catalogue
        return self.mixture.fed.double().numpy().reshape(catalogue.rows, catalogue.columns)

    @property
    def entropy(self) -> Floats:
        """(h, w) how mixed each cell of the output is, in nats: 0 where one cell of the exemplar gives all."""
        rows = -(-self.labels.shape[0] // 4)
        return self.mixture.entropy.double().numpy().reshape(rows, -1)

    def most_reused(self, count: int = 10) -> pd.DataFrame:
        """The cells of the exemplar that feed most: entry, box (px of the exemplar), fed (cells of the output)."""
        fed = self.mixture.fed
        entries = fed.sort(descending=True, stable=True).indices[:count]
        boxes = self.exemplar.catalogue.boxes(entries).numpy()
        return pd.DataFrame({"entry": entries.numpy(), "box": list(boxes), "fed": fed[entries].numpy()})

    def measures(self) -> dict[str, float]:
        """In numbers: `entropy` (mean, nats), `left_over` (mean), `unused` (share of the exemplar's cells that feed
        less than a hundredth of a cell), `most_fed` (cells that one feeds at most), `absent` (share of the label map
        whose class the exemplar lacks)."""
        fed = self.mixture.fed
        lacking = np.isin(self.labels, [self.classes.number(name) for name in self.absent])
        return {
            "entropy": float(self.mixture.entropy.double().mean()),
            "left_over": float(self.mixture.left_over.double().mean()),
            "unused": float((fed < LITTLE).double().mean()),
            "most_fed": float(fed.max()),
            "absent": float(lacking.mean()),
        }
