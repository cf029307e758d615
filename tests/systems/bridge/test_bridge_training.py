"""The recipe: each way to a code alone, noise that is refined or not, and what joins the history."""

import json
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from benchmarks.bridge_checks import learns_finite
from ktviz.errors import SettingError, TrainingError
from ktviz.systems.bridge.losses import (
    Asked,
    Makers,
    Weights,
    around,
    back,
    judge_losses,
    made,
    makers_losses,
    mean_of,
    penalty,
    refined,
    slopes,
)
from ktviz.systems.bridge.trained import Networks
from ktviz.training import loop
from ktviz.training.attributed import Order
from ktviz.training.bridge import Recipe, Run, start_glorot, train
from ktviz.training.one_way import made_one_way, one_way_losses

from .conftest import EXCLUSIVE, NAMES, ROWS, SHAPE, SIDE, networks_of


@pytest.fixture
def data(folder, tmp_path):
    """A folder as the recipe reads it."""
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "pictures").symlink_to(folder / "in")
    rows = [f"{name}.png,{','.join(map(str, row))}" for name, row in ROWS.items()]
    (tmp_path / "data" / "attributes.csv").write_text("\n".join([f"file,{','.join(NAMES)}", *rows]) + "\n")
    return tmp_path / "data"


@pytest.fixture(scope="module")
def step():
    """Networks, a discriminator, and what a step is about."""
    networks, random = networks_of(1), torch.Generator().manual_seed(2)
    torch.manual_seed(3)
    makers = Makers(networks.encoder, networks.mapping, networks.generator)
    source, reference = (torch.rand(2, 3, SIDE, SIDE, generator=random) * 2 - 1 for _ in range(2))
    has, wanted = (torch.tensor([row, row[::-1]], dtype=torch.float32) for row in ([1, 0, 0, 1], [0, 1, 1, 1]))
    noise, fresh = (torch.randn(2, SHAPE.noise, generator=random) for _ in range(2))
    asked = Asked(source, reference, has, wanted, noise, fresh, torch.full((2, 1, 1, 1), 0.5))
    return SimpleNamespace(makers=makers, judge=SHAPE.discriminator(), asked=asked)


def recipe(**settings):
    return Recipe(shape=SHAPE, crop=(SIDE, SIDE), **{"steps": 3, "alone": 1, **settings})


def trained(data, out, resume=False, **settings):
    """The log of a run, as it was written and as it was returned."""
    asked = {"attributes": NAMES, "exclusive": EXCLUSIVE, "recipe": recipe(**settings)}
    log = train(data, out, **asked, evaluation={}, resume=resume, quiet=True)
    return json.loads((out / "log.json").read_text()), log


@pytest.mark.parametrize("way", ["labels", "reference"])
def test_one_way_makes_what_it_makes_beside_the_other(step, way):
    both, one = made(step.makers, step.asked), made_one_way(step.makers, step.asked, way)
    assert torch.equal(one.own, both.own)
    assert torch.equal(one.code, both.by_labels if way == "labels" else both.by_reference)
    assert torch.equal(one.picture, both.labels if way == "labels" else both.reference)
    assert one.again is None if way == "reference" else torch.equal(one.again, both.again)


def test_the_losses_of_both_ways_are_the_means_of_each_alone(step):
    both = makers_losses(step.makers, step.judge, step.asked, made(step.makers, step.asked))
    alone = {}
    for way in ("labels", "reference"):
        one = made_one_way(step.makers, step.asked, way)
        alone[way] = one_way_losses(step.makers, step.judge, step.asked, one, way)
    assert torch.allclose(both["same"], mean_of([losses["same"] for losses in alone.values()]))
    assert torch.equal(both["seeking"], alone["labels"]["seeking"])
    assert set(alone["reference"]) == {"adversarial", "attributes", "same", "cycle"}


def test_reference_alone_knows_nothing_of_labels(step):
    other = replace(step.asked, noise=step.asked.noise + 1, fresh=step.asked.fresh - 1)
    losses = [
        one_way_losses(step.makers, step.judge, asked, made_one_way(step.makers, asked, "reference"), "reference")
        for asked in (step.asked, other)
    ]
    assert losses[0] == losses[1]


