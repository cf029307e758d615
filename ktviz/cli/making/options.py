"""The options that commands which make pictures have in common."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from ktviz.values import check_once

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
        help="A bank, or a task for all its styles: of patches (kt), of pictures (image-analogy, cocosnet, bridge), of "
        "codes (pix2pixhd, munit).",
    ),
]
Reference = Annotated[
    str | None,
    typer.Option(
        metavar="PICTURE",
        help="The picture whose look is taken on: a file, or with --bank its name there (image-analogy, cocosnet, "
        "pix2pixhd, munit, bridge).",
    ),
]
ReferenceLabels = Annotated[
    Path | None, typer.Option(metavar="MAP", help="Label map of a reference that is a file (cocosnet, pix2pixhd).")
]
ReferenceInstances = Annotated[
    Path | None, typer.Option(metavar="MAP", help="Its instance map; without one, a class is one object (pix2pixhd).")
]
Instances = Annotated[
    Path | None,
    typer.Option(
        metavar="MAP|DIR",
        help="Instance map of the label map, or a folder: that of a/b.png is DIR/a/b.png (pix2pixhd).",
    ),
]
Exemplar = Annotated[
    str | None, typer.Option(metavar="NAME", help="A picture of the banks (cocosnet). [the most similar one]")
]
Choice = Annotated[
    str | None, typer.Option(help="How objects get their looks (pix2pixhd): drawn, nearest, encoded ... [drawn]")
]
Seed = Annotated[
    int | None, typer.Option(help="Of the random search (image-analogy), of the draw (pix2pixhd, munit, bridge). [0]")
]
To = Annotated[str | None, typer.Option(metavar="DOMAIN", help="What pictures become (munit). [the second domain]")]
Code = Annotated[
    str | None,
    typer.Option(
        metavar="X,Y,...", help="Numbers of a style: that of the nearest picture of the bank is taken (munit)."
    ),
]
Nearest = Annotated[int | None, typer.Option(metavar="N", help="So many of the nearest, in equal parts (munit). [1]")]
Mix = Annotated[
    list[str] | None,
    typer.Option(
        metavar="NAME=WEIGHT", help="A picture of the bank and its weight; repeatable; they add up to 1 (munit)."
    ),
]
Again = Annotated[
    bool | None,
    typer.Option(
        "--again",
        help="Cluster the classes that lose an object again, instead of taking the means of what is left (pix2pixhd).",
    ),
]
Without = Annotated[
    list[str] | None, typer.Option(metavar="SOURCE", help="A source to leave out; repeatable (not image-analogy).")
]
Has = Annotated[
    list[str] | None,
    typer.Option(metavar="ATTRIBUTE", help="An attribute that the photographs have; repeatable (bridge)."),
]
Want = Annotated[
    list[str] | None,
    typer.Option(metavar="ATTRIBUTE", help="One that is to come, or with =no to go: Hat, Hat=no; repeatable (bridge)."),
]
AttributesOf = Annotated[
    Path | None,
    typer.Option(
        "--attributes",
        metavar="CSV",
        help="Of photographs, and of a reference that is a file: file, and a column of 0 and 1 for each (bridge).",
    ),
]
Mode = Annotated[
    str | None, typer.Option(help="Where a code is from (bridge): reference, labels or between. [reference]")
]
Alpha = Annotated[float | None, typer.Option(help="Between, the part of the labels' code (bridge). [0.5]")]
Amount = Annotated[float | None, typer.Option(help="By which the change of attributes is multiplied (bridge). [1.5]")]
Row = Annotated[int | None, typer.Option(help="A row of the table of noise, for labels (bridge). [drawn by --seed]")]
Preset = Annotated[
    str | None, typer.Option(help="kt: paper, beam or exact. image-analogy: photo-to-style, style-to-photo ... [beam]")
]
Transfer = Annotated[str | None, typer.Option(help="What the winners give (kt): statistics or swap. [statistics]")]
Strength = Annotated[
    float | None, typer.Option(help="Of the transfer from patch to patch (kt): 0, none, to 1. [0.2; 1 without --align]")
]
Coherence = Annotated[
    float | None, typer.Option(help="Similarity given up to continue a neighbour (kt); 0 as published.")
]
Align = Annotated[float | None, typer.Option(help="How far the photo takes the tone (kt): 0, as published, to 1. [1]")]
Tone = Annotated[
    str | None,
    typer.Option(help="Of what (kt): patches, or sources, for a bank of one source. [patches]"),
]
MaxGain = Annotated[float | None, typer.Option(help="Bound of the contrast gain in flat regions (kt); 0 as published.")]
StoreAt = Annotated[
    Path | None, typer.Option("--store", metavar="FOLDER", help="Keep every trace in this store of traces, too.")
]
Inversion = Annotated[str | None, typer.Option(help="image-analogy: fast, or lbfgs as published. [fast]")]
Refine = Annotated[
    bool | None, typer.Option("--refine", help="image-analogy: edge-preserving refinement, for photographs.")
]

NO = "=no"
"""What stands after the name of an attribute that is to go."""


def wanted(words: Sequence[str]) -> dict[str, bool]:
    """What is to change: "Hat" is to come, "Hat=no" is to go.

    Raises:
        SettingError: A name that is given twice.
    """
    names = [word.removesuffix(NO) for word in words]
    check_once("--want", names)
    return {name: not word.endswith(NO) for name, word in zip(names, words, strict=True)}
