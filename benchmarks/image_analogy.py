"""Deep Image Analogy: time and memory, what the random search costs, known warps, consistency, and quality.

The pairs and the grader lie beside a development checkout; weights of a larger network, too, which is compared with.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from statistics import fmean, median
from types import ModuleType

import numpy as np
import torch

from benchmarks.quality import bank_of, contact_sheet, load
from benchmarks.tables import RESULTS, ROOT, Table, peak_gb, said_by, shared
from ktviz.images import Pixels, find_images, read_image, resize, to_pixels, to_tensor, write_image
from ktviz.systems.image_analogy.method import Method
from ktviz.systems.image_analogy.result import Analogy
from ktviz.systems.image_analogy.settings import InversionKind, Settings
from ktviz.systems.kt.translator import Translator
from ktviz.training.warps import Twins, twins

SIDE_PX = 224
"""Longer side of the pairs."""
WARPED_PX = 128
RUNS = ((256, "fast"), (256, "lbfgs"), (448, "fast"))
PAIRS = (
    ("bird", "bird"),
    ("cat_tiger", "cat_tiger"),
    ("city_night", "city_night"),
    ("flowers", "flowers"),
    ("husky_wolf", "husky_wolf"),
    *(("yosemite", f"yosemite_{n}") for n in range(1, 5)),
)
"""Names of picture and reference."""
SAMPLED = 1_000
"""Cells per level whose exact match is looked for."""
KT = "KT"
SCORES = ("style_stats", "style_patches", "structure", "speckle")


def main() -> Iterator[Table]:
    yield cost()
    yield warps()
    data, tool = shared("data", "pairs", "photo2photo_analogy"), shared("tools", "quality.py")
    if data is not None and tool is not None:
        yield from quality(data, tool)


def cost() -> Table:
    """Time and memory, one process each."""
    rows = []
    for side, inversion in RUNS:
        seconds, peak = said_by("image_analogy", str(side), inversion)
        rows.append([f"{side}x{side}", inversion, f"{float(seconds):.0f} s", f"{float(peak):.2f} GB"])
    return Table(
        "image_analogy",
        "Deep Image Analogy: time and memory",
        ["px", "inversion", "time", "peak memory of the process"],
        rows,
        "Two photographs of the sample data, ten iterations a level, both outputs.",
        part="cost",
    )


def run_once(side: int, inversion: InversionKind) -> None:
    """One run, for `cost`: prints seconds and GB."""
    photos = [resize(read_image(path), side, side) for path in find_images(ROOT / "sample_data" / "photos").paths[:2]]
    model = Method.shipped()
    start = time.perf_counter()
    model(*photos, Settings(inversion=inversion))
    print(time.perf_counter() - start, peak_gb())


def warps() -> Table:
    """Pictures that are bent and recoloured: how far the field is from the truth; and pictures that are unrelated."""
    paths = find_images(shared("data", "photos_eval") or ROOT / "sample_data" / "photos").paths[:8]
    squares = [resize(middle(read_image(path)), WARPED_PX, WARPED_PX) for path in paths]
    model, settings = Method.shipped(), Settings(start="random")
    errors, related, unrelated = [], [], []
    for number, square in enumerate(squares):
        pair = twins(to_tensor(square), np.random.default_rng(number))
        result = model(to_pixels(pair.twin), square, settings)
        errors.append(endpoint_error(result, pair))
        related.append(float(result.level("conv1_1").consistency().median()))
        stranger = model(square, squares[number - 1], settings)
        unrelated.append(float(stranger.level("conv1_1").consistency().median()))
        print(paths[number].name, errors[-1], related[-1], unrelated[-1], flush=True)
    return Table(
        "image_analogy",
        f"Deep Image Analogy: {len(squares)} photographs bent and recoloured, {WARPED_PX} px, from a random field",
        ["", "median, px", "mean of medians, px"],
        [
            ["endpoint error where there is texture", f"{median(errors):.2f}", f"{fmean(errors):.2f}"],
            ["there and back, the same photograph", f"{median(related):.2f}", f"{fmean(related):.2f}"],
            ["there and back, another photograph", f"{median(unrelated):.2f}", f"{fmean(unrelated):.2f}"],
        ],
        "Medians over the cells of conv1_1 of each pair. Texture: the rougher half of the 9 px neighbourhoods.",
        part="warps",
    )


def endpoint_error(result: Analogy, pair: Twins) -> float:
    """Median distance of the last field from the truth in px, in the rougher half of the twin."""
    field = result.level("conv1_1").sides["ab"].search.field
    truth = ((pair.origin[0] + 1) * WARPED_PX - 1) / 2
    grey = pair.twin.mean(1, keepdim=True)
    rough = (
        torch.nn.functional.avg_pool2d(grey.square(), 9, 1, 4) - torch.nn.functional.avg_pool2d(grey, 9, 1, 4).square()
    )
    seen = ((truth >= 0) & (truth <= WARPED_PX - 1)).all(2) & (rough[0, 0] >= rough.median())
    return float((field.flip(2) - truth).norm(dim=2)[seen].median())


def middle(picture: Pixels) -> Pixels:
    """The largest square in the middle."""
    side = min(picture.shape[:2])
    top, left = (picture.shape[0] - side) // 2, (picture.shape[1] - side) // 2
    return picture[top : top + side, left : left + side]


def quality(data: Path, tool: Path) -> Iterator[Table]:
    """Scores of the pairs beside KT's, what the search missed at each level, and a contact sheet."""
    grade = load(tool)
    models = {
        "shipped, fast": (Method.shipped(), Settings()),
        "shipped, lbfgs": (Method.shipped(), Settings(inversion="lbfgs")),
    }
    if (teacher := shared("weights", "collab16x_encoder_relu5_1.safetensors")) is not None:
        models["teacher, lbfgs"] = Method.load(teacher), Settings(inversion="lbfgs")
    scores: dict[str, list[dict[str, float]]] = {name: [] for name in (*models, KT)}
    levels: dict[str, list[list[float]]] = {}
    sheet = []
    for picture, reference in PAIRS:
        a, b_prime = fitted(data / "content" / f"{picture}.jpg"), fitted(data / "reference" / f"{reference}.jpg")
        row = [a, b_prime]
        for name, (model, settings) in models.items():
            result = model(a, b_prime, settings)
            row += [result.a_prime, result.b]
            scores[name].append(graded(grade, a, result.a_prime, b_prime))
            if name == "shipped, fast":
                for level in result.levels:
                    levels.setdefault(level.layer, []).append(missed(result, level.layer))
        row.append(translated(a, b_prime))
        scores[KT].append(graded(grade, a, row[-1], b_prime))
        sheet.append(row)
        print(reference, {name: graded[-1] for name, graded in scores.items()}, flush=True)
    yield Table(
        "image_analogy",
        f"Deep Image Analogy: medians over {len(PAIRS)} pairs of photographs at {SIDE_PX} px, A'",
        ["pyramid, inversion", *SCORES],
        [[name, *(f"{median(g[s] for g in graded):.3f}" for s in SCORES)] for name, graded in scores.items()],
        f"Scores as in `quality.md`. {KT}: the system `kt` with B' as its only source. "
        f"Contact sheet `image_analogy.jpg`: A, B', then A' and B for each row here; of {KT} its only output.",
        part="quality",
    )
    yield Table(
        "image_analogy",
        f"Deep Image Analogy: what the random search missed, means over {len(PAIRS)} pairs, A to B'",
        ["level", "cost", "least cost there is", "regret", "exact matches", "changed", "there and back, cells"],
        [[layer, *(f"{fmean(column):.3f}" for column in zip(*rows, strict=True))] for layer, rows in levels.items()],
        f"{SAMPLED} cells of each level (all, where there are fewer), fast inversion.",
        part="search",
    )
    write_image(RESULTS / "image_analogy.jpg", contact_sheet(sheet))


