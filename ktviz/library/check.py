"""Checking a bank as a whole: every file, and what all of them say together."""

from __future__ import annotations

from ktviz.library.banks import AnyBank, expect, fitting
from ktviz.library.format import read_manifest
from ktviz.library.kinds.registry import KINDS
from ktviz.library.older import OlderPlace
from ktviz.library.sources import content_of
from ktviz.library.sweep import check_links


def check_bank(bank: AnyBank) -> None:
    """Compare every file of a bank with its digest, and refuse what makes no sense.

    Raises:
        LibraryError: A file is missing, was changed or was added, or does not fit the others; the message names it.
    """
    check_links(bank.place.library)
    bank.place.compare_all(bank.place.files())
    bank.place.check_strangers()
    with fitting(bank.name):
        bank.check()
        check_content(bank)


def check_content(bank: AnyBank) -> None:
    """Raise ValueError unless the digest of a bank's content is that of its sources."""
    if isinstance(bank.place, OlderPlace):
        return  # older formats have none
    made_with = KINDS[bank.kind].made_with(bank, read_manifest(bank.place.library))
    sources, files = zip(*bank.place.sources.parts(), strict=True)
    expect(content_of(made_with, sources, files) == bank.place.record.content, "sources of the content that is stated")
