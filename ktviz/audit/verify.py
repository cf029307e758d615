"""Verification: make an audit's findings again, compare, and name the first difference.

The folder is checked against its manifest first. A manifest can be forged, so everything is then made again: the
translation from the photo, model and library; the tables from the trace; the counterfactuals and the regret; the
report. Tables and report must agree exactly. What goes through the network may differ by rounding on another machine;
how much is allowed is stated below, and used only where a digest does not agree.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import torch

from ktviz.audit.audit import MANIFEST, REPORT, TRACE, Audit, all_versions, as_csv, read_manifest
from ktviz.audit.copied import control
from ktviz.audit.findings import copied_picture, derived_tables, rerun_tables
from ktviz.audit.fingerprint import fingerprints
from ktviz.audit.report import render, thumbnails
from ktviz.errors import KtvizError, MismatchError
from ktviz.images import Pixels, file_digest, pixel_digest
from ktviz.library.library import Library
from ktviz.library.search import compare
from ktviz.library.union import BankUnion
from ktviz.model.bands import to_vectors
from ktviz.model.decoder import Decoder
from ktviz.model.encoder import Encoder
from ktviz.model.translator import Translator
from ktviz.trace.live import Live, check_equal, check_same, live
from ktviz.trace.record import record
from ktviz.trace.schema import PARTS
from ktviz.trace.trace import Trace

LEVELS = 1
"""Levels by which a pixel may differ after rounding."""
SIMILARITY = 1e-3
"""What similarities in tables may differ by."""
ROUNDING, HALF = 1e-4, 2e-3
"""What numbers of a trace may differ by: those in single and those in half precision."""
DATA_URI = re.compile(r"data:image/[a-z]+;base64,[A-Za-z0-9+/=]+")


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
        return self


class Difference(Exception):
    """What was recorded is not what is found."""


def verify(
    folder: str | os.PathLike[str],
    library: Library | str | os.PathLike[str],
    *,
    model: Translator | None = None,
    sources: str | os.PathLike[str] | None = None,
) -> Verdict:
    """Check an audit: its files, then everything in it, made again.

    Args:
        folder: What `Audit.save` wrote.
        library: The library it names.
        model: The translator; the shipped encoder and decoder if None.
        sources: A folder with the original files of the sources, to be checked against their digests, too.

    Returns:
        A verdict; false, with the first difference, if anything differs.

    Raises:
        AuditError: The folder is no audit at all.
    """
    folder = Path(folder)
    if not (folder / MANIFEST).is_file():
        read_manifest(folder)  # says what is missing
    verdict = Verdict().run(file_checks(folder))
    if not verdict:
        return verdict
    audit = Audit.open(folder)
    if sources is not None:
        verdict.run(iter([("original files", lambda: check_sources(audit, Path(sources)))]))
    return verify_findings(audit, library, model, verdict, folder) if verdict else verdict


def verify_findings(
    audit: Audit,
    library: Library | str | os.PathLike[str],
    model: Translator | None = None,
    verdict: Verdict | None = None,
    folder: Path | None = None,
) -> Verdict:
    """Make the findings of an audit again, as `verify` does after it has checked the files."""
    return (verdict or Verdict()).run(finding_checks(audit, library, model, folder))


def file_checks(folder: Path) -> Iterator[tuple[str, Callable[[], str | None]]]:
    yield "manifest", lambda: f"format {read_manifest(folder)['format']}"
    yield "files", lambda: check_files(folder, read_manifest(folder)["files"])


def check_files(folder: Path, known: dict[str, list[Any]]) -> str:
    """Every file is there, and no other, with the bytes that the manifest names."""
    there = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()} - {MANIFEST}
    for name in sorted(set(known) - there):
        raise Difference(f"{name} is missing")
    for name in sorted(there - set(known)):
        raise Difference(f"{name} was added")
    for name, (_, digest) in sorted(known.items()):
        if file_digest(folder / name) != digest:
            raise Difference(f"{name} was changed: its bytes have another digest than the manifest says")
    return f"{len(known)} with their digests"


def check_sources(audit: Audit, folder: Path) -> str:
    """The original files are those that the audit names."""
    digests = {file_digest(path): path for path in folder.rglob("*") if path.is_file()}
    named = {path.name: path for path in digests.values()}
    for source in audit.trace.about["sources"]:
        if source["sha256"] not in digests:
            name = source["source"].rsplit("/", 1)[-1]
            found = "was changed" if name in named else "is missing"
            raise Difference(f"source file {name} {found}: no file has SHA-256 {source['sha256'][:12]}")
    return f"{len(audit.trace.about['sources'])} with their digests"


def finding_checks(
    audit: Audit, library: Library | str | os.PathLike[str], model: Translator | None, folder: Path | None
) -> Iterator[tuple[str, Callable[[], str | None]]]:
    """All that can be made again, the cheapest first."""
    trace = audit.trace
    translator = model or translator_for(trace, library)
    yield "model and library", lambda: check_same(trace, translator)
    case = live(trace, translator)
    yield "settings and digests", lambda: check_statement(audit, folder)
    yield "translation", lambda: check_translation(case)
    yield "tables from the trace", lambda: check_derived(audit)
    yield "counterfactuals and regret", lambda: check_rerun(audit, case)
    yield "fingerprints", lambda: check_fingerprints(audit, case.banks)
    yield "report", lambda: check_report(audit, case, folder)


def translator_for(trace: Trace, library: Library | str | os.PathLike[str]) -> Translator:
    """The shipped translator on the banks that a trace names.

    Raises:
        MismatchError: The library lacks a bank.
        LibraryError: A file of the library was changed.
    """
    opened = library if isinstance(library, Library) else Library.open(library)
    names = [name.removeprefix("library bank ") for name in trace.about["digests"] if name.startswith("library bank ")]
    for name in names:
        if name not in opened:
            raise MismatchError(f"library bank {name}", "the library has no such bank", "Give the library of the audit")
    return Translator(opened.select(names), Encoder.shipped(), Decoder.shipped())


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
    with record(case.model) as again:
        made = case.translate()
    remark = compare_pixels("pictures/output.png", case.output, made.image)
    return f"{remark}; {compare_traces(case, again)}"


def compare_traces(case: Live, found: Trace) -> str:
    """Raise Difference at the first candidate that differs by more than rounding."""
    recorded = case.trace
    if recorded.digest == found.digest:
        return f"{len(found):,} retrievals identical"
    if len(recorded.table) != len(found.table):
        raise Difference(f"{TRACE}: {len(recorded.table)} rows, found {len(found.table)}")
    other = recorded.column("entry", winners=False) != found.column("entry", winners=False)
    check_close_calls(case, found, np.flatnonzero(other))
    for name in recorded.table.column_names:
        compare_columns(name, recorded.table[name].filter(~other), found.table[name].filter(~other))
    return f"{len(found):,} retrievals equal up to rounding, {int(other.sum())} close calls apart"


def check_close_calls(case: Live, found: Trace, rows: npt.NDArray[np.int64]) -> None:
    """Where another candidate is found, the recorded one must really be as similar, to within rounding."""
    recorded = case.trace
    query, entry = (
        torch.from_numpy(recorded.column(n, winners=False)[rows].astype(np.int64)) for n in ("query", "entry")
    )
    entry[(entry < 0) | (entry >= len(case.banks))] = -1
    weights = torch.tensor(case.settings.search.band_weights)
    vectors = to_vectors(case.grid.unfold(case.features, query))
    truth = compare(vectors, entry[:, None], case.banks, weights)[0][:, 0].numpy() if len(rows) else np.empty(0)
    claimed, best = (t.column("similarity", winners=False)[rows] for t in (recorded, found))
    wrong = ~((np.abs(truth - best) <= ROUNDING) & (np.abs(claimed - best) <= ROUNDING))
    if wrong.any():
        n = int(np.flatnonzero(wrong)[0])
        theirs = found.column("entry", winners=False)[rows[n]]
        raise Difference(
            f"{TRACE}, retrieval {int(query[n])}: recorded entry {int(entry[n])} at {claimed[n]:.4f}, "
            f"found entry {theirs} at {best[n]:.4f}"
        )


def compare_columns(name: str, recorded: pa.ChunkedArray, found: pa.ChunkedArray) -> None:
    """Raise Difference at the first value of a trace's column that differs by more than rounding."""
    one, other = (pd.Series(flat(column)) for column in (recorded, found))
    if len(one) != len(other):
        raise Difference(f"{TRACE}: the column {name} was changed")
    if pd.api.types.is_float_dtype(other):
        room = HALF if recorded.type in (pa.float16(), PARTS) else ROUNDING
        equal = np.isclose(one.astype(float), other.astype(float), rtol=0, atol=room, equal_nan=True)
    else:
        equal = (one == other) | (one.isna() & other.isna())
    if not np.all(equal):
        row = int(np.flatnonzero(~np.asarray(equal))[0])
        raise Difference(f"{TRACE}, column {name}, value {row}: {one[row]}, found {other[row]}")


