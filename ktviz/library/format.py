"""The library folder: a manifest written last, files that are named when damaged, one writer at a time.

    NAME.ktlib/
      library.json                     format version, encoder, settings, and per bank its kind and its files with
                                       size and SHA-256
      banks/TASK/STYLE@GENERATION/     of patches: sources.parquet, entries.parquet, tree.safetensors,
                                       keys.safetensors, features/part-0000.safetensors ... (one per source),
                                       thumbs/0000.jpg ...; of pictures: sources.parquet, pictures/0000.png ...,
                                       thumbs/0000.jpg ..., and with maps classes.csv, labels/0000.png ...,
                                       instances/0000.png ...; of codes: the same, and codes.json,
                                       entries.parquet, centres.parquet, rows/0000.parquet ...
      building/                        finished parts of an interrupted build; not part of the library
      .lock                            held while somebody writes

A bank's files never change: an edit writes a new generation beside the old one, replaces `library.json` by rename, and
only then removes what the manifest no longer names. Whatever interrupts it, the library is the old or the new one.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout
from safetensors import SafetensorError

from ktviz.errors import KtvizError, LibraryBusyError, LibraryError, MissingLibraryError, SettingError, StorageError
from ktviz.files import read_json, remedy
from ktviz.images import MAX_SIDE, MIN_SIDE, file_digest
from ktviz.library.kinds.patches.tree import check_branching
from ktviz.library.layout import LAYOUTS, PATCHES, Layout, layout_of

FORMAT_VERSION = 3
PATCHES_ONLY, HALF_KEYS = 1, 2
"""Older formats: in the first, banks are all of patches and do not say so; up to the second, search keys are numbers in
half precision."""
MANIFEST = "library.json"
RESTORE = "Restore the file from a copy, or remove the bank and build it again"
MOST_BYTES = 256 << 20
"""Of a manifest: names and digests of the files of a million sources."""
BUILDING = "building"
STRIDES = (1, 2)
BANK_NAME = re.compile(r"[a-z0-9][a-z0-9_.-]*/[a-z0-9][a-z0-9_.-]*")


def is_bank_name(name: str) -> bool:
    """Whether a bank of a library can have a name: "task/style"."""
    return BANK_NAME.fullmatch(name) is not None


@dataclass(frozen=True)
class LibrarySettings:
    """How a library's banks of patches are made; the same for all of them.

    Attributes:
        side_px: Sources are scaled to this shorter side.
        stride: Distance of neighbouring patches in feature cells; the paper takes every one, 2 takes every fourth and
            builds ten times faster.
        dedupe: Cosine above which two patches of one source are the same; 1 keeps all.
        branching: Children per tree node for each level; None chooses by size, (10, 10) is the paper's.
        key_dimensions: Numbers in a search key beside the mean of each channel, about: every band gets at least a
            sixteenth of them.
        seed: Seed of the clustering.
    """

    side_px: int = 512
    stride: int = 1
    dedupe: float = 0.9
    branching: tuple[int, ...] | None = None
    key_dimensions: int = 128
    seed: int = 7

    def __post_init__(self) -> None:
        if not MIN_SIDE <= self.side_px <= MAX_SIDE:
            raise SettingError(f"side {self.side_px} px", f"outside {MIN_SIDE} to {MAX_SIDE}", "Give for example 512")
        if self.stride not in STRIDES:  # others would leave no neighbours two cells apart, where queries are
            raise SettingError(f"stride {self.stride}", f"not one of {STRIDES}", "Give 1 (the paper) or 2")
        if not 0 < self.dedupe <= 1:
            raise SettingError(f"dedupe {self.dedupe}", "not a cosine above 0 and up to 1", "Give 0.9, or 1 for none")
        if self.key_dimensions < 4:
            raise SettingError(f"{self.key_dimensions} key dimensions", "fewer than 4 bands", "Give for example 128")
        if self.branching is not None:
            object.__setattr__(self, "branching", check_branching(self.branching))


@dataclass(frozen=True)
class EncoderIdentity:
    """Which encoder made the features."""

    name: str
    digest: str
    channels: int
    stride: int


@dataclass(frozen=True)
class BankRecord:
    """What the manifest knows of a bank.

    Attributes:
        kind: "patches", "pictures" or "codes".
        folder: Its folder, relative to the library.
        sources: Number of sources.
        entries: Number of entries.
        files: Relative path to (bytes, SHA-256).
    """

    kind: str
    folder: str
    sources: int
    entries: int
    files: dict[str, tuple[int, str]]

    @property
    def layout(self) -> Layout:
        """Where its files lie."""
        return layout_of(self.kind, self.files)

    @property
    def bytes(self) -> int:
        """Size of all files."""
        return sum(size for size, _ in self.files.values())

    @property
    def digest(self) -> str:
        """SHA-256 over the names and digests of the files: equal wherever they lie.

        The same sources give the same digest with the same versions of ktviz, pyarrow and Pillow.
        """
        lines = sorted(f"{name} {digest}\n" for name, (_, digest) in self.files.items())
        return hashlib.sha256("".join(lines).encode()).hexdigest()


@dataclass(frozen=True)
class Manifest:
    """`library.json`."""

    encoder: EncoderIdentity
    settings: LibrarySettings
    banks: dict[str, BankRecord] = field(default_factory=dict)

    def to_json(self) -> str:
        banks = {name: {**asdict(record), "digest": record.digest} for name, record in sorted(self.banks.items())}
        body = {"encoder": asdict(self.encoder), "settings": asdict(self.settings), "banks": banks}
        return json.dumps({"format": FORMAT_VERSION, "sha256": body_digest(body), **body}, indent=1) + "\n"

    @property
    def digest(self) -> str:
        """SHA-256 over the encoder, the settings and every bank's digest."""
        banks = {name: record.digest for name, record in sorted(self.banks.items())}
        body = json.dumps([asdict(self.encoder), asdict(self.settings), banks], sort_keys=True)
        return hashlib.sha256(body.encode()).hexdigest()


