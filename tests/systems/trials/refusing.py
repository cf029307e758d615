"""Bad input that many systems can be given."""

import numpy as np
import pytest
from conftest import paint_picture, save_picture

import ktviz as kt
from ktviz.errors import ImageError, MismatchError, SettingError, UnknownNameError

from ..munit import conftest as pots

NAN = np.full((32, 32, 3), np.nan)
NO_NUMBER = "NaN|finite"
NOWHERE = "nowhere.pth"


def refused(error, words, call):
    """A call that is refused, and with these words."""

    def asked():
        with pytest.raises(error, match=words) as caught:
            call()
        raise caught.value

    return asked


def empty(folder, on, **how):
    """Banks without a picture: `on(banks)` makes the system, and `how` their library builds them."""
    (folder / "nothing").mkdir()
    library = kt.Library.create(folder / "empty.ktlib")
    return {
        "empty bank": refused(
            ImageError, "no image there", lambda: library.build("a/b", folder / "nothing", quiet=True, **how)
        ),
        "empty bank: of a library": refused(UnknownNameError, "select no bank", lambda: on(library.select(()))),
        "empty bank: none at all": refused(SettingError, "no banks of a library", lambda: on(())),
    }


def asked_another(trace, other, what):
    """A question about a run, `trace()`, to the same system with other networks."""
    return refused(MismatchError, "another one", lambda: kt.without(trace(), what, model=other))


def codes_of_pots(folder):
    """A bank of codes of whole pictures."""
    return pots.library_of(folder / "pots", pots.networks_of(0), save_picture, paint_picture)[pots.BANK]
