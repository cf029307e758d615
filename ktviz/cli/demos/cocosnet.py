"""The demo of CoCosNet: rooms painted after label maps, each in the looks of several exemplars; one is audited."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from tqdm.auto import tqdm

from ktviz import samples
from ktviz.cli.demos.pictures import AUDIT, Made, beside, stacked, white, write_backtracking, write_explorer
from ktviz.images import Pixels, write_image

if TYPE_CHECKING:
    from ktviz.trace.trace import Trace

BANK = "scenes/rooms"
ROOMS = ("room-3-0018", "room-3-0033")
"""Label maps; neither is of a picture of the bank."""
EXEMPLARS = ("room-3-0003", "room-3-0038", "room-3-0052")
"""Pictures of the bank that each label map is painted after, besides the one most like it."""
SHEET = "exemplars.png"
SAMPLE = 200
"""Cells that the audit compares with the exact search."""

SHOWN = {
    SHEET: "Exemplars from left to right, label maps below each other.",
    f"{ROOMS[0]}_beside.png": "A label map, the exemplar most like it, the exemplar warped, and the room.",
}
"""Pictures for the page of all systems, and what they are."""


def run(output: Path, quiet: bool) -> Iterator[Made]:
    """Paint every room after every exemplar, a page and an audit of one; yields each output."""
    from ktviz.audit.audit import Audit
    from ktviz.systems.cocosnet.system import CoCosNet

    system = CoCosNet.from_bank(samples.bank(BANK, quiet=quiet))
    swaps: list[list[Trace]] = []
    with tqdm(total=len(ROOMS) * (1 + len(EXEMPLARS)), desc="painting", unit="picture", disable=quiet) as bar:
        for name in ROOMS:
            labels = samples.scene(name).labels
            trace = system.traced(labels)
            yield write(trace, f"{name}.png", output)
            write_image(output / f"{name}_beside.png", beside(*passage(trace)))
            write_backtracking(trace, output / f"{name}_backtracking.png")
            bar.update()
            if name == ROOMS[0]:
                bar.set_postfix_str("page and audit")
                write_explorer(trace, output)
                title = f"{name}, painted after the room most like it"
                Audit.create(trace, title=title, sample=SAMPLE, model=system).save(output / AUDIT, overwrite=True)
                bar.set_postfix_str("")
            swaps.append([])
            for exemplar in EXEMPLARS:
                swap = system.traced(labels, exemplar=exemplar)
                yield write(swap, f"{name}_{exemplar}.png", output)
                swaps[-1].append(swap)
                bar.update()
    write_image(output / SHEET, sheet(swaps))


def write(trace: Trace, file: str, output: Path) -> Made:
    """Write the picture of a run, and return what it was made of."""
    write_image(output / file, trace.picture.canvases["output"])
    return Made.of(trace, file)


def passage(trace: Trace) -> list[Pixels]:
    """The label map, the exemplar, the warped exemplar, the output."""
    return [trace.picture.canvases[name] for name in ("input", "reference:0", "output:warped", "output")]


def sheet(swaps: Sequence[Sequence[Trace]]) -> Pixels:
    """Exemplars from left to right, label maps from top to bottom."""
    exemplars = [passage(trace)[1] for trace in swaps[0]]
    rows = [[passage(row[0])[0], *(passage(trace)[3] for trace in row)] for row in swaps]
    return stacked(beside(white(rows[0][0]), *exemplars), *(beside(*row) for row in rows))
