"""The cluster tree: every entry in one leaf, the same for any threads and chunks, numbered as tables need it."""

import hashlib

import pytest
import torch

from ktviz.errors import SettingError
from ktviz.library.kinds.patches.kmeans import fit_tree
from ktviz.library.kinds.patches.tree import Tree, check_branching, choose_branching, is_tree


def clustered(count, size=16, seed=1):
    """Keys around twenty centres."""
    random = torch.Generator().manual_seed(seed)
    centre = torch.randn(20, size, generator=random)
    vectors = centre[torch.randint(20, (count,), generator=random)] + 0.3 * torch.randn(count, size, generator=random)
    return (25 * vectors).round().clamp(-127, 127).to(torch.int8)


def fit(keys, branching, seed=7):
    """The tree of all keys, and the order that puts them leaf by leaf."""
    return fit_tree(keys.float() * units(keys), branching, seed)


def units(keys):
    return torch.linspace(0.5, 1.5, keys.shape[1])


def check_partition(tree, order, count):
    """Every entry is in exactly one leaf, and children share out their parent's entries."""
    assert is_tree(tree.parent)
    assert tree.tiles(count)
    assert order.sort().values.tolist() == list(range(count))
    leaves = tree.leaves
    assert tree.start[leaves].tolist() == [0, *tree.end[leaves][:-1].tolist()]
    assert int(tree.end[leaves][-1]) == count
    assert (tree.end > tree.start).all()
    for node, children in enumerate(tree.children):
        assert (tree.parent[children] == node).all()
        if len(children):
            assert tree.start[children].tolist() == [int(tree.start[node]), *tree.end[children][:-1].tolist()]
            assert int(tree.end[children][-1]) == int(tree.end[node])


def digest(tree, order):
    parts = (tree.centres, tree.parent, tree.start, tree.end, order)
    return hashlib.sha256(b"".join(part.contiguous().numpy().tobytes() for part in parts)).hexdigest()


@pytest.mark.parametrize("branching", [(10, 10), (6,), (4, 4, 4), ()])
def test_every_entry_is_in_exactly_one_leaf(branching):
    check_partition(*fit(clustered(900), branching), 900)


def test_the_papers_branching_gives_ten_times_ten_leaves():
    keys = (30 * torch.randn(4000, 16, generator=torch.Generator().manual_seed(0))).clamp(-127, 127).to(torch.int8)
    tree, _ = fit(keys, (10, 10))
    assert tree.depth == 2
    assert len(tree.children[0]) == 10
    assert len(tree.leaves) == 100


@pytest.mark.parametrize("count", [1, 2, 3, 7])
def test_more_clusters_than_members_is_no_error(count):
    check_partition(*fit(clustered(count), (10, 10)), count)


def test_a_node_with_few_members_stays_a_leaf():
    tree, _ = fit(clustered(200), (10, 10))
    for node, children in enumerate(tree.children):
        assert len(children) <= int(tree.end[node] - tree.start[node]) // 2


@pytest.mark.parametrize("value", [1, 0])
def test_nothing_but_duplicates_makes_one_leaf(value):
    tree, order = fit(torch.full((500, 16), value, dtype=torch.int8), (10, 10))
    check_partition(tree, order, 500)
    assert tree.leaves.tolist() == [0]


def test_clusters_that_stay_empty_vanish():
    tree, order = fit(clustered(3)[torch.arange(300) % 3], (10, 10))
    check_partition(tree, order, 300)
    assert len(tree.leaves) == 3


def test_members_of_a_leaf_are_nearer_to_their_centre_than_to_its_siblings():
    keys = clustered(600)
    tree, order = fit(keys, (8,))
    centres = torch.nn.functional.normalize(tree.centres[tree.children[0]].double(), dim=1)
    nearest = (keys[order].double() * units(keys) @ centres.T).argmax(1)
    assert torch.equal(tree.children[0][nearest], tree.leaf_of(torch.arange(600)))


def test_the_same_seed_gives_the_same_tree_with_one_and_two_threads():
    keys, digests = clustered(3000, size=128), set()
    for threads in (1, 2):
        torch.set_num_threads(threads)
        digests.add(digest(*fit(keys, (10, 10))))
    assert len(digests) == 1


@pytest.mark.parametrize("chunk", [7, 50, 5000])
def test_the_tree_does_not_depend_on_the_chunks_in_which_members_are_assigned(chunk, monkeypatch):
    keys = clustered(700, size=128)
    keys[300:400] = keys[:100]
    known = digest(*fit(keys, (10, 10)))
    monkeypatch.setattr("ktviz.library.kinds.patches.kmeans.ASSIGN_CHUNK", chunk)
    assert digest(*fit(keys, (10, 10))) == known


def test_another_seed_gives_another_tree():
    keys = clustered(600)
    assert digest(*fit(keys, (8,), seed=1)) != digest(*fit(keys, (8,), seed=2))


UNEVEN = torch.tensor([-1, 0, 0, 0, 1, 1, 3, 3, 3, 6, 6])
"""Leaves on the first, the second and the third level: 4, 5, 2, 9, 10, 7, 8."""


def test_leaves_lie_in_the_order_of_a_walk_and_may_be_empty():
    ends = torch.tensor([0, 2, 2, 5, 5, 6, 9, 9])
    tree = Tree.of_leaves(torch.zeros(11, 4), UNEVEN, ends)
    assert tree.leaves.tolist() == [4, 5, 2, 9, 10, 7, 8]
    assert tree.level.tolist() == [0, 1, 1, 1, 2, 2, 2, 2, 2, 3, 3]
    assert (tree.start[3], tree.end[3], tree.start[6], tree.end[6]) == (5, 9, 5, 6)
    assert tree.leaf_of(torch.arange(9)).tolist() == [4, 4, 2, 2, 2, 10, 7, 7, 7]
    assert tree.paths(torch.tensor([10, 2])).tolist() == [[3, 6, 10], [2, -1, -1]]
    assert tree.tiles(9)
    assert not tree.tiles(10)
    assert not Tree(tree.centres, tree.parent, tree.start, tree.end + (torch.arange(11) == 4)).tiles(9)


@pytest.mark.parametrize("parent", [[], [0], [-1, 1], [-1, 0, -1], [-1, 0, 1, 0], [-1, 0, 3, 2]])
def test_what_is_no_tree_is_told(parent):
    assert not is_tree(torch.tensor(parent, dtype=torch.int64))


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
