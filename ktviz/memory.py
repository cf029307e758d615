"""Memory: sizes as people write them, and what this process holds."""

from __future__ import annotations

import ctypes
import re
import sys
from collections.abc import Callable
from pathlib import Path

from ktviz.errors import SettingError

UNITS = {"": 1, "B": 1, "KB": 1e3, "MB": 1e6, "GB": 1e9}
STATUS = Path("/proc/self/status")
FORGET = Path("/proc/self/clear_refs")
"""Where 5 sets the most that the process held to what it holds."""
UNKNOWN = 600_000_000
"""What a process with torch holds about, where the system does not say."""


def as_bytes(memory: str | int) -> int:
    """A size such as "256 MB" in bytes.

    Raises:
        SettingError: Not a positive size.
    """
    match = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*([KMG]?B?)\s*", str(memory), re.IGNORECASE)
    unit = match.group(2).upper() if match else ""
    size = float(match.group(1)) * UNITS[unit if unit in UNITS else f"{unit}B"] if match else 0
    if size < 1:
        raise SettingError(f"memory {memory!r}", "not a size", 'Give bytes, or for example "256 MB"')
    return int(size)


def as_text(size: int) -> str:
    """A size in bytes as people read it: "1.5 GB"."""
    value = float(size)
    for unit in ("B", "KB", "MB", "GB"):
        if value < 1000 or unit == "GB":
            break
        value /= 1000
    return f"{value:.0f} {unit}" if unit == "B" else f"{value:.1f} {unit}"


def held() -> int:
    """What this process holds now, in bytes; on macOS the most that it ever held."""
    if STATUS.exists():
        return 1024 * int(STATUS.read_text(encoding="utf-8").split("VmRSS:")[1].split()[0])
    if sys.platform == "win32":
        return UNKNOWN
    import resource  # not on Windows

    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most if sys.platform == "darwin" else 1024 * most


def most_held() -> int | None:
    """The most that this process held, in bytes; None where the system does not say: Linux does.

    `getrusage` would count what the parent held when it started us.
    """
    return 1024 * int(STATUS.read_text(encoding="utf-8").split("VmHWM:")[1].split()[0]) if STATUS.exists() else None


def taken_by(work: Callable[[], object]) -> int | None:
    """Do some work, and say what it took at most beyond what the process held before, in bytes; None as above."""
    release()
    try:
        FORGET.write_text("5", encoding="ascii")
    except OSError:
        work()
        return None
    before = held()
    work()
    most = most_held()
    return None if most is None else max(0, most - before)


def release() -> None:
    """Give freed memory back to the system, where the C library (glibc) keeps it: it would add up, strip by strip."""
    if sys.platform == "linux" and hasattr(ctypes.CDLL(None), "malloc_trim"):
        ctypes.CDLL(None).malloc_trim(0)
