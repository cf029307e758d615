"""Functions as machine code.

Numba compiles them at first use, some seconds on a new machine, and keeps what it made beside their files, or in the
user's cache. It compiles again what has changed; of functions that call others from another file it does not notice
that those have changed: save the callers, too.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from numba import njit

Function = TypeVar("Function", bound=Callable[..., Any])


def compiled(**options: Any) -> Callable[[Function], Function]:
    """Compile a function that leaves Python's lock alone; where nothing can be kept, again in every process.

    Args:
        **options: As of `numba.njit`.
    """

    def compile_it(function: Function) -> Function:
        try:
            found: Function = njit(nogil=True, cache=True, **options)(function)
        except RuntimeError:  # neither folder can be written
            found = njit(nogil=True, **options)(function)
        return found

    return compile_it
