"""Bridging on portraits that its training never saw.

`python -m benchmarks.bridge_checks [SEED]`, from 2 on, asks the shipped weights;
`python -m benchmarks.bridge_checks RUN` those of a run of `ktviz train bridge FOLDER -o RUN`.
"""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Iterator, Mapping
from copy import deepcopy
from dataclasses import replace
from pathlib import Path
from statistics import fmean
from typing import Any

import torch
from torch import nn

from benchmarks.attribute_classifier import Classifier, trained
from benchmarks.bridge_measures import (
    added,
    diversity,
    follow_both,
    hue_errors,
    identity,
    seen_right,
    ways,
)
from benchmarks.held_out import asked_seed, part, seed_given
from benchmarks.portraits import Sitters, sitters
from benchmarks.tables import Table, publish
from ktviz.systems.bridge.losses import Asked, Losses, judge_losses, made, makers_losses, refined
from ktviz.systems.bridge.packaged import WEIGHTS
from ktviz.systems.bridge.system import Bridge
from ktviz.systems.bridge.trained import Networks

COUNT, SOURCES, LEARNED = 60, 24, 500
"""Portraits of the bank, those that are changed, those from which the classifier learns; each of a seed of its own."""
WARM = 0.25
"""Part of a training until its discriminator knows something."""
MODES = ("labels", "reference")
Row = tuple[str, str, str]
Log = Mapping[str, Any]


def main(networks: Networks | None = None, log: Path | None = None) -> Iterator[Table]:
    run = next((Path(name) for name in sys.argv[1:] if Path(name).is_dir()), None)
    if networks is None:
        networks = Networks.shipped() if run is None else Networks.load(run)
    path = (WEIGHTS.folder if run is None else run) / "log.json" if log is None else log
    known: Log = json.loads(path.read_text(encoding="utf-8"))
    size, seed = networks.shape.side, asked_seed()
    changed, references, learned = (
        sitters(seed + n, count, size) for n, count in ((0, SOURCES), (1, COUNT), (2, LEARNED))
    )
    judge = trained(learned.all)
    with tempfile.TemporaryDirectory() as scratch:
        system = Bridge(references.bank(Path(scratch)), networks)
        rows = [
            *unchanged(system, changed),
            *attributes(system, changed, references, judge),
            *fidelity(system, changed, references),
            *bridged(system, changed, references, judge, known),
            *diverse(system, changed),
            *added_up(system, changed, references),
            *exchanged(system, changed, references),
            *slope(known),
            *nothing(networks, changed),
        ]
    yield Table(
        "bridge_checks",
        f"Bridging: {SOURCES} portraits of seed {seed}, references out of {COUNT} others, none of which a training saw",
        ["check", "found", "wanted"],
        rows,
        "A classifier that learned from others tells attributes. Check 8 is `python -m benchmarks.bridge_runs`.",
        part=part() if run is None else run.name,
        given=seed_given(),
    )


def unchanged(system: Bridge, changed: Sitters) -> list[Row]:
    """Nothing is to change."""
    found = {mode: identity(system, changed.all, mode) for mode in MODES}
    return [(f"1 nothing to change, by {mode}: PSNR, dB", f"{value:.2f}", ">= 24") for mode, value in found.items()]


def attributes(system: Bridge, changed: Sitters, references: Sitters, judge: Classifier) -> list[Row]:
    """One attribute is to change, of every portrait each in turn."""
    real = [judge.sees(one.pixels)[name] == there for one in references.all for name, there in one.has.items()]
    rows = [("2 attributes that the classifier tells of real portraits", f"{fmean(real):.3f}", "near 1")]
    for mode in MODES:
        found = seen_right(system, changed.all, judge, mode)
        flipped = f"{fmean(found.flipped):.3f} (chance 0.5)"
        rows.append((f"2 attributes that were to change, by {mode}", flipped, ">= 0.85"))
        rows.append((f"2 attributes that were to stay, by {mode}", f"{fmean(found.kept):.3f}", ">= 0.9"))
    return rows


def fidelity(system: Bridge, changed: Sitters, references: Sitters) -> list[Row]:
    """Hats after references, and by labels."""
    errors = hue_errors(system, changed.lacking("Hat"), references.having("Hat"), MODES)
    ratio = errors["labels"] / max(errors["reference"], 1e-9)
    found = f"{ratio:.1f} ({errors['labels']:.0f} and {errors['reference']:.0f} degrees)"
    return [("3 error of the hue of hats to the reference's, by labels over by reference", found, ">= 2")]


