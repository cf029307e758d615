"""KT on a bench: a photograph, with a bank, or with one that is made of a reference."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ktviz.library.banks import Banks
from ktviz.library.format import LibrarySettings
from ktviz.library.kinds.registry import AnyUnion
from ktviz.systems.kt.encoder import Encoder
from ktviz.systems.kt.retrieval import NAME
from ktviz.systems.material import Material
from ktviz.systems.prepared import Prepared, bank_of

if TYPE_CHECKING:
    from ktviz.systems.kt.translator import Translator


def prepared(
    cls: type[Translator], input: Material, reference: Material | Banks[Any], like: Translator | None = None, /
) -> Prepared:
    """See `ktviz.systems.registry.SystemClass`."""
    photo = input.pixels(NAME)
    banks = of_reference(reference, like) if isinstance(reference, Material) else reference
    system = cls.shipped(banks) if like is None else cls(banks, like.encoder, like.decoder)
    return Prepared(system, (photo,))


def of_reference(reference: Material, like: Translator | None) -> AnyUnion:
    """A bank of a reference, in its own size."""
    pixels, encoder = reference.pixels(NAME), Encoder.shipped() if like is None else like.encoder
    return bank_of(reference, pixels, LibrarySettings(side_px=min(pixels.shape[:2])), encoder=encoder)
