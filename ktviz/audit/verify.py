"""Verification: what the model made is made again, the rest follows from it, and the first difference is named.

Nothing in the folder is believed that can be made again. The photo is translated again, also without the largest works,
and searched exactly again (`agreement`). Then the whole folder is written once more from this evidence, and every file
compared: tables, pictures, report and manifest cannot say anything that does not follow. What is only stated (title,
date, and with what it was made) is shown, never proven.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

from ktviz.audit.agreement import (
    LONGEST,
    check_compared,
    check_copies,
    check_exact,
    check_made,
    check_pieces,
    check_run,
    check_without,
)
from ktviz.audit.asked import check_attributions
from ktviz.audit.audit import LONGEST_TITLE, Audit, all_versions
from ktviz.audit.differences import compare_files
from ktviz.audit.evidence import counterfactual_names
from ktviz.audit.findings import given_files, given_sources, stated_settings
from ktviz.audit.folder import (
    MANIFEST,
    SIGNATURE,
    TRACE,
    VERIFIED,
    WRITTEN_BY,
    manifest_bytes,
    plain_files,
    read_manifest,
)
from ktviz.audit.keys import public_key
from ktviz.audit.report import listed_settings
from ktviz.audit.verdict import Check, Verdict, check_noted, file_checks
from ktviz.errors import AuditError, Difference, MismatchError, MissingImageError
from ktviz.explain.case import Case, check_same
from ktviz.images import file_digest
from ktviz.library.banks import Banks
from ktviz.library.check import check_bank
from ktviz.library.library import Library
from ktviz.licences import UNKNOWN
from ktviz.retrieval.catalogue import LIBRARY_BANK
from ktviz.systems.opening import named_banks
from ktviz.systems.protocol import System
from ktviz.systems.reference import SAID
from ktviz.systems.registry import opened
from ktviz.trace.about import processor
from ktviz.trace.trace import Trace


def verify(
    folder: str | os.PathLike[str],
    library: Library | str | os.PathLike[str] | None = None,
    *,
    model: System | None = None,
    sources: str | os.PathLike[str] | None = None,
    sha256: str | None = None,
    key: str | os.PathLike[str] | None = None,
) -> Verdict:
    """Check an audit: its files, then everything in it, made again.

    Args:
        folder: What `Audit.save` wrote.
        library: The library it names; None if its knowledge is in no library.
        model: A system whose networks are used; the shipped ones if None.
        sources: A folder with the original files of the sources, to be checked against their digests, too.
        sha256: Of manifest.json, as it was noted when the audit was made.
        key: The public key of somebody who must have signed the audit.

    Returns:
        A verdict; false, with the first difference, if anything differs.

    Raises:
        AuditError: The folder is no audit at all, or an older ktviz made it.
        LibraryError: There is no such library.
        MissingImageError: There is no such folder of original files.
        SettingError: `sha256` is none.
        SigningError: The key cannot be used.

    Example:
        >>> home = pathlib.Path(tempfile.mkdtemp())
        >>> kt.Audit.create(trace, title="Stripes", top=0, sample=5).save(home / "audit")
        >>> verdict = kt.verify(home / "audit", world.library, model=world.translator)
        >>> verdict.ok, verdict.difference
        (True, '')
    """
    check_noted(sha256)
    if sources is not None and not Path(sources).is_dir():
        raise MissingImageError(f"original files in {os.fspath(sources)!r}", "no such folder", "Check the path")
    folder, opened = Path(folder), None if library is None else as_library(library)
    if not (folder / MANIFEST).is_file():
        read_manifest(folder)  # says what is missing
    verdict = Verdict().run(file_checks(folder, sha256, None if key is None else public_key(key)))
    if not verdict:
        return verdict
    check_of_today(folder)
    return verdict.run(finding_checks(folder, opened, model, sources))


def check_of_today(folder: Path) -> None:
    """Raise AuditError for an audit of an older format: its tables and its report cannot be made again to the byte."""
    found = read_manifest(folder)["format"]
    if found < VERIFIED:
        then = WRITTEN_BY[found]
        raise AuditError(
            f"verify audit {str(folder)!r}",
            f"format {found}: up to ktviz {then}, tables and report were laid out otherwise",
            f"Verify it with ktviz {then}, or save it anew, ktviz.Audit.open(folder).save(other), and verify that",
        )


def as_library(library: Library | str | os.PathLike[str]) -> Library:
    return library if isinstance(library, Library) else Library.open(library)


def check_sources(trace: Trace, banks: Banks[Any] | None, folder: Path) -> str:
    """The original files are those that the library was built from."""
    if banks is None:
        raise Difference("the knowledge of this audit is in no library")
    digests = {file_digest(path): path for path in folder.rglob("*") if path.is_file()}
    named = {path.name for path in digests.values()}
    asked = {source["source"] for source in trace.about["sources"]}
    sources = [banks.sources[number] for number in sorted(banks.numbers_of(asked))]
    for source in sources:
        if source.sha256 not in digests:
            name = source.name.rsplit("/", 1)[-1]
            found = "was changed" if name in named else "is missing"
            raise Difference(f"source file {name} {found}: no file has SHA-256 {source.sha256[:12]}")
    return f"{len(sources)} with their digests"


def finding_checks(
    folder: Path, library: Library | None, model: System | None, sources: str | os.PathLike[str] | None
) -> Iterator[Check]:
    """All that can be made again, the cheapest first."""
    audit = Audit.open(folder)
    system = system_for(audit.trace, library, model)
    yield "model and library", lambda: check_same(audit.trace, system)
    if sources is not None:
        yield "original files", lambda: check_sources(audit.trace, system.banks, Path(sources))
    yield "what is only stated", lambda: check_statement(audit)
    case = Case(audit.trace, system)
    yield "translation", lambda: check_run(TRACE, case, audit.evidence.recording)
    names = counterfactual_names(audit.evidence)
    yield "counterfactuals", lambda: check_without(case, audit.evidence, names, audit.parameters.top)
    here = made_here(audit)
    yield "regret", lambda: check_exact(case, audit.evidence, audit.parameters, here)
    yield "pieces", lambda: check_pieces(case, audit.evidence, here)
    yield "copies", lambda: check_copies(case, audit.evidence, here)
    if audit.evidence.attributions:
        yield "attributions", lambda: check_attributions(case, audit.evidence.attributions, here)
    if audit.evidence.compared:
        yield "comparisons", lambda: check_compared(case, audit.evidence.compared)
    yield "tables, pictures and report", lambda: check_rest(folder, audit, case)


def made_here(audit: Audit) -> bool:
    """Whether an audit says that it was made with the versions and on the processor at hand."""
    return bool(audit.about["versions"] == all_versions() and audit.about["processor"] == processor())


def system_for(trace: Trace, library: Library | None, model: System | None = None) -> System:
    """The system of a trace, on the banks that it names, in their order.

    Raises:
        AbilityError, TraceError: The trace is of no system that is known here.
        MismatchError: The library lacks a bank, or there is none.
        LibraryError: A file of the library was changed.
    """
    banks = named_banks(trace)
    for name in banks:
        if library is None or name not in library:
            found = "no library was given" if library is None else "the library has no such bank"
            raise MismatchError(LIBRARY_BANK + name, found, "Give the library of the audit")
        check_bank(library.bank(name))
    return opened(trace, library, model)


def check_statement(audit: Audit) -> str:
    """Title, date, versions and processor are of the right kind; nothing can show whether they are true, nor what is
    said of pictures that no library holds, nor settings that the run need not show."""
    known = {"versions": all_versions(), "processor": processor()}
    check_made(MANIFEST, {name: audit.about[name] for name in known}, known)
    made = str(audit.about["made"])
    if date.fromisoformat(made).isoformat() != made:
        raise Difference(f"{MANIFEST}: made {made!r} is no date")
    if len(audit.title) > LONGEST_TITLE:
        raise Difference(f"{MANIFEST}: a title of {len(audit.title):,} letters, at most {LONGEST_TITLE:,} can be")
    title = audit.title if len(audit.title) <= LONGEST else f"{audit.title[:LONGEST]}..."
    ktviz = audit.about["versions"]["ktviz"]
    remarks = [f"titled {title!r}, made {made}, with ktviz {ktviz} on {audit.about['processor']}"]
    remarks += map(in_words, [*given_sources(audit.trace), *given_files(audit.trace)])
    if settings := stated_settings(audit.trace):
        remarks.append(f"of how it was made, as the picture need not show it: {listed_settings(settings)}")
    return "; ".join(remarks)


def in_words(source: Mapping[str, Any]) -> str:
    """What is said of a picture that no library holds."""
    known = (f"{name} {source[name]!r}" for name in SAID if source.get(name, UNKNOWN) != UNKNOWN)
    return f"of a picture that no library holds: {', '.join(known)}"


def check_rest(folder: Path, audit: Audit, case: Case) -> str:
    """Every file is what it has to be, given the evidence."""
    again = Audit.assemble(audit.evidence, case, audit.parameters, audit.title)
    stated = {name: audit.about[name] for name in ("made", "versions", "processor")}
    again = replace(again, about={**again.about, **stated}, format=read_manifest(folder)["format"])
    there = plain_files(folder) - {SIGNATURE}
    for name in sorted(there ^ again.file_names()):
        raise Difference(f"{name} {'does not belong to the audit' if name in there else 'is missing'}")
    same_bytes = audit.about["versions"] == all_versions()
    with tempfile.TemporaryDirectory() as scratch:
        made = Path(scratch) / "audit"
        again.write(made)
        for name in sorted(there - {MANIFEST}):
            compare_files(name, folder / name, made / name, same_bytes=same_bytes)
    compare_manifests(read_manifest(folder), again.manifest(folder))
    return f"{len(there)} files follow from the evidence"


def compare_manifests(recorded: dict[str, object], true: dict[str, object]) -> None:
    """Raise Difference at the first field that does not follow."""
    for name, value in true.items():
        if manifest_bytes({name: recorded[name]}) != manifest_bytes({name: value}):
            raise Difference(f"{MANIFEST}: {name} is not what follows from the evidence")
