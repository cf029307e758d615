"""Model cards say what the logs of their weights and the benchmarks say, and their pictures are there."""

import json
import re

import pytest

from docs import make_card
from ktviz.systems.munit.shape import Shape
from ktviz.training.munit import Recipe, train

CARDS = [system for system in make_card.BLOCKS if (make_card.weights(system) / "MODEL_CARD.md").exists()]


def card_of(system):
    return (make_card.weights(system) / "MODEL_CARD.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("system", CARDS)
def test_the_numbers_of_a_card_are_those_of_the_log_and_the_benchmarks(system):
    assert make_card.filled(card_of(system), make_card.BLOCKS[system], make_card.read_log(system)) == card_of(system)


@pytest.mark.parametrize("page", make_card.TABLES)
def test_a_page_of_measurements_says_what_the_benchmarks_found(page):
    text = (make_card.ROOT / page).read_text(encoding="utf-8")
    tables = {name: make_card.result(name) for name in make_card.TABLES[page]}
    assert make_card.filled(text, tables, {}) == text
    assert all(f"<!-- {name} -->" in text for name in tables)


def test_other_weights_give_another_card():
    log = json.loads(json.dumps(make_card.read_log("image_analogy")))
    log["scores"]["photos_eval"]["conv4_1"]["found"] = 0.12345
    assert "| conv4_1 | 0.123 |" in make_card.filled(card_of("image_analogy"), make_card.BLOCKS["image_analogy"], log)


def test_the_recipe_of_two_domains_counts_the_pictures_of_each(tmp_path, save, paint):
    for name, count in (("drawings", 6), ("photographs", 7)):
        for number in range(count):
            save(tmp_path / name / f"{number}.png", paint(number, 64, 64))
    shape = Shape(4, blocks=1, hidden=8, discriminator_width=4, layers=2, scales=1)
    recipe = Recipe(steps=1, coarse=0.0, crop=(64, 64), shape=shape)
    folders = (tmp_path / "drawings", tmp_path / "photographs")
    log = train(folders, tmp_path / "run", recipe=recipe, evaluation={}, quiet=True)
    said = make_card.domains_recipe(log)
    first, second = (digest[:12] for digest in log["data"]["digest"].split())
    assert f"| training pictures | 6 drawings, 7 photographs; digests `{first}`, `{second}` |" in said
    assert f"| generators | `{log['generators'][:12]}` |" in said
    assert "`weights` (" in said


@pytest.mark.parametrize(
    ("data", "files", "said"),
    [
        ({"pairs": 5}, {"encoder": "e" * 64, "generator": "g" * 64}, "| training pairs | 5, digest `dddddddddddd` |"),
        ({"pictures": 7}, {"networks": "n" * 64}, "| training pictures | 7, digest `dddddddddddd` |"),
    ],
)
def test_a_recipe_says_what_was_learned_from_and_what_came_of_it(data, files, said):
    versions = {"ktviz": "1", "torch": "2", "device": "cpu", "seconds": 60}
    log = {"recipe": {"steps": 3, "weights": {"same": 1.5}}, "data": {**data, "digest": "d" * 64}, **versions, **files}
    made = make_card.maps_recipe(log)
    assert said in made
    assert "`steps` 3, `weights` (same 1.5)" in made
    assert all(f"`{digest[:12]}`" in made for digest in files.values())


@pytest.mark.parametrize("system", CARDS)
def test_the_pictures_of_a_card_are_there_and_small(system):
    names = re.findall(r"!\[[^\]]+\]\(([^)]+)\)", card_of(system))
    assert len(names) >= 2
    for name in names:
        assert (make_card.weights(system) / name).stat().st_size <= 300_000
