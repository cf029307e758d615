"""The weights that come with MUNIT."""

from __future__ import annotations

from pathlib import Path

from ktviz.networks.weights import Packaged

WEIGHTS = Packaged(
    Path(__file__).parent / "weights",
    {
        "generators.safetensors": "8867c68574022fd80b431a7204ac24c8f99c8e1ca2a067dbd8191169f86cc7cd",
    },
)
