"""What the workbench knows of a system before it makes one."""

from __future__ import annotations

from dataclasses import dataclass

from ktviz.library.kinds.codes.coder import Coder
from ktviz.systems.registry import names, system_class
from ktviz.values import KnownKeywords


@dataclass(frozen=True)
class Known:
    """A system.

    Attributes:
        name: Of the system.
        settings: What its settings are; None if it does not say.
        bank_kind: Which kind of bank it takes; None if it takes one picture of any.
        takes: What it takes of a picture: photo, labels, instances, attributes.
    """

    name: str
    settings: type[KnownKeywords] | None
    bank_kind: str | None
    takes: tuple[str, ...]

    @classmethod
    def of(cls, name: str) -> Known:
        """A system by its name; errors as of `system_class`."""
        found = system_class(name)
        kind, takes = getattr(found, "bank_kind", None), getattr(found, "takes", ("photo",))
        return cls(name, getattr(found, "settings_type", None), kind, takes)

    @property
    def of_photographs(self) -> bool:
        """Whether a photograph is all that it needs, so that anybody's pictures make a bank for it."""
        return self.takes == ("photo",)

    def coder(self) -> Coder | None:
        """What makes its banks of codes."""
        make = getattr(system_class(self.name), "bank_coder", None)
        found: Coder | None = None if make is None else make()
        return found


def known_systems() -> dict[str, Known]:
    """All systems that can be made ready for any picture, by name."""
    return {name: Known.of(name) for name in names() if "bench" in system_class(name).abilities}
