"""Proof of removal: a source that an audit names is gone from a library, byte for byte, and is not used again."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from securesystemslib.signer import SSlibKey

from ktviz.audit.audit import Audit
from ktviz.audit.fingerprint import Fingerprint, find_runs
from ktviz.audit.keys import public_key
from ktviz.audit.verdict import Check, Verdict, check_noted, file_checks
from ktviz.audit.verify import as_library
from ktviz.errors import AuditError, Difference, UnknownNameError
from ktviz.images import file_digest
from ktviz.library.banks import Banks
from ktviz.library.library import Library
from ktviz.printing import counted
from ktviz.systems.protocol import System
from ktviz.systems.registry import opened
from ktviz.trace.shares import find_source


def verify_removal(
    folder: str | os.PathLike[str],
    library: Library | str | os.PathLike[str],
    source: str,
    *,
    model: System | None = None,
    sha256: str | None = None,
    key: str | os.PathLike[str] | None = None,
) -> Verdict:
    """Check that a source which an audit names is gone from a library.

    Its name and digest are in no bank, none of the runs of bytes in its fingerprint is in any file of the library, and
    translating the audit's photo again does not use it. Where the audit's run names what is gone (as its reference, or
    a centre that went with it), or nothing else is left, it cannot be made again, and the verdict says so.

    Args:
        folder: What `Audit.save` wrote, before the removal.
        library: The library as it is now.
        source: Its name, as in the audit.
        model: A system whose networks are used; the shipped ones if None.
        sha256: Of manifest.json, as it was noted when the audit was verified. After the removal nothing else can tell
            whether the fingerprints are those of the source; without it, or a signature, nothing is proven, and the
            verdict says so.
        key: The public key of somebody who must have signed the audit then.

    Raises:
        AuditError: The folder is no audit.
        SettingError: `sha256` is none.
        SigningError: The key cannot be used.
        UnknownNameError: The audit does not know the source.
    """
    check_noted(sha256)
    opened = as_library(library)
    verdict = Verdict().run(bound_checks(Path(folder), sha256, None if key is None else public_key(key)))
    if not verdict:
        return verdict
    audit = Audit.open(folder)
    return verdict.run(removal_checks(audit, opened, fingerprint_of(audit, source), model))


def bound_checks(folder: Path, sha256: str | None, key: SSlibKey | None) -> Iterator[Check]:
    """The audit is the one that was verified while the source was in the library."""
    yield "fingerprints", lambda: check_bound(sha256, key)
    yield from file_checks(folder, sha256, key)


def check_bound(sha256: str | None, key: SSlibKey | None) -> str:
    if sha256 is None and key is None:
        raise Difference(
            "this proves nothing: once a source is gone, only the SHA-256 of manifest.json, noted when the audit was "
            "verified, or a signature made then shows that its fingerprints are those of the source. Give --sha256 or "
            "--key"
        )
    return "of the audit that was verified before the removal"


def fingerprint_of(audit: Audit, source: str) -> Fingerprint:
    """The fingerprint of a source.

    Raises:
        UnknownNameError: The audit does not know it, or knows several of that name.
    """
    name = find_source(audit.trace, source)
    found = next((mine for mine in audit.fingerprints if mine.source == name), None)
    about = next(s for s in audit.trace.about["sources"] if s["source"] == name)
    if found is None or about["sha256"] != found.sha256:
        raise AuditError(
            f"source {source!r}", "its fingerprint is not of the work that the trace names", "Verify first"
        )
    return found


def removal_checks(audit: Audit, opened: Library, gone: Fingerprint, model: System | None) -> Iterator[Check]:
    yield "not in any bank", lambda: check_not_named(opened, gone)
    yield "no run of its bytes in the library", lambda: check_no_bytes(opened, gone)
    yield "asked again", lambda: check_not_used(audit, opened, gone, model)


def check_not_named(library: Library, gone: Fingerprint) -> str:
    for name in library:
        for source in library.bank(name).sources:
            if source.sha256 == gone.sha256:
                raise Difference(f"bank {name} still holds {source.name}, the same file as {gone.source}")
            if gone.source in (source.name, f"{name}/{source.name}"):
                raise Difference(f"bank {name} still holds a source named {source.name}, though of another file")
    return counted(len(library), "bank")


def check_no_bytes(library: Library, gone: Fingerprint) -> str:
    folder = library.folder
    paths = sorted(folder.rglob("*"))
    for path in paths:
        if path.is_symlink() or not (path.is_file() or path.is_dir()):
            raise Difference(
                f"{path.relative_to(folder).as_posix()} is no plain file: what it leads to is not searched"
            )
    files = [path for path in paths if path.is_file()]
    for path in files:
        if file_digest(path) == gone.sha256:
            raise Difference(f"{path.relative_to(folder).as_posix()} is the original file of {gone.source}")
    for path in files:
        found = find_runs(path, [gone])
        if found:
            raise Difference(f"{named(path, library)} still holds {found[gone.source]} of {gone.source}")
    runs = sum(len(hashes) for _, hashes in gone.runs.values())
    return f"{counted(len(files), 'file')} searched at every offset for {counted(runs, 'run')} of bytes"


def named(path: Path, library: Library) -> str:
    """A file of a library, with the source it is of."""
    owners = {
        file: f" ({name}/{source.name})"
        for name in library
        for bank in (library.bank(name),)
        for number, source in enumerate(bank.sources)
        for ending in bank.place.record.of_source
        for file in (bank.place.path(number, ending),)
    }
    return f"{path.relative_to(library.folder).as_posix()}{owners.get(path, '')}"


def check_not_used(audit: Audit, library: Library, gone: Fingerprint, model: System | None) -> str:
    left = [source for source in audit.trace.about["sources"] if source["bank"] in library]
    if not left:
        return "nothing can be, no bank of the audit is left"
    if all(source["source"] == gone.source for source in left):
        return "nothing can be, the audit asked no other source"
    system = opened(audit.trace, library, model)
    settings = dict(audit.trace.picture.settings)
    without = list(settings.get("without", ()))
    kept = [part for part in without if still_there(system.banks, part)]
    try:
        again = system.rerun(audit.trace.with_settings({**settings, "without": kept} if without else settings))
    except UnknownNameError as error:
        return f"the audit's run cannot be made any more with what is left: {error.asked}, {error.found}"
    digests = {source["source"]: source["sha256"] for source in again.about["sources"]}
    for site in again.sites:
        for name in again.site(site).sources().query("share != 0")["source"]:
            if digests[name] == gone.sha256:
                raise Difference(f"translating the photo again still uses {name}")
    lost = len(without) - len(kept)
    unnamed = f"; {lost} of {len(without)} parts that the audit left out cannot be named any more" if lost else ""
    return f"{counted(len(again), 'new retrieval')}, none of it{unnamed}"


def still_there(banks: Banks[Any] | None, part: object) -> bool:
    """Whether a source, a bank, or a part of a source that was left out of the audit can still be named; of entries the
    numbers may mean others now."""
    name = part["source"] if isinstance(part, Mapping) else part
    try:
        return banks is not None and isinstance(name, str) and bool(banks.full_names([name]))
    except UnknownNameError:
        return False
