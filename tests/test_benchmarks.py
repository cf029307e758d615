"""The benchmarks can be imported, and the one score of their own means what it says."""

from importlib import import_module

import numpy as np
import pytest

from benchmarks.__main__ import NAMES
from benchmarks.lattice import lattice


@pytest.mark.parametrize("name", NAMES)
def test_every_benchmark_can_be_started(name):
    assert callable(import_module(f"benchmarks.{name}").main)


def test_the_lattice_score_sees_a_faint_grid_of_four_px_and_no_other():
    random = np.random.default_rng(0)
    picture = 128 + 20 * random.standard_normal((256, 256, 3))

    def with_grid(period):
        return np.clip(picture + 8 * (np.arange(256) % period == 0)[:, None, None], 0, 255).astype(np.uint8)

    assert abs(lattice(with_grid(1))) < 0.2
    assert lattice(with_grid(4)) > 0.8
    assert abs(lattice(with_grid(5))) < 0.2
