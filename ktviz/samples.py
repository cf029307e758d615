"""The sample data: photographs, style sources, scenes, pots, portraits; banks of them are built once::

    from ktviz import samples

    translate = kt.Translator.shipped(samples.bank("art/impasto"))
    translate(samples.photo("coffee"))

    street = samples.scene("street-3-0044")
    kt.Pix2PixHD(samples.bank("scenes/streets"))(street.labels, street.instances)

    kt.Munit(samples.bank("pots/glazed"))(samples.drawing("drawing-3-00008"), exemplar="pot-3-00006")

    ann = samples.portrait("portrait-3-00029")
    kt.Bridge(samples.bank("portraits/clay"))(ann.pixels, ann.has, want="Hat")

`names()` and `banks()` say what there is.
"""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ktviz.errors import ImageError, LibraryBusyError, LibraryError, StorageError, unknown_name
from ktviz.files import cache_folder, caching, listed, shipped_folder
from ktviz.images import Pixels, file_digest, find_images, read_image
from ktviz.labels import Classes, as_instances, as_labels
from ktviz.labels.maps import Map

if TYPE_CHECKING:
    from ktviz.library.credits import CreditsTable
    from ktviz.library.format import LibrarySettings
    from ktviz.library.kinds.codes.coder import Coder
    from ktviz.library.kinds.registry import AnyUnion
    from ktviz.library.library import Library

TASKS = ("art", "hdr", "comic")
"""Folders of banks of patches."""
SCENES, STREETS = "scenes", "streets"
POTS, GLAZED = "pots", "pots/glazed"
PORTRAITS, CLAY = "portraits", "portraits/clay"
ATTRIBUTES = "attributes.csv"
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


def names() -> dict[str, list[str]]:
    """What there is to translate: names of photos, drawings, portraits and scenes, by the function that reads them.

    Example:
        >>> from ktviz import samples
        >>> samples.names()["photo"]
        ['astronaut', 'chelsea', 'coffee', 'rocket']
    """
    places = {
        "photo": folder() / "photos",
        "drawing": folder() / POTS / "drawings",
        "portrait": folder() / PORTRAITS / "inputs",
    }
    found = {kind: sorted(path.stem for path in find_images(place).paths) for kind, place in places.items()}
    return {**found, "scene": sorted(path.stem for path in (folder() / SCENES / "inputs").glob("*/photo/*.jpg"))}


def banks() -> dict[str, str]:
    """Names of all sample banks, and of which kind each is; nothing is built for it.

    Example:
        >>> from ktviz import samples
        >>> samples.banks()["scenes/rooms"]
        'pictures'
    """
    patches = dict.fromkeys(chosen_styles(folder(), None), "patches")
    return {**patches, f"{SCENES}/rooms": "pictures", f"{SCENES}/{STREETS}": "codes", GLAZED: "codes", CLAY: "pictures"}


def names_for(bank: str) -> tuple[str, list[str]]:
    """What is translated with a sample bank: the kind of sample, and their names; photos, with any other bank.

    Example:
        >>> from ktviz import samples
        >>> samples.names_for("scenes/rooms")[0], samples.names_for("art/impasto")[1][0]
        ('scene', 'astronaut')
    """
    task, _, style = bank.partition("/")
    kind = {SCENES: "scene", POTS: "drawing", PORTRAITS: "portrait"}.get(task, "photo")
    scenes = (folder() / SCENES / "inputs" / style / "photo").glob("*.jpg")
    return kind, sorted(path.stem for path in scenes) if kind == "scene" else names()[kind]


def photo(name: str) -> Pixels:
    """A sample photograph, (H, W, 3) uint8: astronaut, chelsea, coffee or rocket.

    Raises:
        UnknownNameError: There is none of that name.
    """
    known = {path.stem: path for path in find_images(folder() / "photos").paths}
    if name not in [*known]:  # also where it cannot be a key
        raise unknown_name("photo", name, known)
    return read_image(known[name])


