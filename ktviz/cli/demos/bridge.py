"""The demo of bridging: portraits whose attributes change after references, by labels, and on the way between."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from tqdm.auto import tqdm

from ktviz import samples
from ktviz.cli.demos.pictures import AUDIT, Made, beside, stacked, white, write_backtracking, write_explorer
from ktviz.images import Pixels, write_image

if TYPE_CHECKING:
    from ktviz.samples import Portrait
    from ktviz.systems.bridge.result import Change
    from ktviz.systems.bridge.system import Bridge
    from ktviz.trace.trace import Trace

BANK = "portraits/clay"
PORTRAITS = ("portrait-3-00029", "portrait-3-00052", "portrait-3-00054", "portrait-3-00026")
"""None of them is in the bank."""
SWITCHED = ("Smile", "Glasses", "Hat", "Beard", "Old")
"""Each is given to who lacks it, and taken from who has it."""
DYED = {"Dark_Hair": "Blond_Hair", "Blond_Hair": "Red_Hair", "Red_Hair": "Dark_Hair"}
SEVERAL = ("Hat", "Glasses")
SEEDS = (0, 1, 2)
"""Of the noise in codes of labels."""
STEPS = 7
"""Pictures on the way from the labels to the reference."""

SHOWN = {
    f"{PORTRAITS[0]}_changes.png": "References, a portrait changed after each, and by labels with three noises.",
    f"{PORTRAITS[0]}_between.png": "On the way from the labels to the reference.",
    f"{PORTRAITS[0]}_share.png": "A portrait, its reference, how much of each cell is of that, and the output.",
}
"""Pictures for the page of all systems, and what they are."""


def run(output: Path, quiet: bool) -> Iterator[Made]:
    """Change every portrait in all ways, a page and an audit of one; yields each output."""
    from ktviz.audit.audit import Audit
    from ktviz.systems.bridge.system import Bridge

    system = Bridge(samples.bank(BANK, quiet=quiet))
    with tqdm(PORTRAITS, desc="portraits", unit="portrait", disable=quiet) as bar:
        for name in bar:
            portrait = samples.portrait(name)
            wanted = wishes(portrait.has)
            traces = {wish: system.traced(portrait.pixels, portrait.has, want) for wish, want in wanted.items()}
            for wish, trace in traces.items():
                yield write(trace, f"{name}_{wish}.png", output)
            write_image(output / f"{name}_changes.png", sheet(system, portrait, traces))
            several = wanted["several"]
            way = (between(system, portrait, several, 1 - step / (STEPS - 1)) for step in range(STEPS))
            write_image(output / f"{name}_between.png", beside(*(made.output for made in way)))
            made = system(portrait.pixels, portrait.has, several)
            write_image(output / f"{name}_share.png", of_what(made))
            if name == PORTRAITS[0]:
                bar.set_postfix_str("page and audit")
                write_backtracking(traces["several"], output / f"{name}_backtracking.png")
                middle = system.traced(portrait.pixels, portrait.has, several, mode="between")
                write_explorer(middle, output)
                title = f"{name} with {' and '.join(several)}, between labels and a reference"
                Audit.create(middle, title=title, model=system).save(output / AUDIT, overwrite=True)
                bar.set_postfix_str("")


def wishes(has: Mapping[str, bool]) -> dict[str, dict[str, bool]]:
    """What is wanted of a portrait, by what its picture is called."""
    hair = next(name for name in DYED if has[name])
    single = {name.lower(): {name: not has[name]} for name in SWITCHED}
    return {"hair": {DYED[hair]: True}, **single, "several": {name: not has[name] for name in SEVERAL}}


def between(system: Bridge, portrait: Portrait, want: Mapping[str, bool], alpha: float) -> Change:
    """A portrait with so much of the labels' code, and the rest of the reference's."""
    return system(portrait.pixels, portrait.has, want, mode="between", alpha=alpha)


def write(trace: Trace, file: str, output: Path) -> Made:
    """Write the picture of a run, and return what it was made of."""
    write_image(output / file, trace.picture.canvases["output"])
    return Made.of(trace, file)


def sheet(system: Bridge, portrait: Portrait, traces: Mapping[str, Trace]) -> Pixels:
    """Wishes from left to right: references, the portrait after them, and by labels with several noises."""
    empty = white(portrait.pixels)
    references, made = (
        [trace.picture.canvases[name] for trace in traces.values()] for name in ("reference:0", "output")
    )
    rows = [[empty, *references], [portrait.pixels, *made]]
    for seed in SEEDS:
        by_labels = (
            system(portrait.pixels, portrait.has, dict(trace.picture.settings["want"]), mode="labels", seed=seed)
            for trace in traces.values()
        )
        rows.append([empty, *(one.output for one in by_labels)])
    return stacked(*(beside(*row) for row in rows))


def of_what(made: Change) -> Pixels:
    """A portrait, its reference, how much of that is in every cell of the code (bright: all of it), and the output."""
    from ktviz.figures.maps import painted_values

    assert made.reference is not None
    shares = painted_values(made.share_map).repeat(made.cell_px, 0).repeat(made.cell_px, 1)
    return beside(made.input, made.reference.pixels, shares, made.output)
