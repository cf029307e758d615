"""A store of many traces: a folder that answers "which outputs used this source, how much, where?" without opening all.

FOLDER/
  traces/NAME.parquet     every trace, whole
  index/NAME.parquet      what each source painted in it: one row per image and source
"""

from __future__ import annotations

import os
import re
import warnings
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as ds

from ktviz.errors import StorageError, TraceError, unknown_name
from ktviz.names import find_name
from ktviz.trace import parquet, schema1
from ktviz.trace.groups import GROUPS, Group, group_of, members
from ktviz.trace.overlap import around
from ktviz.trace.schema import BOX, SCHEMA_VERSION
from ktviz.trace.shares import row_overlaps, source_weights
from ktviz.trace.storage import Stored, metadata_of
from ktviz.trace.trace import Trace
from ktviz.values import one_of

NAME = re.compile(r"[\w][\w.-]*")
DIGEST = re.compile(r"[0-9a-f]{64}")
INDEX = pa.schema(
    [
        ("trace", pa.string()),
        ("image", pa.int32()),
        ("source", pa.string()),
        ("sha256", pa.string()),
        ("share", pa.float64()),
        ("retrievals", pa.int32()),
        ("box", BOX),
        ("boxes", pa.list_(BOX)),
    ]
)
INDEX_KIND = "an index of a trace"
MAGIC = b"PAR1"
NONE = np.empty(0, dtype=np.int64)


class BrokenTraceWarning(UserWarning):
    """A file of a store cannot be read; the others were."""


