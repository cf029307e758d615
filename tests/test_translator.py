"""The translator in the toy world, where every pixel can be worked out."""

import numpy as np
import pytest
import torch

from ktviz.errors import ImageError, SettingError, UnknownNameError
from ktviz.images import to_pixels, to_tensor
from ktviz.library.kinds.patches.search import SearchSettings
from ktviz.systems.kt.settings import Settings
from ktviz.systems.kt.translator import Translator

SIZES = [(16, 16), (17, 16), (16, 31), (23, 41), (64, 50), (33, 65)]


def reconstruction(translator, photo):
    """What encoder and decoder make of a photo on their own."""
    height, width = photo.shape[:2]
    padded = np.pad(photo, ((0, -height % 8), (0, -width % 8), (0, 0)), mode="reflect")
    with torch.inference_mode():
        return to_pixels(translator.decoder(translator.encoder(to_tensor(padded))))[:height, :width]


@pytest.mark.parametrize("size", SIZES)
def test_any_size_from_16_px_keeps_its_size(world, paint, size):
    result = world.translator(paint(9, *size))
    assert result.image.shape == (*size, 3)
    assert result.image.dtype == np.uint8
    assert np.array_equal(result.input, paint(9, *size))
    assert len(result.matches) == len(result.grid)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("mode", ["statistics", "swap"])
def test_no_strength_gives_the_plain_reconstruction(world, paint, size, mode):
    photo = paint(9, *size)
    result = world.translator(photo, align=0, strength=0, transfer=mode)
    assert np.array_equal(result.image, reconstruction(world.translator, photo))


def test_a_source_finds_itself_and_swap_gives_it_back(world, paint):
    """Queries start at even cells and the library holds every cell, so that a source's own patches are there."""
    result = world.translator(paint(3), align=0, preset="exact", transfer="swap", coherence=0)
    source, y, x = world.banks.locate(result.matches.winner)
    assert {world.banks.source_names[s] for s in source.tolist()} == {"art/cool/d.png"}
    assert torch.equal(torch.stack((y, x), 1), result.grid.corners())
    assert result.matches.winner_similarity.min() > 1 - 1e-5
    assert np.array_equal(result.image, reconstruction(world.translator, paint(3)))


def test_swap_paints_the_mean_of_the_winners(world, paint):
    result = world.translator(paint(9), align=0, transfer="swap", strength=0.7, preset="exact")
    features = world.translator.encoder(to_tensor(paint(9)))[0]
    winners = world.banks.patches(result.matches.winner)
    total, cover = torch.zeros(8, 16, 16), torch.zeros(16, 16)
    for n, (y, x) in enumerate(result.grid.corners().tolist()):
        total[:, y : y + 4, x : x + 4] += winners[n]
        cover[y : y + 4, x : x + 4] += 1
    expected = world.translator.decoder((0.3 * features + 0.7 * total / cover)[None])
    assert np.abs(result.image.astype(int) - to_pixels(expected)).max() <= 1


def test_the_same_call_gives_the_same_pixels_and_retrievals(world, paint):
    first, second = world.translator(paint(9)), world.translator(paint(9))
    assert np.array_equal(first.image, second.image)
    assert torch.equal(first.matches.winner, second.matches.winner)


def test_a_batch_is_the_same_as_one_by_one(world, paint):
    photos = [paint(n, *size) for n, size in enumerate(SIZES)]
    for one, many in zip(map(world.translator, photos), world.translator.batch(photos), strict=True):
        assert np.array_equal(one.image, many.image)


def test_a_photo_taken_in_chunks_gives_the_same_pixels(world, paint, monkeypatch):
    whole = world.translator(paint(9))
    monkeypatch.setattr("ktviz.systems.kt.retrieval.QUERIES_AT_ONCE", 10)
    chunked = world.translator(paint(9))
    assert np.array_equal(whole.image, chunked.image)
    assert torch.equal(whole.matches.winner, chunked.matches.winner)
    assert torch.equal(whole.matches["path"], chunked.matches["path"])


def test_grey_float_and_transparent_photos_are_taken(world, paint):
    photo = paint(9)
    expected = world.translator(photo).image
    assert np.array_equal(world.translator(photo / 255).image, expected)
    opaque = np.dstack((photo, np.full((64, 64), 255, np.uint8)))
    assert np.array_equal(world.translator(opaque).image, expected)
    assert world.translator(photo[..., 0]).image.shape == (64, 64, 3)


