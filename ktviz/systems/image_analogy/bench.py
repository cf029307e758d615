"""Deep Image Analogy on a bench: a photograph after a reference, which may be the only picture of a bank."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ktviz.library.banks import Banks
from ktviz.systems.image_analogy.sites import NAME
from ktviz.systems.material import Material
from ktviz.systems.prepared import Prepared

if TYPE_CHECKING:
    from ktviz.systems.image_analogy.system import ImageAnalogy


def prepared(
    cls: type[ImageAnalogy], input: Material, reference: Material | Banks[Any], like: ImageAnalogy | None = None, /
) -> Prepared:
    """See `ktviz.systems.registry.SystemClass`."""
    photo, method = input.pixels(NAME), None if like is None else like.method
    if isinstance(reference, Material):
        system = cls(reference.pixels(NAME), method, reference.source)
    else:
        system = cls.from_bank(reference, method=method)
    return Prepared(system, (photo,))
