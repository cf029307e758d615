"""Ways to tamper with an audit: some clumsy, some by a forger who makes all that follows fit."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
from PIL import Image

from ktviz.audit.audit import Audit
from ktviz.audit.evidence import Evidence
from ktviz.audit.folder import MANIFEST, REPORT, TABLES, TRACE
from ktviz.systems.protocol import System
from ktviz.testing.forging import change_cell, edit, forge, seal
from ktviz.trace.pictures import OUTPUT, Picture
from ktviz.trace.trace import Trace

Tamper = Callable[[Path, System], bool]
"""Tampers with the audit in a folder; false if there is nothing of the kind to change."""


def flipped(file: str, folder: Path, system: System) -> bool:
    """One bit in the middle of a file, and nothing else."""
    path = folder / file
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    return True


def other_pixel(folder: Path, system: System) -> bool:
    """Another colour in the output, all digests of files made to fit."""
    path = folder / "pictures" / "output.png"
    if not path.exists():
        return False
    pixels = np.array(Image.open(path))
    pixels[pixels.shape[0] // 2, pixels.shape[1] // 2] ^= 64
    Image.fromarray(pixels).save(path)
    seal(folder)
    return True


def other_text(folder: Path, system: System) -> bool:
    """Another word in the report, its digest made to fit."""
    path = folder / REPORT
    path.write_text(path.read_text(encoding="utf-8").replace("</h1>", "!</h1>", 1), encoding="utf-8")
    seal(folder)
    return True


def other_share(folder: Path, system: System) -> bool:
    """Another number in the table of sources, its digest made to fit."""
    path = next(iter(sorted((folder / "tables").glob(f"{TABLES[0]}*"))), None)
    if path is None:
        return False
    lines = path.read_text(encoding="utf-8").splitlines()
    if len(lines) < 2:
        return False
    path.write_text("\n".join([lines[0], lines[1].replace("0.", "0.9", 1) + " ", *lines[2:]]) + "\n", encoding="utf-8")
    seal(folder)
    return True


def other_model(folder: Path, system: System) -> bool:
    """Another network than the one that made it, by its digest."""

    def change(manifest: dict[str, dict[str, str]]) -> None:
        name = sorted(manifest["digests"])[0]
        manifest["digests"][name] = "0" * 64

    edit(folder, change)
    return True


def other_digest(folder: Path, system: System) -> bool:
    """Another digest of a picture that the run took, and the whole audit made again."""

    def change(evidence: Evidence) -> Evidence:
        trace, picture = evidence.recording, evidence.recording.picture
        name = [name for name in picture.about["canvases"] if not name.startswith(OUTPUT)][-1]
        told = {**picture.about["canvases"][name], "sha256": "0" * 64}
        about = {**picture.about, "canvases": {**picture.about["canvases"], name: told}}
        return replace(evidence, recording=Trace(trace.table, trace.about, [Picture(picture.canvases, about)]))

    forge(folder, system, change)
    return True


def other_cell(column: str, folder: Path, system: System) -> bool:
    """Another value in a row of the trace, and the whole audit made again from it."""
    before = Audit.open(folder).evidence
    after = change_cell(before, column, True)
    if after.recording.digest == before.recording.digest:
        return False
    forge(folder, system, lambda evidence: after)
    return True


def fewer_rows(folder: Path, system: System) -> bool:
    """A retrieval less, and the whole audit made again from what is left."""

    def drop(evidence: Evidence) -> Evidence:
        trace = evidence.recording
        last = trace.column("query", winners=False) != trace.column("query", winners=False).max()
        return replace(evidence, recording=trace.with_table(trace.table.filter(last)))

    forge(folder, system, drop)
    return True


TAMPERINGS: Mapping[str, Tamper] = {
    "a flipped bit in the trace": partial(flipped, TRACE),
    "a flipped bit in the manifest": partial(flipped, MANIFEST),
    "another pixel": other_pixel,
    "another word in the report": other_text,
    "another share": other_share,
    "another model": other_model,
    "another digest of a picture": other_digest,
    "another weight": partial(other_cell, "weight"),
    "another similarity": partial(other_cell, "similarity"),
    "another entry": partial(other_cell, "entry"),
    "a retrieval less": fewer_rows,
}
"""By what they change."""
