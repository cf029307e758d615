"""How much of an output each source painted, straight from a translation that was not recorded.

Whatever has a translation has torch; without it this module says what to ask instead, so torch is imported late.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from ktviz.errors import TraceError
from ktviz.regions import Region, region_mask
from ktviz.systems.kt.translation import Translation
from ktviz.trace.overlap import Floats, overlap
from ktviz.trace.shares import share_table


def query_overlap(translation: Translation, region: Region = None) -> Floats:
    """The part of a region of the output that each query covers: (N,) float64 summing to 1."""
    from ktviz.library.kinds.patches.features import STRIDE
    from ktviz.library.kinds.patches.grid import SIZE

    corner = translation.grid.corners().numpy()[:, ::-1]
    boxes = STRIDE * np.concatenate((corner, np.full_like(corner, SIZE)), axis=1).astype(np.float32)
    return overlap(boxes, region_mask(region, *translation.image.shape[:2]))


def source_shares(translation: Translation) -> pd.DataFrame:
    """Share of each source in an output, largest first; shares sum to 1.

    A feature cell is the mean of the patches that cover it, so its credit goes in equal parts to their winners
    (overlap, before any decoder). The same as `trace.sources()`.

    Returns:
        One row per source of the searched banks, also those that painted nothing (of more than 1,024, those among the
        candidates): source, share, retrievals (winners),
        similarity (mean of the winners), bank, title, creator, year, licence, url, sha256.

    Raises:
        TraceError: Anything but a translation of the system "kt".

    Example:
        >>> shares = kt.source_shares(world.translator(photo))
        >>> round(float(shares["share"].sum()), 6)
        1.0
    """
    if not isinstance(translation, Translation):
        found = f"a {type(translation).__name__}"
        raise TraceError("shares of a translation that was not recorded", found, "Ask a trace: trace.sources()")
    from ktviz.trace.listed import listed_numbers

    banks, matches = translation.banks, translation.matches
    source, count = banks.source_of(matches.winner).numpy(), len(banks.sources)
    share = np.bincount(source, query_overlap(translation), count)
    retrievals = np.bincount(source, minlength=count)
    total = np.bincount(source, matches.winner_similarity.numpy(), count)
    described = banks.describe_sources()
    listed = listed_numbers(described, banks.source_of(matches.entry.clamp(min=0)).flatten().numpy())
    columns = (column[listed].tolist() for column in (share, retrievals, total))
    return share_table([described[number] for number in listed.tolist()], *columns)