def bridged(system: Bridge, changed: Sitters, references: Sitters, judge: Classifier, log: Log) -> list[Row]:
    """Codes of both ways, and what is made between them."""
    found = ways(system, changed.lacking("Hat"), references.having("Hat"), judge)
    return [
        *fallen(log, "apart", "4 codes of labels and reference apart, relative to their size"),
        (
            "4 from labels to reference: ways on which the hue goes one way",
            f"{found.steady:.2f} of {found.count}",
            "near 1",
        ),
        ("4 from labels to reference: attributes that stay", f"{found.kept:.3f}", ">= 0.9"),
    ]


def fallen(log: Log, name: str, said: str) -> list[Row]:
    """What a training measured, at its beginning and its end."""
    known = [row for row in log["history"] if name in row]
    if not known:
        return [(said, "not in this log", "falls")]
    steps = f"steps {known[0]['step']} and {known[-1]['step']}"
    return [(f"{said}, {steps}", f"{known[0][name]:.3f}, {known[-1][name]:.3f}", "falls")]


def diverse(system: Bridge, changed: Sitters) -> list[Row]:
    """Other noise."""
    found = diversity(system, changed.lacking("Hat"))
    return [
        ("5 hats by labels with other noise: mean difference, 0 to 1", f"{found.hats:.3f}", "> 0.05"),
        ("5 nothing to change, with other noise", f"{found.nothing:.3f}", "near 0"),
    ]


def added_up(system: Bridge, changed: Sitters, references: Sitters) -> list[Row]:
    """What is recorded of codes."""
    found = added(system, changed.lacking("Hat"), references.having("Hat"))
    return [
        ("6 the sum of both codes makes the picture again", str(found.same), "True"),
        ("6 recorded norms and those of the codes, apart", f"{found.apart:.0e}", "< 1e-3"),
        (
            "6 part of what was asked for, where a hat comes and elsewhere",
            f"{found.inside:.2f}, {found.outside:.2f}",
            "more where it comes",
        ),
    ]


def exchanged(system: Bridge, changed: Sitters, references: Sitters) -> list[Row]:
    """Two references change places."""
    followed, count = follow_both(system, changed.lacking("Hat"), references.having("Hat"))
    return [("7 two references exchanged: both hats follow", f"{followed:.2f} of {count}", "near 1")]


def slope(log: Log) -> list[Row]:
    """How steep the discriminator was."""
    known = [row["slope"] for row in log["history"] if "slope" in row]
    warm = known[round(WARM * len(known)) :]
    found = f"{fmean(warm):.2f} ({min(warm):.2f} to {max(warm):.2f})" if warm else "not in this log"
    return [("9 slope of the discriminator after warming up", found, "0.7 to 1.3")]


def nothing(networks: Networks, changed: Sitters) -> list[Row]:
    """A batch of which nothing is to change."""
    torch.manual_seed(0)
    pixels = torch.stack([torch.from_numpy(one.pixels.copy()) for one in changed.all[:4]]).permute(0, 3, 1, 2)
    has = torch.tensor([[float(one.has[name]) for name in networks.attributes] for one in changed.all[:4]])
    source, noise = pixels.float() / 127.5 - 1, torch.randn(len(has), networks.shape.noise)
    asked = Asked(source, source.flip(0), has, has, noise, -noise, torch.full((len(has), 1, 1, 1), 0.5))
    finite = learns_finite(networks, networks.shape.discriminator(), asked)
    return [("9 nothing to change: all losses and gradients are finite", str(finite), "True")]


def learns_finite(networks: Networks, judge: nn.Module, asked: Asked) -> bool:
    """Whether a step of a training is finite: refined noise, the losses of the makers and of the discriminator, its
    penalty among them, and the gradients of each network."""
    networks = deepcopy(networks).requires_grad_(True)
    makers = networks.makers
    refinement = refined(makers, asked.reference, asked.difference, asked.noise, 1)
    asked = replace(asked, noise=refinement)
    found = made(makers, asked)
    pictures = [picture.detach() for picture in found.pictures]
    steps: list[tuple[Losses, list[nn.Module]]] = [
        (makers_losses(makers, judge, asked, found), [makers.encoder, makers.mapping, makers.generator]),
        (judge_losses(judge, asked, pictures, [asked.alpha] * len(pictures)), [judge]),
    ]
    known = [refinement]
    for losses, learning in steps:
        weights = [weight for network in learning for weight in network.parameters()]
        gradients = torch.autograd.grad(torch.stack(list(losses.values())).sum(), weights, allow_unused=True)
        known += [*losses.values(), *(gradient for gradient in gradients if gradient is not None)]
    return all(bool(one.isfinite().all()) for one in known)


if __name__ == "__main__":
    publish(main())
