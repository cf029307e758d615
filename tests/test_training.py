"""Training: the optimiser, the crops, the scores, and runs that can be repeated and resumed."""

import json
import math
from dataclasses import asdict, replace

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from skimage.metrics import structural_similarity as skimage_similarity
from torch import nn

from ktviz.errors import SettingError, TrainingError
from ktviz.images import file_digest, to_tensor
from ktviz.library.kinds.patches.bands import haar
from ktviz.library.kinds.patches.grid import PatchGrid
from ktviz.networks.weights import save_weights
from ktviz.systems.kt.decoder import Decoder
from ktviz.systems.kt.encoder import Encoder
from ktviz.systems.kt.settings import MAX_GAIN
from ktviz.systems.kt.transfer import transfer
from ktviz.training import image_analogy
from ktviz.training import kt as kt_recipe
from ktviz.training import loop as loop_module
from ktviz.training.crops import Crops
from ktviz.training.evaluate import score_images, structural_similarity
from ktviz.training.kt import Recipe, Run, train
from ktviz.training.loop import files_digest
from ktviz.training.muon import Muon, orthogonalise
from ktviz.training.polish import lattice_loss, transferred
from ktviz.training.precision import fast_type
from ktviz.training.teacher import Teacher

TINY = Recipe(steps=20, polish=0, batch=2, crop_px=32, warmup=5, muon_lr=0.1, adam_lr=0.01)


@pytest.mark.parametrize("shape", [(40, 40), (24, 90), (90, 24)])
def test_orthogonalised_matrices_have_singular_values_near_one(shape):
    matrix = torch.randn(shape, generator=torch.Generator().manual_seed(0))
    values = torch.linalg.svdvals(orthogonalise(matrix))
    # The authors' coefficients converge to about 0.7 to 1.2; a value that begins at almost nothing comes last.
    assert values.max() < 1.25
    assert values[: int(0.9 * len(values))].min() > 0.65


def test_orthogonalising_keeps_the_singular_directions():
    random = torch.Generator().manual_seed(0)
    u, _ = torch.linalg.qr(torch.randn(20, 20, generator=random))
    v, _ = torch.linalg.qr(torch.randn(30, 20, generator=random))
    matrix = u @ torch.diag(torch.linspace(0.5, 3, 20)) @ v.T
    product = u.T @ orthogonalise(matrix) @ v
    assert (product - torch.diag(product.diag())).abs().max() < 0.05
    assert product.diag().min() > 0.65


def test_muon_brings_a_linear_layer_to_its_target():
    torch.manual_seed(0)
    target, layer = torch.randn(16, 24), nn.Linear(24, 16, bias=False)
    optimiser = Muon(layer.parameters(), lr=0.2)
    losses = []
    for step in range(200):
        for group in optimiser.param_groups:
            group["lr"] = 0.2 * (1 - step / 200)
        loss = (layer.weight - target).square().mean()
        loss.backward()
        optimiser.step()
        optimiser.zero_grad()
        losses.append(loss.item())
    assert losses[-1] < 0.01 * losses[0]


def test_muon_leaves_weights_without_a_gradient_alone():
    layer = nn.Linear(4, 4, bias=False)
    before = layer.weight.clone()
    Muon(layer.parameters(), lr=1.0).step()
    assert torch.equal(layer.weight, before)


@pytest.fixture(scope="module")
def files(pictures):
    return sorted(pictures.rglob("*.png"))


def test_crops_are_seeded_and_their_position_can_be_restored(files):
    first, second = Crops(files, 32, seed=1, quiet=True), Crops(files, 32, seed=1, quiet=True)
    assert torch.equal(first.batch(4), second.batch(4))
    second.state = json.loads(json.dumps(first.state))
    assert torch.equal(first.batch(4), second.batch(4))
    assert not torch.equal(first.batch(4), Crops(files, 32, seed=2, quiet=True).batch(4))


def test_crops_have_the_size_and_range_asked_for(files):
    batch = Crops(files, 24, seed=0, quiet=True).batch(16)
    assert batch.shape == (16, 3, 24, 24)
    assert 0 <= float(batch.min()) < float(batch.max()) <= 1


def test_images_too_small_for_a_crop_are_refused(files):
    with pytest.raises(TrainingError, match="none is 80 px or larger"):
        Crops(files, 80, seed=0, quiet=True)


@pytest.mark.parametrize("noise", [0.02, 0.3])
def test_ssim_equals_the_reference_implementation(paint, noise):
    first = paint(0, 60, 80) / 255
    random = np.random.default_rng(0)
    second = np.clip(first + random.normal(0, noise, first.shape), 0, 1)
    expected = skimage_similarity(
        first, second, gaussian_weights=True, sigma=1.5, use_sample_covariance=False, data_range=1, channel_axis=2
    )
    a, b = (torch.from_numpy(x).permute(2, 0, 1)[None].float() for x in (first, second))
    assert structural_similarity(a, b) == pytest.approx(expected, abs=1e-4)
    assert structural_similarity(a, a) == pytest.approx(1)


