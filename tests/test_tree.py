"""The cluster tree: a partition of the entries, whatever they are, and the same on every machine."""

import hashlib

import faiss
import pytest
import torch

from ktviz.errors import SettingError
from ktviz.library.kinds.patches.tree import check_branching, choose_branching, fit_tree


def clustered(count, seed=0, size=32):
    random = torch.Generator().manual_seed(seed)
    centre = torch.randn(20, size, generator=random)
    return centre[torch.randint(20, (count,), generator=random)] + 0.3 * torch.randn(count, size, generator=random)


def fit(vectors, branching, seed=7):
    return fit_tree(lambda rows: vectors[rows], len(vectors), branching, seed)


def check_partition(tree, order, count):
    """Every entry is in exactly one leaf, and children share out their parent's entries."""
    assert order.sort().values.tolist() == list(range(count))
    leaves = tree.leaves
    assert tree.start[leaves].tolist() == [0, *tree.end[leaves][:-1].tolist()]
    assert int(tree.end[leaves][-1]) == count
    assert (tree.end > tree.start).all()
    for node, children in enumerate(tree.children):
        if len(children):
            assert tree.start[children].tolist() == [int(tree.start[node]), *tree.end[children][:-1].tolist()]
            assert int(tree.end[children][-1]) == int(tree.end[node])


def digest(tree, order):
    parts = (tree.centres, tree.parent, tree.start, tree.end, order)
    return hashlib.sha256(b"".join(part.contiguous().numpy().tobytes() for part in parts)).hexdigest()


@pytest.mark.parametrize("branching", [(10, 10), (6,), (4, 4, 4), ()])
def test_every_entry_is_in_exactly_one_leaf(branching):
    vectors = clustered(900)
    check_partition(*fit(vectors, branching), 900)


def test_the_papers_branching_gives_ten_times_ten_leaves():
    tree, _ = fit(torch.randn(4000, 16, generator=torch.Generator().manual_seed(0)), (10, 10))
    assert tree.depth == 2
    assert len(tree.children[0]) == 10
    assert len(tree.leaves) == 100


@pytest.mark.parametrize("count", [1, 2, 3, 7])
def test_more_clusters_than_members_is_no_error(count):
    tree, order = fit(clustered(count), (10, 10))
    check_partition(tree, order, count)


def test_a_node_with_few_members_stays_a_leaf():
    tree, _ = fit(clustered(200), (10, 10))
    for node, children in enumerate(tree.children):
        assert len(children) <= int(tree.end[node] - tree.start[node]) // 2


@pytest.mark.parametrize("value", [1.0, 0.0])
def test_nothing_but_duplicates_makes_one_leaf(value):
    tree, order = fit(torch.full((500, 16), value), (10, 10))
    check_partition(tree, order, 500)
    assert tree.leaves.tolist() == [0]


def test_clusters_that_stay_empty_vanish():
    vectors = clustered(3)[torch.arange(300) % 3]
    tree, order = fit(vectors, (10, 10))
    check_partition(tree, order, 300)
    assert len(tree.leaves) == 3


def test_members_of_a_leaf_are_nearer_to_their_centre_than_to_its_siblings():
    vectors = clustered(600)
    tree, order = fit(vectors, (8,))
    centres = torch.nn.functional.normalize(tree.centres[tree.children[0]], dim=1)
    nearest = (vectors[order] @ centres.T).argmax(1)
    assert torch.equal(tree.children[0][nearest], tree.leaf_of(torch.arange(600)))


def test_the_same_seed_gives_the_same_tree_with_one_and_two_threads():
    vectors = clustered(3000, size=128)
    digests, before = set(), faiss.omp_get_max_threads()
    for threads in (1, 2):
        torch.set_num_threads(threads)
        faiss.omp_set_num_threads(threads)
        digests.add(digest(*fit(vectors, (10, 10))))
        assert torch.get_num_threads() == threads
        assert faiss.omp_get_max_threads() == threads
    faiss.omp_set_num_threads(before)
    assert len(digests) == 1


@pytest.mark.parametrize("chunk", [1, 50, 5000])
def test_the_tree_does_not_depend_on_the_chunks_in_which_members_are_assigned(chunk, monkeypatch):
    vectors = clustered(700, size=128)
    vectors[300:400] = vectors[:100]
    known = digest(*fit(vectors, (10, 10)))
    monkeypatch.setattr("ktviz.library.kinds.patches.tree.ASSIGN_CHUNK", chunk)
    assert digest(*fit(vectors, (10, 10))) == known


def test_another_seed_gives_another_tree():
    vectors = clustered(600)
    assert digest(*fit(vectors, (8,), seed=1)) != digest(*fit(vectors, (8,), seed=2))


def test_paths_lead_from_below_the_root_to_the_leaf_of_each_entry():
    tree, _ = fit(clustered(900), (10, 10))
    entries = torch.arange(900)
    leaves = tree.leaf_of(entries)
    assert ((tree.start[leaves] <= entries) & (entries < tree.end[leaves])).all()
    for leaf, path in zip(leaves.tolist(), tree.paths(leaves).tolist(), strict=True):
        nodes = [node for node in path if node >= 0]
        assert nodes[-1] == leaf
        assert [int(tree.parent[node]) for node in nodes] == [0, *nodes[:-1]]
        assert path == nodes + [-1] * (tree.depth - len(nodes))


@pytest.mark.parametrize(("entries", "leaves"), [(1, 1), (150, 1), (1_000, 16), (20_000, 225)])
def test_branching_is_chosen_so_that_a_leaf_holds_about_a_hundred(entries, leaves):
    product = 1
    for width in choose_branching(entries):
        product *= width
    assert product == leaves
    assert entries / product <= 192


@pytest.mark.parametrize("branching", [(), (1,), (10, 5000)])
def test_impossible_branching_is_refused(branching):
    with pytest.raises(SettingError, match="branching"):
        check_branching(branching)
