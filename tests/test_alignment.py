"""Alignment: moments that add up, features brought to them, parts that sum to the whole, and traces of old versions."""

from dataclasses import asdict, replace

import numpy as np
import pytest
import torch

import ktviz as kt
from ktviz.errors import SettingError
from ktviz.explain.case import case_of
from ktviz.explain.gradient import gradient, mean_gradient
from ktviz.explain.result import one_site
from ktviz.library.format import LibrarySettings
from ktviz.library.kinds.patches.grid import PatchGrid
from ktviz.library.library import Library
from ktviz.regions import Box
from ktviz.systems.kt.alignment import FLOOR, Affine, Moments, aligning
from ktviz.systems.kt.settings import NOT_ALIGNED, Settings, settings_from
from ktviz.systems.kt.tone import Taken, moments_of_map
from ktviz.systems.kt.translator import Translator
from ktviz.trace.trace import Trace

CHANNELS = 6
WAYS = [
    pytest.param({"align": align, "tone": tone}, id=f"{tone}-{align}")
    for tone in ("patches", "sources")
    for align in (0.5, 1)
]


def cells_of(seed, count=400, channels=CHANNELS, spread=1.0):
    """Cells (n, C) of unlike channels that go together."""
    generator = torch.Generator().manual_seed(seed)
    mixing = torch.randn(channels, channels, generator=generator) + 2 * torch.eye(channels)
    return (spread * torch.randn(count, channels, generator=generator) @ mixing + seed).double()


def same(one, other):
    return all(torch.equal(getattr(one, name), getattr(other, name)) for name in ("count", "total", "products"))


def close(one, other, rel=1e-9):
    for name in ("count", "total", "products"):
        value = getattr(other, name)
        assert torch.allclose(getattr(one, name), value, rtol=rel, atol=rel * float(value.abs().max())), name


# Moments


def test_moments_are_count_mean_and_covariance():
    cells = cells_of(1)
    found = Moments.of(cells)
    assert float(found.count) == len(cells)
    assert torch.allclose(found.mean, cells.mean(0))
    assert torch.allclose(found.covariance, cells.T.cov(correction=0))


def test_moments_add_up_and_count_as_often_as_is_said():
    first, second = cells_of(1), cells_of(2, 70)
    close(Moments.of(first) + Moments.of(second), Moments.of(torch.cat((first, second))))
    close(Moments.of(second) * 3, Moments.of(second.repeat(3, 1)))
    assert same(Moments.nothing(CHANNELS) + Moments.of(first), Moments.of(first))


@pytest.mark.parametrize("step", [1, 2, 5, 16])
def test_moments_of_a_map_are_the_same_however_it_is_cut_into_rows_bit_for_bit(step):
    grid, features = PatchGrid(16, 22), torch.randn(CHANNELS, 16, 22, generator=torch.Generator().manual_seed(0))

    def moments(step):
        rows = (slice(start, min(start + step, 16)) for start in range(0, 16, step))
        return moments_of_map(((place, features[:, place]) for place in rows), grid, CHANNELS)

    known = moments(16)
    assert same(moments(step), known)
    # As often as queries cover each cell: the moments of all query patches.
    patches = grid.unfold(features)
    close(known, Moments.of(patches.movedim(1, -1).reshape(-1, CHANNELS)), rel=1e-6)


@pytest.mark.parametrize("count", [1, 2, 5, 13])
def test_an_affine_change_does_not_depend_on_how_many_rows_it_is_given_bit_for_bit(count):
    generator = torch.Generator().manual_seed(3)
    weight = torch.randn(CHANNELS, CHANNELS, generator=generator, dtype=torch.float64)
    change = Affine(weight, torch.randn(CHANNELS, generator=generator, dtype=torch.float64))
    features = torch.randn(CHANNELS, 13, 21, generator=generator)
    whole = change(features)
    parts = [change(features[:, start : start + count]) for start in range(0, 13, count)]
    assert torch.equal(torch.cat(parts, 1), whole)
    expected = torch.einsum("dc,cyx->dyx", weight, features.double()) + change.bias[:, None, None]
    assert torch.allclose(whole.double(), expected, rtol=1e-6, atol=1e-5)


# Aligning


