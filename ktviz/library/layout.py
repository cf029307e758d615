"""Where the files of a bank lie, by its kind."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

PATCHES, PICTURES, CODES = "patches", "pictures", "codes"
SOURCES, CLASSES = "sources.parquet", "classes.csv"


@dataclass(frozen=True)
class Layout:
    """The files of a bank.

    Attributes:
        tables: Its files beside those of each source.
        of_source: Those of each source, by how the files of a part end, as in `PLACES`; the first are equal where two
            sources are one picture.
    """

    tables: tuple[str, ...]
    of_source: tuple[str, ...]

    def paths(self, folder: Path, number: int) -> tuple[Path, ...]:
        """The files of a source of a bank."""
        return tuple(PLACES[ending](folder, number) for ending in self.of_source)

    def files(self, sources: int) -> set[str]:
        """All files of a bank of so many sources, relative to its folder."""
        each = (path.as_posix() for number in range(sources) for path in self.paths(Path(), number))
        return {*self.tables, *each}

    def with_maps(self, maps: Collection[str]) -> Layout:
        """The same with some of `MAPS` beside each picture."""
        if not maps:
            return self
        return Layout((*self.tables, CLASSES), (*self.of_source, *(MAPS[name] for name in MAPS if name in maps)))


def thumb_path(folder: Path, number: int) -> Path:
    """The small picture of a source; in a bank of patches what the encoder saw."""
    return folder / "thumbs" / f"{number:04d}.jpg"


def features_path(folder: Path, number: int) -> Path:
    """The feature map of a source."""
    return folder / "features" / f"part-{number:04d}.safetensors"


def picture_path(folder: Path, number: int) -> Path:
    """A source pixel by pixel."""
    return folder / "pictures" / f"{number:04d}.png"


def labels_path(folder: Path, number: int) -> Path:
    """The class of every pixel of a source."""
    return folder / "labels" / f"{number:04d}.png"


def instances_path(folder: Path, number: int) -> Path:
    """The object of every pixel of a source."""
    return folder / "instances" / f"{number:04d}.png"


def rows_path(folder: Path, number: int) -> Path:
    """The objects of a source, with their codes."""
    return folder / "rows" / f"{number:04d}.parquet"


PLACES: Mapping[str, Callable[[Path, int], Path]] = {
    ".jpg": thumb_path,
    ".safetensors": features_path,
    ".png": picture_path,
    ".parquet": rows_path,
    ".labels.png": labels_path,
    ".instances.png": instances_path,
}
"""From a bank's folder and the number of a source to a file of that source, by how such a file of a part ends."""
MAPS: Mapping[str, str] = {"labels": ".labels.png", "instances": ".instances.png"}
"""Maps that may stand beside each picture of a bank, by their folder: how the files of a part end."""
LAYOUTS: Mapping[str, Layout] = {
    PATCHES: Layout((SOURCES, "entries.parquet", "tree.safetensors", "keys.safetensors"), (".jpg", ".safetensors")),
    PICTURES: Layout((SOURCES,), (".png", ".jpg")),
    CODES: Layout((SOURCES, "codes.json", "entries.parquet", "centres.parquet"), (".png", ".jpg", ".parquet")),
}
"""By kind of bank, without maps."""


def layout_of(kind: str, files: Iterable[str]) -> Layout:
    """How a bank of a kind lies on disk, as some of its files show."""
    folders = {path.split("/")[0] for path in files}
    objects, labels = "instances" in folders, "labels" in folders
    maps = [name for name, there in (("labels", labels or objects), ("instances", objects)) if there]
    return LAYOUTS[kind] if kind == PATCHES else LAYOUTS[kind].with_maps(maps)
