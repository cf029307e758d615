"""Systems made ready: with a reference for their knowledge, and with what they are called with for an input."""

from __future__ import annotations

import weakref
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, cast

from torch import nn

from ktviz.images import Pixels, write_image
from ktviz.labels import Classes, write_map
from ktviz.labels.maps import Map
from ktviz.library.credits import CreditRow, CreditsTable
from ktviz.library.format import LibrarySettings
from ktviz.library.kinds.registry import AnyUnion
from ktviz.library.library import Library
from ktviz.systems.material import Material
from ktviz.systems.protocol import System
from ktviz.trace.record import record
from ktviz.trace.trace import Trace

BANK, FILE = "reference/picture", "reference.png"
"""A bank that is made of a reference alone, and what that is called in it."""


@dataclass(frozen=True, eq=False)
class Prepared:
    """A system with its knowledge, and what it is called with.

    Attributes:
        system: A module.
        inputs: What it is called with.
        settings: How.
    """

    system: System
    inputs: tuple[Any, ...]
    settings: Mapping[str, Any] = field(default_factory=dict)

    def run(self) -> Any:
        """Make the picture."""
        return cast(nn.Module, self.system)(*self.inputs, **self.settings)

    def traced(self) -> Trace:
        """Make the picture, and record it: as the system itself does, if it does."""
        if hasattr(self.system, "traced"):
            trace: Trace = self.system.traced(*self.inputs, **self.settings)
            return trace
        with record(cast(nn.Module, self.system), all_threads=False) as trace:
            self.run()
        return trace


def bank_of(
    reference: Material,
    pixels: Pixels,
    settings: LibrarySettings | None = None,
    *,
    maps: tuple[Map, Map | None] | None = None,
    classes: Classes | None = None,
    **how: Any,
) -> AnyUnion:
    """A bank of a reference alone, in a library that goes when nobody uses the bank any more.

    Args:
        reference: For its credit.
        pixels: Its picture.
        settings: Of the library.
        maps: Its label map and its instance map.
        classes: What the numbers of the label map mean.
        **how: As in `Library.build`: kind, encoder, coder.
    """
    kept = TemporaryDirectory(prefix="ktviz-")
    folder = Path(kept.name)
    write_image(folder / "photo" / FILE, pixels)
    given: dict[str, Any] = {}
    for name, numbers in zip(("labels", "instances"), maps or (), strict=False):
        if numbers is not None:
            write_map(folder / name / FILE, numbers, classes if name == "labels" else None)
            given |= {name: folder / name, "classes": classes}
    library = Library.ensure(folder / "reference.ktlib", how.get("encoder"), settings)
    table = CreditsTable(folder / "credits.csv", (CreditRow(1, FILE, reference.credit),))
    bank = library.build(BANK, folder / "photo", credits=table, quiet=True, **given, **how)
    weakref.finalize(bank, kept.cleanup)
    return bank
