"""Errors a user can act on: each says what was asked, what was found and what to do next."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence


class KtvizError(Exception):
    """Base of every error ktviz raises on purpose.

    The message reads as three parts: what was asked, what was found, what to do.
    """

    def __init__(self, asked: str, found: str, todo: str) -> None:
        self.asked, self.found, self.todo = asked, found, todo
        super().__init__(asked, found, todo)

    def __str__(self) -> str:
        return f"{self.asked}: {self.found}. {self.todo}."


class ImageError(KtvizError):
    """A file that cannot be used as an image, or an image of an impossible size."""


class ImageWarning(UserWarning):
    """A word about an image: what was decided where its numbers leave it open, or that it was left out."""


class CreditsError(KtvizError):
    """A credits CSV that cannot be read."""


class LibraryError(KtvizError):
    """A library folder that is missing, damaged, of another format, or not of this encoder."""


class LibraryBusyError(LibraryError):
    """Another process is writing the library."""


class UnknownNameError(KtvizError):
    """A bank or source that does not exist; the message lists those that do."""


class WeightsError(KtvizError):
    """A checkpoint that is missing, damaged, of another layout, or holds NaN."""


class TrainingError(KtvizError):
    """A training run that cannot start or resume."""


class SettingError(KtvizError):
    """An option with a value outside its range."""


class RegionError(KtvizError):
    """A region that is empty, malformed, or not inside the image."""


class TraceError(KtvizError):
    """A trace that cannot be read, or does not hold what was asked of it."""


class TraceNotFinishedError(TraceError):
    """A trace that is read before its run has ended, or whose run failed."""


class TraceBudgetError(TraceError):
    """More retrievals than the memory that a recording may take."""


class MismatchError(KtvizError):
    """Results of different models, libraries or inputs; the message names the first that differs."""


class AuditError(KtvizError):
    """An audit folder that cannot be read, or does not hold what it says."""


class SigningError(KtvizError):
    """A key that cannot be used, or an audit that is signed already."""


class LessonError(KtvizError):
    """A notebook that cannot be used as a lesson, or nothing to open lessons with."""


class StorageError(KtvizError):
    """A file that cannot be written: disk full, read-only, or already there."""


def unknown_name(kind: str, asked: str, known: Iterable[str]) -> UnknownNameError:
    """The error for a name that does not exist, with the nearest that does.

    Args:
        kind: What was looked up, e.g. ``"bank"``.
        asked: The name as given.
        known: The names that exist.
    """
    names = sorted(known)
    near = nearest(asked, names)
    shown = ", ".join(names[:20]) + (f" and {len(names) - 20} more" if len(names) > 20 else "")
    todo = f"Did you mean {near}" if near else f"Choose one of the {kind}s that exist"
    return UnknownNameError(f"{kind} {asked!r}", f"there is none; known: {shown or 'none at all'}", todo)


def nearest(asked: str, known: Sequence[str]) -> str | None:
    """The name that is most like another, in whole or in as many of its last parts; None if none is like it."""
    parts = asked.count("/") + 1
    ends = {end.casefold(): name for name in reversed(known) for end in (name, "/".join(name.split("/")[-parts:]))}
    near = difflib.get_close_matches(asked.casefold(), ends, n=1, cutoff=0.4)
    return ends[near[0]] if near else None
