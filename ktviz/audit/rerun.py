"""The same run again: does it give the same digest, and if not, what differs first?"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ktviz.audit.agreement import made_elsewhere
from ktviz.audit.audit import Audit
from ktviz.audit.differences import first_difference
from ktviz.explain.case import case_of
from ktviz.images import Pixels
from ktviz.library.library import Library
from ktviz.systems.protocol import System
from ktviz.systems.registry import opened
from ktviz.trace.trace import Trace


@dataclass(frozen=True)
class Rerun:
    """A run that was made again.

    Attributes:
        recorded: The digest of the trace.
        found: That of the run now.
        difference: What differs first, in words; empty where the digests are equal.
        rounded: Whether it was made with other versions or on another processor: then rounding may be why.
    """

    recorded: str
    found: str
    difference: str = ""
    rounded: bool = False

    @property
    def same(self) -> bool:
        """Whether the digests are equal."""
        return self.recorded == self.found

    def __bool__(self) -> bool:
        return self.same


def rerun(
    path: str | os.PathLike[str],
    library: Library | str | os.PathLike[str] | None = None,
    *,
    model: System | None = None,
    photo: Pixels | None = None,
) -> Rerun:
    """Make a run again and compare digests.

    Args:
        path: A saved trace, or the folder of an audit.
        library: Where its knowledge is; None if that is in no library.
        model: A system whose networks are used; the shipped ones if None.
        photo: Its photo, where the trace was saved without it.

    Raises:
        TraceError, AuditError: Nothing of both.
        LibraryError: There is no such library.
        MismatchError: The knowledge or the weights are other ones now, or the photo is another.
        AbilityError: The system cannot make a run again.

    Example:
        >>> rerun("audit/", "art.ktlib")  # doctest: +SKIP
        Rerun(recorded='5c1f…', found='5c1f…', difference='', rounded=False)
    """
    path = Path(path)
    trace = Audit.open(path).trace if path.is_dir() else Trace.open(path)
    held = library if library is None or isinstance(library, Library) else Library.open(library)
    case = case_of(trace, "rerun", model=opened(trace, held, model), photo=photo, asked="make a run again")
    again = case.system.rerun(case.trace)
    again = again if again.sites == trace.sites else again.site(*trace.sites)
    if again.digest == trace.digest:
        return Rerun(trace.digest, again.digest)
    difference = next(differences(trace, again), "what the trace says of itself")
    return Rerun(trace.digest, again.digest, difference, made_elsewhere(trace.about, again.about))


def differences(recorded: Trace, again: Trace) -> Iterator[str]:
    """What differs, in words: knowledge and weights, then how the run was made, what it chose, and what came out."""
    yield from of_mapping("digest of", recorded.about["digests"], again.about["digests"])
    yield from of_mapping("setting", recorded.picture.settings, again.picture.settings)
    if rows := first_difference(recorded, again):
        yield rows
    canvases = [
        {name: canvas.get("sha256") for name, canvas in trace.picture.about["canvases"].items()}
        for trace in (recorded, again)
    ]
    yield from of_mapping("picture", *canvases)


def of_mapping(what: str, recorded: Mapping[str, Any], found: Mapping[str, Any]) -> Iterator[str]:
    """Values that differ, by their names."""
    for name in {**recorded, **found}:
        one, other = recorded.get(name), found.get(name)
        if one != other:
            yield f"{what} {name}: recorded {one}, found {other}"
