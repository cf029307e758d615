"""Verification: make an audit's findings again, compare, and name the first difference.

The folder is checked against its manifest first. A manifest can be forged, so everything is then made again: the
translation from the photo, model and library; the tables from the trace; the counterfactuals and the regret; the
report. Tables and report must agree exactly. What goes through the network may differ by rounding on another machine;
how much is allowed is stated below, and used only where a digest does not agree.
"""

from __future__ import annotations

import base64
import itertools
import os
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from jinja2 import TemplateError
from securesystemslib.signer import SSlibKey

from ktviz.audit.audit import MANIFEST, PRINTS, REPORT, SIGNATURE, TRACE, Audit, as_csv, read_manifest
from ktviz.audit.copied import control
from ktviz.audit.differences import ROUNDED, Difference, compare_jpegs, compare_pixels, compare_tables, compare_traces
from ktviz.audit.envelope import check_signature
from ktviz.audit.findings import copied_picture, derived_tables, rerun_tables, searched_sources
from ktviz.audit.fingerprint import fingerprints
from ktviz.audit.keys import public_key
from ktviz.audit.report import render, thumbnails
from ktviz.errors import KtvizError, MismatchError
from ktviz.images import file_digest, pixel_digest
from ktviz.library.library import Library
from ktviz.library.union import BankUnion
from ktviz.model.decoder import Decoder
from ktviz.model.encoder import Encoder
from ktviz.model.translator import Translator
from ktviz.trace.live import Live, check_equal, check_same, live
from ktviz.trace.parquet import as_json
from ktviz.trace.record import record
from ktviz.trace.trace import Trace

DATA_URI = re.compile(r"data:image/jpeg;base64,([A-Za-z0-9+/=]+)")


@dataclass
class Verdict:
    """The result of a verification.

    Attributes:
        checks: What was compared and agrees, in order.
        difference: The first difference; empty if there is none.
    """

    checks: list[str] = field(default_factory=list)
    difference: str = ""

    @property
    def ok(self) -> bool:
        """Whether everything agrees."""
        return not self.difference

    def __bool__(self) -> bool:
        return self.ok

    def run(self, checks: Iterator[tuple[str, Callable[[], str | None]]]) -> Verdict:
        """Go through checks until one raises; a check returns a remark or nothing."""
        try:
            for name, check in checks:
                remark = check()
                self.checks.append(f"{name}: {remark}" if remark else name)
        except Difference as difference:
            self.difference = str(difference)
        except KtvizError as error:
            self.difference = f"{error.asked}: {error.found}"
        except UNREADABLE as error:
            self.difference = f"a part of the audit cannot be read ({type(error).__name__}: {error})"
        return self


UNREADABLE = (TemplateError, LookupError, TypeError, ValueError, AttributeError, OSError, ArithmeticError, RuntimeError)
"""What values raise that are not what they should be: a manifest can hold anything."""


def verify(
    folder: str | os.PathLike[str],
    library: Library | str | os.PathLike[str],
    *,
    model: Translator | None = None,
    sources: str | os.PathLike[str] | None = None,
    sha256: str | None = None,
    key: str | os.PathLike[str] | None = None,
) -> Verdict:
    """Check an audit: its files, then everything in it, made again.

    Args:
        folder: What `Audit.save` wrote.
        library: The library it names.
        model: A translator whose encoder and decoder are used; the shipped ones if None.
        sources: A folder with the original files of the sources, to be checked against their digests, too.
        sha256: Of manifest.json, as it was noted when the audit was made.
        key: The public key of somebody who must have signed the audit.

    Returns:
        A verdict; false, with the first difference, if anything differs.

    Raises:
        AuditError: The folder is no audit at all.
        LibraryError: There is no such library.
        SigningError: The key cannot be used.
    """
    folder, opened = Path(folder), as_library(library)
    if not (folder / MANIFEST).is_file():
        read_manifest(folder)  # says what is missing
    verdict = Verdict().run(file_checks(folder, sha256, None if key is None else public_key(key)))
    return (
        verdict.run(finding_checks(lambda: Audit.open(folder), opened, model, folder, sources)) if verdict else verdict
    )


def verify_findings(audit: Audit, library: Library | str | os.PathLike[str]) -> Verdict:
    """Make the findings of an audit again, without looking at its folder."""
    return Verdict().run(finding_checks(lambda: audit, as_library(library), None, None, None))


