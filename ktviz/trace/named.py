"""What a source is called wherever people read of it, and who made it."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import Any

from ktviz.licences import UNKNOWN, in_short

NOBODY = "creator and licence unknown"


def title_of(about: Mapping[Any, Any] | Mapping[Hashable, Any]) -> str:
    """A source's title, where its credits say one; its whole name else.

    Args:
        about: `source`, its whole name, and what is known of it, as a trace and its tables of shares say.

    Example:
        >>> title_of({"source": "art/sea/wave.jpg", "title": "The wave"}), title_of({"source": "art/sea/wave.jpg"})
        ('The wave', 'art/sea/wave.jpg')
    """
    title = str(about.get("title", UNKNOWN))
    return str(about["source"]) if title in (UNKNOWN, "") else title


def short_title_of(about: Mapping[Any, Any] | Mapping[Hashable, Any]) -> str:
    """The same for where there is little room: the last part of a name.

    Example:
        >>> short_title_of({"source": "art/sea/wave.jpg"})
        'wave.jpg'
    """
    title = title_of(about)
    return title.rsplit("/", 1)[-1] if title == str(about["source"]) else title


def credit_of(about: Mapping[Any, Any] | Mapping[Hashable, Any]) -> str:
    """Who made a source, and its licence, in one line; what is not known is left out, or said once.

    Example:
        >>> credit_of({"creator": "Ann", "licence": "CC BY 4.0"}), credit_of({"creator": "unknown"})
        ('Ann · CC-BY-4.0', 'creator and licence unknown')
    """
    said = str(about.get("creator", UNKNOWN)), in_short(str(about.get("licence", UNKNOWN)))
    return " · ".join(one for one in said if one not in (UNKNOWN, "")) or NOBODY
