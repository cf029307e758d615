"""The kinds of bank: how a library writes and opens each, and several banks of one together."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ktviz.errors import LibraryError
from ktviz.library.format import EncoderIdentity, LibrarySettings
from ktviz.library.kinds.patches.bank import Bank, load_bank
from ktviz.library.kinds.patches.build import cluster
from ktviz.library.kinds.patches.union import BankUnion
from ktviz.library.kinds.pictures.bank import PictureBank, load_pictures
from ktviz.library.kinds.pictures.union import PictureUnion
from ktviz.library.layout import PATCHES, PICTURES
from ktviz.library.sources import write_sources


@dataclass(frozen=True)
class Engine:
    """How banks of a kind are written and read.

    Attributes:
        tables: Writes the files beside those of the sources, from folder, sources, settings, and whether to be quiet.
        load: Opens a bank, from its name, folder and digest.
    """

    tables: Callable[[Path, Sequence[Any], LibrarySettings, bool], None]
    load: Callable[[str, Path, str], Bank | PictureBank]


ENGINES: Mapping[str, Engine] = {
    PATCHES: Engine(cluster, load_bank),
    PICTURES: Engine(lambda folder, sources, *_: write_sources(folder, sources), load_pictures),
}
"""By kind of bank."""


def united(banks: Sequence[Bank | PictureBank], encoder: EncoderIdentity) -> BankUnion | PictureUnion:
    """Banks of one kind together.

    Raises:
        LibraryError: They are of several kinds.
    """
    patches = [bank for bank in banks if isinstance(bank, Bank)]
    pictures = [bank for bank in banks if isinstance(bank, PictureBank)]
    if patches and pictures:
        raise LibraryError(
            f"banks {', '.join(bank.name for bank in banks)} together",
            f"{patches[0].name} holds patches, {pictures[0].name} pictures",
            "Name banks of one kind",
        )
    return PictureUnion(pictures) if pictures else BankUnion(patches, encoder)
