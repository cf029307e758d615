"""Making a bank of codes: each source encoded object by object, then all objects clustered class by class."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pyarrow as pa
import torch
from torch import Tensor

from ktviz.engines.turn import Turn
from ktviz.errors import LibraryError, SettingError
from ktviz.labels import Classes
from ktviz.labels.maps import Map
from ktviz.library.format import Manifest
from ktviz.library.kinds.codes.bank import CENTRES, CENTRES_TABLE, ENTRIES_TABLE, CodeBank
from ktviz.library.kinds.codes.clusters import Clusters, clustered
from ktviz.library.kinds.codes.coder import Coder
from ktviz.library.kinds.codes.objects import CENTRE, Objects, with_sources
from ktviz.library.kinds.codes.rows import SCHEMA, WHOLE, Row, read_table, rows_of, rows_table, write_table
from ktviz.library.kinds.codes.settings import CLUSTERS, LEAST_AREA, CodeSettings
from ktviz.library.kinds.pictures.build import write_classes
from ktviz.library.kinds.pictures.kept import classes_for, kept_source, write_kept
from ktviz.library.kinds.preparer import Given
from ktviz.library.layout import CODES, LAYOUTS, ROWS
from ktviz.library.maps import MapFolders, check_classes
from ktviz.library.parts import Work
from ktviz.library.sources import Source, SourceFile

Recipe = tuple[CodeSettings, Classes | None]
"""What the tables of a bank are made with."""


class CodePreparer:
    """Keeps sources as they are and encodes their objects; see `ktviz.library.kinds.preparer.Preparer`.

    Args:
        given: The coder, their maps, and for a new bank how it is clustered.
        manifest: Of the library.
        bank: What they are to enter; None for a new one.

    Raises:
        SettingError: No coder, or not the maps that it needs.
        LibraryError: The bank has another coder or other maps, or the coder reads other classes.
    """

    kind = CODES
    side_px = None

    def __init__(self, given: Given, manifest: Manifest, bank: CodeBank | None) -> None:
        self.coder = checked(given.coder, given.maps)
        if bank is None:
            clusters = CLUSTERS if given.clusters is None else given.clusters
            area = LEAST_AREA if given.least_area is None else float(given.least_area)
            made = CodeSettings(self.coder.digest, self.coder.size, clusters, area)
        else:
            made = bank.settings
            check_coder(made, self.coder, f"add to bank {bank.name!r}")
        classes = classes_for(bank, given.maps)
        self.settings: Recipe = made, classes
        self.layout = LAYOUTS[CODES].with_maps(() if given.maps is None else given.maps.names)
        self.made_with = made_with(self.settings)
        self.turn = Turn()  # a coder need not be safe to call from several threads

    def prepare(self, file: SourceFile, files: Sequence[Path]) -> None:
        """Write the picture, the small one, the maps, and a row for each object."""
        picture, thumb, rows, *maps = files
        pixels, numbers = write_kept(file, (picture, thumb, *maps), self.settings[1])
        labels, objects = (numbers[0], numbers[-1]) if numbers else (None, None)
        with self.turn, torch.no_grad():
            codes = self.coder.encode(pixels, labels, objects).detach().cpu()
        whole = np.full(pixels.shape[:2], WHOLE) if objects is None else objects
        write_table(rows, rows_table(coded(codes, whole, self.coder.size, f"encode {str(file.path)!r}")))

    def source(self, file: SourceFile, files: Sequence[Path]) -> Source:
        """What is known of a source whose files are written."""
        return kept_source(file, files[0])


def checked(coder: Coder | None, maps: MapFolders | None) -> Coder:
    """A coder, if there is one, and the maps are those that it reads."""
    if coder is None:
        raise SettingError("a bank of codes", "no coder", "Give what makes its codes: coder=, --system")
    if coder.classes is None:
        if maps is not None:
            raise SettingError("a bank of codes with label maps", "its coder takes whole pictures", "Leave them out")
    elif maps is None:
        raise SettingError("a bank of codes", "no label maps, and its coder reads them", "Give labels=, --labels")
    else:
        check_classes(coder.classes, maps.classes, f"label maps in {str(maps.labels)!r}")
    return coder


def check_coder(settings: CodeSettings, coder: Coder, asked: str) -> None:
    """Raise LibraryError unless a coder is the one that a bank was made with."""
    if (coder.digest, coder.size) != (settings.coder, settings.size):
        found = f"coder {coder.digest[:12]} of {coder.size} numbers, and it was built with {settings.coder[:12]}"
        raise LibraryError(asked, f"{found} of {settings.size}", "Use that coder, or build another bank")


def coded(codes: Tensor, numbers: Map, size: int, asked: str) -> list[Row]:
    """The rows of a picture.

    Raises:
        LibraryError: The codes are not what a coder gives: of another shape, not finite, or not the same at all pixels
            of an object.
    """
    todo = "Check the coder"
    if codes.shape != (size, *numbers.shape):
        wanted = (size, *numbers.shape)
        raise LibraryError(asked, f"codes of shape {tuple(codes.shape)}, not {wanted}", todo)
    if not torch.isfinite(codes).all():
        raise LibraryError(asked, "NaN or infinite codes", "Check the coder's weights")
    rows = rows_of(codes, torch.from_numpy(numbers))
    place = np.searchsorted([row.number for row in rows], numbers)
    even = torch.from_numpy(np.stack([row.code for row in rows], 1)[:, place])
    if not torch.equal(even, codes.double()):
        y, x = (even != codes).any(0).nonzero()[0].tolist()
        raise LibraryError(asked, f"object {numbers[y, x]} has several codes (x {x}, y {y})", todo)
    return rows


def made_with(recipe: Recipe) -> str:
    """What tells apart what makes other files of the same picture."""
    settings, classes = recipe
    return json.dumps([CODES, settings.coder, settings.size, None if classes is None else asdict(classes)])


def tables(work: Work) -> int:
    """Cluster the objects of all sources, write the tables, and count the entries."""
    folder, (settings, classes) = work.folder, work.settings
    write_classes(folder, classes)
    settings.write(folder)
    rows = with_sources([read_table(part.files[ROWS], SCHEMA) for part in work.parts])
    objects = Objects.of(rows, settings.size)
    clusters = clustered(objects.code, objects.label, objects.area, settings)
    centre = pa.array(clusters.centre_of(len(objects)), CENTRE.type)
    write_table(folder / ENTRIES_TABLE, rows.append_column(CENTRE, centre))
    write_table(folder / CENTRES_TABLE, centres_table(clusters))
    return len(objects)


def centres_table(clusters: Clusters) -> pa.Table:
    """Class, code, number of members and inertia of each centre."""
    sizes = [len(group) for group in clusters.members]
    columns = [clusters.label, clusters.centres.tolist(), sizes, clusters.inertia]
    return pa.table([pa.array(c, field.type) for c, field in zip(columns, CENTRES, strict=True)], schema=CENTRES)
