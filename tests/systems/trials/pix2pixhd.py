"""pix2pixHD in a small street, with the codes of five others, or with centres of a file."""

import numpy as np
import torch

import ktviz as kt
from ktviz.errors import ImageError, LabelError, MismatchError, MissingWeightsError, SettingError
from ktviz.images import to_pixels
from ktviz.testing import Trial

from ..pix2pixhd import conftest as street
from .refusing import NO_NUMBER, NOWHERE, codes_of_pots, empty, refused

MODES = ("drawn", "numbered", "nearest", "encoded", "encoded, of a bank", "centres of a file")


def trials(folder):
    """By mode, in a folder."""
    networks, (_, labels, instances), reference = street.networks_of(0), street.world(100), street.world(101)
    pictures = [street.world(number) for number in range(street.SOURCES)]
    library, codes = street.library_of(folder, networks, pictures), codes_of_pots(folder)
    banks = library["street/toy"]
    centres = {label: np.random.default_rng(label).normal(0, 0.5, (2, 3)) for label in range(1, 5)}

    def on(banks, networks=networks):
        return kt.Pix2PixHD(banks, networks)

    def of_file(centres):
        return kt.Pix2PixHD(networks=networks, centres=centres)

    def in_means(mean_of):
        """Every object in the mean code of its class."""
        numbers = np.unique(instances)
        means = np.stack([mean_of(label) for label in np.where(numbers < 1000, numbers, numbers // 1000)])
        return to_pixels(networks.paint(instances, torch.from_numpy(means).float()))

    def of_bank(label):
        return banks.codes[(banks.label == label) & (banks.centre >= 0)].mean(0)

    system, file = on(banks), of_file(centres)
    bad = {
        "wrong domain": refused(MismatchError, "whole pictures, no objects", lambda: on(codes)),
        "wrong domain: classes": refused(LabelError, "classes go from 0 to 4", lambda: system(labels + 4)),
        "missing weights": refused(
            MissingWeightsError, "no such", lambda: kt.Pix2PixHD.from_checkpoint(NOWHERE, "label2city_1024p")
        ),
        "foreign weights": refused(MismatchError, "another encoder", lambda: on(banks, street.networks_of(1))),
        "code of the wrong length": refused(
            SettingError, r"\(2, 5\), not \(K, 3\)", lambda: of_file({1: np.zeros((2, 5))})
        ),
        "NaN": refused(LabelError, "nan", lambda: system(np.where(labels == 1, np.nan, labels))),
        "NaN: reference": refused(
            ImageError, NO_NUMBER, lambda: system(labels, reference=(reference[0] * np.nan, *reference[1:]))
        ),
        "NaN: code": refused(SettingError, NO_NUMBER, lambda: of_file({1: np.full((2, 3), np.nan)})),
        **empty(folder, on, kind="codes", coder=system.coder, labels=folder / "nothing", classes=street.CLASSES),
    }

    def banked(**settings):
        def run():
            return system(labels, instances, **settings).output

        return Trial(system, run, library, bad, lambda: in_means(of_bank))

    return {
        "drawn": banked(seed=3),
        "numbered": banked(choice="numbered", seed=3),
        "nearest": banked(choice="nearest", reference=reference),
        "encoded": banked(choice="encoded", reference=reference),
        "encoded, of a bank": banked(choice="encoded", reference="1.png"),
        "centres of a file": Trial(
            file,
            lambda: file(labels, instances, seed=3).output,
            None,
            bad,
            lambda: in_means(lambda label: centres[label].mean(0)),
        ),
    }
