"""The folder in which an audit is handed over: its files, and the manifest that names and seals them."""

from __future__ import annotations

import hashlib
import json
import os
import stat
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from ktviz import folders
from ktviz.errors import AuditError, MissingAuditError
from ktviz.files import read_json
from ktviz.images import file_digest
from ktviz.tables import read_rows
from ktviz.trace import schema1

FORMAT, VERIFIED, OLDEST = 5, 4, 2
"""Of the folders that are written, the oldest whose files can be made again to the byte, and the oldest that can be
opened: of the first, anything could be forged."""
WRITTEN_BY = {2: "0.4", 3: "0.5"}
"""The latest version that wrote an older format."""
MANIFEST, REPORT, TRACE, PRINTS = "manifest.json", "report.html", "trace.parquet", "fingerprints.parquet"
SIGNATURE = "signature.json"
"""Signs the manifest, so the manifest does not list it; there only if the audit is signed."""
TABLES = (
    "sources",
    "served",
    "creators",
    "licences",
    "banks",
    "years",
    "boxes",
    "pieces",
    "rivals",
    "copies",
    "counterfactuals",
    "regret",
)
SINCE_5 = ("banks", "years")
"""Tables that folders of older formats lack."""
FIELDS: Mapping[str, type] = {
    "format": int,
    "title": str,
    "made": str,
    "versions": dict,
    "processor": str,
    "parameters": dict,
    "trace": str,
    "digests": dict,
    "image": dict,
    "sources": list,
    "searched": list,
    "unlisted": int,
    "control": int,
    "files": dict,
    "sha256": str,
}
"""What a manifest says, and nothing else; of the sources that were searched it names those that the trace lists, and
says how many more there were."""
SINCE_4 = ("unlisted",)
"""What manifests of older formats need not say."""


def table_names(number: int) -> list[str]:
    """The tables that a folder of a format holds."""
    return [name for name in TABLES if number >= 5 or name not in SINCE_5]


def check_target(folder: Path, overwrite: bool) -> None:
    """Raise StorageError unless an audit may be written there: nothing, an empty folder, or an audit to replace."""
    folders.check_target(folder, overwrite, "an audit", MANIFEST, FIELDS)


def write_folder(folder: Path, write: Callable[[Path], None]) -> None:
    """Make an audit; see `ktviz.folders.write_folder`."""
    folders.write_folder(folder, write, "an audit")


def in_folder(folder: Path, name: str) -> Path:
    """A file to be written in a folder; the folders on the way are made."""
    (folder / name).parent.mkdir(parents=True, exist_ok=True)
    return folder / name


def write_table(path: Path, table: pd.DataFrame) -> None:
    """A table as Parquet, without the remarks that pandas would add."""
    rows = pa.Table.from_pandas(table, preserve_index=False).replace_schema_metadata(None)
    pq.write_table(rows, path, compression="zstd")


def read_table(path: Path, columns: list[str], most: int) -> pd.DataFrame:
    """Columns of a table of at most so many rows.

    Raises:
        AuditError: It has more, or is damaged.
    """
    try:
        rows: pd.DataFrame = read_rows(path, columns, most).to_pandas()
    except (ValueError, pa.ArrowException) as error:
        raise AuditError(path.name, str(error), "Ask for the original") from None
    return rows


def file_list(folder: Path) -> dict[str, list[Any]]:
    """Size and SHA-256 of every file but the manifest and the signature."""
    files = sorted(plain_files(folder) - {MANIFEST, SIGNATURE})
    return {name: [(folder / name).stat().st_size, file_digest(folder / name)] for name in files}


def plain_files(folder: Path) -> set[str]:
    """All files of a folder, by their paths in it.

    Raises:
        AuditError: There is something besides plain files: links, pipes, devices, empty folders.
    """
    return set(walk(folder, folder))


