"""The trace: all retrievals of one recording, as a frozen table that can be asked, sliced, saved and compared."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from ktviz.errors import TraceError, unknown_name
from ktviz.images import Pixels
from ktviz.printing import counted, printable
from ktviz.regions import Box, Mask, Region, region_mask
from ktviz.trace.overlap import Floats, label_overlap, overlap
from ktviz.trace.pictures import INPUT, OUTPUT, Picture
from ktviz.trace.schema import UNLISTED, schema_of
from ktviz.trace.tabular import Tabular
from ktviz.values import whole

if TYPE_CHECKING:
    from ktviz.figures.backend import Backend
    from ktviz.trace.storage import Stored
    from ktviz.widgets.explorer import Explorer

CHOOSE_SITE = "Choose one: trace.site(name)"
NOT_THE_CAUSE = "nearest explanation, not the cause"
"""What is said of sources that did not feed the output."""


class Trace(Tabular):
    """All retrievals of a recording: one row per query and rank, with digests of what made them.

    It owns plain arrays: no model, no tensors, no open files. The model it was recorded from is remembered weakly, so
    that explanations find it as long as it lives: keep it in a variable of its own.

    Example:
        >>> trace.sources()[["source", "share"]].round(4).values.tolist()[:2]
        [['toy/flat/yellow.png', 0.375], ['toy/flat/cyan.png', 0.3125]]
        >>> len(trace.site("retrieval")[kt.Box(0, 0, 16, 16)])
        4
        >>> float(trace.image(0).site("retrieval").overlap(kt.Box(0, 0, 8, 8)).sum())
        1.0
        >>> trace.painting().spread("red", kt.Box(0, 0, 16, 16))[["query", "share"]].shape
        (2, 2)
        >>> len(trace.margin(below=0.01)), float(trace.site("retrieval").regret(sample=5)["regret"].max())
        (98, 0.0)
        >>> trace.with_regret().with_canvases({"input": photo}).with_settings({}).has("regret")
        True
        >>> len(trace.with_table(trace.table.slice(0, 8)).table)
        8
        >>> path = pathlib.Path(tempfile.mkdtemp()) / "trace.parquet"
        >>> trace.save(path, pictures="both")
        >>> kt.Trace.open(path).digest == trace.digest
        True
        >>> float(trace.plot(width=7).get_figwidth()), type(trace.explore()).__name__
        (7.0, 'Explorer')
    """

    @property
    def system(self) -> str:
        """Name of the system that made it; empty for an adapted model."""
        return str(self.about.get("system", ""))

    @property
    def sites(self) -> list[str]:
        """Names of the retrieval sites."""
        return [site["name"] for site in self.about["sites"]]

    @property
    def site_about(self) -> Mapping[str, Any]:
        """What is known of the site of a trace of one site: canvas, output, direction, scale, kind, extensions.

        Raises:
            TraceError: There are several.
        """
        if len(self.sites) != 1:
            raise TraceError("a question about one site", f"a trace of {len(self.sites)} sites", CHOOSE_SITE)
        about: Mapping[str, Any] = self.about["sites"][0]
        return about

    @property
    def caveat(self) -> str:
        """What must be said wherever its sources are shown: that they did not feed the output; else empty."""
        asked = set(self.column("site")) if len(self) else ()
        causal = all(site["causal"] for site in self.about["sites"] if site["name"] in asked)
        return "" if causal else NOT_THE_CAUSE

    @property
    def unlisted(self) -> int:
        """How many more sources its banks have: of very many, `sources()` and `about` name those that it speaks of."""
        return sum(self.about.get(UNLISTED, {}).values())

    @property
    def size(self) -> tuple[int, int]:
        """(height, width) in px of the picture in which the queries of a trace of one image lie."""
        return self.picture.size_of(self._of_sites("canvas", INPUT))

    @property
    def thinned(self) -> bool:
        """Whether only winners were kept, to stay within the memory of the recording."""
        return bool(self.about["thinned"])

    @property
    def picture(self) -> Picture:
        """The image of a trace of one image.

        Raises:
            TraceError: There are several, or none.
        """
        if len(self.pictures) != 1:
            raise TraceError(
                "a question about one image", f"a trace of {len(self.pictures)} images", "Choose one: trace.image(0)"
            )
        return self.pictures[0]

    @property
    def input(self) -> Pixels | None:
        """The picture in which the queries of a trace of one image lie: the photo."""
        return self.picture.canvases.get(self._of_sites("canvas", INPUT))

    @property
    def output(self) -> Pixels | None:
        """What the retrievals of a trace of one image painted: the translation."""
        return self.picture.canvases.get(self._of_sites("output", OUTPUT))

    def _of_sites(self, name: str, otherwise: str) -> str:
        """The canvas that all sites name; the usual one where they differ."""
        named = {str(site[name]) for site in self.about["sites"]}
        return named.pop() if len(named) == 1 else otherwise

    def __repr__(self) -> str:
        if isinstance(self._state, str):
            return f"Trace({self._state})"
        images, sites = len(self.pictures), len(self.sites)
        parts = [counted(len(self), "retrieval"), counted(self.table.num_rows, "candidate")]
        parts += [f"{images} images"] * (images != 1) + [f"{sites} sites"] * (sites != 1) + ["thinned"] * self.thinned
        return f"Trace({', '.join(parts)}, digest {self.digest[:12]})"

    def _repr_html_(self) -> str | None:
        """What a notebook shows."""
        from ktviz.figures.cards import trace_card, unless_refused

        return unless_refused(trace_card, self)

    def image(self, number: int) -> Trace:
        """One image of the recording.

        Raises:
            TraceError: There is no such image.
        """
        if not 0 <= whole("image", number) < len(self.pictures):
            raise TraceError(f"image {number}", f"a trace of {counted(len(self.pictures), 'image')}", "Count from 0")
        table = self.table.filter(pc.equal(self.table["image"], number))
        table = table.set_column(0, self.table.schema.field(0), pa.array(np.zeros(len(table), dtype=np.int32)))
        found = self._with(table, [self.pictures[number]])
        found._recording = None if self._recording is None else self._recording.image(number)
        return found

    def with_table(self, table: pa.Table) -> Trace:
        """The same trace with other values in its columns."""
        return self._with(table)

    def with_canvases(self, canvases: Mapping[str, Pixels]) -> Trace:
        """The same trace of one image, holding pictures that it was saved without.

        Raises:
            TraceError: A picture that it never had.
        """
        for name in canvases:
            if name not in self.picture.about["canvases"]:
                known = ", ".join(self.picture.about["canvases"])
                raise TraceError(f"a picture {name!r}", f"the trace has {known}", "Name one of them")
        held = {**self.picture.canvases, **canvases}
        found = self._with(self.table, [Picture(held, self.picture.about)])
        found._recording = None if self._recording is None else self._recording.with_canvases(canvases)
        return found

    def with_settings(self, settings: Mapping[str, Any]) -> Trace:
        """The same trace of one image, saying that it was made otherwise: for a run that is to be made otherwise."""
        found = self._with(self.table, [Picture(self.picture.canvases, {**self.picture.about, "settings": settings})])
        found._recording = None if self._recording is None else self._recording.with_settings(settings)
        return found

    def site(self, *names: str) -> Trace:
        """The retrievals of one site, or of several, and the sources that they chose from.

        Raises:
            UnknownNameError: There is no such site.
        """
        for name in names:
            if name not in self.sites:
                raise unknown_name("site", name, self.sites)
        sites = [site for site in self.about["sites"] if site["name"] in names]
        banks = list(dict.fromkeys(bank for site in sites for bank in site["banks"]))
        sources = [source for source in self.about["sources"] if source["bank"] in banks]
        about = {**self.about, "sites": sites, "banks": banks, "sources": sources}
        if UNLISTED in about:
            about[UNLISTED] = {bank: more for bank, more in about[UNLISTED].items() if bank in banks}
        known = self.table.column_names
        table = self.table.select([name for name in schema_of(sites, regret=True).names if name in known])
        found = self._with(table.filter(pc.is_in(table["site"].cast(pa.string()), pa.array(names))), about=about)
        if self._part is not None and len(self.sites) > len(sites):
            found._part = (self._part[0].site(*names), self._part[1])
        found._recording = self.recording if len(self.sites) > 1 else self._recording
        return found

    def painting(self, output: str = OUTPUT) -> Trace | None:
        """The retrievals of the site that painted an output: of several that can, the one that retrieved something;
        None where none did, or several."""
        names = [site["name"] for site in self.about["sites"] if site["paints"] and site["output"] == output]
        if len(names) > 1:
            asked = self.winners["site"].unique().to_pylist()
            names = [name for name in names if name in asked]
        if len(names) != 1:
            return None
        return self if self.sites == names else self.site(names[0])

    def __getitem__(self, region: Region) -> Trace:
        """The retrievals whose queries reach into a region of the image; shares of the part are those of the region.

        Raises:
            RegionError: The region is empty or outside.
        """
        from ktviz.trace.shares import reaching

        mask = region_mask(region, *self.size)
        part = self._with(self.table.filter(pa.array(reaching(self, mask))), about={**self.about, "part": True})
        part._part = (self.whole, mask)
        return part

    def _with(
        self, table: pa.Table, pictures: Sequence[Picture] | None = None, about: Mapping[str, Any] | None = None
    ) -> Trace:
        part = Trace(table, about or self.about, self.pictures if pictures is None else pictures)
        part._model, part._adapted, part._part = self._model, self._adapted, self._part
        part._recording, part._pictured = self._recording, self._pictured
        return part

    @cached_property
    def regions(self) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]] | None:
        """Where the queries of a trace of one site are regions: their numbers (retrievals,) in a label map (H, W).

        Raises:
            TraceError: The label map was not saved with the trace.
        """
        label = self.column("label").astype(np.float64)
        if not len(label) or np.isnan(label).any():
            return None
        labels = self.picture.labels(self.site_about["canvas"])
        if labels is None:
            raise TraceError("overlap", "the trace was saved without its label map", "Save it with its pictures")
        return label.astype(np.int64), labels

    def overlap(self, region: Region = None) -> Floats:
        """The part of a region that each retrieval covers, before any decoder: (retrievals,), summing to 1. Of several
        sites, those of the one that painted the output.

        A part of a trace (`trace[box]`) shares every pixel with the retrievals that are not in it; without a region, it
        is asked about its own.

        Raises:
            TraceError: A trace of several sites of which not one painted, or a part that was saved without the whole.
        """
        if len(self.sites) != 1:
            painting = self.painting()
            if painting is None:
                raise TraceError("overlap", f"a trace of {len(self.sites)} sites", CHOOSE_SITE)
            return painting.overlap(region)
        if self._part is not None:
            whole, mask = self._part
            mine = np.isin(whole.column("query"), self.column("query"))
            return whole.overlap(mask if region is None else region)[mine]
        if self.about.get("part"):
            raise TraceError("overlap", "a part of a trace, without the rest", "Save the whole trace, and slice it")
        return self._overlap_of_all.copy() if region is None else self._overlap(region_mask(region, *self.size))

    @cached_property
    def _overlap_of_all(self) -> Floats:
        """Of the whole image: much asks for it."""
        return self._overlap(region_mask(None, *self.size))

    def _overlap(self, mask: Mask) -> Floats:
        return overlap(self.column("box"), mask) if self.regions is None else label_overlap(*self.regions, mask)

    def sources(self, region: Region = None) -> pd.DataFrame:
        """Share of each source in the image or a region, largest first; with what is left over, and the part for which
        nothing was taken, they sum to 1.

        A share here, and wherever ktviz says "share" without naming a method, is *overlap*: a pixel's credit goes in
        equal parts to the retrievals that cover it, and within each to its candidates by their weights. It follows from
        the rows alone; `attribute(through="footprint")` carries it on through the decoder.

        Returns:
            One row per source, also those that gave nothing (of more than 1,024, those among the candidates): source,
            share, retrievals, similarity (mean), bank, title, creator, year, licence, url, sha256. Of several sites,
            the rows of the one that painted the output; where none did, or several, those of each, which sum to 1 by
            themselves, with its name as `site`.
            Where sources did not feed the output but are most like what did, a column `causal` says False.
        """
        from ktviz.trace.shares import trace_shares

        return trace_shares(self, region)

    def spread(self, source: str, box: Box | None = None) -> pd.DataFrame:
        """Where a source, or a part of it, went: the retrievals that its entries won, largest share first.

        Args:
            source: Its name, as in `sources()`, or a part of it that no other shares.
            box: In px of the original source; entries that reach into it count.

        Returns:
            site, query, box (px of the output), source_box, share (overlap, of the output), similarity; of several
            sites, and `causal`, as of `sources()`.
        """
        from ktviz.trace.shares import spread

        return spread(self, source, box)

    def margin(self, below: float | None = None) -> pd.DataFrame:
        """Where it was a close call: retrievals by margin, closest first.

        Args:
            below: Only margins below this.

        Returns:
            site, query, box, margin, source, and the source and entry that came second; `causal` as of `sources()`.
        """
        from ktviz.trace.shares import close_calls

        return close_calls(self, below)

    def regret(
        self,
        sample: int | None = None,
        seed: int = 0,
        *,
        model: object | None = None,
        photo: Pixels | None = None,
    ) -> pd.DataFrame:
        """What the search's shortcut cost: the exact best entry beside the winner.

        Args:
            sample: So many retrievals, drawn at random; all if None.
            seed: Of the draw.
            model: The system; not needed while the one that recorded lives.
            photo: The photo, where the trace was saved without it.

        Returns:
            query, box, entry, similarity, exact_entry, exact_similarity, regret, coherent (chosen because it continues
            a neighbour's source, for which similarity is given up on purpose), largest regret first.
        """
        from ktviz.explain.regret import regret

        return regret(self, sample, seed, model, photo)

    def with_regret(self, *, model: object | None = None, photo: Pixels | None = None) -> Trace:
        """The same trace with two more columns, `exact_entry` and `regret`: of every site that searches."""
        from ktviz.explain.regret import with_regret

        return with_regret(self, model, photo)

    def summary(self) -> pd.Series:
        """The trace in a few numbers."""
        from ktviz.trace.shares import summary

        return summary(self)

    def show(self) -> None:
        """Print the summary and the largest shares."""
        from ktviz.trace.shares import text

        print(printable(text(self)))

    def plot(self, backend: Backend = "matplotlib", *, width: float | None = None) -> Any:
        """Input, output, who painted what, and where the matches are good, for print.

        Args:
            backend: With "plotly" a figure to hover over: how good the match of every retrieval is, and what won.
            width: On paper, in inches, such as 3.4 for one column and 7 for two; None: for the screen.
        """
        from ktviz.figures.backend import is_plotly

        if is_plotly(backend):
            from ktviz.figures.interactive import similarity_heatmap

            return similarity_heatmap(self)
        from ktviz.figures.maps import trace_figure

        return trace_figure(self, width)

    def explore(self, **more: Any) -> Explorer:
        """Look at the trace in a notebook: a live `ktviz.Explorer`, which takes the keywords `more`."""
        from ktviz.widgets.explorer import Explorer

        return Explorer(self, **more)

    def save(self, path: str | os.PathLike[str], *, overwrite: bool = False, pictures: Stored = "input") -> None:
        """Write a Parquet file, metadata and pictures inside.

        Args:
            path: Where.
            overwrite: Whether a file that exists may be replaced.
            pictures: Which go with it, without loss. The "input" is enough to make everything again with the model;
                "both" is for models that cannot be run again; with "none", only the rows can be asked.

        Raises:
            StorageError: The file exists, or the disk refuses.
            SettingError: An unknown value of `pictures`.
        """
        from ktviz.trace.storage import save_trace

        save_trace(self, path, overwrite, pictures)

    @classmethod
    def open(cls, path: str | os.PathLike[str]) -> Trace:
        """Read a trace.

        Raises:
            TraceError: Missing, cut short, not a trace, or of a newer schema.
        """
        from ktviz.trace.storage import open_trace

        return open_trace(path)
