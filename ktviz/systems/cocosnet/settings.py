"""The settings of a run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from ktviz.errors import SettingError
from ktviz.systems.cocosnet.configuration import checked_temperature
from ktviz.values import KnownKeywords, short, whole

TOP = 8


@dataclass(frozen=True)
class Settings(KnownKeywords):
    """How to paint a label map.

    Attributes:
        temperature: Of the softmax, 1e-6 at least: smaller is sharper. That of the training if None.
        exemplar: Name of a picture of the banks, or the end of it; None for the most similar one, or where there is
            but one.
        top: Cells of the exemplar that are recorded for every cell; what the others give is left over.

    Raises:
        UnknownSettingError: A keyword that is none of these; the message names the nearest.
        SettingError: A value outside its range.

    Example:
        >>> Settings(temperature=0.05).top
        8
    """

    temperature: float | None = None
    exemplar: str | None = None
    top: int = TOP
    SLIDERS: ClassVar[Mapping[str, tuple[float, float]]] = {"temperature": (0.001, 0.1), "top": (1, 32)}

    def __post_init__(self) -> None:
        if self.temperature is not None:
            checked_temperature(self.temperature)
        object.__setattr__(self, "top", whole("top", self.top))
        if self.top < 1:
            raise SettingError(f"top {self.top}", "less than 1", "Give 8, or another positive number")
        if self.exemplar is not None and not isinstance(self.exemplar, str):
            raise SettingError(f"exemplar {short(self.exemplar)}", "not a name", "Name a picture of the bank")