def drawing(name: str) -> Pixels:
    """A sample drawing of a pot, (H, W, 3) uint8, such as "drawing-3-00008".

    Raises:
        UnknownNameError: There is none of that name.
    """
    known = {path.stem: path for path in find_images(folder() / POTS / "drawings").paths}
    if name not in [*known]:  # also where it cannot be a key
        raise unknown_name("drawing", name, known)
    return read_image(known[name])


@dataclass(frozen=True, eq=False)
class Portrait:
    """A portrait that is in no bank.

    Attributes:
        name: "portrait-3-00029".
        pixels: (H, W, 3) uint8.
        has: Which attributes it has.
    """

    name: str
    pixels: Pixels
    has: Mapping[str, bool]


def portrait(name: str) -> Portrait:
    """A sample portrait with its attributes.

    Raises:
        UnknownNameError: There is none of that name.
    """
    from ktviz.library.attributes import read_attributes

    place = folder() / PORTRAITS / "inputs"
    known = {path.stem: path for path in find_images(place).paths}
    if name not in [*known]:  # also where it cannot be a key
        raise unknown_name("portrait", name, known)
    return Portrait(name, read_image(known[name]), read_attributes(place / ATTRIBUTES).of(known[name]))


@dataclass(frozen=True, eq=False)
class Scene:
    """A scene that is in no bank.

    Attributes:
        name: "street-3-0044".
        photo: (H, W, 3) uint8.
        labels: (H, W) int64, the number of a class at every pixel.
        instances: (H, W) int64, the number of an object at every pixel.
        classes: What the numbers of the label map mean.
    """

    name: str
    photo: Pixels
    labels: Map
    instances: Map
    classes: Classes


def scene(name: str) -> Scene:
    """A sample scene with its maps, a room or a street.

    Raises:
        UnknownNameError: There is none of that name.
    """
    inputs = folder() / SCENES / "inputs"
    known = {path.stem: path for path in sorted(inputs.glob("*/photo/*.jpg"))}
    if name not in [*known]:  # also where it cannot be a key
        raise unknown_name("scene", name, known)
    photo, maps = known[name], known[name].parents[1]
    classes = Classes.read(maps / "classes.csv")
    labels = as_labels(maps / "label" / f"{name}.png", classes)
    instances = as_instances(maps / "inst" / f"{name}.png", labels, classes)
    return Scene(name, read_image(photo), labels, instances, classes)


def bank(name: str, *, quiet: bool = False) -> AnyUnion:
    """A sample bank, or all of a task ("art"); what is not in the cache is built, and nothing else.

    Args:
        name: Of patches: "art/impasto" ... Of pictures with their maps: "scenes/rooms"; with their attributes:
            "portraits/clay". With codes by the encoder of pix2pixHD: "scenes/streets"; by the style encoder of MUNIT:
            "pots/glazed".
        quiet: No word about what is built.

    Raises:
        UnknownNameError: There is none of that name.
        WeightsError: Codes are asked for, and the encoder does not come with this version.
        StorageError: The cache cannot be written; the message says what to do.
    """
    if name == GLAZED:
        return pots(quiet)[name]
    if name == CLAY:
        return portraits(quiet)[name]
    kinds = {f"{SCENES}/{kind}": kind for kind in ("rooms", STREETS)}
    return (scenes(kinds[name], quiet) if name in [*kinds] else library(name, quiet=quiet))[name]


def scenes(kind: str, quiet: bool = False) -> Library:
    """The library of the rooms or of the streets, built once into the cache; errors as in `bank`."""
    name, place = f"{SCENES}/{kind}", folder() / SCENES / kind
    coder = coder_of_streets() if kind == STREETS else None

    def build(library: Library) -> None:
        if not quiet:
            print(f"building {name}")
        library.build(
            name,
            place / "photo",
            kind="pictures" if coder is None else "codes",
            labels=place / "label",
            instances=place / "inst",
            credits=credits_of(name, folder()),
            coder=coder,
            quiet=quiet,
        )

    made_from = [*([] if coder is None else [coder.digest]), file_digest(place / "classes.csv")]
    return cached(f"{SCENES}-{kind}", None, made_from, [place], {name: build})


