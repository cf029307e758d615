"""The weights that come with bridging."""

from __future__ import annotations

from pathlib import Path

from ktviz.networks.weights import Packaged

WEIGHTS = Packaged(
    Path(__file__).parent / "weights",
    {
        "networks.safetensors": "754233017bbe4761a81f32260d03d16fa8799a2c4607bd3bd55845102b9f3893",
    },
)
