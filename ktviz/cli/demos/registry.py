"""The demo of each system."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

from ktviz.cli.demos import bridge, cocosnet, image_analogy, kt, munit, pix2pixhd
from ktviz.cli.demos.pictures import Made
from ktviz.cli.making.registry import ANALOGY, BRIDGE, COCOSNET, KT, MUNIT, PIX2PIXHD


@dataclass(frozen=True)
class Demo:
    """What a system does with the sample data.

    Attributes:
        run: Writes into a folder, quietly or not, and yields each output.
        shown: Pictures that it writes for the page of all systems, and what they are.
    """

    run: Callable[[Path, bool], Iterator[Made]]
    shown: Mapping[str, str]

    @classmethod
    def of(cls, module: ModuleType) -> Demo:
        """That of a module."""
        return cls(module.run, module.SHOWN)


DEMOS: Mapping[str, Demo] = {
    name: Demo.of(module)
    for name, module in (
        (KT, kt),
        (ANALOGY, image_analogy),
        (COCOSNET, cocosnet),
        (PIX2PIXHD, pix2pixhd),
        (MUNIT, munit),
        (BRIDGE, bridge),
    )
}
"""By system."""
