"""Which files a bank has, by its kind, and where they lie."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

PATCHES, PICTURES, CODES = "patches", "pictures", "codes"
SOURCES, CLASSES = "sources.parquet", "classes.csv"
TREE, ENTRIES, KEYS = "tree.safetensors", "entries.safetensors", "keys.safetensors"
THUMB, FEATURES, PICTURE, ROWS = ".jpg", ".safetensors", ".png", ".parquet"
"""How the files of a source end: the small picture (of a bank of patches what the encoder saw), the feature map, every
pixel, and the objects with their codes."""
MAPS: Mapping[str, str] = {"labels": ".labels.png", "instances": ".instances.png"}
"""Maps that may stand beside each picture of a bank, and how their files end."""


@dataclass(frozen=True)
class Layout:
    """The files of a bank.

    Attributes:
        tables: Its files beside those of each source.
        of_source: Those of each source, by how they end; the first are equal where two sources are one picture.
    """

    tables: tuple[str, ...]
    of_source: tuple[str, ...]

    def with_maps(self, maps: Collection[str]) -> Layout:
        """The same with some of `MAPS` beside each picture."""
        if not maps:
            return self
        return Layout((*self.tables, CLASSES), (*self.of_source, *(MAPS[name] for name in MAPS if name in maps)))


LAYOUTS: Mapping[str, Layout] = {
    PATCHES: Layout((SOURCES, TREE, ENTRIES, KEYS), (THUMB, FEATURES)),
    PICTURES: Layout((SOURCES,), (PICTURE, THUMB)),
    CODES: Layout((SOURCES, "codes.json", "entries.parquet", "centres.parquet"), (PICTURE, THUMB, ROWS)),
}
"""By kind of bank, without maps."""


def of_maps(endings: Collection[str]) -> bool:
    """Whether some of the files of a source that end so are maps."""
    return any(ending in endings for ending in MAPS.values())


def layout_of(kind: str, of_source: Collection[str]) -> Layout:
    """The files of a bank of a kind whose sources have files that end so: with label maps where it has any maps, and
    without any where it is of patches."""
    maps = [name for name, ending in MAPS.items() if ending in of_source or (name == "labels" and of_maps(of_source))]
    return LAYOUTS[kind] if kind == PATCHES else LAYOUTS[kind].with_maps(maps)
