"""Credits: who made a source."""

from __future__ import annotations

from dataclasses import asdict, dataclass

from ktviz.licences import UNKNOWN, spdx


@dataclass(frozen=True)
class Credit:
    """Who made a source; "unknown" is a value, never a gap.

    Attributes:
        title: Of the work.
        creator: Who made it.
        year: When.
        licence: As it was written.
        url: Where it is from.
    """

    title: str = UNKNOWN
    creator: str = UNKNOWN
    year: str = UNKNOWN
    licence: str = UNKNOWN
    url: str = UNKNOWN

    @property
    def spdx(self) -> str:
        """The licence's SPDX identifier; "unknown" where it is not certain."""
        return spdx(self.licence)

    def described(self) -> dict[str, str]:
        """All of it by name, the SPDX identifier beside the licence."""
        said = {**asdict(self), "spdx": self.spdx}
        return {name: said[name] for name in ("title", "creator", "year", "licence", "spdx", "url")}
