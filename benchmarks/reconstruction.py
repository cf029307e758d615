"""How well the shipped encoder and decoder give an image back, and how close the student is to its teacher."""

from __future__ import annotations

from collections.abc import Iterator

from benchmarks.tables import Table, shared
from ktviz.images import find_images
from ktviz.systems.kt.decoder import Decoder
from ktviz.systems.kt.encoder import Encoder
from ktviz.systems.kt.packaged import WEIGHTS
from ktviz.training.evaluate import score_files
from ktviz.training.teacher import Teacher

TARGETS = {"photos_eval": "31.5 dB, 0.92, 0.90"}


def main() -> Iterator[Table]:
    weights, data = shared("weights", "vgg19_normalised_relu3_1.safetensors"), shared("data")
    if weights is None or data is None:
        return
    teacher = Teacher(Encoder.vgg19(weights))
    teacher.load_projection(WEIGHTS.path("teacher_projection.safetensors"))
    rows = []
    for name in ("photos_eval", "paintings"):
        paths = find_images([data / name]).paths
        scores = score_files(Encoder.shipped(), Decoder.shipped(), teacher, paths)
        row = [name, str(len(paths)), f"{scores.psnr:.2f}", f"{scores.ssim:.4f}", f"{scores.cosine:.4f}"]
        rows.append([*row, TARGETS.get(name, "")])
    yield Table(
        "reconstruction",
        "Reconstruction at 320 px short side",
        ["images", "number", "PSNR dB", "SSIM", "cosine to teacher", "target"],
        rows,
        "`photos_eval` was not trained on; all of `paintings` was.",
    )
