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

from ktviz.errors import ImageError, LabelError, TrainingError
from ktviz.labels import Classes, write_map
from ktviz.systems.blocks.spectral import without_spectral_norm
from ktviz.systems.cocosnet.configuration import Configuration
from ktviz.systems.cocosnet.correspondence import Shape as Descriptors
from ktviz.systems.cocosnet.exemplar import Exemplar
from ktviz.systems.cocosnet.losses import cycled
from ktviz.systems.cocosnet.networks import Networks
from ktviz.systems.cocosnet.passage import Passage
from ktviz.systems.pix2pixhd.shape import Shape
from ktviz.training import cocosnet, loop, pix2pixhd
from ktviz.training.average import Average
from ktviz.training.pairs import Pairs, pairs_digest, read_pairs

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


def train_pix2pixhd(folder, out, steps=6, classes=CLASSES, polish=0.0, **options):
    recipe = pix2pixhd.Recipe(steps=steps, crop=(64, 64), shape=SMALL, polish=polish)
    options = {"evaluation": {"same": folder}, **options}
    return pix2pixhd.train(folder, out, classes=classes, recipe=recipe, quiet=True, **options)


def train_cocosnet(folder, out, steps=6, coarse=0.5, classes=CLASSES, polish=0.0, **options):
    tiny = cocosnet.Recipe(crop=(128, 128), batch=1, warmup=2, discriminator_width=4)
    recipe = replace(tiny, steps=steps, coarse=coarse, polish=polish, polish_contextual=0.0)
    options = {"evaluation": {"same": folder}, **options}
    return cocosnet.train(folder, out, sizes=replace(SIZES, classes=classes), recipe=recipe, quiet=True, **options)


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
    others = Classes(("unknown", "sky", "lake"), CLASSES.colours)
    with pytest.raises(TrainingError, match="lake"):
        RUNS[system](folder, tmp_path, steps=3, classes=others, resume=True)
    shutil.copytree(folder, tmp_path / "pairs")
    (tmp_path / "pairs/looks.csv").write_text("picture,look\np0,one\np1,one\n", encoding="utf-8")
    with pytest.raises(TrainingError, match="with data"):
        RUNS[system](tmp_path / "pairs", tmp_path, steps=3, resume=True)


@pytest.mark.parametrize("changed", ["photo/p1.png", "label/p1.png", "inst/p1.png", "looks.csv", "photo/more/p1.png"])
def test_the_digest_of_pairs_sees_every_file(changed, folder, tmp_path):
    pairs = tmp_path / "pairs"
    shutil.copytree(folder, pairs)
    assert pairs_digest(pairs) == pairs_digest(folder)
    (pairs / changed).parent.mkdir(exist_ok=True)
    with (pairs / changed).open("ab") as file:
        file.write(b"more")
    assert pairs_digest(pairs) != pairs_digest(folder)


@pytest.fixture
def cropped(folder, tmp_path):
    """`cropped(width, height)`: the same pairs, as large as that."""

    def make(width, height):
        pairs = tmp_path / f"{width}x{height}"
        shutil.copytree(folder, pairs)
        for path in pairs.glob("*/*.png"):
            image = Image.open(path)
            image.crop((0, 0, width, height)).save(path)
        return pairs

    return make


@pytest.mark.parametrize("system", RUNS)
def test_held_out_pairs_are_scored_whose_sides_are_no_multiples_of_a_stride(system, folder, cropped, tmp_path):
    log = RUNS[system](folder, tmp_path / "run", steps=1, evaluation={"odd": cropped(133, 131)})
    assert log["scores"]["odd"]["pairs"] == 6
    assert log["scores"]["odd"]["psnr"] > 0


def test_a_held_out_pair_is_scored_as_the_part_of_it_that_networks_take(folder, cropped, tmp_path):
    recipe = pix2pixhd.Recipe(steps=1, crop=(64, 64), shape=SMALL)
    run = pix2pixhd.Run(folder, tmp_path / "run", CLASSES, recipe, "cpu", True)
    pair = read_pairs(cropped(70, 66), CLASSES, quiet=True)[0]
    fake, true = next(run.compared(run.kept(), [pair]))
    assert fake.shape == true.shape == (1, 3, 64, 68)


