"""The shipped weights: what they must reach on photographs they have never seen, and the search on their features.

Times are compared as ratios of processors' seconds, taken in turns, with bounds of half of what is usual or less: other
machines are faster or slower, but in both.
"""

import time
from statistics import median

import pytest
import torch

from ktviz.images import find_images, read_image, resize_short_side, to_tensor
from ktviz.library.format import LibrarySettings
from ktviz.library.kinds.patches.features import encode
from ktviz.library.kinds.patches.grid import PatchGrid
from ktviz.library.kinds.patches.search import SearchSettings
from ktviz.library.library import Library
from ktviz.systems.kt.decoder import Decoder
from ktviz.systems.kt.encoder import Encoder
from ktviz.systems.kt.packaged import WEIGHTS
from ktviz.systems.kt.translator import Translator
from ktviz.training.evaluate import score_files
from ktviz.training.teacher import Teacher


def test_reconstruction_and_likeness_to_the_teacher_reach_their_targets(shared):
    teacher = Teacher(Encoder.vgg19(shared / "weights" / "vgg19_normalised_relu3_1.safetensors"))
    teacher.load_projection(WEIGHTS.path("teacher_projection.safetensors"))
    photos = find_images([shared / "data" / "photos_eval"]).paths[::4]  # the benchmark takes all
    scores = score_files(Encoder.shipped(), Decoder.shipped(), teacher, photos)
    assert len(photos) == 10
    assert scores.psnr >= 31.5
    assert scores.ssim >= 0.92
    assert scores.cosine >= 0.90


def test_the_encoder_is_compact_and_has_stride_four():
    encoder = Encoder.shipped()
    assert sum(p.numel() for p in encoder.parameters()) < 0.6e6
    assert encode(encoder, torch.zeros(1, 3, 64, 96)).shape == (1, 128, 16, 24)


@pytest.fixture(scope="module")
def large(tmp_path_factory, samples):
    """The library of a bank of real features."""
    folder = tmp_path_factory.mktemp("large")
    names = (
        "art/impasto/straw-hat",
        "art/watercolour/mountain-lake",
        "hdr/vivid/alpine-lake",
        "comic/halftone/sailing",
    )
    files = [samples / f"{name}.jpg" for name in names]
    library = Library.ensure(folder / "large.ktlib", settings=LibrarySettings())
    library.build("test/large", files, quiet=True)
    return library


@pytest.fixture(scope="module")
def large_bank(large):
    return large.bank("test/large")


def queries_of(photo):
    """All queries of a photo: (n, C, 4, 4)."""
    features = encode(Encoder.shipped(), to_tensor(photo))[0]
    return PatchGrid(*features.shape[1:]).unfold(features)


@pytest.mark.parametrize("photo", ["coffee", "chelsea"])  # chelsea: the bank knows hardly anything alike
def test_the_default_search_finds_the_exact_winner_in_a_bank_of_fifty_thousand(large_bank, samples, photo):
    assert len(large_bank) >= 50_000
    photo = resize_short_side(read_image(samples / "photos" / f"{photo}.jpg"), 400)[:400, :400]
    queries = queries_of(photo)[::4]
    exact = large_bank.search(queries, SearchSettings("exact", candidates=1)).winner
    found = large_bank.search(queries, SearchSettings()).winner
    assert (found == exact).float().mean() >= 0.95


def test_the_default_search_takes_a_fraction_of_the_time_of_comparing_all(large_bank, samples):
    queries = queries_of(resize_short_side(read_image(samples / "photos" / "coffee.jpg"), 400)[:256, :256])[::2]
    settings = (SearchSettings("exact", candidates=1), SearchSettings(candidates=1))
    exact, beam = busy(*(lambda chosen=chosen: large_bank.search(queries, chosen) for chosen in settings))
    assert exact / beam >= 35  # 75 are usual


def test_recording_takes_little_of_a_translation(large, samples):
    translator = Translator.shipped(large["test/large"])
    photo = resize_short_side(read_image(samples / "photos" / "coffee.jpg"), 400)[:256, :256]
    plain, recorded = busy(lambda: translator(photo), lambda: translator.traced(photo))
    assert recorded / plain <= 1.3  # 1.1 is usual


def busy(*works):
    """Median processor seconds of some works in three turns, after a first."""
    for work in works:
        work()
    rounds = [[seconds(work) for work in works] for _ in range(3)]
    return [median(times) for times in zip(*rounds, strict=True)]


def seconds(work):
    start = time.process_time()
    work()
    return time.process_time() - start


def test_an_entry_takes_at_most_a_fortieth_of_the_reference_s_bytes(large_bank):
    assert large_bank.place.record.bytes / len(large_bank) <= 98_800 / 40
