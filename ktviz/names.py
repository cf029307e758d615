"""What a person calls a source: its whole name, or the end of it. One rule, wherever a source is named."""

from __future__ import annotations

import posixpath
import unicodedata
from collections.abc import Callable, Collection

from ktviz.errors import UnknownNameError, unknown_name

Spelling = Callable[[str], str]


def find_name(asked: str, known: Collection[str], bank: str = "") -> str:
    """The source that a name means.

    A whole name is itself and nothing else. Anything shorter must be the end of exactly one name, cut at a slash:
    with its suffix, or, if no name ends so, without.

    Args:
        asked: What was typed.
        known: Whole names, each once: "task/style/path.png".
        bank: "task/style" where the source can be in no other: its path in the bank is a whole name, too.

    Raises:
        UnknownNameError: There is none, and the message suggests the nearest; or several, and it names them all.

    Example:
        >>> find_name("flood.jpg", ["art/ink/flood.jpg", "art/ink/flood.jpg.png"])
        'art/ink/flood.jpg'
        >>> find_name("flood", ["art/ink/flood.jpg", "art/ink/river.jpg"])
        'art/ink/flood.jpg'
    """
    for whole in (asked, f"{bank}/{asked}"):
        if whole in known:
            return whole
    # macOS spells "é" as two characters, keyboards as one: the spelling counts only where nothing fits to the letter.
    for spelled in (as_it_is, composed):
        for shortened in (as_it_is, without_suffix):
            hits = [name for name in known if ends_in(spelled(shortened(name)), spelled(asked))]
            if len(hits) > 1:
                raise UnknownNameError(
                    f"source {asked!r}", f"it may be {' or '.join(sorted(hits))}", "Give the whole name"
                )
            if hits:
                return hits[0]
    raise unknown_name("source", asked, known)


def ends_in(name: str, end: str) -> bool:
    """Whether a path ends in another, whole parts only."""
    return bool(end) and f"/{name}".endswith(f"/{end}")


def as_it_is(name: str) -> str:
    return name


def composed(name: str) -> str:
    """A name with every accent joined to its letter (Unicode's form C)."""
    return unicodedata.normalize("NFC", name)


def without_suffix(name: str) -> str:
    """A source's name without that of its file format."""
    return posixpath.splitext(name)[0]
