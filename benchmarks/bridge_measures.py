"""What is measured of the networks of bridging, on portraits that no training saw."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations, pairwise
from statistics import fmean, median

import numpy as np
import torch
from torch.nn import functional as F

import ktviz as kt
from benchmarks.attribute_classifier import Classifier, Right
from benchmarks.measures import psnr
from benchmarks.portraits import Sitter, crown, hue, hue_apart
from ktviz.images import Pixels
from ktviz.systems.bridge.system import Bridge

HAT = {"Hat": True}
SEEDS = (0, 1, 2, 3)
STEPS = 7
"""Pictures on the way from labels to a reference."""
BACK = 5.0
"""Degrees of hue that count as no step back."""
OTHER_HUE = 60.0
"""References are of another hue from so many degrees on."""


def identity(system: Bridge, sitters: Sequence[Sitter], mode: str) -> float:
    """PSNR of pictures of which nothing is to change, in dB: mean."""
    found = []
    for number, one in enumerate(sitters):
        other = sitters[(number + 1) % len(sitters)]
        more = {"reference": (other.pixels, other.has)} if mode == "reference" else {"seed": number}
        found.append(psnr(system(one.pixels, one.has, {}, mode=mode, **more).output, one.pixels))
    return fmean(found)


def seen_right(system: Bridge, sitters: Sequence[Sitter], judge: Classifier, mode: str) -> Right:
    """Which attributes a classifier sees in pictures with one change each; references are chosen out of the bank."""
    found = Right()
    for number, one in enumerate(sitters):
        for want in one.wishes().values():
            more = {"seed": number} if mode == "labels" else {}
            seen = judge.sees(system(one.pixels, one.has, want, mode=mode, **more).output)
            found.add(seen, one.has, one.wanted(want))
    return found


def hatted(system: Bridge, one: Sitter, reference: Sitter) -> Pixels:
    """A portrait with the hat of another."""
    return system(one.pixels, one.has, HAT, reference=(reference.pixels, reference.has)).output


def hue_errors(
    system: Bridge, bare: Sequence[Sitter], hats: Sequence[Sitter], modes: Sequence[str]
) -> Mapping[str, float]:
    """Degrees from the hue of the reference's hat to that of the hat that is made, by mode: mean."""
    errors: dict[str, list[float]] = {mode: [] for mode in modes}
    for number, one in enumerate(bare):
        reference = hats[number % len(hats)]
        wanted = hue(reference.pixels)
        for mode in modes:
            made = (
                hatted(system, one, reference)
                if mode == "reference"
                else system(one.pixels, one.has, HAT, mode=mode, seed=number).output
            )
            errors[mode].append(hue_apart(hue(made), wanted))
    return {mode: fmean(found) for mode, found in errors.items()}


@dataclass(frozen=True)
class Ways:
    """From labels to a reference.

    Attributes:
        steady: Part of the ways between two hues on which the hue never goes back from the reference's; NaN for none.
        count: How many such ways there are.
        kept: Part of the attributes that were to stay which are seen in all their pictures.
    """

    steady: float
    count: int
    kept: float


def ways(system: Bridge, bare: Sequence[Sitter], hats: Sequence[Sitter], judge: Classifier) -> Ways:
    """Hats between that of the labels and that of a reference."""
    steady, kept = [], []
    for number, one in enumerate(bare):
        reference = hats[number % len(hats)]
        asked = {"reference": (reference.pixels, reference.has), "mode": "between", "seed": number}
        way = [system(one.pixels, one.has, HAT, alpha=1 - step / (STEPS - 1), **asked).output for step in range(STEPS)]
        apart = [hue_apart(hue(made), hue(way[-1])) for made in way]
        if apart[0] >= OTHER_HUE / 2:
            steady.append(all(after <= before + BACK for before, after in pairwise(apart)))
        for made in way:
            seen = judge.sees(made)
            kept += [seen[name] == there for name, there in one.has.items() if name not in HAT]
    return Ways(fmean(steady) if steady else float("nan"), len(steady), fmean(kept))


@dataclass(frozen=True)
class Diversity:
    """What other noise changes, as mean differences of pixels from 0 to 1.

    Attributes:
        hats: Of hats that are asked for.
        nothing: Of whole pictures of which nothing is to change.
    """

    hats: float
    nothing: float


