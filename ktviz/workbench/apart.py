"""An input and its reference are two pictures: one that is its own reference is found in itself by every system."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ktviz.errors import SettingError
from ktviz.images import file_digest, pixel_digest
from ktviz.library.banks import Banks
from ktviz.library.kinds.pictures.kept import KeptBanks
from ktviz.systems.material import Material, is_path
from ktviz.workbench.entrants import Given


def check_apart(input: Material, references: Sequence[Given]) -> None:
    """Raise SettingError where an input is its own reference, or a source of banks: the same pixels, or file."""
    if input.original is None:
        return
    for reference in references:
        found = itself(input, reference)
        if found is not None:
            raise SettingError(
                f"a bench of {input.name} after {found}", "it is its own reference", "Give another picture"
            )


def itself(input: Material, reference: Given) -> str | None:
    """What an input is called as a reference; None where it is none."""
    assert input.original is not None
    if not isinstance(reference, Material):
        return in_banks(input, reference)
    theirs = reference.original
    return reference.name if theirs is not None and pixel_digest(theirs) == pixel_digest(input.original) else None


def in_banks(input: Material, banks: Banks[Any]) -> str | None:
    """The source of banks that an input is: its file, or, where they keep pictures without loss, its pixels."""
    assert input.original is not None
    file = file_digest(input.photo) if is_path(input.photo) else None
    digest, size = pixel_digest(input.original), input.original.shape[:2]
    for number, (name, source) in enumerate(zip(banks.source_names, banks.sources, strict=True)):
        alike = isinstance(banks, KeptBanks) and (source.height, source.width) == size
        if source.sha256 == file or (alike and pixel_digest(banks.picture(number)) == digest):
            return name
    return None