def read_manifest(folder: Path) -> Manifest:
    """Read and check `library.json`.

    Raises:
        LibraryError: No library, a damaged manifest, or one of a newer format.
    """
    asked = f"library {str(folder)!r}"
    try:
        data = read_json(folder / MANIFEST, MOST_BYTES)
    except (FileNotFoundError, NotADirectoryError):
        raise MissingLibraryError(
            asked, f"there is no {MANIFEST}", "Check the path, or build one: `ktviz library build`"
        ) from None
    except PermissionError as error:
        raise unreadable(asked, MANIFEST, error) from None
    except (OSError, ValueError) as error:
        raise LibraryError(asked, f"{MANIFEST} is damaged ({error})", "Restore it from a copy, or build anew") from None
    version = data.get("format") if isinstance(data, dict) else None
    if isinstance(version, int) and version > FORMAT_VERSION:
        raise LibraryError(asked, f"format {version}, newer than {FORMAT_VERSION}", "Upgrade ktviz to open it")
    if version not in (PATCHES_ONLY, HALF_KEYS, FORMAT_VERSION):
        raise LibraryError(
            asked, f"{MANIFEST} has format {version!r}, not {FORMAT_VERSION}", "Restore it from a copy, or build anew"
        )
    if data.get("sha256") != body_digest(data):
        raise LibraryError(
            asked, f"{MANIFEST} was changed by something else than ktviz", "Restore it from a copy, or build anew"
        )
    if version == PATCHES_ONLY:
        data = {**data, "banks": stating_kinds(data.get("banks"))}
    try:
        return parse_manifest(data)
    except (KeyError, TypeError, ValueError, AttributeError, SettingError) as error:
        raise LibraryError(asked, f"{MANIFEST}: {error}", "Restore it from a copy, or build anew") from None


def stating_kinds(banks: Any) -> Any:
    """The banks of a manifest of the first format, with their kind; what are no banks stays as it is."""
    if not isinstance(banks, dict):
        return banks
    return {name: {"kind": PATCHES, **bank} if isinstance(bank, dict) else bank for name, bank in banks.items()}


