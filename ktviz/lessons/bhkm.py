"""Checkers for the exercises of "BHKM, step by step". Each says what is wrong, by what a result must do."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from ktviz.lessons.feedback import SEED, Feedback, Solution, WrongError, expect, judge
from ktviz.library.kinds.patches.bands import BANDS, haar
from ktviz.library.kinds.patches.search import descend
from ktviz.library.kinds.patches.tree import Tree

CLOSE = 1e-4
PATCHES, CHANNELS = 40, 3


def check_haar(solution: Solution, seed: int = SEED) -> Feedback:
    """Exercise 1: `solution(patches)` takes (N, C, 4, 4) to its bands (N, 4, C, 2, 2)."""
    learnt = "four bands, together exactly as long as the patch: nothing is lost, nothing is counted twice."
    return judge("Exercise 1, Haar bands", solution, examine_haar, learnt, seed)


def examine_haar(solution: Solution, seed: int) -> None:
    patches = random(seed, PATCHES, CHANNELS, 4, 4)
    shape = (PATCHES, 4, CHANNELS, 2, 2)
    bands = tensor(solution(patches.clone()), "bands")
    expect(
        tuple(bands.shape) == shape,
        f"{PATCHES} patches of shape {tuple(patches.shape[1:])} must give {shape}, yours gives {tuple(bands.shape)}.",
    )
    flat = energies(solution(torch.ones(1, 1, 4, 4)))
    strangers = [band for band, energy in zip(BANDS[1:], flat[1:], strict=True) if energy > CLOSE]
    expect(not strangers, f"a flat patch has differences of zero, but your {' and '.join(strangers)} holds something.")
    expect(flat[0] > CLOSE, "a flat patch is all sum and no difference, but your LL is empty.")
    stripes = torch.tensor([0.0, 1.0, 0.0, 1.0])
    patterns = (
        ("LH", "the right column of every block is bright", stripes.expand(4, 4)),
        ("HL", "the lower row of every block is bright", stripes.expand(4, 4).T),
        ("HH", "the cells top left and bottom right of every block are bright", (stripes[:, None] == stripes).float()),
    )
    for band, what, pattern in patterns:
        check_pattern(solution, band, what, pattern)
    ratio = float(bands.square().sum() / patches.square().sum())
    expect(
        abs(ratio - 1) < CLOSE,
        f"your bands hold {ratio:.3g} times the energy (sum of squares) of the patch, it has to be the same.",
    )
    for number, band in enumerate(BANDS):
        expect(
            torch.allclose(bands[:, number], haar(patches)[:, number], atol=CLOSE),
            f"{band} is of the right size, but its numbers do not stand where their 2x2 blocks stand in the patch.",
        )


def check_pattern(solution: Solution, band: str, what: str, pattern: Tensor) -> None:
    """A pattern that one band alone must see, beside LL, with a positive sign."""
    bands = tensor(solution(pattern.reshape(1, 1, 4, 4).clone()), "bands")
    energy = bands.square().sum((0, 2, 3, 4)).tolist()
    mine = BANDS.index(band)
    seen = [name for n, name in enumerate(BANDS) if n not in (0, mine) and energy[n] > CLOSE]
    expect(not seen, f"where {what}, only {band} and LL may answer, but your {' and '.join(seen)} does.")
    expect(
        energy[mine] > CLOSE,
        f"where {what}, {band} must answer, but yours is empty: are the four cells of a block neighbours?",
    )
    expect(bool(bands[0, mine].sum() > 0), f"where {what}, {band} is positive, yours is negative.")


def check_similarity(solution: Solution, seed: int = SEED) -> Feedback:
    """Exercise 2: `solution(query, entry)` takes bands (4, C, 2, 2) of two patches to their bandpass cosine."""
    learnt = "one cosine over LL, LH and HL. A band with little energy has little say."
    return judge("Exercise 2, bandpass similarity", solution, examine_similarity, learnt, seed)


def examine_similarity(solution: Solution, seed: int) -> None:
    query, entry, other = haar(random(seed, 3, CHANNELS, 4, 4))

    def similarity(one: Tensor, two: Tensor) -> float:
        value = tensor(solution(one.clone(), two.clone()), "similarity")
        expect(value.numel() == 1, f"two patches have one similarity, yours has the shape {tuple(value.shape)}.")
        return float(value)

    own, found = similarity(query, query), similarity(query, entry)
    expect(math.isfinite(own) and math.isfinite(found), "it is not a finite number.")
    louder = similarity(query, 3 * entry)
    said = f"three times the contrast of the entry makes {louder:.3g} of {found:.3g}: a cosine stays."
    expect(abs(louder - found) < CLOSE, said)
    without_hh = query.clone()
    without_hh[3] = 0
    expect(
        abs(similarity(without_hh, entry) - found) < CLOSE,
        "it changes when HH alone changes: HH is dropped, from the product and from the lengths.",
    )
    expect(abs(own - 1) < CLOSE, f"a patch is as similar to itself as can be: that is 1, yours says {own:.3g}.")
    against = similarity(query, -query)
    expect(against < 0, f"a patch and its negative point in opposite directions, yours says {against:.3g}.")
    # LL agrees and holds nearly all the energy; the differences disagree, but are faint.
    faint = query * torch.tensor([1.0, 0.01, 0.01, 0.0])[:, None, None, None]
    turned = faint * torch.tensor([1.0, -1.0, -1.0, 0.0])[:, None, None, None]
    expect(
        similarity(faint, turned) > 0.9,
        "a band with a ten-thousandth of the energy has as much say as the others: compare the bands as one vector.",
    )
    for one, two in ((query, entry), (entry, other), (other, query)):
        ours = float(F.cosine_similarity(one[:3].flatten(), two[:3].flatten(), dim=0))
        expect(abs(similarity(one, two) - ours) < CLOSE, "it keeps all the rules of a cosine, but its values are off.")


def check_round(solution: Solution, seed: int = SEED) -> Feedback:
    """Exercise 3: `solution(points, centres)` is one round of spherical k-means over unit vectors."""
    learnt = "assign, then average: every round brings the patches nearer to their centres."
    return judge("Exercise 3, a round of k-means", solution, examine_round, learnt, seed)


def examine_round(solution: Solution, seed: int) -> None:
    points = F.normalize(random(seed, 200, 12), dim=1)
    far = -F.normalize(points.mean(0, keepdim=True), dim=1)
    lonely = F.normalize(far + 0.01 * random(seed, 1, 12), dim=1)
    points = points[(points @ lonely.T)[:, 0] < 0.3]
    centres = torch.cat((points[:4], lonely))
    cosine = points @ centres.T
    label = cosine[:, :4].argmax(1)
    keep = cosine[:, 4] < cosine[:, :4].amax(1)  # nobody may be nearest to the fifth centre
    points, label, cosine = points[keep], label[keep], cosine[keep]
    result: Any = solution(points.clone(), centres.clone())
    expect(isinstance(result, tuple) and len(result) == 2, "it must return two things: labels and new centres.")
    labels, moved = tensor(result[0], "labels"), tensor(result[1], "centres")
    count = len(points)
    expect(tuple(labels.shape) == (count,), f"{count} points have {count} labels, yours are {tuple(labels.shape)}.")
    expect(
        tuple(moved.shape) == tuple(centres.shape),
        f"{len(centres)} centres must stay {tuple(centres.shape)}, yours are {tuple(moved.shape)}.",
    )
    expect(not torch.equal(labels.long(), cosine.argmin(1)), "every point goes to its farthest centre.")
    wrong = int((labels.long() != label).sum())
    expect(not wrong, f"{wrong} of {count} points are not with the centre they have the largest cosine with.")
    expect(
        bool(torch.isfinite(moved).all()),
        "a centre that no point is nearest to became NaN: it has to stay where it was.",
    )
    expect(not torch.allclose(moved[:4], centres[:4]), "your centres have not moved.")
    expect(
        torch.allclose(moved[4], centres[4], atol=CLOSE), "a centre that no point is nearest to must stay where it was."
    )
    lengths = moved.norm(dim=1)
    expect(
        bool((lengths - 1).abs().max() < CLOSE),
        f"your centres have lengths from {lengths.min():.2f} to {lengths.max():.2f}: here only directions count.",
    )
    for number in range(4):
        mine = F.normalize(points[label == number].mean(0), dim=0)
        expect(
            torch.allclose(moved[number], mine, atol=CLOSE),
            f"centre {number} does not point along the mean of its points.",
        )


def check_descent(solution: Solution, seed: int = SEED) -> Feedback:
    """Exercise 4: `solution(query, tree)` walks a query (D,) down a `Tree` and returns the number of its leaf."""
    learnt = "a few comparisons instead of thousands. What the path has left behind, it never sees again."
    return judge("Exercise 4, greedy descent", solution, examine_descent, learnt, seed)


def examine_descent(solution: Solution, seed: int) -> None:
    tree, queries = small_tree(seed), random(seed, 60, 8)
    right = descend(queries, tree)
    leaves = tree.leaves.tolist()
    found = [node_number(solution(query.clone(), tree)) for query in queries]
    strange = next((node for node in found if not 0 <= node < len(tree)), None)
    expect(strange is None, f"node {strange} is none of the {len(tree)} nodes.")
    places = [int((tree.children[int(tree.parent[leaf])] == leaf).nonzero()[0]) for leaf in right.tolist()]
    expect(found != places, "it returns the place of the leaf among its siblings, not the number of the node.")
    inner = next((node for node in found if node not in leaves), None)
    expect(inner is None, f"it ended at node {inner}, which has children: only a leaf ends the walk.")
    if found == right.tolist():
        return
    expect(found != ends(queries, tree, worst=True), "at every node it takes the child that is least similar.")
    unit = F.normalize(tree.centres[tree.leaves], dim=1)
    best = tree.leaves[(queries @ unit.T).argmax(1)].tolist()
    expect(found != best, "it compares all leaves. Greedy descent sees only the children of the node it stands on.")
    expect(found != ends(queries, tree, long=True), "long centres win in yours: a cosine compares directions only.")
    wrong = sum(one != other for one, other in zip(found, right.tolist(), strict=True))
    expect(not wrong, f"{wrong} of {len(found)} queries end in a leaf that greedy descent does not reach.")


def check_regret(solution: Solution, seed: int = SEED) -> Feedback:
    """Exercise 5: `solution(exact_entry, exact_similarity, entry, similarity)` is (recall, mean regret)."""
    learnt = "recall counts misses, regret weighs them: a miss that costs a thousandth is not worth a longer search."
    return judge("Exercise 5, recall and regret", solution, examine_regret, learnt, seed)


def examine_regret(solution: Solution, seed: int) -> None:
    exact_entry = torch.arange(50)
    exact = 0.9 + 0.1 * torch.rand(50, generator=generator(seed))
    entry, similarity = exact_entry.clone(), exact.clone()
    missed = torch.arange(0, 50, 4)
    entry[missed] += 100
    similarity[missed] -= 0.05 + 0.2 * torch.rand(len(missed), generator=generator(seed))
    similarity[missed[0]] = exact[missed[0]]  # another entry, just as good
    result: Any = solution(exact_entry, exact, entry, similarity)
    expect(isinstance(result, tuple) and len(result) == 2, "it must return two numbers: recall and mean regret.")
    recall, regret = (float(tensor(value, name)) for value, name in zip(result, ("recall", "regret"), strict=True))
    ours, lost = float((entry == exact_entry).float().mean()), exact - similarity
    expect(0 <= recall <= 1, f"recall is a part of the queries, from 0 to 1; yours is {recall:.3g}.")
    expect(not near(recall, 1 - ours), "your recall counts the queries that missed, not those that found.")
    expect(
        not near(recall, float((similarity == exact).float().mean())),
        "your recall counts a query whose entry is another one, but as similar. Recall asks for the entry itself.",
    )
    expect(near(recall, ours), "your recall is not the part of the queries that found the exact nearest entry.")
    expect(regret >= 0, "your regret is negative: nothing is more similar than the most similar entry.")
    expect(not near(regret, float(lost[missed].mean())), "your regret is the mean over the misses. All queries count.")
    expect(not near(regret, float(lost.sum())), "your regret is the sum over the queries, not their mean.")
    expect(
        not near(regret, float((lost / exact).mean())),
        "your regret is a part of the similarity; a difference is asked.",
    )
    expect(near(regret, float(lost.mean())), "your regret is not the mean difference of the two similarities.")


def small_tree(seed: int) -> Tree:
    """Three levels, a leaf on the first, centres of very different lengths: (1 + 3 + 4 + 4) nodes of 8 numbers."""
    parent = torch.tensor([-1, 0, 0, 0, 1, 1, 2, 2, 4, 4, 6, 6])
    lengths = torch.tensor([0, 1, 4, 2, 1, 5, 3, 1, 6, 1, 1, 4.0])
    centres = F.normalize(random(seed, 12, 8), dim=1) * lengths[:, None]
    start = torch.tensor([0, 0, 30, 60, 0, 20, 30, 50, 0, 10, 30, 40])
    end = torch.tensor([90, 30, 60, 90, 20, 30, 50, 60, 10, 20, 40, 50])
    return Tree(centres, parent, start, end)


def ends(queries: Tensor, tree: Tree, worst: bool = False, long: bool = False) -> list[int]:
    """Where walks with a usual mistake end: to the worst child, or without regard to the centres' lengths."""
    centres = tree.centres if long else F.normalize(tree.centres, dim=1)
    found = []
    for query in queries:
        node = 0
        while len(tree.children[node]):
            similarity = centres[tree.children[node]] @ query
            node = int(tree.children[node][similarity.argmin() if worst else similarity.argmax()])
        found.append(node)
    return found


def energies(bands: Any) -> list[float]:
    """Energy per band of the bands (1, 4, C, 2, 2) of one patch."""
    values: list[float] = tensor(bands, "bands").square().sum((0, 2, 3, 4)).tolist()
    return values


def tensor(value: Any, name: str) -> Tensor:
    """A student's result as a tensor of floats or integers."""
    expect(value is not None, f"it returns nothing; the {name} must come back with `return`.")
    try:
        found = torch.as_tensor(value)
    except (TypeError, ValueError, RuntimeError):
        raise WrongError(f"the {name} must be numbers in one tensor, yours are a {type(value).__name__}.") from None
    return found.float() if found.is_floating_point() else found


def node_number(value: Any) -> int:
    node = tensor(value, "leaf")
    expect(node.numel() == 1, f"a query ends in one leaf, yours gives {node.numel()} numbers.")
    expect(not node.is_floating_point(), "a node is a whole number.")
    return int(node)


def near(one: float, other: float) -> bool:
    return abs(one - other) < CLOSE


def random(seed: int, *shape: int) -> Tensor:
    """The same normal numbers for the same seed and shape, whatever else was drawn."""
    return torch.randn(*shape, generator=generator(seed))


def generator(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)
