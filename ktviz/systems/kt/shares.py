"""How much of an output each source painted, straight from a translation that was not recorded."""

from __future__ import annotations

import pandas as pd
import torch
from torch import Tensor

from ktviz.errors import TraceError
from ktviz.library.kinds.patches.features import STRIDE
from ktviz.library.kinds.patches.grid import SIZE
from ktviz.regions import Region, region_mask
from ktviz.systems.kt.translation import Translation
from ktviz.trace.listed import listed_numbers
from ktviz.trace.overlap import overlap
from ktviz.trace.shares import share_table


def query_overlap(translation: Translation, region: Region = None) -> Tensor:
    """The part of a region of the output that each query covers: (N,) float64 summing to 1."""
    corner = translation.grid.corners().flip(1)
    boxes = STRIDE * torch.cat((corner, torch.full_like(corner, SIZE)), dim=1).float()
    return torch.from_numpy(overlap(boxes.numpy(), region_mask(region, *translation.image.shape[:2])))


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
    banks, matches = translation.banks, translation.matches
    source, count = banks.source_of(matches.winner), len(banks.sources)
    share = torch.zeros(count, dtype=torch.float64).index_add_(0, source, query_overlap(translation))
    retrievals = source.bincount(minlength=count)
    total = torch.zeros(count).index_add_(0, source, matches.winner_similarity)
    described = banks.describe_sources()
    listed = listed_numbers(described, banks.source_of(matches.entry.clamp(min=0)).flatten().numpy())
    numbers = torch.from_numpy(listed)
    columns = (column[numbers].tolist() for column in (share, retrievals, total))
    return share_table([described[number] for number in listed.tolist()], *columns)
