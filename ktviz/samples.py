"""The sample data: photographs, style sources, and a library of them that is built once.

from ktviz import samples

translate = kt.Translator.shipped(samples.library()["art/impasto"])
translate(samples.photo("coffee"))
"""

from __future__ import annotations

import hashlib
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from platformdirs import user_cache_path

from ktviz.errors import ImageError, LibraryBusyError, LibraryError, StorageError, unknown_name
from ktviz.files import shipped_folder
from ktviz.images import Pixels, file_digest, find_images, read_image

if TYPE_CHECKING:
    from ktviz.library.library import Library
    from ktviz.model.encoder import Encoder

TASKS = ("art", "hdr", "comic")
STRIDE = 2
"""The sample library takes every second patch a side: a first run stays under a minute."""


def folder() -> Path:
    """Where the sample data lies.

    Raises:
        ImageError: Nowhere.
    """
    found = shipped_folder("sample_data", "credits.csv")
    if found is None:
        raise ImageError("sample data", "none came with ktviz", "Install ktviz again, or run from a checkout")
    return found


def photo(name: str) -> Pixels:
    """A sample photograph, (H, W, 3) uint8: astronaut, chelsea, coffee or rocket.

    Raises:
        UnknownNameError: There is none of that name.
    """
    known = {path.stem: path for path in find_images(folder() / "photos").paths}
    if name not in known:
        raise unknown_name("photo", name, known)
    return read_image(known[name])


def library(pictures: Path | None = None, *, quiet: bool = False) -> Library:
    """The library of the sample banks, built once into the user's cache.

    Args:
        pictures: Folder of tasks, styles and credits.csv; the sample data if None.
        quiet: No word about what is built.
    """
    from ktviz.library.format import FORMAT_VERSION, LibrarySettings
    from ktviz.library.library import Library
    from ktviz.model.encoder import Encoder

    pictures = folder() if pictures is None else pictures
    encoder, settings = Encoder.shipped(), LibrarySettings(stride=STRIDE)
    made_from = [encoder.digest, str(settings), str(FORMAT_VERSION), *map(file_digest, find_images([pictures]).paths)]
    key = hashlib.sha256("".join(made_from).encode()).hexdigest()[:12]
    place = user_cache_path("ktviz") / f"samples-{key}.ktlib"
    try:
        made = build(Library.create(place, encoder, settings), pictures, encoder, quiet)
    except LibraryBusyError:
        raise
    except LibraryError:  # a damaged cache is ours to mend
        shutil.rmtree(place)
        made = build(Library.create(place, encoder, settings), pictures, encoder, quiet)
    for outdated in set(place.parent.glob("samples-*.ktlib")) - {place}:
        remove_unless_busy(outdated)
    return made


def build(library: Library, pictures: Path, encoder: Encoder, quiet: bool) -> Library:
    """Build what the library lacks, and open what it has."""
    from ktviz.library.credits import read_credits

    credits = read_credits(pictures / "credits.csv")
    for style in sorted(p for task in TASKS for p in (pictures / task).iterdir() if p.is_dir()):
        name = f"{style.parent.name}/{style.name}"
        if name not in library:
            if not quiet:
                print(f"building {name}")
            library.build(name, [style], credits=credits.below(name), encoder=encoder, quiet=quiet)
        library.bank(name)
    return library


def remove_unless_busy(library: Path) -> None:
    from ktviz.library.format import writing

    try:
        with writing(library):
            shutil.rmtree(library)
    except (LibraryBusyError, StorageError):
        pass  # another ktviz is at work there