def body_digest(data: Mapping[str, Any]) -> str:
    """SHA-256 of all that a manifest says."""
    body = {name: value for name, value in data.items() if name not in ("format", "sha256")}
    return hashlib.sha256(json.dumps(body, sort_keys=True).encode()).hexdigest()


def parse_manifest(data: Mapping[str, Any]) -> Manifest:
    """A manifest's content.

    Raises:
        ValueError, TypeError, SettingError: It is not what `Manifest.to_json` writes: something is missing, is added,
            or is of another kind; the message says what.
    """
    check_keys(MANIFEST, data, {"format", "sha256", "encoder", "settings", "banks"})
    check_keys("encoder", data["encoder"], {part.name for part in fields(EncoderIdentity)})
    encoder = EncoderIdentity(**data["encoder"])
    texts, counts = (encoder.name, encoder.digest), (encoder.channels, encoder.stride)
    if not (all(isinstance(text, str) for text in texts) and all(map(is_count, counts))):
        raise ValueError(f"no encoder is {data['encoder']!r}")
    banks = {name: parse_bank(name, bank) for name, bank in as_object("banks", data["banks"]).items()}
    return Manifest(encoder, LibrarySettings(**as_object("settings", data["settings"])), banks)


def parse_bank(name: str, bank: Mapping[str, Any]) -> BankRecord:
    """What a manifest says of one bank: all of a bank's files with size and digest, and no other."""
    what = f"bank {name!r}"
    check_keys(what, bank, {"kind", "folder", "sources", "entries", "files", "digest"})
    kind, folder, files = bank["kind"], bank["folder"], as_object(f"files of {what}", bank["files"])
    if not isinstance(kind, str) or kind not in LAYOUTS:
        raise ValueError(f"{what} is of the kind {kind!r}, not one of {', '.join(LAYOUTS)}")
    if not is_bank_name(name) or not re.fullmatch(rf"banks/{re.escape(name)}@\d+", str(folder), re.ASCII):
        raise ValueError(f"{what} is not in a folder of its name inside the library (found {folder!r})")
    for count in ("sources", "entries"):
        if not is_count(bank[count]) or not bank[count]:
            raise ValueError(f"{what} has {bank[count]!r} {count}")
    check_listed(what, files, kind, bank["sources"])
    listed = {path: (size, digest) for path, (size, digest) in files.items()}
    record = BankRecord(kind, folder, bank["sources"], bank["entries"], listed)
    if bank["digest"] != record.digest:
        raise ValueError(f"{what} has another digest than its files")
    return record


def check_listed(what: str, files: Mapping[str, Any], kind: str, sources: int) -> None:
    """Raise ValueError unless the files of a bank with so many sources are listed, each with size and SHA-256."""
    if sources > len(files):
        raise ValueError(f"{what} lists {len(files)} files for {sources:,} sources")
    wanted = layout_of(kind, files).files(sources)
    for path in sorted(set(files) - wanted):
        raise ValueError(f"{what} lists {path!r}, which is no file of a bank inside the library")
    for path in sorted(wanted - set(files)):
        raise ValueError(f"{what} does not list its file {path}")
    for path, stated in files.items():
        if not (isinstance(stated, list) and len(stated) == 2 and is_count(stated[0]) and is_digest(stated[1])):
            raise ValueError(f"{what} lists {path} without size and SHA-256 (found {stated!r})")


def as_object(what: str, given: Any) -> Mapping[str, Any]:
    """An object of a JSON file; ValueError for anything else."""
    if not isinstance(given, dict):
        raise ValueError(f"{what}: no object (found {given!r})")
    return given


def check_keys(what: str, given: Any, wanted: Collection[str]) -> None:
    """Raise ValueError unless `given` is an object with exactly these keys."""
    for name in sorted(set(wanted) - set(as_object(what, given))):
        raise ValueError(f"{what} lacks {name!r}")
    for name in sorted(set(given) - set(wanted)):
        raise ValueError(f"{what} has a key {name!r} that ktviz does not write")