@pytest.mark.parametrize(("ways", "part"), [("labels", "mapping"), ("reference", "encoder")])
def test_each_way_alone_can_be_trained(data, tmp_path, ways, part):
    log, _ = trained(data, tmp_path / "run", ways=ways)
    assert log["recipe"]["ways"] == ways
    assert Networks.load(tmp_path / "run").known_db is not None
    assert "bridge" not in log["history"][-1]
    assert ("seeking" in log["history"][-1]) == (ways == "labels")
    moved = Run(data, tmp_path / "other", NAMES, EXCLUSIVE, recipe(ways=ways), "cpu", True)
    before = {name: value.clone() for name, value in moved.makers.named_parameters()}
    moved.loop.step = 2
    moved.update()
    changed = {name.split(".")[0] for name, value in moved.makers.named_parameters() if (value != before[name]).any()}
    assert part in changed
    assert ("mapping" in changed) == (ways == "labels")


@pytest.mark.parametrize("sign", [-1, 0, 1])
def test_noise_is_refined_towards_references_away_from_them_or_not(data, tmp_path, sign):
    run = Run(data, tmp_path / "run", NAMES, EXCLUSIVE, recipe(refinement=sign, table="drawn"), "cpu", True)
    before = run.makers.table.clone()
    drawn = run.draw()
    changed = (run.makers.table != before).any(1)
    assert changed.any() == bool(sign)
    assert torch.isfinite(drawn.noise).all()


def test_ways_alone_refine_no_noise(data, tmp_path):
    run = Run(data, tmp_path / "run", NAMES, EXCLUSIVE, recipe(ways="labels"), "cpu", True)
    before = run.makers.table.clone()
    run.draw()
    assert torch.equal(run.makers.table, before)


def test_a_resumed_run_ends_with_the_same_weights_bit_by_bit(data, tmp_path, monkeypatch):
    whole = trained(data, tmp_path / "whole", steps=4)[1]
    save = loop.Loop.save

    def stop(self):
        save(self)
        if self.step == 2:
            raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(loop, "CHECKPOINT_EVERY", 2)
        patch.setattr(loop.Loop, "save", stop)
        with pytest.raises(KeyboardInterrupt):
            trained(data, tmp_path / "parts", steps=4)
    again = trained(data, tmp_path / "parts", steps=4, resume=True)[1]
    assert again["networks"] == whole["networks"]


def test_the_discriminator_counts_less_while_polishing(data, tmp_path):
    changed = recipe(steps=2, alone=0, polish=1.0, polish_adversarial=0.25)
    run = Run(data, tmp_path / "run", NAMES, EXCLUSIVE, changed, "cpu", True)
    drawn, found = run.draw(), []
    for run.loop.step in (1, 2):
        found.append(run.forward(drawn)[0])
    torch.testing.assert_close(found[1]["adversarial"], 0.25 * found[0]["adversarial"])
    torch.testing.assert_close(found[1]["attributes"], found[0]["attributes"])


def test_labels_reach_more_of_a_code_through_an_encoder_without_norms():
    picture, difference = torch.rand(2, 3, SIDE, SIDE) * 2 - 1, torch.tensor([[0.0, 1, 0, 0]] * 2)

    def apart(norms, seed):
        torch.manual_seed(seed)
        encoder = replace(SHAPE, code_norms=norms).encoder().apply(start_glorot)
        one, other = encoder(picture, difference), encoder(picture, -difference)
        return float(((one - other).abs().mean() / one.mean()).detach())

    assert all(apart(False, seed) > 1.2 * apart(True, seed) for seed in range(4))


def test_codes_depend_on_what_is_asked_for_before_anything_is_learned(data, tmp_path):
    run = Run(data, tmp_path / "run", NAMES, EXCLUSIVE, recipe(), "cpu", True)
    for entry, known in ((run.makers.encoder.entry, 3), (run.makers.mapping.entry, SHAPE.noise)):
        asked, others = entry.weight[:, known:], entry.weight[:, :known]
        assert asked.abs().max() > 2 * others.abs().max()


def test_a_code_without_norms_can_be_nothing():
    picture, nothing = torch.rand(1, 3, SIDE, SIDE), torch.zeros(1, len(NAMES))
    for norms in (True, False):
        encoder = replace(SHAPE, code_norms=norms).encoder()
        for parameter in encoder.last.parameters():
            torch.nn.init.constant_(parameter, -1)
        assert bool(encoder(picture, nothing).any()) == norms