def flat(column: pa.ChunkedArray) -> npt.NDArray[Any]:
    """The values of a column of any type, lists one after the other."""
    values = column.combine_chunks()
    if pa.types.is_list(values.type) or pa.types.is_fixed_size_list(values.type):
        values = values.flatten()
    return np.asarray(values.to_numpy(zero_copy_only=False))


def compare_pixels(name: str, recorded: Pixels, found: Pixels) -> str:
    """Raise Difference at the first pixel that differs by more than rounding."""
    if recorded.shape != found.shape:
        raise Difference(
            f"{name} has {recorded.shape[1]}x{recorded.shape[0]} px, not {found.shape[1]}x{found.shape[0]}"
        )
    off = np.abs(recorded.astype(np.int16) - found).max(2)
    if off.max() > LEVELS:
        y, x = np.argwhere(off > LEVELS)[0]
        raise Difference(f"{name}, pixel ({x}, {y}): {recorded[y, x].tolist()}, should be {found[y, x].tolist()}")
    return "output identical" if not off.any() else f"output equal, {int((off > 0).sum())} pixels off by one level"


def check_derived(audit: Audit) -> str:
    """The tables that follow from the trace alone do follow from it, to the last digit."""
    for name, table in derived_tables(audit.trace).items():
        compare_tables(name, audit.tables[name], table, {})
    found = control(audit.trace)
    if audit.about["control"] != found:
        raise Difference(f"manifest: control {audit.about['control']}, should be {found}")
    compare_pixels(
        "pictures/copied.png", audit.pictures["copied"], copied_picture(audit.trace, audit.pictures["output"])
    )
    return f"{len(audit.tables['boxes']):,} boxes, {len(audit.tables['sources'])} sources"


