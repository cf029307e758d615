"""Writing a library: who holds it, what becomes of its banks, and its manifest, which is written last."""

from __future__ import annotations

import shutil
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from ktviz.engines.engine import THREADS, Engine
from ktviz.errors import LibraryError
from ktviz.library.build import (
    discard_parts,
    discard_prepared,
    discard_rows,
    parts_of,
    prepare_parts,
    write_bank,
)
from ktviz.library.format import (
    BUILDING,
    FORMAT_VERSION,
    BankRecord,
    EncoderIdentity,
    LibrarySettings,
    Manifest,
    read_manifest,
    write_manifest,
    writing,
)
from ktviz.library.kinds.preparer import Preparer
from ktviz.library.kinds.registry import KINDS, AnyKind
from ktviz.library.parts import Part
from ktviz.library.sources import SourceFile
from ktviz.library.sweep import check_links, sweep


class Writer:
    """What writes a library.

    Args:
        folder: Of the library.

    Attributes:
        manifest: What the library was when it was opened, or last written by this writer.

    Raises:
        LibraryError: Missing, damaged, or of a newer format.
    """

    def __init__(self, folder: Path) -> None:
        self.folder, self.manifest = folder, read_manifest(folder)

    @property
    def older(self) -> str:
        """That the library is of an older format, in words; empty if it is not."""
        version = self.manifest.version
        return f"the library is of format {version}, and the newest is {FORMAT_VERSION}" * (version < FORMAT_VERSION)

    @contextmanager
    def held(self, any_version: bool = False) -> Iterator[None]:
        """Hold the library; refuse to go on from a state that somebody else has changed since it was opened."""
        if self.older and not any_version:
            raise LibraryError(
                f"edit library {str(self.folder)!r}", self.older, "Convert it first: `ktviz library rebuild`"
            )
        with writing(self.folder):
            check_links(self.folder)
            if read_manifest(self.folder) != self.manifest:
                found = "it was changed since it was opened"
                raise LibraryError(f"library {str(self.folder)!r}", found, "Open it again")
            sweep(self.folder, self.manifest)
            yield

    def begin(self, identity: EncoderIdentity, settings: LibrarySettings) -> None:
        """What a library without banks was first made for binds nobody."""
        manifest = Manifest(identity, settings)
        if manifest != self.manifest:
            with self.held():
                self._write(manifest)

    def enter(
        self,
        name: str,
        bank: AnyKind | None,
        files: Sequence[SourceFile],
        preparer: Preparer,
        engine: Engine,
        quiet: bool,
    ) -> None:
        """Let files enter a bank that exists, or a new one."""
        with self.held():
            fresh = prepare_parts(self.folder, files, preparer, engine, quiet)
            parts = fresh if bank is None else parts_of(bank) + fresh
            made_with, kind, settings = preparer.made_with, preparer.kind, preparer.settings
            self._commit({name: self._bank(name, kind, parts, made_with, settings, bank, engine, quiet)}, engine)
            contents = [file.content for file in files]
            discard_prepared(self.folder, contents, preparer.layout.of_source, made_with, engine)
            discard_parts(self.folder, {file.sha256 for file in files})

    def keep(self, bank: AnyKind, parts: list[Part], gone: Collection[str], quiet: bool) -> None:
        """Keep some parts of a bank, and nothing of the others, whose pictures have these SHA-256."""
        self._commit({bank.name: self._again(bank, parts, bank, THREADS, quiet)})
        discard_parts(self.folder, gone)

    def remove(self, name: str) -> None:
        """Remove a bank, and all that interrupted builds have left."""
        self._commit({name: None})
        shutil.rmtree(self.folder / BUILDING, ignore_errors=True)

    def rebuild(self, banks: Mapping[str, AnyKind], engine: Engine, quiet: bool) -> None:
        """Make banks anew from their parts; the library is of the newest format then."""
        made = {name: self._again(bank, parts_of(bank), None, engine, quiet) for name, bank in banks.items()}
        self._commit(made, engine)
        for bank in banks.values():
            made_with, contents = KINDS[bank.kind].made_with(bank, self.manifest), (s.content for s in bank.sources)
            discard_prepared(self.folder, contents, bank.place.record.of_source, made_with, engine)

    def _again(
        self, bank: AnyKind, parts: list[Part], previous: AnyKind | None, engine: Engine, quiet: bool
    ) -> BankRecord:
        kind = KINDS[bank.kind]
        made_with, settings = kind.made_with(bank, self.manifest), kind.settings(bank, self.manifest.settings)
        return self._bank(bank.name, bank.kind, parts, made_with, settings, previous, engine, quiet)

    def _bank(
        self,
        name: str,
        kind: str,
        parts: list[Part],
        made_with: str,
        settings: Any,
        previous: AnyKind | None,
        engine: Engine,
        quiet: bool,
    ) -> BankRecord:
        known = self.manifest.banks.get(name)
        generation = 1 if known is None else int(known.folder.rsplit("@", 1)[1]) + 1
        folder = self.folder.absolute()  # workers may run elsewhere
        return write_bank(folder, name, kind, parts, made_with, settings, previous, generation, engine, quiet)

    def _commit(self, changed: Mapping[str, BankRecord | None], engine: Engine = THREADS) -> None:
        """Write what banks are now; None for one that is gone."""
        banks = {**self.manifest.banks, **changed}
        kept = {name: record for name, record in banks.items() if record is not None}
        self._write(replace(self.manifest, banks=kept, version=FORMAT_VERSION))
        sweep(self.folder, self.manifest)
        discard_rows(self.folder, [record for record in changed.values() if record is not None], engine)

    def _write(self, manifest: Manifest) -> None:
        write_manifest(self.folder, manifest)
        self.manifest = manifest