def diversity(system: Bridge, bare: Sequence[Sitter]) -> Diversity:
    """Pictures by labels with several noises, in pairs."""
    hats, nothing = [], []
    for one in bare:
        made = [[system(one.pixels, one.has, want, mode="labels", seed=s).output for s in SEEDS] for want in (HAT, {})]
        hats += [apart(crown(a), crown(b)) for a, b in combinations(made[0], 2)]
        nothing += [apart(a, b) for a, b in combinations(made[1], 2)]
    return Diversity(fmean(hats), fmean(nothing))


def apart(one: Pixels, other: Pixels) -> float:
    """Mean difference of two pictures, from 0 to 1."""
    return float(np.abs(one.astype(np.float64) - other).mean() / 255)


@torch.no_grad()
def codes_apart(system: Bridge, bare: Sequence[Sitter], hats: Sequence[Sitter]) -> float:
    """How far the codes of labels and references are apart, relative to their size: mean."""
    found = []
    for number, one in enumerate(bare):
        reference = hats[number % len(hats)]
        asked = {"reference": (reference.pixels, reference.has), "seed": number, "amount": 1.0}
        by_labels, by_reference = (
            system(one.pixels, one.has, HAT, mode="between", alpha=alpha, **asked).mixture.codes()[0]
            for alpha in (1.0, 0.0)
        )
        size = (by_labels.abs().mean() + by_reference.abs().mean()) / 2
        found.append(float(F.l1_loss(by_labels, by_reference) / size))
    return fmean(found)


def follow_both(system: Bridge, bare: Sequence[Sitter], hats: Sequence[Sitter]) -> tuple[float, int]:
    """Two references of other hues are exchanged: part of the pairs in which both hats follow, and how many pairs."""
    pairs = [
        (one, other)
        for one, other in combinations(hats, 2)
        if hue_apart(hue(one.pixels), hue(other.pixels)) >= OTHER_HUE
    ]
    found = []
    for number, one in enumerate(bare):
        if not pairs:
            break
        both = pairs[number % len(pairs)]
        made = [hue(hatted(system, one, reference)) for reference in both]
        wanted = [hue(reference.pixels) for reference in both]
        found.append(all(hue_apart(made[n], wanted[n]) < hue_apart(made[n], wanted[1 - n]) for n in (0, 1)))
    return (fmean(found) if found else float("nan")), len(found)


@dataclass(frozen=True)
class Added:
    """What the recorder says of codes, against the networks alone.

    Attributes:
        same: Whether the sum of both codes makes the same picture.
        apart: Largest difference of the norms that were recorded from those of the codes.
        inside: Median part of what was asked for where the attribute changes the picture, and
        outside: elsewhere.
    """

    same: bool
    apart: float
    inside: float
    outside: float


@torch.no_grad()
def added(system: Bridge, bare: Sequence[Sitter], hats: Sequence[Sitter]) -> Added:
    """Codes of hats: recorded, and made by hand of what the trace states."""
    same, norms, inside, outside = True, [0.0], [], []
    networks = system.networks
    for number, one in enumerate(bare):
        reference = hats[number % len(hats)]
        with kt.record(system) as trace:
            made = system(one.pixels, one.has, HAT, reference=(reference.pixels, reference.has))
        assert made.reference is not None
        stated = trace.picture.settings["difference"]
        difference = torch.tensor([[stated.get(name, 0.0) for name in networks.attributes]])
        own, theirs = (
            networks.encoder(seen(pixels), sign * difference)
            for pixels, sign in ((one.pixels, -1), (reference.pixels, 1))
        )
        again = networks.generator(seen(one.pixels), own + theirs)[0].permute(1, 2, 0)
        pixels = ((again + 1) / 2).clamp(0, 1).mul(255).round().byte().numpy()
        same &= bool((pixels == made.output).all())
        rows = trace.site("code").to_pandas()
        for name, code in (("input", own), (made.reference.name, theirs)):
            mine = rows[rows["source"] == name].sort_values("query")["bridge.norm"].to_numpy()
            norms.append(float(np.abs(mine - code.sum(1).flatten().numpy()).max()))
        share = made.share_map
        changed = F.max_pool2d(torch.from_numpy(one.changed(HAT))[None].float(), 2)[0].bool().numpy()
        inside.append(float(share[changed].mean()))
        outside.append(float(share[~changed].mean()))
    return Added(same, max(norms), median(inside), median(outside))


def seen(pixels: Pixels) -> torch.Tensor:
    """A picture as networks see it."""
    return torch.from_numpy(pixels.copy()).permute(2, 0, 1)[None].float() / 255 * 2 - 1