def is_count(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def is_digest(value: object) -> bool:
    return isinstance(value, str) and re.fullmatch(r"[0-9a-f]{64}", value) is not None


def write_manifest(folder: Path, manifest: Manifest) -> None:
    """Replace `library.json` by rename."""
    partial = folder / f"{MANIFEST}.part"
    with partial.open("w", encoding="utf-8") as file:
        file.write(manifest.to_json())
        file.flush()
        os.fsync(file.fileno())
    partial.replace(folder / MANIFEST)


def sweep(folder: Path, manifest: Manifest) -> None:
    """Remove generations of banks that the manifest does not name, left by this edit or by one that was killed.

    Raises:
        StorageError: The disk refuses; the library itself is complete.
    """
    try:
        remove_unnamed(folder, manifest)
    except OSError as error:
        raise StorageError(
            f"remove old files of {str(folder)!r}",
            f"{error.strerror or error}; the library itself is complete",
            "Free the files; the next edit tries again",
        ) from None


def remove_unnamed(folder: Path, manifest: Manifest) -> None:
    named = {(folder / record.folder).resolve() for record in manifest.banks.values()}
    for generation in (folder / "banks").glob("*/*@*"):
        if generation.resolve() not in named:
            shutil.rmtree(generation)
    for task in (folder / "banks").glob("*"):
        if not any(task.iterdir()):
            task.rmdir()


def record_files(folder: Path) -> dict[str, tuple[int, str]]:
    """Size and SHA-256 of every file below a folder, by relative path."""
    paths = sorted(path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): (path.stat().st_size, file_digest(path)) for path in paths}


def check_files(library: Path, name: str, record: BankRecord) -> None:
    """Compare a bank's files with the manifest.

    Raises:
        LibraryError: A file is missing, of another size, has other bytes, or was added; the message names it.
    """
    asked = f"bank {name!r} of {str(library)!r}"
    folder = library / record.folder
    try:
        found_files = sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if is_content(path))
    except OSError as error:
        raise unreadable(asked, record.folder, error) from None
    for path in found_files:
        if path not in record.files:
            raise LibraryError(asked, f"{path} is not in {MANIFEST}", "Remove it: ktviz did not write it")
    for path, (size, digest) in record.files.items():
        file = folder / path
        try:
            found = file.stat().st_size
            if found != size:
                raise LibraryError(asked, f"{path} has {found:,} bytes, not {size:,}", RESTORE)
            if file_digest(file) != digest:
                raise LibraryError(asked, f"{path} has a wrong digest: its bytes were changed", RESTORE)
        except OSError as error:
            raise unreadable(asked, path, error) from None


def unreadable(asked: str, path: str, error: OSError) -> LibraryError:
    """The error for a file that is not there, or may not be read: nothing says that it is damaged."""
    todo = "Ask its owner for permission to read it" if isinstance(error, PermissionError) else RESTORE
    return LibraryError(asked, f"{path} cannot be read ({error.strerror})", todo)


def is_content(path: Path) -> bool:
    """Whether a path is more than a folder: a file, a link, or anything else."""
    return path.is_symlink() or not path.is_dir()


@contextmanager
def writing(folder: Path) -> Iterator[None]:
    """Hold the library for writing; the operating system lets go of the lock if the process dies.

    Raises:
        LibraryBusyError: Another process is writing.
        LibraryError: A file that is to be read is missing.
        StorageError: The folder cannot be made or written, or the disk is full.
    """
    asked = f"write library {str(folder)!r}"
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StorageError(asked, error.strerror or str(error), remedy(error)) from error
    try:
        with FileLock(folder / ".lock", timeout=0):
            yield
    except Timeout:
        raise LibraryBusyError(asked, "another process is writing it", "Wait until it has finished") from None
    except KtvizError:
        raise
    except FileNotFoundError as error:
        raise LibraryError(asked, f"{error.filename!r} is missing; the library is as it was", RESTORE) from error
    except (OSError, SafetensorError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise StorageError(asked, f"{reason}; the library is as it was", remedy(error)) from error
