"""What a command was given, and what it makes of that: something that makes pictures."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ktviz.errors import SettingError

if TYPE_CHECKING:
    from ktviz.library.kinds.codes.coder import Coder
    from ktviz.library.kinds.registry import AnyUnion
    from ktviz.systems.protocol import System
    from ktviz.trace.trace import Trace


@dataclass(frozen=True)
class Given:
    """What a command was given to make pictures with; None for what it was not.

    Attributes:
        system: Name of the system.
        library: Where the banks are.
        bank: Names of banks.
        options: All else, by the names of the options.
        candidates: Recorded per query; None for as many as usual.
        quiet: No progress bar.
    """

    system: str
    library: Path | None
    bank: list[str] | None
    options: Mapping[str, Any] = field(default_factory=dict)
    candidates: int | None = None
    quiet: bool = False

    def __getitem__(self, name: str) -> Any:
        """An option."""
        return self.options.get(name)

    def __getstate__(self) -> dict[str, Any]:
        """For another process, which may run in another folder and has no terminal."""
        options = {name: value.absolute() if isinstance(value, Path) else value for name, value in self.options.items()}
        if self.reference_file is not None:
            options["reference"] = str(self.reference_file.absolute())
        library = None if self.library is None else self.library.absolute()
        return {**self.__dict__, "library": library, "options": options, "quiet": True}

    @property
    def reference_file(self) -> Path | None:
        """The reference, where it is a file and no picture of a bank."""
        is_file = self.library is None or self["reference_labels"] is not None
        return Path(self["reference"]) if self["reference"] is not None and is_file else None

    @property
    def named(self) -> list[str]:
        """Options that were given."""
        return [name for name, value in self.options.items() if value is not None]

    def of(self, *names: str) -> dict[str, Any]:
        """Those of some options that were given."""
        return {name: self.options[name] for name in names if name in self.named}

    def refused(self, found: str, todo: str) -> SettingError:
        """An error about the system."""
        return SettingError(f"--system {self.system}", found, todo)

    def banks(self) -> AnyUnion:
        """The banks.

        Raises:
            SettingError: The library, or their names, were not given.
        """
        from ktviz.library.library import Library

        missing = [name for name, value in (("--library", self.library), ("--bank", self.bank)) if not value]
        if self.library is None or not self.bank:
            raise self.refused(f"no {' and '.join(missing)}", "Name a library, and a bank in it")
        return Library.open(self.library).select(self.bank)


@dataclass(frozen=True)
class Maker:
    """What makes pictures.

    Attributes:
        system: Which system.
        read: What a picture is made from, from a path and its name below the folder that was given.
        record: From that to a trace.
        check: Refuses an input, by path and name, that does not fit, before any work.
        announce: Says how long a large input will take.
    """

    system: System
    read: Callable[[Path, str], Any]
    record: Callable[[Any], Trace]
    check: Callable[[Path, str], object] = lambda path, name: None
    announce: Callable[[Any], None] = lambda read: None


@dataclass(frozen=True)
class Making:
    """How commands use a system.

    Attributes:
        maker: Makes it ready to work.
        takes: The options that it takes, besides library and banks.
        further: Names of its outputs besides "output", which are called "output:NAME".
        coder: What banks of codes for it are made with, where it takes such banks.
    """

    maker: Callable[[Given], Maker]
    takes: tuple[str, ...]
    further: tuple[str, ...] = ()
    coder: Callable[[], Coder] | None = None