class TraceStore:
    """A folder of traces.

    Args:
        folder: Made if it does not exist.

    Raises:
        StorageError: It is a file, or cannot be made.

    Example:
        >>> store = kt.TraceStore(tempfile.mkdtemp())
        >>> name = store.append(trace)
        >>> store.names == [name]
        True
        >>> store.open(name).digest == trace.digest, len(store.list()), len(store.about_sources())
        (True, 1, 5)
        >>> store.uses("red")[["source", "share"]].values.tolist()
        [['toy/flat/red.png', 0.1875]]
        >>> store.shares(by="creator")[["creator", "share"]].values.tolist()[0]
        ['Painter 1', 0.375]
        >>> store.remove(name)
    """

    def __init__(self, folder: str | os.PathLike[str]) -> None:
        self.folder = Path(folder)
        try:
            for part in ("traces", "index"):
                (self.folder / part).mkdir(parents=True, exist_ok=True)
        except OSError as error:
            reason = error.strerror or str(error)
            raise StorageError(f"trace store {str(folder)!r}", reason, "Name a folder that you may write to") from None

    def __len__(self) -> int:
        return len(self.names)

    def __iter__(self) -> Iterator[str]:
        return iter(self.names)

    def __contains__(self, name: object) -> bool:
        return name in self.names

    def __repr__(self) -> str:
        return f"TraceStore({str(self.folder)!r}, {len(self)} traces)"

    @property
    def names(self) -> list[str]:
        """Names of the traces, sorted."""
        # Files with other names are being written this moment, or were when a process was killed.
        return sorted(path.stem for path in (self.folder / "traces").glob("*.parquet") if NAME.fullmatch(path.stem))

    def append(
        self, trace: Trace, name: str | None = None, *, overwrite: bool = False, pictures: Stored = "input"
    ) -> str:
        """Keep a trace.

        Args:
            trace: Finished, of any number of images.
            name: What to call it; the beginning of its digest if None.
            overwrite: Whether a trace of that name may be replaced.
            pictures: As in `Trace.save`.

        Returns:
            The name.

        Raises:
            StorageError: There is a trace of that name, the name is no file name, or the disk refuses.
        """
        name = trace.digest[:16] if name is None else name
        if not NAME.fullmatch(name):
            raise StorageError(f"keep a trace as {name!r}", "not a file name", "Use letters, digits, . - and _")
        if overwrite:
            self._index(name).unlink(missing_ok=True)  # an index never speaks of another trace, whatever interrupts
        trace.save(self._trace(name), overwrite=overwrite, pictures=pictures)
        self._index_trace(name, trace)
        return name

    def open(self, name: str) -> Trace:
        """One trace.

        Raises:
            UnknownNameError: There is none of that name.
            TraceError: Its file is damaged.
        """
        if name not in self.names:
            raise unknown_name("trace", name, self.names)
        return Trace.open(self._trace(name))

    def remove(self, name: str) -> None:
        """Delete one trace.

        Raises:
            UnknownNameError: There is none of that name.
        """
        if name not in self.names:
            raise unknown_name("trace", name, self.names)
        for path in (self._index(name), self._trace(name)):
            path.unlink(missing_ok=True)

    def list(self) -> pd.DataFrame:
        """All traces: trace, images, retrievals, thinned, and the digests of inputs and outputs.

        Broken files are named in a `BrokenTraceWarning` and in `attrs["broken"]`.
        """
        rows, broken = [], self._cut_short()
        for name in (name for name in self.names if name not in broken):
            try:
                about = self._about(name)
            except TraceError as error:
                broken[name] = str(error)
                continue
            images = about["images"]
            rows.append(
                {
                    "trace": name,
                    "images": len(images),
                    "retrievals": about["retrievals"],
                    "thinned": about["thinned"],
                    "input": [image["canvases"]["input"]["sha256"] for image in images],
                    "output": [image["canvases"].get("output", {}).get("sha256") for image in images],
                }
            )
        return told(pd.DataFrame(rows, columns=["trace", "images", "retrievals", "thinned", "input", "output"]), broken)

    def uses(self, source: str, least: float = 0.0, *, by: Group | None = None) -> pd.DataFrame:
        """Which outputs used a source, how much, and where; largest share first.

        Args:
            source: Its name ("task/style/path"; the end of it will do), or the SHA-256 of its file, which finds it
                under any name; with `by` a creator, a licence, a bank or a year.
            least: Only outputs in which it has at least this share, be it given or taken away.
            by: "creator", "licence", "bank" or "year": outputs that used any source of one, a row for each source.

        Returns:
            trace, image, source, sha256, share (overlap), retrievals, box (around all of them, px of the output: x,
            y, width, height), boxes (one per retrieval). Broken files are named in a `BrokenTraceWarning` and in
            `attrs["broken"]`. Empty for a source that was searched and painted nothing, and for an unknown SHA-256.

        Raises:
            UnknownNameError: No trace lists a source of that name (of banks of more than 1,024 they list the
                candidates), or several by a short one; the message names the nearest, or all of them.
        """
        broken = self._complete_index() | self._cut_short()
        names = [name for name in self.names if name not in broken]
        if by is not None:
            named = ds.field("source").isin(members(self.about_sources().values(), by, source))
            return told(self._uses(names, named, least, broken), broken)
        named = known_as(source)
        shares = self._scan(names, named, ["trace", "share"], broken)
        if shares.empty and not DIGEST.fullmatch(source) and (known := self._known()):
            named = known_as(find_name(source, known))
            shares = self._scan(names, named, ["trace", "share"], broken)
        return told(self._uses(names, named, least, broken, shares), broken)

    def _uses(
        self,
        names: Sequence[str],
        named: ds.Expression,
        least: float,
        broken: dict[str, str],
        shares: pd.DataFrame | None = None,
    ) -> pd.DataFrame:
        """The rows of some sources, the largest share first."""
        shares = self._scan(names, named, ["trace", "share"], broken) if shares is None else shares
        # Boxes are most of an index: they are read where there is something to tell.
        hits = sorted(set(shares["trace"][(shares["share"] != 0) & (shares["share"].abs() >= least)]))
        enough = (ds.field("share") != 0) & (pc.abs(ds.field("share")) >= least)
        found = self._scan(hits, named & enough, INDEX.names, broken)
        order = ["share", "trace", "image"]
        return found.sort_values(order, ascending=[False, True, True], kind="stable", ignore_index=True)

    def shares(self, by: Group | Literal["source"] = "source") -> pd.DataFrame:
        """Whose work fills these outputs: by source, creator, licence, bank or year, the largest part first.

        Returns:
            What it is by, share (mean of the overlap over all outputs), outputs (that used it), most (its largest share
            in one of them), trace and image (of that one), sources (how many). Shares are those of the sources, added
            up. Broken files are named in a `BrokenTraceWarning` and in `attrs["broken"]`.

        Raises:
            SettingError: Another `by`.
        """
        one_of("by", by, ("source", *GROUPS))
        broken = self._complete_index() | self._cut_short()
        names = [name for name in self.names if name not in broken]
        rows = self._scan(names, ds.field("share") != 0, ["trace", "image", "source", "share"], broken)
        known = self.about_sources()
        rows[by] = [name if by == "source" else group_of(known[name], by) for name in rows["source"]]
        outputs = sum(len(self._about(name)["images"]) for name in names if name not in broken)
        columns = [by, "share", "outputs", "most", "trace", "image", "sources"]
        if not len(rows):
            return told(pd.DataFrame(columns=columns), broken)
        each = rows.groupby([by, "trace", "image"], as_index=False)["share"].sum()
        largest = each.loc[each.groupby(by)["share"].idxmax()].set_index(by)
        found = each.groupby(by).agg(share=("share", "sum"), outputs=("share", "size"))
        found["share"] /= outputs
        found["most"], found["trace"], found["image"] = largest["share"], largest["trace"], largest["image"]
        found["sources"] = rows.groupby(by)["source"].nunique()
        table: pd.DataFrame = found.reset_index().sort_values(["share", by], ascending=[False, True], ignore_index=True)
        return told(table[columns], broken)

    def about_sources(self) -> dict[str, dict[str, Any]]:
        """What is known of all sources that any trace lists, by name: title, creator, licence and so on, as the last
        of the traces by name says."""
        found: dict[str, dict[str, Any]] = {}
        for name in self.names:
            try:
                found |= {str(about["source"]): about for about in self._about(name)["sources"]}
            except TraceError:
                continue  # named among the broken already
        return found

    def _trace(self, name: str) -> Path:
        return self.folder / "traces" / f"{name}.parquet"

    def _index(self, name: str) -> Path:
        return self.folder / "index" / f"{name}.parquet"

    def _about(self, name: str) -> dict[str, Any]:
        """What the index says of a trace; a trace without one gets it."""
        if not self._index(name).exists():
            self._index_trace(name, self.open(name))
        about = parquet.read(self._index(name), INDEX_KIND, SCHEMA_VERSION).about
        return schema1.metadata(about) if about["schema"] == schema1.VERSION else about

    def _index_trace(self, name: str, trace: Trace) -> None:
        about = {**metadata_of(trace), "kind": INDEX_KIND, "retrievals": len(trace)}
        stored = parquet.Stored(index_of(trace, name), about, {})
        parquet.write(self._index(name), stored, overwrite=True)

    def _complete_index(self) -> dict[str, str]:
        """Index traces that have none (a process may have been killed before); the broken ones, with the reason."""
        broken = {}
        indexed = {path.stem for path in (self.folder / "index").glob("*.parquet")}
        for name in set(self.names) - indexed:
            try:
                self._index_trace(name, self.open(name))
            except TraceError as error:
                broken[name] = str(error)
        return broken

    def _known(self) -> set[str]:
        """Names of all sources that any trace searched."""
        return set(self.about_sources())

    def _cut_short(self) -> dict[str, str]:
        """Traces whose file does not end as a Parquet file must; looking at four bytes of each is quick."""
        broken = {}
        for name in self.names:
            try:
                with open(self._trace(name), "rb") as file:
                    file.seek(-min(len(MAGIC), file.seek(0, os.SEEK_END)), os.SEEK_END)
                    if file.read() != MAGIC:
                        broken[name] = f"{self._trace(name).name} is cut short"
            except OSError as error:  # a folder, or a link that leads nowhere
                broken[name] = f"{self._trace(name).name}: {error.strerror or error}"
        return broken

    def _scan(
        self, names: Sequence[str], wanted: ds.Expression, columns: Sequence[str], broken: dict[str, str]
    ) -> pd.DataFrame:
        """The rows of some traces' index that match; files that cannot be read are added to `broken`."""
        files = [str(self._index(name)) for name in names if self._index(name).exists()]
        try:
            return read_index(files, wanted, columns)
        except (OSError, pa.ArrowException):
            readable = []
            for file in files:
                try:
                    readable.append(read_index([file], wanted, columns))
                except (OSError, pa.ArrowException) as error:
                    broken[Path(file).stem] = str(error).splitlines()[0]
            return pd.concat([read_index([], wanted, columns), *readable], ignore_index=True)


