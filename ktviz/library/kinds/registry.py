"""The kinds of bank: how a library writes and opens each, and several banks of one together."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ktviz.errors import LibraryError
from ktviz.library.format import LibrarySettings, Manifest
from ktviz.library.kinds.codes.bank import CodeBank, load_codes
from ktviz.library.kinds.codes.build import CodePreparer
from ktviz.library.kinds.codes.build import tables as code_tables
from ktviz.library.kinds.codes.union import CodeUnion
from ktviz.library.kinds.patches.bank import Bank, load_bank
from ktviz.library.kinds.patches.build import PatchPreparer, cluster
from ktviz.library.kinds.patches.union import BankUnion
from ktviz.library.kinds.pictures.bank import PictureBank, load_pictures
from ktviz.library.kinds.pictures.build import PicturePreparer
from ktviz.library.kinds.pictures.kept import write_tables
from ktviz.library.kinds.pictures.union import PictureUnion
from ktviz.library.kinds.preparer import Given, Preparer
from ktviz.library.layout import CODES, PATCHES, PICTURES

AnyKind = Bank | PictureBank | CodeBank
AnyUnion = BankUnion | PictureUnion | CodeUnion


@dataclass(frozen=True)
class Engine:
    """How banks of a kind are made, written and read.

    Attributes:
        takes: What may be given to make them, as `Given` names it.
        preparer: Makes what prepares their sources, from what was given, the manifest of the library, and the bank that
            the sources are to enter, None for a new one.
        settings: What the tables of a bank are made with, from the bank and the settings of the library.
        tables: Writes the files beside those of the sources, from folder, sources, those settings, and whether to be
            quiet.
        load: Opens a bank, from its name, folder and digest.
        united: Several banks as one.
    """

    takes: tuple[str, ...]
    preparer: Callable[[Given, Manifest, Any], Preparer]
    settings: Callable[[Any, LibrarySettings], Any]
    tables: Callable[[Path, Sequence[Any], Any, bool], None]
    load: Callable[[str, Path, str], AnyKind]
    united: Callable[[Sequence[Any], Manifest], AnyUnion]


ENGINES: Mapping[str, Engine] = {
    PATCHES: Engine(
        takes=("encoder",),
        preparer=PatchPreparer,
        settings=lambda bank, of_library: of_library,
        tables=cluster,
        load=load_bank,
        united=lambda banks, manifest: BankUnion(banks, manifest.encoder),
    ),
    PICTURES: Engine(
        takes=("maps", "attributes"),
        preparer=PicturePreparer,
        settings=lambda bank, of_library: bank.classes,
        tables=lambda folder, sources, classes, quiet: write_tables(folder, sources, classes),
        load=load_pictures,
        united=lambda banks, manifest: PictureUnion(banks),
    ),
    CODES: Engine(
        takes=("coder", "maps", "clusters", "least_area"),
        preparer=CodePreparer,
        settings=lambda bank, of_library: (bank.settings, bank.classes),
        tables=code_tables,
        load=load_codes,
        united=lambda banks, manifest: CodeUnion(banks),
    ),
}
"""By kind of bank."""


def preparer_of(kind: str, given: Given, manifest: Manifest, bank: AnyKind | None) -> Preparer:
    """What prepares the sources of a bank of a kind.

    Raises:
        SettingError: Something was given that such a bank does not take.
        LibraryError: It does not fit the library or the bank.
    """
    given.check_taken(kind, ENGINES[kind].takes)
    return ENGINES[kind].preparer(given, manifest, bank)


def united(banks: Sequence[AnyKind], manifest: Manifest) -> AnyUnion:
    """Banks of one kind together.

    Raises:
        LibraryError: They are of several kinds, or what they hold cannot be compared.
    """
    first = banks[0]
    other = next((bank for bank in banks if bank.kind != first.kind), None)
    if other is not None:
        raise LibraryError(
            f"banks {', '.join(bank.name for bank in banks)} together",
            f"{first.name} holds {first.kind}, {other.name} {other.kind}",
            "Name banks of one kind",
        )
    return ENGINES[first.kind].united(banks, manifest)
