"""On a GPU encoder and decoder compute what they do on the CPU, up to rounding; a search finds the same to the bit."""

import copy

import numpy as np
import pytest
import torch

from ktviz.library.kinds.patches import scan
from ktviz.library.kinds.patches.carried import Carried, carried
from ktviz.library.kinds.patches.grid import PatchGrid
from ktviz.library.kinds.patches.search import SearchSettings
from ktviz.networks.running import run
from ktviz.systems.kt.decoder import Decoder
from ktviz.systems.kt.encoder import Encoder

pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")

TOLERANCE = 1e-4
"""Of the largest number, as docs/exactness.md says."""


@pytest.fixture(autouse=True)
def whole_precision():
    """Convolutions in single precision: PyTorch's default on a GPU has 10 bits."""
    with torch.backends.cudnn.flags(enabled=True, allow_tf32=False):
        yield


NETWORKS = [(Encoder.shipped, (1, 3, 96, 128)), (Decoder.shipped, (1, 128, 24, 32))]


@pytest.mark.parametrize(("network", "shape"), NETWORKS)
def test_a_network_makes_the_same_on_a_gpu_up_to_rounding(network, shape):
    given = torch.rand(shape, generator=torch.Generator().manual_seed(0))
    known, found = run(network(), given), run(network().to("cuda"), given)
    assert found.device.type == "cpu"
    assert (found - known).abs().max() <= TOLERANCE * known.abs().max()


def test_a_translator_on_a_gpu_makes_nearly_the_same_picture(world, paint):
    photo, there = paint(5, 96, 96), copy.deepcopy(world.translator).to("cuda")
    known, found = world.translator.traced(photo), there.traced(photo)
    assert found.about["device"].startswith("cuda")
    assert found.about["digests"] == known.about["digests"]
    same = found.column("entry") == known.column("entry")
    assert same.mean() > 0.99  # rounding decides between what is equally good
    assert np.allclose(found.column("similarity")[same], known.column("similarity")[same], atol=TOLERANCE)
    assert np.abs(found.output.astype(int) - known.output.astype(int)).mean() < 0.5


@pytest.mark.parametrize("rounded", [None, 1.0])
@pytest.mark.parametrize("weights", [(1, 1, 1, 0), (1, 1, 1, 1), (0, 0, 0, 1), (0.2, 3, 1, 0.5)])
def test_comparing_with_all_entries_finds_the_same_to_the_bit(world, paint, weights, rounded, monkeypatch):
    if rounded is not None:  # as if rounding could hide anything: every entry is compared on the grid of exact products
        monkeypatch.setattr(scan, "rounding", lambda dimension: rounded)
    features = world.translator.encode(paint(5, 96, 96))
    queries, settings = PatchGrid(*features.shape[1:]).unfold(features), SearchSettings("exact", band_weights=weights)
    hidden = torch.arange(len(world.banks)) % 5 == 0
    known, found = (world.banks.search(queries, settings, hidden, torch.device(one)) for one in ("cpu", "cuda"))
    assert isinstance(world.banks.banks[0].on(torch.device("cuda")), Carried)
    assert torch.equal(known.entry, found.entry)
    assert torch.equal(known.similarity, found.similarity)
    assert all(torch.equal(known[name], found[name]) for name in ("bands", "path"))


def test_a_translation_that_compares_with_all_entries_takes_the_gpu(world, paint, monkeypatch):
    asked, real = [], Carried.vectors
    monkeypatch.setattr(Carried, "vectors", lambda self, rows: asked.append(self.device.type) or real(self, rows))
    copy.deepcopy(world.translator).to("cuda")(paint(5, 96, 96), preset="exact")
    assert {*asked} == {"cuda"}


def test_maps_that_would_fill_a_gpu_stay_where_they_are(world, monkeypatch):
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda device: (1000, 1000))
    assert carried(world.banks.banks[0].entries, torch.device("cuda")) is None