def aligned(cells, change):
    return cells @ change.weight.T + change.bias


def test_aligning_brings_mean_and_covariance_to_the_target():
    cells, target = cells_of(1), Moments.of(cells_of(2, spread=0.3))
    found = Moments.of(aligned(cells, aligning(Moments.of(cells), target)))
    assert torch.allclose(found.mean, target.mean, rtol=1e-6, atol=1e-6)
    assert torch.allclose(found.covariance, target.covariance, rtol=1e-6, atol=1e-6)


def test_what_is_aligned_to_its_own_moments_stays():
    cells = cells_of(1)
    change = aligning(Moments.of(cells), Moments.of(cells))
    assert torch.allclose(aligned(cells, change), cells, rtol=1e-9, atol=1e-9)


def test_a_part_of_the_way_is_that_part():
    of, to, cells = Moments.of(cells_of(1)), Moments.of(cells_of(2)), cells_of(3)
    whole = aligned(cells, aligning(of, to))
    assert torch.equal(aligned(cells, aligning(of, to, 0)), cells)
    assert torch.allclose(aligned(cells, aligning(of, to, 0.3)), 0.7 * cells + 0.3 * whole)


def test_channels_that_hardly_vary_are_not_made_loud():
    cells = cells_of(1) @ torch.diag(torch.tensor([1, 1, 1, 1, 1, 1e-7], dtype=torch.float64))
    change = aligning(Moments.of(cells), Moments.of(cells_of(2)))
    largest = float(torch.linalg.eigvalsh(Moments.of(cells).covariance)[-1])
    target = float(torch.linalg.eigvalsh(Moments.of(cells_of(2)).covariance)[-1])
    assert float(torch.linalg.matrix_norm(change.weight, 2)) <= (target / (FLOOR * largest)) ** 0.5 * (1 + 1e-9)


@pytest.mark.parametrize("level", [0.0, 0.3, 1e3])
def test_what_does_not_vary_takes_the_mean_and_no_noise(level):
    flat = Moments.of(torch.full((50, CHANNELS), level, dtype=torch.float64))
    target = Moments.of(cells_of(2))
    change = aligning(flat, target)
    assert not change.weight.any()
    assert torch.allclose(change.bias, target.mean)
    assert torch.allclose(aligned(cells_of(1), aligning(Moments.of(cells_of(1)), flat)).mean(0), flat.mean)


# Moments of knowledge


def test_moments_of_winners_are_those_of_their_patches_each_as_often_as_it_was_taken(world, monkeypatch):
    winner = torch.tensor([5, 700, 5, 5, 123])
    cells = torch.cat([world.banks.patches(winner[n : n + 1])[0].flatten(1).T for n in range(len(winner))])
    known = Taken(world.banks, winner, "patches").moments
    close(known, Moments.of(cells))
    monkeypatch.setattr("ktviz.systems.kt.tone.PATCHES_AT_ONCE", 2)
    close(Taken(world.banks, winner, "patches").moments, known)


def test_moments_of_sources_count_each_as_often_as_it_was_taken(world):
    source = world.banks.source_of(torch.arange(len(world.banks)))
    first, second = ((source == n).nonzero()[0, 0] for n in (0, 3))
    alone = [Taken(world.banks, torch.stack([one]), "sources").moments for one in (first, second)]
    both = Taken(world.banks, torch.stack([first, second, second]), "sources").moments
    assert float(alone[0].count) == 16
    assert float(both.count) == 3 * 16
    several = Taken(world.banks, first.repeat(10**3), "sources").moments
    patches = world.banks.patches(world.banks.of_source(0))
    assert torch.allclose(several.mean, patches.double().mean((0, 2, 3)))  # then it is known whole


def test_what_is_left_out_of_a_source_has_no_part_in_its_moments(world):
    winner = world.banks.of_source(2)[:1].repeat(10**3)
    excluded = torch.zeros(len(world.banks), dtype=torch.bool)
    excluded[world.banks.of_source(2)[7:]] = True
    found = Taken(world.banks, winner, "sources", excluded).moments
    left = world.banks.patches(world.banks.of_source(2)[:7])
    assert torch.allclose(found.mean, left.double().mean((0, 2, 3)))


# Translations