@pytest.mark.parametrize("system", RUNS)
def test_what_cannot_be_scored_is_refused_before_the_first_step(system, folder, cropped, tmp_path, monkeypatch):
    monkeypatch.setattr(loop.Loop, "run", lambda *_: pytest.fail("it began"))
    with pytest.raises(ImageError, match="nowhere"):
        RUNS[system](folder, tmp_path / "run", evaluation={"same": folder, "gone": tmp_path / "nowhere"})
    narrow = cropped(60, 66)
    (narrow / "label/p2.png").unlink()
    with pytest.raises(LabelError, match="p2"):
        RUNS[system](folder, tmp_path / "run", evaluation={"gap": narrow})


def test_held_out_pairs_smaller_than_a_crop_are_refused_before_the_first_step(folder, cropped, tmp_path, monkeypatch):
    monkeypatch.setattr(loop.Loop, "run", lambda *_: pytest.fail("it began"))
    with pytest.raises(TrainingError, match=r"scoring .*60x66.*p0 is smaller than 64x64"):
        train_pix2pixhd(folder, tmp_path / "run", evaluation={"small": cropped(60, 66)})


def test_pix2pixhd_learns_the_colours_of_objects(folder, tmp_path):
    log = train_pix2pixhd(folder, tmp_path, steps=60)
    first, last = log["history"][4], log["history"][-1]
    assert last["perceptual"] < 0.7 * first["perceptual"]


def test_polishing_follows_the_steps_and_holds_the_lattice_down(folder, tmp_path):
    log = train_pix2pixhd(folder, tmp_path, steps=4, polish=0.5)
    assert ["lattice" in row for row in log["history"]] == [False] * 4 + [True] * 2
    recipe = pix2pixhd.Recipe(steps=4, crop=(64, 64), shape=SMALL, polish=0.5, constant=0.5)
    assert [recipe.rate(step) for step in range(7)] == [1, 1, 1, 0.5, 0.5, 0.25, 0]


def test_polishing_asks_for_less_of_the_exemplars_textures(folder, tmp_path):
    log = train_cocosnet(folder, tmp_path, steps=2, polish=1.0)
    assert [row["contextual"] > 0 for row in log["history"]] == [True, True, False, False]


@pytest.mark.parametrize("recipes", [pix2pixhd, cocosnet])
def test_discriminators_count_less_while_polishing(recipes, folder, tmp_path):
    changes = {"shape": SMALL, "crop": (64, 64)} if recipes is pix2pixhd else {"crop": (128, 128), "warmup": 0}
    recipe = recipes.Recipe(steps=2, polish=1.0, polish_adversarial=0.25, batch=1, constant=1.0, **changes)
    sizes = (CLASSES,) if recipes is pix2pixhd else (SIZES, CLASSES)
    run = recipes.Run(folder, tmp_path / "run", *sizes, recipe, "cpu", True)
    for network in (run.makers, run.discriminators):
        network.eval()  # their spectral norms stay as they are
    drawn, found = run.draw(), []
    for run.loop.step in (1, 2):
        found.append(run.forward(drawn)[0]["adversarial"])
    torch.testing.assert_close(found[1], 0.25 * found[0])


def test_whole_pictures_of_several_sizes_train_at_the_largest_that_all_have(folder, tmp_path):
    pairs = tmp_path / "pairs"
    shutil.copytree(folder, pairs)
    for part in ("photo", "label", "inst"):
        path = pairs / part / "p3.png"
        Image.open(path).crop((0, 0, 99, 121)).save(path)
    recipe = pix2pixhd.Recipe(steps=2, crop=(64, 64), shape=SMALL, whole=1.0)
    run = pix2pixhd.Run(pairs, tmp_path / "run", CLASSES, recipe, "cpu", True)
    assert run.whole == (120, 96)
    assert run.draw().photo.shape == (1, 3, 120, 96)
    assert all(torch.isfinite(loss) for loss in run.update().values())


