"""KT in the toy world."""

from dataclasses import replace

import torch
from conftest import make_encoder

import ktviz
from ktviz.errors import ImageError, LibraryError, MissingWeightsError
from ktviz.images import to_pixels, to_tensor
from ktviz.testing import ToyWorld, Trial, toy_photo

from .refusing import NAN, NO_NUMBER, NOWHERE, asked_another, codes_of_pots, empty, refused

MODES = ("beam", "paper")


def trials(folder):
    """By mode, in a folder."""
    world, photo = ToyWorld(folder), toy_photo()
    system, encoder, codes = world.translator, world.translator.encoder, codes_of_pots(folder)
    other = ktviz.Translator(world.banks, encoder, type(system.decoder)())
    other.decoder.register_buffer("more", torch.zeros(1))

    def on(banks, encoder=encoder):
        return ktviz.Translator(banks, encoder, system.decoder)

    bad = {
        "wrong domain": refused(LibraryError, "patches are needed", lambda: on(codes)),
        "missing weights": refused(MissingWeightsError, "no such file", lambda: ktviz.Encoder.vgg19(NOWHERE)),
        "foreign weights": refused(LibraryError, "encoder", lambda: on(world.banks, make_encoder())),
        "foreign weights: asked": asked_another(lambda: trial.trace, other, "red"),
        "NaN": refused(ImageError, NO_NUMBER, lambda: system(NAN)),
        **empty(folder, on, encoder=encoder),
    }

    def own_features():
        return to_pixels(system.decoder(encoder(to_tensor(photo)))[0])

    trial = Trial(system, lambda: system(photo).image, world.library, bad, own_features)
    return {"beam": trial, "paper": replace(trial, run=lambda: system(photo, preset="paper", transfer="swap").image)}
