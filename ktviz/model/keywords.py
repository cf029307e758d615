"""The settings of a translation as keywords, so that editors complete them and type checkers know them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TypedDict

from ktviz.library.search import Preset
from ktviz.model.transfer import TransferMode


class SettingKeywords(TypedDict, total=False):
    """What a `Translator` takes beside the photo; each is explained, and has its default, in `Settings`."""

    preset: Preset
    transfer: TransferMode
    strength: float
    max_gain: float | None
    coherence: float | None
    band_weights: Sequence[float]
    candidates: int
    beam: int
    without: Iterable[str | int]
