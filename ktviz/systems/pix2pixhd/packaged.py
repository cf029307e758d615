"""The weights that come with pix2pixHD."""

from __future__ import annotations

from pathlib import Path

from ktviz.networks.weights import Packaged

WEIGHTS = Packaged(
    Path(__file__).parent / "weights",
    {
        "encoder.safetensors": "d709f967605a9772da2fdbc94f5abce6f947942ebcf94a9cd12c231d1e5f51bf",
        "generator.safetensors": "9be4edf19d17a1a304d6eb6541b24d0e55896724e63bd1ef4c02fe1048dfc27e",
    },
)
