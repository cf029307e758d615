"""Several banks of pictures as one: what references are chosen from."""

from __future__ import annotations

from collections.abc import Mapping

from ktviz.errors import UnknownNameError
from ktviz.library.kinds.pictures.bank import PictureBank
from ktviz.library.kinds.pictures.kept import KeptBanks
from ktviz.library.layout import PICTURES

MOST_NAMED = 20
"""Pictures that an error names."""


class PictureUnion(KeptBanks[PictureBank]):
    """One or more banks of pictures. Sources are numbered through, bank after bank; each is one entry.

    Example:
        >>> banks = samples.bank("portraits/clay", quiet=True)
        >>> len(banks) == len(banks.source_names)
        True
        >>> banks.choose(banks.source_names[3]), len(banks.attributes(3)) > 0
        (3, True)
    """

    kind = PICTURES

    def attributes(self, source: int) -> Mapping[str, bool]:
        """Whether a picture has each attribute that its bank knows, by name."""
        return self.sources[source].attributes or {}

    def choose(self, name: str | None = None) -> int:
        """Number of the picture that a name means, as in `find_source`; of the only one if None.

        Raises:
            UnknownNameError: No picture has that name, or several; or none is named, and there are several.
        """
        if name is not None:
            return self.source_numbers[self.find_source(str(name))]
        if len(self) > 1:
            some = ", ".join(self.source_names[:MOST_NAMED]) + (", ..." if len(self) > MOST_NAMED else "")
            raise UnknownNameError(
                f"a picture of {', '.join(self.names)}", f"none is named, and there are {len(self)}: {some}", "Name one"
            )
        return 0
