"""Training of the pyramid and its inverse blocks: known twins, a run that can be resumed, and its log."""

import json
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

from ktviz.errors import SettingError, TrainingError, WeightsError
from ktviz.images import file_digest, to_tensor
from ktviz.systems.image_analogy.field import identity_field
from ktviz.systems.image_analogy.method import Method
from ktviz.training import loop as loop_module
from ktviz.training.image_analogy import Recipe, Run, Teacher, matched, train, twin_loss, voted_pairs
from ktviz.training.warps import Twins, twins

TINY = Recipe(pyramid_steps=4, inverse_steps=4, batch=2, crop_px=64, warmup=1)


@pytest.fixture
def files(tmp_path, paint, save):
    return [save(tmp_path / f"{n}.png", paint(n, 70, 66)) for n in range(3)]


@pytest.fixture
def trained(files, tmp_path, pyramid, monkeypatch):
    """`trained(name, **options)`: a tiny run into a folder of that name."""
    monkeypatch.setattr(loop_module, "CHECKPOINT_EVERY", 3)
    monkeypatch.setattr(loop_module, "LOG_EVERY", 1)
    pyramid.save(tmp_path / "teacher.safetensors")

    def run(name, **options):
        (tmp_path / name).mkdir(exist_ok=True)
        options = {"recipe": TINY, "evaluation": {}, "teacher": tmp_path / "teacher.safetensors", **options}
        return train(files, tmp_path / name, quiet=True, **options)

    return run


def test_twins_lie_where_they_say(paint):
    picture = to_tensor(paint(1, 64, 64))
    pair = twins(picture, np.random.default_rng(3))
    assert 0 <= pair.twin.min() <= pair.twin.max() <= 1
    again = twins(picture, np.random.default_rng(3))
    assert (again.twin == pair.twin).all()
    bent = nn.functional.grid_sample(picture, pair.origin, padding_mode="reflection", align_corners=False)
    # The twin's colours are mixtures of the bent picture's, to some power: a linear fit explains most of them.
    design = torch.cat((bent[0].flatten(1).T, torch.ones(64 * 64, 1)), 1)
    wanted = pair.twin[0].flatten(1).T
    left = wanted - design @ torch.linalg.lstsq(design, wanted).solution
    assert left.square().mean() < 0.2 * (wanted - wanted.mean(0)).square().mean()


def test_twins_are_easy_to_find_where_features_tell_places_apart():
    flat = torch.zeros(2, 3, 8, 8)
    still = nn.functional.affine_grid(torch.eye(2, 3)[None], [1, 3, 8, 8], align_corners=False)
    pair = Twins(flat[:1], flat[1:], still)
    random = torch.Generator().manual_seed(0)
    places = torch.randn(1, 32, 8, 8, generator=random)
    cells = torch.randint(64, (40,), generator=random)
    same = twin_loss(torch.cat((places, places)), pair, cells)
    other = twin_loss(torch.cat((places, torch.randn(1, 32, 8, 8, generator=random))), pair, cells)
    assert same < 0.1
    assert other > 2


def test_inversions_are_trained_on_votes_of_exact_matches(pyramid, paint):
    here, there = ([x[0], *(f[0] for f in pyramid(x))] for x in (to_tensor(paint(n, 64, 64)) for n in (1, 2)))
    assert (matched(here[4], here[4]) == identity_field((8, 8), (8, 8))).all()
    made = voted_pairs(here, there)
    for level, (start, target) in made.items():
        assert start.shape == here[level - 2].shape
        assert target.shape == here[level].shape
        assert there[level].amin() <= target.amin() <= target.amax() <= there[level].amax()


def test_a_run_learns_and_its_weights_make_analogies(trained, tmp_path, files, paint):
    log = trained("run", recipe=replace(TINY, pyramid_steps=12, inverse_steps=12), evaluation={"held-out": files[:1]})
    assert json.loads((tmp_path / "run" / "log.json").read_text()) == log
    first, last = log["history"][0]["features"], log["history"][11]["features"]
    assert last < first
    assert log["history"][-1]["energy"] < log["history"][12]["energy"] * 1.5
    assert log["pyramid"] == file_digest(tmp_path / "run" / "pyramid.safetensors")
    scores = log["scores"]["held-out"]
    assert set(scores["conv5_1"]) == {"found", "found_by_teacher", "energy_left"}
    model = Method.load(*(tmp_path / "run" / f"{name}.safetensors" for name in ("pyramid", "inverse")))
    assert model(paint(1, 32, 32), paint(2, 32, 32)).a_prime.shape == (32, 32, 3)


@pytest.mark.parametrize("stop", [5, 8])
def test_a_resumed_run_ends_with_the_same_weights_bit_by_bit(trained, tmp_path, monkeypatch, stop):
    trained("whole")
    original, calls = Run.update, []

    def update(self):
        calls.append(1)
        if len(calls) == stop:  # after a checkpoint in either phase
            raise KeyboardInterrupt
        return original(self)

    with monkeypatch.context() as patch:
        patch.setattr(Run, "update", update)
        with pytest.raises(KeyboardInterrupt):
            trained("resumed")
    trained("resumed", resume=True)
    for name in ("pyramid", "inverse"):
        whole, resumed = (tmp_path / run / f"{name}.safetensors" for run in ("whole", "resumed"))
        assert whole.read_bytes() == resumed.read_bytes()


def test_what_cannot_be_trained_is_said(trained, tmp_path, files):
    trained("run")
    with pytest.raises(TrainingError, match="already there"):
        trained("run")
    with pytest.raises(TrainingError, match="it began with"):
        trained("run", recipe=replace(TINY, seed=9), resume=True)
    with pytest.raises(WeightsError):
        trained("other", teacher=files[0])
    for wrong in ({"crop_px": 65}, {"apart": 2.0}, {"pyramid_steps": 0}, {"muon_lr": 0.0}, {"twin_weight": -1.0}):
        with pytest.raises(SettingError):
            replace(TINY, **wrong)


def test_a_teachers_lifting_layers_are_used_where_there_are_any(shared):
    teacher = Teacher(shared / "weights" / "collab16x_encoder_relu5_1.safetensors")
    features, lifted = teacher(torch.rand(1, 3, 32, 32))
    assert [level.shape[1] for level in features] == [16, 32, 64, 128, 128]
    assert [level.shape[1] for level in lifted] == [64, 128, 256, 512, 512]
    teacher.fit(torch.rand(2, 3, 64, 64))
    assert all(0.2 < float(level.square().mean().sqrt()) < 5 for level in teacher(torch.rand(1, 3, 64, 64))[0])
