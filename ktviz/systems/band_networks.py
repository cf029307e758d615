"""What a page needs to make pictures of bands itself: the networks, and how a site saw the features of the canvas."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ktviz.networks.portable import Portable

Floats = npt.NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class BandNetworks:
    """Networks that make a patch's features, and a picture of features.

    Attributes:
        encoder: Of pixels from 0 to 1.
        decoder: Of the features of a patch, 4x4 cells, to 16x16 px from 0 to 1.
        matrix: (C, C), and
        offset: (C,), by which a site changed the features of its canvas: f M + o; None where it did not.
        gain: How many times as strong details are shown,
        grey: around this level.
    """

    encoder: Portable
    decoder: Portable
    matrix: Floats | None
    offset: Floats | None
    gain: float
    grey: float
