"""The weights that come with MUNIT."""

from __future__ import annotations

from pathlib import Path

from ktviz.networks.weights import Packaged

WEIGHTS = Packaged(Path(__file__).parent / "weights", {})
