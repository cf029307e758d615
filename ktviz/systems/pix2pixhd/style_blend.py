"""Looks scaled between the mean code of their class and the centre that was taken: the whole picture follows."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from ktviz.labels.maps import Map
from ktviz.regions import Box
from ktviz.systems.pix2pixhd.trained import Networks
from ktviz.systems.protocol import Ints


@dataclass(frozen=True)
class StyleBlend:
    """See `ktviz.systems.protocol.Blend`.

    Attributes:
        networks: That paint.
        instances: (H, W), the number of an object at every pixel.
        whole: (n, C) codes of the objects, by number.
        mean: (n, C) mean codes of their classes.
        asking: (retrievals,) place among the objects of each retrieval; an object without one has no code.
        within: The part that is shown.
    """

    networks: Networks
    instances: Map
    whole: Tensor
    mean: Tensor
    asking: Ints
    within: Box

    @property
    def retrievals(self) -> Ints:
        """All of them: instance norm carries a change everywhere."""
        return np.arange(len(self.asking))

    def __call__(self, amount: Tensor, /) -> Tensor:
        """The part (3, h, w) for amounts (n,)."""
        parts = torch.zeros(len(self.whole), 1).index_copy(0, torch.from_numpy(self.asking), amount.float()[:, None])
        painted = self.networks.paint(self.instances, parts * self.whole + (1 - parts) * self.mean)
        rows, columns = self.within.pixels
        return painted[:, rows, columns]
