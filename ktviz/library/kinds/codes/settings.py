"""How the codes of a bank were made, and how they are clustered."""

from __future__ import annotations

import json
import math
from dataclasses import asdict, dataclass
from pathlib import Path

from ktviz.errors import SettingError
from ktviz.files import read_json, replacing
from ktviz.values import number, whole

SETTINGS = "codes.json"
CLUSTERS, LEAST_AREA = 10, 0.5
"""As published: up to ten centres a class, of objects larger than 1/64 of their picture."""
MOST_BYTES = 4096


@dataclass(frozen=True)
class CodeSettings:
    """Settings of a bank of codes.

    Attributes:
        coder: Digest of what made the codes.
        size: Numbers of a code.
        clusters: Centres of a class, at most.
        least_area: Objects of this area (in 32nds of the picture) and less are kept, and are members of no centre.

    Raises:
        SettingError: One is outside its range.
    """

    coder: str
    size: int
    clusters: int = CLUSTERS
    least_area: float = LEAST_AREA

    def __post_init__(self) -> None:
        if not isinstance(self.coder, str) or not self.coder:
            raise SettingError(f"coder {self.coder!r:.40}", "no digest", "Give a coder that can be told from others")
        for name in ("size", "clusters"):
            object.__setattr__(self, name, whole(name, getattr(self, name)))
            if getattr(self, name) < 1:
                raise SettingError(f"{name} {getattr(self, name)}", "less than 1", "Give for example 10")
        object.__setattr__(self, "least_area", number("least_area", self.least_area))
        if not 0 <= self.least_area < math.inf:
            raise SettingError(f"least_area {self.least_area}", "no area", "Give for example 0.5, or 0 for all")

    def write(self, folder: Path) -> None:
        """Into the folder of a bank."""
        with replacing(folder / SETTINGS) as partial:
            partial.write_text(json.dumps(asdict(self), indent=1) + "\n", encoding="utf-8")

    @classmethod
    def read(cls, path: Path) -> CodeSettings:
        """The inverse of `write`, from the file; raises what readers and constructors raise on something else."""
        return cls(**read_json(path, MOST_BYTES))
