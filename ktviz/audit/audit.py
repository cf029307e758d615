"""The audit: everything that was found, as a folder that somebody else can verify."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import date
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cv2
import pandas as pd
from PIL import features

from ktviz.audit.asked import (
    asked_files,
    asked_numbers,
    attributions_of,
    comparisons_of,
    kept,
    translations_of,
    write_asked,
)
from ktviz.audit.copies import COLUMNS as COPIES
from ktviz.audit.credentials import write_credentials
from ktviz.audit.evidence import (
    SAMPLE,
    SEED,
    TOP,
    Evidence,
    Parameters,
    counterfactual_names,
    gather,
    searched_sources,
)
from ktviz.audit.findings import knowledge_files, pictures_of, tables_of
from ktviz.audit.fingerprint import Fingerprint, fingerprints, read_fingerprints, write_fingerprints
from ktviz.audit.folder import (
    FORMAT,
    MANIFEST,
    PRINTS,
    REPORT,
    TRACE,
    check_target,
    file_list,
    in_folder,
    manifest_bytes,
    read_manifest,
    read_table,
    table_names,
    write_folder,
    write_table,
)
from ktviz.audit.report import render, thumbnails
from ktviz.audit.rivals import COLUMNS as RIVALS
from ktviz.errors import AuditError, KtvizError, MismatchError, SettingError
from ktviz.explain.attribution import Attribution
from ktviz.explain.case import Case, case_of
from ktviz.explain.counterfactual import Comparison
from ktviz.explain.pieces import control
from ktviz.explain.result import check_paints, check_retrieved, one_site
from ktviz.folders import write_csv
from ktviz.images import Pixels, encode_image, pixel_digest, read_image, stored_size
from ktviz.printing import counted
from ktviz.trace.about import processor, version, versions
from ktviz.trace.recorded import Traced
from ktviz.trace.shares import own_sources
from ktviz.trace.trace import Trace
from ktviz.values import short

if TYPE_CHECKING:
    from ktviz.audit.verdict import Verdict
    from ktviz.library.library import Library
    from ktviz.systems.protocol import System

LONGEST_TITLE = 1000
"""Letters."""
MOST_COPIES = 100_000
"""Rows of a table of copies that are read."""


@dataclass(frozen=True, eq=False)
class Audit:
    """Which works made a picture: findings, and what is needed to make them again.

    Attributes:
        title: Of the report.
        evidence: What the model made: the trace, translations without the largest sources, exact searches, and what a
            person asked.
        thumbs: The sources that were used, where they were used: JPEG by name.
        fingerprints: Of all sources that the trace lists, if they are in a library.
        parameters: How much was done.
        about: When and with what it was made, which works were searched, the control for pieces.
        format: Of the folder that is written: today's; an older one is written to be compared alone.

    Example:
        >>> audit = kt.Audit.create(trace, title="Stripes", top=1, sample=5)
        >>> audit.tables["sources"]["creator"].tolist()
        ['Painter 1', 'Painter 3', 'Painter 0', 'Painter 2', 'Painter 4']
        >>> home = pathlib.Path(tempfile.mkdtemp())
        >>> audit.save(home / "audit")
        >>> kt.Audit.open(home / "audit").verify(world.library, model=world.translator).difference
        ''
        >>> audit.write(home / "again")
        >>> audit.manifest(home / "again")["files"] == audit.manifest(home / "audit")["files"], len(audit.file_names())
        (True, 38)
        >>> _ = kt.self_made_certificate(home / "ann.key", "Ann")
        >>> audit.write_credentials(home / "out.png", home / "ann.key.crt", home / "ann.key")
        >>> case = case_of(audit.trace, "rerun", model=world.translator)
        >>> kt.Audit.assemble(audit.evidence, case, audit.parameters, "Four stripes").title
        'Four stripes'
    """

    title: str
    evidence: Evidence
    thumbs: Mapping[str, bytes]
    fingerprints: tuple[Fingerprint, ...]
    parameters: Parameters
    about: Mapping[str, Any] = field(default_factory=dict)
    format: int = FORMAT

    @classmethod
    def create(
        cls,
        trace: Traced,
        *,
        title: str = "",
        top: int = TOP,
        sample: int = SAMPLE,
        seed: int = SEED,
        attributions: Attribution | Iterable[Attribution] = (),
        comparisons: Comparison | Iterable[Comparison] = (),
        model: object | None = None,
        photo: Pixels | None = None,
    ) -> Audit:
        """Audit a translation.

        Args:
            trace: Of one image, or a result that was recorded.
            title: Of the report; the banks' names if empty.
            top: Works without which the photo is translated again.
            sample: Retrievals that are compared with the exact search.
            seed: Of that sample.
            attributions: What you asked of this trace, to be kept in the audit: `attribute(trace, region)`. Whoever
                verifies the audit asks again.
            comparisons: Likewise, `compare(trace, without(trace, source))`. Each other run is made again here.
            model: The system; not needed while the one that recorded lives.
            photo: The photo, where the trace was saved without it.

        Raises:
            SettingError: `top` is negative, `sample` below 1, or the title no short text; or an attribution or a
                comparison is of another trace, or cannot be asked again: found within some seconds, or with other
                knowledge.
            TraceError, MismatchError: As in `attribute`.
            AbilityError: The trace is of a site that did not paint the output.

        Example:
            >>> kt.Audit.create(  # doctest: +SKIP
            ...     trace,
            ...     attributions=[kt.attribute(trace, kt.Box(40, 40, 64, 64), through="gradient")],
            ...     comparisons=[kt.compare(trace, kt.without(trace, "starry-river"))],
            ... )
            Audit('art/impasto': 6 sources used, ...)
        """
        parameters = Parameters(top, sample, seed)
        if (
            not isinstance(title, str)
            or len(title) > LONGEST_TITLE
            or title.encode("utf-8", "ignore").decode() != title
        ):
            asked = f"an audit titled {short(title)}"
            raise SettingError(
                asked, f"not a text of Unicode of at most {LONGEST_TITLE:,} letters", "Give a short title"
            )
        given = one_site(trace)
        check_paints(given, "audit a trace")
        check_retrieved(given, "audit a trace")
        case = case_of(given, "rerun", model=model, photo=photo, asked="audit a trace")
        check_made_again(case)
        evidence = gather(case, parameters)
        case = replace(case, trace=evidence.trace)
        evidence = replace(
            evidence,
            attributions=attributions_of(given, evidence.trace, attributions),
            compared=translations_of(case, given, comparisons),
        )
        return cls.assemble(evidence, case, parameters, title or title_of(evidence.trace))

    @classmethod
    def assemble(cls, evidence: Evidence, case: Case, parameters: Parameters, title: str) -> Audit:
        """An audit from its evidence: all the rest follows."""
        banks = case.system.banks
        searched, more = searched_sources(case)
        about = {
            "made": date.today().isoformat(),
            "versions": all_versions(),
            "processor": processor(),
            "control": control(evidence.trace),
            "searched": searched,
            "unlisted": more,
        }
        named = {source["source"] for source in evidence.trace.about["sources"]}
        prints = () if banks is None else tuple(fingerprints(banks, named))
        return cls(title, evidence, thumbnails(case), prints, parameters, about)

    @property
    def trace(self) -> Trace:
        """Of one image, with its photo and its output."""
        return self.evidence.trace

    @cached_property
    def tables(self) -> Mapping[str, pd.DataFrame]:
        """sources, served, creators, licences, banks, years, boxes, pieces, rivals, copies, counterfactuals, regret."""
        found = tables_of(self.evidence)
        return {name: found[name] for name in table_names(self.format)}

    @cached_property
    def pictures(self) -> Mapping[str, Pixels]:
        """input, output, pieces, copies, and one for each counterfactual, attribution and comparison."""
        return pictures_of(self.evidence)

    @property
    def attributions(self) -> tuple[Attribution, ...]:
        """What a person asked of the translation."""
        return self.evidence.attributions

    @cached_property
    def comparisons(self) -> tuple[Comparison, ...]:
        """With what a person compared the translation."""
        return comparisons_of(self.evidence)

    @property
    def works(self) -> str:
        """How many sources were used, or only are most alike, in words."""
        number = int((self.tables["sources"]["share"] != 0).sum())
        return f"{counted(number, 'source')} {'most alike, not used' if self.trace.caveat else 'used'}"

    def __repr__(self) -> str:
        used = self.tables["sources"].query("share != 0")
        best = ", ".join(f"{s} {p:.1%}" for s, p in zip(used["source"].head(2), used["share"].head(2), strict=True))
        found = ", ".join(f"{name}: {len(self.tables[name])}" for name in ("pieces", "copies"))
        caveat = f" ({self.trace.caveat})" if self.trace.caveat else ""
        return f"Audit({self.title!r}: {self.works}, {best}{caveat}; {found})"

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
        write_folder(folder, self.write)

    def write_credentials(
        self, path: str | os.PathLike[str], certificates: str | os.PathLike[str], key: str | os.PathLike[str]
    ) -> None:
        """Write the picture with a signed claim of what it was made of: see `ktviz.write_credentials`."""
        write_credentials(path, self.trace, certificates, key, thumbs=self.thumbs)

    def write(self, folder: Path) -> None:
        """Write everything into a folder that does not exist yet."""
        self.evidence.recording.save(in_folder(folder, TRACE), pictures="none")
        write_fingerprints(folder / PRINTS, self.fingerprints)
        for name, table in self.tables.items():
            write_table(in_folder(folder, f"tables/{name}.parquet"), table)
            write_csv(in_folder(folder, f"tables/{name}.csv"), table)
        for name, pixels in self.pictures.items():
            in_folder(folder, f"pictures/{name}.png").write_bytes(encode_image(pixels, "png"))
        for source, name in counterfactual_names(self.evidence).items():
            self.evidence.without[source].save(in_folder(folder, f"counterfactuals/{name}.parquet"), pictures="none")
        write_asked(folder, self.evidence)
        for number, data in enumerate(self.thumbs.values()):
            in_folder(folder, f"sources/{number:03d}.jpg").write_bytes(data)
        (folder / REPORT).write_text(render(self), encoding="utf-8")
        (folder / MANIFEST).write_bytes(manifest_bytes(self.manifest(folder)))

    def file_names(self) -> set[str]:
        """What its folder holds."""
        names = {MANIFEST, REPORT, TRACE, PRINTS}
        names |= {f"tables/{name}.{kind}" for name in table_names(self.format) for kind in ("csv", "parquet")}
        names |= {f"pictures/{name}.png" for name in self.pictures}
        names |= {f"counterfactuals/{name}.parquet" for name in counterfactual_names(self.evidence).values()}
        names |= asked_files(self.evidence)
        return names | {f"sources/{number:03d}.jpg" for number in range(len(self.thumbs))}

    def manifest(self, folder: Path) -> dict[str, Any]:
        """What the manifest says, with the digest of every file of a folder."""
        return {
            "format": self.format,
            "title": self.title,
            "parameters": asdict(self.parameters),
            "trace": self.trace.digest,
            "digests": dict(self.trace.about["digests"]),
            "image": dict(self.trace.picture.about),
            "sources": list(self.thumbs),
            **self.about,
            "files": file_list(folder),
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
            parameters = Parameters(**manifest["parameters"])
            evidence = read_evidence(folder, manifest)
            thumbs = {
                name: (folder / "sources" / f"{number:03d}.jpg").read_bytes()
                for number, name in enumerate(manifest["sources"])
            }
            about = {name: manifest[name] for name in ("made", "versions", "processor", "control", "searched")}
            about["unlisted"] = manifest.get("unlisted", 0)  # of format 3 and before, all are named
            prints = read_fingerprints(folder / PRINTS)
            return cls(manifest["title"], evidence, thumbs, prints, parameters, about)
        except (OSError, LookupError, ValueError, TypeError, AttributeError, KtvizError) as error:
            raise AuditError(
                f"audit {str(folder)!r}", f"cannot be read ({error})", "Ask for a complete copy of the folder"
            ) from None

    def verify(
        self, library: Library | str | os.PathLike[str] | None = None, *, model: System | None = None
    ) -> Verdict:
        """Make everything again, with the library if the audit names one, and compare.

        Raises:
            AuditError: Something differs; the message names the first difference.
        """
        from ktviz.audit.verify import verify

        with tempfile.TemporaryDirectory() as scratch:
            self.write(Path(scratch) / "audit")
            verdict = verify(Path(scratch) / "audit", library, model=model)
        if verdict.difference:
            raise AuditError(f"verify {self.title!r}", verdict.difference, "Do not rely on this audit")
        return verdict


def read_evidence(folder: Path, manifest: Mapping[str, Any]) -> Evidence:
    """What a folder holds that the model has made; the rest of it follows and is not read."""
    recording = Trace.open(folder / TRACE)
    trace = one_site(recording)
    if (size := stored_size((folder / "pictures/input.png").read_bytes(), "input.png")) != trace.picture.size:
        raise ValueError(
            f"pictures/input.png is {size[1]}x{size[0]} px, not {trace.picture.size[1]}x{trace.picture.size[0]}"
        )
    pictures = {name: read_image(folder / "pictures" / f"{name}.png") for name in ("input", "output")}
    known = {canvas: read_image(folder / f"pictures/{file}.png") for canvas, file in knowledge_files(trace).items()}
    recording = recording.with_canvases({**canvases(trace, pictures["input"], pictures["output"]), **known})
    trace = one_site(recording)
    best = read_table(folder / "tables/regret.parquet", ["query", "exact_entry", "exact_similarity"], len(trace))
    sources = read_table(folder / "tables/counterfactuals.parquet", ["source"], len(trace.about["sources"]))["source"]
    rivals = read_table(folder / "tables/rivals.parquet", RIVALS, len(trace))
    copies = read_table(folder / "tables/copies.parquet", list(COPIES), MOST_COPIES).astype(COPIES)
    evidence = Evidence(recording, dict.fromkeys(sources, trace), best, rivals, copies)

    def translation(file: str, picture: str) -> Trace:
        """Another one of the same photo."""
        found = Trace.open(folder / f"{file}.parquet")
        output = read_image(folder / f"pictures/{picture}.png")
        alike = [canvas for canvas in known if found.picture.sha256(canvas) == trace.picture.sha256(canvas)]
        shared = {canvas: known[canvas] for canvas in alike}  # another run may have taken another exemplar
        return found.with_canvases({**canvases(found, pictures["input"], output), **shared})

    names = counterfactual_names(evidence).items()
    attributions, comparisons = asked_numbers(manifest["files"])
    return replace(
        evidence,
        without={source: translation(f"counterfactuals/{name}", name) for source, name in names},
        attributions=tuple(kept(Attribution.open(folder / f"attributions/{n}.parquet"), trace) for n in attributions),
        compared=tuple(translation(f"comparisons/{n}-trace", f"comparison-{n}") for n in comparisons),
    )


def canvases(trace: Trace, photo: Pixels, output: Pixels) -> dict[str, Pixels]:
    """Photo and output by the names that the trace has for them."""
    about = one_site(trace).site_about
    return {about["canvas"]: photo, about["output"]: output}


def title_of(trace: Trace) -> str:
    """A title, if nobody gives one: the banks that the picture could be made from."""
    painting = one_site(trace)
    sources = zip(painting.about["sources"], own_sources(painting), strict=True)
    searched = {source["bank"] for source, own in sources if not own}
    return ", ".join(bank for bank in trace.about["banks"] if bank in searched)


def check_made_again(case: Case) -> None:
    """Raise MismatchError if a trace came without its output and it cannot be made again to the last bit."""
    recorded, made = str(case.trace.picture.sha256(case.trace.site_about["output"])), pixel_digest(case.output)
    if recorded != made:
        raise MismatchError(
            f"the output of the trace ({recorded[:12]})",
            f"made again here, it rounds to another one ({made[:12]})",
            "Save traces with pictures='both' to audit them elsewhere, or audit the photo",
        )


def all_versions() -> dict[str, str]:
    """Versions of what the bytes of an audit depend on."""
    packages = {name: version(name) for name in ("numpy", "pandas", "pyarrow", "pillow", "jinja2")}
    codecs = {name: str(features.version(name)) for name in ("jpg", "zlib")}
    return {**versions(), **packages, **codecs, "opencv": cv2.__version__}
