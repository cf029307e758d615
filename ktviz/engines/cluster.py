"""A cluster of dask as an engine: many processes, on one machine or many."""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from concurrent.futures import CancelledError
from contextlib import suppress
from itertools import islice
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self, TypeVar
from uuid import uuid4

from tqdm.auto import tqdm

from ktviz.engines.engine import AHEAD, Engine
from ktviz.engines.urls import check_reached, whole
from ktviz.engines.versions import SAME, first_difference, versions
from ktviz.errors import ClusterError, KtvizError
from ktviz.printing import counted

if TYPE_CHECKING:
    from distributed import Client, Future, LocalCluster

A = TypeVar("A")
B = TypeVar("B")

ANSWER = 10.0
"""Seconds in which a scheduler answers."""
PATIENCE = 60.0
"""Seconds that are waited for a worker where there is none."""
GLANCE = 5.0
"""Seconds after which it is looked again how many workers there are."""
GO_ON = "run the same command again: what a build has finished is used"


class Cluster(Engine):
    """Workers of dask.

    Args:
        address: Of their scheduler, as `dask scheduler` says it; a cluster of this machine's cores, for as long as this
            object is open, if None.
        shards: Folder where finished work lies until the writer takes it: "s3://bucket/folder", a path, or any other
            URL that fsspec knows and all workers reach. None: the library's own.

    Raises:
        ClusterError: dask is not installed, nobody answers, no worker comes, or one has other versions than this
            process.
        StorageError: The URL of shards cannot be reached.

    Example:
        >>> with kt.Cluster("tcp://10.0.0.1:8786") as cluster:  # doctest: +SKIP
        ...     library.build("art/impasto", "/data/paintings", engine=cluster)
    """

    def __init__(self, address: str | None = None, *, shards: str | None = None) -> None:
        try:
            from distributed import Client, LocalCluster

            from ktviz.engines.tasks import Undisturbed
        except ImportError:
            raise ClusterError("a cluster", "dask is not installed", "Install it: pip install 'ktviz[dask]'") from None
        logging.getLogger("distributed.client").setLevel(logging.CRITICAL)  # a scheduler that goes is an error of ours
        if shards is not None:
            check_reached(shards)
        self.shards = None if shards is None else whole(shards)
        self._local: LocalCluster | None = None
        if address is None:
            self._local = LocalCluster(
                threads_per_worker=1,
                memory_limit=0,
                dashboard_address="127.0.0.1:0",
                silence_logs=logging.ERROR,  # what it says of ending workers in the middle of their work
            )
            address = self._local.scheduler_address
        self.address = address
        try:
            self._client: Client = Client(address, timeout=ANSWER, set_as_default=False)
        except (OSError, ValueError) as error:
            if self._local is not None:
                self._local.close()
            found = f"nobody answers ({error})"
            todo = "Start one, `dask scheduler`, and name the address that it says"
            raise ClusterError(f"the scheduler at {address}", found, todo) from None
        try:
            self._check_workers()
            if self._local is not None:
                self._client.register_plugin(Undisturbed())
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"Cluster({self.address!r}, {self.workers})"

    @property
    def workers(self) -> str:
        """How many there are now, in words."""
        return counted(len(self._client.nthreads()), "worker")

    @property
    def dashboard(self) -> str:
        """Where a browser sees what the workers do."""
        return str(self._client.dashboard_link)

    def close(self) -> None:
        """Leave the cluster; one that was started here ends."""
        with suppress(OSError, CancelledError):
            self._client.close()
        if self._local is not None:
            self._local.close()

    def each(
        self,
        work: Callable[[A], B],
        things: Sequence[A],
        what: str,
        quiet: bool,
        named: Callable[[A], str] = str,
    ) -> Iterator[tuple[int, B]]:
        """Number of each thing and what came of it, as they are done.

        Args:
            work: Is done for each; it and the things travel to the workers.
            things: Any number.
            what: Is done, for the progress bar: "preparing sources".
            quiet: No progress bar.
            named: What an error calls a thing.

        Raises:
            ClusterError: The scheduler has gone, no worker is left, or several died of one thing.
            KtvizError: Whatever the work raises, which names the worker then.
        """
        from ktviz.engines import tasks

        if not things:
            return
        bar = tqdm(desc=what, unit="image", total=len(things), disable=quiet)
        run, numbers = f"{re.sub(r'[^a-z]+', '-', what)}-{uuid4().hex}", iter(range(len(things)))
        running: dict[Future[Any], tuple[int, str]] = {}
        finished = 0
        with bar:
            try:
                packed = self._sent(work)
                while True:
                    for number in islice(numbers, max(0, self._room(bar) - len(running))):
                        thing = things[number]
                        asked = f"{what}: {named(thing)}"
                        future = self._client.submit(tasks.done, packed, thing, asked, key=(run, number))
                        running[future] = number, asked
                    if not running:
                        return
                    for future in self._ready(running, bar):
                        number, asked = running[future]
                        try:
                            found = self._result(future, asked)
                        except TimeoutError:  # it went with its worker, and is done again if there is another one
                            continue
                        del running[future]
                        finished += 1
                        bar.update()
                        yield number, found
            except KtvizError:
                raise
            except (CancelledError, OSError):
                found = f"it has gone while {what}, after {finished:,} of {len(things):,}"
                todo = f"Start it again, and {GO_ON}"
                raise ClusterError(f"the scheduler at {self.address}", found, todo) from None
            finally:
                if self._client.status == "running":
                    with suppress(CancelledError, OSError):
                        self._client.cancel([*running])

    def _sent(self, work: object) -> Future[Any]:
        """Work where workers can fetch it."""
        import dask

        from ktviz.engines.tasks import Packed, kept

        with dask.config.set({"distributed.admin.large-graph-warning-threshold": "1GB"}):  # an encoder may be large
            return self._client.submit(kept, Packed.of(work), key=f"work-{uuid4().hex}")

    def _room(self, bar: tqdm[Any]) -> int:
        """Things that may be on their way at a time; the bar says how many workers there are."""
        threads: Mapping[str, int] = self._client.nthreads()
        bar.set_postfix_str(counted(len(threads), "worker"), refresh=False)
        return AHEAD * max(1, sum(threads.values()))

    def _ready(self, running: Collection[Future[Any]], bar: tqdm[Any]) -> list[Future[Any]]:
        """Those that are done by now, or after a while."""
        from distributed import wait

        seen = time.monotonic()
        while True:
            try:
                with self._client.as_current():
                    return list(wait([*running], timeout=GLANCE, return_when="FIRST_COMPLETED").done)
            except TimeoutError:
                if self._client.nthreads():
                    seen = time.monotonic()
                    continue
                bar.set_postfix_str("no worker, waiting for one")
                if time.monotonic() - seen > PATIENCE:
                    found = f"no worker is left, for {PATIENCE:.0f} seconds"
                    raise ClusterError(f"the cluster at {self.address}", found, f"Start workers, and {GO_ON}") from None

    def _result(self, future: Future[Any], asked: str) -> Any:
        from distributed import KilledWorker

        try:
            done = future.result(timeout=PATIENCE)
        except KilledWorker as error:
            died = counted(error.allowed_failures + 1, "worker")
            found = f"{died} died that were to do it, the last one {error.last_worker.address}"
            todo = "Read what that worker said; leave the file out, or give workers more memory"
            raise ClusterError(asked, found, todo) from None
        if done.error is not None:
            raise done.error
        return done.value

    def _check_workers(self) -> None:
        """Raise ClusterError unless there are workers, all of this process's versions."""
        asked = f"the cluster at {self.address}"
        try:
            self._client.wait_for_workers(1, timeout=PATIENCE)
        except TimeoutError:
            todo = f"Start some: `dask worker {self.address} --nthreads 1 --nworkers auto`"
            raise ClusterError(asked, "it has no workers", todo) from None
        here = versions()
        for worker, there in self._client.run(versions, on_error="return").items():
            if isinstance(there, Exception):
                found, todo = f"worker {worker} cannot answer ({there})", "Install ktviz there, in the same version"
                raise ClusterError(asked, found, todo)
            if difference := first_difference(here, there):
                raise ClusterError(asked, f"worker {worker} has {difference}", SAME)
