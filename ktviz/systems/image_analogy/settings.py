"""The settings of an analogy, and the published presets."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from numbers import Integral
from typing import Any, ClassVar, Literal

from ktviz.errors import SettingError, unknown_name
from ktviz.systems.image_analogy.feature_blend import CURVES, Curve
from ktviz.systems.image_analogy.pyramid import LEVELS
from ktviz.values import KnownKeywords, number, one_of, seed_of, short, whole

Start = Literal["identity", "random"]
STARTS: tuple[Start, ...] = ("identity", "random")
InversionKind = Literal["fast", "lbfgs"]
INVERSIONS: tuple[InversionKind, ...] = ("fast", "lbfgs")
BLEND_LEVELS = {
    1: (0.0, 0.5, 0.6, 0.7, 1.0),
    2: (0.1, 0.6, 0.7, 0.8, 1.0),
    3: (0.2, 0.7, 0.8, 0.9, 1.0),
}
"""alpha of conv1_1 to conv5_1."""
SIXTEENTH = 0
"""A radius that means a sixteenth of the longer side: the whole of conv5_1."""


@dataclass(frozen=True)
class Settings(KnownKeywords):
    """How to make an analogy; tuples go from conv1_1 to conv5_1.

    Attributes:
        ratio: Size of what the network sees, relative to the picture; above 0, at most 1.
        blend: How much of a picture's own features is kept where they are strong: 1 (least), 2 or 3 (most), the
            published levels; or five numbers from 0 to 1.
        curve: "sigmoid" (the paper) or "step" (the published code) of that.
        start: Where cells begin to look at conv5_1: at their own place ("identity", published) or anywhere ("random").
        iterations: Rounds of patch matching per level.
        patches: Sides of the patches in cells, odd.
        radii: Of the first random draw in cells; 0 means a sixteenth of the longer side in px.
        inversion: "fast" (learned blocks) or "lbfgs" (published).
        inversion_iterations: At most, of L-BFGS.
        refine: Edge-preserving refinement of both outputs, for photographs.
        seed: Of the random search.

    Raises:
        UnknownSettingError: A keyword that is none of these; the message names the nearest.
        SettingError: A value outside its range.

    Example:
        >>> Settings(blend=2).alphas
        (0.1, 0.6, 0.7, 0.8, 1.0)
    """

    ratio: float = 1.0
    blend: int | Sequence[float] = 3
    curve: Curve = "sigmoid"
    start: Start = "identity"
    iterations: int = 10
    patches: Sequence[int] = (5, 5, 3, 3, 3)
    radii: Sequence[int] = (4, 4, 6, 6, SIXTEENTH)
    inversion: InversionKind = "fast"
    inversion_iterations: int = 100
    refine: bool = False
    seed: int = 0
    SLIDERS: ClassVar[Mapping[str, tuple[float, float]]] = {
        "ratio": (0.1, 1),
        "blend": (1, 3),
        "iterations": (1, 20),
        "inversion_iterations": (1, 200),
    }

    def __post_init__(self) -> None:
        if not 0 < number("ratio", self.ratio) <= 1:
            raise SettingError(f"ratio {self.ratio}", "not above 0 and at most 1", "Give 1, or 0.5 for faces")
        for name, known in (("curve", CURVES), ("start", STARTS), ("inversion", INVERSIONS)):
            one_of(name, getattr(self, name), known)
        for name in ("iterations", "inversion_iterations"):
            object.__setattr__(self, name, whole(name, getattr(self, name)))
            if getattr(self, name) < 1:
                raise SettingError(f"{name} {getattr(self, name)}", "less than 1", "Give a positive number")
        seed_of("seed", self.seed)
        if not isinstance(self.refine, bool):
            raise SettingError(f"refine {short(self.refine)}", "neither True nor False", "Give one of them")
        patches, radii = (five(name, getattr(self, name), whole) for name in ("patches", "radii"))
        if any(side < 1 or side % 2 == 0 for side in patches):
            raise SettingError(f"patches {patches}", "not all odd and positive", "Give for example (5, 5, 3, 3, 3)")
        if any(radius < 0 for radius in radii):
            raise SettingError(f"radii {radii}", "not all from 0", "Give for example (4, 4, 6, 6, 0)")
        alphas = self.alphas
        if not all(0 <= alpha <= 1 for alpha in alphas):
            raise SettingError(f"blend {alphas}", "not all from 0 to 1", "Give 1, 2 or 3, or five such numbers")
        kept = alphas if isinstance(self.blend, Iterable) else self.blend
        for name, value in (("blend", kept), ("patches", patches), ("radii", radii)):
            object.__setattr__(self, name, value)

    @property
    def alphas(self) -> tuple[float, ...]:
        """alpha of conv1_1 to conv5_1."""
        if isinstance(self.blend, Iterable) and not isinstance(self.blend, str):
            return five("blend", self.blend, number)
        if isinstance(self.blend, bool) or not isinstance(self.blend, Integral) or self.blend not in BLEND_LEVELS:
            raise SettingError(f"blend {short(self.blend)}", "no such level", "Give 1, 2 or 3, or five numbers")
        return BLEND_LEVELS[self.blend]


def five(name: str, values: Any, kind: Any) -> tuple[Any, ...]:
    """Five numbers of a kind, one for each level."""
    several = [*values] if isinstance(values, Iterable) and not isinstance(values, str) else []
    if len(several) != len(LEVELS) - 1:
        raise SettingError(f"{name} {short(values)}", "not five numbers", "Give one for each of conv1_1 to conv5_1")
    return tuple(kind(name, value) for value in several)


PRESETS = {
    "photo-to-style": Settings(ratio=1.0, blend=3),
    "style-to-style": Settings(ratio=1.0, blend=3),
    "style-to-photo": Settings(ratio=0.5, blend=2),
    "photo-to-photo": Settings(ratio=1.0, blend=3, refine=True),
}
"""As the authors advise; for faces, photo-to-style with a ratio of 0.5."""


def preset(name: str, **changes: Any) -> Settings:
    """A published preset, with changes.

    Raises:
        UnknownNameError: There is no such preset.
        UnknownSettingError, SettingError: As in `Settings`.
    """
    if name not in [*PRESETS]:  # also where it cannot be a key
        raise unknown_name("preset", name, PRESETS)
    return replace(PRESETS[name], **changes)


def settings_from(given: Mapping[str, Any]) -> Settings:
    """Settings from keywords, those of a published preset if one is named."""
    keywords = dict(given)
    named = keywords.pop("preset", None)
    return Settings(**keywords) if named is None else preset(named, **keywords)