@pytest.mark.parametrize("without_alignment", [{"align": 0}, {"preset": "paper"}])
def test_without_alignment_one_site_is_asked_and_none_of_the_tone_is_made(world, paint, without_alignment, monkeypatch):
    monkeypatch.setattr(world.translator.tone, "forward", None)
    monkeypatch.setattr("ktviz.systems.kt.pipeline.aligning", None)
    assert world.translator.traced(paint(9), **without_alignment).sites == ["retrieval"]


@pytest.mark.parametrize("how", WAYS)
@pytest.mark.parametrize("kept", [True, False], ids=["features kept", "features made anew"])
def test_a_picture_does_not_depend_on_strips_tiles_chunks_and_memory(world, paint, how, kept, monkeypatch):
    photo, expected = paint(9, 61, 70), Translator.forecast
    known = world.translator.traced(photo, **how)
    monkeypatch.setattr("ktviz.systems.kt.pipeline.QUERIES_PER_STRIP", 20)
    monkeypatch.setattr("ktviz.systems.kt.pipeline.TRANSFERS_AT_ONCE", 7)
    monkeypatch.setattr("ktviz.systems.kt.retrieval.QUERIES_AT_ONCE", 10)
    monkeypatch.setattr("ktviz.networks.tiles.SIDE", 12)

    def forecast(*given, **named):
        return replace(expected(*given, **named), keeps_features=kept)

    monkeypatch.setattr(Translator, "forecast", forecast)
    found = world.translator.traced(photo, **how)
    assert np.array_equal(found.output, known.output)
    assert found.digest == known.digest


@pytest.mark.parametrize("how", WAYS)
def test_threads_change_no_bit(world, paint, how):
    known = world.translator.traced(paint(9, 96, 104), **how)
    for threads in (2, 3):
        torch.set_num_threads(threads)
        found = world.translator.traced(paint(9, 96, 104), **how)
        assert np.array_equal(found.output, known.output)
        assert found.digest == known.digest


def test_strength_none_leaves_the_photo_in_the_tone_and_only_without_alignment_the_photo(world, paint):
    photo = paint(9)
    plain = world.translator(photo, align=0, strength=0).image
    toned = world.translator.run(photo, Settings(strength=0))
    assert not np.array_equal(toned.image, plain)
    features = world.translator.encode(photo)
    own = world.translator.own(lambda rows: features[:, rows], toned.grid, toned.settings)
    target = Taken(world.banks, toned.matches.winner, "patches").moments
    once = aligning(own, target)(features)
    twice = aligning(moments_of_map([(slice(0, 16), once)], toned.grid, len(features)), target)(once)
    assert np.abs(toned.image.astype(int) - world.translator.decode(twice)).max() <= 1


@pytest.mark.parametrize("tone", ["patches", "sources"])
@pytest.mark.parametrize("size", [(16, 16), (16, 40), (61, 17)])
def test_a_constant_photo_and_small_ones_give_finite_features(world, paint, size, tone):
    for photo in (np.full((*size, 3), 90, np.uint8), paint(9, *size)):
        result = world.translator(photo, tone=tone)
        assert result.image.shape == (*size, 3)
        assert torch.isfinite(result.matches.winner_similarity).all()


@pytest.fixture(scope="module")
def banks_of(tmp_path_factory, toy, save):
    """`banks_of(pixels)`: a library of one picture."""

    def make(pixels):
        folder = tmp_path_factory.mktemp("one")
        save(folder / "in/one.png", pixels)
        library = Library.ensure(folder / "l.ktlib", toy, LibrarySettings(side_px=16, key_dimensions=32))
        library.build("art/one", [folder / "in"], encoder=toy, quiet=True)
        return library["art/one"]

    return make


@pytest.mark.parametrize("tone", ["patches", "sources"])
def test_a_bank_of_one_constant_source_paints_its_colour(banks_of, toy, toy_decoder, paint, tone):
    colour = (200, 40, 90)
    banks = banks_of(np.full((16, 16, 3), colour, np.uint8))
    for photo in (paint(9), np.full((32, 32, 3), 7, np.uint8)):
        result = Translator(banks, toy, toy_decoder)(photo, tone=tone)
        assert np.abs(result.image.astype(int) - colour).max() <= 2


