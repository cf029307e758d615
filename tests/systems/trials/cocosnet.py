"""CoCosNet on label maps in blocks."""

from dataclasses import replace

import numpy as np
import torch
from conftest import paint_picture, save_picture

import ktviz as kt
from ktviz.errors import ImageError, LabelError, LibraryError, MissingWeightsError
from ktviz.images import to_pixels
from ktviz.systems.cocosnet.passage import Passage
from ktviz.testing import Trial

from ..cocosnet import conftest as lanes
from .refusing import NAN, NO_NUMBER, NOWHERE, asked_another, codes_of_pots, empty, refused

MODES = ("exemplar given", "exemplar chosen")


def trials(folder):
    """By mode, in a folder."""
    labels, exemplar = lanes.block_map(1, 41, 54, count=5), (paint_picture(2, 36, 50), lanes.block_map(3, 36, 50))
    networks, others = (lanes.random_networks(lanes.CONFIGURATION, seed) for seed in (0, 1))
    mapless = lanes.random_networks(replace(lanes.CONFIGURATION, shape=lanes.MAPLESS))
    library, codes = lanes.library_of(folder, save_picture, paint_picture), codes_of_pots(folder)

    def on(banks):
        return kt.CoCosNet.from_bank(banks, networks=mapless)

    given, chosen = kt.CoCosNet(*exemplar, networks), on(library[lanes.BANK])
    bad = {
        "wrong domain": refused(LibraryError, "pictures are needed", lambda: on(codes)),
        "wrong domain: classes": refused(LabelError, "classes go from 0 to 4", lambda: given(labels + 5)),
        "missing weights": refused(
            MissingWeightsError, "none of latest", lambda: kt.CoCosNet.from_checkpoint(NOWHERE, "ade20k", *exemplar)
        ),
        "foreign weights": asked_another(lambda: trial.trace, kt.CoCosNet(*exemplar, others), kt.Box(0, 0, 8, 8)),
        "NaN": refused(LabelError, "nan", lambda: given(np.where(labels == 0, np.nan, labels))),
        "NaN: exemplar": refused(ImageError, NO_NUMBER, lambda: kt.CoCosNet(NAN, np.zeros((32, 32)), networks)),
        **empty(folder, on, kind="pictures"),
    }

    def trial_of(system, library):
        """It records the eight cells that gave most."""
        run, start = (lambda: system(labels).output), (lambda: in_mean_colour(system, labels))
        return Trial(system, run, library, bad, start, left_over=0.001)

    trial, banked = trial_of(given, None), trial_of(chosen, library)
    return {"exemplar given": trial, "exemplar chosen": banked}


def in_mean_colour(system, labels):
    """What the generator makes of the exemplar's mean colour everywhere."""
    known = system(labels).exemplar
    height, width = known.pixels.shape[:2]
    whole_cells = np.pad(known.pixels, ((0, -height % 4), (0, -width % 4), (0, 0)), mode="reflect")
    colour = torch.from_numpy(2 * whole_cells.mean((0, 1)) / 255 - 1).float()
    passage = Passage(system.networks, labels, known)
    return to_pixels(passage.painted(colour.expand(passage.grid[0] * passage.grid[1], 3)))
