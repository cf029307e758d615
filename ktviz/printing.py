"""Text on streams that cannot show every character, and characters that nobody sees or that a terminal obeys."""

from __future__ import annotations

import codecs
import sys
import unicodedata

SAFE = "ktviz"
"""Name of the error handler: what a stream cannot show is written in its characters, and nothing is ever raised."""
PLAIN = {"→": "->", "…": "...", "·": "-", "—": "-", "≥": ">=", "≤": "<=", "✓": "ok", "↓": "v", "↑": "^"}

UNSEEN = frozenset(("Cc", "Cf", "Zl", "Zp"))
"""Categories of characters that control, format or separate: escape codes, line breaks, those that turn text around."""
SEEN = frozenset("\u200c\u200d\u0600\u0601\u0602\u0603\u0604\u0605\u06dd\u070f\u0890\u0891\u08e2\U000110bd\U000110cd")
"""Of these, what writing needs: joiners (Persian, Indic scripts, emoji) and signs that stand around numbers."""
FILLERS = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u3164\uffa0")
"""Letters and marks that have no shape."""


def unseen(character: str) -> bool:
    """Whether a character is none that a reader sees."""
    return character in FILLERS or (unicodedata.category(character) in UNSEEN and character not in SEEN)


def visible(text: str) -> str:
    """A text from elsewhere, such as a file's name, on one line and obeyed by no terminal: `\\x1b` for an escape."""
    return "".join(c.encode("unicode_escape").decode() if unseen(c) else c for c in text)


def counted(number: int, what: str, several: str = "") -> str:
    """So many things, in words.

    Example:
        >>> counted(1, "run"), counted(2000, "run"), counted(2, "copy", "copies")
        ('1 run', '2,000 runs', '2 copies')
    """
    return f"{number:,} {what if number == 1 else several or what + 's'}"


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
    """Lines of text in the characters that standard output can show."""
    encoding = getattr(sys.stdout, "encoding", None) or "utf-8"
    return "\n".join(map(visible, text.split("\n"))).encode(encoding, SAFE).decode(encoding)