class Recording:
    """Networks that keep what they are given: codes are what is asked for, pictures what they were."""

    def __init__(self):
        self.encoded, self.mapped, self.painted = [], [], []

    def encoder(self, picture, difference):
        self.encoded.append((picture, difference))
        return difference.sum(1)[:, None, None, None]

    def mapping(self, noise, difference):
        self.mapped.append((noise, difference))
        return difference.sum(1)[:, None, None, None]

    def generator(self, picture, code):
        self.painted.append((picture, code))
        return picture


@pytest.fixture
def asked_back():
    """Two pictures of dark reds, two references of light blues, and the upper half of each as a place."""
    source, reference = torch.full((2, 3, 8, 8), -0.5), torch.full((2, 3, 8, 8), 0.5)
    source[:, 0], reference[:, 2] = -0.25, 1.0
    where = torch.zeros(2, 1, 8, 8)
    where[:, :, :4] = 1
    return SimpleNamespace(source=source, reference=reference, noise=torch.randn(2, 5)), where


def test_a_change_is_taken_back_by_a_reference_that_is_right_in_its_place_alone(asked_back):
    asked, where = asked_back
    makers, gone = Recording(), torch.tensor([[-1.0, 0.0], [-1.0, 1.0]])
    back(makers, asked, gone, where)
    (changed, _), (reference, towards) = makers.encoded
    assert torch.equal(changed[:, :, :4], asked.reference[:, :, :4])
    assert torch.equal(changed[:, :, 4:], asked.source[:, :, 4:])
    assert torch.equal(reference[:, :, :4], asked.source[:, :, :4])
    assert torch.equal(reference[:, :, 4:], asked.reference[:, :, 4:])
    assert torch.equal(towards, -gone)
    assert not makers.mapped  # labels do not say which it was


def test_what_was_beneath_is_told_neither_by_labels_nor_by_the_colours_of_a_reference(asked_back):
    asked, where = asked_back
    makers, added = Recording(), torch.tensor([[1.0, 0.0], [-1.0, 0.0]])
    colours = set()
    for seed in range(40):
        torch.manual_seed(seed)
        back(makers, asked, added, where)
        reference = makers.encoded[-1][0]
        assert torch.equal(reference[1, :, :4], asked.source[1, :, :4])
        colours.add(tuple(reference[0, :, 0, 0].tolist()))
    assert len(colours) == 6  # two colours of three are the same, light or dark
    noise, towards = makers.mapped[0]
    assert torch.equal(noise, asked.noise[:1])
    assert torch.equal(towards, -added[:1])


def test_a_picture_that_came_back_costs_nothing_and_one_way_is_asked_alone(asked_back):
    asked, where = asked_back
    added = torch.tensor([[1.0, 0.0], [1.0, 0.0]])
    for ways, count in ((("labels",), 1), (("reference",), 1), (("labels", "reference"), 2)):
        makers = Recording()
        apart = back(makers, asked, added, where, ways=ways)
        assert len(makers.painted) == count
        assert apart == pytest.approx(float((asked.source - asked.reference).abs().mean() / 2))
        makers.generator = lambda picture, code: asked.source
        assert back(makers, asked, added, where, ways=ways) == 0
    assert back(Recording(), asked, -added, where, ways=("labels",)) == 0  # nothing that labels could tell


@pytest.mark.parametrize("ways", ["both", "reference", "labels"])
def test_changes_are_taken_back_if_that_counts(data, tmp_path, ways):
    for weight, alone in ((7.0, 0), (7.0, 1), (0.0, 0), (0.0, 1)):
        asked = recipe(alone=alone, ways=ways, weights=Weights(back=weight))
        run = Run(data, tmp_path / "run", NAMES, EXCLUSIVE, asked, "cpu", True)
        losses, _ = run.forward(run.draw())
        assert ("back" in losses) == bool(weight)
        assert ("adversarial" in losses) == (not alone)


def test_around_the_places_of_changes_a_picture_is_to_stay():
    source, where = torch.zeros(1, 3, 4, 4), torch.zeros(1, 1, 4, 4)
    where[:, :, :2] = 1
    inside, outside = source.clone(), source.clone()
    inside[:, :, :2], outside[:, :, 2:] = 1, 1
    assert around(source, [inside], 1 - where) == 0
    assert around(source, [outside], 1 - where) == 0.5
    assert around(source, [inside, outside], 1 - where) == 0.25


