"""Which files are images: by suffix, among files and folders; what is passed over, and names that cannot be used."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from PIL import Image

from ktviz.errors import ImageError, MissingImageError
from ktviz.files import listed

NO_PICTURES = frozenset({"BUFR", "EPS", "FITS", "GRIB", "HDF5", "IPTC", "MPEG", "PDF", "WMF"})
"""Formats of Pillow's that hold measurements, film or drawings, or hand the file to another program."""
NAMED = 8
"""Files named in a list before it says how many more there are."""


@dataclass(frozen=True)
class FoundImages:
    """Image files among files and folders.

    Attributes:
        names: By path, in order: the name below the folder it was found in ("b/2.png"), or the file's own name.
        passed_over: Files of other kinds in the folders.
    """

    names: dict[Path, str]
    passed_over: list[Path]

    @property
    def paths(self) -> list[Path]:
        """Where they are."""
        return list(self.names)


def find_images(paths: str | os.PathLike[str] | Iterable[str | os.PathLike[str]]) -> FoundImages:
    """Image files among files and folders (folders recursively), sorted by path in each.

    Hidden files and knowledge libraries are no concern of anybody; a file named outright is kept whatever its suffix.

    Raises:
        ImageError: A path is missing, or nothing was found at all.
    """
    names: dict[Path, str] = {}
    passed_over: list[Path] = []
    known = suffixes()
    asked = [Path(p) for p in listed(paths)]
    for path in asked:
        if path.is_dir():
            for file in files_below(path):
                if file.suffix.lower() in known:
                    names.setdefault(file, file.relative_to(path).as_posix())
                else:
                    passed_over.append(file)
        elif path.is_file():
            names.setdefault(path, path.name)
        else:
            raise MissingImageError(f"images in {str(path)!r}", "no such file or folder", "Check the path")
    if not names:
        where = ", ".join(repr(str(p)) for p in asked) or "no path at all"
        others = f", but {shown(passed_over)}" if passed_over else ""
        raise ImageError(
            f"images in {where}", f"no image there{others}", "Give files such as .jpg, .png, .webp, .avif or .tif"
        )
    return FoundImages(names, list(dict.fromkeys(passed_over)))


def files_below(folder: Path) -> list[Path]:
    """Files in a folder and its folders, sorted; without what is hidden, and without libraries."""
    return sorted(
        file
        for file in folder.rglob("*")
        if not any(part.startswith(".") for part in file.relative_to(folder).parts)
        and not any(part.endswith(".ktlib") for part in file.relative_to(folder).parts[:-1])
        and file.is_file()
    )


def formats() -> list[str]:
    """Formats that this Pillow, with what is registered in it, reads as pixels."""
    Image.init()
    return sorted(set(Image.registered_extensions().values()) & set(Image.OPEN) - NO_PICTURES)


@cache
def suffixes() -> frozenset[str]:
    """Suffixes, in lower case, of files of these formats."""
    known = set(formats())
    return frozenset(suffix for suffix, name in Image.registered_extensions().items() if name in known)


def check_names(paths: Iterable[Path]) -> None:
    """Refuse names that are not UTF-8: nothing that ktviz writes could hold them.

    Raises:
        ImageError: With all of them.
    """
    bad = [path for path in paths if not is_text(str(path))]
    if bad:
        raise ImageError(", ".join(repr(str(path)) for path in bad), "a name that is not UTF-8", "Rename it")


def is_text(name: str) -> bool:
    """Whether a file's name is UTF-8; bytes that are not came as lone surrogates."""
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True


def shown(paths: Sequence[Path]) -> str:
    """A count of files and their names, the first of many: "3 files (a.txt, b.csv, c.heic)"."""
    names = [path.name.encode("utf-8", "backslashreplace").decode() for path in paths[:NAMED]]
    more = f" and {len(paths) - NAMED} more" if len(paths) > NAMED else ""
    return f"{len(paths)} file{'' if len(paths) == 1 else 's'} ({', '.join(names)}{more})"