@pytest.mark.parametrize("tone", ["patches", "sources"])
def test_a_bank_of_one_entry_works(banks_of, toy, toy_decoder, paint, tone):
    banks = banks_of(paint(5, 16, 16))
    assert len(banks) == 1
    trace = Translator(banks, toy, toy_decoder).traced(paint(9), tone=tone)
    assert set(trace.column("entry")) == {0}
    assert trace.output.std() > 0


# A trace of both sites


def test_leaving_out_removes_a_source_from_both_sites(world, paint):
    trace = world.translator.traced(paint(9))
    for name in trace.sources()["source"][:2]:
        after = kt.without(trace, name)
        assert after.sites == trace.sites
        assert name not in set(after.column("source", winners=False))
        assert np.array_equal(after.output, world.translator(paint(9), without=[name]).image)


@pytest.mark.parametrize("how", [pytest.param({"align": 0}, id="published"), *WAYS])
def test_a_run_made_again_is_the_same(world, paint, how):
    trace = world.translator.traced(paint(9, 45, 52), **how)
    again = world.translator.rerun(trace)
    assert again.digest == trace.digest
    assert np.array_equal(again.output, trace.output)


@pytest.mark.parametrize("how", [pytest.param({"align": 0}, id="published"), *WAYS])
def test_what_was_saved_is_opened_whole_and_made_again(world, paint, how, tmp_path):
    trace = world.translator.traced(paint(9, 45, 52), **how)
    trace.save(tmp_path / "t.parquet", pictures="both")
    opened = Trace.open(tmp_path / "t.parquet")
    assert (opened.digest, opened.sites) == (trace.digest, trace.sites)
    assert opened.sources().equals(trace.sources())
    assert np.array_equal(opened.overlap(), trace.overlap())
    assert world.translator.rerun(opened).digest == trace.digest
    found = kt.attribute(opened, through="gradient", model=world.translator).frame
    assert found.equals(kt.attribute(trace, through="gradient").frame)


@pytest.mark.parametrize("site", ["tone", "retrieval"])
def test_saved_as_one_site_a_trace_still_answers_regret(world, paint, site, tmp_path):
    trace = world.translator.traced(paint(9), preset="paper", align=1)
    trace.site(site).save(tmp_path / "t.parquet")
    opened = Trace.open(tmp_path / "t.parquet")
    assert opened.sites == [site]
    found = opened.regret(model=world.translator)
    assert found["regret"].max() > 0
    assert found.equals(trace.site(site).regret())
    assert found["similarity"].tolist() == opened.column("similarity")[found["query"]].tolist()


def test_an_exact_search_of_aligned_features_regrets_nothing(world, paint):
    trace = world.translator.traced(paint(9), preset="exact", coherence=0)
    for site in trace.sites:
        assert trace.site(site).regret()["regret"].max() < 1e-6


# Parts


@pytest.fixture(params=WAYS)
def blend(request, world, paint):
    """A part of a translation as a function of how much each retrieval contributes."""
    trace = one_site(world.translator.traced(paint(9, 45, 52), strength=0.7, **request.param))
    return world.translator.blend(trace, Box(12, 8, 24, 20))


def check_ends(blend, inside):
    """At the photo where nothing contributes, and at the output where all does."""
    case, amount = blend.case, torch.ones(len(blend.retrievals))
    start = case.model(case.pixels, align=0, strength=0).image[inside]
    for amounts, expected in ((0 * amount, start), (amount, case.trace.output[inside])):
        made = blend(amounts).clamp(0, 1).permute(1, 2, 0) * 255
        assert np.abs(made.numpy() - expected).max() <= 0.51


def test_a_blend_begins_at_the_photo_and_ends_at_the_output(blend):
    check_ends(blend, np.s_[8:28, 12:36])
    amount = torch.ones(len(blend.retrievals))
    for parts in (2, 4):  # ways, and bands
        assert torch.allclose(blend(torch.ones(len(amount), parts)), blend(amount), atol=1e-5)