@pytest.mark.parametrize("ways", ["both", "reference", "labels"])
def test_what_is_around_counts_from_where_pictures_are_judged(data, tmp_path, ways):
    for weight, alone in ((7.0, 0), (7.0, 1), (0.0, 0)):
        run = Run(
            data,
            tmp_path / "run",
            NAMES,
            EXCLUSIVE,
            recipe(alone=alone, ways=ways, weights=Weights(around=weight)),
            "cpu",
            True,
        )
        assert ("around" in run.forward(run.draw())[0]) == (bool(weight) and not alone)


@pytest.mark.parametrize("table", ["looks", "drawn"])
def test_changes_in_one_place_are_taken_back_by_all_that_is_known(data, tmp_path, monkeypatch, table):
    run = Run(data, tmp_path / "run", NAMES, EXCLUSIVE, recipe(weights=Weights(back=1.0), table=table), "cpu", True)
    seen, place = [], (torch.ones(2, len(NAMES)), torch.ones(2, 1, SIDE, SIDE))
    monkeypatch.setattr(run.order, "draw", lambda count: [2, 0])
    monkeypatch.setattr(run.changes, "in_one_place", lambda apart: seen.append(apart) or place)
    monkeypatch.setattr("ktviz.systems.bridge.losses.back", lambda *given: seen.append(given))
    drawn = run.draw()
    run.back(drawn)
    assert torch.equal(seen[0], drawn.apart)
    (_, _, difference, where, known, ways) = seen[1]
    assert (difference is place[0], where is place[1]) == (True, True)
    assert ways == ("labels", "reference")
    assert known is None if table == "drawn" else torch.equal(known, run.makers.table[[2, 0]])


def test_labels_give_back_what_noise_says_the_picture_had(asked_back):
    asked, where = asked_back
    makers, gone, rows = Recording(), torch.tensor([[-1.0, 0.0], [-1.0, 1.0]]), torch.randn(2, 5)
    back(makers, asked, gone, where, rows)
    noise, towards = makers.mapped[0]
    assert torch.equal(noise, rows)
    assert torch.equal(towards, -gone)
    assert len(makers.painted) == 2


def test_the_table_begins_with_looks_or_drawn(data, tmp_path):
    tables = {}
    for table in ("looks", "drawn"):
        run = Run(data, tmp_path / table, NAMES, EXCLUSIVE, recipe(table=table), "cpu", True)
        torch.manual_seed(0)
        tables[table] = run.first_table()
        assert run.makers.table.shape == tables[table].shape
    torch.manual_seed(0)
    assert torch.equal(tables["drawn"], torch.randn(len(run.data), SHAPE.noise))
    assert not torch.equal(tables["looks"], tables["drawn"])
    with pytest.raises(SettingError, match="table"):
        recipe(table="other")
    with pytest.raises(SettingError, match=r"refinement 1 of looks: .*Begin with table"):
        recipe(refinement=1)


@pytest.mark.parametrize(
    ("groups", "said"), [([("Dark", "Blnd")], "exclusive 'Blnd': no attribute"), (("Hat",), "exclusive")]
)
def test_groups_of_strangers_are_refused(data, tmp_path, groups, said):
    with pytest.raises(SettingError, match=said):
        train(data, tmp_path / "run", attributes=NAMES, exclusive=groups, recipe=recipe(), evaluation={}, quiet=True)
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("single", [0.0, 1.0])
def test_one_change_or_all_are_asked_for(data, tmp_path, single):
    run = Run(data, tmp_path / "run", NAMES, EXCLUSIVE, recipe(single=single), "cpu", True)
    counts = [run.draw().difference.abs().sum(1) for _ in range(20)]
    most = max(len(group) for group in EXCLUSIVE)
    assert (torch.cat(counts).max() <= most) == bool(single)


def test_how_far_both_ways_are_apart_and_the_slope_join_the_history(data, tmp_path):
    log, _ = trained(data, tmp_path / "run")
    last = log["history"][-1]
    assert 0 < last["apart"] < 2
    assert np.isfinite(last["slope"])
    assert last["slope"] > 0


def test_a_slope_is_that_of_a_plane_and_the_penalty_is_its_distance_from_one():
    direction = torch.zeros(1, 3, 4, 4)
    direction[0, 0, 1, 1], direction[0, 2, 3, 0] = 3.0, 4.0

    def judge(picture):
        return (picture * direction).flatten(1).sum(1), None

    real, fake = torch.rand(2, 3, 4, 4), torch.rand(2, 3, 4, 4)
    assert slopes(judge, real, fake, torch.rand(2, 1, 1, 1)).tolist() == [5.0, 5.0]
    assert float(penalty(judge, real, fake, torch.rand(2, 1, 1, 1))) == 16.0


