"""Alignment beside the transfer without it and beside whitening and colouring (WCT), which retrieves nothing.

On the 24 pairs by which its settings were chosen, on pairs of other photographs and paintings, and on banks of several
paintings; all by the same encoder and decoder, and graded by full VGG-19 features.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from statistics import median
from types import ModuleType
from typing import Any

import torch
from PIL import Image

from benchmarks.lattice import lattice
from benchmarks.quality import SHORT_SIDE_PX, bank_of, contact_sheet, load
from benchmarks.tables import RESULTS, Headline, Table, shared
from ktviz import samples
from ktviz.images import Pixels, read_image, resize_short_side, write_image
from ktviz.library.kinds.patches.union import BankUnion
from ktviz.systems.kt.alignment import Moments, aligning
from ktviz.systems.kt.decoder import Decoder
from ktviz.systems.kt.encoder import Encoder
from ktviz.systems.kt.pipeline import rows_of
from ktviz.systems.kt.settings import Settings
from ktviz.systems.kt.translator import Translator

VARIANTS: Mapping[str, Mapping[str, Any]] = {
    'preset="paper"': {"preset": "paper"},
    "without alignment": {"align": 0},
    "default": {},
    'tone="sources"': {"tone": "sources"},
}
WCT = "WCT, no retrieval"
SCORES = ("style_stats", "style_patches", "structure", "speckle", "lattice")
OTHERS = ("paintings/*/*.jpg", "photos_eval/*.jpg")
PAIRS, BANK, PHOTOS_PER_BANK = 12, 5, 3
BANKS = ("monet", "dore_engraving", "tenniel_ink", "cezanne")
SHEET_PX, SHEET_ROWS, QUALITY = 320, 5, 70
NOTES = (
    "Style scores: 1 = nothing transferred, 0 = the style's own. Structure: 1 = same edges. Speckle: fine detail in "
    "flat parts, relative to the sources' own. Lattice: log2 of the energy in the rhythm of the decoder's cells over "
    "that of neighbouring frequencies; about 0 for a photograph. Sheets, photo and source first, then the rows of the "
    "table: `alignment_*.jpg`. Targets of the default beside the transfer without alignment: both style scores a fifth "
    'lower, structure 0.05 higher, speckle and lattice no higher; of `tone="sources"` with one source: both style '
    "scores below those of WCT, structure 0.85."
)


def main() -> Iterator[Table]:
    tool, reference, data = shared("tools", "quality.py"), shared("parity", "quality_reference.json"), shared("data")
    if tool is None or reference is None or data is None:
        return
    grade, known = load(tool), json.loads(reference.read_text())["pairs"]
    chosen_on = [(data / pair["photo"], [data / pair["style"]]) for pair in known]
    sets = {
        "24 pairs, on which the settings were chosen": chosen_on,
        "pairs of other photographs and paintings": other_pairs(data, chosen_on),
        "banks of several paintings": several(data, chosen_on),
    }
    rows: list[list[str]] = []
    headlines = []
    for part, (title, cases) in zip(("chosen", "pairs", "banks"), sets.items(), strict=True):
        scores = graded(grade, cases, RESULTS / f"alignment_{part}.jpg")
        for name, found in scores.items():
            rows.append([title, name, *(f"{median(one[score] for one in found):.3f}" for score in SCORES)])
            title = ""
        headlines.append(headline(part, scores))
    write_sheet(RESULTS / "alignment_samples.jpg", list(sample_rows()))
    columns = ["cases", "method", "style_stats ↓", "style_patches ↓", "structure ↑", "speckle", "lattice"]
    title = f"Alignment, medians at {SHORT_SIDE_PX} px"
    yield Table("alignment", title, columns, rows, NOTES, headlines=headlines)


def headline(part: str, scores: Mapping[str, Sequence[Mapping[str, float]]]) -> Headline:
    """How the default stands beside the transfer without alignment, and WCT."""
    texts = {}
    for name in scores:
        texts[name] = ", ".join(f"{median(one[score] for one in scores[name]):.3f}" for score in SCORES)
    found = "; ".join(f"{name} {texts[name]}" for name in ("default", 'tone="sources"'))
    beside = "; ".join(f"{name} {texts[name]}" for name in ("without alignment", WCT))
    return Headline(f"{', '.join(SCORES)} ({part})", found, beside)


def other_pairs(data: Path, known: Sequence[tuple[Path, Sequence[Path]]]) -> list[tuple[Path, list[Path]]]:
    """Pairs in which neither the photograph nor the painting's folder was chosen on."""
    painters = {style.parent for _, styles in known for style in styles}
    paintings, photos = (sorted(data.glob(pattern)) for pattern in OTHERS)
    paintings = [path for path in paintings if path.parent not in painters]
    photos = [path for path in photos if path not in {photo for photo, _ in known}]
    step = len(paintings) // PAIRS
    return [(photos[number * len(photos) // PAIRS], [paintings[number * step]]) for number in range(PAIRS)]


def several(data: Path, known: Sequence[tuple[Path, Sequence[Path]]]) -> list[tuple[Path, list[Path]]]:
    """Photographs that were not chosen on, with the first paintings of some painters."""
    photos = [path for path in sorted(data.glob(OTHERS[1])) if path not in {photo for photo, _ in known}]
    banks = [sorted((data / "paintings" / name).glob("*.jpg"))[:BANK] for name in BANKS]
    return [
        (photos[(3 * n + 7 * k) % len(photos)], bank) for n, bank in enumerate(banks) for k in range(PHOTOS_PER_BANK)
    ]


def graded(
    grade: ModuleType, cases: Sequence[tuple[Path, Sequence[Path]]], sheet: Path
) -> dict[str, list[dict[str, float]]]:
    """Scores of all variants in some cases; writes a sheet of some of them."""
    scores: dict[str, list[dict[str, float]]] = {name: [] for name in (*VARIANTS, WCT)}
    shown: list[list[Pixels]] = []
    with tempfile.TemporaryDirectory() as folder:
        scratch = Path(folder)
        for number, (photo, styles) in enumerate(cases):
            content = resize_short_side(read_image(photo), SHORT_SIDE_PX)
            files = [scratch / f"style-{n}.png" for n in range(len(styles))]
            for file, style in zip(files, styles, strict=True):
                write_image(file, resize_short_side(read_image(style), SHORT_SIDE_PX))
            write_image(scratch / "content.png", content)
            made = variants(bank_of(files, SHORT_SIDE_PX), content)
            for name, picture in made.items():
                write_image(scratch / "output.png", picture)
                found = grade.score(str(scratch / "content.png"), str(scratch / "output.png"), [*map(str, files)])
                scores[name].append({**found, "lattice": lattice(picture)})
            if number % -(-len(cases) // SHEET_ROWS) == 0:
                shown.append([content, read_image(files[0]), *made.values()])
            print(
                photo.name, styles[0].name, {name: one[-1]["style_stats"] for name, one in scores.items()}, flush=True
            )
    write_sheet(sheet, shown)
    return scores


def write_sheet(path: Path, rows: list[list[Pixels]]) -> None:
    """Pictures in rows, as JPEG of a size that a repository bears."""
    Image.fromarray(contact_sheet(rows, SHEET_PX)).save(path, quality=QUALITY, optimize=True)


def sample_rows() -> list[list[Pixels]]:
    """Two photographs in every sample bank."""
    rows = []
    for name in samples.library():
        banks = samples.library()[name]
        for photo in ("astronaut", "coffee"):
            content = resize_short_side(samples.photo(photo), SHORT_SIDE_PX)
            rows.append([content, banks.thumb(0), *variants(banks, content).values()])
    return rows


def variants(banks: BankUnion, content: Pixels) -> dict[str, Pixels]:
    """A photograph in all variants, WCT last."""
    translate = Translator(banks, Encoder.shipped(), Decoder.shipped())
    made = {name: translate(content, **settings).image for name, settings in VARIANTS.items()}
    return {**made, WCT: whitened(translate, content)}


@torch.no_grad()
def whitened(translate: Translator, content: Pixels) -> Pixels:
    """A photograph whose features have the mean and covariance of all cells of the sources."""
    features, grid, settings = translate.encode(content), translate.grid(*content.shape[:2]), Settings()
    own, style = translate.own(rows_of(features), grid, settings), Moments.nothing(len(features))
    assert own is not None
    for bank in translate.banks.banks:
        for known in bank.entries.maps:
            style += Moments.of(known.flatten(0, 1))
    height, width = content.shape[:2]
    return translate.decode(aligning(own, style)(features))[:height, :width]
