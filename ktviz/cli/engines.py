"""`--engine`: what works on many pictures, this process or a cluster."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated

import typer

from ktviz.cli.console import err
from ktviz.errors import SettingError
from ktviz.values import one_of

if TYPE_CHECKING:
    from ktviz.engines.engine import Engine

THREADS, DASK = "threads", "dask"

EngineOption = Annotated[
    str, typer.Option("--engine", metavar="NAME", help="What works on many pictures: threads of this process, or dask.")
]
Scheduler = Annotated[
    str | None,
    typer.Option(metavar="ADDRESS", help="Of dask's scheduler: tcp://HOST:8786. [processes of this machine]"),
]
ShardsAt = Annotated[
    str | None,
    typer.Option(
        "--shards", metavar="URL", help="Where dask's workers leave finished parts: s3://BUCKET/FOLDER. [the library]"
    ),
]


@contextmanager
def engine_of(name: str, scheduler: str | None, shards: str | None, quiet: bool) -> Iterator[Engine]:
    """The engine that a command names, for a while.

    Raises:
        SettingError: There is none of that name, or threads were given a scheduler or shards.
        ClusterError: As in `Cluster`.
    """
    if one_of("--engine", name, (THREADS, DASK)) == THREADS:
        from ktviz.engines.engine import THREADS as ENGINE

        given = {"--scheduler": scheduler, "--shards": shards}
        if named := [option for option, value in given.items() if value is not None]:
            raise SettingError(f"{' and '.join(named)} given", "threads need neither", "Give --engine dask, too")
        yield ENGINE
        return
    from ktviz.engines.cluster import Cluster

    with Cluster(scheduler, shards=shards) as cluster:
        if not quiet:
            err.print(f"{cluster.workers} at {cluster.address}; dashboard: {cluster.dashboard}", soft_wrap=True)
        yield cluster
