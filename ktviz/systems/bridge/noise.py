"""The noise in a code of labels: drawn, given, or a row of the table that was trained with the networks."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from ktviz.errors import SettingError
from ktviz.networks.running import check_there
from ktviz.systems.bridge.settings import Settings
from ktviz.systems.bridge.trained import Networks
from ktviz.systems.draws import drawn

NO_ROW = -1


@dataclass(frozen=True, eq=False)
class Noise:
    """Noise, and where it is from.

    Attributes:
        numbers: (1, n).
        row: Of the table; -1 for none.
        origin: In words.
    """

    numbers: Tensor
    row: int
    origin: str

    @classmethod
    def of(cls, settings: Settings, networks: Networks) -> Noise:
        """That of a run.

        Raises:
            SettingError: More or fewer numbers than the networks take, or no such row.
            WeightsError: The row is on the device "meta".
        """
        size, rows = networks.shape.noise, len(networks.table)
        if settings.row is not None:
            if settings.row >= rows:
                found = f"the table has {rows:,} rows" if rows else "these networks have no table"
                raise SettingError(f"row {settings.row}", found, "Count from 0, or leave it out")
            check_there(networks)
            numbers = networks.table[settings.row : settings.row + 1].cpu().float()
            return cls(numbers, settings.row, f"noise row {settings.row}")
        if settings.noise is None:
            return cls(drawn(settings.seed, size)[None], NO_ROW, "drawn noise")
        if len(settings.noise) != size:
            raise SettingError(f"noise of {len(settings.noise)} numbers", f"the networks take {size}", "Give as many")
        return cls(torch.tensor([settings.noise]), NO_ROW, "given noise")
