"""`ktviz library`: build banks, add and remove sources, see and check what is there."""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ktviz.cli.banks import describe, inside, print_bank
from ktviz.cli.console import Json, Quiet, escape, out, print_json, print_passed_over, print_table, say, warned
from ktviz.cli.engines import THREADS, EngineOption, Scheduler, ShardsAt, engine_of
from ktviz.errors import KtvizError, LibraryBusyError, SettingError, SourceWarning
from ktviz.images import find_images
from ktviz.library.layout import PATCHES
from ktviz.memory import as_text
from ktviz.printing import counted

if TYPE_CHECKING:
    from ktviz.library.format import LibrarySettings
    from ktviz.library.kinds.codes.coder import Coder
    from ktviz.library.kinds.registry import AnyUnion
    from ktviz.library.library import Library

app = typer.Typer(help="Build and edit knowledge libraries.", no_args_is_help=True)

Folder = Annotated[Path, typer.Argument(metavar="LIB.ktlib", help="The library's folder.")]
BankName = Annotated[str, typer.Option("--bank", "-b", metavar="TASK/STYLE", help="The bank, e.g. art/impasto.")]
BankOf = Annotated[str | None, typer.Option("--bank", "-b", metavar="TASK/STYLE", help="One bank. [all]")]
Images = Annotated[list[Path], typer.Argument(metavar="FOLDER_OR_FILES...", help="Images; folders are read whole.")]
SkipBad = Annotated[
    bool, typer.Option("--skip-bad", help="Leave out images that cannot be used, and name them, instead of refusing.")
]
Credits = Annotated[
    Path | None, typer.Option(metavar="CSV", help="Who made them: file, title, creator, year, licence, url.")
]
Labels = Annotated[
    Path | None,
    typer.Option(metavar="DIR", help="Of pictures and codes: label maps; that of a/b.jpg is DIR/a/b.png."),
]
Instances = Annotated[Path | None, typer.Option(metavar="DIR", help="Instance maps, in the same way.")]
CoderOf = Annotated[str | None, typer.Option("--system", metavar="NAME", help="Of codes: whose encoder makes them.")]
ClassList = Annotated[
    Path | None,
    typer.Option("--classes", metavar="CSV", help="Classes of the label maps; else classes.csv beside or above them."),
]
AttributesOf = Annotated[
    Path | None,
    typer.Option("--attributes", metavar="CSV", help="Of pictures: file, and a column of 0 and 1 for each attribute."),
]


@app.command()
def build(
    library: Folder,
    images: Images,
    bank: BankName,
    kind: Annotated[str, typer.Option(help="What the bank holds: patches, pictures, or codes.")] = PATCHES,
    system: CoderOf = None,
    credits: Credits = None,
    labels: Labels = None,
    instances: Instances = None,
    classes: ClassList = None,
    attributes: AttributesOf = None,
    side: Annotated[int | None, typer.Option(help="New library: shorter side of the sources in px. [512]")] = None,
    stride: Annotated[int | None, typer.Option(help="New library: cells between entries, 1 or 2. [1]")] = None,
    dedupe: Annotated[
        float | None, typer.Option(help="New library: cosine above which patches are the same. [0.9]")
    ] = None,
    branching: Annotated[
        str | None, typer.Option(help="New library: children per tree node: paper (10,10), or numbers. [by size]")
    ] = None,
    seed: Annotated[int | None, typer.Option(help="New library: seed of the clustering. [7]")] = None,
    skip_bad: SkipBad = False,
    engine: EngineOption = THREADS,
    scheduler: Scheduler = None,
    shards: ShardsAt = None,
    quiet: Quiet = False,
) -> None:
    """Make a bank from images; the library is made, too, if there is none."""
    from ktviz.library.attributes import attributes_table
    from ktviz.library.credits import read_credits
    from ktviz.library.format import BUILDING
    from ktviz.library.library import Library

    given = {"side_px": side, "stride": stride, "dedupe": dedupe, "seed": seed, "branching": parse(branching)}
    found = find_images(images)  # a misspelt folder must not leave an empty library behind, nor a table that is unclear
    credited, has = None if credits is None else read_credits(credits), attributes_table(attributes)
    tell_passed_over(found.passed_over, [credits, attributes], quiet)
    coder = coder_of(system)
    settings = choose_settings(library, {name: value for name, value in given.items() if value is not None})
    is_new = not library.exists()
    opened = Library.ensure(library, settings=settings)
    try:
        with warned(SourceWarning, quiet), engine_of(engine, scheduler, shards, quiet) as working:
            made = opened.build(
                bank,
                images,
                kind=kind,
                credits=credited,
                labels=labels,
                instances=instances,
                classes=classes,
                attributes=has,
                coder=coder,
                skip_bad=skip_bad,
                engine=working,
                quiet=quiet,
            )
    except KtvizError as error:
        begun = isinstance(error, LibraryBusyError) or (library / BUILDING).exists()  # by another, or worth going on
        if is_new and not begun:  # as if nobody had asked
            shutil.rmtree(library)
        raise
    announce(made, quiet)


