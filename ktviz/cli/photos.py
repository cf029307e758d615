"""Many photographs: each recorded, one after the other in this process, or by the workers of a cluster."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, overload

from tqdm.auto import tqdm

from ktviz.cli.making.given import Given, Maker
from ktviz.cli.making.registry import maker
from ktviz.cli.streams import name_of
from ktviz.engines.turn import Turn
from ktviz.errors import ImageError, KtvizError, LabelError

if TYPE_CHECKING:
    from ktviz.engines.engine import Engine
    from ktviz.systems.protocol import System
    from ktviz.trace.trace import Trace

R = TypeVar("R")
BAD = (ImageError, LabelError)
"""What is wrong with one photograph, and does not cost the others."""


@dataclass(frozen=True)
class Read:
    """A photograph that was read, or what is wrong with it."""

    name: str
    value: Any = None
    error: KtvizError | None = None


@dataclass(frozen=True)
class Photos(Sequence[Read]):
    """Photographs that are read when they are asked for.

    Attributes:
        made: What reads them.
        names: By path, their names below the folders that were given.
    """

    made: Maker
    names: Mapping[Path, str]

    @cached_property
    def paths(self) -> list[Path]:
        """In their order."""
        return list(self.names)

    def __len__(self) -> int:
        return len(self.names)

    @overload
    def __getitem__(self, number: int) -> Read: ...

    @overload
    def __getitem__(self, number: slice) -> list[Read]: ...

    def __getitem__(self, number: int | slice) -> Read | list[Read]:
        if isinstance(number, slice):
            return [self[one] for one in range(len(self))[number]]
        path = self.paths[number]
        try:
            return Read(name_of(path), self.made.read(path, self.names[path]))
        except BAD as error:
            return Read(name_of(path), error=error)


@dataclass(frozen=True)
class Recording:
    """Records what is made of photographs, wherever it runs; the system is made ready once in each process.

    Attributes:
        given: What the command was given.
        finish: Makes of a trace, with its system and the name of the photograph, what is asked for.
    """

    given: Given
    finish: Callable[[Trace, System, str], Any]
    turn: Turn = field(default_factory=Turn)

    @cached_property
    def made(self) -> Maker:
        """The system."""
        return maker(self.given)

    def __getstate__(self) -> dict[str, Any]:
        return {"given": self.given, "finish": self.finish, "turn": self.turn}

    def __call__(self, read: Read) -> Any:
        """What is asked for, or what is wrong with the photograph."""
        if read.error is not None:
            return read.error
        try:
            with self.turn:  # a system is not for several threads
                return self.finish(self.made.record(read.value), self.made.system, read.name)
        except BAD as error:
            return error


def checked(recording: Recording, names: Mapping[Path, str]) -> Photos:
    """Photographs, by path and name below the folders that were given; refused before any work where one does not fit.

    Raises:
        SettingError, UnknownNameError: As in `maker`; or a photograph does not fit the system.
    """
    made = recording.made
    for path, name in names.items():
        made.check(path, name)
    return Photos(made, names)


def recorded(
    recording: Recording, photos: Photos, engine: Engine, what: str, quiet: bool
) -> Iterator[tuple[Path, Any]]:
    """Each photograph, and what came of it or what is wrong with it, as they are done.

    Args:
        recording: What is done.
        photos: Which.
        engine: What does it; threads would not help a system, which is for one alone.
        what: Is done, for the progress bar.
        quiet: Neither progress bar nor announcements.
    """
    from ktviz.engines.engine import Threads

    if not isinstance(engine, Threads):
        for number, found in engine.each(recording, photos, what, quiet, lambda read: f"photo {read.name!r}"):
            yield photos.paths[number], found
        return
    for path, read in tqdm(
        zip(photos.paths, photos, strict=True),
        desc=what,
        unit="photo",
        total=len(photos),
        disable=quiet or len(photos) < 2,
    ):
        if read.error is None and not quiet:
            photos.made.announce(read.value)
        yield path, recording(read)


def as_it_is(trace: Trace, system: System, name: str) -> Trace:
    """The trace itself."""
    return trace
