"""How a command makes pictures: with which system, from which knowledge, with which settings."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from tqdm.auto import tqdm

from ktviz.cli.large import announce, expected
from ktviz.errors import SettingError
from ktviz.images import Pixels

if TYPE_CHECKING:
    from ktviz.systems.kt.translator import Translator
    from ktviz.systems.protocol import System
    from ktviz.trace.trace import Trace

KT, ANALOGY = "kt", "image-analogy"
SystemOption = Annotated[
    str, typer.Option("--system", metavar="NAME", help="Which system makes it: see `ktviz systems`.")
]
LibraryPath = Annotated[
    Path | None, typer.Option("--library", "-l", metavar="LIB.ktlib", help="The knowledge library (kt).")
]
Banks = Annotated[
    list[str] | None,
    typer.Option("--bank", "-b", metavar="TASK/STYLE", help="A bank, or a task for all its styles (kt)."),
]
Reference = Annotated[
    Path | None, typer.Option(metavar="PICTURE", help="The picture whose look is taken on (image-analogy).")
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
    reference: Path | None,
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
        library: Of kt.
        bank: Of kt.
        reference: Of image-analogy.
        given: Settings, None where they were not given.
        candidates: Recorded per query.
        side: Longest side that photos are shrunk to.
        memory: Bound of kt.
        quiet: No progress bar.

    Raises:
        UnknownNameError: There is no such system; the message names the nearest.
        SettingError: What the system needs is missing, or it has no such setting.
    """
    from ktviz.systems.registry import system_class

    system_class(system)
    settings = {name: value for name, value in given.items() if value is not None}
    needed = {KT: ("--library and --bank", library is not None and bool(bank))}
    needed[ANALOGY] = ("--reference", reference is not None)
    if system not in needed:
        raise SettingError(f"--system {system}", "it cannot be used from the command line", "Use it in Python")
    name, there = needed[system]
    if not there:
        raise SettingError(f"--system {system}", f"no {name}", "Give what it takes its knowledge from")
    if system == KT:
        if reference is not None:
            raise SettingError("--system kt", "--reference given", "Give --system image-analogy, or leave it out")
        assert library is not None
        return kt_maker(library, bank or [], settings, candidates, side, memory)
    for option, value in (("--library", library), ("--bank", bank), ("--memory", memory)):
        if value:
            raise SettingError(f"--system {system}", f"{option} given", "It takes a --reference; leave it out")
    assert reference is not None
    return analogy_maker(reference, settings, quiet)


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
    banks = Library.open(library).select(bank)
    banks.excluded(settings.without)
    translator: Translator = Translator.shipped(banks, memory)
    return Maker(
        translator,
        lambda pixels: translator.recorded(pixels, settings, candidates=candidates),
        lambda photo: expected(translator, photo, settings, candidates, side),
        lambda pixels: announce(translator, pixels, settings, candidates),
    )


def analogy_maker(reference: Path, given: Mapping[str, Any], quiet: bool) -> Maker:
    """Deep Image Analogy with a reference."""
    from ktviz.systems.image_analogy.system import ImageAnalogy, settings_from

    if "without" in given:
        raise SettingError(f"--system {ANALOGY}", "--without given", "Leave out a region in Python: kt.without")
    settings_from(given)  # refuse bad values before any work
    system = ImageAnalogy(reference)

    def record(pixels: Pixels) -> Trace:
        with tqdm(desc=ANALOGY, unit="step", disable=quiet) as bar:

            def progress(layer: str, way: str, step: str) -> None:
                bar.set_postfix_str(f"{layer}, {'A to reference' if way == 'ab' else 'reference to A'}: {step}")
                bar.update()

            return system.traced(pixels, progress=progress, **given)

    return Maker(system, record)
