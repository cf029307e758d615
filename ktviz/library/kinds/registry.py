"""The kinds of bank: how a library writes and opens each, and several banks of one together."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ktviz.errors import LibraryError
from ktviz.library.format import MANIFEST, LibrarySettings, Manifest
from ktviz.library.kinds.codes import build as codes
from ktviz.library.kinds.codes.bank import CodeBank, load_codes
from ktviz.library.kinds.codes.build import CodePreparer
from ktviz.library.kinds.codes.union import CodeUnion
from ktviz.library.kinds.patches import build as patches
from ktviz.library.kinds.patches.bank import Bank, load_bank
from ktviz.library.kinds.patches.build import PatchPreparer
from ktviz.library.kinds.patches.older import load_older_bank
from ktviz.library.kinds.patches.union import BankUnion
from ktviz.library.kinds.pictures import build as pictures
from ktviz.library.kinds.pictures.bank import PictureBank, load_pictures
from ktviz.library.kinds.pictures.build import PicturePreparer
from ktviz.library.kinds.pictures.union import PictureUnion
from ktviz.library.kinds.preparer import Given, Preparer
from ktviz.library.layout import CODES, PATCHES, PICTURES
from ktviz.library.older import OlderPlace
from ktviz.library.parts import Work
from ktviz.library.place import Place
from ktviz.printing import counted

AnyKind = Bank | PictureBank | CodeBank
AnyUnion = BankUnion | PictureUnion | CodeUnion


@dataclass(frozen=True)
class Kind:
    """How banks of a kind are made, written and read.

    Attributes:
        takes: What may be given to make them, as `Given` names it.
        preparer: Makes what prepares their sources, from what was given, the manifest of the library, and the bank that
            the sources are to enter, None for a new one.
        made_with: What the parts of a bank were made with, as their preparer says it, from the bank and the manifest.
        settings: What the tables of a bank are made with, from the bank and the settings of the library.
        tables: Writes the files beside those of the sources, and counts the entries.
        load: Opens a bank.
        united: Several banks as one.
    """

    takes: tuple[str, ...]
    preparer: Callable[[Given, Manifest, Any], Preparer]
    made_with: Callable[[Any, Manifest], str]
    settings: Callable[[Any, LibrarySettings], Any]
    tables: Callable[[Work], int]
    load: Callable[[Place], AnyKind]
    united: Callable[[Sequence[Any], Manifest], AnyUnion]


def load_patches(place: Place) -> Bank:
    """Open a bank of patches of any format."""
    return load_older_bank(place) if isinstance(place, OlderPlace) else load_bank(place)


KINDS: Mapping[str, Kind] = {
    PATCHES: Kind(
        takes=("encoder",),
        preparer=PatchPreparer,
        made_with=lambda bank, manifest: patches.made_with(manifest.encoder.digest, manifest.settings),
        settings=lambda bank, of_library: of_library,
        tables=patches.tables,
        load=load_patches,
        united=lambda banks, manifest: BankUnion(banks, manifest.encoder),
    ),
    PICTURES: Kind(
        takes=("maps", "attributes"),
        preparer=PicturePreparer,
        made_with=lambda bank, manifest: pictures.made_with(bank.classes),
        settings=lambda bank, of_library: bank.classes,
        tables=pictures.tables,
        load=load_pictures,
        united=lambda banks, manifest: PictureUnion(banks),
    ),
    CODES: Kind(
        takes=("coder", "maps", "clusters", "least_area"),
        preparer=CodePreparer,
        made_with=lambda bank, manifest: codes.made_with((bank.settings, bank.classes)),
        settings=lambda bank, of_library: (bank.settings, bank.classes),
        tables=codes.tables,
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
    given.check_taken(kind, KINDS[kind].takes)
    return KINDS[kind].preparer(given, manifest, bank)


def load(place: Place) -> AnyKind:
    """Open a bank of any kind.

    Raises:
        LibraryError: A table is damaged, or has other counts than the manifest.
    """
    record = place.record
    bank = KINDS[record.kind].load(place)
    if (len(bank.sources), len(bank)) != (record.sources, record.entries):
        found = f"{counted(len(bank.sources), 'source')} and {counted(len(bank), 'entry', 'entries')}"
        raise LibraryError(
            f"bank {place.name!r} of {str(place.library)!r}",
            f"{found}, not what {MANIFEST} says",
            "Remove the bank and build it again",
        )
    return bank


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
    return KINDS[first.kind].united(banks, manifest)
