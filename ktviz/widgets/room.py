"""What an exported page still has room for: what does not fit is left out as a whole, and named."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from ktviz.widgets.packing import Part, as_text, pack


@dataclass(eq=False)
class Room:
    """Room in a page.

    Attributes:
        left: Bytes of its text.
        known: Parts that are there already, for another scene.
        taken: Parts that there was room for.
        lacking: What there was no room for, in words.
    """

    left: int
    known: Mapping[str, Part] = field(default_factory=dict)
    taken: dict[str, Part] = field(default_factory=dict)
    lacking: list[str] = field(default_factory=list)

    def take(self, parts: Mapping[str, Part], what: str) -> dict[str, Part]:
        """These parts, if they fit; else none of them, and they are missing by this name."""
        size = self.size_of(parts)
        if size > self.left:
            self.lacking.append(what)
            return {}
        self.left -= size
        self.taken |= parts
        return dict(parts)

    def size_of(self, parts: Mapping[str, Part]) -> int:
        """Bytes of text that parts add to the page."""
        new = {name: part for name, part in parts.items() if not same(part, self.known.get(name))}
        return len(as_text({}, new)) if new else 0


def same(one: Part, other: Part | None) -> bool:
    """Whether two parts hold the same bytes in the same form."""
    return one is other or (other is not None and pack({}, {"part": one}) == pack({}, {"part": other}))
