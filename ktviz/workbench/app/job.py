"""Work in the background of a kernel, with its progress, and a way to stop it.

Networks tell how far they are: before each of their modules runs, PyTorch calls us. That counts a step, and is where
a run that is to stop does so.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from threading import Event, Thread, current_thread, main_thread
from typing import Any

from torch.nn.modules.module import register_module_forward_pre_hook

MOST_SHOWN = 0.97
"""Of the steps that were expected, before the end is known."""


class Stopped(Exception):
    """The work was stopped by whoever began it."""


class Job:
    """Some work in a thread of its own.

    Args:
        work: What is done; its value, or its error, is what comes of it.
        told: Called in that thread with the number of steps so far.
        ended: Called in that thread at the end, with what came of it: a value, or an exception, `Stopped` among them.
        shared: Whether the work is shared out to other threads, whose steps count, too.
    """

    def __init__(
        self,
        work: Callable[[], Any],
        told: Callable[[int], None],
        ended: Callable[[Any], None],
        *,
        shared: bool = False,
    ) -> None:
        self.work, self.told, self.ended, self.shared = work, told, ended, shared
        self.steps = 0
        self._stop = Event()
        self.thread = Thread(target=self._run, name="ktviz workbench", daemon=True)

    def start(self) -> None:
        """Begin."""
        self.thread.start()

    def stop(self) -> None:
        """End it before its next step."""
        self._stop.set()

    def wait(self, seconds: float | None = None) -> None:
        """Until it has ended."""
        self.thread.join(seconds)

    def check(self) -> None:
        """Raise Stopped if it is to end."""
        if self._stop.is_set():
            raise Stopped

    def _run(self) -> None:
        try:
            with counted_steps(self._step):
                found = self.work()
                self.check()
        except BaseException as error:  # whatever it is, it is told beside the controls
            found = Stopped() if self._stop.is_set() else error
        self.ended(found)

    def _step(self) -> None:
        here = current_thread()
        if here is not self.thread and (not self.shared or here is main_thread() or here.name == self.thread.name):
            return  # somebody else's network
        self.check()
        self.steps += 1
        self.told(self.steps)


@contextlib.contextmanager
def counted_steps(step: Callable[[], None]) -> Iterator[None]:
    """Call something before each module of a network, wherever it runs."""
    handle = register_module_forward_pre_hook(lambda module, inputs: step())
    try:
        yield
    finally:
        handle.remove()


def part(steps: int, expected: int) -> float:
    """How much of some work is done, of as many steps as it took the last time."""
    return min(steps / max(1, expected), MOST_SHOWN)
