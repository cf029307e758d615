"""The weights that come with CoCosNet."""

from __future__ import annotations

from pathlib import Path

from ktviz.networks.weights import Packaged

WEIGHTS = Packaged(
    Path(__file__).parent / "weights",
    {
        "correspondence.safetensors": "d9c4635d4e9d6842fecca7d225126d8ebdf9b1b00573f0ab80a25cc52a922bf2",
        "generator.safetensors": "9855e7922e41071bd7b3096041d59f05bf951c87dfc80d16c8e7dbad055981cc",
    },
)