def known_as(source: str) -> ds.Expression:
    """Rows of a source, by its whole name or by the SHA-256 of its file."""
    return (ds.field("source") == source) | (ds.field("sha256") == source)


def read_index(files: Sequence[str], wanted: ds.Expression, columns: Sequence[str]) -> pd.DataFrame:
    """Rows of index files that match, read past those whose statistics exclude them."""
    table = ds.dataset(list(files), schema=INDEX, format="parquet").to_table(filter=wanted, columns=list(columns))
    rows: pd.DataFrame = table.to_pandas()
    return rows


def index_of(trace: Trace, name: str) -> pa.Table:
    """What each source painted in each image of a trace: at the site that painted it; where none did, or several, all
    sites share it equally."""
    rows = []
    for image in range(len(trace.pictures)):
        whole = trace.image(image)
        painting = whole.painting()
        one = whole if painting is None else painting
        parts = [painted(one.site(site), len(one.sites)) for site in one.sites]
        source, share, box = (np.concatenate([part[n] for part in parts]) for n in range(3))
        places = pd.Series(share).groupby(source).indices
        for about in trace.about["sources"]:  # also those that painted nothing: they were searched
            mine = places.get(about["source"], NONE)
            rows.append(
                {
                    "trace": name,
                    "image": image,
                    "source": about["source"],
                    "sha256": about["sha256"],
                    "share": float(share[mine].sum()),
                    "retrievals": len(mine),
                    "box": around(box[mine]).tolist() if len(mine) else None,
                    "boxes": box[mine].tolist(),
                }
            )
    return pa.Table.from_pylist(sorted(rows, key=lambda row: (row["source"], row["image"])), schema=INDEX)


def painted(trace: Trace, sites: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Source, share and box of the rows that painted something."""
    share = row_overlaps(trace, None) * source_weights(trace) / sites
    used = np.flatnonzero(share)
    return trace.column("source", winners=False)[used], share[used], trace.column("box", winners=False)[used]


def told(table: pd.DataFrame, broken: dict[str, str]) -> pd.DataFrame:
    """The answer, with a word about files that could not be read."""
    table.attrs["broken"] = broken
    if broken:
        names = ", ".join(sorted(broken))
        warnings.warn(f"not read: {names}. Restore or remove them; the others were", BrokenTraceWarning, stacklevel=3)
    return table
