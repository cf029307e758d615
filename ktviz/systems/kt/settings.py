"""The settings of a translation: checked, and as keywords that editors complete and type checkers know."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar, TypedDict, get_args

from ktviz.errors import SettingError
from ktviz.library.banks import Part
from ktviz.library.kinds.patches.bands import PAPER_WEIGHTS, check_band_weights
from ktviz.library.kinds.patches.search import Preset, SearchSettings
from ktviz.regions import SourceRegion
from ktviz.systems.kt.tone import ToneOf
from ktviz.systems.kt.transfer import TransferMode, check_transfer
from ktviz.systems.parts import is_number, stated
from ktviz.values import KnownKeywords, listed, number, one_of, short

COHERENCE = 0.06
"""With the shipped encoder this keeps 98 % of the similarity (`python -m benchmarks quality`)."""
MAX_GAIN = 3.5
ALIGNED = 0.2
"""Strength with alignment, which brings most of the style: more makes structure blotchy."""


class SettingKeywords(TypedDict, total=False):
    """What a `Translator` takes beside the photo; each is explained, and has its default, in `Settings`."""

    preset: Preset
    transfer: TransferMode
    strength: float | None
    max_gain: float | None
    align: float | None
    tone: ToneOf
    coherence: float | None
    band_weights: Sequence[float]
    candidates: int
    beam: int
    without: Iterable[Part]


@dataclass(frozen=True)
class Settings(KnownKeywords):
    """How to translate.

    Attributes:
        preset: How to search. "beam" (default) visits the leaves of the cluster tree that look best; "paper" walks
            greedily down one path, as published; "exact" compares all entries.
        transfer: "statistics" (the paper's default) or "swap".
        strength: Of the transfer from patch to patch: 0 is none, so that only alignment changes the photo, 1 all of it.
            None: 0.2 with alignment, else 1.
        max_gain: Bound of the contrast gain in `statistics`; 0 means none, as published. None: 3.5, or 0 for "paper".
        align: How far features are brought to the mean and covariance of what was retrieved, before and after the
            transfer: from 0, as published, to 1. None: 1, or 0 for "paper".
        tone: What winners give to it: their "patches" (default), or their whole "sources", which takes more of the
            style, and suits a bank of one source.
        coherence: Similarity that may be given up to continue a neighbour's source; 0 gives up none, as published.
            None: 0.06, or 0 for "paper".
        band_weights: Weight of LL, LH, HL, HH in the similarity.
        candidates: Entries recorded per query.
        beam: Leaves visited per query.
        without: Names of sources or whole banks, numbers of entries, or parts of sources (`SourceRegion`), to be
            left out.

    Raises:
        UnknownSettingError: A keyword that is none of these; the message names the nearest.
        SettingError: A value outside its range.

    Example:
        >>> kt.Settings(preset="paper").align, kt.Settings().align
        (0.0, 1.0)
    """

    preset: Preset = "beam"
    transfer: TransferMode = "statistics"
    strength: float | None = None
    max_gain: float | None = None
    align: float | None = None
    tone: ToneOf = "patches"
    coherence: float | None = None
    band_weights: Sequence[float] = PAPER_WEIGHTS
    candidates: int = 8
    beam: int = SearchSettings.beam
    without: Iterable[Part] = ()
    SLIDERS: ClassVar[Mapping[str, tuple[float, float]]] = {
        **dict.fromkeys(("strength", "align"), (0, 1)),
        "max_gain": (0, 10),
        "coherence": (0, 0.5),
        "candidates": (1, 32),
        "beam": (1, 400),
    }

    def __post_init__(self) -> None:
        one_of("tone", self.tone, get_args(ToneOf))
        published = one_of("preset", self.preset, get_args(Preset)) == "paper"
        max_gain = (0.0 if published else MAX_GAIN) if self.max_gain is None else number("max_gain", self.max_gain)
        coherence = (0.0 if published else COHERENCE) if self.coherence is None else number("coherence", self.coherence)
        align = (0.0 if published else 1.0) if self.align is None else number("align", self.align)
        strength = (ALIGNED if align else 1.0) if self.strength is None else number("strength", self.strength)
        if not align and self.tone != "patches":
            found = "nothing is aligned (align 0), so there is no tone"
            raise SettingError(f"tone {self.tone!r}", found, "Leave it out, or give align above 0")
        without = parts_to_leave_out(self.without)
        check_transfer(self.transfer, strength, max_gain)
        if not 0 <= align <= 1:
            raise SettingError(f"align {align}", "outside 0 to 1", "Give a number from 0 (as published) to 1")
        if not 0 <= coherence <= 1:
            raise SettingError(f"coherence {coherence}", "outside 0 to 1", "Give 0 for none, or about 0.1")
        resolved: dict[str, Any] = {"strength": strength, "max_gain": max_gain, "align": align, "coherence": coherence}
        resolved |= {"without": without}
        for name, value in (*resolved.items(), ("band_weights", self.search.band_weights)):
            object.__setattr__(self, name, value)

    @property
    def of_tone(self) -> Settings:
        """The same for the search that finds the tone, of which nothing is seen that could fall into blotches."""
        return replace(self, coherence=0.0)

    @property
    def search(self) -> SearchSettings:
        """The part of the settings that the search needs."""
        return SearchSettings(
            self.preset,
            candidates=self.candidates,
            beam=self.beam,
            band_weights=check_band_weights(self.band_weights),
        )


def only_stated(settings: Mapping[str, Any]) -> dict[str, Any]:
    """See `ktviz.systems.registry.SystemClass`: what changes nothing, the other settings being what they are."""
    silent = [] if settings["preset"] == "beam" else ["beam"]
    if settings["transfer"] == "swap" or not settings["strength"]:
        silent.append("max_gain")
    if not settings["strength"]:
        silent.append("transfer")
    return {name: settings[name] for name in silent if name in settings}


NOT_ALIGNED: Mapping[str, Any] = {"align": 0.0, "tone": "patches"}
"""Settings that traces of versions without alignment do not state."""


def settings_from(stored: Mapping[str, Any]) -> Settings:
    """The settings that a trace states, which may come from a file that turns tuples into lists.

    Traces of versions that did not align do not say that they did not.
    """
    return Settings(**{**NOT_ALIGNED, **stored, "without": tuple(stored["without"])})


def stated_as(known: Mapping[str, Any], settings: Mapping[str, Any]) -> dict[str, Any]:
    """Settings as those of a former run are stated: where neither is aligned, and those do not say so, these do not."""
    if NOT_ALIGNED.keys() & known.keys() or not NOT_ALIGNED.items() <= settings.items():
        return dict(settings)
    return {name: value for name, value in settings.items() if name not in NOT_ALIGNED}


def parts_to_leave_out(given: Any) -> tuple[Part, ...]:
    """Names of sources and banks, numbers of entries, and parts of sources, as they were given: one, or several."""
    return tuple(part_to_leave_out(one) for one in listed(given))


def part_to_leave_out(given: Any) -> Part:
    """One of them; a part of a source as a person or a trace states it."""
    if isinstance(given, Mapping):
        return stated(given)
    if isinstance(given, (str, SourceRegion)):
        return given
    if is_number(given):
        return int(given)
    found = "neither the name of a source or a bank nor the number of an entry nor a part of a source"
    raise SettingError(f"without {short(given)}", found, "Give one that the trace names")