@pytest.mark.parametrize("level", [0, 128, 255])
@pytest.mark.parametrize("preset", ["paper", "beam", "exact"])
def test_a_constant_photo_is_translated_without_nan(world, level, preset):
    result = world.translator(np.full((40, 40, 3), level, np.uint8), preset=preset)
    assert torch.isfinite(result.matches.winner_similarity).all()
    assert (result.matches.winner >= 0).all()


@pytest.mark.parametrize("preset", ["paper", "beam", "exact"])
@pytest.mark.parametrize("without", [["a"], "a", ("art/warm/a.png", "d")])
def test_sources_left_out_paint_nothing(world, paint, preset, without):
    result = world.translator(paint(0), preset=preset, without=without)
    source, _, _ = world.banks.locate(result.matches.entry.clamp(min=0))
    used = {world.banks.source_names[n] for n in source[result.matches.entry >= 0].tolist()}
    assert used
    assert not used & ({"art/warm/a.png", "art/cool/d.png"} if "d" in without else {"art/warm/a.png"})


def test_leaving_out_an_unknown_source_suggests_the_nearest(world, paint):
    with pytest.raises(UnknownNameError, match=r"Did you mean art/warm/b\.png"):
        world.translator(paint(0), without=["art/warm/bb.png"])


def test_leaving_out_everything_is_refused(world, paint):
    with pytest.raises(UnknownNameError, match="nothing would be left"):
        world.translator(paint(0), without=["a", "b", "c", "d", "e"])


def test_paper_preset_bounds_no_gain_continues_no_neighbour_and_aligns_nothing():
    paper = Settings(preset="paper")
    assert (paper.max_gain, paper.coherence, paper.align, paper.strength) == (0, 0, 0, 1)
    assert Settings().max_gain > 0
    assert Settings().coherence > 0
    assert Settings().align == 1
    assert Settings(preset="paper", max_gain=2, coherence=0.1).max_gain == 2


def test_strength_is_whole_unless_alignment_brings_the_style():
    assert Settings(align=0).strength == Settings(preset="exact", align=0).strength == 1
    assert Settings().strength == Settings(preset="paper", align=0.5).strength < 1
    assert Settings(strength=0.7).strength == Settings(strength=0.7, align=0).strength == 0.7


def test_without_coherence_the_translator_takes_the_searchs_winners(world, paint):
    result = world.translator(paint(9), align=0, coherence=0, candidates=3)
    features = world.translator.encoder(to_tensor(paint(9)))[0]
    found = world.banks.search(result.grid.unfold(features), SearchSettings("beam", candidates=3))
    assert torch.equal(result.matches.entry, found.entry)
    assert not result.matches["coherent"].any()


@pytest.mark.parametrize(
    "wrong",
    [
        {"preset": "fast"},
        {"transfer": "blend"},
        {"strength": 1.5},
        {"strength": float("nan")},
        {"max_gain": -1},
        {"align": -0.1},
        {"align": 1.5},
        {"align": float("nan")},
        {"tone": "x"},
        {"tone": None},
        {"coherence": 2},
        {"coherence": float("nan")},
        {"band_weights": (1, 1)},
        {"band_weights": (0, 0, 0, 0)},
        {"candidates": 0},
        {"beam": 0},
    ],
)
def test_settings_outside_their_range_are_refused(world, paint, wrong):
    with pytest.raises(SettingError):
        world.translator(paint(0), **wrong)


@pytest.mark.parametrize("photo", [np.zeros((15, 40, 3), np.uint8), np.zeros((40, 40, 3), complex), np.zeros(5)])
def test_a_photo_that_is_none_is_refused(world, photo):
    with pytest.raises(ImageError):
        world.translator(photo)


def test_recorded_path_and_similarity_belong_to_the_winner(world, paint):
    matches = world.translator(paint(9)).matches
    assert torch.equal(matches["path"], world.banks.paths(matches.winner))
    assert matches["coherent"].any()
    assert (matches.winner_similarity <= 1 + 1e-5).all()


def test_one_candidate_is_enough(world, paint):
    matches = world.translator(paint(9), candidates=1).matches
    assert matches.entry.shape[1] == 1
    assert torch.isinf(matches.margin).all()


def test_translating_leaves_the_encoder_in_evaluation_mode_and_without_gradients(world, toy, toy_decoder):
    translator = Translator(world.banks, toy.train(), toy_decoder)
    assert not translator.encoder.training
    assert not translator.encode(np.zeros((16, 16, 3), np.uint8)).requires_grad
