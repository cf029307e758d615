"""A bank of codes: the objects of pictures, what an encoder says of each, and the centres they belong to."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa

from ktviz.errors import LibraryError
from ktviz.labels import class_of
from ktviz.labels.maps import Map
from ktviz.library.banks import expect, fitting
from ktviz.library.kinds.codes.clusters import Changed, Clusters, Mask, without
from ktviz.library.kinds.codes.objects import ENTRIES, Objects, with_sources
from ktviz.library.kinds.codes.rows import AREA_PARTS, SCHEMA, WHOLE, Numbers, outlines, read_table, vectors
from ktviz.library.kinds.codes.settings import SETTINGS, CodeSettings
from ktviz.library.kinds.pictures.kept import KeptBank
from ktviz.library.layout import CODES, ROWS
from ktviz.library.place import Place
from ktviz.printing import counted

ENTRIES_TABLE, CENTRES_TABLE = "entries.parquet", "centres.parquet"
CENTRES = pa.schema(
    [
        pa.field("label", pa.int32()),
        pa.field("code", pa.list_(pa.field("element", pa.float64()))),
        pa.field("members", pa.int32()),
        pa.field("inertia", pa.float64()),
    ]
)


@dataclass(frozen=True, eq=False, repr=False)
class CodeBank(KeptBank):
    """One bank of codes. Each object is one entry.

    Attributes:
        settings: Which coder made its codes, and how they were clustered.
        objects: Its entries.
        clusters: Their centres.
    """

    kind = CODES

    settings: CodeSettings
    objects: Objects
    clusters: Clusters

    def __len__(self) -> int:
        return len(self.objects)

    def __repr__(self) -> str:
        counts = (
            counted(len(self.sources), "source"),
            counted(len(self), "object"),
            counted(len(self.clusters), "centre"),
        )
        return f"CodeBank({self.name!r}, {', '.join(counts)}, digest {self.digest[:12]})"

    def object_map(self, source: int) -> Map:
        """The object of every pixel of a source: (H, W) int64; -1 everywhere in a bank without maps.

        Raises:
            LibraryError: The map is gone, or holds other objects than the bank.
        """
        found = self.instances(source) if "instances" in self.maps else self.labels(source)
        if found is None:
            picture = self.sources[source]
            found = np.full((picture.height, picture.width), WHOLE, np.int64)
        mine = self.objects.source == source
        drawn = [(number, area, box) for number, area, box, _ in outlines(found)]
        known = zip(self.objects.number[mine], self.objects.area[mine], self.objects.box[mine], strict=True)
        if drawn != [(int(number), float(area), tuple(map(int, box))) for number, area, box in known]:
            asked = f"objects of {self.name}/{self.sources[source].name}"
            raise LibraryError(asked, "its maps hold others", "Remove the source and add it again")
        return found

    def without(self, gone: Mask, again: bool) -> Changed:
        """Its clusters without some entries; see `clusters.without`."""
        objects, clusters = self.objects, self.settings.clusters if again else None
        return without(self.clusters, objects.code, objects.label, gone, clusters)


def load_codes(place: Place) -> CodeBank:
    """Open a bank.

    Raises:
        LibraryError: Its files do not fit together, or state what does not follow from them.
    """
    with fitting(place.name):
        settings = CodeSettings.read(place.table(SETTINGS))
        entries = read_table(place.table(ENTRIES_TABLE), ENTRIES)
        objects = Objects.of(entries, settings.size)
        centre = entries["centre"].to_numpy().astype(np.int64)
        clusters = read_clusters(place.table(CENTRES_TABLE), objects, centre, settings)
        bank = CodeBank.opened(place, settings=settings, objects=objects, clusters=clusters)
        rows = [read_table(place.file(number, ROWS), SCHEMA) for number in range(len(bank.sources))]
        expect(entries.drop_columns("centre").equals(with_sources(rows)), "entries that are the rows of the sources")
        check_objects(bank)
    return bank


def read_clusters(path: Path, objects: Objects, centre: Numbers, settings: CodeSettings) -> Clusters:
    """The centres that follow from the members; ValueError unless the bank states the same."""
    stated = read_table(path, CENTRES)
    count = stated.num_rows
    expect(all(bool(np.isfinite(values).all()) for values in (objects.code, objects.area)), "finite numbers")
    expect(bool(((centre >= -1) & (centre < count)).all()), "centres that exist")
    expect(np.array_equal(centre >= 0, objects.area > settings.least_area), "a centre for each large object")
    expect(count <= len(objects) and set(range(count)) <= set(centre.tolist()), "members of every centre")
    members = np.split(centre.argsort(kind="stable"), np.searchsorted(np.sort(centre), range(count)))[1:]
    expect(all(len(set(objects.label[group])) == 1 for group in members), "members of one class")
    found = Clusters.of(objects.code, objects.label, members)
    expect(bool((np.diff(found.label) >= 0).all()), "centres class by class")
    expect(all(n <= settings.clusters for n in np.unique(found.label, return_counts=True)[1]), "no more centres")
    expect(np.array_equal(stated["label"].to_numpy(), found.label), "centres of their members' class")
    expect(np.array_equal(stated["members"].to_numpy(), [len(group) for group in members]), "as many members")
    expect(np.array_equal(vectors(stated["code"], settings.size), found.centres), "means of their members as centres")
    expect(np.array_equal(stated["inertia"].to_numpy(), found.inertia), "the inertia of the members")
    return found


def check_objects(bank: CodeBank) -> None:
    """Raise ValueError unless the objects can be those of the sources.

    `CodeBank.object_map` compares them with the maps, where one is read.
    """
    objects, classes = bank.objects, 0 if bank.classes is None else len(bank.classes)
    expect(len(objects) > 0 and set(objects.source) == set(range(len(bank.sources))), "objects of every source")
    same = np.diff(objects.source) == 0
    expect(bool((np.diff(objects.number) > 0)[same].all()), "each object once, in order")
    expect(np.array_equal(class_of(objects.number), objects.label), "objects that say their class")
    least, most = (0, classes - 1) if classes else (WHOLE, WHOLE)
    expect(bool(((objects.label >= least) & (objects.label <= most)).all()), "classes that exist")
    height, width = np.array([(s.height, s.width) for s in bank.sources])[objects.source].T
    x, y, across, down = objects.box.T
    inside = (x >= 0) & (y >= 0) & (across > 0) & (down > 0) & (x + across <= width) & (y + down <= height)
    expect(bool(inside.all()), "boxes inside their pictures")
    unit = height * width // AREA_PARTS
    counts = np.rint(objects.area * unit)
    expect(np.array_equal(counts / unit, objects.area) and bool((counts <= across * down).all()), "areas in boxes")
    totals = np.bincount(objects.source, counts).astype(np.int64)
    expect(totals.tolist() == [s.height * s.width for s in bank.sources], "objects that fill their pictures")
