"""The demo of MUNIT: drawings of pots as photographs, in styles of others, on the way between two, and drawn ones."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from tqdm.auto import tqdm

from ktviz import samples
from ktviz.cli.demos.pictures import AUDIT, Made, beside, stacked, white, write_backtracking, write_explorer
from ktviz.images import Pixels, write_image

if TYPE_CHECKING:
    from ktviz.library.kinds.registry import AnyUnion
    from ktviz.systems.munit.result import Translation
    from ktviz.trace.trace import Trace

BANK = "pots/glazed"
DRAWINGS = ("drawing-3-00008", "drawing-3-00011", "drawing-3-00002", "drawing-3-00015")
EXEMPLARS = ("pot-3-00006", "pot-3-00007", "pot-3-00000", "pot-3-00012")
"""Pictures of the bank whose styles every drawing takes."""
SEEDS = tuple(range(10))
"""Of the styles that are drawn for the first drawing."""
STEPS = 7
"""Pictures on the way from the first exemplar's style to the second's."""
ROW = 5
SHEET = "exemplars.png"

SHOWN = {
    SHEET: "Photographs whose styles are taken from left to right, drawings below each other.",
    f"{DRAWINGS[0]}_path.png": "On the way from the style of the first photograph to that of the second.",
    f"{DRAWINGS[0]}_cells.png": "A drawing, a photograph, what each of its cells gives to the style, and the output.",
}
"""Pictures for the page of all systems, and what they are."""


def run(output: Path, quiet: bool) -> Iterator[Made]:
    """Translate every drawing in all ways, a page and an audit of one; yields each output."""
    from ktviz.audit.audit import Audit
    from ktviz.systems.munit.system import Munit

    banks = samples.bank(BANK, quiet=quiet)
    system = Munit(banks)
    swaps: list[list[Trace]] = []
    with tqdm(DRAWINGS, desc="drawings", unit="drawing", disable=quiet) as bar:
        for name in bar:
            drawing = samples.drawing(name)
            swaps.append([system.traced(drawing, exemplar=exemplar) for exemplar in EXEMPLARS])
            for exemplar, trace in zip(EXEMPLARS, swaps[-1], strict=True):
                yield write(trace, f"{name}_{exemplar}.png", output)
            way = system.path(drawing, *EXEMPLARS[:2], STEPS)
            write_image(output / f"{name}_path.png", beside(*way))
            mixed = system.traced(drawing, mix=dict.fromkeys(EXEMPLARS[:2], 0.5))
            yield write(mixed, f"{name}_mix.png", output)
            if name == DRAWINGS[0]:
                bar.set_postfix_str("page and audit")
                first = swaps[-1][0]
                write_backtracking(first, output / f"{name}_backtracking.png")
                write_image(output / f"{name}_cells.png", given_by_cells(system(drawing, exemplar=EXEMPLARS[0])))
                write_explorer(mixed, output)
                title = f"{name}, between the styles of two photographs"
                Audit.create(mixed, title=title, model=system).save(output / AUDIT, overwrite=True)
                bar.set_postfix_str("")
    drawing = samples.drawing(DRAWINGS[0])
    drawn = [system(drawing, seed=seed) for seed in SEEDS]  # which nobody's work is behind
    write_image(output / f"{DRAWINGS[0]}_drawn.png", in_rows([made.output for made in drawn]))
    write_image(output / SHEET, sheet(banks, swaps))


def write(trace: Trace, file: str, output: Path) -> Made:
    """Write the picture of a run, and return what it was made of."""
    write_image(output / file, shown(trace))
    return Made.of(trace, file)


def shown(trace: Trace) -> Pixels:
    """The picture of a run."""
    return trace.picture.canvases["output"]


def in_rows(pictures: Sequence[Pixels]) -> Pixels:
    """Pictures of one size, some in a row."""
    return stacked(*(beside(*pictures[start : start + ROW]) for start in range(0, len(pictures), ROW)))


def given_by_cells(made: Translation) -> Pixels:
    """The drawing, its exemplar, what each cell of that gives to the style (bright: most), and the output."""
    return beside(made.input, made.style.parts[0].exemplar.pixels, made.contribution_picture(), made.output)


def sheet(banks: AnyUnion, swaps: Sequence[Sequence[Trace]]) -> Pixels:
    """Exemplars from left to right, drawings from top to bottom."""
    exemplars = [banks.picture(banks.source_numbers[banks.find_source(name)]) for name in EXEMPLARS]
    rows = [[row[0].picture.canvases["input"], *map(shown, row)] for row in swaps]
    return stacked(beside(white(rows[0][0]), *exemplars), *(beside(*row) for row in rows))
