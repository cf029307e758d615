"""How much of an output each source painted."""

from __future__ import annotations

import pandas as pd
import torch
from torch import Tensor

from ktviz.model.encoder import STRIDE
from ktviz.model.translator import Translation


def query_weights(translation: Translation) -> Tensor:
    """Footprint of each query: its part of the visible output by overlap-add, (N,) summing to 1."""
    height, width = translation.image.shape[:2]
    return translation.grid.footprint(height / STRIDE, width / STRIDE)


def source_shares(translation: Translation) -> pd.DataFrame:
    """Share of each source in an output, largest first; shares sum to 1.

    A feature cell is the mean of the patches that cover it, so its credit goes in equal parts to their winners
    (method: footprint).

    Returns:
        One row per source of the searched banks, also those that painted nothing: source, share, patches (winners),
        similarity (mean of the winners), bank, title, creator, year, licence, url, sha256.
    """
    banks, matches = translation.banks, translation.matches
    source, _, _ = banks.locate(matches.winner)
    count = len(banks.sources)
    share = torch.zeros(count, dtype=torch.float64).index_add_(0, source, query_weights(translation).double())
    patches = source.bincount(minlength=count)
    total = torch.zeros(count).index_add_(0, source, matches.winner_similarity)
    rows = [
        {
            "source": banks.source_names[n],
            "share": float(share[n]),
            "patches": int(patches[n]),
            "similarity": float(total[n] / patches[n]) if patches[n] else float("nan"),
            "bank": banks.bank_of_source(n)[0].name,
            "title": credit.title,
            "creator": credit.creator,
            "year": credit.year,
            "licence": credit.licence,
            "url": credit.url,
            "sha256": banks.sources[n].sha256,
        }
        for n, credit in enumerate(s.credit for s in banks.sources)
    ]
    return pd.DataFrame(rows).sort_values(["share", "source"], ascending=[False, True], ignore_index=True)
