"""Which attribution tells what becomes of a region when sources are really left out?

Each pair is a photograph and a bank; the middle of the translation is attributed through every method, then random
halves of its sources, and single sources, are left out and the photograph is translated again. Nothing was tuned on it.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import get_args

import numpy as np

from benchmarks.tables import SHARED, Table, publish
from ktviz import samples
from ktviz.explain.attribution import Through, attribute
from ktviz.explain.blending import sampled
from ktviz.explain.case import case_of
from ktviz.explain.exclusion import Budget, Exclusion
from ktviz.explain.faithfulness import LeftOut, named, shuffled
from ktviz.explain.units import units_of
from ktviz.images import Pixels, find_images, read_image, resize
from ktviz.library.format import LibrarySettings
from ktviz.library.library import Library
from ktviz.regions import Box, region_mask
from ktviz.systems.kt.decoder import Decoder
from ktviz.systems.kt.encoder import Encoder
from ktviz.systems.kt.translator import Translator

METHODS = get_args(Through)
SCORES = ("lds_pixels", "lds_features", "loo_pixels", "loo_features")
SIDE, REGION = 128, Box(24, 24, 80, 80)
"""Of the photographs, and what is attributed, in px."""
SETTINGS = LibrarySettings(side_px=160, stride=2)
SOURCES = 16
"""Of a bank, at most."""
SUBSETS, RUNS, SEED = 40, 48, 0
CONTROLS, RESAMPLES = 200, 2000
Scores = dict[str, dict[str, float]]
"""By method and score."""


@dataclass(frozen=True)
class Pair:
    """A photograph and the folders of a bank."""

    photo: Path
    bank: str
    folders: tuple[Path, ...]


def main() -> Iterator[Table]:
    start = time.perf_counter()
    pairs, rows, all_scores = known_pairs(), [], []
    for pair in pairs:
        units, scores = measured(pair)
        all_scores.append(scores)
        name = f"{pair.photo.stem} → {pair.bank}"
        rows += [[name, str(units), kind, *cells(scores, score)] for kind, score in KINDS.items()]
        print(*rows[-len(KINDS) :], sep="\n", flush=True)
    rows += [[f"**median of {len(pairs)}**", "", kind, *medians(all_scores, score)] for kind, score in KINDS.items()]
    notes = (
        f"In each cell pixels / features. LDS: rank correlation, over {SUBSETS} random halves of the sources that "
        "painted the region, of the sum of the shares that were kept with how near the region stayed to the "
        "translation. One by one: rank correlation, over these sources, of the share with the change without the "
        "source; ablation is made of just these runs, so its pixels are 1 by definition. The datamodel is fitted to "
        f"three quarters of {RUNS} subsets and not scored on these (of four sources, too few are left, and the median "
        "is of the others). Random: the overlap shares given to the sources at random, what 95 % of "
        f"{CONTROLS} such controls stay below. Medians "
        "with 95 % intervals, by drawing pairs again. The region is "
        f"the middle {REGION.width:g}x{REGION.height:g} px of {SIDE}x{SIDE}. Took "
        f"{(time.perf_counter() - start) / 60:.0f} minutes."
    )
    title = "Shares, and what really becomes of a region when sources are left out"
    yield Table("faithfulness", title, ["photo → bank", "sources", "score", *METHODS, "random"], rows, notes)


KINDS = {"LDS": "lds", "one by one": "loo"}


def known_pairs() -> list[Pair]:
    """Six of the sample data; and more where there are photographs and paintings beside the checkout."""
    data = samples.folder()
    photos = {path.stem: path for path in find_images(data / "photos").paths}
    styles = {task: tuple(sorted(p for p in (data / task).iterdir() if p.is_dir())) for task in ("art", "comic", "hdr")}
    found = [
        Pair(photos[photo], task, styles[task])
        for photo, task in (
            *(("chelsea", "art"), ("coffee", "art"), ("rocket", "art")),
            *(("astronaut", "comic"), ("chelsea", "comic"), ("rocket", "hdr")),
        )
    ]
    paintings, more = SHARED / "data" / "paintings", SHARED / "data" / "photos_eval"
    for photo, painter in (("kodak_05", "van_gogh"), ("kodak_21", "monet"), ("bsds_163004", "hokusai_woodblock")):
        if (paintings / painter).is_dir() and (more / f"{photo}.jpg").exists():
            found.append(Pair(more / f"{photo}.jpg", painter, (paintings / painter,)))
    return found


def measured(pair: Pair) -> tuple[int, Scores]:
    """Number of sources in the region, and the scores of every method and of the control."""
    with tempfile.TemporaryDirectory() as scratch:
        translator = made(pair, Path(scratch))
        trace = translator.traced(middle(read_image(pair.photo)))
        case, mask, budget = case_of(trace, "exclude"), region_mask(REGION, SIDE, SIDE), Budget(quiet=True)
        units = units_of(trace, "source", case)
        exclusion = Exclusion(case, mask, units)
        made_by = {m: attribute(trace, REGION, through=m, most=99, runs=RUNS, seed=SEED, quiet=True) for m in METHODS}
        shares = {method: named(attribution, units) for method, attribution in made_by.items()}
        present = exclusion.present
        left_out = LeftOut.measure(exclusion, sampled(shares["overlap"], present, SEED), SUBSETS, SEED, budget)
        fitted_to = {frozenset(numbers) for numbers in made_by["datamodel"].about["fitted_to"]}
        scores = {m: left_out.scores(share, fitted_to if m == "datamodel" else set()) for m, share in shares.items()}
        controls = [left_out.scores(shuffled(shares["overlap"], present, n)[0], set()) for n in range(CONTROLS)]
        scores["random"] = {s: float(np.quantile([control[s] for control in controls], 0.95)) for s in SCORES}
        return len(present), scores


def made(pair: Pair, folder: Path) -> Translator:
    """A translator with the pair's bank."""
    encoder = Encoder.shipped()
    library = Library.create(folder / "made.ktlib", encoder, SETTINGS)
    for style in pair.folders:
        pictures = find_images(style).paths[: SOURCES if len(pair.folders) == 1 else None]
        library.build(
            f"{pair.bank.replace('_', '-')}/{style.name.replace('_', '-')}", pictures, encoder=encoder, quiet=True
        )
    return Translator(library[pair.bank.replace("_", "-")], encoder, Decoder.shipped())


