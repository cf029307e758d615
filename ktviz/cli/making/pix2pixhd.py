"""pix2pixHD on the command line: label maps with their instance maps, and looks out of a bank of codes."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from ktviz.cli.making.given import Given, Maker, Making
from ktviz.cli.streams import DASH, read_labels
from ktviz.errors import MissingLabelError
from ktviz.names import without_suffix

if TYPE_CHECKING:
    from ktviz.library.kinds.codes.coder import Coder

SETTINGS = ("choice", "seed", "without", "again")
REFERENCE = ("reference", "reference_labels", "reference_instances")


def maker(given: Given) -> Maker:
    """The system on some banks."""
    from ktviz.systems.pix2pixhd.settings import Settings
    from ktviz.systems.pix2pixhd.system import Pix2PixHD

    settings, reference, instances = given.of(*SETTINGS), reference_of(given), given["instances"]
    chosen = Settings(**given.of("choice", "seed", "again"))  # refuse bad values before any work
    system = Pix2PixHD(given.banks())
    system.reference_given(reference, chosen)
    return Maker(
        system,
        lambda path, name: (read_labels(path, system.classes), instance_map(instances, path, name)),
        lambda maps: system.traced(*maps, reference=reference, **settings),
        lambda path, name: instance_map(instances, path, name),
    )


def coder() -> Coder:
    """What banks of codes for the system are made with."""
    from ktviz.systems.pix2pixhd import coder
    from ktviz.systems.pix2pixhd.trained import Networks

    return coder.Coder(Networks.shipped())


def reference_of(given: Given) -> Any:
    """A picture of the banks, by name; or a file with its maps."""
    from ktviz.systems.pix2pixhd.settings import OF_REFERENCE

    photo, labels, instances = (given[name] for name in REFERENCE)
    if photo is None and (labels is not None or instances is not None):
        raise given.refused("maps of a reference, and no --reference", "Give the picture that they are of")
    if labels is None and instances is not None:
        raise given.refused("--reference-instances without --reference-labels", "Give both")
    if photo is None and given["choice"] in OF_REFERENCE:
        todo = "Name a picture of the banks, or a file with --reference-labels"
        raise given.refused(f"--choice {given['choice']} without --reference", todo)
    return photo if labels is None else (photo, labels, instances)


def instance_map(instances: Path | None, path: Path, name: str) -> Path | None:
    """The file of a label map's instance map.

    Args:
        instances: A file, or a folder with a map for every label map.
        path: Of the label map.
        name: Its name below the folder that was given.

    Raises:
        MissingLabelError: It is not there.
    """
    if instances is None:
        return None
    inside = instances.is_dir() and path != DASH
    found = instances / f"{without_suffix(name)}.png" if inside else instances
    if not found.is_file():
        raise MissingLabelError(f"instance map {str(found)!r}", "there is no such file", "Give one for every label map")
    return found


MAKING = Making(maker, (*SETTINGS, *REFERENCE, "instances"), coder=coder)
