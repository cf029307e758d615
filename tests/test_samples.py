"""The sample data is what its generator makes."""

import subprocess
import sys
from pathlib import Path

import numpy as np

from ktviz.images import read_image

ROOT = Path(__file__).parent.parent


def test_the_generator_makes_the_committed_picture_again(tmp_path):
    name = "comic/ink/canyon"
    command = [sys.executable, "-m", "sample_data.generator", str(tmp_path), "--only", name, "--jobs", "1"]
    subprocess.run(command, check=True, cwd=ROOT, capture_output=True)
    made, committed = (read_image(folder / f"{name}.jpg").astype(int) for folder in (tmp_path, ROOT / "sample_data"))
    # JPEG encoders differ in a few grey levels between releases; another picture differs by far more.
    assert np.abs(made - committed).mean() < 1
