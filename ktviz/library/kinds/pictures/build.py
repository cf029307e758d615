"""Making a bank of pictures: each source without loss, and small; with maps and attributes, where it has some."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from ktviz.labels import Classes
from ktviz.library.attributes import check_known
from ktviz.library.format import Manifest
from ktviz.library.kinds.pictures.bank import PictureBank
from ktviz.library.kinds.pictures.kept import classes_for, kept_source, write_kept
from ktviz.library.kinds.preparer import Given
from ktviz.library.layout import CLASSES, LAYOUTS, PICTURES
from ktviz.library.parts import Work
from ktviz.library.sources import Source, SourceFile


class PicturePreparer:
    """Keeps sources as they are; see `ktviz.library.kinds.preparer.Preparer`.

    Args:
        given: Their maps and attributes, if there are any.
        manifest: Of the library.
        bank: What they are to enter; None for a new one.

    Raises:
        LibraryError: The bank has other maps or attributes.
    """

    kind = PICTURES
    side_px = None

    def __init__(self, given: Given, manifest: Manifest, bank: PictureBank | None) -> None:
        self.settings = classes_for(bank, given.maps)
        if bank is not None:
            check_known(bank.name, bank.sources, given.attributes)
        self.layout = LAYOUTS[PICTURES].with_maps(() if given.maps is None else given.maps.names)
        self.made_with = made_with(self.settings)

    def prepare(self, file: SourceFile, files: Sequence[Path]) -> None:
        """Write the picture, the small one, and the maps."""
        write_kept(file, files, self.settings)

    def source(self, file: SourceFile, files: Sequence[Path]) -> Source:
        """What is known of a source whose files are written."""
        return kept_source(file, files[0])


def made_with(classes: Classes | None) -> str:
    """What tells apart what makes other files of the same picture."""
    return PICTURES if classes is None else json.dumps([PICTURES, asdict(classes)])


def tables(work: Work) -> int:
    """Write what stands beside pictures and maps, and count the entries."""
    write_classes(work.folder, work.settings)
    return len(work.parts)


def write_classes(folder: Path, classes: Classes | None) -> None:
    """The classes of label maps, where a bank has some."""
    if classes is not None:
        classes.write(folder / CLASSES)
