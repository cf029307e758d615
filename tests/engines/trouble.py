"""What happens to workers, on purpose. It travels to them, as hooks of an encoder or as work of its own."""

from __future__ import annotations

import os
import signal
import time
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

from distributed import get_worker


@dataclass(frozen=True)
class Counted:
    """Leaves a file in a folder each time, so that calls in all processes can be counted."""

    folder: Path

    def __call__(self, *_):
        (self.folder / uuid4().hex).touch()


@dataclass(frozen=True)
class Killed:
    """Kills its process: once, or always where there is no flag."""

    flag: Path | None = None

    def __call__(self, *_):
        if self.flag is None or not self.flag.exists():
            if self.flag is not None:
                self.flag.touch()
            os.kill(os.getpid(), signal.SIGKILL)


@dataclass(frozen=True)
class Slow:
    """Takes its time on one worker."""

    address: str
    seconds: float = 0.4

    def __call__(self, *_):
        if get_worker().address == self.address:
            time.sleep(self.seconds)


class Where(Slow):
    """Says where it was done, too."""

    def __call__(self, *_):
        super().__call__()
        return get_worker().address


@dataclass(frozen=True)
class Stuck:
    """Raises a flag and goes no further, from the time that so many things are finished."""

    flag: Path
    finished: Path
    least: int

    def __call__(self, *_):
        if len([*self.finished.glob("*/*.json")]) >= self.least:
            self.flag.touch()
            time.sleep(120)


@dataclass(frozen=True)
class Raising:
    """Raises an error."""

    error: Exception

    def __call__(self, *_):
        raise self.error
