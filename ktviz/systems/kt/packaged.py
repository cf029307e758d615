"""The weights that come with KT."""

from __future__ import annotations

from pathlib import Path

from ktviz.networks.weights import Packaged

WEIGHTS = Packaged(
    Path(__file__).parent / "weights",
    {
        "encoder.safetensors": "dfdfac83e321b65dd3cab16a6595159d4d299ab0b58e0fd18511054e85264ac4",
        "decoder.safetensors": "d23839335a5878b43d5213eb8ea1f2e4df7e746d9b42ab366c02fed833b00e2a",
        "teacher_projection.safetensors": "bad65eb52bfffb75505cb697983e35e4b2b6146773890c9116bf7666a4a28ab6",
    },
)
