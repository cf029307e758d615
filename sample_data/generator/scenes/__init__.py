"""Seeded generator of streets and rooms in perspective, with exact maps of their objects and the style of each."""

from __future__ import annotations

from .film import Scene
from .streets import street as _street

__all__ = ["Scene", "street"]


def street(layout_seed: int, styles_seed: int | None = None, size: tuple[int, int] = (256, 512)) -> Scene:
    """A street."""
    return _street(layout_seed, layout_seed if styles_seed is None else styles_seed, size)
