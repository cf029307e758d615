"""ktviz: which stored knowledge painted every pixel of a translated image?

The public names are imported when they are first used, so that `import ktviz` is quick and loads no torch.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

__version__ = "0.1.0"

_HOMES = {
    "BankUnion": "ktviz.library.union",
    "Decoder": "ktviz.model.decoder",
    "Encoder": "ktviz.model.encoder",
    "KtvizError": "ktviz.errors",
    "Library": "ktviz.library.library",
    "LibrarySettings": "ktviz.library.format",
    "Matches": "ktviz.model.matches",
    "Translation": "ktviz.model.translator",
    "Translator": "ktviz.model.translator",
    "backtracking_figure": "ktviz.figures.backtracking",
    "read_image": "ktviz.images",
    "source_shares": "ktviz.explain.shares",
    "write_image": "ktviz.images",
}

__all__ = ["__version__", *sorted(_HOMES)]

if TYPE_CHECKING:
    from ktviz.errors import KtvizError as KtvizError
    from ktviz.explain.shares import source_shares as source_shares
    from ktviz.figures.backtracking import backtracking_figure as backtracking_figure
    from ktviz.images import read_image as read_image
    from ktviz.images import write_image as write_image
    from ktviz.library.format import LibrarySettings as LibrarySettings
    from ktviz.library.library import Library as Library
    from ktviz.library.union import BankUnion as BankUnion
    from ktviz.model.decoder import Decoder as Decoder
    from ktviz.model.encoder import Encoder as Encoder
    from ktviz.model.matches import Matches as Matches
    from ktviz.model.translator import Translation as Translation
    from ktviz.model.translator import Translator as Translator


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module 'ktviz' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return list(__all__)
