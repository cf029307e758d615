"""Standard streams that are closed, full or read no further: what a command does does not hang on who listens."""

from __future__ import annotations

import io
import os
import sys
from typing import TYPE_CHECKING, Any, TextIO

from ktviz.errors import StorageError
from ktviz.files import remedy
from ktviz.printing import SAFE

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer


class Outlet(io.RawIOBase):
    """Bytes on their way out of the process. From the first that cannot be written, all are dropped.

    Args:
        stream: Where they go; what it holds back is written before.
        needed: Whether more is lost than words; if so, a disk that refuses is an error, once. A reader that stops, as
            `head` does, never is.
    """

    def __init__(self, stream: io.TextIOWrapper, needed: bool) -> None:
        stream.flush()
        self.stream, self.needed, self.shut = stream, needed, False
        # What Python's own buffer could not write, it would try again when the process ends.
        self.target: Any = getattr(stream.buffer, "raw", stream.buffer)

    def writable(self) -> bool:
        return True

    def isatty(self) -> bool:
        return self.stream.isatty()

    def fileno(self) -> int:
        return self.stream.fileno()

    def write(self, data: ReadableBuffer) -> int | None:
        if not self.shut:
            try:
                written: int | None = self.target.write(data)
                return written
            except OSError as error:
                self.shut = True
                if self.needed and not isinstance(error, BrokenPipeError):
                    reason = error.strerror or str(error)
                    raise StorageError("write standard output", reason, remedy(error)) from None
        return memoryview(data).nbytes


def prepare() -> None:
    """Make the standard streams what every command can rely on.

    A closed one is as one to which nobody listens. What standard output cannot take is a `StorageError`, unless its
    reader has gone; characters that a stream cannot show are written in those that it can.
    """
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):  # in the order of their numbers
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, mode, encoding="utf-8"))  # noqa: SIM115
    sys.stdout = outlet(sys.stdout, needed=True)
    sys.stderr = outlet(sys.stderr, needed=False)


def outlet(stream: TextIO, needed: bool) -> TextIO:
    """A stream's text through an `Outlet`; what is kept in memory stays as it is."""
    if not isinstance(stream, io.TextIOWrapper):
        return stream
    return io.TextIOWrapper(
        io.BufferedWriter(Outlet(stream, needed)),
        stream.encoding,
        SAFE,
        line_buffering=stream.line_buffering or stream.write_through,  # PYTHONUNBUFFERED: a buffer lies between
        write_through=stream.write_through,
    )
