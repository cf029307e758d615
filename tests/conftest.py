"""A tiny world that needs no weights: generated pictures, an encoder of 4x4 pixels, and its decoder."""

from __future__ import annotations

import os
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

from ktviz.library.format import LibrarySettings
from ktviz.library.library import Library
from ktviz.systems.kt.encoder import Encoder
from ktviz.systems.kt.translator import Translator

CHANNELS = 8


class RoundToHalf(nn.Module):
    """Features as a library stores them, so that a picture finds itself exactly."""

    def forward(self, x):
        return x.half().float()


class Nearest(nn.Module):
    """The first three channels, four times as large: they hold each cell's mean colour."""

    def forward(self, features):
        return features[:, :3].repeat_interleave(4, dim=2).repeat_interleave(4, dim=3)


def make_encoder(seed=3, channels=CHANNELS):
    """Stride 4, receptive field exactly one cell: three mean colours, then random details."""
    torch.manual_seed(seed)
    layer = nn.Conv2d(3, channels, 4, stride=4)
    with torch.no_grad():
        layer.bias.zero_()
        layer.weight -= layer.weight.mean((1, 2, 3), keepdim=True)
        layer.weight[:3] = torch.eye(3)[:, :, None, None] / 16
    encoder = Encoder(nn.Sequential(layer, RoundToHalf()), channels, "toy")
    return encoder.eval().requires_grad_(False)


def paint_picture(seed, height=64, width=64):
    """Soft colours, stripes and grain: (height, width, 3) uint8."""
    random = np.random.default_rng(seed)
    small = random.integers(0, 256, (5, 5, 3), dtype=np.uint8)
    soft = np.asarray(Image.fromarray(small).resize((width, height), Image.Resampling.BICUBIC), dtype=float)
    y, x = np.mgrid[:height, :width]
    angle, pitch = random.uniform(0, np.pi), random.uniform(3, 9)
    stripes = 40 * np.sin((x * np.cos(angle) + y * np.sin(angle)) * 2 * np.pi / pitch)
    grain = random.normal(0, 12, (height, width, 3))
    return np.clip(soft + stripes[..., None] + grain, 0, 255).astype(np.uint8)


def save_picture(path, pixels):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path)
    return path


THREADS = int(os.environ.get("KTVIZ_TEST_THREADS", "1"))
"""One, as a training may run on the same machine; `tests/processors.py` asks for others, too."""


@pytest.fixture(scope="session", autouse=True)
def threads():
    torch.set_num_threads(THREADS)


@pytest.fixture(autouse=True)
def threads_again():
    """For the tests after one that changes the number of threads."""
    yield
    torch.set_num_threads(THREADS)


@pytest.fixture(params=["float64", "bfloat16", "meta"])
def another_default(request):
    """`with another_default():` PyTorch's default type or device is another one."""

    @contextmanager
    def within():
        if request.param == "meta":
            with torch.device("meta"):
                yield
            return
        torch.set_default_dtype(getattr(torch, request.param))
        try:
            yield
        finally:
            torch.set_default_dtype(torch.float32)

    return within


@pytest.fixture(scope="session")
def shared():
    """Development data beside the repository."""
    folder = Path(__file__).resolve().parents[2] / "shared"
    if not folder.is_dir():
        pytest.skip("no ../shared beside the repository")
    return folder


@pytest.fixture(scope="session")
def paint():
    """`paint(seed, height, width)`: a generated picture."""
    return paint_picture


@pytest.fixture(scope="module")
def studio():
    """A model with canvases of many sizes and with label regions, and its trace."""
    from views.canvases import canvases

    return canvases()


@pytest.fixture(scope="session")
def save():
    """`save(path, pixels)`: write a picture, making its folders."""
    return save_picture


@pytest.fixture(scope="session")
def make_toy():
    """`make_toy(seed, channels)`: a toy encoder."""
    return make_encoder


@pytest.fixture(scope="session")
def toy():
    """The toy encoder."""
    return make_encoder()


@pytest.fixture(scope="session")
def toy_decoder():
    """The toy decoder."""
    return Nearest()


@pytest.fixture(scope="session")
def settings():
    """Small pictures, no patch dropped."""
    return LibrarySettings(side_px=64, dedupe=1.0, key_dimensions=32)


@pytest.fixture(scope="session")
def pictures(tmp_path_factory):
    """Two folders of PNG pictures: art/warm (a, b, c) and art/cool (d, e)."""
    root = tmp_path_factory.mktemp("pictures")
    for number, name in enumerate(("warm/a", "warm/b", "warm/c", "cool/d", "cool/e")):
        save_picture(root / f"{name}.png", paint_picture(number))
    return root


@pytest.fixture(scope="session")
def world(tmp_path_factory, pictures, toy, settings):
    """A library of both folders, never written to again, and a translator for it."""
    folder = tmp_path_factory.mktemp("world") / "world.ktlib"
    library = Library.ensure(folder, toy, settings)
    library.build("art/warm", [pictures / "warm"], encoder=toy, quiet=True)
    library.build("art/cool", [pictures / "cool"], encoder=toy, quiet=True)
    banks = library["art"]
    return SimpleNamespace(
        folder=folder,
        library=library,
        banks=banks,
        translator=Translator(banks, toy, Nearest()),
        pictures=pictures,
    )


@pytest.fixture
def build(tmp_path, toy, settings):
    """`build(name, folders)`: a new library with the bank art/test."""

    def make(name, paths, encoder=toy, settings=settings):
        library = Library.ensure(tmp_path / f"{name}.ktlib", encoder, settings)
        library.build("art/test", paths, encoder=encoder, quiet=True)
        return library

    return make


@pytest.fixture(scope="session")
def samples():
    """The sample data of this checkout."""
    return Path(__file__).resolve().parents[1] / "sample_data"
