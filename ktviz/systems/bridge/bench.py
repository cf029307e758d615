"""Bridging on a bench: an aligned picture gets the attributes in which a reference is another, or those wanted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ktviz.errors import SettingError
from ktviz.library.banks import Banks
from ktviz.systems.bridge.attributes import Known
from ktviz.systems.bridge.reference import Aligned, aligned
from ktviz.systems.bridge.sites import NAME
from ktviz.systems.bridge.trained import Networks
from ktviz.systems.material import Material
from ktviz.systems.prepared import Prepared

if TYPE_CHECKING:
    from ktviz.systems.bridge.system import Bridge


def prepared(
    cls: type[Bridge], input: Material, reference: Material | Banks[Any], like: Bridge | None = None, /
) -> Prepared:
    """See `ktviz.systems.registry.SystemClass`.

    Raises:
        SettingError: Nobody says what is to change, or the reference has nothing else than the input.
    """
    networks = Networks.shipped() if like is None else like.networks
    names, side = networks.attributes, networks.shape.side
    known = Known(names, networks.exclusive)
    photo, has, want = aligned(input.pixels(NAME), side, "a picture"), attributes_of(input, known), input.want
    if not isinstance(reference, Material):
        if want is None:
            todo = "Say it: want=; on the command line --want"
            raise SettingError(f"{NAME} with {input.name}", "nobody says what is to change", todo)
        return Prepared(cls(reference, networks), (photo, has, want))
    theirs = attributes_of(reference, known)
    want = {name: theirs[name] for name in names if theirs[name] != has[name]} if want is None else want
    if not want:
        found = f"{reference.name} has the same attributes" if input.want is None else "nothing is wanted"
        raise SettingError(f"{NAME} with {input.name}", found, "Give a reference with others")
    taken = Aligned(aligned(reference.pixels(NAME), side, "a reference"), reference.source, theirs)
    return Prepared(cls(None, networks), (photo, has, want), {"reference": taken})


def attributes_of(material: Material, known: Known) -> dict[str, bool]:
    """All attributes of a picture, read as `Bridge` reads them; errors as there and in `Material.said`."""
    return known.all(material.said(known.names, NAME), f"attributes of {material.name}:")
