"""The weights that come with Deep Image Analogy."""

from __future__ import annotations

from pathlib import Path

from ktviz.networks.weights import Packaged

WEIGHTS = Packaged(
    Path(__file__).parent / "weights",
    {
        "pyramid.safetensors": "e58c62d836204aa43e44b3826652918e9a6f08ad0d6e7fb036e8e17c6072d3b6",
        "inverse.safetensors": "f737c0f601af85ba8e6a6290eb29a0c4f808ae2d7a83bd0358c5b72df84c4b3c",
    },
)
