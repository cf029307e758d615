"""CoCosNet on a bench: a label map after an exemplar with its label map, or after the most similar one of banks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ktviz.library.banks import Banks
from ktviz.systems.cocosnet.exemplar import same_classes
from ktviz.systems.cocosnet.networks import Networks
from ktviz.systems.cocosnet.sites import NAME
from ktviz.systems.material import Material
from ktviz.systems.prepared import Prepared

if TYPE_CHECKING:
    from ktviz.systems.cocosnet.system import CoCosNet


def prepared(
    cls: type[CoCosNet], input: Material, reference: Material | Banks[Any], like: CoCosNet | None = None, /
) -> Prepared:
    """See `ktviz.systems.registry.SystemClass`."""
    networks = Networks.shipped() if like is None else like.networks
    classes = same_classes(networks.configuration.classes)
    labels = input.label_map(classes, NAME)
    if isinstance(reference, Material):
        system = cls(reference.pixels(NAME), reference.label_map(classes, NAME), networks, reference.source)
    else:
        system = cls.from_bank(reference, networks=networks)
    return Prepared(system, (labels,))
