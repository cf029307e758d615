"""Which files are images: by suffix, among files and folders; what is passed over, and names that cannot be used."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable, Iterator, Mapping, Sequence
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
        passed_over: What else lies in the folders, and why it is not taken: "no images", "link to a folder" ...
    """

    names: dict[Path, str]
    passed_over: dict[Path, str]

    @property
    def paths(self) -> list[Path]:
        """Where they are."""
        return list(self.names)


def find_images(paths: str | os.PathLike[str] | Iterable[str | os.PathLike[str]]) -> FoundImages:
    """Image files among files and folders (folders recursively), sorted by path in each.

    Hidden files and knowledge libraries are no concern of anybody; a file named outright is kept whatever its suffix.
    Links to files are followed, links to folders are not: they may lead anywhere, and round in circles.

    Raises:
        ImageError: A path is missing or may not be read, or nothing was found at all.
    """
    names: dict[Path, str] = {}
    passed_over: dict[Path, str] = {}
    asked = [Path(p) for p in listed(paths)]
    for path in asked:
        found = kind(path)
        if found == "folder":
            for file, why in sorted(below(path)):
                if why:
                    passed_over[file] = why
                else:
                    names.setdefault(file, file.relative_to(path).as_posix())
        elif found == "file":
            names.setdefault(path, path.name)
        elif found == "nothing":
            raise MissingImageError(f"images in {str(path)!r}", "no such file or folder", "Check the path")
        else:
            raise ImageError(f"images in {str(path)!r}", found, "Name image files, or folders of them")
    if not names:
        where = ", ".join(repr(str(p)) for p in asked) or "no path at all"
        others = "".join(f", but {line}" for line in summary(passed_over))
        raise ImageError(
            f"images in {where}", f"no image there{others}", "Give files such as .jpg, .png, .webp, .avif or .tif"
        )
    return FoundImages(names, passed_over)


def below(folder: Path) -> Iterator[tuple[Path, str]]:
    """What lies in a folder and its folders, and why it is no image; without what is hidden, and without libraries."""
    refused: list[OSError] = []
    for parent, folders, files in os.walk(folder, onerror=refused.append):
        folders[:] = [name for name in folders if not name.startswith(".") and not name.endswith(".ktlib")]
        for path in (Path(parent, name) for name in (*folders, *files) if not name.startswith(".")):
            found = kind(path)
            if found == "file":
                yield path, "" if path.suffix.lower() in suffixes() else "no images"
            elif path.is_symlink():
                yield path, "link to a folder" if found == "folder" else f"link to {found}"
            elif found != "folder":
                yield path, found
    yield from ((Path(error.filename), "no permission") for error in refused)


def kind(path: Path) -> str:
    """What is at a path: "file", "folder", "nothing", or why it is of no use."""
    try:
        mode = path.stat().st_mode
    except PermissionError:
        return "no permission"
    except (OSError, ValueError):
        return "nothing"
    if stat.S_ISDIR(mode):
        return "folder"
    return "file" if stat.S_ISREG(mode) else "pipe or device"


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


def summary(passed_over: Mapping[Path, str]) -> list[str]:
    """What was passed over, a line for each reason: "3 files (a.txt, b.csv, c.heic): no images"."""
    reasons = dict.fromkeys(passed_over.values())
    return [f"{shown([path for path, why in passed_over.items() if why == one])}: {one}" for one in reasons]


def shown(paths: Sequence[Path]) -> str:
    """A count of files and their names, the first of many: "3 files (a.txt, b.csv, c.heic)"."""
    names = [path.name.encode("utf-8", "backslashreplace").decode() for path in paths[:NAMED]]
    more = f" and {len(paths) - NAMED} more" if len(paths) > NAMED else ""
    return f"{len(paths)} file{'' if len(paths) == 1 else 's'} ({', '.join(names)}{more})"
