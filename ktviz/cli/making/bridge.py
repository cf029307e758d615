"""Bridging on the command line: photographs with attributes, and references that are files or come out of a bank."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ktviz.cli.making.given import Given, Maker, Making
from ktviz.cli.making.options import wanted
from ktviz.cli.streams import read_photo
from ktviz.errors import LabelError

if TYPE_CHECKING:
    from ktviz.library.attributes import AttributesTable

SETTINGS = ("mode", "alpha", "amount", "row", "seed")
ATTRIBUTES = ("has", "want", "attributes")


def maker(given: Given) -> Maker:
    """The system, on some banks if there are any."""
    from ktviz.library.attributes import attributes_table
    from ktviz.systems.bridge.settings import Settings
    from ktviz.systems.bridge.system import Bridge

    if not given["want"]:
        raise given.refused("no --want", "Name attributes to change: --want Hat --want Glasses=no")
    if given["has"] is None and given["attributes"] is None:
        found = "neither --has nor --attributes"
        raise given.refused(found, "Say which attributes the photographs have")
    settings = Settings(**given.of(*SETTINGS))  # refuse bad values before any work
    table = attributes_table(given["attributes"])
    system = Bridge(given.banks() if given.library is not None or given.bank else None)
    want, known = wanted(given["want"]), system.networks.attributes
    system.asking.known.wish((), want)

    def has(path: Path, name: str) -> Sequence[str]:
        return given["has"] if table is None or given["has"] is not None else there(table, path, known)

    reference = given["reference"]
    if reference is not None and system.banks is None:
        if table is None:
            raise given.refused("--reference without --attributes", "Give a table with the reference's attributes")
        reference = (reference, there(table, Path(reference), known))
    system.asking.reference(reference, settings)
    return Maker(
        system,
        lambda path, name: (read_photo(path), has(path, name)),
        lambda read: system.traced(read[0], read[1], want, reference=reference, **given.of("without", *SETTINGS)),
        has,
    )


def there(table: AttributesTable, path: Path, known: Sequence[str]) -> list[str]:
    """The attributes that a picture has by a table.

    Raises:
        LabelError: It has no row, or there is no column for one of those that networks know.
    """
    missing = [name for name in known if name not in table.names]
    if missing:
        found = f"there is no column {missing[0]!r}"
        raise LabelError(f"attributes {str(table.path)!r}", found, f"Give a column for each of {', '.join(known)}")
    has = table.of(path)
    return [name for name in known if has[name]]


MAKING = Making(maker, (*SETTINGS, *ATTRIBUTES, "reference", "without"))
