"""What a bench found: of every system, and of every pair of systems."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from ktviz.errors import TraceError
from ktviz.explain.origins import Agreement, Origins, agreed, agreement, reached
from ktviz.images import Pixels
from ktviz.regions import Box
from ktviz.systems.material import Material
from ktviz.trace.trace import Trace
from ktviz.workbench.entrants import Given
from ktviz.workbench.sources import Shown, sources_of
from ktviz.workbench.stand import Stand

if TYPE_CHECKING:
    from matplotlib.figure import Figure


NUMBERS = ("agreement", "chance", "most", "above_chance")


def numbers_of(found: Agreement) -> dict[str, float]:
    """What tables say of how far two systems agree."""
    return dict(zip(NUMBERS, (found.share, found.chance, found.at_most, found.above_chance), strict=True))


@dataclass(frozen=True, eq=False, repr=False)
class Bench:
    """What a bench found; `bench` makes it.

    Attributes:
        stands: The systems, in the order in which they were asked for, those that take no part among them.
        input: What all of them got.
        references: A picture, or banks.
        about: Region (x, y, width, height in px), by what faithfulness was tested, cells, runs, repeats, seed, date,
            versions and processor.

    Example:
        >>> found = kt.bench(photo, photo[:, ::-1], ["kt"], runs=0)
        >>> found.frame["system"].tolist()
        ['kt']
        >>> float(found.plot(width=7).get_figwidth())
        7.0
        >>> home = pathlib.Path(tempfile.mkdtemp()) / "bench"
        >>> found.save(home)
        >>> (home / "index.html").is_file()
        True
    """

    stands: Sequence[Stand]
    input: Material
    references: Sequence[Given]
    about: Mapping[str, Any]

    def __repr__(self) -> str:
        return f"Bench({self.headline()})"

    @property
    def there(self) -> list[Stand]:
        """The systems that take part."""
        return [stand for stand in self.stands if stand.trace is not None]

    @property
    def traces(self) -> dict[str, Trace]:
        """Of the run of each system that takes part, by its name."""
        return {stand.name: stand.trace for stand in self.there if stand.trace is not None}

    @property
    def origins(self) -> dict[str, Origins]:
        """Where the cells of each output come from, by name of the system."""
        return {stand.name: stand.origins for stand in self.stands if stand.origins is not None}

    @cached_property
    def agreements(self) -> dict[tuple[str, str], Agreement]:
        """How far each pair of systems agrees about that."""
        return {(one, other): agreement(a, b) for (one, a), (other, b) in combinations(self.origins.items(), 2)}

    @cached_property
    def agreements_in_region(self) -> dict[tuple[str, str], Agreement]:
        """How far each pair agrees about the region."""
        region = reached(Box(*self.about["region"]), self.there[0].shown.size, self.about["cells"])
        return {(a, b): agreed(self.origins[a], self.origins[b], region) for a, b in self.agreements}

    @cached_property
    def frame(self) -> pd.DataFrame:
        """One row per system, in the order in which they were asked for.

        system, takes_part, why (it does not); retrievals, retrieval (hard, soft, signed), causal; known: how much of
        the origin of its output is known, without what is the input's own; own: how much that is; places: in how many
        cells of the reference the origin of one cell lies; seconds_prepared (once, before the first run), seconds,
        seconds_recorded, memory_bytes; of faithfulness units, runs (made), lds, deletion and insertion (of footprint,
        in pixels), the same of a random control, trusted (the best method, or none), baseline, instead (what takes the
        place of what is left out); remarks: what cannot be told, and why.
        """
        return pd.DataFrame([stand.row for stand in self.stands])

    @cached_property
    def agreement(self) -> pd.DataFrame:
        """One row per pair of systems: one, other, agreement, chance, most, above_chance; see `Agreement`.

        And of the region: region_agreement, region_chance, region_most, region_above_chance.
        """
        rows = [
            {
                "one": one,
                "other": other,
                **numbers_of(found),
                **{f"region_{name}": number for name, number in numbers_of(here).items()},
            }
            for ((one, other), found), here in zip(
                self.agreements.items(), self.agreements_in_region.values(), strict=True
            )
        ]
        return pd.DataFrame(rows, columns=["one", "other", *NUMBERS, *(f"region_{name}" for name in NUMBERS)])

    @cached_property
    def faithfulness(self) -> pd.DataFrame:
        """All scores of all methods and of the random control, as in `kt.faithfulness`, with the name of the system."""
        tested = [(stand.name, stand.faithfulness.frame) for stand in self.stands if stand.faithfulness is not None]
        frames = [frame.assign(system=name) for name, frame in tested]
        found = pd.concat(frames, ignore_index=True) if frames else pd.DataFrame({"system": []})
        found.insert(0, "system", found.pop("system"))
        return found

    @property
    def title(self) -> str:
        """What it is about: "cat.jpg after tiger.jpg"."""
        named = (ref.name if isinstance(ref, Material) else ", ".join(ref.names) for ref in self.references)
        return f"{self.input.name} after {', '.join(named)}"

    def headline(self) -> str:
        """The result in one line."""
        names = [stand.name for stand in self.stands]
        taking = f"{len(self.there)} of {len(names)} systems took part"
        known = {pair: found.above_chance for pair, found in self.agreements.items() if found.above_chance > 0}
        if not known:
            return taking
        one, other = max(known, key=lambda pair: known[pair])
        return f"{taking}; {one} and {other} agree most, {known[one, other]:.0%} above chance"

    @cached_property
    def inputs(self) -> dict[str, Pixels]:
        """What went in, as the systems saw it, each picture once; by the names of those that did."""
        seen: dict[str, list[str]] = {}
        pixels: dict[str, Pixels] = {}
        for stand in self.there:
            digest, shown = str(stand.shown.picture.sha256("input")), stand.shown.picture.input
            if shown is not None:
                seen.setdefault(digest, []).append(stand.name)
                pixels[digest] = shown
        return {", ".join(names): pixels[digest] for digest, names in seen.items()}

    @cached_property
    def outputs(self) -> dict[str, Pixels]:
        """What each system made, by its name."""
        made = {stand.name: stand.shown.output for stand in self.there}
        return {name: pixels for name, pixels in made.items() if pixels is not None}

    @cached_property
    def sources(self) -> list[Shown]:
        """The sources that gave something and have a picture; what gave most to all systems together first."""
        return sources_of(self.stands, self.references)

    def save(self, folder: str | os.PathLike[str], *, overwrite: bool = False) -> None:
        """Write a folder, whole or not at all: index.html, comparison.json (title, systems, how it was asked),
        table.csv, table.md, agreement.csv, faithfulness.csv, and pictures/.

        Args:
            folder: Where.
            overwrite: Replace one that was written before.

        Raises:
            StorageError: The folder is not empty, or holds something else than a comparison; or the disk refuses.
        """
        from ktviz.workbench.folder import write

        write(self, Path(folder), overwrite)

    def plot(self, *, width: float | None = None) -> Figure:
        """Outputs side by side, and below each where in the reference it comes from: a matplotlib figure.

        Args:
            width: In inches, such as 3.4 for one column of a paper and 7 for two; None: for the screen.

        Raises:
            SettingError: Text would be too small to read.
            TraceError: Nothing was taken from any source.
        """
        from ktviz.figures.origins import origins_figure

        if not self.sources:
            raise TraceError("a figure of a bench", "nothing was taken from any source", "Look at `outputs`")
        reference, (first, *_) = self.sources[0], self.inputs.values()
        names = [source.name for source in self.sources]
        pictures = (self.input.name, first), (reference.title, reference.pixels)
        return origins_figure(*pictures, self.outputs, self.origins, names, self.title, width=width)
