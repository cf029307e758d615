"""pix2pixHD on a bench: objects of a label map in the codes of a reference's objects, or in looks drawn from banks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ktviz.library.banks import Banks
from ktviz.library.layout import CODES
from ktviz.systems.material import Material
from ktviz.systems.pix2pixhd.coder import Coder
from ktviz.systems.pix2pixhd.sites import NAME
from ktviz.systems.pix2pixhd.trained import Networks
from ktviz.systems.prepared import BANK, FILE, Prepared, bank_of

if TYPE_CHECKING:
    from ktviz.systems.pix2pixhd.system import Pix2PixHD


def prepared(
    cls: type[Pix2PixHD], input: Material, reference: Material | Banks[Any], like: Pix2PixHD | None = None, /
) -> Prepared:
    """See `ktviz.systems.registry.SystemClass`."""
    networks = Networks.shipped() if like is None else like.networks
    classes = networks.classes
    inputs = input.label_map(classes, NAME), input.instance_map(classes, NAME)
    if not isinstance(reference, Material):
        return Prepared(cls(reference, networks), inputs)
    maps = reference.label_map(classes, NAME), reference.instance_map(classes, NAME)
    bank = bank_of(reference, reference.pixels(NAME), maps=maps, classes=classes, kind=CODES, coder=Coder(networks))
    return Prepared(cls(bank, networks), inputs, {"choice": "encoded", "reference": f"{BANK}/{FILE}"})
