"""The audit: everything that was found, and the folder in which it is handed over."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import date
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd
import pyarrow as pa

from ktviz.audit.copied import control
from ktviz.audit.findings import (
    SAMPLE,
    SEED,
    TOP,
    Parameters,
    copied_picture,
    derived_tables,
    rerun_tables,
    searched_sources,
)
from ktviz.audit.fingerprint import Fingerprint, fingerprints, read_fingerprints, write_fingerprints
from ktviz.audit.report import render, thumbnails
from ktviz.errors import AuditError, KtvizError, MismatchError, MissingAuditError, StorageError
from ktviz.images import Pixels, encode_image, file_digest, pixel_digest, read_image
from ktviz.trace.about import versions
from ktviz.trace.live import Live, live
from ktviz.trace.trace import Trace

if TYPE_CHECKING:
    from ktviz.audit.verify import Verdict
    from ktviz.library.library import Library
    from ktviz.model.translator import Translator

FORMAT = 1
MANIFEST, REPORT, TRACE, PRINTS = "manifest.json", "report.html", "trace.parquet", "fingerprints.parquet"
TABLES = ("sources", "creators", "licences", "boxes", "copied", "counterfactuals", "regret")


@dataclass(frozen=True, eq=False)
class Audit:
    """Which works made a picture: findings, and what is needed to make them again.

    Attributes:
        title: Of the report.
        trace: Of one image, with its photo.
        tables: sources, creators, licences, boxes, copied, counterfactuals, regret.
        pictures: input, output, copied, and one for each counterfactual.
        thumbs: The sources that were used, where they were used: JPEG by name.
        fingerprints: Of all sources that were searched.
        parameters: How much was done.
        about: Versions, and the result of the control for copied regions.
    """

    title: str
    trace: Trace
    tables: Mapping[str, pd.DataFrame]
    pictures: Mapping[str, Pixels]
    thumbs: Mapping[str, bytes]
    fingerprints: tuple[Fingerprint, ...]
    parameters: Parameters
    about: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def create(
        cls,
        trace: Trace,
        *,
        title: str = "",
        top: int = TOP,
        sample: int = SAMPLE,
        seed: int = SEED,
        model: Translator | None = None,
        photo: Pixels | None = None,
    ) -> Audit:
        """Audit a translation.

        Args:
            trace: Of one image.
            title: Of the report; the banks' names if empty.
            top: Works without which the photo is translated again.
            sample: Retrievals that are compared with the exact search.
            seed: Of that sample.
            model: The translator; not needed while the one that recorded lives.
            photo: The photo, where the trace was saved without it.

        Raises:
            SettingError: `top` is negative, or `sample` below 1.
            TraceError, MismatchError: As in `attribute`.
        """
        parameters = Parameters(top, sample, seed)
        case = live(trace, model, photo)
        check_made_again(case)
        trace = without_regret(trace).with_pictures(case.pixels, case.output)
        case = replace(case, trace=trace)
        tables = derived_tables(trace)
        again, pictures = rerun_tables(case, tables["sources"], parameters)
        shown = {"input": case.pixels, "output": case.output, "copied": copied_picture(trace, case.output), **pictures}
        about = {
            "made": date.today().isoformat(),
            "versions": all_versions(),
            "control": control(trace),
            "searched": searched_sources(trace, case.banks),
        }
        prints = tuple(fingerprints(case.banks))
        thumbs = thumbnails(case, tables["sources"])
        title = title or ", ".join(case.banks.names)
        return cls(title, trace, {**tables, **again}, shown, thumbs, prints, parameters, about)

    def __repr__(self) -> str:
        used = self.tables["sources"].query("share > 0")
        best = ", ".join(f"{s} {p:.1%}" for s, p in zip(used["source"].head(2), used["share"].head(2), strict=True))
        return f"Audit({self.title!r}: {len(used)} sources used, {best}; {len(self.tables['copied'])} copied regions)"

    def _repr_html_(self) -> str | None:
        """What a notebook shows."""
        from ktviz.figures.cards import audit_card, unless_refused

        return unless_refused(audit_card, self)

    def save(self, folder: str | os.PathLike[str], *, overwrite: bool = False) -> None:
        """Write the folder: report.html, manifest.json, trace.parquet, tables/, pictures/; whole or not at all.

        Raises:
            StorageError: The folder exists and is not empty, or the disk refuses.
        """
        folder = Path(folder)
        check_target(folder, overwrite)
        try:
            folder.parent.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryDirectory(prefix=".ktviz-", dir=folder.parent) as scratch:
                made = Path(scratch) / "audit"
                self._write(made)
                if folder.exists():
                    shutil.rmtree(folder)
                made.rename(folder)
        except KtvizError:
            raise
        except OSError as error:
            reason = error.strerror or str(error)
            raise StorageError(f"write an audit to {str(folder)!r}", reason, "Choose another folder") from None

    def _write(self, folder: Path) -> None:
        for name in ("tables", "pictures", "sources"):
            (folder / name).mkdir(parents=True)
        self.trace.save(folder / TRACE)
        write_fingerprints(folder / PRINTS, self.fingerprints)
        for name, table in self.tables.items():
            table.to_parquet(folder / "tables" / f"{name}.parquet", compression="zstd", index=False)
            (folder / "tables" / f"{name}.csv").write_text(as_csv(table), encoding="utf-8")
        for name, pixels in self.pictures.items():
            (folder / "pictures" / f"{name}.png").write_bytes(encode_image(pixels, "png"))
        for number, data in enumerate(self.thumbs.values()):
            (folder / "sources" / f"{number:03d}.jpg").write_bytes(data)
        (folder / REPORT).write_text(render(self), encoding="utf-8")
        manifest = json.dumps(sealed(self.manifest(folder)), indent=1, sort_keys=True)
        (folder / MANIFEST).write_text(manifest, encoding="utf-8")

    def file_names(self) -> set[str]:
        """What its folder holds."""
        names = {MANIFEST, REPORT, TRACE, PRINTS}
        names |= {f"tables/{name}.{kind}" for name in self.tables for kind in ("csv", "parquet")}
        names |= {f"pictures/{name}.png" for name in ("input", "output", "copied")}
        names |= set(self.tables["counterfactuals"]["picture"])
        return names | {f"sources/{number:03d}.jpg" for number in range(len(self.thumbs))}

    def manifest(self, folder: Path) -> dict[str, Any]:
        """What the manifest says, with the digest of every file of a folder."""
        files = sorted(path for path in folder.rglob("*") if path.is_file() and path.name != MANIFEST)
        return {
            "format": FORMAT,
            "title": self.title,
            "parameters": asdict(self.parameters),
            "trace": self.trace.digest,
            "digests": dict(self.trace.about["digests"]),
            "image": dict(self.trace.picture.about),
            "sources": list(self.thumbs),
            **self.about,
            "files": {p.relative_to(folder).as_posix(): [p.stat().st_size, file_digest(p)] for p in files},
        }

    @classmethod
    def open(cls, folder: str | os.PathLike[str]) -> Audit:
        """Read an audit. Whether it is true is another question: `verify`.

        Raises:
            AuditError: Not an audit, or one of its files is missing or damaged.
        """
        folder = Path(folder)
        manifest = read_manifest(folder)
        try:
            tables = {name: pd.read_parquet(folder / "tables" / f"{name}.parquet") for name in TABLES}
            made = [Path(name).stem for name in tables["counterfactuals"]["picture"]]
            named = ("input", "output", "copied", *made)
            pictures = {name: read_image(folder / "pictures" / f"{name}.png") for name in named}
            thumbs = {
                name: (folder / "sources" / f"{number:03d}.jpg").read_bytes()
                for number, name in enumerate(manifest["sources"])
            }
            trace = Trace.open(folder / TRACE)
            trace = trace.with_pictures(pictures["input"], pictures["output"])
            prints = read_fingerprints(folder / PRINTS)
            about = {name: manifest[name] for name in ("made", "versions", "control", "searched")}
            parameters = Parameters(**manifest["parameters"])
            return cls(manifest["title"], trace, tables, pictures, thumbs, prints, parameters, about)
        except (OSError, LookupError, ValueError, TypeError, AttributeError, KtvizError) as error:
            raise AuditError(
                f"audit {str(folder)!r}", f"cannot be read ({error})", "Ask for a complete copy of the folder"
            ) from None

    def verify(self, library: Library | str | os.PathLike[str]) -> Verdict:
        """Make everything again with a library and compare.

        Raises:
            AuditError: Something differs; the message names the first difference.
        """
        from ktviz.audit.verify import verify_findings

        verdict = verify_findings(self, library)
        if verdict.difference:
            raise AuditError(f"verify {self.title!r}", verdict.difference, "Do not rely on this audit")
        return verdict


def check_made_again(case: Live) -> None:
    """Raise MismatchError if a trace came without its output and it cannot be made again to the last bit."""
    recorded, made = str(case.trace.picture.about["output"]), pixel_digest(case.output)
    if recorded != made:
        raise MismatchError(
            f"the output of the trace ({recorded[:12]})",
            f"made again here, it rounds to another one ({made[:12]})",
            "Save traces with pictures='both' to audit them elsewhere, or audit the photo",
        )


def without_regret(trace: Trace) -> Trace:
    """The trace without the columns that `with_regret` fills: an audit has a table for that."""
    table = trace.table
    for name in ("exact_entry", "regret"):
        place = table.schema.get_field_index(name)
        table = table.set_column(place, table.schema.field(place), pa.nulls(len(table), table.schema.field(place).type))
    return trace.with_table(table)


def check_target(folder: Path, overwrite: bool) -> None:
    """Raise StorageError unless an audit may be written there: nothing, an empty folder, or an audit to replace."""
    asked = f"write an audit to {str(folder)!r}"
    if folder.exists() and not folder.is_dir():
        raise StorageError(asked, "it is a file", "Name a new folder")
    if not folder.exists() or not any(folder.iterdir()):
        return
    if not overwrite:
        raise StorageError(asked, "it is not empty", "Name a new folder, or allow overwriting")
    if not (folder / MANIFEST).is_file():
        raise StorageError(asked, "it holds something else than an audit", "Name a new folder")


def as_csv(table: pd.DataFrame) -> str:
    """A table as CSV, numbers with nine digits; text that a spreadsheet would run gets a quote before it."""
    table = table.copy()
    for name in (name for name in table if not pd.api.types.is_numeric_dtype(table[name])):
        table[name] = [disarmed(value) for value in table[name]]
    return str(table.to_csv(index=False, float_format="%.9g", lineterminator="\n"))


def disarmed(value: Any) -> Any:
    """Text that no spreadsheet takes for a formula."""
    return f"'{value}" if isinstance(value, str) and value.startswith(("=", "+", "-", "@")) else value


def all_versions() -> dict[str, str]:
    """Versions of what the bytes of an audit depend on."""
    return {**versions(), "numpy": version("numpy"), "pandas": version("pandas"), "pillow": version("pillow")}


def sealed(manifest: Mapping[str, Any]) -> dict[str, Any]:
    """A manifest with the digest of its own content."""
    return {**manifest, "sha256": body_digest(manifest)}


def body_digest(manifest: Mapping[str, Any]) -> str:
    body = {name: value for name, value in manifest.items() if name != "sha256"}
    return hashlib.sha256(json.dumps(body, sort_keys=True).encode()).hexdigest()


def read_manifest(folder: Path) -> dict[str, Any]:
    """Read manifest.json.

    Raises:
        AuditError: Missing, damaged, changed, or of a newer format.
    """
    asked = f"audit {str(folder)!r}"
    try:
        manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    except (FileNotFoundError, NotADirectoryError):
        raise MissingAuditError(asked, f"there is no {MANIFEST}", "Name a folder that `ktviz audit` made") from None
    except (OSError, ValueError) as error:
        raise AuditError(asked, f"{MANIFEST} is damaged ({error})", "Ask for a complete copy of the folder") from None
    if not isinstance(manifest, dict) or not isinstance(manifest.get("format"), int):
        raise AuditError(asked, f"{MANIFEST} is not that of an audit", "Name a folder that `ktviz audit` made")
    if manifest["format"] > FORMAT:
        raise AuditError(asked, f"format {manifest['format']}, newer than {FORMAT}", "Upgrade ktviz to open it")
    if manifest.get("sha256") != body_digest(manifest):
        raise AuditError(asked, f"{MANIFEST} was changed", "Ask for the original folder")
    return manifest