def test_psnr_of_a_known_error_is_the_known_number():
    class Brighter(nn.Module):
        def forward(self, x):
            return x + 51 / 255

    scores = score_images(nn.Identity(), Brighter(), nn.Identity(), [np.full((43, 37, 3), 100, np.uint8)])
    assert scores.psnr == pytest.approx(-20 * math.log10(0.2), abs=1e-3)
    assert scores.cosine == pytest.approx(1)


@pytest.fixture
def make_teacher(make_toy):
    return lambda: Teacher(make_toy(seed=9, channels=256))


def student():
    torch.manual_seed(5)
    return Encoder.student()


@pytest.fixture
def trained(files, tmp_path, make_teacher, monkeypatch):
    """`trained(name, **options)`: a tiny run into a folder of that name."""
    monkeypatch.setattr(loop_module, "CHECKPOINT_EVERY", 10)
    monkeypatch.setattr(loop_module, "LOG_EVERY", 1)
    monkeypatch.setattr(kt_recipe, "TEACHER_BATCHES", 4)

    def run(name, **options):
        options = {"encoder": student(), "teacher": make_teacher(), "recipe": TINY, "evaluation": {}, **options}
        return train(files, tmp_path / name, quiet=True, **options)

    return run


def test_twenty_steps_lower_the_loss_of_student_and_decoder(trained):
    history = trained("run")["history"]
    assert [entry["step"] for entry in history] == list(range(1, 21))
    for name in ("image", "features"):
        first, last = (np.mean([entry[name] for entry in part]) for part in (history[:4], history[-4:]))
        assert last < 0.9 * first


@pytest.mark.parametrize("recipe", [TINY, replace(TINY, steps=10, polish=1.0)], ids=["learning", "polishing"])
def test_a_resumed_run_ends_with_the_same_weights_bit_by_bit(recipe, trained, tmp_path, monkeypatch):
    trained("whole", recipe=recipe)
    original, calls = Run.update, []

    def update(self):
        calls.append(1)
        losses = original(self)
        if len(calls) == 14:  # four steps after the checkpoint, and before the step is counted
            raise KeyboardInterrupt
        return losses

    with monkeypatch.context() as patch:
        patch.setattr(Run, "update", update)
        with pytest.raises(KeyboardInterrupt):
            trained("resumed", recipe=recipe)
    trained("resumed", recipe=recipe, resume=True)
    for name in ("encoder", "decoder", "teacher_projection"):
        whole, resumed = (tmp_path / run / f"{name}.safetensors" for run in ("whole", "resumed"))
        assert whole.read_bytes() == resumed.read_bytes()


def test_a_repeated_run_gives_the_same_weights(trained, tmp_path):
    recipe = replace(TINY, steps=3)
    logs = [trained(name, recipe=recipe) for name in ("one", "two")]
    assert logs[0]["encoder"] == logs[1]["encoder"]
    assert logs[0]["decoder"] == logs[1]["decoder"]
    assert trained("three", recipe=replace(recipe, seed=8))["decoder"] != logs[0]["decoder"]


def test_equal_weights_are_equal_files(tmp_path):
    layer = nn.Conv2d(3, 4, 1)
    about = dict.fromkeys("abcdefgh", "x")
    for n in range(4):
        save_weights(layer, tmp_path / f"{n}.safetensors", about)
    assert len({file_digest(tmp_path / f"{n}.safetensors") for n in range(4)}) == 1


def test_the_log_tells_seed_data_and_scores(trained, tmp_path, files):
    log = trained("run", recipe=replace(TINY, steps=2), evaluation={"held-out": files[:2]})
    assert json.loads((tmp_path / "run" / "log.json").read_text()) == log
    assert log["recipe"] == asdict(replace(TINY, steps=2))
    assert log["data"] == {"images": 5, "digest": files_digest(files)}
    assert log["scores"]["held-out"]["images"] == 2
    assert 0 < log["scores"]["held-out"]["psnr"] < 40
    assert -1 <= log["scores"]["held-out"]["cosine"] <= 1
    assert 0 < log["energy_kept_by_projection"] <= 1
    assert log["decoder"] == file_digest(tmp_path / "run" / "decoder.safetensors")
    assert Encoder.load(tmp_path / "run" / "encoder.safetensors").digest == log["encoder"]


def test_the_data_digest_sees_names_bytes_and_order(tmp_path):
    paths = [tmp_path / name for name in ("a", "b", "c")]
    for path, text in zip(paths, ("1", "2", "2"), strict=True):
        path.write_text(text)
    a, b, c = paths
    assert len({files_digest(x) for x in ([a, b], [b, a], [a, c], [a])}) == 4


