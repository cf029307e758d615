"""What all results of explanations have in common: a table, what is known about it, and a file to keep it in."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Self

import pandas as pd
import pyarrow as pa

from ktviz.errors import AbilityError, TraceError
from ktviz.images import Pixels
from ktviz.printing import printable
from ktviz.trace import parquet
from ktviz.trace.pictures import OUTPUT
from ktviz.trace.recorded import Traced, as_trace
from ktviz.trace.trace import CHOOSE_SITE, Trace

RESULT_SCHEMA = 1


@dataclass(frozen=True, eq=False, repr=False)
class Result:
    """A table with its circumstances. Frozen, without a model, and complete: it can be read years later.

    Attributes:
        frame: The rows.
        about: What was asked, how it was answered, and digests of what answered.
        pictures: (H, W, 3) uint8 by name.

    Example:
        >>> found = kt.attribute(trace)
        >>> found.headline(), found.summary()["rows"], found.to_pandas().shape, found.to_arrow().num_rows
        ('by source through overlap: toy/flat/yellow.png 37.5%, toy/flat/cyan.png 31.2%', 5, (5, 10), 5)
    """

    frame: pd.DataFrame
    about: Mapping[str, Any]
    pictures: Mapping[str, Pixels] = field(default_factory=dict)

    kind: ClassVar[str] = "a result"
    former: ClassVar[tuple[str, ...]] = ()
    """What files called this kind before."""
    holds: ClassVar[tuple[str, ...]] = ()
    """Names of the pictures."""

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.headline()})"

    def __len__(self) -> int:
        return len(self.frame)

    def headline(self) -> str:
        """The result in one line."""
        return f"{len(self)} rows"

    def to_pandas(self) -> pd.DataFrame:
        """The rows, as a copy."""
        return self.frame.copy()

    def to_arrow(self) -> pa.Table:
        """The rows, with what is known about them in the schema's metadata."""
        table = pa.Table.from_pandas(self.frame, preserve_index=False)
        return table.replace_schema_metadata({parquet.METADATA: parquet.as_json(self._stated())})

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        """The rows for any program that speaks Arrow: `pl.DataFrame(result)`, `pa.table(result)`, duckdb."""
        return self.to_arrow().__arrow_c_stream__(requested_schema)

    def summary(self) -> pd.Series:
        """The result in a few numbers."""
        return pd.Series({"rows": len(self)}, name=self.kind)

    def show(self) -> None:
        """Print the summary and the first rows."""
        with pd.option_context("display.max_colwidth", None):
            print(printable(self.summary().to_string()))
        print(printable(self.frame.head(10).to_string(index=False)))

    def save(self, path: str | os.PathLike[str], *, overwrite: bool = False) -> None:
        """Write a Parquet file, with what is known about the rows and the pictures inside.

        Raises:
            StorageError: The file exists, or the disk refuses.

        Example:
            >>> path = pathlib.Path(tempfile.mkdtemp()) / "found.parquet"
            >>> kt.attribute(trace).save(path)
            >>> kt.Attribution.open(path)
            Attribution(by source through overlap: toy/flat/yellow.png 37.5%, toy/flat/cyan.png 31.2%)
        """
        table = self.to_arrow().replace_schema_metadata(None)
        parquet.write(path, parquet.Stored(table, self._stated(), dict(self.pictures)), overwrite)

    @classmethod
    def open(cls, path: str | os.PathLike[str]) -> Self:
        """Read a result of this kind.

        Raises:
            TraceError: Missing, cut short, of another kind, or of a newer schema.

        Example:
            >>> path = pathlib.Path(tempfile.mkdtemp()) / "found.parquet"
            >>> kt.backtrack(trace, kt.Box(0, 0, 8, 8)).save(path)
            >>> len(kt.Backtrack.open(path))
            1
        """
        stored = parquet.read(path, cls.kind, RESULT_SCHEMA, lambda about: dict.fromkeys(cls.holds), cls.former)
        about = {name: value for name, value in stored.about.items() if name not in ("kind", "schema")}
        return cls(stored.table.to_pandas(), about, stored.pictures)

    def _stated(self) -> dict[str, Any]:
        return {**self.about, "kind": self.kind, "schema": RESULT_SCHEMA}


def one_site(value: Traced) -> Trace:
    """The trace that is meant: of several sites, that of the one which painted the output.

    Raises:
        TraceError: Several sites painted it, or none: their query numbers mean different queries.
    """
    trace = as_trace(value)
    return trace if len(trace.sites) == 1 else site_that_paints(trace, OUTPUT)


def check_retrieved(trace: Trace, asked: str) -> None:
    """Raise TraceError if nothing was retrieved, as where no object of a label map finds a centre of its class."""
    if not len(trace.whole):
        raise TraceError(asked, "nothing was retrieved", "Ask a run that took something from its knowledge")


def check_paints(trace: Trace, asked: str) -> None:
    """Raise AbilityError if the site of a trace did not paint the output: a run that is made again is asked about the
    one that did."""
    about = trace.site_about
    if not about["paints"] or str(about["output"]).startswith(f"{OUTPUT}:"):
        found = f"it paints {about['output']}" if about["paints"] else "it paints nothing itself"
        raise AbilityError(f"{asked} of the site {about['name']!r}", found, "Give the whole trace: its output is meant")


def site_that_paints(trace: Trace, output: str) -> Trace:
    """The site of a trace that painted an output: of several that can, the one that retrieved something.

    Raises:
        TraceError: There is none, or several.
    """
    found = trace.painting(output)
    if found is None:
        raise TraceError("explain", f"a trace of {len(trace.sites)} sites", CHOOSE_SITE)
    return found
