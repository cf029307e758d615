"""What makes the parts of banks, and what it is made from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Protocol

from ktviz.errors import SettingError
from ktviz.library.attributes import AttributesTable
from ktviz.library.kinds.codes.coder import Coder
from ktviz.library.kinds.patches.features import FeatureExtractor
from ktviz.library.layout import Layout
from ktviz.library.maps import MapFolders
from ktviz.library.sources import Source, SourceFile


class Preparer(Protocol):
    """What makes the parts of banks of a kind.

    `kind` is which, `layout` which files a part has; `made_with` tells apart what makes other parts of the same file.
    `side_px` is what sources are scaled to, None if they are not. `settings` are what the tables of the bank are made
    with; see `registry.Kind`.
    """

    @property
    def kind(self) -> str: ...

    @property
    def layout(self) -> Layout: ...

    @property
    def made_with(self) -> str: ...

    @property
    def side_px(self) -> int | None: ...

    @property
    def settings(self) -> Any: ...

    def prepare(self, file: SourceFile, files: Sequence[Path], /) -> None:
        """Write the files of a part, in the order of the layout."""
        ...

    def source(self, file: SourceFile, files: Sequence[Path], /) -> Source:
        """What is known of a source whose files are written."""
        ...


@dataclass(frozen=True)
class Given:
    """What somebody gave to make a bank of, or add to it, beside the pictures; None for what they did not."""

    encoder: FeatureExtractor | None = None
    maps: MapFolders | None = None
    attributes: AttributesTable | None = None
    coder: Coder | None = None
    clusters: int | None = None
    least_area: float | None = None

    def check_taken(self, kind: str, taken: Sequence[str]) -> None:
        """Raise SettingError for what a bank of a kind does not take."""
        for part in fields(self):
            if getattr(self, part.name) is not None and part.name not in taken:
                found = f"it is made with {' and '.join(taken)}"
                raise SettingError(f"a bank of {kind} with {part.name}", found, "Leave it out")
