"""What a cell of a code is made of, as entries: cells of the reference, of the source itself, and what labels gave."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from ktviz.errors import UnknownNameError
from ktviz.regions import SourceRegion
from ktviz.retrieval.credit import Credit
from ktviz.systems.bridge.codes import LABELS, OWN, THEIRS
from ktviz.systems.bridge.reference import Aligned

LABELS_BANK = "labels"


@dataclass(frozen=True, eq=False)
class Entries:
    """A catalogue; see `ktviz.retrieval.catalogue.Knowledge`. First come the cells of the reference, then those of the
    source, then one entry for what labels and noise gave.

    Attributes:
        cells: Of a picture.
        source: What goes in.
        reference: Whose code is taken, if any is.
        labels: What the labels' code is called, if there is one.
    """

    cells: int
    source: Aligned
    reference: Aligned | None
    labels: str | None

    name = "code"

    def __len__(self) -> int:
        return 2 * self.cells + 1

    @property
    def described(self) -> dict[str, Mapping[str, Any]]:
        """What is known of each source, by whose part of a code it is."""
        found: dict[str, Mapping[str, Any]] = {} if self.reference is None else {THEIRS: self.reference.source}
        if self.labels is not None:
            found[LABELS] = {"source": self.labels, "bank": LABELS_BANK, **Credit().described(), "sha256": "unknown"}
        return {**found, OWN: self.source.source}

    @property
    def source_names(self) -> list[str]:
        """Reference, labels, source: those that there are."""
        return [str(one["source"]) for one in self.described.values()]

    def describe_sources(self) -> list[Mapping[str, Any]]:
        """What is known of each."""
        return [*self.described.values()]

    def entries(self, part: str) -> Tensor:
        """The entry behind every cell of a part of the code: (cells,)."""
        if part == LABELS:
            return torch.full((self.cells,), 2 * self.cells)
        return torch.arange(self.cells) + (self.cells if part == OWN else 0)

    def source_of(self, entries: Tensor) -> Tensor:
        """Number of the source of each entry."""
        places = [*self.described]
        of_block = [places.index(part) if part in places else 0 for part in (THEIRS, OWN, LABELS)]
        return torch.tensor(of_block)[entries // self.cells]

    def boxes(self, entries: Tensor) -> Tensor:
        """Where cells lie in their picture; NaN for what labels gave."""
        found = self.source.boxes(entries % self.cells)
        return found.masked_fill((entries == 2 * self.cells)[:, None], torch.nan)

    def part(self, number: int) -> SourceRegion | str:
        """What an entry is, as it can be left out.

        Raises:
            UnknownNameError: There is no such entry in this run.
        """
        block, cell = divmod(number, self.cells)
        picture = {0: self.reference, 1: self.source}.get(block)
        if number == 2 * self.cells and self.labels is not None:
            return self.labels
        if picture is None:
            found = f"this run made its code of {', '.join(self.source_names)}"
            raise UnknownNameError(f"entry {number}", found, "Take one that the trace names")
        return picture.entry(cell)

    def digests(self) -> dict[str, str]:
        """None: pictures that are given are inputs of the run, and those of banks have the banks' digests."""
        return {}
