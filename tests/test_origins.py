"""Where cells of an output come from, and how far two runs agree: against sums and permutations made by hand."""

from itertools import permutations
from typing import ClassVar

import numpy as np
import pytest
import torch
from torch import nn

import ktviz as kt
from ktviz.errors import MismatchError, RegionError, SettingError, TraceError
from ktviz.explain.origins import agreement, origins
from ktviz.regions import Box

SIDE = 64
CELLS = 8
PX = SIDE // CELLS


class Sized(kt.Catalogue):
    """A catalogue that knows how large its sources are, and digests of their files."""

    digests_of: ClassVar = {}

    def describe_sources(self):
        sizes = {"width": SIDE, "height": SIDE}
        known = super().describe_sources()
        return [{**one, **sizes, "sha256": self.digests_of.get(one["source"], "unknown")} for one in known]


class Model(nn.Module):
    """A model whose retrievals are what is given."""

    def __init__(self, matches, queries, catalogue, **site):
        super().__init__()
        self.matches, self.inside = matches, nn.Identity()
        self.site = kt.adapt(self.inside, lambda inputs, output: matches, queries=queries, catalogue=catalogue, **site)

    def forward(self, image):
        return self.inside(image)


def run(matches, catalogue=None, queries=None, side=SIDE, **site):
    """The trace of a run that takes what is given."""
    catalogue = Sized.positions(["a"], CELLS, CELLS, PX) if catalogue is None else catalogue
    queries = kt.Queries.grid(CELLS, CELLS, side // CELLS) if queries is None else queries
    model = Model(matches, queries, catalogue, **site)
    with kt.record(model, model.site) as trace:
        model(torch.zeros(1, 3, side, side))
    return trace


def placed(entry, *args, **site):
    """The trace of a run in which every cell takes one entry."""
    entry = torch.as_tensor(np.asarray(entry).reshape(-1, 1))
    return run(kt.Matches.hard(entry, torch.ones(entry.shape)), *args, **site)


def mixed(weights, *args, top=CELLS**2, **site):
    """The trace of a run in which every cell mixes entries: weights (64, entries)."""
    return run(kt.Matches.soft(torch.as_tensor(weights).float(), top), *args, **site)


IDENTITY = np.arange(CELLS**2)
SHUFFLED = np.random.default_rng(0).permutation(CELLS**2)
RANDOM = np.random.default_rng(1).dirichlet(np.full(CELLS**2, 0.1), CELLS**2)
OTHER = np.random.default_rng(2).dirichlet(np.full(CELLS**2, 0.1), CELLS**2)


@pytest.mark.parametrize("trace", [placed(SHUFFLED), mixed(RANDOM), mixed(RANDOM, top=5)], ids=["hard", "soft", "rest"])
def test_a_run_agrees_with_itself_as_far_as_can_be_known(trace):
    found = agreement(trace, trace, CELLS)
    assert found.above_chance == pytest.approx(1)
    assert found.share == pytest.approx(1 - trace.column("left_over").mean(), abs=1e-6)


def test_equal_parts_of_what_both_know_agree_and_what_is_left_over_does_not():
    rest = mixed(RANDOM, top=5)
    found = agreement(rest, mixed(RANDOM), CELLS)
    kept = np.sort(RANDOM, 1)[:, -5:].sum(1)
    assert found.cells.reshape(-1) == pytest.approx(kept, abs=1e-6)
    assert found.most.reshape(-1) == pytest.approx(kept, abs=1e-6)
    assert found.above_chance == pytest.approx(1)
    assert origins(rest, CELLS).known == pytest.approx(kept, abs=1e-6)


def test_chance_is_the_mean_over_all_orders_of_the_cells():
    count = 4
    one, other = (np.random.default_rng(n).dirichlet(np.full(count, 0.4), count) for n in (3, 4))
    catalogue, queries = Sized.positions(["a"], 2, 2, SIDE // 2), kt.Queries.grid(2, 2, SIDE // 2)
    found = agreement(*(mixed(weights, catalogue, queries, top=count) for weights in (one, other)), 2)
    by_hand = [np.minimum(one, other[list(order)]).sum(1).mean() for order in permutations(range(count))]
    assert found.chance == pytest.approx(np.mean(by_hand), abs=1e-6)
    assert found.share == pytest.approx(by_hand[0], abs=1e-6)


def test_a_region_is_asked_about_alone():
    half = np.where(IDENTITY % CELLS < CELLS // 2, IDENTITY, SHUFFLED)
    region = kt.Box(0, 0, SIDE // 2 - 1, SIDE)
    found = agreement(placed(half), placed(IDENTITY), CELLS, region=region)
    assert found.region.tolist() == [[True] * (CELLS // 2) + [False] * (CELLS // 2)] * CELLS
    assert (found.share, found.above_chance) == (pytest.approx(1), pytest.approx(1))
    there = (half % CELLS < CELLS // 2).sum()  # pairs of a cell anywhere and one of the region with the same place
    assert found.chance == pytest.approx((1 / CELLS**2 + there / (CELLS**2 * CELLS**2 / 2)) / 2)
    whole = agreement(placed(half), placed(IDENTITY), CELLS)
    assert whole.region.all()
    assert whole.above_chance < 0.7
    with pytest.raises(RegionError):
        agreement(placed(half), placed(IDENTITY), CELLS, region=kt.Box(0, 0, 2 * SIDE, SIDE))


def test_a_cell_alone_can_agree_above_chance():
    """Its own pair is not all there is to compare with."""
    cell = kt.Box(0, 0, 1, 1)
    same = agreement(placed(IDENTITY), placed(IDENTITY), CELLS, region=cell)
    assert (same.share, same.above_chance) == (pytest.approx(1), pytest.approx(1))
    one = agreement(placed(SHUFFLED), placed(IDENTITY), CELLS, region=cell)
    assert one.share == (SHUFFLED[0] == 0)
    assert one.above_chance == pytest.approx(-1 / (CELLS**2 - 1))


def test_independent_runs_do_not_agree_above_chance():
    shares = [
        agreement(placed(np.random.default_rng(n).permutation(CELLS**2)), placed(IDENTITY), CELLS).above_chance
        for n in range(20)
    ]
    assert abs(np.mean(shares)) < 0.02
    assert abs(agreement(mixed(RANDOM), mixed(OTHER), CELLS).above_chance) < 0.05


@pytest.mark.parametrize("shift", [1, 3, CELLS])
def test_places_that_are_shifted_by_whole_cells_do_not_agree(shift):
    grid = IDENTITY.reshape(CELLS, CELLS)
    found = agreement(placed(grid), placed(np.roll(grid, shift, 1)), CELLS)
    assert found.share == (shift == CELLS)
    assert found.above_chance == pytest.approx(1 if shift == CELLS else -1 / (CELLS**2 - 1))


def test_half_a_cell_aside_is_half_the_agreement():
    boxes = Sized.positions(["a"], CELLS, CELLS, PX).box.clone()
    boxes[:, 0] += PX / 2
    aside = placed(IDENTITY, Sized(["a"], torch.zeros(CELLS**2, dtype=torch.int64), boxes))
    cells = agreement(placed(IDENTITY), aside, CELLS).cells
    assert cells[:, :-1] == pytest.approx(np.full((CELLS, CELLS - 1), 0.5))
    assert cells[:, -1] == pytest.approx(np.ones(CELLS))  # of what ends outside of the source, the part inside counts


def test_part_of_an_output_agrees_where_the_map_says_so():
    half = np.where(IDENTITY % CELLS < CELLS // 2, IDENTITY, SHUFFLED)
    cells = agreement(placed(IDENTITY), placed(half), CELLS).cells
    assert (cells[:, : CELLS // 2] == 1).all()
    assert cells[:, CELLS // 2 :].mean() < 0.1


def test_size_does_not_count():
    large = Sized.positions(["a"], CELLS, CELLS, PX)
    found = agreement(placed(SHUFFLED, large), placed(SHUFFLED, large, side=2 * SIDE), CELLS)
    assert found.share == pytest.approx(1)
    assert found.above_chance == pytest.approx(1)


def test_entries_that_are_whole_sources_are_everywhere_in_them():
    whole = placed(np.zeros(CELLS**2), Sized.wholes(["a"]))
    found = origins(whole, CELLS)
    assert found.part.toarray() == pytest.approx(np.full((CELLS**2, CELLS**2), 1 / CELLS**2))
    assert found.spread == pytest.approx(CELLS**2)
    assert np.isnan(agreement(whole, whole, CELLS).above_chance)  # chance alone does that
    assert agreement(whole, placed(SHUFFLED), CELLS).above_chance == pytest.approx(0)
    assert origins(placed(SHUFFLED), CELLS).spread == pytest.approx(1)


def test_sources_are_the_same_by_the_digest_of_their_file_or_by_name(monkeypatch):
    there = [placed(IDENTITY, Sized.positions([name], CELLS, CELLS, PX)) for name in ("a", "b")]
    assert agreement(*there, CELLS).share == 0
    assert agreement(*(origins(trace, CELLS, {"a": "x", "b": "x"}) for trace in there)).share == 1
    monkeypatch.setattr(Sized, "digests_of", {"a": "f" * 64, "b": "f" * 64})
    there = [placed(IDENTITY, Sized.positions([name], CELLS, CELLS, PX)) for name in ("a", "b")]
    assert origins(there[0], CELLS).sources == ("f" * 64,)
    assert agreement(*there, CELLS).share == 1


def test_what_is_taken_from_the_picture_itself_is_no_knowledge():
    catalogue = Sized.positions(["a", "input"], CELLS, CELLS, PX)
    own = np.concatenate((0.25 * np.eye(CELLS**2), 0.75 * np.eye(CELLS**2)), 1)
    own[0] = np.eye(2 * CELLS**2)[CELLS**2]  # of this cell all
    found = origins(mixed(own, catalogue, top=2), CELLS)
    assert found.sources == ("a",)
    assert found.part.toarray() == pytest.approx(np.diag([0.0] + [1.0] * (CELLS**2 - 1)), abs=1e-6)
    assert found.own == pytest.approx([1.0] + [0.75] * (CELLS**2 - 1), abs=1e-6)


def test_what_took_away_gave_nothing():
    weights = np.zeros((CELLS**2, CELLS**2))
    weights[:, 3], weights[:, 9], weights[:, 17] = 1.2, 0.4, -0.6
    found = origins(mixed(weights, signed=True), CELLS)
    assert found.part.toarray()[0, [3, 9, 17]] == pytest.approx([0.75, 0.25, 0])
    assert found.known == pytest.approx(np.ones(CELLS**2), abs=1e-6)


def test_regions_of_a_label_map_cover_their_own_pixels():
    labels = torch.zeros(SIDE, SIDE, dtype=torch.int64)
    labels[:, 20:], labels[40:] = 5, 9
    queries = kt.Queries.regions(labels, torch.tensor([9, 0, 5, 5]))
    trace = placed([1, 0, 2, 3], Sized.wholes(["a", "b", "c", "d"]), queries)
    part = origins(trace, CELLS).part.toarray().reshape(CELLS, CELLS, 4, -1).sum(3)
    assert part[0, 2] == pytest.approx([0.5, 0, 0.25, 0.25])  # x 16 to 24: half on either side of 20; two ask about 5
    assert part[7, 7] == pytest.approx([0, 1, 0, 0])
    assert part.sum(2) == pytest.approx(np.ones((CELLS, CELLS)))


@pytest.mark.parametrize("cells", [3, 5, 16])
def test_origins_are_overlap_carried_on_to_places(world, paint, cells):
    """Patches overlap, their photograph has no whole cells, and sources are two banks'."""
    trace = world.translator.traced(paint(9, 61, 70)).painting()
    found, about = origins(trace, cells), trace.about["sources"]
    assert found.sources == tuple(source["sha256"] for source in about)
    part = found.part.toarray().reshape(cells, cells, len(about), cells, cells)
    for row, column in ((0, 0), (cells - 1, cells - 1), (cells // 2, cells // 3)):
        top, bottom, left, right = (
            n * s // cells for n, s in ((row, 61), (row + 1, 61), (column, 70), (column + 1, 70))
        )
        overlap = trace.overlap(Box(left, top, right - left, bottom - top))
        expected = np.zeros(part.shape[2:])
        for share, name, (x, y, width, height) in zip(
            overlap, trace.column("source"), trace.column("source_box"), strict=True
        ):
            number = [source["source"] for source in about].index(name)
            edges = np.arange(cells + 1) / cells
            across, down = (
                np.diff(np.clip(edges * about[number][side], start, start + size)) / size
                for side, start, size in (("width", x, width), ("height", y, height))
            )
            expected[number] += share * np.outer(down, across)
        assert part[row, column] == pytest.approx(expected, abs=1e-6)
    assert found.known == pytest.approx(np.ones(cells**2), abs=1e-6)


def test_sizes_that_are_not_known_are_as_far_as_was_taken():
    trace = placed(SHUFFLED, kt.Catalogue.positions(["a"], CELLS, CELLS, PX))
    assert agreement(trace, placed(SHUFFLED), CELLS).share == pytest.approx(1)


def test_what_cannot_be_asked_is_refused(world, paint):
    trace = placed(IDENTITY)
    for cells in (0, 49, SIDE + 1):
        with pytest.raises(SettingError, match=f"cells {cells}: not from 1 to 48"):
            origins(trace, cells)
    with pytest.raises(SettingError, match="41 cells a side: the output has 40x40 px"):
        origins(placed(IDENTITY, side=40), 41)
    with pytest.raises(SettingError, match="not a whole number"):
        origins(trace, 2.5)
    with pytest.raises(MismatchError, match="others have 8"):
        agreement(origins(trace, 4), origins(trace, 8))
    nothing = run(
        kt.Matches.hard(torch.zeros(0, 1).long(), torch.zeros(0, 1)),
        None,
        kt.Queries.regions(torch.zeros(SIDE, SIDE).long(), torch.zeros(0).long()),
    )
    with pytest.raises(TraceError, match="nothing was retrieved"):
        origins(nothing)
