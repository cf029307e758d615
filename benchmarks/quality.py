"""Translation quality, graded by full VGG-19 features outside the model, against the paper's method.

The grader (`quality.py`) and its reference scores lie beside a development checkout. The reference is the paper's
method with VGG-19 relu3_1, its real inverter and exact matching, on the same 24 pairs of photo and painting.
"""

from __future__ import annotations

import importlib.util
import json
import tempfile
import weakref
from collections.abc import Iterator, Sequence
from pathlib import Path
from statistics import median
from types import ModuleType

import numpy as np
import torch

from benchmarks.lattice import lattice
from benchmarks.tables import RESULTS, Table, shared
from ktviz.images import Pixels, read_image, resize, resize_short_side, write_image
from ktviz.library.format import LibrarySettings
from ktviz.library.kinds.patches.grid import QUERY_STEP
from ktviz.library.kinds.patches.union import BankUnion
from ktviz.library.library import Library
from ktviz.systems.kt.decoder import Decoder
from ktviz.systems.kt.encoder import Encoder
from ktviz.systems.kt.translator import Translation, Translator

SHORT_SIDE_PX = 320
SCORES = ("style_stats", "style_patches", "structure", "speckle", "lattice", "coherent", "kept")
VARIANTS: dict[str, dict[str, object]] = {
    "paper's transfer": {"align": 0, "max_gain": 0, "coherence": 0},
    "coherence only": {"align": 0, "max_gain": 0},
    "gain bound only": {"align": 0, "coherence": 0},
    "without alignment": {"align": 0},
    "default": {},
}
TARGETS = {
    "paper's transfer": "0.55, 0.58, 0.64",
    "without alignment": "0.58, 0.62, 0.68",
}
NOTES = (
    "Style scores: 1 = nothing transferred. Structure: 1 = same edges. Lattice: log2 of the energy in the rhythm of "
    "the decoder's 4 px cells over that of neighbouring frequencies; about 0 for a photograph, higher where a grid "
    "shows. Coherent: neighbouring queries whose winners continue each other in their source. Kept: similarity of the "
    "winners over the best there was. Contact sheet (photo, source, then the variants in the order of the table): "
    "`quality.jpg`."
)
SHEET_EVERY = 5
"""Every fifth pair goes on the contact sheet: the pairs go through four paintings in turn."""
SHEET_PX = 220
GAP_PX = 6


def main() -> Iterator[Table]:
    tool, reference = shared("tools", "quality.py"), shared("parity", "quality_reference.json")
    data = shared("data")
    if tool is None or reference is None or data is None:
        return
    grade, known = load(tool), json.loads(reference.read_text())
    scores: dict[str, list[dict[str, float]]] = {name: [] for name in VARIANTS}
    sheet: list[list[Pixels]] = []
    with tempfile.TemporaryDirectory() as scratch:
        for number, pair in enumerate(known["pairs"]):
            outputs = grade_pair(grade, data / pair["photo"], data / pair["style"], Path(scratch), scores)
            if number % SHEET_EVERY == 0:
                sheet.append(outputs)
    rows = [["paper's method, VGG-19, exact", *(f"{known['medians'][s]:.3f}" for s in SCORES[:3]), "", "", "", "", ""]]
    for name, graded in scores.items():
        medians = [f"{median(g[s] for g in graded):.3f}" for s in SCORES]
        rows.append([name, *medians, TARGETS.get(name, "")])
    yield Table(
        "quality",
        f"Quality, medians over {len(known['pairs'])} pairs of photo and painting at {SHORT_SIDE_PX} px",
        [
            "method",
            "style_stats ↓",
            "style_patches ↓",
            "structure ↑",
            "speckle",
            "lattice",
            "coherent",
            "kept",
            "target",
        ],
        rows,
        NOTES,
    )
    write_image(RESULTS / "quality.jpg", contact_sheet(sheet))


def grade_pair(
    grade: ModuleType, photo: Path, style: Path, scratch: Path, scores: dict[str, list[dict[str, float]]]
) -> list[Pixels]:
    """Translate one photo with every variant and grade it; returns the pictures."""
    source = resize_short_side(read_image(style), SHORT_SIDE_PX)
    content = resize_short_side(read_image(photo), SHORT_SIDE_PX)
    write_image(scratch / "style.png", source)
    write_image(scratch / "content.png", content)
    translator = Translator(bank_of([scratch / "style.png"], SHORT_SIDE_PX), Encoder.shipped(), Decoder.shipped())
    pictures = [content, source]
    for name, settings in VARIANTS.items():
        result = translator(content, **settings)
        pictures.append(result.image)
        write_image(scratch / "output.png", result.image)
        files = (str(scratch / f"{part}.png") for part in ("content", "output"))
        scores[name].append({**grade.score(*files, [str(scratch / "style.png")]), **coherence(result)})
        scores[name][-1]["lattice"] = lattice(result.image)
    print(photo.name, style.name, {name: graded[-1]["style_stats"] for name, graded in scores.items()}, flush=True)
    return pictures


def coherence(result: Translation) -> dict[str, float]:
    """Share of neighbouring queries whose winners continue each other, and mean similarity over the best there was."""
    winner = result.matches.winner.view(result.grid.rows, result.grid.columns)
    right = result.banks.shifted(winner[:, :-1].flatten(), 0, QUERY_STEP) == winner[:, 1:].flatten()
    down = result.banks.shifted(winner[:-1].flatten(), QUERY_STEP, 0) == winner[1:].flatten()
    best = result.matches.similarity.max(1).values
    return {
        "coherent": float(torch.cat((right.flatten(), down.flatten())).float().mean()),
        "kept": float(result.matches.winner_similarity.sum() / best.sum()),
    }


def bank_of(pictures: Sequence[Path], side_px: int) -> BankUnion:
    """A bank of some sources, entries at stride 2 without de-duplication, as in the reference."""
    folder = tempfile.TemporaryDirectory()
    settings = LibrarySettings(side_px=side_px, stride=2, dedupe=1.0)
    library = Library.create(Path(folder.name) / "pair.ktlib", Encoder.shipped(), settings)
    library.build("quality/pair", pictures, quiet=True)
    banks = library["quality/pair"]
    weakref.finalize(banks, folder.cleanup)  # files are opened when they are needed
    return banks


def contact_sheet(rows: list[list[Pixels]], side_px: int = SHEET_PX) -> Pixels:
    """Pictures in rows, each fitted into a square; rows are as high as their highest picture."""
    cells = [[fit(picture, side_px) for picture in row] for row in rows]
    lines = [
        np.hstack([pad(cell, max(c.shape[0] for c in row) + GAP_PX, side_px + GAP_PX) for cell in row]) for row in cells
    ]
    return np.vstack(lines)


def fit(picture: Pixels, side_px: int) -> Pixels:
    height, width = picture.shape[:2]
    scale = side_px / max(height, width)
    return resize(picture, max(1, round(width * scale)), max(1, round(height * scale)))


def pad(picture: Pixels, height: int, width: int) -> Pixels:
    cell = np.full((height, width, 3), 255, dtype=np.uint8)
    cell[: picture.shape[0], : picture.shape[1]] = picture
    return cell


def load(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location("quality_grader", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
