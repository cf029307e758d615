"""Which encoder made the features of a library: another one's cannot be compared with them."""

from __future__ import annotations

from ktviz.errors import LibraryError
from ktviz.library.format import EncoderIdentity
from ktviz.library.kinds.patches.features import STRIDE, FeatureExtractor, extractor_digest


def identify(encoder: FeatureExtractor) -> EncoderIdentity:
    """What a library remembers of its encoder."""
    name = getattr(encoder, "name", type(encoder).__name__)
    if encoder.stride != STRIDE:
        raise LibraryError(
            f"encoder {name}",
            f"stride {encoder.stride} px",
            f"Give one of stride {STRIDE}: positions are counted in it",
        )
    return EncoderIdentity(str(name), extractor_digest(encoder), encoder.channels, encoder.stride)


def check_encoder(
    identity: EncoderIdentity, encoder: FeatureExtractor, asked: str, *, any_precision: bool = False
) -> None:
    """Raise LibraryError unless `encoder` is the one that `identity` describes.

    Args:
        identity: What is remembered.
        encoder: What is given.
        asked: What an error says was asked.
        any_precision: Whether it may compute in another one now, as where it only searches.
    """
    other = identify(encoder)
    if identity.digest != other.digest and not (
        any_precision and identity.digest == extractor_digest(encoder, in_single=True)
    ):
        raise LibraryError(
            f"{asked} with encoder {other.name} ({other.digest[:12]})",
            f"it was built with {identity.name} ({identity.digest[:12]})",
            "Use that encoder, or build the library again",
        )


def shipped_encoder() -> FeatureExtractor:
    """The encoder that comes with the package, which banks of patches are built with unless another one is given."""
    from ktviz.systems.kt.encoder import Encoder

    return Encoder.shipped()
