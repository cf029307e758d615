"""Errors a user can act on: each says what was asked, what was found and what to do next.

Where Python has a word for it, an error of ours is that, too: an unknown name is a `KeyError`, a value or a file that
cannot be used a `ValueError`, a file that is not there a `FileNotFoundError`, a disk that refuses an `OSError`.
"""

from __future__ import annotations

import difflib
import errno
from collections.abc import Iterable, Sequence
from typing import Self


class KtvizError(Exception):
    """Base of every error ktviz raises on purpose.

    The message reads as three parts: what was asked, what was found, what to do.

    Example:
        >>> try:
        ...     kt.Settings(align=2)
        ... except kt.KtvizError as error:
        ...     print(error.todo)
        Give a number from 0 (as published) to 1
    """

    def __init__(self, asked: str, found: str, todo: str) -> None:
        self.asked, self.found, self.todo = asked, found, todo
        Exception.__init__(self, asked, found, todo)  # an OSError would take them for number, reason and file
        self.add_note(f"More about it: {self.page}")

    @property
    def page(self) -> str:
        """The command that shows what an error of this class means; of a class of somebody else, of its base."""
        return f"ktviz error {next(kind.__name__ for kind in type(self).__mro__ if kind.__module__ == __name__)}"

    def __str__(self) -> str:
        return f"{self.asked}: {self.found}. {self.todo}."


class MissingFileError(KtvizError, FileNotFoundError):
    """A file or folder that is not there; each kind of file has an error of its own."""

    errno = errno.ENOENT

    def __new__(cls, *args: str) -> Self:
        """Also where a ValueError comes before it among the bases, and somebody copies an error by this."""
        return FileNotFoundError.__new__(cls)


class ImageError(KtvizError, ValueError):
    """A file that cannot be used as an image, or an image of an impossible size."""


class ImageWarning(UserWarning):
    """A word about an image: what was decided where its numbers leave it open, or that it was left out."""


class MissingImageError(ImageError, MissingFileError):
    """An image that is not there."""


class SourceWarning(UserWarning):
    """Files or credits are not all used, or not as one may think; told before the work starts.

    Example:
        >>> issubclass(kt.SourceWarning, UserWarning)
        True
    """


class CreditsError(KtvizError, ValueError):
    """A credits CSV that cannot be read."""


class MissingCreditsError(CreditsError, MissingFileError):
    """A credits CSV that is not there."""


class LibraryError(KtvizError):
    """A library folder that is missing, damaged, of another format, or not of this encoder."""


class MissingLibraryError(LibraryError, MissingFileError):
    """A library folder that is not there."""


class LibraryBusyError(LibraryError):
    """Another process is writing the library."""


class LabelError(KtvizError, ValueError):
    """A label map, an instance map, a list of classes or a table of attributes that cannot be used."""


class MissingLabelError(LabelError, MissingFileError):
    """A label map, an instance map, a list of classes or a table of attributes that is not there."""


class UnknownNameError(KtvizError, KeyError):
    """A bank or source that does not exist; the message lists those that do."""


class WeightsError(KtvizError):
    """A checkpoint that is missing, damaged, of another layout, or holds NaN."""


class MissingWeightsError(WeightsError, MissingFileError):
    """A checkpoint that is not there."""


class TrainingError(KtvizError):
    """A training run that cannot start or resume."""


class SettingError(KtvizError, ValueError):
    """An option with a value outside its range."""


class UnknownSettingError(SettingError, TypeError):
    """An option that does not exist; the message names the nearest that does."""


class RegionError(KtvizError, ValueError):
    """A region that is empty, malformed, or not inside the image."""


class TraceError(KtvizError, ValueError):
    """A trace that cannot be read, or does not hold what was asked of it."""


class FewUnitsError(TraceError):
    """Fewer units in a region than a test of their shares needs."""


class MissingTraceError(TraceError, MissingFileError):
    """A trace, or another result, whose file is not there."""


class TraceNotFinishedError(TraceError):
    """A trace that is read before its run has ended, or whose run failed."""


class TraceBudgetError(TraceError):
    """More retrievals than the memory that a recording may take."""


class AbilityError(TraceError):
    """Something that a system cannot do."""


class ProtocolError(KtvizError):
    """A registered system that does not keep the protocol."""


class MismatchError(KtvizError, ValueError):
    """Results of different models, libraries or inputs; the message names the first that differs."""


class Difference(Exception):
    """What was recorded is not what is found. Verification ends with the first one; it never reaches a caller."""


class AuditError(KtvizError):
    """An audit folder that cannot be read, or does not hold what it says."""


class MissingAuditError(AuditError, MissingFileError):
    """An audit folder that is not there."""


class SigningError(KtvizError, ValueError):
    """A key that cannot be used, or an audit that is signed already."""


class MissingKeyError(SigningError, MissingFileError):
    """A key that is not there."""


class LessonError(KtvizError):
    """A notebook that cannot be used as a lesson, or nothing to open lessons with."""


class ClusterError(KtvizError):
    """A cluster that cannot be reached, has gone, or has other versions; or a file that killed its workers."""


class StorageError(KtvizError, OSError):
    """A file that cannot be written: disk full, read-only, or already there."""


def unknown_name(kind: str, asked: object, known: Iterable[str]) -> UnknownNameError:
    """The error for a name that does not exist, with the nearest that does.

    Args:
        kind: What was looked up, e.g. ``"bank"``.
        asked: The name as given, or what was given for one.
        known: The names that exist.
    """
    names = sorted(known)
    shown = ", ".join(names[:20]) + (f" and {len(names) - 20} more" if len(names) > 20 else "")
    found = f"there is none; known: {shown or 'none at all'}"
    hint = nearest(asked, names) if isinstance(asked, str) else ""
    return UnknownNameError(f"{kind} {asked!r}", found, hint or f"Choose one of the {kind}s that exist")


def unknown_settings(asked: Iterable[str], known: Iterable[str]) -> UnknownSettingError:
    """The error for settings that do not exist, with the nearest that do.

    Args:
        asked: Names that are not among the known.
        known: The names that exist.
    """
    names, known = sorted(asked), sorted(known)
    hints = [hint for hint in (nearest(name, known, alike=0.6) for name in names) if hint]
    found = f"there is none of that name; known: {', '.join(known)}"
    return UnknownSettingError(
        f"setting {', '.join(map(repr, names))}", found, "; ".join(hints) or "Choose a known one"
    )


MOST_COMPARED = 10_000
"""Names that are compared with one that does not exist: half a second."""


def nearest(asked: str, known: Sequence[str], alike: float = 0.4) -> str:
    """The advice to take the name that is most like another, in whole or in its last parts; empty if none is, or if
    there are too many to compare.

    Args:
        asked: The other.
        known: Names to choose from.
        alike: How like it must be, from 0 to 1.
    """
    if len(known) > MOST_COMPARED:
        return ""
    parts = asked.count("/") + 1
    ends = {end.casefold(): name for name in reversed(known) for end in (name, "/".join(name.split("/")[-parts:]))}
    near = difflib.get_close_matches(asked.casefold(), ends, n=1, cutoff=alike)
    return f"Did you mean {ends[near[0]]}" if near else ""
