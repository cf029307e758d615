"""Deep Image Analogy between two small pictures."""

from conftest import paint_picture, save_picture

import ktviz as kt
from ktviz.errors import ImageError, LibraryError, MissingWeightsError
from ktviz.systems.image_analogy.method import Method
from ktviz.testing import Trial

from ..image_analogy import conftest as animals
from .refusing import NAN, NO_NUMBER, NOWHERE, asked_another, codes_of_pots, empty, refused

MODES = ("reference given", "reference of a bank")


def trials(folder):
    """By mode, in a folder."""
    animals.write_animals(folder, save_picture, paint_picture)
    library, codes = animals.library_of(folder, folder / "animals.ktlib"), codes_of_pots(folder)
    photo, reference = paint_picture(5, 24, 32), paint_picture(1, 28, 36)
    method, others = (animals.method_of(animals.random_pyramid(seed)) for seed in (5, 7))

    def on(banks):
        return kt.ImageAnalogy.from_bank(banks, "tiger.png", method)

    given, other = kt.ImageAnalogy(reference, method), kt.ImageAnalogy(reference, others)
    named = on(library[animals.BANK])
    bad = {
        "wrong domain": refused(LibraryError, "pictures are needed", lambda: on(codes)),
        "missing weights": refused(MissingWeightsError, "no such file", lambda: Method.load(NOWHERE)),
        "foreign weights": asked_another(lambda: trial.trace, other, kt.Box(0, 0, 8, 8)),
        "NaN": refused(ImageError, NO_NUMBER, lambda: given(NAN)),
        "NaN: reference": refused(ImageError, NO_NUMBER, lambda: kt.ImageAnalogy(NAN, method)),
        **empty(folder, on, kind="pictures"),
    }
    trial = Trial(given, lambda: given(photo, iterations=1).a_prime, None, bad, lambda: photo)
    banked = Trial(named, lambda: named(photo, iterations=1).a_prime, library, bad, lambda: photo)
    return {"reference given": trial, "reference of a bank": banked}
