"""The library folder: a small manifest written last, and one writer at a time::

    NAME.ktlib/
      library.json                     format version, encoder, settings, and per bank its kind, counts, digests and
                                       tables with size and SHA-256
      banks/TASK/STYLE@GENERATION/     the tables of a bank; one of them names the files of every source
      banks/TASK/STYLE/                the files of each source, called by its content
      building/                        finished parts of an interrupted build; not part of the library
      .lock                            held while somebody writes

Files never change: an edit writes a new generation of tables beside the old one, replaces `library.json` by rename, and
only then removes what is not named any more. Whatever interrupts it, the library is the old or the new one.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout
from safetensors import SafetensorError

from ktviz.errors import KtvizError, LibraryBusyError, LibraryError, MissingLibraryError, SettingError, StorageError
from ktviz.files import read_json, remedy
from ktviz.images import MAX_SIDE, MIN_SIDE
from ktviz.library.kinds.patches.tree import check_branching
from ktviz.library.layout import LAYOUTS, TREE, Layout, layout_of

FORMAT_VERSION = 3
PATCHES_ONLY, HALF_KEYS = 1, 2
"""Older formats; see `ktviz.library.older`."""
MANIFEST = "library.json"
RESTORE = "Restore the file from a copy, or remove the bank and build it again"
MOST_BYTES = 256 << 20
"""Of a manifest; those of older formats name the files of every source."""
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
        stride: Distance of neighbouring patches in feature cells; the paper takes every one, with 2 a
            bank has about a quarter of the entries and builds three times as fast.
        dedupe: Cosine above which two patches of one source are the same; 1 keeps all.
        branching: Children per tree node for each level; None chooses by size, (10, 10) is the paper's.
        key_dimensions: Numbers in a search key beside the mean of each channel, about: every band gets at least a
            sixteenth of them.
        seed: Seed of the clustering.

    Raises:
        SettingError: A value outside its range.

    Example:
        >>> kt.LibrarySettings(side_px=256).dedupe
        0.9
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
        folder: Where its tables lie, relative to the library.
        of_source: How the files of each source end.
        sources: Number of sources.
        entries: Number of entries.
        source_bytes: Size of the files of all sources.
        content: SHA-256 of what it was made from: equal for equal sources, whatever was added and removed before.
        tables: Their names, to (bytes, SHA-256).
    """

    kind: str
    folder: str
    of_source: tuple[str, ...]
    sources: int
    entries: int
    source_bytes: int
    content: str
    tables: dict[str, tuple[int, str]]

    @property
    def layout(self) -> Layout:
        """Which files it has."""
        return layout_of(self.kind, self.of_source)

    @property
    def bytes(self) -> int:
        """Size of all files."""
        return self.source_bytes + sum(size for size, _ in self.tables.values())

    @property
    def structure(self) -> str:
        """SHA-256 of the tree that its entries are sorted into; empty where its kind has no tree that lasts."""
        return self.tables[TREE][1] if TREE in self.tables else ""

    @property
    def digest(self) -> str:
        """SHA-256 over content and tables, and so over the digests of all files: equal wherever they lie.

        Equal content and structure give the same digest with the same versions of ktviz, pyarrow and Pillow.
        """
        lines = [f"{self.content}\n", *sorted(f"{name} {digest}\n" for name, (_, digest) in self.tables.items())]
        return hashlib.sha256("".join(lines).encode()).hexdigest()


@dataclass(frozen=True)
class Manifest:
    """`library.json`.

    Attributes:
        encoder: What made the features of its banks of patches.
        settings: How these were made.
        banks: By name.
        version: Of the format that it was read from.
    """

    encoder: EncoderIdentity
    settings: LibrarySettings
    banks: dict[str, BankRecord] = field(default_factory=dict)
    version: int = FORMAT_VERSION

    def to_json(self) -> str:
        banks = {name: stated(record) for name, record in sorted(self.banks.items())}
        body = {"encoder": asdict(self.encoder), "settings": asdict(self.settings), "banks": banks}
        return json.dumps({"format": FORMAT_VERSION, "sha256": body_digest(body), **body}, indent=1) + "\n"

    @property
    def digest(self) -> str:
        """SHA-256 over the encoder, the settings and every bank's digest."""
        banks = {name: record.digest for name, record in sorted(self.banks.items())}
        body = json.dumps([asdict(self.encoder), asdict(self.settings), banks], sort_keys=True)
        return hashlib.sha256(body.encode()).hexdigest()


def stated(record: BankRecord) -> dict[str, Any]:
    """What a manifest says of a bank: all that is known of it, and what follows, for those who read it elsewhere."""
    return {**asdict(record), "structure": record.structure, "digest": record.digest}


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
    try:
        return parse_manifest(data, version)
    except (KeyError, TypeError, ValueError, AttributeError, SettingError) as error:
        raise LibraryError(asked, f"{MANIFEST}: {error}", "Restore it from a copy, or build anew") from None


