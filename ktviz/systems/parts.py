"""Parts of sources that a run does without, as people and traces state them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeGuard

import numpy as np

from ktviz.errors import SettingError
from ktviz.regions import Box, SourceRegion
from ktviz.values import short


def is_number(part: object) -> TypeGuard[int]:
    """Whether something is a whole number.

    Example:
        >>> is_number(3), is_number(True)
        (True, False)
    """
    return isinstance(part, (int, np.integer)) and not isinstance(part, bool)


def stated(region: Mapping[str, Any]) -> SourceRegion:
    """A part of a source as a trace states it.

    Raises:
        SettingError: It states something else.

    Example:
        >>> stated({"source": "a.png", "box": {"x": 0, "y": 0, "width": 8, "height": 8}}).source
        'a.png'
    """
    try:
        return SourceRegion(str(region["source"]), Box(**region["box"]))
    except (LookupError, TypeError):
        todo = "Give a kt.Box of it: kt.SourceRegion(name, kt.Box(...))"
        raise SettingError(f"without {short(region)}", "no part of a source", todo) from None