def translated(photo: Pixels, source: Pixels) -> Pixels:
    """What KT makes of a photo, with one picture for a source."""
    with tempfile.TemporaryDirectory() as scratch:
        path = Path(scratch) / "source.png"
        write_image(path, source)
        return Translator.shipped(bank_of([path], min(source.shape[:2])))(photo).image


def missed(result: Analogy, layer: str) -> list[float]:
    """Mean cost, least cost and regret, share of exact matches, share of changed cells, and median way back."""
    level = result.level(layer)
    side = level.sides["ab"]
    count = side.search.cost.numel()
    cells = torch.arange(0, count, max(1, count // SAMPLED))
    cost, regret = side.search.cost.flatten()[cells], side.regret(cells)
    way_back = float(level.consistency().median())
    return [
        *(float(value.mean()) for value in (cost, cost - regret, regret, (regret == 0).float())),
        side.search.changed,
        way_back,
    ]


def graded(grade: ModuleType, content: Pixels, output: Pixels, style: Pixels) -> dict[str, float]:
    with tempfile.TemporaryDirectory() as scratch:
        paths = [Path(scratch) / f"{name}.png" for name in ("content", "output", "style")]
        for path, picture in zip(paths, (content, output, style), strict=True):
            write_image(path, picture)
        found: dict[str, float] = grade.score(str(paths[0]), str(paths[1]), [str(paths[2])])
    return found


def fitted(path: Path) -> Pixels:
    picture = read_image(path)
    scale = SIDE_PX / max(picture.shape[:2])
    return resize(picture, round(picture.shape[1] * scale), round(picture.shape[0] * scale))


if __name__ == "__main__":
    run_once(int(sys.argv[1]), "lbfgs" if sys.argv[2] == "lbfgs" else "fast")
