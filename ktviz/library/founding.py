"""Making libraries and banks where there are none: what is in the way, and what does not agree."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

from ktviz.errors import LibraryError, unknown_name
from ktviz.library.format import (
    BUILDING,
    MANIFEST,
    EncoderIdentity,
    LibrarySettings,
    Manifest,
    is_bank_name,
    write_manifest,
    writing,
)
from ktviz.library.layout import LAYOUTS

OURS = (BUILDING, "banks", ".lock", f"{MANIFEST}.part")
"""What a library that was interrupted before its first manifest may consist of."""


def establish(folder: Path, identity: EncoderIdentity, settings: LibrarySettings) -> None:
    """Make an empty library, unless there is one.

    Raises:
        LibraryError: The folder holds something else.
    """
    if (folder / MANIFEST).exists():
        return
    if folder.exists() and not folder.is_dir():
        raise LibraryError(f"library {str(folder)!r}", "it is a file", "Name a folder that ends in .ktlib")
    if strangers := [path.name for path in folder.glob("*") if path.name not in OURS]:
        raise LibraryError(
            f"library {str(folder)!r}", f"a folder with other things in it ({strangers[0]})", "Name a new folder"
        )
    with writing(folder):
        if not (folder / MANIFEST).exists():  # nobody else was quicker
            write_manifest(folder, Manifest(identity, settings))


def check_settings(folder: Path, known: LibrarySettings, wanted: LibrarySettings) -> None:
    """Raise LibraryError unless a library was made with the settings that are wanted."""
    for name, value in asdict(wanted).items():
        have = getattr(known, name)
        if have != value:
            raise LibraryError(
                f"library {str(folder)!r} with {name} = {value}",
                f"it was made with {name} = {have}",
                "Leave the setting out, or build another library",
            )


def check_new(manifest: Manifest, name: str, kind: str) -> None:
    """Refuse a bank that cannot be made.

    Raises:
        UnknownNameError: There is no such kind.
        LibraryError: It is no name of a bank, or there is one of that name.
    """
    if kind not in LAYOUTS:
        raise unknown_name("bank kind", kind, LAYOUTS)
    if not is_bank_name(name):
        raise LibraryError(
            f"bank {name!r}", "not of the form task/style", "Use lower case, digits, - and _, as in art/impasto"
        )
    if name in manifest.banks:
        raise LibraryError(f"build bank {name!r}", "it exists already", "Add sources to it, or remove it first")
