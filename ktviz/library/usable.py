"""Which images a bank can be made from: all that cannot, or whose maps cannot, are known before the work starts."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass

from ktviz.engines.engine import Engine
from ktviz.errors import ImageError, ImageWarning, KtvizError, LabelError, LibraryError
from ktviz.images import decode, file_digest, scaled_size
from ktviz.library.sources import SourceFile


@dataclass(frozen=True)
class Found:
    """What there is to say of an image: what was decided about its numbers, and why it cannot be used."""

    notes: Sequence[str] = ()
    error: KtvizError | None = None


@dataclass(frozen=True)
class Look:
    """Looks whether an image can be used, wherever it runs.

    Attributes:
        side_px: Shorter side that sources are scaled to; None keeps them as they are.
    """

    side_px: int | None

    def __call__(self, file: SourceFile) -> Found:
        """What there is to say of a file; errors as in `check_same`."""
        check_same(file)
        try:
            pixels, notes = decode(file.path)
            if self.side_px is not None:
                scaled_size(pixels, self.side_px, f"image {str(file.path)!r}")
            if file.maps is not None:
                file.maps.read(*pixels.shape[:2])
        except (ImageError, LabelError) as error:
            return Found(error=error)
        return Found(notes)


def check_same(file: SourceFile) -> None:
    """Raise LibraryError unless a file and its maps have the bytes that were seen when the work began."""
    for path, digest in file.digests.items():
        try:
            same, found = file_digest(path) == digest, "it has other bytes than when the work began"
        except OSError as error:
            same, found = False, f"it cannot be read ({error.strerror})"
        if not same:
            todo = "Leave it as it is; where other machines work on it, let them have its folder under the same path"
            raise LibraryError(f"read {str(path)!r}", found, todo)


def name_of(file: SourceFile) -> str:
    """What an error calls a file."""
    return f"image {str(file.path)!r}"


def usable_sources(
    files: Sequence[SourceFile],
    unread: Sequence[KtvizError],
    side_px: int | None,
    skip_bad: bool,
    engine: Engine,
    quiet: bool,
) -> list[SourceFile]:
    """The files that can be decoded and scaled, and whose maps are theirs; none is held.

    Args:
        files: What is to become sources.
        unread: Errors of files that could not even be opened, or that lack a map.
        side_px: Shorter side that sources are scaled to; None keeps them as they are.
        skip_bad: Leave bad files out and name them in a warning, instead of refusing all.
        engine: What looks at them.
        quiet: No progress bar.

    Raises:
        ImageError: Names every bad file, and why.
        LibraryError: A file changed meanwhile, or a machine that looks at it has another one there, or none.
    """
    usable: list[SourceFile] = []
    bad = list(unread)
    for file, found in zip(files, engine.map(Look(side_px), files, "checking images", quiet, name_of), strict=True):
        for note in found.notes:
            warnings.warn(note, ImageWarning, stacklevel=2)
        if found.error is None:
            usable.append(file)
        else:
            bad.append(found.error)
    if bad:
        asked = f"{len(bad)} of {len(files) + len(unread)} images"
        reasons = "".join(f"\n  {error.asked}: {error.found}" for error in bad)
        if not skip_bad or not usable:
            raise ImageError(
                asked, f"cannot be used:{reasons}", "Mend or remove them, or leave them out: skip_bad=True, --skip-bad"
            )
        warnings.warn(f"{asked} left out:{reasons}", ImageWarning, stacklevel=2)
    return usable