def test_cocosnet_learns_which_cells_have_which_label(folder, tmp_path):
    log = train_cocosnet(folder, tmp_path, steps=12, coarse=1.0)
    masks = [row["mask"] for row in log["history"]]
    assert np.mean(masks[-3:]) < 0.5 * masks[0]


@pytest.mark.parametrize(
    "changes", [{}, {"smooth": True}, {"patches": True}, {"patches": True, "smooth": True, "temperature": 0.05}]
)
def test_training_warps_as_the_system_does(changes, folder):
    """Patches or mean colours, enlarged or not, at the temperature of the configuration."""
    torch.manual_seed(0)
    networks = Networks(replace(SIZES, **changes)).eval().requires_grad_(False)
    target, other = read_pairs(folder, CLASSES, quiet=True)[:2]
    batches = [Pairs([pair], (128, 160), 0).batch([0]) for pair in (target, other)]
    found = cocosnet.made(networks, cocosnet.Asked(*batches, torch.ones(1)))
    labels, exemplar_labels = (batch.labels[0, 0].numpy() for batch in batches)
    photo = ((batches[1].photo[0].permute(1, 2, 0) + 1) * 127.5).round().byte().numpy()
    passage = Passage(networks, labels, Exemplar(photo, {"source": "other"}, exemplar_labels))
    cells = passage.mixture(networks.configuration.temperature, 8).cells
    torch.testing.assert_close(found.warped, passage.warped(cells), atol=1e-4, rtol=0)


def test_cocosnet_learns_with_patches_and_takes_their_cycle_of_all_pixels(folder, tmp_path, monkeypatch):
    seen = []
    monkeypatch.setattr(cocosnet, "cycled", lambda warp, cells: seen.append(cells.shape[2]) or cycled(warp, cells))
    recipe = cocosnet.Recipe(steps=1, crop=(128, 128), batch=1, discriminator_width=4)
    sizes = replace(SIZES, patches=True, smooth=True, temperature=0.05)
    log = cocosnet.train(folder, tmp_path, sizes=sizes, recipe=recipe, evaluation={}, quiet=True)
    assert np.isfinite(list(log["history"][0].values())).all()
    assert seen == [48]


def test_an_exemplar_drawn_from_all_that_is_the_target_itself_makes_it_the_right_answer(folder, tmp_path):
    recipe = cocosnet.Recipe(crop=(128, 128), itself=0.0, alike=0.0, discriminator_width=4)
    run = cocosnet.Run(folder, tmp_path, SIZES, CLASSES, recipe, "cpu", True)
    drawn = [run.exemplar(3) for _ in range(40)]
    assert {number for number, _ in drawn} == {*range(6)}
    assert all(known == (number == 3) for number, known in drawn)


@pytest.mark.parametrize(
    ("table", "words"),
    [
        (b"name,look\np0,one\n", "its columns are name, look"),
        (b"picture;look\np0;one\n", "its columns are picture;look"),
        (b"", "its columns are none"),
        (b"picture,look\np0,caf\xe9\n", "cannot be read"),
        (b"picture,look\np0,one\np1.png,one\n", "no photograph 'p1.png'"),
        (b"picture,look\np0,one\np1\n", "'p1' has no look"),
        (b"picture,look\np0,one\np1,one\np0,two\n", "'p0' has no look, or several"),
    ],
)
def test_a_table_of_looks_that_says_something_else_is_refused(table, words, folder, tmp_path):
    shutil.copytree(folder, tmp_path / "pairs")
    (tmp_path / "pairs/looks.csv").write_bytes(table)
    with pytest.raises(TrainingError, match=r"looks\.csv") as caught:
        read_pairs(tmp_path / "pairs", CLASSES, quiet=True)
    assert words in str(caught.value)


def test_a_table_of_looks_may_begin_with_a_byte_order_mark_and_say_more_or_less(folder, tmp_path):
    shutil.copytree(folder, tmp_path / "pairs")
    (tmp_path / "pairs/looks.csv").write_bytes("\ufeffpicture,look,seed\np2,one,4\np3,one,5\n".encode())
    pairs = read_pairs(tmp_path / "pairs", CLASSES, quiet=True)
    assert [pair.look for pair in pairs] == ["", "", "one", "one", "", ""]
