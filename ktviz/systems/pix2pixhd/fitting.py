"""Whether knowledge fits networks: banks of codes, and centres of a file."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from ktviz.errors import MismatchError, SettingError
from ktviz.library.kinds.codes.union import CodeUnion
from ktviz.systems.parts import is_number
from ktviz.systems.pix2pixhd.coder import Coder
from ktviz.systems.pix2pixhd.objects import Vectors
from ktviz.systems.pix2pixhd.trained import Networks
from ktviz.values import short


def check_bank(banks: CodeUnion, coder: Coder) -> None:
    """Raise MismatchError unless banks were made with an encoder."""
    asked = f"bank {', '.join(banks.names)} with these networks"
    if banks.classes is None:
        raise MismatchError(asked, "it holds whole pictures, no objects", "Build it with label maps")
    banks.classes.check_same(coder.classes, asked)
    if not coder.made(banks.coder):
        raise MismatchError(asked, "it was made with another encoder", "Build it again, or give the other networks")


def checked_centres(centres: Any, networks: Networks) -> dict[int, Vectors]:
    """Centres by class, if they are for networks.

    Raises:
        SettingError: Something else, of other classes, of another size, or not finite.
    """
    if not isinstance(centres, Mapping):
        raise SettingError(f"centres {short(centres)}", "no codes by class", "Give {26: codes}, or the path of a file")
    found = {}
    for label, codes in centres.items():
        asked, size, todo = f"centres of class {short(label)}", networks.shape.codes, "Give those of this training"
        if not is_number(label) or not 0 <= label < len(networks.classes):
            raise SettingError(asked, f"classes go from 0 to {len(networks.classes) - 1}", todo)
        try:
            values = np.asarray(codes, dtype=np.float64)
        except (TypeError, ValueError) as error:
            raise SettingError(asked, f"no numbers ({error!s:.80})", todo) from None
        if values.ndim != 2 or values.shape[1] != size or not len(values) or not np.isfinite(values).all():
            raise SettingError(asked, f"{values.shape}, not (K, {size}) finite numbers", todo)
        found[int(label)] = values
    return found
