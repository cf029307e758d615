"""A drawn patch as a query: a search for it, by the encoder that made the bank."""

from __future__ import annotations

import numpy as np
import torch

from ktviz.errors import LibraryError
from ktviz.images import Pixels, to_tensor
from ktviz.library.kinds.patches.features import FeatureExtractor
from ktviz.library.kinds.patches.grid import SIZE
from ktviz.library.kinds.patches.identity import identify, shipped_encoder
from ktviz.library.kinds.patches.union import BankUnion
from ktviz.networks.running import run

SIDE_PX = 16
"""Of a patch."""


def encoder_of(union: BankUnion) -> FeatureExtractor | None:
    """The encoder that made banks, if it is the one that comes with ktviz."""
    shipped = shipped_encoder()
    return shipped if identify(shipped).digest == union.encoder.digest else None


def patch_of(drawn: Pixels, encoder: FeatureExtractor | None) -> torch.Tensor:
    """A drawing (16, 16, 3) as a patch (1, C, 4, 4), as it is among mirror images of itself.

    Raises:
        LibraryError: Nobody has the encoder.
    """
    if encoder is None:
        todo = "Give the map encoder="
        raise LibraryError("search for a drawing", "the bank was made by another encoder than ktviz's own", todo)
    around = np.pad(drawn, ((SIDE_PX, SIDE_PX), (SIDE_PX, SIDE_PX), (0, 0)), mode="symmetric")
    with torch.no_grad():
        features = run(encoder, to_tensor(around))
    middle = slice(SIZE, 2 * SIZE)
    return features[:, :, middle, middle]
