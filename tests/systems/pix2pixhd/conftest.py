"""A small world: pictures of two kinds of things on two kinds of ground, and a bank of codes of them."""

import numpy as np
import pytest
import torch

import ktviz as kt
from ktviz.labels import Classes, class_of, write_map
from ktviz.systems.pix2pixhd.coder import Coder
from ktviz.systems.pix2pixhd.shape import Shape
from ktviz.systems.pix2pixhd.system import Pix2PixHD
from ktviz.systems.pix2pixhd.trained import Networks

CLASSES = Classes(
    ("unknown", "sky", "road", "car", "tree"), ((0, 0, 0), (90, 150, 220), (110, 90, 110), (200, 60, 50), (60, 140, 70))
)
SHAPE = Shape(classes=5, codes=3, width=6, downs=2, blocks=1, encoder_width=6, encoder_downs=2)
HEIGHT, WIDTH = 48, 64
SOURCES = 5


def world(seed, cars=2, height=HEIGHT, width=WIDTH, trees=1):
    """A photograph, its label map and its instance map."""
    random = np.random.default_rng(seed)
    labels = np.where(np.arange(height)[:, None] < height // 3, 1, 2).repeat(width, 1)
    instances = labels.copy()
    photo = np.where(labels[..., None] == 1, random.integers(120, 255, 3), random.integers(40, 140, 3))
    for label, count in ((3, cars), (4, trees)):
        for n in range(count):
            y, x = random.integers(height // 3, height - 14), random.integers(0, width - 16)
            part = slice(y, y + 13), slice(x, x + 15)
            labels[part], instances[part], photo[part] = label, 1000 * label + n, random.integers(0, 255, 3)
    photo = photo + random.integers(-12, 12, photo.shape)
    return np.clip(photo, 0, 255).astype(np.uint8), labels, instances


def networks_of(seed, shape=SHAPE, classes=CLASSES):
    """Random ones that make strong pictures."""
    torch.manual_seed(seed)
    made = Networks(shape, classes)
    for parameter in made.parameters():
        if parameter.ndim > 1:
            torch.nn.init.normal_(parameter, 0, 1.5 / parameter[0].numel() ** 0.5)
    return made


def laid_out(numbers, chosen, centres, codes):
    """The chosen centres at the pixels of their objects, 0 where there is none: what the published generator reads."""
    found = torch.zeros(len(numbers), codes, *numbers.shape[2:])
    for number, centre in chosen.items():
        if centre >= 0:
            code = torch.from_numpy(centres[class_of(number)][centre]).float()
            found = torch.where(numbers == number, code[:, None, None], found)
    return found


@pytest.fixture(scope="session")
def networks():
    return networks_of(0)


def library_of(folder, networks, pictures, clusters=3):
    """A library with a bank of codes of some pictures with their maps."""
    for name in ("photos", "labels", "instances"):
        (folder / name).mkdir()
    for n, (photo, labels, instances) in enumerate(pictures):
        kt.write_image(folder / "photos" / f"{n}.png", photo)
        write_map(folder / "labels" / f"{n}.png", labels, CLASSES)
        write_map(folder / "instances" / f"{n}.png", instances)
    maps = {"labels": folder / "labels", "instances": folder / "instances", "classes": CLASSES}
    library = kt.Library.create(folder / "codes.ktlib")
    made = {"kind": "codes", "coder": Coder(networks), "clusters": clusters}
    library.build("street/toy", folder / "photos", quiet=True, **made, **maps)
    return library


@pytest.fixture(scope="session")
def library(tmp_path_factory, networks):
    return library_of(tmp_path_factory.mktemp("world"), networks, [world(n) for n in range(SOURCES)])


@pytest.fixture(scope="session")
def system(library, networks):
    return Pix2PixHD(library["street/toy"], networks)


@pytest.fixture(scope="session")
def scene():
    return world(100)


@pytest.fixture(scope="session")
def trace(system, scene):
    return system.traced(*scene[1:], seed=3)