def body_digest(data: Mapping[str, Any]) -> str:
    """SHA-256 of all that a manifest says."""
    body = {name: value for name, value in data.items() if name not in ("format", "sha256")}
    return hashlib.sha256(json.dumps(body, sort_keys=True).encode()).hexdigest()


def parse_manifest(data: Mapping[str, Any], version: int) -> Manifest:
    """A manifest's content.

    Raises:
        ValueError, TypeError, SettingError: It is not what `Manifest.to_json` writes: something is missing, is added,
            or is of another kind; the message says what.
    """
    from ktviz.library.older import parse_older_bank

    check_keys(MANIFEST, data, {"format", "sha256", "encoder", "settings", "banks"})
    check_keys("encoder", data["encoder"], {part.name for part in fields(EncoderIdentity)})
    encoder = EncoderIdentity(**data["encoder"])
    texts, counts = (encoder.name, encoder.digest), (encoder.channels, encoder.stride)
    if not (all(isinstance(text, str) for text in texts) and all(map(is_count, counts))):
        raise ValueError(f"no encoder is {data['encoder']!r}")
    parse = parse_bank if version == FORMAT_VERSION else parse_older_bank
    banks = {name: parse(name, bank) for name, bank in as_object("banks", data["banks"]).items()}
    return Manifest(encoder, LibrarySettings(**as_object("settings", data["settings"])), banks, version)


def parse_bank(name: str, bank: Mapping[str, Any]) -> BankRecord:
    """What a manifest says of one bank: all its tables with size and digest, and no other."""
    what = f"bank {name!r}"
    check_keys(what, bank, {*(part.name for part in fields(BankRecord)), "structure", "digest"})
    check_place(what, name, bank)
    endings = bank["of_source"]
    if not isinstance(endings, list) or tuple(endings) != layout_of(bank["kind"], endings).of_source:
        raise ValueError(f"{what} has sources with the files {endings!r}, which are not those of its kind")
    if not is_count(bank["source_bytes"]) or not is_digest(bank["content"]):
        raise ValueError(f"{what} does not say what its sources are")
    tables = as_object(f"tables of {what}", bank["tables"])
    check_listed(what, tables, layout_of(bank["kind"], endings).tables)
    known = {part.name: bank[part.name] for part in fields(BankRecord)}
    listed = {table: (size, digest) for table, (size, digest) in tables.items()}
    record = BankRecord(**{**known, "of_source": tuple(endings), "tables": listed})
    for follows in ("structure", "digest"):
        if bank[follows] != getattr(record, follows):
            raise ValueError(f"{what} has another {follows} than its tables")
    return record


def check_place(what: str, name: str, bank: Mapping[str, Any]) -> None:
    """Raise ValueError unless a bank is of a known kind, lies where its name says, and holds something."""
    kind, folder = bank["kind"], bank["folder"]
    if not isinstance(kind, str) or kind not in LAYOUTS:
        raise ValueError(f"{what} is of the kind {kind!r}, not one of {', '.join(LAYOUTS)}")
    if not is_bank_name(name) or not re.fullmatch(rf"banks/{re.escape(name)}@\d+", str(folder), re.ASCII):
        raise ValueError(f"{what} is not in a folder of its name inside the library (found {folder!r})")
    for count in ("sources", "entries"):
        if not is_count(bank[count]) or not bank[count]:
            raise ValueError(f"{what} has {bank[count]!r} {count}")


def check_listed(what: str, files: Mapping[str, Any], wanted: Collection[str]) -> None:
    """Raise ValueError unless these files of a bank are listed and no others, each with size and SHA-256."""
    for path in sorted(set(files) - set(wanted)):
        raise ValueError(f"{what} lists {path!r}, which is no file of a bank inside the library")
    for path in sorted(set(wanted) - set(files)):
        raise ValueError(f"{what} does not list its file {path}")
    for path, known in files.items():
        if not (isinstance(known, list) and len(known) == 2 and is_count(known[0]) and is_digest(known[1])):
            raise ValueError(f"{what} lists {path} without size and SHA-256 (found {known!r})")


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
    partial.unlink(missing_ok=True)  # of a process that was killed; or a link, through which nothing is to be written
    with partial.open("x", encoding="utf-8") as file:
        file.write(manifest.to_json())
        file.flush()
        os.fsync(file.fileno())
    partial.replace(folder / MANIFEST)


def unreadable(asked: str, path: str, error: OSError) -> LibraryError:
    """The error for a file that is not there, or may not be read: nothing says that it is damaged."""
    todo = "Ask its owner for permission to read it" if isinstance(error, PermissionError) else RESTORE
    return LibraryError(asked, f"{path} cannot be read ({error.strerror})", todo)


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