def test_nothing_to_change_is_no_trouble(step):
    """Check 9 of the method: a batch without a difference."""
    asked = replace(step.asked, wanted=step.asked.has)
    losses = makers_losses(step.makers, step.judge, asked, made(step.makers, asked))
    assert all(torch.isfinite(loss) for loss in losses.values())


def test_a_picture_is_seldom_its_own_reference_however_small_the_batch():
    order = Order(9, 0)
    for count in (2, 3, 8):
        drawn = [order.mixed(count) for _ in range(1200)]
        own = [sum(place == number for number, place in enumerate(each)) for each in drawn]
        assert set(own) == {0, count}
        assert 8 <= sum(map(bool, own)) <= 36  # one in 60 of 1,200
        assert all(sorted(each) == [*range(count)] for each in drawn)
    assert order.mixed(1) == [0]


def test_noise_that_changes_nothing_stays_a_number(step):
    noise = torch.rand(2, SHAPE.noise)
    dead = SimpleNamespace(
        mapping=lambda noise, wanted: 0 * noise.sum() + torch.zeros(2, 6, 16, 16), encoder=step.makers.encoder
    )
    found = refined(dead, step.asked.reference, step.asked.wanted - step.asked.has, noise, 1)
    torch.testing.assert_close(found, noise)


def test_nothing_to_change_leaves_no_nan_in_noise_slopes_or_gradients(step):
    asked = replace(step.asked, wanted=step.asked.has)
    noise = refined(step.makers, asked.reference, asked.wanted - asked.has, asked.noise, 1)
    assert torch.isfinite(noise).all()
    networks = [step.makers.encoder, step.makers.mapping, step.makers.generator, step.judge]
    for network in networks:
        network.requires_grad_(True).zero_grad()
    found = made(step.makers, replace(asked, noise=noise))
    lost = sum(makers_losses(step.makers, step.judge, asked, found).values())
    between = [torch.rand(2, 1, 1, 1)]
    lost = lost + sum(judge_losses(step.judge, asked, [found.labels.detach()], between).values())
    lost.backward()
    gradients = [p.grad for network in networks for p in network.parameters() if p.grad is not None]
    assert len(gradients) > 20
    assert all(torch.isfinite(gradient).all() for gradient in gradients)


def test_the_check_of_nothing_to_change_sees_a_gradient_that_is_no_number(step):
    asked, networks = replace(step.asked, wanted=step.asked.has), networks_of(1)
    assert learns_finite(networks, SHAPE.discriminator(), asked)
    assert not any(weight.requires_grad for weight in networks.parameters())

    class Steep(torch.nn.Module):
        """Its value is a number; the root of nothing has no slope."""

        def __init__(self):
            super().__init__()
            self.inner = SHAPE.discriminator()

        def forward(self, picture):
            real, has = self.inner(picture)
            return real + (0 * picture).square().flatten(1).sum(1).sqrt().mean(), has

    assert all(bool(found.isfinite().all()) for found in Steep()(asked.source))
    assert not learns_finite(networks, Steep(), asked)


def test_a_resumed_run_keeps_its_groups_and_two_of_a_group_are_refused(data, tmp_path):
    trained(data, tmp_path / "run")
    other = {"attributes": NAMES, "exclusive": [], "recipe": recipe(), "evaluation": {}, "resume": True, "quiet": True}
    with pytest.raises(TrainingError, match="exclusive"):
        train(data, tmp_path / "run", **other)
    table = (data / "attributes.csv").read_text().splitlines()
    first = table[1].split(",")[0]
    table[1] = ",".join([first, *("1" for _ in NAMES)])
    (data / "attributes.csv").write_text("\n".join(table) + "\n")
    with pytest.raises(TrainingError, match=f"training on {first}.*Give it one of them"):
        trained(data, tmp_path / "other")


@pytest.mark.parametrize("bad", [{"alone": -1}, {"alone": 2.5}, {"alone": "x"}, {"refinement": True}])
def test_recipes_out_of_range_are_refused(bad):
    with pytest.raises(SettingError):
        recipe(**bad)


def test_ways_that_do_not_exist_are_refused():
    with pytest.raises(SettingError, match="ways"):
        recipe(ways="neither")
