"""Whether knowledge fits networks: banks of codes, and centres of a file."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from ktviz.errors import MismatchError, SettingError
from ktviz.library.kinds.codes.union import CodeUnion
from ktviz.systems.parts import is_number
from ktviz.systems.pix2pixhd.coder import Coder
from ktviz.systems.pix2pixhd.objects import Vectors
from ktviz.systems.pix2pixhd.trained import Networks


def check_bank(banks: CodeUnion, coder: Coder) -> None:
    """Raise MismatchError unless banks were made with an encoder."""
    asked = f"bank {', '.join(banks.names)} with these networks"
    if banks.classes is None:
        raise MismatchError(asked, "it holds whole pictures, no objects", "Build it with label maps")
    banks.classes.check_same(coder.classes, asked)
    if banks.coder != coder.digest:
        raise MismatchError(asked, "it was made with another encoder", "Build it again, or give the other networks")


def checked_centres(centres: Mapping[int, Vectors], networks: Networks) -> dict[int, Vectors]:
    """Centres of a file, if they are for networks.

    Raises:
        SettingError: Of other classes, of another size, or not finite.
    """
    found = {}
    for label, codes in centres.items():
        values, size = np.asarray(codes, dtype=np.float64), networks.shape.codes
        asked = f"centres of class {label}"
        if not is_number(label) or not 0 <= label < len(networks.classes):
            raise SettingError(
                asked, f"classes go from 0 to {len(networks.classes) - 1}", "Give those of this training"
            )
        if values.ndim != 2 or values.shape[1] != size or not len(values) or not np.isfinite(values).all():
            raise SettingError(asked, f"{values.shape}, not (K, {size}) finite numbers", "Give those of this training")
        found[int(label)] = values
    return found
