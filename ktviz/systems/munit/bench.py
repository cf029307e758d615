"""MUNIT on a bench: a photograph in the style of a reference, or in a drawn one that banks have alike."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ktviz.library.banks import Banks
from ktviz.systems.material import Material
from ktviz.systems.munit.exemplar import Exemplar
from ktviz.systems.munit.sites import NAME
from ktviz.systems.prepared import Prepared

if TYPE_CHECKING:
    from ktviz.systems.munit.system import Munit


def prepared(
    cls: type[Munit], input: Material, reference: Material | Banks[Any], like: Munit | None = None, /
) -> Prepared:
    """See `ktviz.systems.registry.SystemClass`."""
    photo = input.pixels(NAME)
    banks = None if isinstance(reference, Material) else reference
    system = cls(banks) if like is None else cls(banks, like.networks, like.target)
    if not isinstance(reference, Material):
        return Prepared(system, (photo,))
    return Prepared(system, (photo,), {"exemplar": Exemplar(reference.pixels(NAME), reference.source)})
