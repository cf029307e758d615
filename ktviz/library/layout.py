"""Where the files of a bank lie, by its kind."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

PATCHES, PICTURES = "patches", "pictures"
SOURCES = "sources.parquet"


@dataclass(frozen=True)
class Layout:
    """The files of a bank of some kind.

    Attributes:
        tables: Its files beside those of each source.
        of_source: From a bank's folder and the number of a source to each of that source's files; the first are equal
            where two sources are one picture.
    """

    tables: tuple[str, ...]
    of_source: tuple[Callable[[Path, int], Path], ...]

    def paths(self, folder: Path, number: int) -> tuple[Path, ...]:
        """The files of a source of a bank."""
        return tuple(path(folder, number) for path in self.of_source)

    def files(self, sources: int) -> set[str]:
        """All files of a bank of so many sources, relative to its folder."""
        each = (path.as_posix() for number in range(sources) for path in self.paths(Path(), number))
        return {*self.tables, *each}


def thumb_path(folder: Path, number: int) -> Path:
    """The small picture of a source; in a bank of patches what the encoder saw."""
    return folder / "thumbs" / f"{number:04d}.jpg"


def features_path(folder: Path, number: int) -> Path:
    """The feature map of a source."""
    return folder / "features" / f"part-{number:04d}.safetensors"


def picture_path(folder: Path, number: int) -> Path:
    """A source pixel by pixel."""
    return folder / "pictures" / f"{number:04d}.png"


LAYOUTS: Mapping[str, Layout] = {
    PATCHES: Layout((SOURCES, "entries.parquet", "tree.safetensors", "keys.safetensors"), (thumb_path, features_path)),
    PICTURES: Layout((SOURCES,), (picture_path, thumb_path)),
}
"""By kind of bank."""
