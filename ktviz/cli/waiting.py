"""How threads wait for each other: asleep, so that a command takes no cores from what runs beside it.

OpenMP's threads spin while they wait for the next part of some work. Beside other programs they spin on cores that
these need, and that the work itself waits for: a translation takes several times as long (`docs/threads.md`).
"""

from __future__ import annotations

import os

SLEEP = ("OMP_WAIT_POLICY", "PASSIVE")
CHOICES = (SLEEP[0], "GOMP_SPINCOUNT", "KMP_BLOCKTIME")
"""Variables by which a person chooses."""


def sleep_while_waiting() -> None:
    """Let threads sleep while they wait, unless somebody has chosen; only before PyTorch is imported."""
    if not any(choice in os.environ for choice in CHOICES):
        os.environ.update([SLEEP])
