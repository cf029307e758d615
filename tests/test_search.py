"""Search against a naive oracle: winners, similarities, exclusion, and banks searched as one."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from ktviz.errors import LibraryError, SettingError, UnknownNameError
from ktviz.images import read_image, to_tensor
from ktviz.library.format import LibrarySettings
from ktviz.library.kinds.patches import scan as scan_module
from ktviz.library.kinds.patches.bands import PAPER_WEIGHTS, haar, to_vectors
from ktviz.library.kinds.patches.carried import Carried
from ktviz.library.kinds.patches.compare import compare, rank
from ktviz.library.kinds.patches.entries import Entries
from ktviz.library.kinds.patches.grid import PatchGrid
from ktviz.library.kinds.patches.index import Index, levels
from ktviz.library.kinds.patches.keys import fit_bases, with_units, without_units
from ktviz.library.kinds.patches.lists import Lists
from ktviz.library.kinds.patches.scan import scan
from ktviz.library.kinds.patches.search import SearchSettings, everything, search
from ktviz.library.kinds.patches.tree import Tree
from ktviz.library.library import Library
from ktviz.retrieval.exact import rounding

WEIGHTS = [(1, 1, 1, 0), (1, 1, 1, 1), (0, 0, 0, 1), (1, 0, 0, 0), (0.2, 3, 1, 0.5), (0.5, 1, 3, 0.2)]
PRESETS = ("paper", "beam", "exact")


def oracle(queries, patches, weights=(1, 1, 1, 0)):
    """Weighted bandpass cosine of every query to every patch, in float64: (N, M)."""
    scale = torch.tensor(weights, dtype=torch.float64).sqrt()[:, None, None, None]
    q, p = ((haar(x.double()) * scale).flatten(1) for x in (queries, patches))
    return F.normalize(q, dim=1) @ F.normalize(p, dim=1).T


def all_patches(banks):
    return banks.patches(torch.arange(len(banks)))


def top(queries, banks, count, weights=(1, 1, 1, 0)):
    return oracle(queries, all_patches(banks), weights).topk(count, dim=1)


@pytest.fixture(scope="module")
def queries(toy, paint):
    """Patches of a picture that no bank holds."""
    return PatchGrid(16, 16).unfold(toy(to_tensor(paint(99)))[0])


@pytest.fixture(scope="module")
def large(tmp_path_factory, toy, paint, save):
    """A bank of six pictures with thousands of entries and a two-level tree."""
    root = tmp_path_factory.mktemp("large")
    for n in range(6):
        save(root / "in" / f"{n}.png", paint(100 + n, 128, 128))
    library = Library.ensure(root / "large.ktlib", toy, LibrarySettings(side_px=128, dedupe=1.0, key_dimensions=48))
    library.build("art/large", [root / "in"], encoder=toy, quiet=True)
    return library["art/large"]


@pytest.mark.parametrize("weights", WEIGHTS)
def test_exact_finds_what_the_oracle_finds(world, queries, weights):
    found = world.banks.search(queries, SearchSettings("exact", candidates=5, band_weights=weights))
    value, entry = top(queries, world.banks, 6, weights)
    assert (found.similarity - value[:, :5]).abs().max() < 1e-5
    clear = (value[:, :5] - value[:, 1:]).amin(1) > 1e-5
    assert clear.float().mean() > 0.5
    assert torch.equal(found.entry[clear], entry[clear, :5])


def test_band_similarities_are_the_cosines_within_each_band(world, queries):
    found = world.banks.search(queries, SearchSettings("exact", candidates=3))
    winners = haar(world.banks.patches(found.entry[:, 2])).flatten(2)
    expected = F.cosine_similarity(haar(queries).flatten(2), winners, dim=2)
    assert (found["bands"][:, 2] - expected).abs().max() < 1e-5


def test_weights_do_not_depend_on_their_common_factor(world, queries):
    one = world.banks.search(queries, SearchSettings("exact", band_weights=(1, 2, 3, 0)))
    ten = world.banks.search(queries, SearchSettings("exact", band_weights=(10, 20, 30, 0)))
    assert (one.similarity - ten.similarity).abs().max() < 1e-5


@pytest.mark.parametrize("weights", [w for w in WEIGHTS if w[0]])  # HH alone is noise to the keys: use exact
def test_beam_reaches_95_percent_of_the_exact_winners(large, queries, weights):
    exact = large.search(queries, SearchSettings("exact", candidates=1, band_weights=weights))
    beam = large.search(queries, SearchSettings("beam", band_weights=weights))
    assert len(large.banks[0].tree.leaves) > 32
    hit = beam.similarity[:, 0] >= exact.similarity[:, 0] - 1e-6
    assert hit.float().mean() >= 0.95


def fit_projection(entries, dimensions):
    """Directions and units from all entries."""
    vectors = entries.vectors(torch.arange(len(entries)))
    bases = fit_bases(vectors, dimensions)
    return with_units(bases, without_units(bases).of_few(vectors)[0].abs().amax(0))


def test_what_few_entries_hold_counts_where_a_photo_holds_much_of_it():
    """A channel of which 1 entry in 100 holds anything decides between these for a query that holds nothing else."""
    random = torch.Generator().manual_seed(0)
    features = torch.rand(40, 40, 16, generator=random)
    features[:, :, 3] = 0
    features[:4, :8, 3] = torch.rand(4, 8, generator=random)
    y, x = (axis.flatten() for axis in torch.meshgrid(torch.arange(37), torch.arange(37), indexing="ij"))
    entries = Entries.create(torch.zeros(len(y), dtype=torch.int64), y, x, [features.half()])
    projection = fit_projection(entries, 24)
    tree = Tree(torch.zeros(2, 256), torch.tensor([-1, 0]), torch.zeros(2).long(), torch.tensor([len(y)] * 2))
    numbers, _ = projection(entries.vectors(torch.arange(len(y))))
    keys = Lists.create(numbers, projection.units, torch.tensor([0]), torch.tensor([len(y)]))
    above = levels(tree.parent, torch.ones(2, len(projection.units)))
    index = Index.create(tree, projection, above, entries, keys, PAPER_WEIGHTS)
    queries = torch.zeros(8, 16, 4, 4)
    queries[:, 3] = torch.rand(8, 4, 4, generator=random) + 0.1
    truth = scan(to_vectors(queries), [everything(8, entries, None)], entries, torch.tensor(PAPER_WEIGHTS), 1)
    found = index.shortlist(to_vectors(queries), 1, 8, None)
    assert (found == truth.entry).any(1).all()


@pytest.mark.parametrize("beam", [30, 90, 150])
def test_above_the_leaves_a_third_of_the_beam_stays_in_the_race_but_never_few(beam):
    random, tops, below = torch.Generator().manual_seed(0), 60, 4
    parent = torch.tensor([-1] + [0] * tops + [1 + top for top in range(tops) for _ in range(below)])
    projection = without_units(fit_bases(torch.randn(400, 256, generator=random), 24))
    projection = with_units(projection.bases, torch.ones(len(projection.units)))
    centres = torch.randn(len(parent), len(projection.units), generator=random)
    leaves = len(parent) - 1 - tops
    entries = Entries.create(*torch.zeros(3, leaves, dtype=torch.int64), [torch.rand(4, 4, 16, generator=random)])
    tree = Tree.of_leaves(torch.zeros(len(parent), 256), parent, torch.arange(leaves + 1))
    numbers = torch.zeros(leaves, len(projection.units), dtype=torch.int8)
    keys = Lists.create(numbers, projection.units, torch.arange(leaves), torch.ones(leaves, dtype=torch.int64))
    index = Index.create(tree, projection, levels(parent, centres), entries, keys, PAPER_WEIGHTS)
    asked = torch.randn(20, len(projection.units), generator=random)
    found, kept = index.route(asked, beam), {30: 30, 90: 40, 150: 50}[beam]
    top = index.levels[0].centres.best(asked, index.there[0], np.zeros((len(asked), 1), np.int64), kept)
    for leaves_found, nodes in zip(found, index.levels[0].nodes[torch.from_numpy(top)], strict=True):
        assert len(leaves_found.unique()) == beam
        assert set(parent[leaves_found].tolist()) <= set(nodes.tolist())
    most = max(len(parent[mine].unique()) for mine in found)
    assert most > kept - 3 or beam == kept  # the control: more nodes would be reached


def test_key_directions_are_orthonormal_even_where_patches_are_all_alike():
    features = torch.zeros(12, 12, 8)
    features[:, :6] = torch.rand(8, generator=torch.Generator().manual_seed(0))
    y, x = torch.meshgrid(torch.arange(9), torch.arange(9), indexing="ij")
    entries = Entries.create(torch.zeros(81, dtype=torch.int64), y.flatten(), x.flatten(), [features])
    for basis in fit_projection(entries, 64).bases:
        assert (basis.T @ basis - torch.eye(basis.shape[1])).abs().max() < 1e-5


def test_a_wider_beam_finds_no_less(large, queries):
    best = [
        large.search(queries, SearchSettings("beam", beam=beam, shortlist=64)).similarity[:, 0].mean()
        for beam in (1, 4, 16)
    ]
    assert best[0] < best[1] <= best[2]


def test_paper_compares_the_leaf_that_greedy_descent_reaches(large, queries):
    found = large.search(queries, SearchSettings("paper", candidates=3))
    tree, patches = large.banks[0].tree, all_patches(large)
    for n, query in enumerate(queries[::5]):
        node = 0
        while len(tree.children[node]):
            children = tree.children[node].tolist()
            cosines = F.cosine_similarity(to_vectors(query)[None], tree.centres[children]).tolist()
            node = children[cosines.index(max(cosines))]
        start, end = int(tree.start[node]), int(tree.end[node])
        value, place = oracle(query[None], patches[start:end])[0].topk(3)
        assert found.entry[5 * n].tolist() == (place + start).tolist()
        assert found.similarity[5 * n].tolist() == pytest.approx(value.tolist(), abs=1e-5)
        assert int(found["path"][5 * n, -1]) == node


@pytest.mark.parametrize("preset", PRESETS)
def test_the_path_ends_in_the_winners_leaf(large, queries, preset):
    found = large.search(queries, SearchSettings(preset))
    tree = large.banks[0].tree
    assert torch.equal(found["path"], tree.paths(tree.leaf_of(found.entry[:, 0])))


@pytest.mark.parametrize("preset", PRESETS)
def test_candidates_are_sorted_distinct_and_truly_scored(large, queries, preset):
    found = large.search(queries, SearchSettings(preset, candidates=8))
    assert found.entry.shape == (len(queries), 8)
    assert (found.similarity.diff(dim=1) <= 0).all()
    truth = oracle(queries, all_patches(large))
    for row, value, true in zip(found.entry, found.similarity, truth, strict=True):
        there = row >= 0
        assert len(row[there].unique()) == int(there.sum()) > 0
        assert (true[row[there]] - value[there]).abs().max() < 1e-5
        assert (value[~there] == -torch.inf).all()


@pytest.mark.parametrize("preset", PRESETS)
@pytest.mark.parametrize("names", [["a"], ["d.png", "art/warm/b"], ["a", "b", "c"], ["a", "b", "c", "d"]])
def test_excluded_sources_never_appear(world, queries, preset, names):
    excluded = world.banks.excluded(names)
    letters = {name.removesuffix(".png")[-1] for name in names}
    hidden = torch.tensor([source.name[0] in letters for source in world.banks.sources])
    assert torch.equal(excluded, hidden[world.banks.source_of(torch.arange(len(world.banks)))])
    found = world.banks.search(queries, SearchSettings(preset), excluded)
    assert not excluded[found.entry[found.entry >= 0]].any()
    assert (found.entry[:, 0] >= 0).all()


@pytest.mark.parametrize("preset", PRESETS)
def test_a_query_whose_leaf_is_wholly_excluded_gets_the_best_of_the_rest(large, queries, preset):
    bank = large.banks[0]
    free = large.search(queries, SearchSettings(preset, candidates=1, beam=1))
    leaf = bank.tree.leaf_of(free.winner)[0]
    hidden = torch.zeros(len(bank), dtype=torch.bool)
    hidden[bank.tree.start[leaf] : bank.tree.end[leaf]] = True
    settings = SearchSettings(preset, candidates=1, beam=1)
    found = search(queries[:1], bank.entries, bank.tree, bank.index(settings.band_weights), settings, hidden)
    assert not hidden[found.winner]
    if preset == "beam":  # which goes on to the next leaf, and finds the best there
        leaf = bank.tree.leaf_of(found.winner)[0]
        hidden = (torch.arange(len(bank)) < bank.tree.start[leaf]) | (torch.arange(len(bank)) >= bank.tree.end[leaf])
    truth = oracle(queries[:1], all_patches(large)).masked_fill(hidden, -1)
    assert int(found.winner) == int(truth.argmax())


def test_exact_without_a_source_finds_the_best_of_the_others(world, queries):
    excluded = world.banks.excluded(["a", "e"])
    found = world.banks.search(queries, SearchSettings("exact", candidates=1), excluded)
    truth = oracle(queries, all_patches(world.banks)).masked_fill(excluded, -1)
    assert (found.similarity[:, 0] - truth.amax(1)).abs().max() < 1e-5


def test_excluding_every_source_is_refused(world):
    for all_of_it in (["a", "b", "c", "d", "e"], ["art/warm", "art/cool"], list(range(len(world.banks)))):
        with pytest.raises(UnknownNameError, match="nothing would be left"):
            world.banks.excluded(all_of_it)


def test_banks_and_entries_can_be_excluded_too(world):
    first = world.banks.entry_offset[1]
    assert torch.equal(world.banks.excluded(["art/cool"]), torch.arange(len(world.banks)) < first)
    assert world.banks.excluded([5, 7]).nonzero()[:, 0].tolist() == [5, 7]
    with pytest.raises(UnknownNameError, match="entry -1"):
        world.banks.excluded([3, -1])
    with pytest.raises(UnknownNameError, match="art/warm/a"):
        world.banks.excluded(["art/warm/aa"])


def pruned(bank, gone):
    """The bank without some entries, with the same tree, as somebody would make it who never had them."""
    left = (~gone).long()
    before = torch.cat((torch.zeros(1, dtype=torch.int64), left.cumsum(0)))
    tree = replace(bank.tree, start=before[bank.tree.start], end=before[bank.tree.end])
    rows = left.nonzero()[:, 0]
    leaves = tree.leaves
    keys = Lists.create(bank.keys[rows], bank.keys.scale, tree.start[leaves], tree.end[leaves] - tree.start[leaves])
    return bank.changed(entries=bank.entries.take(rows), tree=tree, keys=keys), rows


@pytest.mark.parametrize("preset", PRESETS)
@pytest.mark.parametrize("part", [0.1, 0.5, 0.95])
def test_leaving_entries_out_equals_a_bank_that_never_held_them_bit_for_bit(large, queries, preset, part):
    bank = large.banks[0]
    gone = torch.rand(len(bank), generator=torch.Generator().manual_seed(4)) < part
    small, rows = pruned(bank, gone)
    settings = SearchSettings(preset, beam=3)
    hidden, never = bank.search(queries, settings, gone), small.search(queries, settings)
    there = never.entry >= 0
    assert torch.equal(hidden.entry >= 0, there)
    assert torch.equal(hidden.entry[there], rows[never.entry[there]])
    assert torch.equal(hidden.similarity, never.similarity)
    assert torch.equal(hidden["bands"][there], never["bands"][there])


@pytest.mark.parametrize("preset", PRESETS)
def test_fewer_entries_than_candidates_are_marked_as_missing(build, tmp_path, save, paint, queries, preset):
    save(tmp_path / "in" / "small.png", paint(5, 20, 20))
    library = build("few", [tmp_path / "in"], settings=LibrarySettings(side_px=20, dedupe=1.0, key_dimensions=32))
    found = library["art/test"].search(queries, SearchSettings(preset, candidates=9))
    assert len(library["art/test"]) == 4
    assert found.entry.shape == found.similarity.shape == (len(queries), 9)
    assert found["bands"].shape == (len(queries), 9, 4)
    assert (found.entry[:, :4].sort(1).values == torch.arange(4)).all()
    assert (found.entry[:, 4:] == -1).all()
    assert (found.similarity[:, 4:] == -torch.inf).all()


@pytest.mark.parametrize("beam", [1, 2, 32])
def test_a_beam_of_few_leaves_reports_as_many_candidates_as_asked(large, queries, beam):
    found = large.search(queries, SearchSettings("beam", candidates=8, beam=beam))
    assert (found.entry >= 0).all()
    assert found.entry.shape == (len(queries), 8)


def test_a_union_finds_what_one_bank_with_everything_finds(world, build, queries):
    whole = build("whole", [world.pictures])["art/test"]
    settings = SearchSettings("exact", candidates=6)
    together, alone = world.banks.search(queries, settings), whole.search(queries, settings)
    assert len(whole) == len(world.banks)
    assert (together.similarity - alone.similarity).abs().max() < 1e-6
    clear = alone.margin > 1e-5

    def places(banks, entries):
        source, y, x = banks.locate(entries)
        names = [banks.sources[s].stem.split("/")[-1] for s in source.tolist()]
        return list(zip(names, y.tolist(), x.tolist(), strict=True))

    assert places(world.banks, together.winner[clear]) == places(whole, alone.winner[clear])


def test_the_path_in_a_union_is_that_of_the_winners_bank(world, queries):
    found = world.banks.search(queries, SearchSettings("exact"))
    source, _, _ = world.banks.locate(found.winner)
    banks = [world.banks.bank_of_source(s)[0].name for s in source.tolist()]
    assert set(banks) == {"art/cool", "art/warm"}
    for row, entry, name in zip(found["path"].tolist(), found.winner.tolist(), banks, strict=True):
        number = world.banks.names.index(name)
        tree = world.banks.banks[number].tree
        local = torch.tensor([entry - int(world.banks.entry_offset[number])])
        mine = tree.paths(tree.leaf_of(local))[0].tolist()
        assert row == mine + [-1] * (len(row) - len(mine))


def test_locate_says_which_cells_an_entry_shows(world, toy):
    entries = torch.tensor([0, len(world.banks) // 2, len(world.banks) - 1])
    for entry, source, y, x in zip(entries, *world.banks.locate(entries), strict=True):
        bank, number = world.banks.bank_of_source(int(source))
        path = world.pictures / bank.name.split("/")[1] / bank.sources[number].name
        features = toy(to_tensor(read_image(path)))[0]
        assert torch.equal(world.banks.patches(entry[None])[0], features[:, y : y + 4, x : x + 4])


def test_the_order_of_banks_changes_no_similarity(world, queries):
    turned = world.library.select(["art/warm", "art/cool"])
    assert turned.names == ["art/warm", "art/cool"]
    settings = SearchSettings("beam")
    assert torch.equal(turned.search(queries, settings).similarity, world.banks.search(queries, settings).similarity)


def field_of(matches, name):
    """A field of matches, or one of their extensions."""
    return getattr(matches, name) if hasattr(matches, name) else matches[name]


FIELDS = ("entry", "similarity", "bands", "path")


def in_parts(banks, queries, settings, size):
    found = [banks.search(part, settings) for part in queries.split(size)]
    return {name: torch.cat([field_of(part, name) for part in found]) for name in FIELDS}


@pytest.mark.parametrize("preset", PRESETS)
def test_nothing_that_is_found_depends_on_how_queries_are_cut(large, queries, preset, monkeypatch):
    """Equal bit for bit: entries, similarities, their order and the paths, on any number of threads, too."""
    monkeypatch.setattr("ktviz.networks.threads.PIECES_PER_THREAD", 1)
    settings = SearchSettings(preset, beam=5)
    known = large.search(queries, settings)
    for threads, size in ((1, 1), (1, 7), (1, 30), (2, 7), (5, 30)):
        torch.set_num_threads(threads)
        found = in_parts(large, queries, settings, size)
        for name in FIELDS:
            assert torch.equal(found[name], field_of(known, name)), (name, size, threads)
    turned = large.search(queries.flip(0), settings)
    assert torch.equal(turned.similarity.flip(0), known.similarity)
    assert torch.equal(turned.entry.flip(0), known.entry)


@pytest.mark.parametrize("preset", ["paper", "exact"])
@pytest.mark.parametrize("weights", WEIGHTS)
def test_looking_again_finds_what_the_fast_scan_found(large, queries, preset, weights, monkeypatch):
    """As if rounding could hide anything: all queries are in doubt, and every entry is compared exactly."""
    settings = SearchSettings(preset, candidates=5, band_weights=weights)
    known = large.search(queries, settings)
    asked = []
    real = scan_module.best_on_grid
    monkeypatch.setattr(scan_module, "best_on_grid", lambda q, *more: asked.append(len(q)) or real(q, *more))
    monkeypatch.setattr(scan_module, "rounding", lambda dimension: 1.0)
    found = large.search(queries, settings)
    assert sum(asked) > 0.9 * len(queries)
    for name in FIELDS:
        assert torch.equal(field_of(found, name), field_of(known, name))


@pytest.mark.parametrize("doubted", [False, True])
@pytest.mark.parametrize("weights", WEIGHTS)
def test_entries_that_were_carried_elsewhere_are_found_alike(large, queries, weights, doubted, monkeypatch):
    """On the CPU as if it were a GPU; tests/test_gpu.py tests one."""
    if doubted:
        monkeypatch.setattr(scan_module, "rounding", lambda dimension: 1.0)
    monkeypatch.setattr(scan_module, "AT_ONCE", 300)
    entries, vectors = large.banks[0].entries, to_vectors(queries)
    hidden = torch.arange(len(entries)) % 3 == 0
    given = vectors, [everything(len(vectors), entries, hidden)], entries, torch.tensor(weights), 5
    there = Carried(entries, torch.device("cpu"))
    known, found = scan(*given), scan(*given, there)
    assert all(torch.equal(one, other) for one, other in zip(known.columns, found.columns, strict=True))
    some = torch.tensor([0, 7, len(entries) - 1])
    assert torch.equal(there.vectors(some), entries.vectors(some))
    assert torch.equal(there.on_grid(some), entries.on_grid(some))


def test_patches_outside_their_maps_are_not_read_elsewhere_either(large):
    entries = replace(large.banks[0].entries, y=large.banks[0].entries.y + 1000)
    with pytest.raises(LibraryError, match="outside their maps"):
        Carried(entries, torch.device("cpu")).vectors(torch.arange(3))


@pytest.mark.parametrize("weights", [(1, 1, 1, 0), (0, 0, 1, 1)])
def test_other_kernels_find_the_same(weights, monkeypatch):
    """Thirty pictures that are nearly one, and products that are off by nearly what rounding may do."""
    random = torch.Generator().manual_seed(0)
    base = torch.randn(8, 8, 128, generator=random)
    maps = [(base + 1e-3 * torch.randn(8, 8, 128, generator=random)).half() for _ in range(30)]
    place = torch.arange(750)
    entries = Entries.create(place // 25, place % 25 // 5, place % 5, maps)
    asked = entries.vectors(place[::37]) + 1e-2 * torch.randn(21, 2048, generator=random)
    scopes = [(torch.arange(21), place)]
    known = scan_module.scan(asked, scopes, entries, torch.tensor(weights), 5)
    best = scan_module.best_on_grid(asked, place, entries, torch.tensor(weights), 5)
    truth = rank(asked, best, entries, torch.tensor(weights), 5)
    assert torch.equal(known.entry, truth.entry)
    real, again = torch.addmm, []

    def noisy(error, one, other):
        found = real(error, one, other)
        return found + 0.9 * rounding(2048) * (2 * torch.rand(found.shape, generator=random) - 1)

    monkeypatch.setattr(torch, "addmm", noisy)
    looking = scan_module.best_on_grid
    monkeypatch.setattr(scan_module, "best_on_grid", lambda *given: again.append(1) or looking(*given))
    for _ in range(5):
        found = scan_module.scan(asked, scopes, entries, torch.tensor(weights), 5)
        assert torch.equal(found.entry, truth.entry)
        assert torch.equal(found.similarity, truth.similarity)
    assert again


def test_ranked_candidates_do_not_depend_on_the_order_they_were_proposed_in(copies, queries):
    everything = torch.arange(len(copies)).expand(len(queries), -1)
    weights = torch.tensor(PAPER_WEIGHTS)
    known = rank(to_vectors(queries), everything, copies, weights, 7)
    order = torch.randperm(len(copies), generator=torch.Generator().manual_seed(0))
    turned = rank(to_vectors(queries), everything[:, order], copies, weights, 7)
    assert (known.similarity[:, 0] == known.similarity[:, 1]).any()
    assert torch.equal(turned.entry, known.entry)


@pytest.mark.parametrize("beam", [1, 3, 5, 80])
@pytest.mark.parametrize("hidden", [0.0, 0.4])
def test_visits_propose_the_same_in_whatever_parts_they_are_done(copies, monkeypatch, beam, hidden):
    bank = copies.banks[0]
    known = bank.entries.patches(torch.arange(40))
    random = torch.randn(known.shape, generator=torch.Generator().manual_seed(2))
    queries = torch.cat((known, random))
    settings = SearchSettings("beam", candidates=12, beam=beam)
    excluded = torch.rand(len(bank), generator=torch.Generator().manual_seed(3)) < hidden
    whole = bank.search(queries, settings, excluded)
    monkeypatch.setattr("ktviz.networks.threads.PIECES_PER_THREAD", 1)
    for first, threads in ((1, 1), (2, 3), (100, 2)):
        monkeypatch.setattr("ktviz.library.kinds.patches.lists.FIRST", first)
        torch.set_num_threads(threads)
        found = bank.search(queries, settings, excluded)
        assert torch.equal(found.entry, whole.entry)
        assert torch.equal(found.similarity, whole.similarity)


def test_no_queries_have_no_matches(copies):
    bank = copies.banks[0]
    assert bank.search(bank.entries.patches(torch.arange(0))).entry.shape == (0, 8)


@pytest.fixture(scope="module")
def copies(tmp_path_factory, toy, paint, save):
    """The same three pictures under two names each, and a flat one: every entry has an equal."""
    root = tmp_path_factory.mktemp("copies")
    for n in range(3):
        for name in "ab":
            save(root / "in" / f"{name}{n}.png", paint(200 + n, 48, 48))
    save(root / "in" / "flat.png", np.full((48, 48, 3), 90, np.uint8))
    library = Library.ensure(root / "copies.ktlib", toy, LibrarySettings(side_px=48, dedupe=1.0, key_dimensions=48))
    library.build("art/copies", [root / "in"], encoder=toy, quiet=True)
    return library["art/copies"]


@pytest.mark.parametrize("preset", PRESETS)
def test_of_equal_entries_the_lowest_numbers_win(copies, queries, toy, preset):
    flat = PatchGrid(16, 16).unfold(toy(torch.full((1, 3, 64, 64), 90 / 255))[0])
    asked = torch.cat((queries, flat))
    found = copies.search(asked, SearchSettings(preset, candidates=6, shortlist=6))
    all_similarities, _ = compare(
        to_vectors(asked), torch.arange(len(copies)).expand(len(asked), -1), copies, torch.tensor(PAPER_WEIGHTS)
    )
    for row in range(len(asked)):
        kept = found.entry[row][found.entry[row] >= 0].tolist()
        values = all_similarities[row][kept].tolist()
        assert kept == sorted(kept, key=lambda n: (-float(all_similarities[row][n]), n))
        equal = (all_similarities[row] == values[0]).nonzero()[:, 0]
        if preset == "exact":
            assert kept == sorted(range(len(copies)), key=lambda n: (-float(all_similarities[row][n]), n))[:6]
        leaf = copies.banks[0].tree.leaf_of(equal)
        assert kept[0] == int(equal[leaf == leaf[equal == kept[0]]][0])
    assert (found.similarity[:, 0] == found.similarity[:, 1]).float().mean() > 0.5


def test_a_picture_finds_itself_with_similarity_one(world, toy):
    pixels = read_image(world.pictures / "warm" / "a.png")
    features = toy(to_tensor(pixels))[0]
    found = world.banks.search(PatchGrid(16, 16).unfold(features), SearchSettings("exact", candidates=1))
    assert (found.similarity == 1).all()
    assert (found["bands"] <= 1).all()


def test_keys_are_near_the_numbers_that_they_stand_for(large):
    bank, whole = large.banks[0], replace(large.banks[0].projection, units=torch.ones(1))
    rows = torch.arange(0, len(bank), 7)
    exact, _ = whole.of_few(bank.entries.vectors(rows))
    apart = (bank.keys[rows].float() - exact / bank.projection.units).abs()
    assert apart.max() <= 0.5 + 1e-3
    assert bank.keys[torch.arange(len(bank))].int().abs().amax(0).min() >= 126  # each number in units of its own


def test_keys_of_next_to_nothing_are_keys():
    random = torch.Generator().manual_seed(0)
    features = (4e-7 * torch.randn(24, 24, 8, generator=random)).half()
    y, x = torch.meshgrid(torch.arange(21), torch.arange(21), indexing="ij")
    entries = Entries.create(torch.zeros(441, dtype=torch.int64), y.flatten(), x.flatten(), [features])
    keys, _ = fit_projection(entries, 16)(entries.vectors(torch.arange(441)))
    assert keys.abs().amax(0).min() == 127


def test_energies_and_keys_of_a_bank_do_not_depend_on_the_chunks_they_were_made_in(large, monkeypatch):
    bank = large.banks[0]
    for chunk in (5, 300, 10_000):
        monkeypatch.setattr("ktviz.library.kinds.patches.keys.GRID_CHUNK", chunk)
        keys, energy = bank.projection(bank.entries.vectors(torch.arange(len(bank))))
        assert torch.equal(energy, bank.entries.energy)
        assert torch.equal(keys, bank.keys[torch.arange(len(bank))])


@pytest.mark.parametrize(
    "wrong",
    [{"preset": "fast"}, {"candidates": 0}, {"beam": 0}, {"shortlist": 0}, {"band_weights": (0, 0, 0, 0)}],
)
def test_search_settings_outside_their_range_are_refused(wrong):
    with pytest.raises(SettingError):
        SearchSettings(**wrong)
