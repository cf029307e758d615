"""How views are displayed."""

from __future__ import annotations

import os
from typing import Literal, get_args

from ktviz.values import one_of

Display = Literal["both", "live", "static", "page"]


class Options:
    """How views are displayed: `ktviz.options.display = "static"`.

    Args:
        display: "both" sends the live view, and a snapshot for readers without it (the default); "live" or "static"
            only one of them; "page" sends the whole page in a frame, which stays interactive without a kernel and costs
            up to 4 MB a view, and as much for its other sites. The environment variable KTVIZ_DISPLAY sets it from
            outside.

    Raises:
        SettingError: Another value.

    Example:
        >>> kt.options.display in ("both", "live", "static", "page")
        True
    """

    display: Display

    def __init__(self, display: str = "both") -> None:
        self.__setattr__("display", display)

    def __setattr__(self, name: str, value: object) -> None:
        if name != "display":
            raise AttributeError(f"there is no option {name!r}; known: display")
        object.__setattr__(self, name, one_of("display", value, get_args(Display)))

    def __repr__(self) -> str:
        return f"Options(display={self.display!r})"


options = Options(os.environ.get("KTVIZ_DISPLAY", "both"))
"""The options of this process."""
