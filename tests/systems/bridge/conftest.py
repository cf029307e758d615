"""Small networks that nobody trained, pictures with attributes, and a bank of them."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
import torch

import ktviz as kt
from ktviz.systems.bridge.shape import Shape
from ktviz.systems.bridge.trained import Networks

SIDE = 32
NAMES = ("Dark", "Blond", "Hat", "Smile")
EXCLUSIVE = (("Dark", "Blond"),)
SHAPE = Shape(
    side=SIDE,
    attributes=4,
    noise=6,
    width=4,
    downs=2,
    hidden=8,
    encoder_width=3,
    encoder_blocks=1,
    ups=2,
    discriminator_width=4,
    discriminator_downs=2,
)
BANK = "refs/faces"
ROWS = {
    "a": (1, 0, 0, 0),
    "b": (0, 1, 1, 0),
    "c": (0, 1, 1, 1),
    "d": (1, 0, 1, 1),
    "e": (0, 1, 0, 1),
    "f": (0, 1, 1, 0),
}
HAS, WANT = ("Dark", "Smile"), {"Blond": True, "Hat": True}
"""Of the picture that goes in; b, c and f have what is wanted."""
DIFFERENCE = torch.tensor([[-1.5, 1.5, 1.5, 0.0]])


def networks_of(seed):
    """Random ones, with a table of noise, whose norms are not those of a beginning."""
    torch.manual_seed(seed)
    made = Networks(SHAPE, NAMES, EXCLUSIVE, rows=5)
    made.table.normal_()
    for name, weight in made.named_parameters():
        if "norm" in name and weight.ndim == 1:
            weight.copy_(torch.randn(len(weight)) / 2 + (1 if name.endswith("weight") else 0))
    return made


@pytest.fixture(scope="session")
def make_networks():
    """`make_networks(seed)`: random ones."""
    return networks_of


@pytest.fixture(scope="session")
def networks():
    return networks_of(0)


@pytest.fixture(scope="session")
def picture(paint):
    return paint(100, SIDE, SIDE)


@pytest.fixture(scope="session")
def other(paint):
    """A reference, with its attributes."""
    return paint(101, SIDE, SIDE), ["Blond", "Hat"]


def write_faces(root, save, paint):
    """in/a.png to f.png, attributes.csv and credits.csv."""
    for number, name in enumerate(ROWS):
        save(root / "in" / f"{name}.png", paint(number, SIDE, SIDE))
    lines = [f"{name}.png,{','.join(map(str, row))}" for name, row in ROWS.items()]
    (root / "attributes.csv").write_text("\n".join([f"file,{','.join(NAMES)}", *lines]) + "\n")
    credits = [f"{name}.png,Face {name},Ann,1901,CC BY 4.0,https://example.org/{name}" for name in ROWS]
    (root / "credits.csv").write_text("\n".join(["file,title,creator,year,licence,url", *credits]) + "\n")


def library_of(folder):
    """A library with a bank of the faces of a folder."""
    found = kt.Library.create(folder / "l.ktlib")
    tables = {"attributes": folder / "attributes.csv", "credits": folder / "credits.csv"}
    found.build(BANK, folder / "in", kind="pictures", quiet=True, **tables)
    return found


@pytest.fixture(scope="session")
def folder(tmp_path_factory, save, paint):
    """Pictures and tables; see `write_faces`."""
    root = tmp_path_factory.mktemp("faces")
    write_faces(root, save, paint)
    return root


@pytest.fixture(scope="session")
def library(folder):
    """Never written to again."""
    return library_of(folder)


@pytest.fixture(scope="session")
def system(networks):
    """Without a bank."""
    return kt.Bridge(networks=networks)


@pytest.fixture(scope="session")
def banked(library, networks):
    return kt.Bridge(library[BANK], networks)


@pytest.fixture(scope="session")
def trace(system, picture, other):
    """After a reference that was given."""
    return system.traced(picture, HAS, WANT, reference=other)


@pytest.fixture(scope="session")
def chosen(banked, picture):
    """After a reference that was chosen."""
    return banked.traced(picture, HAS, WANT)


@pytest.fixture(scope="session")
def by_hand(networks, picture):
    """Codes and pictures, worked out with the networks alone."""

    def seen(pixels):
        return torch.from_numpy(pixels.copy()).permute(2, 0, 1)[None].float() / 255 * 2 - 1

    @torch.no_grad()
    def code(pixels, difference=DIFFERENCE):
        return networks.encoder(seen(pixels), difference)

    @torch.no_grad()
    def labels(noise, difference=DIFFERENCE):
        return networks.mapping(noise, difference)

    @torch.no_grad()
    def painted(total, of=picture):
        made = networks.generator(seen(of), total)[0].permute(1, 2, 0)
        return ((made + 1) / 2).clamp(0, 1).mul(255).round().byte().numpy()

    own = code(picture, -DIFFERENCE)
    return SimpleNamespace(code=code, labels=labels, painted=painted, own=own, seen=seen)


def near(one, other):
    """Whether two pictures differ by rounding alone."""
    return np.abs(one.astype(int) - other).max() <= 1
