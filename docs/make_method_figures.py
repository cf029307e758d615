"""Figures of docs/method.md, from the photograph of a cup and five paintings: `python -m docs.make_method_figures`."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure

import ktviz as kt
from docs.make_pictures import IMAGES
from ktviz import samples
from ktviz.figures.gallery import gallery
from ktviz.figures.maps import painted_values
from ktviz.images import Pixels, resize, write_image
from ktviz.trace.trace import Trace

SIDE = 512
REGION = kt.Box(290, 75, 100, 100)
"""The rim of the cup, the end of the spoon, and the table behind."""
WIDTH = 7
"""Inches of a figure with text, which can be read at the width of a page."""


def main() -> None:
    """All of them."""
    translate = kt.Translator.shipped(samples.bank("art/impasto"))
    photo = resize(samples.photo("coffee"), SIDE, SIDE)
    trace = translate.traced(photo)
    painted = trace.site("retrieval")
    query = int(painted.column("query")[painted.overlap(REGION).argmax()])
    with kt.BandView(trace) as bands:
        bands.selection = [query]
        keep("bands", bands.plot(width=WIDTH))
    keep("tree", parting(translate.traced(photo, preset="paper")))
    keep("cosine", reweighed(trace))
    keep("regret", regrets(translate, photo))
    plain = {"align": 0, "coherence": 0}
    swapped, moved = (translate.traced(photo, transfer=way, **plain).output for way in ("swap", "statistics"))
    keep("transfer", row((photo, swapped, moved), ("photograph", "swap: patches", "statistics: mean and deviation")))
    keep("alignment", row((photo, moved, trace.output), ("photograph", "align=0, without", "align=1, the default")))
    keep(
        "footprint",
        stacked(*(kt.attribute(trace, REGION, through=way).plot(width=WIDTH) for way in ("overlap", "footprint"))),
    )
    for way in ("gradient", "ablation", "datamodel"):
        keep(way, kt.attribute(trace, REGION, through=way).plot(width=WIDTH))
    keep("faithfulness", kt.faithfulness(kt.attribute(trace, REGION, through="gradient")).plot(width=WIDTH))


def keep(name: str, figure: Figure) -> None:
    """A figure as one of the documentation."""
    write_image(IMAGES / f"method-{name}.jpg", pixels_of(figure))
    print(name, flush=True)


def pixels_of(figure: Figure) -> Pixels:
    """A figure as pixels, (H, W, 3)."""
    figure.canvas.draw()
    return np.asarray(figure.canvas.buffer_rgba())[..., :3].copy()


def parting(greedy: Trace) -> Figure:
    """The way down of the query that lost most by greedy descent, and the way to its exact winner."""
    missed = greedy.with_regret()
    with kt.TreeView(missed) as view:
        view.selection = [int(missed.column("query")[missed.column("regret").argmax()])]
        return view.plot(width=WIDTH)


def row(pictures: tuple[Pixels, ...], labels: tuple[str, ...]) -> Figure:
    """Pictures side by side."""
    return gallery(pictures, labels, columns=len(pictures))


def stacked(*figures: Figure) -> Figure:
    """Figures below each other."""
    return gallery([pixels_of(figure) for figure in figures], columns=1)


def reweighed(trace: Trace) -> Figure:
    """The translation with the paper's weights, and where another entry would win with HH."""
    table = kt.reweigh(trace, (1, 1, 1, 1))
    moved = table["changes"].to_numpy(dtype=float)
    return row(
        (trace.input, trace.output, laid_out(trace, moved)),
        ("photograph", "bands weigh 1, 1, 1, 0", f"another would win with HH: {moved.mean():.0%}"),
    )


def regrets(translate: kt.Translator, photo: Pixels) -> Figure:
    """Regret of the greedy descent and of the beam, on one scale."""
    found = [translate.traced(photo, preset=way, align=0, coherence=0) for way in ("paper", "beam")]
    values = [trace.with_regret().column("regret") for trace in found]
    most = max(float(np.quantile(one, 0.99)) for one in values)
    shown = [laid_out(trace, one / most) for trace, one in zip(found, values, strict=True)]
    missed = [f"{name}: {(one > 1e-6).mean():.0%} missed" for name, one in zip(("greedy", "beam"), values, strict=True)]
    return row((photo, *shown), ("photograph", *missed))


def laid_out(trace: Trace, values: np.ndarray) -> Pixels:
    """A value of every retrieval, where it painted."""
    height, width = trace.size
    total, count = np.zeros((height, width)), np.zeros((height, width))
    for (x, y, across, down), value in zip(trace.column("box").astype(int).tolist(), values.tolist(), strict=True):
        total[y : y + down, x : x + across] += value
        count[y : y + down, x : x + across] += 1
    return painted_values(np.clip(total / np.maximum(count, 1), 0, 1))


if __name__ == "__main__":
    main()
