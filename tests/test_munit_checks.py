"""The checks of MUNIT's model card: they run with any networks, and can be passed and failed."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch
from scipy.ndimage import gaussian_filter
from systems.munit.conftest import networks_of

from benchmarks import munit_checks, pots, segmenter
from ktviz.systems.munit.direction import Direction
from ktviz.systems.munit.shape import Shape
from sample_data.generator.pottery.glazes import DECORS, GLAZES, WALLS, Style, style

SIZE = 32


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Six drawings and six photographs, three of one glaze."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("KTVIZ_CACHE", str(tmp_path_factory.mktemp("cache")))
        return pots.held_out(6, seed=10, size=SIZE)


@pytest.fixture
def quick(monkeypatch):
    """A segmenter that hardly learns, and few styles."""
    for name, value in {"STEPS": 1, "BATCH": 2, "SIDE": SIZE}.items():
        monkeypatch.setattr(segmenter, name, value)
    for name, value in {"ASKED": 3, "STYLES": 3, "REAL": 2, "DRAWN": 2, "EXEMPLARS": 2}.items():
        monkeypatch.setattr(munit_checks, name, value)


class Generator:
    """A translator that knows the generator: it shows the very pot of a drawing in a style, or always in the same."""

    def __init__(self, made, constant=False):
        self.forms = {pot.picture.tobytes(): pot.form for pot in made.drawings}
        self.styles = {munit_checks.name_of(pot): style_of(pot) for pot in made.photographs}
        self.constant = constant

    def __call__(self, picture, *, exemplar=None, seed=0):
        look = style(np.random.default_rng([99, seed])) if exemplar is None else self.styles[exemplar]
        look = pots.plain(0) if self.constant else look
        return SimpleNamespace(output=pots.glazed(self.forms[picture.tobytes()], look, SIZE)[0])


def style_of(pot):
    """The style of a photograph, out of the table."""
    known = pot.known
    names = [[*group].index(known[name]) for name, group in NUMBERED]
    shift = tuple(float(part) for part in known["shift"].split())
    return Style(*names, shift, float(known["gloss"]), float(known["share"]))


NUMBERED = (("glaze", GLAZES), ("second", GLAZES), ("decor", DECORS), ("wall", WALLS))


def first_number(row):
    return float(row[1].split(" ")[0].rstrip(",:"))


def test_all_ten_checks_run_with_networks_that_nobody_trained(made, quick):
    networks = networks_of(0, Shape(width=4, blocks=1, codes=4, hidden=8))
    rows = munit_checks.checked(networks, made)
    assert {row[0].split(" ")[0] for row in rows} == {str(n) for n in range(1, 11)}
    assert all(len(row) == 3 and row[1] for row in rows)
    found = {row[0]: row[1] for row in rows}
    assert float(found["9 contributions of cells and bias, less the encoder's code"]) < 1e-5
    assert {value for name, value in found.items() if name.startswith("10 ")} == {"True, 0"}


def test_cells_that_are_not_the_encoder_s_fail_the_identity(made, quick, tmp_path, monkeypatch):
    system = munit_checks.built(networks_of(0, Shape(width=4, blocks=1, codes=4, hidden=8)), made, tmp_path)
    monkeypatch.setattr(Direction, "cells", lambda self, pixels: torch.rand(4, 4, dtype=torch.float64))
    (row,) = munit_checks.identity(system, made.drawings[0], made.photographs)
    assert float(row[1]) > 1e-2


def test_blurred_pictures_are_not_sharp(made):
    pot = made.photographs[0]
    blurred = np.stack([gaussian_filter(pot.picture[..., n].astype(float), 2) for n in range(3)], -1).astype(np.uint8)
    assert munit_checks.sharpness(blurred, pot.mask) < 0.6 * munit_checks.sharpness(pot.picture, pot.mask)
    step = np.zeros((4, 6, 3), np.uint8)
    step[:, 3:] = 90
    assert munit_checks.sharpness(step, np.ones((4, 6), bool)) == pytest.approx(90 / 5 / 2)


def test_pots_are_those_of_the_table(made):
    assert [pot.single for pot in made.photographs].count(True) == 3
    assert not {pot.form for pot in made.photographs} & {pot.form for pot in made.drawings}
    for pot in made.photographs:
        picture, mask = pots.glazed(pot.form, style_of(pot), SIZE)
        assert np.abs(picture.astype(int) - pot.picture).mean() < 4  # it was compressed
        assert np.array_equal(mask, pot.mask)


def test_a_translator_that_knows_the_truth_passes(made, quick, monkeypatch):
    monkeypatch.setattr(munit_checks, "seen", lambda network, picture: np.ones(picture.shape[:2]))
    perfect = Generator(made)
    palette = munit_checks.palette_of(made.drawings)
    diverse, sharp = munit_checks.diversity(perfect, made.drawings[:2])
    assert float(diverse[1].rsplit(" ", 1)[1]) > 0.5
    assert float(sharp[1].rsplit(" ", 1)[1]) > 0.7
    (faithful,) = munit_checks.fidelity(perfect, made.drawings[:2], made.photographs, palette)
    assert first_number(faithful) >= 0.8
    colours, pots_ = munit_checks.swapped(perfect, made.drawings, made.photographs, None)
    assert (first_number(colours), first_number(pots_)) == (1, 0)


def test_a_translator_that_makes_one_style_of_all_fails(made, quick, monkeypatch):
    monkeypatch.setattr(munit_checks, "seen", lambda network, picture: np.ones(picture.shape[:2]))
    same = Generator(made, constant=True)
    palette = munit_checks.palette_of(made.drawings)
    assert munit_checks.diversity(same, made.drawings[:2])[0][1].endswith("0.00")
    assert first_number(munit_checks.fidelity(same, made.drawings[:2], made.photographs, palette)[0]) < 0.5
    assert first_number(munit_checks.swapped(same, made.drawings, made.photographs, None)[0]) == 0.5


def test_codes_that_only_say_the_glaze_are_pure(made):
    numbers = {glaze: n for n, glaze in enumerate(GLAZES)}
    names = [munit_checks.name_of(pot) for pot in made.photographs]

    def purity(pots_, codes):
        banks = SimpleNamespace(codes=np.array(codes, float), source_numbers={name: n for n, name in enumerate(names)})
        return munit_checks.purity(SimpleNamespace(banks=banks), pots_)

    twice = [made.photographs[n] for n in (0, 1, 2)]
    pairs = [*twice, *twice]  # each glaze is there again
    codes = [[numbers[pot.known["glaze"]]] for pot in made.photographs]
    assert first_number(purity(pairs, codes)[0]) == 1
    assert first_number(purity(twice, codes)[0]) == 0


def test_the_statistics_are_those_of_the_codes():
    codes = np.random.RandomState(0).standard_normal((500, 3)) * (1, 2, 0.25) + (0, 0, 3)
    mean, deviation = munit_checks.statistics(SimpleNamespace(banks=SimpleNamespace(codes=codes)))
    assert float(mean[1]) == pytest.approx(3, abs=0.1)
    assert deviation[1] == f"{codes.std(0).min():.2f} to {codes.std(0).max():.2f}"


def test_what_is_shared_is_intersection_over_union(monkeypatch):
    found = np.zeros((4, 4), int)
    found[:2] = 1
    monkeypatch.setattr(munit_checks, "seen", lambda network, picture: found)
    assert munit_checks.shared(None, None, np.eye(4) > 0) == pytest.approx(2 / 10)
    assert munit_checks.shared(None, None, found == 1) == 1


def test_reconstruction_is_of_each_domain_with_its_own_networks(made):
    networks = networks_of(0, Shape(width=4, blocks=1, codes=4, hidden=8))
    rows = munit_checks.reconstruction(networks, made)
    for (name, found, _), domain, mine in zip(rows, networks.domains, (made.drawings, made.photographs), strict=True):
        assert domain in name
        known = networks.of(domain)
        apart = []
        for pot in mine:
            x = torch.from_numpy(pot.picture.copy()).permute(2, 0, 1)[None].float() / 127.5 - 1
            with torch.no_grad():
                again = known.decode(known.content(x), known.style(x))
            levels = ((again[0].permute(1, 2, 0) + 1) * 127.5).round().clamp(0, 255).numpy()
            apart.append(-10 * np.log10(np.square((levels - pot.picture) / 255).mean()))
        assert float(found) == pytest.approx(np.mean(apart), abs=0.02)
