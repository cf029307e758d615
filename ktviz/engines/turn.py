"""What threads of one process share, and what is another's in another process."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Condition, Lock
from types import TracebackType


class Turn:
    """A lock: one thread at a time. In another process it is another one."""

    def __init__(self) -> None:
        self._lock = Lock()

    def __enter__(self) -> None:
        self._lock.acquire()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._lock.release()

    def __reduce__(self) -> tuple[type[Turn], tuple[()]]:
        return Turn, ()


class Room:
    """Room for so many pieces in memory, shared by threads. In another process it is another one."""

    def __init__(self, pieces: int) -> None:
        self.pieces = pieces
        self.used = 0
        self.changed = Condition()

    def __reduce__(self) -> tuple[type[Room], tuple[int]]:
        return Room, (self.pieces,)

    @contextmanager
    def taken(self, pieces: int) -> Iterator[None]:
        """Wait until there is room, or nobody else."""
        with self.changed:
            self.changed.wait_for(lambda: self.used == 0 or self.used + pieces <= self.pieces)
            self.used += pieces
        try:
            yield
        finally:
            with self.changed:
                self.used -= pieces
                self.changed.notify_all()
