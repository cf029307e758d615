"""Text on streams that cannot show every character: Windows' code pages, ASCII, names that are no UTF-8."""

from __future__ import annotations

import codecs
import sys

SAFE = "ktviz"
"""Name of the error handler: what a stream cannot show is written in its characters, and nothing is ever raised."""
PLAIN = {"→": "->", "…": "...", "·": "-", "—": "-", "≥": ">=", "≤": "<=", "✓": "ok", "↓": "v", "↑": "^"}


def in_plain_characters(error: UnicodeError) -> tuple[str | bytes, int]:
    """Signs as ASCII draws them; other characters by their numbers, bytes of a name that is no text as bytes."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    found = ""
    for character in error.object[error.start : error.end]:
        number = ord(character)
        if 0xDC80 <= number <= 0xDCFF:  # how Python carries a byte that it could not decode
            found += f"\\x{number - 0xDC00:02x}"
        else:
            found += PLAIN.get(character) or character.encode("ascii", "backslashreplace").decode()
    return found, error.end


codecs.register_error(SAFE, in_plain_characters)


def printable(text: str) -> str:
    """A text in the characters that standard output can show."""
    encoding = getattr(sys.stdout, "encoding", None) or "utf-8"
    return text.encode(encoding, SAFE).decode(encoding)
