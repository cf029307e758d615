"""A small world: pictures, a bank of their styles, and networks of two domains that nobody trained."""

import numpy as np
import pytest
import torch

import ktviz as kt
from ktviz.systems.munit.shape import Shape
from ktviz.systems.munit.system import Munit
from ktviz.systems.munit.trained import Networks

BANK = "pots/toy"
NAMES = [f"{BANK}/{name}.png" for name in "abcde"]
SIZES = [(32, 48), (40, 40), (64, 33), (16, 50), (48, 64)]
SHAPE = Shape(width=6, blocks=2, codes=4, hidden=12)
CREDITS = "file,title,creator,year,licence,url\n" + "".join(
    f"{name}.png,Pot {name},Ann,1901,CC BY 4.0,https://example.org/{name}\n" for name in "abcde"
)


def networks_of(seed, shape=SHAPE):
    """Random ones that make strong pictures, and styles of about 1 that differ."""
    torch.manual_seed(seed)
    made = Networks(shape, ("drawings", "photographs"))
    for module in made.modules():
        if isinstance(module, (torch.nn.Conv2d, torch.nn.Linear)):
            torch.nn.init.kaiming_normal_(module.weight)
            torch.nn.init.normal_(module.bias, 0, 0.2)
    for generator in (made.a, made.b):
        generator.enc_style.model[-1].weight.mul_(4)
    return made


@pytest.fixture(scope="session")
def networks():
    return networks_of(0)


def write_pots(root, save, paint, credits=CREDITS):
    """in/NAME.png and credits.csv."""
    for number, (name, size) in enumerate(zip("abcde", SIZES, strict=True)):
        save(root / "in" / f"{name}.png", paint(number, *size))
    (root / "credits.csv").write_text(credits)


def library_of(root, networks, save, paint):
    """A library with a bank of the styles of some pots."""
    write_pots(root, save, paint)
    library = kt.Library.create(root / "styles.ktlib")
    coder = Munit(networks=networks).coder
    library.build(BANK, root / "in", kind="codes", coder=coder, credits=root / "credits.csv", quiet=True)
    return library


@pytest.fixture(scope="session")
def library(tmp_path_factory, save, paint, networks):
    """Never written to again."""
    return library_of(tmp_path_factory.mktemp("pots"), networks, save, paint)


@pytest.fixture(scope="session")
def system(library, networks):
    return Munit(library[BANK], networks)


@pytest.fixture(scope="session")
def alone(networks):
    """The system without a bank."""
    return Munit(networks=networks)


@pytest.fixture(scope="session")
def picture(paint):
    """42x53 px: no stride divides its sides."""
    return paint(9, 42, 53)


@pytest.fixture(scope="session")
def exemplar(paint):
    return paint(21, 40, 52)


@pytest.fixture(scope="session")
def wanted(system):
    """A code between the bank's."""
    return (0.6 * system.banks.codes[0] + 0.4 * system.banks.codes[3]).tolist()


@pytest.fixture(scope="session")
def ways(exemplar, wanted):
    """Every way to choose a style."""
    return {
        "given": {"exemplar": exemplar},
        "named": {"exemplar": "c"},
        "nearest": {"code": wanted},
        "several": {"code": wanted, "nearest": 3},
        "mix": {"mix": {"a": 0.25, "e.png": 0.75}},
        "drawn": {"seed": 5},
    }


@pytest.fixture(scope="session")
def traces(system, picture, ways):
    return {name: system.traced(picture, **way) for name, way in ways.items()}


def in_cells(pixels, stride):
    """A picture continued to whole cells by its last pixels: (1, 3, H, W) in [-1, 1]."""
    missing = [(0, -side % stride) for side in pixels.shape[:2]]
    wide = np.pad(pixels, [*missing, (0, 0)], mode="edge")
    return torch.from_numpy(wide).permute(2, 0, 1)[None].float() / 127.5 - 1
