"""Checking a bank as a whole: every file, and what all of them say together."""

from __future__ import annotations

from ktviz.library.banks import AnyBank, fitting


def check_bank(bank: AnyBank) -> None:
    """Compare every file of a bank with its digest, and refuse what makes no sense.

    Raises:
        LibraryError: A file is missing, was changed or was added, or does not fit the others; the message names it.
    """
    bank.place.compare_all(bank.place.files())
    bank.place.check_strangers()
    with fitting(bank.name):
        bank.check()
