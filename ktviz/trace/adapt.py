"""Adapters: retrieval sites in other people's models, without touching their source."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from ktviz.errors import SettingError, TraceError
from ktviz.library.sources import Credit
from ktviz.model.matches import Matches
from ktviz.model.sites import Queries, Reading

ROUNDING = 1e-3
"""What weights may sum to above 1."""
Reader = Callable[[tuple[Any, ...], Any], Matches | Sequence[Matches]]


@dataclass(frozen=True, repr=False)
class Candidates:
    """What the entries of another system are: positions in images, or whole images, clusters, codes.

    Attributes:
        names: Of the sources.
        source: (entries,) int64 number of each entry's source.
        box: (entries, 4) float32 x, y, width, height in px of the source; NaN for the source as a whole.
        bank: What they all belong to.
        credits: Who made each source; unknown if None.
        digest: Identifies their content; unknown if empty.

    Raises:
        SettingError: The parts do not fit together, or two sources have one name.
    """

    names: Sequence[str]
    source: Tensor
    box: Tensor
    bank: str = "exemplars"
    credits: Sequence[Credit] | None = None
    digest: str = ""

    def __post_init__(self) -> None:
        asked = f"candidates from {len(self.names)} sources"
        if len(set(self.names)) < len(self.names):
            raise SettingError(asked, "two have the same name", "Name each source differently")
        if self.box.shape != (len(self.source), 4):
            found = f"boxes of shape {tuple(self.box.shape)} for {len(self.source)} entries"
            raise SettingError(asked, found, "Give every entry x, y, width and height")
        if ((self.source < 0) | (self.source >= len(self.names))).any():
            raise SettingError(asked, "an entry of another source", "Count sources from 0, in the order of the names")
        if self.credits is not None and len(self.credits) != len(self.names):
            raise SettingError(asked, f"{len(self.credits)} credits", "Give one per source, or None")

    def __repr__(self) -> str:
        return f"Candidates({self.bank}: {len(self.source):,} entries of {len(self.names)} sources)"

    @classmethod
    def positions(
        cls, names: Sequence[str], rows: int, columns: int, cell_px: float, bank: str = "exemplars"
    ) -> Candidates:
        """Every cell of a grid on every source: entry = (source * rows + y) * columns + x.

        Args:
            names: Of the sources.
            rows: Rows of cells on each source.
            columns: Cells in a row.
            cell_px: Side of a cell in px of the source.
            bank: What they all belong to.
        """
        cells = Queries.grid(rows, columns, cell_px).box
        source = torch.arange(len(names)).repeat_interleave(rows * columns)
        return cls(list(names), source, cells.repeat(len(names), 1), bank)

    @classmethod
    def wholes(cls, names: Sequence[str], bank: str = "exemplars") -> Candidates:
        """Entries that are sources as a whole: images, clusters, codes."""
        return cls(list(names), torch.arange(len(names)), torch.full((len(names), 4), torch.nan), bank)

    @property
    def source_names(self) -> Sequence[str]:
        return self.names

    def source_of(self, entries: Tensor) -> Tensor:
        """Source number of entries."""
        return self.source[entries]

    def boxes(self, entries: Tensor) -> Tensor:
        """Where entries (n,) lie in their sources: (n, 4)."""
        return self.box[entries]

    def describe_sources(self) -> list[dict[str, str]]:
        """Name, bank and credit of every source."""
        credits = self.credits or [Credit()] * len(self.names)
        return [
            {"source": name, "bank": self.bank, **credit.described(), "sha256": "unknown"}
            for name, credit in zip(self.names, credits, strict=True)
        ]

    def digests(self) -> dict[str, str]:
        """The digest, if there is one."""
        return {f"library bank {self.bank}": self.digest} if self.digest else {}


@dataclass(frozen=True, eq=False, repr=False)
class Adapted:
    """A module that `record` listens to; made by `adapt`."""

    module: nn.Module
    reader: Reader
    queries: Queries | Callable[[tuple[Any, ...], Any], Queries]
    candidates: Candidates
    causal: bool

    def __repr__(self) -> str:
        return f"Adapted({type(self.module).__name__}, {self.candidates!r})"

    def read(self, inputs: tuple[Any, ...], output: Any) -> list[Reading]:
        """The retrievals of one call, one `Reading` per image.

        Raises:
            TraceError: The reader gave something else than Matches that fit the queries and the candidates.
        """
        found: object = self.reader(inputs, output)
        queries = self.queries(inputs, output) if callable(self.queries) else self.queries
        batch = list(found) if isinstance(found, Sequence) else [found]
        return [Reading(self.checked(matches, queries), queries, self.candidates) for matches in batch]

    def checked(self, matches: object, queries: Queries) -> Matches:
        """What the reader gave for one image, if it fits."""
        asked = f"read the retrievals of {type(self.module).__name__}"
        if not isinstance(matches, Matches):
            raise TraceError(asked, f"the reader gave {type(matches).__name__}", "Return Matches, one per image")
        if not isinstance(queries, Queries):
            raise TraceError(asked, f"queries that are {type(queries).__name__}", "Say where they lie: ktviz.Queries")
        wrong = misshapen(matches)
        if wrong:
            raise TraceError(asked, f"the reader gave {wrong}", "See ktviz.Matches for the shapes")
        if len(matches) != len(queries):
            raise TraceError(
                asked, f"{len(matches)} retrievals for {len(queries)} queries", "Say where the queries of this call lie"
            )
        count = len(self.candidates.source)
        strangers = matches.entry[(matches.entry >= count) | (matches.entry < -1)]
        if len(strangers):
            raise TraceError(asked, f"entry {int(strangers[0])} of {count} candidates", "Say what all of them are")
        return matches


def misshapen(matches: Matches) -> str:
    """What part of matches does not fit the others; empty if all do."""
    entry = matches.entry
    if entry.ndim != 2 or not entry.shape[1] or entry.is_floating_point():
        return f"entries of shape {tuple(entry.shape)} and type {entry.dtype}"
    for name in ("similarity", "weight"):
        values = getattr(matches, name)
        if values is not None and values.shape != entry.shape:
            return f"{name} of shape {tuple(values.shape)} for entries of shape {tuple(entry.shape)}"
    if ((matches.chosen < 0) | (matches.chosen >= entry.shape[1])).any():
        return f"a chosen column outside the {entry.shape[1]} candidates"
    if matches.weight is not None:
        sums = matches.weight.sum(1)
        if not torch.isfinite(sums).all() or (matches.weight < 0).any() or (sums > 1 + ROUNDING).any():
            return f"weights that are no parts of a whole (a sum of {float(sums.max()):.3g})"
    return ""


def adapt(
    module: nn.Module,
    reader: Reader,
    *,
    queries: Queries | Callable[[tuple[Any, ...], Any], Queries],
    candidates: Candidates,
    causal: bool = True,
) -> Adapted:
    """Make a module of any model a retrieval site.

        site = kt.adapt(
            model.attention,
            lambda inputs, output: [kt.Matches.soft(image) for image in output.flatten(2).softmax(-1)],
            queries=kt.Queries.grid(64, 64, step_px=4),
            candidates=kt.Candidates.positions(["exemplar.png"], 64, 64, cell_px=4),
        )
        with kt.record(model, site) as trace:
            model(photo)

    Args:
        module: Any module of the model; nothing of it is changed.
        reader: From the arguments and the result of a call to `Matches`, or to one per image of a batch.
        queries: Where the queries lie, or how to tell from a call.
        candidates: What the entries are.
        causal: Whether the candidates really fed the output, or are only its nearest explanation.
    """
    return Adapted(module, reader, queries, candidates, causal)