def middle(photo: Pixels) -> Pixels:
    """The middle square of a photograph, `SIDE` px wide."""
    height, width = photo.shape[:2]
    side = min(height, width)
    top, left = (height - side) // 2, (width - side) // 2
    return resize(photo[top : top + side, left : left + side], SIDE, SIDE)


def cells(scores: Scores, kind: str) -> list[str]:
    rows = [(row[f"{kind}_pixels"], row[f"{kind}_features"]) for row in scores.values()]
    return ["too few" if np.isnan(pixels) else f"{pixels:.2f} / {features:.2f}" for pixels, features in rows]


def medians(all_scores: list[Scores], kind: str) -> list[str]:
    """Medians over the pairs, with intervals."""
    texts = []
    for method in all_scores[0]:
        parts = []
        for measure in ("pixels", "features"):
            values = np.array([scores[method][f"{kind}_{measure}"] for scores in all_scores])
            values = values[np.isfinite(values)]
            drawn = np.random.default_rng(SEED).choice(values, (RESAMPLES, len(values)))
            low, high = np.quantile(np.median(drawn, axis=1), (0.025, 0.975))
            parts.append(f"**{np.median(values):.2f}** ({low:.2f} to {high:.2f})")
        texts.append(" / ".join(parts))
    return texts


if __name__ == "__main__":
    publish(main())
