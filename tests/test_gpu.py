"""On a GPU encoder and decoder compute, nothing else, and what they make is that of the CPU, up to rounding."""

import copy

import numpy as np
import pytest
import torch

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


def test_a_translator_on_a_gpu_encodes_and_decodes_there_and_searches_on_the_cpu(world, paint):
    photo, there = paint(5, 96, 96), copy.deepcopy(world.translator).to("cuda")
    known, found = world.translator.traced(photo), there.traced(photo)
    assert found.about["device"].startswith("cuda")
    assert found.about["digests"] == known.about["digests"]
    same = found.column("entry") == known.column("entry")
    assert same.mean() > 0.99  # rounding decides between what is equally good
    assert np.allclose(found.column("similarity")[same], known.column("similarity")[same], atol=TOLERANCE)
    assert np.abs(found.output.astype(int) - known.output.astype(int)).mean() < 0.5
