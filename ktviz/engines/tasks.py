"""What a worker of a cluster does: it unpacks the work once, and does it for one thing after the other."""

from __future__ import annotations

import ctypes
import hashlib
import signal
import socket
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import cloudpickle
import torch
from distributed import Worker, WorkerPlugin, get_worker

from ktviz.engines.turn import Turn
from ktviz.engines.versions import SAME, first_difference, versions
from ktviz.errors import ClusterError, KtvizError, StorageError
from ktviz.files import remedy
from ktviz.networks.threads import one_thread

M_TRIM_THRESHOLD, M_MMAP_THRESHOLD = -1, -3
"""Of malloc.h; the sizes are what glibc comes to by itself where large pieces are freed again and again."""

_turn = Turn()
_unpacked: dict[str, Any] = {}
"""The latest work of this process, by its digest."""


@dataclass(frozen=True)
class Packed:
    """Work on its way to workers, which keep it as it is: it is sent to each once.

    Attributes:
        data: The work.
        digest: Of it.
        versions: With which it was packed.
        seed: Of the process that packed it; traces tell it.
    """

    data: bytes
    digest: str
    versions: Mapping[str, str]
    seed: int

    @classmethod
    def of(cls, work: object) -> Packed:
        """Some work, packed."""
        data = cloudpickle.dumps(work)
        return cls(data, hashlib.sha256(data).hexdigest(), versions(), torch.initial_seed())


@dataclass(frozen=True)
class Done:
    """What came of one thing: a value, or an error that is to be raised where the work was asked for."""

    value: Any = None
    error: KtvizError | None = None


def kept(packed: Packed) -> Packed:
    """Work as a result of its own: a worker that needs it fetches it once, and it is made again if it is lost."""
    return packed


def done(packed: Packed, thing: Any, asked: str) -> Done:
    """Do some work for a thing, on one thread; `asked` is what an error says was asked."""
    try:
        work = unpacked(packed)
        with one_thread():
            return Done(work(thing))
    except KtvizError as error:
        return Done(error=type(error)(error.asked, f"{error.found}, on {this_worker()}", error.todo))
    except OSError as error:
        reason = f"{error.strerror or error}, on {this_worker()}"
        return Done(error=StorageError(asked, reason, remedy(error)))


def unpacked(packed: Packed) -> Callable[[Any], Any]:
    """Some work, unpacked once in this process.

    Raises:
        ClusterError: It was packed with other versions, or needs what is not installed here.
    """
    with _turn:
        if packed.digest not in _unpacked:
            if difference := first_difference(packed.versions, versions()):
                raise ClusterError("work on a cluster", difference, SAME)
            _unpacked.clear()
            torch.manual_seed(packed.seed)
            keep_memory()
            try:
                _unpacked[packed.digest] = cloudpickle.loads(packed.data)
            except (ImportError, AttributeError) as error:
                todo = "Install there what the encoder, or whatever you gave, is made of"
                raise ClusterError("unpack the work", str(error), todo) from None
        work: Callable[[Any], Any] = _unpacked[packed.digest]
        return work


def keep_memory() -> None:
    """Let this process use memory again that it has freed, as any other does.

    dask makes its workers give it back at once (`MALLOC_TRIM_THRESHOLD_`), and asking for it anew, page by page, takes
    several times as long as encoding and de-duplicating.
    """
    with suppress(OSError, AttributeError):  # elsewhere than with the GNU C library there is no such thing
        mallopt = ctypes.CDLL(None).mallopt
        for limit, size in (M_MMAP_THRESHOLD, 32 << 20), (M_TRIM_THRESHOLD, 64 << 20):
            mallopt(limit, size)


class Undisturbed(WorkerPlugin):
    """A worker that Ctrl-C does not reach: whoever started it is told, and ends it."""

    def setup(self, worker: Worker) -> None:
        """Leave Ctrl-C alone."""
        signal.signal(signal.SIGINT, signal.SIG_IGN)


def this_worker() -> str:
    """The worker that this is, as an error names it."""
    return f"worker {get_worker().address} ({socket.gethostname()})"