ROUNDED = {
    "changed_share": 0.02,
    "mean_change": 0.05,
    "similarity": SIMILARITY,
    "exact_similarity": SIMILARITY,
    "regret": SIMILARITY,
}
"""What numbers of translations made again may differ by on another machine."""


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


def compare_tables(name: str, recorded: pd.DataFrame, found: pd.DataFrame, rounded: dict[str, float]) -> None:
    """Raise Difference at the first cell that differs."""
    path = f"tables/{name}"
    if list(recorded.columns) != list(found.columns):
        raise Difference(f"{path}: columns {', '.join(recorded.columns)}, should be {', '.join(found.columns)}")
    if len(recorded) != len(found):
        raise Difference(f"{path}: {len(recorded)} rows, should be {len(found)}")
    for column in found.columns:
        one, other = recorded[column].to_numpy(), found[column].to_numpy()
        if pd.api.types.is_float_dtype(found[column]):
            room = rounded.get(column, 1e-9)
            wrong = ~(np.isclose(one.astype(float), other.astype(float), rtol=0, atol=room, equal_nan=True))
        else:
            wrong = one.astype(str) != other.astype(str)
        if wrong.any() and not tolerated(column, wrong, found, rounded):
            row = int(np.flatnonzero(wrong)[0])
            raise Difference(f"{path}, row {row}, {column}: {one[row]}, should be {other[row]}")


def tolerated(column: str, wrong: npt.NDArray[np.bool_], found: pd.DataFrame, rounded: dict[str, float]) -> bool:
    """Whether other winners may be due to rounding: few, and only where that is allowed at all."""
    if not rounded or column not in ("exact_entry", "new_winners"):
        return False
    return bool(wrong.mean() <= 0.01) if column == "exact_entry" else True


def check_fingerprints(audit: Audit, banks: BankUnion) -> None:
    """The fingerprints are those of the library's sources."""
    for mine, other in zip(audit.fingerprints, fingerprints(banks), strict=True):
        if mine != other:
            raise Difference(f"manifest: the fingerprint of {mine.source} was changed")


def check_report(audit: Audit, case: Live, folder: Path | None) -> str | None:
    """The report, the CSV files and the thumbnails say what the tables say."""
    same_pillow = audit.about["versions"].get("pillow") == all_versions()["pillow"]
    if same_pillow and dict(audit.thumbs) != dict(thumbnails(case, audit.tables["sources"])):
        raise Difference("sources/: a thumbnail was changed")
    if folder is None:
        return None
    for name, table in audit.tables.items():
        if (folder / "tables" / f"{name}.csv").read_text(encoding="utf-8") != as_csv(table):
            raise Difference(f"tables/{name}.csv differs from tables/{name}.parquet")
    texts = [(folder / REPORT).read_text(encoding="utf-8"), render(audit)]
    if not same_pillow:  # another version may write the same picture in other bytes
        texts = [DATA_URI.sub("", text) for text in texts]
    if texts[0] != texts[1]:
        line = next(n for n, (a, b) in enumerate(zip(*(t.splitlines() for t in texts), strict=False), 1) if a != b)
        raise Difference(f"{REPORT} was changed, line {line}")
    return None if same_pillow else "pictures in it not compared: written by another version of Pillow"
