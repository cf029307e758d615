"""Recording and explaining, on a 512x512 photo with a bank of 100,000 entries; Captum as the peer for gradients.

Everything that is compared runs in one process, in turns.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import median

import numpy as np
import torch
from captum.attr import IntegratedGradients
from torch import Tensor

from benchmarks.paintings import LIBRARY, make_bank, square_photo
from benchmarks.tables import Headline, Table, publish
from ktviz.audit.audit import Audit
from ktviz.explain.attribution import attribute
from ktviz.explain.backtrack import backtrack
from ktviz.explain.counterfactual import without
from ktviz.explain.gradient import STEPS
from ktviz.regions import Box, region_mask
from ktviz.systems.kt.blend import changes
from ktviz.systems.kt.live import Live, live
from ktviz.systems.kt.translator import Translator
from ktviz.trace.record import record
from ktviz.trace.store import TraceStore
from ktviz.trace.trace import Trace

REPEATS = 7
REGION = Box(200, 200, 64, 64)
TRACES, QUERIES = 1000, 4000


def main() -> Iterator[Table]:
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        bank, translator = make_bank(folder)
        photo = square_photo()
        trace = translator.traced(photo)
        name = trace.sources()["source"][0]
        plain, recorded, removed = in_turns(
            lambda: translator(photo),
            lambda: with_record(translator, photo),
            lambda: without(trace, name),
            count=REPEATS,
        )
        size = file_size(trace, folder / "trace.parquet")
        first = once(lambda: attribute(trace, REGION, through="footprint"))  # measures the decoder's receptive field
        (back,) = in_turns(lambda: backtrack(trace, REGION), count=REPEATS)
        (whole,) = in_turns(lambda: attribute(trace, through="footprint"), count=REPEATS)
        published = translator.traced(photo, align=0)
        aligned, ours, peer = in_turns(
            lambda: attribute(trace, REGION, through="gradient"),
            lambda: attribute(published, REGION, through="gradient"),
            lambda: captum(live(published, published.model)),
            count=3,
        )
        ablated = once(lambda: attribute(trace, REGION, through="ablation", most=3))  # later, runs are remembered
        audit_seconds, verify_seconds = audit_times(trace, folder)
        used, unused = store_questions(translator, folder)
        rows = [
            ["translation", seconds(plain), "", ""],
            ["the same, recorded", seconds(recorded), ratio(recorded, plain), "≤ 1.05 x"],
            ["counterfactual without a source", seconds(removed), ratio(removed, plain), "≤ 1.2 x"],
            ["backtrack of a 64x64 region", seconds(back), "", "≤ 0.020 s"],
            ["footprint attribution of the whole output", seconds(whole), "", "≤ 0.200 s"],
            ["gradient attribution of a 64x64 region", seconds(aligned), "", "≤ 3 s"],
            ["the same without alignment", seconds(ours), "", ""],
            ["the same by Captum's IntegratedGradients", seconds(peer), ratio(peer, ours), ""],
            ["ablation of 3 sources", seconds(ablated), ratio(ablated, plain), ""],
            [f"which of {TRACES:,} traces used a source? (all did)", seconds(used), "", "≤ 2 s"],
            ["the same of a source that none used", seconds(unused), "", "≤ 2 s"],
            ["audit (5 counterfactuals, 500 exact searches)", f"{audit_seconds:.1f}", "", ""],
            ["its verification", f"{verify_seconds:.1f}", "", ""],
        ]
        notes = (
            f"Medians of {REPEATS} (gradients of 3), in turns; ratios to the translation, Captum's to ours without "
            f"alignment, on which both walk the same line from features to features. A trace "
            f"with 8 candidates takes {size / 1e6:.2f} MB on disk, photo included (target 1.5 MB). Both gradients take "
            f"{STEPS} Gauss-Legendre points; their shares of sources differ by at most {agreement(published):.1e}, and "
            f"the completeness error is {completeness(published):.1e}, with alignment {completeness(trace):.1e}. The "
            f"first question to a decoder takes {first:.1f} s. The store holds {QUERIES:,} retrievals per trace."
        )
    yield Table(
        "explain",
        f"Recording and explaining: {len(trace):,} retrievals in {len(bank):,} entries",
        ["what", "seconds", "ratio", "target"],
        rows,
        notes,
        headlines=[Headline(row[0], f"{row[1]} s", row[3]) for row in rows],
    )


def in_turns(*runs: Callable[[], object], count: int) -> list[float]:
    """Median seconds of each, measured in turns after one warm-up."""
    for run in runs:
        run()
    taken: list[list[float]] = [[] for _ in runs]
    for _ in range(count):
        for times, run in zip(taken, runs, strict=True):
            start = time.perf_counter()
            run()
            times.append(time.perf_counter() - start)
    return [median(times) for times in taken]


def with_record(translator: Translator, photo: np.ndarray) -> None:
    with record(translator):
        translator(photo)


def file_size(trace: Trace, path: Path) -> int:
    trace.save(path)
    return path.stat().st_size


def captum(case: Live) -> Tensor:
    """What a user of Captum would do: integrated gradients over the whole feature map, (C, h, w)."""
    transferred = case.model.transfer_map(case.features, case.grid, case.winner, case.settings)
    mask = torch.from_numpy(region_mask(REGION, *case.pixels.shape[:2]))
    with torch.no_grad():
        direction = (case.model.decoder(transferred[None]) - case.model.decoder(case.features[None])) * mask

    def progress(features: Tensor) -> Tensor:
        return (case.model.decoder(features) * direction).sum((1, 2, 3))

    found = IntegratedGradients(progress).attribute(
        transferred[None], case.features[None], n_steps=STEPS, method="gausslegendre", internal_batch_size=1
    )
    return found[0].detach()


def agreement(trace: Trace) -> float:
    """Largest difference of the shares of sources, ours and Captum's."""
    case = live(trace, trace.model)
    change = case.model.transfer_map(case.features, case.grid, case.winner, case.settings) - case.features
    attributed = captum(case)
    gradient = torch.where(change != 0, attributed / change, torch.zeros(()))
    theirs = credits(case, gradient)
    mine = attribute(trace, REGION, through="gradient").frame.set_index("source")["share"]
    source = trace.column("source")
    return max(abs(theirs[source == name].sum() / theirs.sum() - share) for name, share in mine.items())


