"""Which knowledge produced this image? Every question that ktviz answers, asked of one translation.

    python examples/which_knowledge.py                      # a sample photo and a sample bank
    python examples/which_knowledge.py PHOTO LIB.ktlib BANK FOLDER

Writes figures, tables, a trace and an audit into FOLDER (default: which-knowledge/).
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from torch import Tensor, nn

import ktviz as kt
from ktviz import samples

METHODS = ("overlap", "footprint", "gradient", "ablation", "datamodel")


def main() -> None:
    pd.set_option("display.width", 160, "display.max_columns", 20)
    photo, library, bank, out = inputs()
    translator = kt.Translator.shipped(library[bank])
    pixels = kt.read_image(photo)
    height, width = pixels.shape[:2]
    region = kt.Box(width // 2 - 32, height // 2 - 32, 64, 64)

    heading("1  Record: every retrieval as a row")
    trace = translator.traced(pixels)
    with kt.record(translator, candidates=4, memory="64 MB", over="winners") as small:
        result = translator(pixels)
    assert np.array_equal(result.image, trace.output), "recording changed the picture"
    print(trace, small, sep="\n")
    print(trace.to_pandas()[["query", "rank", "chosen", "entry", "source", "similarity", "margin"]].head(4))
    trace.save(out / "trace.parquet", overwrite=True)
    assert kt.Trace.open(out / "trace.parquet").digest == trace.digest
    trace.plot().savefig(out / "trace.png")

    heading("2  Ask the table")
    trace.show()
    print("\nin the region:", trace[region])
    print(trace.margin(below=0.001).head(3)[["query", "margin", "source", "source_second"]])
    print("regret of 300:", trace.regret(sample=300)["regret"].describe()[["mean", "max"]].to_dict())
    print("if HH counted, too:", kt.reweigh(trace, (1, 1, 1, 1))["changes"].sum(), "other winners")

    heading("3  Ask many traces")
    store = kt.TraceStore(out / "store")
    store.append(trace, photo.stem, overwrite=True)
    largest = trace.sources()["source"][0]
    print(store, store.uses(largest)[["trace", "source", "share", "retrievals", "box"]], sep="\n")

    heading("4  Backtrack a region, and spread a source")
    behind = kt.backtrack(trace, region)
    print(behind, behind.frame[["query", "overlap", "source", "source_box", "similarity"]].head(3), sep="\n")
    behind.plot().savefig(out / "backtrack.png")
    source, box = behind.frame["source"][0], kt.Box(*map(float, behind.frame["source_box"][0]))
    print(f"{len(trace.spread(source, box))} places in the output come from that part of {source}")

    heading("5  Attribute the region")
    by_method = {through: kt.attribute(trace, region, through=through) for through in METHODS}
    for through, attribution in by_method.items():
        print(attribution)
        attribution.plot().savefig(out / f"attribution-{through}.png")
    for by in ("entry", "node", "band"):
        print(kt.attribute(trace, region, by=by, through="gradient"))

    heading("6  Which method can be trusted here?")
    test = kt.faithfulness(by_method["footprint"])
    print(test)
    test.plot().savefig(out / "faithfulness.png")

    heading("7  The picture without the largest source")
    change = kt.compare(trace, kt.without(trace, by_method["footprint"].top(1)))
    print(change, change.new_winners.head(3), sep="\n")
    change.plot().savefig(out / "comparison.png")

    heading("8  Evidence that somebody else can verify")
    audit = kt.Audit.create(trace, title=f"{photo.stem}, {bank}")
    audit.save(out / "audit", overwrite=True)
    verdict = kt.verify(out / "audit", library)
    print(audit, *verdict.checks, sep="\n")
    assert verdict.ok, verdict.difference

    heading("9  Somebody else's model")
    print(foreign(pixels).sources()[["source", "share"]])
    print(f"\nFigures, tables, traces and the audit are in {out}/")


def inputs() -> tuple[Path, kt.Library, str, Path]:
    """Photo, library, bank and output folder, from the command line or from the sample data."""
    if len(sys.argv) == 1:
        photo, library, bank, out = (
            samples.folder() / "photos" / "coffee.jpg",
            samples.library(),
            "art/impasto",
            Path("which-knowledge"),
        )
    elif len(sys.argv) == 5:
        photo, library, bank, out = Path(sys.argv[1]), kt.Library.open(sys.argv[2]), sys.argv[3], Path(sys.argv[4])
    else:
        sys.exit(__doc__)
    out.mkdir(parents=True, exist_ok=True)
    return photo, library, bank, out


class Attention(nn.Module):
    """Knows nothing of ktviz: every 16x16 patch of a photo attends to those of some exemplars."""

    def __init__(self, exemplars: Tensor) -> None:
        super().__init__()
        self.keys = nn.functional.unfold(exemplars, 16, stride=16).transpose(0, 1).flatten(1)

    def forward(self, photo: Tensor) -> Tensor:
        queries = nn.functional.unfold(photo, 16, stride=16)[0]
        weights = (nn.functional.normalize(queries, dim=0).T @ nn.functional.normalize(self.keys, dim=0) * 500).softmax(
            1
        )
        rows, columns = photo.shape[2] // 16, photo.shape[3] // 16
        return weights.view(rows, columns, -1)


def foreign(pixels: np.ndarray) -> kt.Trace:
    """Record the attention of such a model, without touching it."""
    rows, columns = (min(side, 256) // 16 for side in pixels.shape[:2])
    small = torch.from_numpy(pixels[: 16 * rows, : 16 * columns].copy()).permute(2, 0, 1)[None] / 255
    model = nn.Sequential(Attention(torch.cat((small.flip(3), small.flip(2)))))
    site = kt.adapt(
        model[0],
        lambda inputs, output: kt.Matches.soft(output.flatten(0, 1), top=8),
        queries=kt.Queries.grid(rows, columns, step_px=16),
        catalogue=kt.Catalogue.positions(["mirrored", "upside-down"], rows, columns, cell_px=16),
    )
    with kt.record(model, site) as trace:
        model(small)
    return trace


def heading(text: str) -> None:
    print(f"\n{text}\n{'-' * len(text)}")


if __name__ == "__main__":
    main()