def walk(folder: Path, root: Path) -> Iterator[str]:
    found = sorted(os.scandir(folder), key=lambda entry: entry.name)
    if not found and folder != root:
        raise not_plain(folder, root, "an empty folder")
    for entry in found:
        mode, path = entry.stat(follow_symlinks=False).st_mode, Path(entry.path)
        if stat.S_ISDIR(mode):
            yield from walk(path, root)
        elif stat.S_ISREG(mode):
            yield path.relative_to(root).as_posix()
        else:
            raise not_plain(path, root, "a link" if stat.S_ISLNK(mode) else "not a plain file")


def not_plain(path: Path, root: Path, found: str) -> AuditError:
    name = path.relative_to(root).as_posix()
    return AuditError(name, f"{found}, which does not belong to an audit", "Ask for the original folder")


def manifest_bytes(manifest: Mapping[str, Any]) -> bytes:
    """A manifest as it is written, sealed with the digest of its own content."""
    return json.dumps({**manifest, "sha256": body_digest(manifest)}, indent=1, sort_keys=True).encode()


def body_digest(manifest: Mapping[str, Any]) -> str:
    body = {name: value for name, value in manifest.items() if name != "sha256"}
    return hashlib.sha256(json.dumps(body, sort_keys=True).encode()).hexdigest()


def read_manifest(folder: Path) -> dict[str, Any]:
    """Read manifest.json.

    Raises:
        AuditError: Missing, no plain file, too large, damaged, changed, of another format, or with other fields than a
            manifest has.
    """
    asked = f"audit {str(folder)!r}"
    try:
        if (folder / MANIFEST).is_symlink():
            raise OSError("it is a link")
        manifest = read_json(folder / MANIFEST, folders.MOST_BYTES)
    except (FileNotFoundError, NotADirectoryError):
        raise MissingAuditError(asked, f"there is no {MANIFEST}", "Name a folder that `ktviz audit` made") from None
    except PermissionError as error:
        raise AuditError(
            asked, f"{MANIFEST} cannot be read ({error.strerror})", "Ask its owner for permission"
        ) from None
    except (OSError, ValueError) as error:
        raise AuditError(asked, f"{MANIFEST} is damaged ({error})", "Ask for a complete copy of the folder") from None
    check_fields(manifest, asked)
    return dict(manifest)


def canvases_of(manifest: Mapping[str, Any]) -> Mapping[str, Any]:
    """Size and digest of every picture of the run, by name."""
    image = manifest["image"] if manifest["format"] > OLDEST else schema1.pictures(manifest["image"])
    canvases: Mapping[str, Any] = image["canvases"]
    return canvases


def check_fields(manifest: Any, asked: str) -> None:
    """Raise AuditError unless a manifest has the fields of this format, of their types, and its own digest."""
    if not isinstance(manifest, dict) or not isinstance(manifest.get("format"), int):
        raise AuditError(asked, f"{MANIFEST} is not that of an audit", "Name a folder that `ktviz audit` made")
    if manifest["format"] > FORMAT:
        raise AuditError(asked, f"format {manifest['format']}, newer than {FORMAT}", "Upgrade ktviz to open it")
    if manifest["format"] < OLDEST:
        raise AuditError(
            asked, f"format {manifest['format']}, which can be forged", "Audit the photo again, or read its report.html"
        )
    if manifest.get("sha256") != body_digest(manifest):
        raise AuditError(asked, f"{MANIFEST} was changed", "Ask for the original folder")
    late = {name for name in SINCE_4 if manifest["format"] < 4 and name not in manifest}
    for name in dict.fromkeys((*FIELDS, *manifest)):
        if name in late:
            continue
        if name not in manifest or name not in FIELDS or type(manifest[name]) is not FIELDS[name]:
            wrong = (
                "is missing" if name not in manifest else "does not belong there" if name not in FIELDS else "is off"
            )
            raise AuditError(asked, f"{MANIFEST}: {name!r} {wrong}", "Ask for the original folder")
