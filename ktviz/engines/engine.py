"""What an engine is, and the one that needs nothing: threads of this process."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice
from typing import TypeVar

import torch
from tqdm.auto import tqdm

from ktviz.errors import SettingError
from ktviz.networks.threads import one_thread
from ktviz.values import short

A = TypeVar("A")
B = TypeVar("B")

WORKERS = 4
"""Things worked on at a time by the threads of one process, at most."""
AHEAD = 4
"""Things that wait for each thread that works: of millions, few are on their way."""


class Engine(ABC):
    """What does the same work for each of many things, each on one thread: what comes out does not depend on which.

    Attributes:
        shards: URL of the folder where finished work lies until the writer takes it; None for the writer's own.
    """

    shards: str | None = None

    @abstractmethod
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
            work: Is done for each; it and the things may travel to other machines.
            things: Any number.
            what: Is done, for the progress bar: "preparing sources".
            quiet: No progress bar.
            named: What an error calls a thing.

        Example:
            >>> sorted(THREADS.each(len, ["a", "bcd"], "measuring", quiet=True))
            [(0, 1), (1, 3)]
        """

    def map(
        self,
        work: Callable[[A], B],
        things: Sequence[A],
        what: str,
        quiet: bool,
        named: Callable[[A], str] = str,
    ) -> list[B]:
        """What came of each, in the order of the things; arguments as in `each`.

        Example:
            >>> THREADS.map(len, ["a", "bcd"], "measuring", quiet=True)
            [1, 3]
        """
        found = dict(self.each(work, things, what, quiet, named))
        return [found[number] for number in range(len(things))]


class Threads(Engine):
    """Threads of this process."""

    def each(
        self,
        work: Callable[[A], B],
        things: Sequence[A],
        what: str,
        quiet: bool,
        named: Callable[[A], str] = str,
    ) -> Iterator[tuple[int, B]]:
        """As in `Engine.each`, in the order of the things."""
        workers = max(1, min(torch.get_num_threads(), WORKERS, len(things)))
        waiting: deque[Future[B]] = deque()
        left = iter(things)
        bar = tqdm(range(len(things)), desc=what, unit="image", disable=quiet)
        with one_thread(), ThreadPoolExecutor(workers, initializer=torch.set_num_threads, initargs=(1,)) as pool:
            try:
                for number in bar:
                    waiting.extend(pool.submit(work, thing) for thing in islice(left, AHEAD * workers - len(waiting)))
                    yield number, waiting.popleft().result()
            finally:
                for future in waiting:
                    future.cancel()


THREADS = Threads()


def check_engine(engine: object) -> None:
    """Raise SettingError for what is no engine."""
    if not isinstance(engine, Engine):
        raise SettingError(f"engine {short(engine)}", "not an engine", "Give a kt.Cluster, or leave it out")