@app.command()
def add(
    library: Folder,
    images: Images,
    bank: BankName,
    system: CoderOf = None,
    credits: Credits = None,
    labels: Labels = None,
    instances: Instances = None,
    classes: ClassList = None,
    attributes: AttributesOf = None,
    skip_bad: SkipBad = False,
    engine: EngineOption = THREADS,
    scheduler: Scheduler = None,
    shards: ShardsAt = None,
    quiet: Quiet = False,
) -> None:
    """Add images to a bank; those it holds already are passed over."""
    from ktviz.library.attributes import attributes_table
    from ktviz.library.library import Library

    opened = Library.open(library)
    before = opened.record(bank).sources
    has = attributes_table(attributes)
    tell_passed_over(find_images(images).passed_over, [credits, attributes], quiet)
    with warned(SourceWarning, quiet), engine_of(engine, scheduler, shards, quiet) as working:
        made = opened.add(
            bank,
            images,
            credits=credits,
            labels=labels,
            instances=instances,
            classes=classes,
            attributes=has,
            coder=coder_of(system),
            skip_bad=skip_bad,
            engine=working,
            quiet=quiet,
        )
    if not quiet:
        new = len(made.sources) - before
        say(f"{new} new source{'' if new == 1 else 's'}")
    announce(made, quiet)
    tell_drift(opened, bank, quiet)


@app.command()
def remove(
    library: Folder,
    bank: BankName,
    sources: Annotated[list[str] | None, typer.Argument(metavar="SOURCE...", help="Names of sources.")] = None,
    everything: Annotated[bool, typer.Option("--all", help="Remove the whole bank.")] = False,
    quiet: Quiet = False,
) -> None:
    """Remove sources from a bank, or the whole bank with --all. Their bytes go from the disk."""
    if bool(sources) == everything:
        raise SettingError(f"remove from {bank}", "neither or both of SOURCE and --all", "Name sources, or give --all")
    from ktviz.library.library import Library

    opened = Library.open(library)
    with warned(SourceWarning, quiet):
        removed = opened.remove(bank, sources or (), quiet=quiet)
    if bank in opened:
        tell_drift(opened, bank, quiet)
    if not quiet:
        left = f"{counted(opened.record(bank).sources, 'source')} left" if bank in opened else "the bank is gone"
        say(f"removed {', '.join(removed) or 'all'} from {bank}: {left}")


@app.command()
def check(library: Folder, bank: BankOf = None, quiet: Quiet = False) -> None:
    """Compare every file of a bank, or of all banks, with its digest, and what they say with each other."""
    from ktviz.library.library import Library

    opened = Library.open(library)
    for name in [bank] if bank is not None else list(opened):
        with warned(SourceWarning, quiet):
            opened.check(name)
        tell_drift(opened, name, quiet)
        if not quiet:
            say(f"{name}: all files as they were written")


@app.command()
def rebuild(
    library: Folder,
    bank: BankOf = None,
    engine: EngineOption = THREADS,
    scheduler: Scheduler = None,
    shards: ShardsAt = None,
    quiet: Quiet = False,
) -> None:
    """Make the trees of banks anew from what they hold now; a library of an older format becomes a new one."""
    from ktviz.library.library import Library

    opened = Library.open(library)
    with engine_of(engine, scheduler, shards, quiet) as working:
        made = opened.rebuild(bank, engine=working, quiet=quiet)
    if not quiet:
        say(f"made anew: {', '.join(made)}")
    for name in made:
        tell_drift(opened, name, quiet)


@app.command("list")
def list_banks(library: Folder, as_json: Json = False, quiet: Quiet = False) -> None:
    """List the banks."""
    from ktviz.library.library import Library

    opened = Library.open(library)
    rows = [describe(opened, name) for name in opened]
    if as_json:
        print_json(rows)
    elif not quiet:
        cells = [[r["name"], r["kind"], str(r["sources"]), f"{r['entries']:,}", as_text(r["bytes"])] for r in rows]
        columns = ["bank", "kind", "sources", "entries", "size"]
        print_table(str(library), columns, cells, numbers=columns[2:])


