"""Small worlds of the systems that choose styles, mix cells, or change attributes; nobody trained them."""

from __future__ import annotations

from systems.bridge.conftest import HAS, NAMES, ROWS, SIDE, WANT
from systems.bridge.conftest import networks_of as bridge_networks
from systems.cocosnet.conftest import CONFIGURATION, block_map, random_networks
from systems.pix2pixhd.conftest import CLASSES, SOURCES, networks_of, world

import ktviz as kt
from ktviz.labels import write_map
from ktviz.systems.pix2pixhd.system import Pix2PixHD

SCENE = 100
"""Seed of the picture whose label map is painted."""


def street(folder, clusters=3):
    """A system with a bank of codes, and a trace of it; credits of the sources are known."""
    networks = networks_of(0)
    for name in ("photos", "labels", "instances"):
        (folder / name).mkdir()
    for n in range(SOURCES):
        photo, labels, instances = world(n)
        kt.write_image(folder / "photos" / f"{n}.png", photo)
        write_map(folder / "labels" / f"{n}.png", labels, CLASSES)
        write_map(folder / "instances" / f"{n}.png", instances, None)
    rows = "\n".join(f"{n}.png,Street {n},Ada {n},CC0-1.0" for n in range(SOURCES))
    (folder / "credits.csv").write_text(f"file,title,creator,licence\n{rows}\n")
    library = kt.Library.create(folder / "codes.ktlib")
    library.build(
        "street/toy",
        folder / "photos",
        kind="codes",
        labels=folder / "labels",
        instances=folder / "instances",
        classes=CLASSES,
        coder=Pix2PixHD(networks=networks).coder,
        clusters=clusters,
        credits=folder / "credits.csv",
        quiet=True,
    )
    system = Pix2PixHD(library["street/toy"], networks)
    return system, system.traced(*world(SCENE)[1:], seed=3)


def room(paint, **settings):
    """A system with an exemplar, and a trace of it."""
    system = kt.CoCosNet(paint(2, 36, 50), block_map(3, 36, 50), random_networks(CONFIGURATION))
    return system, system.traced(block_map(1, 41, 54, count=5), **settings)


def portrait(folder, paint, **settings):
    """A system with a bank of pictures with attributes, and a trace of it; credits are known."""
    for number, name in enumerate(ROWS):
        kt.write_image(folder / "in" / f"{name}.png", paint(number, SIDE, SIDE))
    rows = "".join(f"{name}.png,{','.join(map(str, row))}\n" for name, row in ROWS.items())
    (folder / "attributes.csv").write_text(f"file,{','.join(NAMES)}\n{rows}")
    credits = "".join(f"{name}.png,Face {name},Ada {name},CC0-1.0\n" for name in ROWS)
    (folder / "credits.csv").write_text(f"file,title,creator,licence\n{credits}")
    library = kt.Library.create(folder / "faces.ktlib")
    tables = {"attributes": folder / "attributes.csv", "credits": folder / "credits.csv"}
    library.build("refs/faces", folder / "in", kind="pictures", quiet=True, **tables)
    system = kt.Bridge(library["refs/faces"], bridge_networks(0))
    return system, system.traced(paint(100, SIDE, SIDE), HAS, WANT, **settings)
