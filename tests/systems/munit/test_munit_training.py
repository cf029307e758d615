"""The recipe: two folders that need not match, runs that can be resumed, and what polishing changes."""

import json
from dataclasses import replace

import numpy as np
import pytest
import torch

from ktviz.errors import SettingError, TrainingError
from ktviz.systems.munit.trained import Networks
from ktviz.training import loop
from ktviz.training.munit import Recipe, Run, train

from .conftest import SHAPE, SIZES


@pytest.fixture
def folders(tmp_path, save, paint):
    """Seven drawings and three photographs of many sizes, all smaller than a crop or not much larger."""
    for name, count in (("drawings", 7), ("photographs", 3)):
        for number in range(count):
            height, width = SIZES[number % len(SIZES)]
            save(tmp_path / name / f"{number}.png", paint(number + 10 * count, 2 * height, 2 * width))
    return tmp_path / "drawings", tmp_path / "photographs"


@pytest.fixture(autouse=True)
def often(monkeypatch):
    for name, steps in (("LOG_EVERY", 1), ("CHECKPOINT_EVERY", 2), ("PREVIEW_EVERY", 2)):
        monkeypatch.setattr(loop, name, steps)


def recipe(**settings):
    return Recipe(**{"steps": 4, "crop": (64, 64), "shape": replace(SHAPE, layers=3), **settings})


def trained(folders, out, resume=False, evaluation=None, **settings):
    """The log of a run."""
    made = recipe(**settings)
    return train(folders, out, recipe=made, evaluation=evaluation or {}, resume=resume, quiet=True)


def test_folders_need_not_hold_as_many_pictures(folders, tmp_path):
    log = trained(folders, tmp_path / "run", evaluation={"same": tmp_path})
    assert log["data"] | {"digest": ""} == {"drawings": 7, "photographs": 3, "digest": ""}
    assert log["scores"]["same"]["psnr of drawings"] > 0
    assert log["data"]["digest"] == log["scores"]["same"]["digest"]
    assert json.loads((tmp_path / "run/log.json").read_text()) == json.loads(json.dumps(log))
    assert len([*(tmp_path / "run/preview").iterdir()]) == 2
    assert Networks.load(tmp_path / "run").domains == ("drawings", "photographs")


def test_a_resumed_run_ends_with_the_same_weights_bit_by_bit(folders, tmp_path, monkeypatch):
    whole = trained(folders, tmp_path / "whole")
    save = loop.Loop.save

    def stop(self):
        save(self)
        if self.step == 2:
            raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(loop.Loop, "save", stop)
        with pytest.raises(KeyboardInterrupt):
            trained(folders, tmp_path / "parts")
    again = trained(folders, tmp_path / "parts", resume=True)
    assert again["generators"] == whole["generators"]
    assert [{**row, "seconds": 0} for row in again["history"]] == [{**row, "seconds": 0} for row in whole["history"]]


def test_a_checkpoint_of_another_version_is_not_called_damaged(folders, tmp_path):
    trained(folders, tmp_path / "run")
    path = tmp_path / "run" / "checkpoint.pt"
    held = torch.load(path, weights_only=True)
    del held["random"]
    torch.save(held, path)
    with pytest.raises(TrainingError, match=r"holds no 'random': it is of another version.*Start a new run"):
        trained(folders, tmp_path / "run", resume=True)


def test_a_run_does_not_go_on_with_other_pictures(folders, tmp_path, save, paint):
    trained(folders, tmp_path / "run")
    save(folders[1] / "2.png", paint(99, 70, 70))
    with pytest.raises(TrainingError, match="data"):
        trained(folders, tmp_path / "run", resume=True)


def test_the_first_part_is_at_half_the_size_with_four_times_the_pictures(folders, tmp_path):
    run = Run(folders, tmp_path / "run", recipe(batch=2, coarse=0.5), "cpu", True)
    shapes = []
    for run.loop.step in range(4):
        shapes.append([tuple(part.shape) for part in run.draw()])
    assert shapes == [[(8, 3, 32, 32)] * 2] * 2 + [[(2, 3, 64, 64)] * 2] * 2


def test_discriminators_count_less_while_polishing(folders, tmp_path):
    run = Run(folders, tmp_path / "run", recipe(steps=2, polish=1.0, polish_adversarial=0.25), "cpu", True)
    drawn, found = run.draw(), []
    for run.loop.step in (1, 2):
        torch.manual_seed(0)
        found.append(run.forward(drawn)[0])
    for way in ("ab", "ba"):
        torch.testing.assert_close(found[1][f"adversarial {way}"], 0.25 * found[0][f"adversarial {way}"])


def test_it_learns_to_make_pictures_again(folders, tmp_path):
    history = trained(folders, tmp_path / "run", steps=25, learning_rate=1e-3)["history"]
    again = [np.mean([row[f"picture {way}"] for way in ("ab", "ba")]) for row in history]
    assert np.mean(again[-5:]) < 0.8 * np.mean(again[:5])


@pytest.mark.parametrize(("coarse", "least"), [(0.0, 128), (0.5, 256)])
def test_crops_that_discriminators_cannot_halve_as_often_are_refused(folders, tmp_path, coarse, least):
    shape = replace(SHAPE, layers=5)
    with pytest.raises(SettingError, match=f"not two multiples of 32 from {least}"):
        recipe(shape=shape, crop=(least - 32, least - 32), coarse=coarse)
    run = Run(folders, tmp_path / "run", recipe(shape=shape, crop=(least, least), coarse=coarse), "cpu", True)
    assert all(torch.isfinite(loss) for loss in run.update().values())


def test_crops_that_are_no_squares_and_domains_of_one_name_are_refused(folders, tmp_path):
    with pytest.raises(SettingError, match=r"not a square.*Give \(64, 64\)"):
        recipe(crop=(64, 96))
    with pytest.raises(TrainingError, match="Give two folders of other names"):
        trained((folders[0], folders[0]), tmp_path / "run")
