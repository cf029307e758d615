"""Bridging with a bank of six faces, and without one."""

import numpy as np
import torch
from conftest import paint_picture, save_picture

import ktviz as kt
from ktviz.errors import (
    ImageError,
    LabelError,
    LibraryError,
    MissingWeightsError,
    SettingError,
    UnknownNameError,
)
from ktviz.images import to_pixels, to_tensor
from ktviz.testing import Trial

from ..bridge import conftest as faces
from ..cocosnet import conftest as lanes
from .refusing import NAN, NO_NUMBER, asked_another, codes_of_pots, empty, refused

MODES = ("reference given", "reference chosen", "reference of a bank", "labels", "between", "between, by norms")


def trials(folder):
    """By mode, in a folder."""
    picture, reference = (paint_picture(number, faces.SIDE, faces.SIDE) for number in (100, 101))
    networks = faces.networks_of(0)
    faces.write_faces(folder, save_picture, paint_picture)
    library, codes = faces.library_of(folder), codes_of_pots(folder)
    plain = lanes.library_of(folder / "lanes", save_picture, paint_picture)[lanes.BANK]

    def on(banks, networks=networks):
        return kt.Bridge(banks, networks)

    system, alone = on(library[faces.BANK]), on(None)

    def asked(has=faces.HAS, want=faces.WANT, **settings):
        return system(picture, has, want, **settings).output

    @torch.no_grad()
    def own_code():
        seen = 2 * to_tensor(picture) - 1
        return to_pixels((networks.generator(seen, networks.encoder(seen, -faces.DIFFERENCE)) + 1)[0] / 2)

    strict = faces.networks_of(0)
    strict.known_db = 99.0

    def stranger():
        return on(library[faces.BANK], strict)(picture, faces.HAS, faces.WANT)

    bad = {
        "wrong domain": refused(LibraryError, "pictures are needed", lambda: on(codes)),
        "wrong domain: no faces": refused(LabelError, "nobody says who has Dark", lambda: on(plain)),
        "wrong domain: no portrait": refused(ImageError, "of a kind that the networks know", stranger),
        "missing weights": refused(MissingWeightsError, "no such file", lambda: kt.Bridge.from_checkpoint("no.npz")),
        "foreign weights": asked_another(lambda: trial.trace, on(None, faces.networks_of(1)), "input"),
        "code of the wrong length": refused(
            SettingError, "noise of 5 numbers", lambda: asked(mode="labels", noise=[0.0] * 5)
        ),
        "NaN": refused(ImageError, NO_NUMBER, lambda: system(NAN, faces.HAS, faces.WANT)),
        "NaN: reference": refused(ImageError, NO_NUMBER, lambda: asked(reference=(NAN, ["Blond", "Hat"]))),
        "NaN: noise": refused(SettingError, NO_NUMBER, lambda: asked(mode="labels", noise=[np.nan] * 6)),
        "NaN: amount": refused(SettingError, "not a number from 0 to 100", lambda: asked(amount=np.nan)),
        **empty(folder, on, kind="pictures"),
        **attributes(asked, reference),
    }

    def given():
        return alone(picture, faces.HAS, faces.WANT, reference=(reference, ["Blond", "Hat"])).output

    def banked(**settings):
        return Trial(system, lambda: asked(**settings), library, bad, own_code)

    trial = Trial(alone, given, None, bad, own_code)
    return {
        "reference given": trial,
        "reference chosen": banked(),
        "reference of a bank": banked(reference="c"),
        "labels": banked(mode="labels", row=2),
        "between": banked(mode="between"),
        "between, by norms": banked(mode="between", spade=True),
    }


def attributes(asked, reference):
    """What is wrong with attributes, and with what they ask for."""
    lacking = "reference that lacks what is wanted"
    return {
        "unknown attribute": refused(
            UnknownNameError, "'Smil'.*Did you mean Smile", lambda: asked(has=["Dark", "Smil"])
        ),
        "unknown attribute: wanted": refused(
            UnknownNameError, "'hat'.*Did you mean Hat", lambda: asked(want={"hat": True})
        ),
        "contradictory attributes": refused(
            SettingError, "want Blond and Dark|want Dark and Blond", lambda: asked(want=["Blond", "Dark"])
        ),
        "contradictory attributes: of the picture": refused(
            SettingError, "a picture has one of Dark, Blond", lambda: asked(has=["Blond", "Dark"])
        ),
        lacking: refused(SettingError, "it has no Hat", lambda: asked(reference=(reference, ["Blond"]))),
        f"{lacking}: of a bank": refused(SettingError, r"a\.png: it has no", lambda: asked(reference="a")),
        f"{lacking}: none has it": refused(
            SettingError, "none of the 6 pictures", lambda: asked(has=["Dark"], want={"Dark": False, "Blond": False})
        ),
        "weights that do not add up to 1": refused(
            SettingError, "not a number from 0 to 1", lambda: asked(mode="between", alpha=1.1)
        ),
    }
