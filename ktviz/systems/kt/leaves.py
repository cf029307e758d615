"""The leaves of the cluster trees from which the candidates of a trace come."""

from __future__ import annotations

import numpy as np
import torch

from ktviz.systems.kt.live import Live
from ktviz.systems.protocol import Leaves


def leaves(case: Live) -> Leaves:
    """See `ktviz.systems.protocol.Leaves`."""
    entry = torch.from_numpy(case.trace.column("entry", winners=False).astype(np.int64))
    banks = case.banks
    bank = torch.searchsorted(banks.entry_offset, entry, right=True) - 1
    path = banks.paths(entry)
    keys, number = torch.unique(torch.cat((bank[:, None], path), 1), dim=0, return_inverse=True)
    rows, without = [], []
    for first, *nodes in keys.tolist():
        nodes = [node for node in nodes if node >= 0] or [0]
        tree, offset = banks.banks[first].tree, int(banks.entry_offset[first])
        start, end = int(tree.start[nodes[-1]]), int(tree.end[nodes[-1]])
        name = f"{banks.names[first]}#{'/'.join(map(str, nodes))}"
        rows.append({"node": name, "bank": banks.names[first], "leaf": nodes[-1], "entries": end - start})
        without.append(tuple(range(offset + start, offset + end)))
    return Leaves(rows, number.numpy(), without)