def as_library(library: Library | str | os.PathLike[str]) -> Library:
    return library if isinstance(library, Library) else Library.open(library)


def file_checks(
    folder: Path, sha256: str | None = None, key: SSlibKey | None = None
) -> Iterator[tuple[str, Callable[[], str | None]]]:
    yield "manifest", lambda: check_manifest(folder, sha256)
    yield "files", lambda: check_files(folder, read_manifest(folder)["files"])
    if key is not None or os.path.lexists(folder / SIGNATURE):
        yield "signature", lambda: check_signature(folder, key)


def check_manifest(folder: Path, sha256: str | None) -> str:
    """The manifest is sealed, and the one that is meant."""
    read_manifest(folder)
    digest = file_digest(folder / MANIFEST)
    if sha256 is not None and digest != sha256.lower():
        raise Difference(f"{MANIFEST} has SHA-256 {digest}, not {sha256}")
    return f"SHA-256 {digest}"


def check_files(folder: Path, known: dict[str, list[Any]]) -> str:
    """Every file is there, and no other, with the bytes that the manifest names."""
    there = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()} - {
        MANIFEST,
        SIGNATURE,
    }
    for name in sorted(set(known) - there):
        raise Difference(f"{name} is missing")
    for name in sorted(there - set(known)):
        raise Difference(f"{name} was added")
    for name, (_, digest) in sorted(known.items()):
        if file_digest(folder / name) != digest:
            raise Difference(f"{name} was changed: its bytes have another digest than the manifest says")
    return f"{len(known)} with their digests"


def check_sources(banks: BankUnion, folder: Path) -> str:
    """The original files are those that the library was built from."""
    digests = {file_digest(path): path for path in folder.rglob("*") if path.is_file()}
    named = {path.name for path in digests.values()}
    for source in banks.sources:
        if source.sha256 not in digests:
            name = source.name.rsplit("/", 1)[-1]
            found = "was changed" if name in named else "is missing"
            raise Difference(f"source file {name} {found}: no file has SHA-256 {source.sha256[:12]}")
    return f"{len(banks.sources)} with their digests"


def finding_checks(
    make: Callable[[], Audit],
    library: Library,
    model: Translator | None,
    folder: Path | None,
    sources: str | os.PathLike[str] | None,
) -> Iterator[tuple[str, Callable[[], str | None]]]:
    """All that can be made again, the cheapest first."""
    audit = make()
    trace = audit.trace
    translator = translator_for(trace, library, model)
    yield "model and library", lambda: check_same(trace, translator)
    if sources is not None:
        yield "original files", lambda: check_sources(translator.banks, Path(sources))
    case = live(trace, translator)
    yield "settings and digests", lambda: check_statement(audit, folder)
    yield "translation", lambda: check_translation(case)
    yield "tables from the trace", lambda: check_derived(audit, case.banks)
    yield "counterfactuals and regret", lambda: check_rerun(audit, case)
    yield "fingerprints", lambda: check_fingerprints(audit, case.banks)
    yield "thumbnails", lambda: check_thumbnails(audit, case)
    if folder is not None:
        yield "report and tables in CSV", lambda: check_report(audit, folder)


def translator_for(trace: Trace, library: Library, model: Translator | None = None) -> Translator:
    """A translator on the banks that a trace names, in their order.

    Raises:
        MismatchError: The library lacks a bank.
        LibraryError: A file of the library was changed.
    """
    for name in trace.about["banks"]:
        if name not in library:
            raise MismatchError(f"library bank {name}", "the library has no such bank", "Give the library of the audit")
    banks = library.select(trace.about["banks"])
    if model is not None:
        return Translator(banks, model.encoder, model.decoder)
    return Translator(banks, Encoder.shipped(), Decoder.shipped())


def check_statement(audit: Audit, folder: Path | None) -> None:
    """The manifest says of model, library, images and settings what the trace says."""
    if folder is None:
        return
    manifest = read_manifest(folder)
    check_equal("trace digest", manifest["trace"], audit.trace.digest)
    for part, mine in (("digests", audit.trace.about["digests"]), ("image", audit.trace.picture.about)):
        for name in sorted({*manifest[part], *mine}):
            if manifest[part].get(name) != mine.get(name):
                raise Difference(f"manifest: {name} is {manifest[part].get(name)!r}, in the trace {mine.get(name)!r}")


