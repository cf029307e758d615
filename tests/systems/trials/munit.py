"""MUNIT with a bank of styles of five pots, and without one."""

import numpy as np
from conftest import paint_picture, save_picture

import ktviz as kt
from ktviz.errors import ImageError, MismatchError, MissingWeightsError, SettingError
from ktviz.testing import Trial

from ..munit import conftest as pots
from ..pix2pixhd import conftest as street
from .refusing import NAN, NO_NUMBER, NOWHERE, empty, refused

MODES = ("exemplar given", "exemplar of a bank", "nearest", "mix", "drawn", "drawn, no bank")


def trials(folder):
    """By mode, in a folder."""
    networks, picture, exemplar = pots.networks_of(0), paint_picture(9, 42, 53), paint_picture(21, 40, 52)
    library = pots.library_of(folder, networks, save_picture, paint_picture)
    banks = library[pots.BANK]
    (folder / "street").mkdir()
    objects = street.library_of(folder / "street", street.networks_of(0), [street.world(0)])["street/toy"]

    def on(banks, networks=networks, to=None):
        return kt.Munit(banks, networks, to)

    system, alone = on(banks), on(None)
    bad = {
        "wrong domain": refused(SettingError, "Choose one of drawings", lambda: on(None, to="oil")),
        "wrong domain: styles of it": refused(MismatchError, "another encoder", lambda: on(banks, to="drawings")),
        "wrong domain: objects": refused(MismatchError, "it holds objects", lambda: on(objects)),
        "missing weights": refused(MissingWeightsError, "no such file", lambda: kt.Munit.from_checkpoint(NOWHERE)),
        "foreign weights": refused(MismatchError, "another encoder", lambda: on(banks, pots.networks_of(1))),
        "code of the wrong length": refused(SettingError, "5 numbers", lambda: system(picture, code=[0.0] * 5)),
        "NaN": refused(ImageError, NO_NUMBER, lambda: system(NAN)),
        "NaN: exemplar": refused(ImageError, NO_NUMBER, lambda: system(picture, exemplar=NAN)),
        "NaN: code": refused(SettingError, NO_NUMBER, lambda: system(picture, code=[np.nan] * 4)),
        "NaN: weight": refused(SettingError, "not positive", lambda: system(picture, mix={"a": np.nan})),
        "weights that do not add up to 1": refused(
            SettingError, "add up to 1.1", lambda: system(picture, mix={"a": 0.5, "b": 0.6})
        ),
        **empty(folder, on, kind="codes", coder=system.coder),
    }

    def mean_style():
        mean = banks.codes.mean(0)
        return system.path(picture, mean, mean, 2)[0]

    def banked(baseline=mean_style, **settings):
        return Trial(system, lambda: system(picture, **settings).output, library, bad, baseline)

    def unbanked(**settings):
        zeros = [0.0] * 4
        return Trial(
            alone,
            lambda: alone(picture, **settings).output,
            None,
            bad,
            lambda: alone.path(picture, zeros, zeros, 2)[0],
        )

    return {
        "exemplar given": unbanked(exemplar=exemplar),
        "exemplar of a bank": banked(exemplar="c"),
        "nearest": banked(code=(0.6 * banks.codes[0] + 0.4 * banks.codes[3]).tolist(), nearest=2),
        "mix": banked(mix={"a": 0.25, "e.png": 0.75}),
        "drawn": banked(lambda: system(picture, seed=5).output, seed=5),
        "drawn, no bank": unbanked(seed=5),
    }