@pytest.mark.parametrize("how", WAYS)
@pytest.mark.parametrize("transfer", ["statistics", "swap"])
@pytest.mark.parametrize(("flat_source", "flat_photo"), [(True, False), (False, True), (True, True)])
def test_it_does_so_where_nothing_varies(banks_of, toy, toy_decoder, paint, how, transfer, flat_source, flat_photo):
    banks = banks_of(np.full((16, 16, 3), (200, 40, 90), np.uint8) if flat_source else paint(5, 16, 16))
    photo = np.full((32, 40, 3), 70, np.uint8) if flat_photo else paint(9, 32, 40)
    translator = Translator(banks, toy, toy_decoder)
    trace = one_site(translator.traced(photo, transfer=transfer, **how))
    check_ends(translator.blend(trace, Box(0, 0, 40, 32)), np.s_[:32, :40])


def changes_of(blend, amount):
    return blend.gather(amount) - blend.gather(torch.zeros_like(amount))


def test_the_parts_of_all_retrievals_add_up_to_the_whole(blend):
    count = len(blend.retrievals)
    whole = changes_of(blend, torch.ones(count))
    scale = float(whole.abs().max())
    alone = sum(changes_of(blend, torch.eye(count)[n]) for n in range(count))
    assert torch.allclose(alone, whole, atol=1e-4 * scale)
    some = torch.rand(count, generator=torch.Generator().manual_seed(0))
    expected = sum(some[n] * changes_of(blend, torch.eye(count)[n]) for n in range(count))
    assert torch.allclose(changes_of(blend, some), expected, atol=1e-4 * scale)


def test_tone_and_patch_add_up_to_the_whole(blend):
    amount = torch.rand(len(blend.retrievals), generator=torch.Generator().manual_seed(1))
    nothing = torch.zeros_like(amount)
    tone, patch = (torch.stack(pair, 1) for pair in ((amount, nothing), (nothing, amount)))
    both = changes_of(blend, amount)
    assert blend.ways == ("tone", "patch")
    assert torch.allclose(changes_of(blend, tone) + changes_of(blend, patch), both, atol=1e-5 * float(both.abs().max()))
    assert changes_of(blend, tone).abs().max() > 0
    assert changes_of(blend, patch).abs().max() > 0


def test_bands_add_up_to_the_whole(blend):
    amount = torch.rand(len(blend.retrievals), generator=torch.Generator().manual_seed(2))
    bands = [torch.zeros(len(amount), 4) for _ in range(4)]
    for n in range(4):
        bands[n][:, n] = amount
    whole = changes_of(blend, amount)
    assert torch.allclose(sum(changes_of(blend, band) for band in bands), whole, atol=1e-5 * float(whole.abs().max()))


class Bent(torch.nn.Module):
    """A decoder whose gradient depends on where one stands."""

    channels = 8

    def forward(self, features):
        return torch.sigmoid(4 * features[:, :3] - 2).repeat_interleave(4, dim=2).repeat_interleave(4, dim=3)


@pytest.mark.parametrize("how", [pytest.param({"align": 0}, id="published"), *WAYS])
def test_the_gathered_gradient_is_the_generic_one(world, paint, how):
    translator = Translator(world.banks, world.translator.encoder, Bent())
    blend = translator.blend(one_site(translator.traced(paint(9, 32, 40), **how)), Box(8, 8, 16, 12))
    count = len(blend.retrievals)
    for shape in ((count,), (count, 4), *([(count, len(blend.ways))] if blend.ways else [])):
        amount = torch.ones(shape)
        with torch.no_grad():
            direction = blend(amount) - blend(torch.zeros_like(amount))
        found = gradient(blend, amount.clone(), direction)
        with torch.enable_grad():
            generic = mean_gradient(blend, torch.zeros_like(amount), amount, direction)
        scale = float(direction.square().sum())
        assert found.shape == amount.shape
        assert (found - generic).abs().max() <= 1e-5 * scale
        assert float(found.sum()) == pytest.approx(scale, rel=1e-3)


@pytest.mark.parametrize("how", WAYS)
def test_shares_by_gradient_say_what_came_by_tone_and_what_by_patch(world, paint, how):
    trace = world.translator.traced(paint(9), **how)
    found = kt.attribute(trace, Box(8, 8, 30, 30), through="gradient")
    assert found.frame["share"].to_numpy() == pytest.approx((found.frame["tone"] + found.frame["patch"]).to_numpy())
    assert found.about["ways"] == pytest.approx({way: found.frame[way].sum() for way in ("tone", "patch")})
    assert found.about["ways"]["tone"] > abs(found.about["ways"]["patch"]) > 0  # of the default strength, little
    assert "tone" not in kt.attribute(world.translator.traced(paint(9), align=0), through="gradient").frame