def check_translation(case: Live) -> str:
    """Translating the photo again gives the recorded output and the recorded retrievals."""
    about = case.trace.picture.about
    for name, pixels in (("input", case.pixels), ("output", case.output)):
        if pixel_digest(pixels) != about[name]:
            raise Difference(f"pictures/{name}.png is not the {name} of the trace")
    about = case.trace.about
    with record(case.model, candidates=about["candidates"], all_threads=False) as again:
        made = case.translate()
    for name in ("sources", "sites", "banks"):
        if as_json({name: about[name]}) != as_json({name: again.about[name]}):
            raise Difference(f"{TRACE}: it says of {name} what the model and the library do not say")
    remark = compare_pixels("pictures/output.png", case.output, made.image)
    return f"{remark}; {compare_traces(case, again)}"


def check_derived(audit: Audit, banks: BankUnion) -> str:
    """The tables that follow from the trace alone do follow from it, to the last digit."""
    for name, table in derived_tables(audit.trace).items():
        compare_tables(name, audit.tables[name], table, {})
    if audit.about["searched"] != searched_sources(audit.trace, banks):
        raise Difference("manifest: searched does not name the works that could have been taken")
    found = control(audit.trace)
    if audit.about["control"] != found:
        raise Difference(f"manifest: control {audit.about['control']}, should be {found}")
    compare_pixels(
        "pictures/copied.png", audit.pictures["copied"], copied_picture(audit.trace, audit.pictures["output"])
    )
    return f"{len(audit.tables['boxes']):,} boxes, {len(audit.tables['sources'])} sources"


def check_rerun(audit: Audit, case: Live) -> str:
    """Counterfactuals and regret, made again."""
    tables, pictures = rerun_tables(case, audit.tables["sources"], audit.parameters)
    for name, pixels in pictures.items():
        if name not in audit.pictures:
            raise Difference(f"pictures/{name}.png is missing")
        compare_pixels(f"pictures/{name}.png", audit.pictures[name], pixels)
    identical = all(np.array_equal(audit.pictures[name], pixels) for name, pixels in pictures.items())
    for name, table in tables.items():
        compare_tables(name, audit.tables[name], table, {} if identical and name != "regret" else ROUNDED)
    return f"{len(pictures)} translations without a source, {len(tables['regret'])} exact searches"


def check_fingerprints(audit: Audit, banks: BankUnion) -> None:
    """The fingerprints are those of the library's sources."""
    true = fingerprints(banks)
    if len(audit.fingerprints) != len(true):
        raise Difference(f"{PRINTS}: {len(audit.fingerprints)} sources, should be {len(true)}")
    for mine, other in zip(audit.fingerprints, true, strict=True):
        if mine != other:
            raise Difference(f"{PRINTS}: the fingerprint of {mine.source} was changed")


def check_thumbnails(audit: Audit, case: Live) -> None:
    """The thumbnails of the sources are what they should be."""
    true = thumbnails(case, audit.tables["sources"])
    if list(audit.thumbs) != list(true):
        raise Difference("manifest: sources are not those of the table")
    for number, (mine, other) in enumerate(zip(audit.thumbs.values(), true.values(), strict=True)):
        compare_jpegs(f"sources/{number:03d}.jpg", mine, other)


def check_report(audit: Audit, folder: Path) -> None:
    """The report and the CSV files say what the tables say, and there is nothing else in the folder."""
    there = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    for name in sorted((there - {SIGNATURE}) ^ audit.file_names()):
        raise Difference(f"{name} {'does not belong to the audit' if name in there else 'is missing'}")
    for name, table in audit.tables.items():
        if (folder / "tables" / f"{name}.csv").read_bytes() != as_csv(table).encode():
            raise Difference(f"tables/{name}.csv differs from tables/{name}.parquet")
    found, true = (folder / REPORT).read_bytes().decode(), render(audit)
    pictures = [DATA_URI.findall(text) for text in (found, true)]
    one, other = (DATA_URI.sub("picture", text) for text in (found, true))
    if one != other:
        lines = itertools.zip_longest(one.splitlines(), other.splitlines())
        line = next((n for n, (a, b) in enumerate(lines, 1) if a != b), 1)
        raise Difference(f"{REPORT} was changed, line {line}")
    for number, (mine, wanted) in enumerate(zip(*pictures, strict=True), 1):
        compare_jpegs(f"{REPORT}, picture {number}", base64.b64decode(mine), base64.b64decode(wanted))