def credits(case: Live, gradient: Tensor) -> np.ndarray:
    """Credit (N,) of every retrieval: a transferred cell is the mean of its patches, so its change is theirs."""
    every = torch.arange(len(case.grid))
    return (case.grid.unfold(gradient) * changes(case, every)).double().sum((1, 2, 3)).numpy()


def completeness(trace: Trace) -> float:
    return float(attribute(trace, REGION, through="gradient").about["completeness_error"])


def store_questions(translator: Translator, folder: Path) -> list[float]:
    """Seconds for questions over many traces. They are of one photo, under other names: the reader cannot tell."""
    store = TraceStore(folder / "store")
    side = int(np.sqrt(QUERIES)) * 8 + 8
    photo = np.random.default_rng(0).integers(0, 256, (side // 8, side // 8, 3), dtype=np.uint8)
    left_out = translator.banks.source_names[-1]
    with record(translator, candidates=1) as trace:
        translator(photo.repeat(8, 0).repeat(8, 1), without=[left_out])
    for number in range(TRACES):
        store.append(trace, f"trace-{number:04d}", pictures="none")
    most = trace.sources()["source"][0]
    assert len(store.uses(most)) == TRACES
    assert len(store.uses(left_out)) == 0
    return in_turns(lambda: store.uses(most), lambda: store.uses(left_out), count=5)


def once(run: Callable[[], object]) -> float:
    """Seconds of the first time."""
    start = time.perf_counter()
    run()
    return time.perf_counter() - start


def audit_times(trace: Trace, folder: Path) -> tuple[float, float]:
    start = time.perf_counter()
    Audit.create(trace).save(folder / "audit")
    made = time.perf_counter()
    verdict = Audit.open(folder / "audit").verify(folder / LIBRARY)
    assert verdict.ok
    return made - start, time.perf_counter() - made


def seconds(value: float) -> str:
    return f"{value:.3f}"


def ratio(value: float, base: float) -> str:
    return f"{value / base:.2f} x"


if __name__ == "__main__":
    publish(main())
