"""Training of networks that translate label maps: the data, the average, and runs that can be repeated and resumed."""

from __future__ import annotations

import csv
import json
import shutil
from dataclasses import replace

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

from ktviz.errors import LabelError, SettingError, TrainingError
from ktviz.labels import Classes, write_map
from ktviz.systems.blocks.spectral import without_spectral_norm
from ktviz.systems.cocosnet.configuration import Configuration
from ktviz.systems.cocosnet.correspondence import Shape as Descriptors
from ktviz.systems.pix2pixhd.shape import Shape
from ktviz.training import cocosnet, loop, pix2pixhd
from ktviz.training.average import Average
from ktviz.training.pairs import Pairs, read_pairs

CLASSES = Classes(("unknown", "sky", "hill"), ((0, 0, 0), (90, 140, 220), (40, 120, 60)))
SIDE = 128


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Six pairs in three looks, two layouts each."""
    place = tmp_path_factory.mktemp("pairs")
    random = np.random.default_rng(0)
    for part in ("photo", "label", "inst"):
        (place / part).mkdir()
    for number in range(6):
        y, x = np.mgrid[:SIDE, :160]
        labels = np.where(y > 50 + 20 * np.sin(x / 20 + number), 2, 1)
        colours = np.array([[0, 0, 0], [20, 90, 200], [60 + 40 * (number // 2), 160, 60]])
        photo = np.clip(colours[labels] + random.normal(0, 6, (SIDE, 160, 3)), 0, 255).astype(np.uint8)
        Image.fromarray(photo).save(place / "photo" / f"p{number}.png")
        write_map(place / "label" / f"p{number}.png", labels, CLASSES)
        write_map(place / "inst" / f"p{number}.png", np.where(labels == 2, 2000 + (x > 80), labels))
    with (place / "looks.csv").open("w", newline="") as file:
        csv.writer(file).writerows([("picture", "look"), *((f"p{n}", f"look {n // 2}") for n in range(6))])
    return place


def test_pairs_belong_together_and_say_which_look_alike(folder):
    pairs = read_pairs(folder, CLASSES, quiet=True)
    assert [pair.name for pair in pairs] == [f"p{number}" for number in range(6)]
    assert all(set(np.unique(pair.instances)) == {1, 2000, 2001} for pair in pairs)
    source = Pairs(pairs, (64, 64), seed=0)
    assert all(source.of_look(number) == number ^ 1 for number in range(6))


def test_crops_of_a_pair_show_one_place_of_photo_and_maps(folder):
    source = Pairs(read_pairs(folder, CLASSES, quiet=True), (64, 64), seed=0)
    batch = source.batch([source.draw() for _ in range(8)])
    assert batch.photo.shape == (8, 3, 64, 64)
    assert batch.labels.shape == (8, 1, 64, 64)
    blue = batch.photo[:, 2] > 0.2  # only the sky is blue
    assert torch.equal(blue, batch.labels[:, 0] == 1)
    assert torch.equal(batch.instances >= 2000, batch.labels == 2)


def test_scaled_pairs_keep_photo_and_maps_together(folder):
    pair = read_pairs(folder, CLASSES, side_px=64, quiet=True)[0]
    assert pair.size == (64, 80) == pair.photo.shape[:2]
    assert np.mean((pair.photo[..., 2] > 150) == (pair.labels == 1)) > 0.98


def test_draws_are_seeded_and_their_position_can_be_restored(folder):
    pairs = read_pairs(folder, CLASSES, quiet=True)
    first, second = (Pairs(pairs, (64, 64), seed=1) for _ in range(2))
    assert torch.equal(first.batch([0, 1]).photo, second.batch([0, 1]).photo)
    second.state = json.loads(json.dumps(first.state))
    assert torch.equal(first.batch([2]).photo, second.batch([2]).photo)


def test_a_pair_that_is_too_small_or_lacks_its_map_is_named(folder, tmp_path):
    with pytest.raises(TrainingError, match="p0 is smaller than 64x256"):
        Pairs(read_pairs(folder, CLASSES, quiet=True), (256, 64), seed=0)
    for part in ("photo", "label"):
        (tmp_path / part).mkdir()
    Image.new("RGB", (64, 64)).save(tmp_path / "photo" / "lonely.png")
    with pytest.raises(LabelError, match=r"lonely\.png.*no such file"):
        read_pairs(tmp_path, CLASSES, quiet=True)
    Image.new("L", (64, 48)).save(tmp_path / "label" / "lonely.png")
    with pytest.raises(TrainingError, match="a photo of 64x64 px, a map of 64x48"):
        read_pairs(tmp_path, CLASSES, quiet=True)


def test_an_average_forgets_its_beginning_and_then_moves_slowly():
    network = nn.Linear(1, 1, bias=False)
    average = Average(network, decay=0.9)
    values = []
    for step in range(200):
        with torch.no_grad():
            network.weight.fill_(float(step >= 100))
        average.update(network)
        values.append(average.network.weight.item())
    assert values[99] == 0
    assert values[100] == pytest.approx(0.1)
    assert values[199] == pytest.approx(1, abs=1e-3)


def test_layers_without_their_spectral_norm_compute_the_same():
    torch.manual_seed(0)
    layer = nn.Sequential(nn.utils.spectral_norm(nn.Conv2d(3, 4, 3)), nn.ReLU()).train()
    picture = torch.randn(1, 3, 8, 8)
    layer(picture)
    expected = layer.eval()(picture)
    torch.testing.assert_close(without_spectral_norm(layer)(picture), expected)


SMALL = Shape(3, codes=3, width=4, downs=2, blocks=1, encoder_width=4, encoder_downs=1, discriminator_width=4)
SIZES = Configuration(CLASSES, Descriptors(3, 2, 8, 8, 4), width=2, hidden=4, attention=False)


def train_pix2pixhd(folder, out, steps=6, **options):
    recipe = pix2pixhd.Recipe(steps=steps, crop=(64, 64), shape=SMALL)
    return pix2pixhd.train(
        folder, out, classes=CLASSES, recipe=recipe, evaluation={"same": folder}, quiet=True, **options
    )


def train_cocosnet(folder, out, steps=6, coarse=0.5, **options):
    recipe = cocosnet.Recipe(steps=steps, crop=(128, 128), batch=1, warmup=2, coarse=coarse, discriminator_width=4)
    return cocosnet.train(folder, out, sizes=SIZES, recipe=recipe, evaluation={"same": folder}, quiet=True, **options)


RUNS = {"pix2pixhd": train_pix2pixhd, "cocosnet": train_cocosnet}


@pytest.fixture(autouse=True)
def often(monkeypatch):
    monkeypatch.setattr(loop, "LOG_EVERY", 1)
    monkeypatch.setattr(loop, "CHECKPOINT_EVERY", 3)
    monkeypatch.setattr(loop, "PREVIEW_EVERY", 3)


@pytest.mark.parametrize("system", RUNS)
def test_a_resumed_run_ends_with_the_same_weights_bit_by_bit(system, folder, tmp_path, monkeypatch):
    run = RUNS[system]
    whole = run(folder, tmp_path / "whole")
    stopped = loop.Loop.save

    def stop(self):
        stopped(self)
        if self.step == 3:
            raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(loop.Loop, "save", stop)
        with pytest.raises(KeyboardInterrupt):
            run(folder, tmp_path / "parts")
    again = run(folder, tmp_path / "parts", resume=True)
    files = [key for key in whole if key in ("generator", "encoder", "correspondence")]
    assert len(files) == 2
    assert [again[key] for key in files] == [whole[key] for key in files]
    assert [{**row, "seconds": 0} for row in again["history"]] == [{**row, "seconds": 0} for row in whole["history"]]


@pytest.mark.parametrize("system", RUNS)
def test_a_run_keeps_previews_and_says_what_it_was_made_of(system, folder, tmp_path):
    log = RUNS[system](folder, tmp_path)
    assert sorted(path.name for path in (tmp_path / "preview").iterdir()) == ["0000003.jpg", "0000006.jpg"]
    assert log["data"]["pairs"] == log["scores"]["same"]["pairs"] == 6
    assert log["data"]["digest"] == log["scores"]["same"]["digest"]
    assert log["scores"]["same"]["psnr"] > 0
    assert json.loads((tmp_path / "log.json").read_text()) == json.loads(json.dumps(log))


@pytest.mark.parametrize("system", RUNS)
def test_a_run_does_not_go_on_with_other_data(system, folder, tmp_path):
    RUNS[system](folder, tmp_path, steps=3)
    with pytest.raises(TrainingError, match="recipe"):
        RUNS[system](folder, tmp_path, steps=4, resume=True)
    with pytest.raises(TrainingError, match="already there"):
        RUNS[system](folder, tmp_path, steps=3)


def test_pix2pixhd_learns_the_colours_of_objects(folder, tmp_path):
    log = train_pix2pixhd(folder, tmp_path, steps=60)
    first, last = log["history"][4], log["history"][-1]
    assert last["perceptual"] < 0.7 * first["perceptual"]


def test_whole_pictures_of_several_sizes_train_at_the_largest_that_all_have(folder, tmp_path):
    pairs = tmp_path / "pairs"
    shutil.copytree(folder, pairs)
    for part in ("photo", "label", "inst"):
        path = pairs / part / "p3.png"
        Image.open(path).crop((0, 0, 99, 121)).save(path)
    recipe = pix2pixhd.Recipe(steps=2, crop=(64, 64), shape=SMALL, whole=1.0)
    run = pix2pixhd.Run(pairs, tmp_path / "run", CLASSES, recipe, {}, "cpu", True)
    assert run.whole == (120, 96)
    assert run.draw().photo.shape == (1, 3, 120, 96)
    assert all(torch.isfinite(loss) for loss in run.update().values())


def test_cocosnet_learns_which_cells_have_which_label(folder, tmp_path):
    log = train_cocosnet(folder, tmp_path, steps=12, coarse=1.0)
    masks = [row["mask"] for row in log["history"]]
    assert np.mean(masks[-3:]) < 0.5 * masks[0]


@pytest.mark.parametrize(
    ("recipe", "changes"),
    [
        (pix2pixhd.Recipe(shape=SMALL), {"steps": 0}),
        (pix2pixhd.Recipe(shape=SMALL), {"crop": (66, 64)}),
        (pix2pixhd.Recipe(shape=SMALL), {"whole": 1.5}),
        (cocosnet.Recipe(), {"crop": (130, 128)}),
        (cocosnet.Recipe(), {"alike": -0.1}),
    ],
)
def test_settings_outside_their_range_are_refused(recipe, changes):
    with pytest.raises(SettingError):
        replace(recipe, **changes)
