"""Sizes and switches of networks, which people give and files state: in their ranges, or refused."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from ktviz.errors import SettingError
from ktviz.values import short, whole

Range = tuple[int, int]
"""From, to."""
CHANNELS: Range = (1, 4096)
NORMED: Range = (2, 4096)
"""Channels that a positional norm compares with each other."""
STEPS: Range = (0, 8)
"""Each halves the size."""
BLOCKS: Range = (0, 64)


def check_sizes(configuration: Any, ranges: Mapping[str, Range]) -> None:
    """Hold the numbers and switches of a frozen dataclass to their ranges, and make whole numbers of any kind plain.

    Args:
        configuration: A dataclass whose switches are True or False by default.
        ranges: By name of a number.

    Raises:
        SettingError: A number that is not whole or outside its range, or a switch that is something else.
    """
    for part in fields(configuration):
        value = getattr(configuration, part.name)
        if part.name in ranges:
            low, high = ranges[part.name]
            if not low <= whole(part.name, value) <= high:
                raise SettingError(f"{part.name} {value}", f"not from {low} to {high}", "Give a size within that")
            object.__setattr__(configuration, part.name, int(value))
        elif isinstance(part.default, bool) and not isinstance(value, bool):
            raise SettingError(f"{part.name} {short(value)}", "neither True nor False", "Give one of them")
