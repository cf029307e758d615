"""The sample data: photographs, style sources, and a library of them that is built once, bank by bank.

from ktviz import samples

translate = kt.Translator.shipped(samples.bank("art/impasto"))
translate(samples.photo("coffee"))
"""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from ktviz.errors import ImageError, LibraryBusyError, LibraryError, StorageError, unknown_name
from ktviz.files import cache_folder, caching, listed, shipped_folder
from ktviz.images import Pixels, file_digest, find_images, read_image

if TYPE_CHECKING:
    from ktviz.library.kinds.patches.union import BankUnion
    from ktviz.library.library import Library
    from ktviz.systems.kt.encoder import Encoder

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
    if name not in [*known]:  # also where it cannot be a key
        raise unknown_name("photo", name, known)
    return read_image(known[name])


def bank(name: str, *, quiet: bool = False) -> BankUnion:
    """A sample bank ("art/impasto") or all of a task ("art"); what is not in the cache is built, and nothing else.

    Raises:
        UnknownNameError: There is none of that name.
        StorageError: The cache cannot be written; the message says what to do.
    """
    from ktviz.library.banks import of_kind
    from ktviz.library.kinds.patches.union import BankUnion

    return of_kind(library(name, quiet=quiet)[name], BankUnion, "sample")


def library(names: str | Iterable[str] | None = None, *, pictures: Path | None = None, quiet: bool = False) -> Library:
    """The library of the sample banks, built once into the cache: `KTVIZ_CACHE`, or the user's cache folder.

    Args:
        names: Banks and tasks to build where they are not there yet; all if None.
        pictures: Folder of tasks, styles and credits.csv; the sample data if None.
        quiet: No word about what is built.

    Raises:
        UnknownNameError: There is no bank of such a name.
        StorageError: The cache cannot be written; the message says what to do.
    """
    from ktviz.library.format import FORMAT_VERSION, LibrarySettings
    from ktviz.library.library import Library
    from ktviz.systems.kt.encoder import Encoder

    pictures = folder() if pictures is None else pictures
    encoder, settings = Encoder.shipped(), LibrarySettings(stride=STRIDE)
    made_from = [encoder.digest, str(settings), str(FORMAT_VERSION), *map(file_digest, find_images([pictures]).paths)]
    key = hashlib.sha256("".join(made_from).encode()).hexdigest()[:12]
    place, styles = cache_folder() / f"samples-{key}.ktlib", chosen_styles(pictures, names)
    with caching():
        try:
            made = build(Library.ensure(place, encoder, settings), styles, encoder, quiet)
        except LibraryBusyError:
            raise
        except LibraryError:  # a damaged cache is ours to mend
            shutil.rmtree(place)
            made = build(Library.ensure(place, encoder, settings), styles, encoder, quiet)
    for outdated in set(place.parent.glob("samples-*.ktlib")) - {place}:
        remove_unless_busy(outdated)
    return made


def chosen_styles(pictures: Path, names: str | Iterable[str] | None) -> dict[str, Path]:
    """The folder of each bank among `names`, which may name whole tasks.

    Raises:
        UnknownNameError: There is no bank or task of such a name.
    """
    folders = sorted(path for task in TASKS for path in (pictures / task).iterdir() if path.is_dir())
    styles = {f"{path.parent.name}/{path.name}": path for path in folders}
    if names is None:
        return styles
    wanted = list(map(str, listed(names)))
    for name in wanted:
        if not any(name in (bank, bank.split("/")[0]) for bank in styles):
            raise unknown_name("bank", name, styles)
    return {bank: path for bank, path in styles.items() if bank in wanted or bank.split("/")[0] in wanted}


def build(library: Library, styles: Mapping[str, Path], encoder: Encoder, quiet: bool) -> Library:
    """Build what the library lacks, and open what it has."""
    from ktviz.library.credits import read_credits

    for name, style in styles.items():
        if name not in library:
            if not quiet:
                print(f"building {name}")
            credits = read_credits(style.parent.parent / "credits.csv").below(name)
            library.build(name, [style], credits=credits, encoder=encoder, quiet=quiet)
        library.bank(name)
    return library


def remove_unless_busy(library: Path) -> None:
    from ktviz.library.format import writing

    try:
        with writing(library):
            shutil.rmtree(library)
    except (LibraryBusyError, StorageError):
        pass  # another ktviz is at work there
