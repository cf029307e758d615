"""The demo of each system."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from ktviz.cli.demos import bridge, cocosnet, image_analogy, kt, munit, pix2pixhd
from ktviz.cli.demos.pictures import Made
from ktviz.cli.making.registry import ANALOGY, BRIDGE, COCOSNET, KT, MUNIT, PIX2PIXHD

DEMOS: Mapping[str, Callable[[Path, bool], Iterator[Made]]] = {
    KT: kt.run,
    ANALOGY: image_analogy.run,
    COCOSNET: cocosnet.run,
    PIX2PIXHD: pix2pixhd.run,
    MUNIT: munit.run,
    BRIDGE: bridge.run,
}
"""By system: writes into a folder, quietly or not, and yields each output."""