@app.command()
def export(
    library: Folder,
    croissant: Annotated[
        Path | None, typer.Option(metavar="FILE.json", help="Write metadata of all banks: files, digests, credits.")
    ] = None,
    cards: Annotated[
        Path | None,
        typer.Option(metavar="FOLDER", help="Write a data card of each bank, for the Hugging Face hub."),
    ] = None,
    overwrite: Annotated[bool, typer.Option(help="Replace files that exist.")] = False,
    quiet: Quiet = False,
) -> None:
    """Write what a library says of itself to others: Croissant metadata, data cards."""
    from ktviz.library.export import write_cards, write_croissant
    from ktviz.library.library import Library

    if croissant is None and cards is None:
        raise SettingError("library export", "nothing to write", "Say --croissant FILE.json, --cards FOLDER or both")
    opened = Library.open(library)
    made = [] if croissant is None else [write_croissant(opened, croissant, overwrite=overwrite)]
    made += [] if cards is None else write_cards(opened, cards, overwrite=overwrite)
    if not quiet:
        for path in made:
            say(f"written: {path}")


@app.command()
def info(library: Folder, as_json: Json = False, quiet: Quiet = False) -> None:
    """Show settings, encoder, trees and sources."""
    from ktviz.library.library import Library

    opened = Library.open(library)
    banks = [{**describe(opened, name), **inside(opened.bank(name))} for name in opened]
    about = {
        "digest": opened.digest,
        "encoder": asdict(opened.manifest.encoder),
        "settings": asdict(opened.settings),
        "banks": banks,
    }
    if as_json:
        print_json(about)
        return
    if quiet:
        return
    out.print(f"[bold]{escape(str(library))}[/]", soft_wrap=True)
    say(f"  digest {opened.digest[:12]}, encoder {opened.manifest.encoder.name}")
    say("  " + ", ".join(f"{name} {value}" for name, value in asdict(opened.settings).items()))
    for bank in banks:
        print_bank(bank)


def coder_of(system: str | None) -> Coder | None:
    """What a system makes codes with."""
    from ktviz.cli.making.registry import MAKINGS, making

    if system is None:
        return None
    coder = making(system).coder
    if coder is None:
        others = " or ".join(name for name, other in MAKINGS.items() if other.coder is not None)
        raise SettingError(f"codes of --system {system}", "it makes none", f"Give --system {others}")
    return coder()


def tell_passed_over(passed_over: Mapping[Path, str], tables: Sequence[Path | None], quiet: bool) -> None:
    """Name what lies in the folders and is no image; tables have been asked for."""
    if not quiet:
        wanted = [table.resolve() for table in tables if table is not None]
        print_passed_over({file: why for file, why in passed_over.items() if file.resolve() not in wanted})


def tell_drift(library: Library, name: str, quiet: bool) -> None:
    """How far a bank has moved away from what its tree was made for."""
    drift = library.drift(name)
    if drift is not None and not quiet:
        say(f"{name}: {drift}")


def announce(bank: AnyUnion, quiet: bool) -> None:
    from ktviz.library.kinds.codes.union import CodeUnion
    from ktviz.library.kinds.patches.union import BankUnion

    if quiet:
        return
    if isinstance(bank, BankUnion):
        positions = sum(source.positions for source in bank.sources)
        held = (
            f"{counted(len(bank.sources), 'source')}, {counted(len(bank), 'entry', 'entries')} "
            f"({len(bank) / positions:.0%} of the patches survived de-duplication)"
        )
    elif isinstance(bank, CodeUnion):
        centres = counted(len(bank.centres), "centre")
        held = f"{counted(len(bank.sources), 'picture')}, {counted(len(bank), 'object')}, {centres}"
    else:
        held = counted(len(bank), "picture")
    say(f"{bank.names[0]}: {held}")


def parse(branching: str | None) -> tuple[int, ...] | None:
    if branching is None:
        return None
    if branching == "paper":
        from ktviz.library.kinds.patches.tree import PAPER_BRANCHING

        return PAPER_BRANCHING
    try:
        return tuple(int(part) for part in branching.split(","))
    except ValueError:
        raise SettingError(
            f"branching {branching!r}", "not numbers with commas", "Give paper, or for example 10,10"
        ) from None


def choose_settings(library: Path, given: dict[str, Any]) -> LibrarySettings | None:
    """The settings asked for, on top of those of the library if there is one."""
    from ktviz.library.format import MANIFEST, LibrarySettings, read_manifest

    if not given:
        return None
    known = read_manifest(library).settings if (library / MANIFEST).exists() else LibrarySettings()
    return replace(known, **given)
