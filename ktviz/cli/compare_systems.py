"""`ktviz compare-systems`: one input, one reference, several systems, side by side in a folder."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ktviz.cli.console import Json, Quiet, print_json, print_table, say
from ktviz.cli.making.options import AttributesOf, Banks, LibraryPath, Want, wanted
from ktviz.errors import SettingError, UnknownNameError
from ktviz.values import short

if TYPE_CHECKING:
    from ktviz.library.kinds.registry import AnyUnion
    from ktviz.regions import Box
    from ktviz.systems.material import Material
    from ktviz.workbench.result import Bench

ASKED = "compare systems"
COUNTS = ("retrievals", "memory_bytes", "units", "runs")
"""Columns of whole numbers."""


def compare_systems(
    output: Annotated[Path, typer.Option("--output", "-o", metavar="FOLDER", help="A new folder for what is found.")],
    photo: Annotated[
        Path | None, typer.Argument(metavar="[PHOTO]", help="The photograph; may be left out with --labels.")
    ] = None,
    reference: Annotated[
        str | None,
        typer.Option(metavar="PICTURE", help="Whose look is taken on: a file, or with --bank its name there."),
    ] = None,
    systems: Annotated[
        str | None, typer.Option(metavar="NAME,...", help="Which, with commas. [all that `ktviz systems` lists]")
    ] = None,
    labels: Annotated[Path | None, typer.Option(metavar="MAP", help="Label map of the photograph.")] = None,
    instances: Annotated[Path | None, typer.Option(metavar="MAP", help="Its instance map.")] = None,
    reference_labels: Annotated[Path | None, typer.Option(metavar="MAP", help="Label map of the reference.")] = None,
    reference_instances: Annotated[Path | None, typer.Option(metavar="MAP", help="Its instance map.")] = None,
    classes: Annotated[
        Path | None, typer.Option(metavar="CSV", help="Of the label maps. [classes.csv beside each, or above]")
    ] = None,
    attributes: AttributesOf = None,
    want: Want = None,
    library: LibraryPath = None,
    bank: Banks = None,
    region: Annotated[
        str | None, typer.Option(metavar="X,Y,W,H", help="Where faithfulness is tested, in px. [the middle half]")
    ] = None,
    cells: Annotated[int, typer.Option(min=1, max=48, help="Cells a side, of outputs and sources.")] = 16,
    runs: Annotated[int, typer.Option(min=0, help="Random halves that are left out; 0 for no faithfulness.")] = 16,
    repeats: Annotated[int, typer.Option(min=0, help="Turns in which times are taken; 0 for none.")] = 3,
    seed: Annotated[int, typer.Option(min=0, help="Of the halves.")] = 0,
    side: Annotated[
        int, typer.Option(min=0, metavar="PX", help="Shrink all to this shorter side first; 0 leaves it.")
    ] = 256,
    overwrite: Annotated[bool, typer.Option(help="Replace a folder that exists.")] = False,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Put one input and one reference to several systems: who made what of it, from where, how fast, how faithfully."""
    from ktviz.systems.material import Material
    from ktviz.workbench.bench import bench
    from ktviz.workbench.folder import check_target

    check_target(output, overwrite)
    named = None if systems is None else [name.strip() for name in systems.split(",") if name.strip()]
    if photo is None and labels is None:
        raise SettingError(ASKED, "neither a photograph nor --labels", "Give what is to be painted")
    shrunk = side or None
    given = Material(
        photo,
        labels,
        instances,
        classes,
        attributes=attributes_of(attributes, photo),
        want=wanted(want) if want else None,
        side=shrunk,
    )
    if bank or library is not None:
        if reference_labels is not None or reference_instances is not None:
            raise SettingError(ASKED, "maps of the reference beside --bank", "Leave them out: a bank knows its own")
        known = of_library(library, bank, reference, shrunk)
    elif reference is None:
        raise SettingError(ASKED, "no --reference", "Give the picture whose look is taken on, or a bank")
    else:
        told = attributes_of(attributes, Path(reference))
        known = Material(reference, reference_labels, reference_instances, classes, told, side=shrunk)
    found = bench(
        given,
        known,
        named,
        region=None if region is None else box_of(region),
        cells=cells,
        runs=runs,
        repeats=repeats,
        seed=seed,
        quiet=quiet or as_json,
    )
    found.save(output, overwrite=overwrite)
    if as_json:
        print_json(as_dict(found, output))
    elif not quiet:
        report(found, output)


def of_library(
    library: Path | None, bank: list[str] | None, reference: str | None, side: int | None
) -> Material | list[AnyUnion]:
    """A picture of a bank, with all that the bank knows of it; or banks, those of one kind together."""
    from ktviz.library.library import Library
    from ktviz.systems.material import Material

    if library is None or not bank:
        missing = "--library" if library is None else "--bank"
        raise SettingError(ASKED, f"no {missing}", "Give both, or neither and a file as --reference")
    opened = Library.open(library)
    of_kind: dict[str, dict[str, None]] = {}
    for name in (one for asked in bank for one in opened.select([asked]).names):
        of_kind.setdefault(opened.record(name).kind, {})[name] = None
    unions = [opened.select(names) for names in of_kind.values()]
    if reference is None:
        return unions
    holding = [union for union in unions if holds(union, reference)]
    return Material.of_bank((holding or unions)[0], reference, side)


def holds(union: AnyUnion, reference: str) -> bool:
    """Whether banks have a source that a name means."""
    try:
        return bool(union.find_source(reference))
    except UnknownNameError:
        return False


def attributes_of(table: Path | None, picture: Path | None) -> Any:
    """What a table of attributes says of a picture."""
    from ktviz.library.attributes import attributes_table

    known = attributes_table(table)
    return None if known is None or picture is None else known.of(picture)


def box_of(text: str) -> Box:
    """A region from its numbers.

    Raises:
        SettingError: Not four whole numbers.
    """
    from ktviz.regions import Box

    try:
        x, y, width, height = (int(part) for part in text.split(","))
    except ValueError:
        raise SettingError(f"--region {short(text)}", "not four whole numbers", "Give x,y,width,height") from None
    return Box(x, y, width, height)


def report(found: Bench, folder: Path) -> None:
    """What the terminal says."""
    from ktviz.workbench import words
    from ktviz.workbench.folder import PAGE

    for title, (columns, rows) in ((found.title, words.systems(found)), ("agreement", words.pairs(found))):
        if rows:
            print_table(title, [*columns], rows)
            say("")
    for name, why in (*words.away(found), *((one.name, remark) for one in found.there for remark in one.remarks)):
        say(f"{name}: {why}")
    say(f"{found.headline()}; open {folder / PAGE}")


def plain(column: str, value: Any) -> Any:
    """A value of a table for JSON: counts are whole, where a table with gaps has none."""
    if value != value:
        return None
    return int(value) if column in COUNTS else value


def as_dict(found: Bench, folder: Path) -> dict[str, Any]:
    """A comparison for programs; see docs/command-line.md."""
    from ktviz.workbench.folder import PAGE

    def rows(table: Any) -> list[dict[str, Any]]:
        return [{name: plain(name, value) for name, value in row.items()} for row in table.to_dict("records")]

    return {
        "comparison": str(folder),
        "page": str(folder / PAGE),
        "title": found.title,
        "systems": rows(found.frame),
        "agreement": rows(found.agreement),
        "about": dict(found.about),
    }
