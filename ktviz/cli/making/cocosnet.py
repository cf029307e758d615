"""CoCosNet on the command line: label maps, and an exemplar that is a file or comes out of a bank of pictures."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ktviz.cli.making.given import Given, Maker, Making
from ktviz.cli.streams import read_labels

if TYPE_CHECKING:
    from ktviz.systems.cocosnet.system import CoCosNet

FROM_FILE = ("reference", "reference_labels")
FROM_BANK = ("exemplar", "without")


def maker(given: Given) -> Maker:
    """The system with its exemplar, or with banks to choose one from."""
    system = from_file(given) if given["reference"] is not None else from_bank(given)
    settings = given.of("without")
    return Maker(
        system,
        lambda path, name: read_labels(path, system.classes),
        lambda labels: system.traced(labels, **settings),
    )


def from_file(given: Given) -> CoCosNet:
    """With a file as its exemplar."""
    from ktviz.systems.cocosnet.system import CoCosNet

    beside = [name for name in FROM_BANK if given[name]]
    if given.library is not None or given.bank or beside:
        found = f"--reference beside {' and '.join(f'--{name}' for name in beside) or 'banks'}"
        raise given.refused(found, "Give --reference and --reference-labels, or --library and --bank")
    if given["reference_labels"] is None:
        raise given.refused("--reference without --reference-labels", "Give the reference's label map")
    return CoCosNet(given["reference"], given["reference_labels"])


def from_bank(given: Given) -> CoCosNet:
    """With exemplars out of banks."""
    from ktviz.systems.cocosnet.system import CoCosNet

    if given["reference_labels"] is not None:
        raise given.refused("--reference-labels without --reference", "Give the picture that they are of")
    if given["exemplar"] and given["without"]:
        raise given.refused("--without beside --exemplar", "Give one of them: without a name, the others are ranked")
    return CoCosNet.from_bank(given.banks(), given["exemplar"])


MAKING = Making(maker, (*FROM_FILE, *FROM_BANK), further=("warped",))
