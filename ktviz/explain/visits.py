"""Visits: how often the winners' ways down a cluster tree pass each of its nodes."""

from __future__ import annotations

import numpy as np

from ktviz.errors import AbilityError, unknown_name
from ktviz.systems.descents import Numbers
from ktviz.trace.trace import Trace

PATH = ".path"
"""How the column of a system with the ability `tree` ends: nodes from below the root to the winner's leaf."""


def visits(trace: Trace, bank_name: str, nodes: int) -> Numbers:
    """How often the winners' paths of a translation pass each node of a bank's tree; winners of other banks apart.

    Args:
        trace: Of a translation.
        bank_name: "task/style".
        nodes: Nodes of the bank's tree.

    Returns:
        (nodes,) counts; the root's is the number of winners from this bank.

    Raises:
        UnknownNameError: The trace was not made with this bank.
        AbilityError: Of a system that searches no tree.
    """
    if bank_name not in trace.about["banks"]:
        raise unknown_name("bank", bank_name, trace.about["banks"])
    column = next((name for name in trace.table.column_names if name.endswith(PATH)), None)
    if column is None:
        raise AbilityError(f"visits of the tree of {bank_name}", "the trace has no paths", "Ask what it can answer")
    paths = trace.column(column)[trace.column("bank") == bank_name]
    counts = np.bincount(np.concatenate([np.empty(0, dtype=np.int64), *paths]), minlength=nodes)
    counts[0] = len(paths)
    return counts