def test_a_decoder_alone_is_trained_for_a_frozen_encoder(trained, tmp_path, make_toy, files):
    encoder = make_toy()
    before = encoder.digest
    log = trained("run", encoder=encoder, teacher=None, evaluation={"held-out": files[:1]})
    assert encoder.digest == before == log["encoder"]
    assert not (tmp_path / "run" / "encoder.safetensors").exists()
    assert Decoder.load(tmp_path / "run" / "decoder.safetensors")(torch.zeros(1, 8, 4, 5)).shape == (1, 3, 16, 20)
    history = log["history"]
    assert np.mean([e["image"] for e in history[-4:]]) < np.mean([e["image"] for e in history[:4]])


def test_the_log_is_json_that_every_reader_takes(trained, tmp_path, make_toy, files):
    trained("run", encoder=make_toy(), teacher=None, recipe=replace(TINY, steps=1), evaluation={"x": files[:1]})

    def refuse(name):
        raise AssertionError(f"{name} is no JSON")

    json.loads((tmp_path / "run" / "log.json").read_text(), parse_constant=refuse)


def test_a_folder_with_a_checkpoint_is_not_overwritten(trained):
    trained("run", recipe=replace(TINY, steps=1))
    with pytest.raises(TrainingError, match=r"already there.*--resume"):
        trained("run", recipe=replace(TINY, steps=1))


def test_resuming_without_a_checkpoint_is_refused(trained):
    with pytest.raises(TrainingError, match="no checkpoint"):
        trained("nowhere", resume=True)


def test_resuming_with_another_recipe_is_refused(trained):
    trained("run", recipe=replace(TINY, steps=1))
    with pytest.raises(TrainingError, match="it began with"):
        trained("run", recipe=replace(TINY, steps=1, seed=99), resume=True)


def test_a_loss_that_is_not_finite_stops_the_run(trained):
    with pytest.raises(TrainingError, match="the loss is"):
        trained("run", recipe=replace(TINY, image_weight=1e39))


def test_the_teachers_projection_keeps_angles_of_what_it_can_span(make_toy, files):
    """256 toy channels are linear in 48 pixel values, so that 128 directions hold all of their energy."""
    teacher = Teacher(make_toy(seed=9, channels=256))
    batch = Crops(files, 32, seed=0, quiet=True).batch(8)
    assert teacher.fit([batch]) == pytest.approx(1, abs=1e-5)
    before, after = (f(batch).transpose(0, 1).flatten(1).T for f in (teacher.vgg, teacher))
    normal = torch.nn.functional.normalize
    assert (normal(before) @ normal(before).T - normal(after) @ normal(after).T).abs().max() < 1e-3
    assert float(after.square().mean().sqrt()) == pytest.approx(1, abs=1e-3)


def test_the_rate_rises_then_falls_to_nothing():
    rates = [Recipe(steps=100, warmup=10, polish=0).rate(step) for step in range(101)]
    assert rates[0] < rates[5] < rates[9]
    assert rates[20] > rates[60] > rates[99] > rates[100] == pytest.approx(0)


def test_to_tensor_and_student_agree_on_shapes():
    assert student()(to_tensor(np.zeros((24, 40, 3), np.uint8))).shape == (1, 128, 6, 10)


def test_polishing_changes_the_decoder_and_leaves_the_encoder_as_it_is(trained, tmp_path):
    trained("plain", recipe=replace(TINY, steps=4))
    trained("polished", recipe=replace(TINY, steps=4, polish=1.0))
    plain, polished = (
        {name: load_file(tmp_path / run / f"{name}.safetensors") for name in ("encoder", "decoder")}
        for run in ("plain", "polished")
    )
    assert all(torch.equal(plain["encoder"][k], polished["encoder"][k]) for k in plain["encoder"])
    assert not all(torch.equal(plain["decoder"][k], polished["decoder"][k]) for k in plain["decoder"])


def test_polishing_lowers_what_it_weighs(trained):
    parts = ("cycle", "lattice", "colour")
    plain = replace(TINY, steps=20, polish=4.0, polish_lr=0.02, image_weight=1.0)
    plain = replace(plain, **{f"{part}_weight": 0.0 for part in parts})
    without = trained("plain", recipe=plain)["history"][-20:]
    for part in parts:
        weighed = trained(part, recipe=replace(plain, **{f"{part}_weight": 5.0}))["history"][-20:]
        assert np.mean([e[part] for e in weighed]) < 0.95 * np.mean([e[part] for e in without]), part


def test_the_polish_has_a_rate_of_its_own_that_falls_to_nothing():
    recipe = Recipe(steps=100, polish=0.5, muon_lr=0.01, polish_lr=0.003)
    assert recipe.rate(100) == pytest.approx(0.3)
    assert recipe.rate(149) == pytest.approx(0.3 / 50)


