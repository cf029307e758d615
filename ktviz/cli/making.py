"""How a command makes pictures: with which system, from which knowledge, with which settings."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from tqdm.auto import tqdm

from ktviz.cli.large import announce, expected, shrunk
from ktviz.errors import SettingError
from ktviz.images import Pixels, as_pixels

if TYPE_CHECKING:
    from ktviz.systems.image_analogy.system import ImageAnalogy
    from ktviz.systems.kt.translator import Translator
    from ktviz.systems.protocol import System
    from ktviz.trace.trace import Trace

KT, ANALOGY = "kt", "image-analogy"
KNOWLEDGE = "Give what it takes its knowledge from"
SystemOption = Annotated[
    str, typer.Option("--system", metavar="NAME", help="Which system makes it: see `ktviz systems`.")
]
LibraryPath = Annotated[
    Path | None, typer.Option("--library", "-l", metavar="LIB.ktlib", help="The knowledge library.")
]
Banks = Annotated[
    list[str] | None,
    typer.Option(
        "--bank",
        "-b",
        metavar="TASK/STYLE",
        help="A bank, or a task for all its styles: of patches (kt), of pictures (image-analogy).",
    ),
]
Reference = Annotated[
    str | None,
    typer.Option(
        metavar="PICTURE",
        help="The picture whose look is taken on (image-analogy): a file, or with --bank its name there.",
    ),
]


@dataclass(frozen=True)
class Maker:
    """What makes pictures.

    Attributes:
        system: Which system.
        record: From pixels to a trace.
        check: Refuses a photo, by its path, that does not fit, before any work.
        announce: Says how long a large photo will take.
    """

    system: System
    record: Callable[[Pixels], Trace]
    check: Callable[[Path], object] = lambda photo: None
    announce: Callable[[Pixels], None] = lambda pixels: None


def maker(
    system: str,
    library: Path | None,
    bank: list[str] | None,
    reference: str | None,
    given: Mapping[str, Any],
    *,
    candidates: int | None = None,
    side: int | None = None,
    memory: str | None = None,
    quiet: bool = False,
) -> Maker:
    """The system that a command names, ready to work.

    Args:
        system: Its name.
        library: Where the banks are.
        bank: Of patches for kt, of pictures for image-analogy.
        reference: Of image-analogy: a file, or with banks the name of a picture.
        given: Settings, None where they were not given.
        candidates: Recorded per query.
        side: Shorter side that photos, and a reference file, are shrunk to.
        memory: Bound of kt.
        quiet: No progress bar.

    Raises:
        UnknownNameError: There is no such system; the message names the nearest.
        SettingError: What the system needs is missing, or it has no such setting.
    """
    from ktviz.systems.registry import system_class

    system_class(system)
    settings = {name: value for name, value in given.items() if value is not None}
    if system not in (KT, ANALOGY):
        raise SettingError(f"--system {system}", "it cannot be used from the command line", "Use it in Python")
    if system == ANALOGY:
        if memory:
            raise SettingError(f"--system {system}", "--memory given", "It takes what it needs; leave it out")
        return analogy_maker(library, bank or [], reference, settings, side, quiet)
    if library is None or not bank:
        raise SettingError(f"--system {system}", "no --library and --bank", KNOWLEDGE)
    if reference is not None:
        raise SettingError("--system kt", "--reference given", "Give --system image-analogy, or leave it out")
    return kt_maker(library, bank, settings, candidates, side, memory)


def kt_maker(
    library: Path,
    bank: list[str],
    given: Mapping[str, Any],
    candidates: int | None,
    side: int | None,
    memory: str | None,
) -> Maker:
    """A translator on some banks."""
    from ktviz.library.library import Library
    from ktviz.systems.kt.settings import Settings
    from ktviz.systems.kt.translator import Translator

    settings = Settings(**given)  # refuse bad values before any work
    translator: Translator = Translator.shipped(Library.open(library).select(bank), memory)
    translator.banks.excluded(settings.without)
    return Maker(
        translator,
        lambda pixels: translator.recorded(pixels, settings, candidates=candidates),
        lambda photo: expected(translator, photo, settings, candidates, side),
        lambda pixels: announce(translator, pixels, settings, candidates),
    )


def analogy_maker(
    library: Path | None,
    bank: list[str],
    reference: str | None,
    given: Mapping[str, Any],
    side: int | None,
    quiet: bool,
) -> Maker:
    """Deep Image Analogy with a reference: a file, or a picture of a bank."""
    from ktviz.library.library import Library
    from ktviz.systems.image_analogy.method import pieces_of_work
    from ktviz.systems.image_analogy.settings import settings_from
    from ktviz.systems.image_analogy.system import ImageAnalogy

    if (library is None) != (not bank):
        found = "--bank without --library" if bank else "--library without --bank"
        raise SettingError(f"--system {ANALOGY}", found, "Give both, or neither and a file as --reference")
    if library is None and reference is None:
        raise SettingError(f"--system {ANALOGY}", "no --reference", KNOWLEDGE)
    if "without" in given:
        raise SettingError(f"--system {ANALOGY}", "--without given", "Leave out a region in Python: kt.without")
    total = pieces_of_work(settings_from(given))  # refuses bad values before any work
    system = (
        from_file(Path(str(reference)), side)
        if library is None
        else ImageAnalogy.from_bank(Library.open(library).select(bank), reference)
    )

    def record(pixels: Pixels) -> Trace:
        with tqdm(desc=ANALOGY, total=total, unit="step", disable=quiet) as bar:

            def progress(layer: str, way: str, step: str) -> None:
                bar.set_postfix_str(f"{layer}, {'A to reference' if way == 'ab' else 'reference to A'}: {step}")
                bar.update()

            return system.traced(pixels, progress=progress, **given)

    return Maker(system, record)


def from_file(path: Path, side: int | None) -> ImageAnalogy:
    """Deep Image Analogy with a file as its reference, shrunk as photos are."""
    from ktviz.systems.image_analogy.system import ImageAnalogy
    from ktviz.systems.reference import described

    pixels = shrunk(as_pixels(path), side)
    return ImageAnalogy(pixels, source=described(path, pixels))
