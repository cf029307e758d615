"""What a command makes of its process: threads that sleep while they wait, and little looking for what is unused.

OpenMP's threads spin while they wait for the next part of some work. Beside other programs they spin on cores that
these need, and that the work itself waits for: a translation takes several times as long (`docs/threads.md`).

Python looks through all objects again and again for circles that nobody uses. Libraries make millions that stay, and
when the process ends all go, so that looking is a third of the time of a short command.
"""

from __future__ import annotations

import atexit
import gc
import os

SLEEP = ("OMP_WAIT_POLICY", "PASSIVE")
CHOICES = (SLEEP[0], "GOMP_SPINCOUNT", "KMP_BLOCKTIME")
"""Variables by which a person chooses."""
NEW_OBJECTS = 10_000
"""After which Python looks again, where it would after 700."""


def prepare() -> None:
    """Let threads sleep while they wait, unless somebody has chosen, and Python look less often, and not at the end.

    Only before PyTorch is imported.
    """
    if not any(choice in os.environ for choice in CHOICES):
        os.environ.update([SLEEP])
    gc.set_threshold(NEW_OBJECTS, *gc.get_threshold()[1:])
    atexit.register(gc.freeze)