def test_transferred_features_are_those_of_the_translator():
    """One crop against one crop: the same as an exact search over all patches, transferred and folded."""
    features, sources = torch.randn(2, 1, 8, 12, 12, generator=torch.Generator().manual_seed(0)).unbind()
    grid, every = PatchGrid(12, 12), torch.nn.functional.unfold(sources, 4)[0].T.view(-1, 8, 4, 4)
    queries = grid.unfold(features[0])
    wanted, known = (haar(patches)[:, :3].flatten(1) for patches in (queries, every))
    similarity = torch.nn.functional.cosine_similarity(wanted[:, None], known[None], dim=2)
    expected = grid.fold(transfer(queries, every[similarity.argmax(1)], max_gain=MAX_GAIN))
    with torch.autocast("cpu", torch.bfloat16):  # as in training
        assert (transferred(features, sources)[0] - expected).abs().max() < 1e-5


def test_the_lattice_loss_is_high_for_a_printed_grid_and_low_for_anything_else():
    random = torch.Generator().manual_seed(0)
    cell = torch.rand(1, 3, 4, 4, generator=random)
    printed = cell.repeat(1, 1, 16, 16)
    noise = torch.rand(1, 3, 64, 64, generator=random)
    other_rhythm = torch.rand(1, 3, 5, 5, generator=random).repeat(1, 1, 13, 13)[:, :, :64, :64]
    assert float(lattice_loss(printed)) > 0.9
    assert float(lattice_loss(noise)) < 0.1
    assert float(lattice_loss(other_rhythm)) < 0.1
    larger = torch.rand(1, 3, 8, 8, generator=random).repeat(1, 1, 8, 8)
    assert float(lattice_loss(larger)) < 0.5
    assert min(float(lattice_loss(one, cell=8)) for one in (printed, larger)) > 0.9
    assert float(lattice_loss(noise, cell=8)) < 0.1


@pytest.mark.parametrize(
    "bad",
    [
        {"steps": 0},
        {"crop_px": 20},
        {"polish": -1.0},
        {"polish": math.nan},
        {"cycle_weight": -0.1},
        {"muon_lr": 0.0},
        {"adam_lr": math.nan},
        {"polish_lr": -1.0},
        {"steps": 1.5},
        {"batch": True},
        {"crop_px": 64.0},
        {"seed": -1},
        {"image_weight": "much"},
    ],
)
def test_impossible_recipes_are_refused(bad):
    with pytest.raises(SettingError):
        Recipe(**bad)


@pytest.mark.parametrize(
    "bad",
    [
        {"pyramid_steps": 0},
        {"inverse_steps": 1.5},
        {"crop_px": 40},
        {"seed": -1},
        {"apart": math.nan},
        {"twin_weight": -0.1},
        {"adam_lr": 0.0},
    ],
)
def test_impossible_recipes_of_image_analogy_are_refused(bad):
    with pytest.raises(SettingError):
        image_analogy.Recipe(**bad)


def test_an_unknown_device_is_refused(trained):
    with pytest.raises(SettingError, match="Choose cpu or cuda"):
        trained("run", device="abacus")


def test_resuming_from_a_damaged_checkpoint_is_refused(trained, tmp_path):
    trained("run", recipe=replace(TINY, steps=1))
    path = tmp_path / "run" / "checkpoint.pt"
    data = path.read_bytes()
    middle = len(data) // 2  # a weight: PyTorch would load it
    for damaged in (b"damaged", data[:middle] + bytes([data[middle] ^ 1]) + data[middle + 1 :]):
        path.write_bytes(damaged)
        with pytest.raises(TrainingError, match="damaged"):
            trained("run", recipe=replace(TINY, steps=1), resume=True)


@pytest.mark.parametrize(
    ("capability", "expected"),
    [("AVX512", torch.bfloat16), ("AVX512_VNNI", torch.bfloat16), ("AVX2", torch.float32), ("DEFAULT", torch.float32)],
)
def test_training_multiplies_in_bfloat16_only_where_that_is_fast(monkeypatch, capability, expected):
    monkeypatch.setattr(torch.backends.cpu, "get_cpu_capability", lambda: capability)
    assert fast_type("cpu") == expected
    assert fast_type("cuda") == torch.bfloat16


def test_updates_are_orthogonal_in_either_precision(monkeypatch):
    matrix = torch.randn(32, 96, generator=torch.Generator().manual_seed(0))
    for capability in ("AVX512", "AVX2"):
        monkeypatch.setattr(torch.backends.cpu, "get_cpu_capability", lambda found=capability: found)
        values = torch.linalg.svdvals(orthogonalise(matrix))
        assert float(values.min()) > 0.6
        assert float(values.max()) < 1.3