# Settings, and traces of versions that knew none of it


@pytest.mark.parametrize("wrong", [{"align": -0.1}, {"align": 1.01}, {"align": float("nan")}, {"align": "x"}])
def test_amounts_outside_0_to_1_are_refused(wrong):
    with pytest.raises(SettingError, match="align"):
        Settings(**wrong)


def test_an_unknown_tone_is_refused_with_those_that_exist():
    with pytest.raises(SettingError, match="tone 'sources': nothing is aligned"):
        Settings(tone="sources", align=0)
    with pytest.raises(SettingError, match=r"tone.*patches, sources"):
        Settings(tone="x")


def without_alignment(trace):
    """The trace as a version that did not align would have written it."""
    settings = {name: value for name, value in trace.picture.settings.items() if name not in NOT_ALIGNED}
    return trace.with_settings(settings)


def test_settings_that_say_nothing_of_alignment_are_those_without_it():
    stored = {"preset": "beam", "strength": 1.0, "max_gain": 3.5, "coherence": 0.06, "without": []}
    assert settings_from(stored) == Settings(align=0)
    assert settings_from({**stored, "align": 0.5}) == replace(Settings(align=0), align=0.5)


def test_a_trace_of_a_version_without_alignment_is_opened_made_again_and_explained_as_such(world, paint, tmp_path):
    trace = world.translator.traced(paint(9), align=0)
    without_alignment(trace).save(tmp_path / "old.parquet", pictures="both")
    old = Trace.open(tmp_path / "old.parquet")
    assert not NOT_ALIGNED.keys() & old.picture.settings.keys()
    again = world.translator.rerun(old)
    assert again.digest == old.digest
    assert again.table.equals(trace.table)
    assert np.array_equal(again.output, trace.output)
    for through in ("overlap", "gradient", "ablation"):
        found = kt.attribute(old, through=through, model=world.translator).frame
        assert found.equals(kt.attribute(trace, through=through).frame), through
    after = kt.without(old, "a", model=world.translator)
    assert np.array_equal(after.output, world.translator(paint(9), align=0, without=["a"]).image)
    assert kt.compare(old, after, model=world.translator).about["differs"] == ["without: nothing → art/warm/a.png"]
    assert world.translator.rerun(old, align=1).digest == world.translator.traced(paint(9), strength=1.0).digest
    assert old.regret(model=world.translator).equals(trace.regret())
    assert not case_of(old, model=world.translator).system.blend(old, Box(0, 0, 16, 16)).ways


def test_an_audit_of_a_version_without_alignment_is_verified(world, paint, tmp_path):
    old = without_alignment(world.translator.traced(paint(9), align=0))
    kt.Audit.create(old, top=1, sample=5, model=world.translator).save(tmp_path / "audit")
    verdict = kt.verify(tmp_path / "audit", world.library, model=world.translator)
    assert verdict.ok, verdict.difference


@pytest.mark.parametrize(
    ("settings", "silent"),
    [
        ({}, set()),
        ({"preset": "paper"}, {"beam"}),
        ({"transfer": "swap"}, {"max_gain"}),
        ({"strength": 0}, {"max_gain", "transfer"}),
        ({"preset": "exact", "strength": 0}, {"beam", "max_gain", "transfer"}),
    ],
)
def test_settings_that_change_nothing_beside_others_are_only_stated(settings, silent):
    stated = asdict(Settings(**settings))
    assert kt.Translator.only_stated(stated) == {name: stated[name] for name in silent}


@pytest.mark.parametrize("weights", [(1e-30, 0, 0, 0), (1e38, 1, 1, 0), (1e-7, 1e-7, 0, 0)])
def test_band_weights_beyond_what_is_precise_are_refused(weights):
    with pytest.raises(SettingError, match="Only their ratios count"):
        Settings(band_weights=weights)


def test_a_bound_that_bounds_nothing_is_refused():
    with pytest.raises(SettingError, match="gain bound"):
        Settings(max_gain=1e308)
