"""The same run again: does it give the same digest, and if not, what differs first?"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ktviz.audit.audit import Audit
from ktviz.audit.differences import first_difference
from ktviz.audit.evidence import only_winners
from ktviz.explain.case import Case, case_of
from ktviz.images import Pixels
from ktviz.library.library import Library
from ktviz.systems.protocol import System
from ktviz.systems.registry import opened
from ktviz.trace.parquet import as_json
from ktviz.trace.storage import VOLATILE, metadata_of
from ktviz.trace.trace import Trace


@dataclass(frozen=True)
class Rerun:
    """A run that was made again.

    Attributes:
        recorded: The digest of the trace.
        found: That of the run now.
        difference: What differs first, in words; empty where the digests are equal.
        elsewhere: Which version, device or processor differs first, if any does: then rounding may be why.
    """

    recorded: str
    found: str
    difference: str = ""
    elsewhere: str = ""

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
        Rerun(recorded='5c1f…', found='5c1f…', difference='', elsewhere='')
    """
    path = Path(path)
    trace = Audit.open(path).trace if path.is_dir() else Trace.open(path)
    held = library if library is None or isinstance(library, Library) else Library.open(library)
    case = case_of(trace, "rerun", model=opened(trace, held, model), photo=photo, asked="make a run again")
    again = as_recorded(case, trace)
    if again.digest == trace.digest:
        return Rerun(trace.digest, again.digest)
    elsewhere = next(circumstances(said(trace), said(again)), "")
    return Rerun(trace.digest, again.digest, next(differences(trace, again)), elsewhere)


def as_recorded(case: Case, trace: Trace) -> Trace:
    """A run, made again, as far as its trace has it: its sites, its winners alone where it was thinned, its regret."""
    again = case.system.rerun(case.trace)
    names = [name for name in trace.sites if name in again.sites]
    again = again.site(*names) if names and names != again.sites else again
    again = again.with_regret(model=case.system) if trace.has("regret") else again
    return only_winners(again) if trace.thinned else again


def said(trace: Trace) -> dict[str, Any]:
    """What a trace says of itself, as a file gives it: of JSON a tuple is a list."""
    found: dict[str, Any] = json.loads(as_json(metadata_of(trace)))
    return found


def differences(recorded: Trace, again: Trace) -> Iterator[str]:
    """What differs, in words and in this order: knowledge and weights, sources and their credits, settings, sites, what
    else is said of the recording, rows by column, pictures, and what else is said of the image."""
    one, other = said(recorded), said(again)
    images = one.pop("images")[0], other.pop("images")[0]
    yield from of_mapping("digest of", one.pop("digests"), other.pop("digests"))
    yield from of_list("source", one.pop("sources"), other.pop("sources"), "source")
    yield from of_mapping("setting", *(image.pop("settings") for image in images))
    yield from of_list("site", one.pop("sites"), other.pop("sites"))
    yield from of_mapping(
        "", *({name: about[name] for name in about if name not in VOLATILE} for about in (one, other))
    )
    if rows := first_difference(recorded, again):
        yield rows
    yield from of_mapping("picture", *(image.pop("canvases") for image in images))
    yield from of_mapping("", *images)


def circumstances(recorded: Mapping[str, Any], found: Mapping[str, Any]) -> Iterator[str]:
    """In what differs where, and with what, two traces were made: no digest holds that, but rounding may follow."""
    yield from of_mapping("version of", recorded.get("versions", {}), found["versions"])
    yield from of_mapping(
        "", *({name: about.get(name) for name in ("device", "processor")} for about in (recorded, found))
    )


def of_mapping(what: str, recorded: Mapping[str, Any], found: Mapping[str, Any]) -> Iterator[str]:
    """Values that differ, by their names."""
    for name in {**recorded, **found}:
        called = f"{what} {name}".strip()
        if name not in found or name not in recorded:
            yield f"{called}: {'found, not recorded' if name in found else 'recorded, not found'}"
            continue
        one, other = recorded[name], found[name]
        if isinstance(one, Mapping) and isinstance(other, Mapping):
            yield from of_mapping(f"{called},", one, other)
        elif have_names(one) and have_names(other):
            yield from of_list(f"{called},", one, other)
        elif as_json({name: one}) != as_json({name: other}):  # also of what is no number, which equals nothing
            yield f"{called}: recorded {one}, found {other}"


def of_list(what: str, recorded: Sequence[Any], found: Sequence[Any], name: str = "name") -> Iterator[str]:
    """Parts that differ, by their names, or only their order."""
    parts = [{part[name]: part for part in several} for several in (recorded, found)]
    several = [*of_mapping(what, *parts)]
    yield from several
    if not several and recorded != found:
        yield f"{what.strip(',')}, order: recorded {', '.join(parts[0])}, found {', '.join(parts[1])}"


def have_names(parts: Any) -> bool:
    """Whether something is a list of parts that are told apart by their names."""
    return isinstance(parts, list) and all(isinstance(part, Mapping) and "name" in part for part in parts)