def pots(quiet: bool = False) -> Library:
    """The library of the photographs of pots, built once into the cache; errors as in `bank`."""
    from ktviz.systems.munit.system import Munit

    coder, place = Munit().coder, folder() / GLAZED

    def build(library: Library) -> None:
        if not quiet:
            print(f"building {GLAZED}")
        library.build(GLAZED, place, kind="codes", credits=credits_of(GLAZED, folder()), coder=coder, quiet=quiet)

    return cached(POTS, None, [coder.digest], [place], {GLAZED: build})


def portraits(quiet: bool = False) -> Library:
    """The library of the portraits with their attributes, built once into the cache; errors as in `bank`."""
    place = folder() / CLAY
    attributes = place / ATTRIBUTES

    def build(library: Library) -> None:
        if not quiet:
            print(f"building {CLAY}")
        credits = credits_of(CLAY, folder())
        library.build(CLAY, place, kind="pictures", credits=credits, attributes=attributes, quiet=quiet)

    return cached(PORTRAITS, None, [file_digest(attributes)], [place], {CLAY: build})


def coder_of_streets() -> Coder:
    """The encoder of pix2pixHD."""
    from ktviz.systems.pix2pixhd.coder import Coder
    from ktviz.systems.pix2pixhd.trained import Networks

    return Coder(Networks.shipped())


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
    from ktviz.library.format import LibrarySettings

    pictures = folder() if pictures is None else pictures
    wanted, settings = chosen_styles(pictures, names), LibrarySettings(stride=STRIDE)
    folders = sorted(
        path for path in pictures.iterdir() if path.is_dir() and path.name not in (SCENES, POTS, PORTRAITS)
    )

    def builder(name: str, style: Path) -> Callable[[Library], None]:
        def build(library: Library) -> None:
            if not quiet:
                print(f"building {name}")
            library.build(name, [style], credits=credits_of(name, pictures), quiet=quiet)

        return build

    builders = {name: builder(name, style) for name, style in wanted.items()}
    return cached("samples", settings, [], folders, builders)


def cached(
    name: str,
    settings: LibrarySettings | None,
    made_with: Sequence[str],
    folders: Sequence[Path],
    builders: Mapping[str, Callable[[Library], None]],
) -> Library:
    """A library in the cache, with the banks that it lacks built, and made anew where it is damaged.

    Args:
        name: What its folder is called.
        settings: Of the library; None for the defaults.
        made_with: What else than pictures and the encoder makes it another one.
        folders: Of the pictures.
        builders: By bank.

    Raises:
        LibraryBusyError: Another ktviz is at work there.
        StorageError: The cache cannot be written; the message says what to do.
    """
    from ktviz.library.format import FORMAT_VERSION, LibrarySettings
    from ktviz.library.library import Library
    from ktviz.systems.kt.encoder import Encoder

    encoder, settings = Encoder.shipped(), settings or LibrarySettings()
    digests = map(file_digest, find_images(folders).paths)
    made_from = [encoder.digest, str(settings), str(FORMAT_VERSION), *made_with, *digests]
    key = hashlib.sha256("".join(made_from).encode()).hexdigest()[:12]
    place = cache_folder() / f"{name}-{key}.ktlib"

    def built() -> Library:
        library = Library.ensure(place, encoder, settings)
        for bank, build in builders.items():
            if bank not in library:
                build(library)
            library.compare(bank)
        return library

    with caching():
        try:
            made = built()
        except LibraryBusyError:
            raise
        except LibraryError:  # a damaged cache is ours to mend
            shutil.rmtree(place)
            made = built()
    for outdated in set(place.parent.glob(f"{name}-*.ktlib")) - {place}:
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


def credits_of(bank: str, pictures: Path) -> CreditsTable:
    """The credits of a bank's pictures."""
    from ktviz.library.credits import read_credits

    return read_credits(pictures / "credits.csv").below(bank)


def remove_unless_busy(library: Path) -> None:
    from ktviz.library.format import writing

    try:
        with writing(library):
            shutil.rmtree(library)
    except (LibraryBusyError, StorageError):
        pass  # another ktviz is at work there
