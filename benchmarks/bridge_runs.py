"""What helps bridging: noise that is refined, drawn, or says what pictures look like; and each of its two ways alone,
with the noise of the fourth run. All are on one budget.

`python -m benchmarks.bridge_runs FOLDER OUT [STEPS] [NAME...]` trains the runs below OUT that are not finished, all or
those that are named, each with so many steps from the portraits of a folder, as `sample_data.generator.portraits`
writes it, and compares all that are finished. A run that was stopped goes on where it was.
"""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from statistics import fmean
from typing import Any

from benchmarks.attribute_classifier import Classifier, trained
from benchmarks.bridge_checks import COUNT, LEARNED, SOURCES
from benchmarks.bridge_measures import codes_apart, diversity, hue_errors, identity, seen_right
from benchmarks.held_out import SEED
from benchmarks.portraits import Sitters, sitters
from benchmarks.tables import Table, publish
from ktviz.library.kinds.pictures.union import PictureUnion
from ktviz.systems.bridge.system import Bridge
from ktviz.systems.bridge.trained import Networks
from ktviz.training.bridge import Recipe, train
from sample_data.generator.portraits import ATTRIBUTES
from sample_data.generator.portraits.faces import HAIR

RUNS: Mapping[str, Mapping[str, Any]] = {
    "plus": {"table": "drawn", "refinement": 1},
    "minus": {"table": "drawn", "refinement": -1},
    "none": {"table": "drawn", "refinement": 0},
    "looks": {},
    "labels": {"ways": "labels"},
    "reference": {"ways": "reference"},
}
"""Settings of the recipe by name; the first four learn both ways."""
SAID = {
    "plus": "both ways, noise drawn and refined away from references (the published refinement)",
    "minus": "both ways, noise drawn and refined towards references",
    "none": "both ways, noise drawn",
    "looks": "both ways, noise that says what pictures look like",
    "labels": "labels alone, with such noise",
    "reference": "references alone",
}
MODES: Mapping[str, Sequence[str]] = {"labels": ("labels",), "reference": ("reference",)}
"""What runs of one way can be asked for; the others for both."""
FINISHED = "log.json"


def main() -> Iterator[Table]:
    given = sys.argv[1:]
    if len(given) < 2 or not Path(given[0]).is_dir():
        print("skipped: name a folder of portraits and a folder for the runs")
        return
    folder, out, rest = Path(given[0]), Path(given[1]), given[2:]
    strangers = [word for word in rest if not word.isdigit() and word not in RUNS]
    if strangers:
        sys.exit(f"no run is called {strangers[0]}: name some of {', '.join(RUNS)}")
    steps = next((int(one) for one in rest if one.isdigit()), Recipe().steps)
    for name in [one for one in rest if one in RUNS] or RUNS:
        run(folder, out / name, recipe_of(name, steps))
    yield compare({name: out / name for name in RUNS if (out / name / FINISHED).exists()})


def recipe_of(name: str, steps: int) -> Recipe:
    """That of a run, of whose steps as many are at the beginning as of the recipe's own."""
    whole = Recipe()
    return Recipe(steps=steps, alone=steps * whole.alone // whole.steps, **RUNS[name])


def run(folder: Path, out: Path, recipe: Recipe) -> None:
    """Train a run to its end."""
    if not (out / FINISHED).exists():
        resume = (out / "checkpoint.pt").exists()
        train(folder, out, attributes=ATTRIBUTES, exclusive=(HAIR,), recipe=recipe, evaluation={}, resume=resume)


def compare(runs: Mapping[str, Path]) -> Table:
    """All finished runs, as a table."""
    loaded = {name: Networks.load(out) for name, out in runs.items()}
    size = next(iter(loaded.values())).shape.side
    changed, references, learned = (sitters(SEED + n, c, size) for n, c in ((0, SOURCES), (1, COUNT), (2, LEARNED)))
    judge = trained(learned.all)
    with tempfile.TemporaryDirectory() as scratch:
        banks = references.bank(Path(scratch))
        rows = [
            measured(name, runs[name], networks, banks, changed, references, judge) for name, networks in loaded.items()
        ]
    return Table(
        "bridge_runs",
        f"Bridging: what helps, on {SOURCES} portraits of seed {SEED}, which no training saw",
        [
            "trained",
            "steps, minutes",
            "codes of both ways apart",
            "hats with other noise apart",
            "PSNR with nothing to change, dB",
            "changed attributes right",
            "kept attributes right",
            "error of hues, degrees",
        ],
        rows,
        "Of two numbers the first is by labels, the second by references. Codes: L1 relative to their size; noise is "
        "drawn anew: where it says what pictures look like, the labels' code is of another hat than the reference's.",
    )


def measured(
    name: str,
    out: Path,
    networks: Networks,
    banks: PictureUnion,
    changed: Sitters,
    references: Sitters,
    judge: Classifier,
) -> tuple[str, ...]:
    """One run as a row."""
    system, modes = Bridge(banks, networks), MODES.get(name, ("labels", "reference"))
    bare, hats = changed.lacking("Hat"), references.having("Hat")
    log = json.loads((out / FINISHED).read_text(encoding="utf-8"))
    right = {mode: seen_right(system, changed.all, judge, mode) for mode in modes}
    errors = hue_errors(system, bare, hats, modes)
    same = {mode: identity(system, changed.all, mode) for mode in modes}

    def both(values: Mapping[str, float], digits: int) -> str:
        return ", ".join(f"{values[mode]:.{digits}f}" if mode in values else "-" for mode in ("labels", "reference"))

    return (
        SAID[name],
        f"{log['history'][-1]['step']}, {log['seconds'] / 60:.0f}",
        f"{codes_apart(system, bare, hats):.3f}" if len(modes) == 2 else "-",
        f"{diversity(system, bare).hats:.3f}" if "labels" in modes else "-",
        both(same, 2),
        both({mode: fmean(found.flipped) for mode, found in right.items()}, 3),
        both({mode: fmean(found.kept) for mode, found in right.items()}, 3),
        both(errors, 0),
    )


if __name__ == "__main__":
    publish(main())
