"""All six systems with tiny networks that nobody trained, and pictures that all of them can take."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
from conftest import Nearest, make_encoder, paint_picture
from systems.bridge.conftest import NAMES, SIDE
from systems.bridge.conftest import networks_of as bridge_networks
from systems.cocosnet.conftest import CONFIGURATION, random_networks
from systems.image_analogy.conftest import method_of, random_pyramid
from systems.munit.conftest import networks_of as munit_networks
from systems.pix2pixhd.conftest import CLASSES, world
from systems.pix2pixhd.conftest import networks_of as pix2pixhd_networks

import ktviz as kt
from ktviz.systems.material import Material
from ktviz.systems.prepared import bank_of

HAS = {"input": ["Dark", "Smile"], "reference": ["Blond", "Smile", "Hat"]}
SETTINGS = {"image-analogy": {"iterations": 1}}


@cache
def material(name, side=SIDE):
    """An input or a reference: photograph, label map, instance map and attributes, 32x32 px."""
    number = 200 + [*HAS].index(name)
    photo, (_, labels, instances) = paint_picture(number, side, side), world(number, height=side, width=side, cars=1)
    has = {attribute: attribute in HAS[name] for attribute in NAMES}
    return Material(photo, labels, instances, CLASSES, has, name=name)


@cache
def tiny():
    """By name, a system of each kind; of some the knowledge is of no account."""
    grey = np.full((SIDE, SIDE, 3), 128, np.uint8)
    maps = random_networks(replace(CONFIGURATION, classes=CLASSES))
    encoder = make_encoder()
    flat = bank_of(Material(grey), grey, kt.LibrarySettings(side_px=SIDE, dedupe=1.0), encoder=encoder)
    systems = (
        kt.Translator(flat, encoder, Nearest()),
        kt.ImageAnalogy(grey, method_of(random_pyramid())),
        kt.CoCosNet(grey, np.zeros((SIDE, SIDE), int), maps),
        kt.Pix2PixHD(networks=pix2pixhd_networks(0)),
        kt.Munit(networks=munit_networks(0)),
        kt.Bridge(networks=bridge_networks(0)),
    )
    return {system.name: system for system in systems}
