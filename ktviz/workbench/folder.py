"""The folder of a bench: pictures, tables, and a page."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

from ktviz import folders
from ktviz.figures.origins import agreement_map, enlarged, origin_map
from ktviz.images import Pixels, write_image
from ktviz.workbench.page import page
from ktviz.workbench.words import markdown

if TYPE_CHECKING:
    from ktviz.workbench.result import Bench

WHAT, PAGE, MARK = "a comparison of systems", "index.html", "comparison.json"
SAYS = ("title", "systems", "about")
"""What the mark of such a folder says, by name."""


def check_target(folder: Path, overwrite: bool) -> None:
    """Raise StorageError unless a comparison may be written there: nothing, an empty folder, or one to replace."""
    folders.check_target(folder, overwrite, WHAT, MARK, SAYS)


def write(found: Bench, folder: Path, overwrite: bool) -> None:
    """See `Bench.save`."""
    check_target(folder, overwrite)

    def fill(place: Path) -> None:
        for name, pixels in pictures_of(found).items():
            write_image(place / "pictures" / f"{name}.png", pixels)
        tables = {"table": found.frame, "agreement": found.agreement, "faithfulness": found.faithfulness}
        for name, table in tables.items():
            folders.write_csv(place / f"{name}.csv", table)
        said = found.title, [stand.name for stand in found.stands], dict(found.about)
        (place / MARK).write_text(json.dumps(dict(zip(SAYS, said, strict=True)), indent=1) + "\n", encoding="utf-8")
        (place / "table.md").write_text(markdown(found), encoding="utf-8")
        (place / PAGE).write_text(page(found), encoding="utf-8")

    folders.write_folder(folder, fill, WHAT)


def pictures_of(found: Bench) -> dict[str, Pixels]:
    """Inputs, the reference where there is one, outputs, where these come from, and where systems agree, by the names
    of their files: those of systems have no + (`entrants.checked_name`)."""
    names = [source.name for source in found.sources]
    inputs = {"input" if not n else f"input-{n + 1}": pixels for n, pixels in enumerate(found.inputs.values())}
    pictures = inputs | ({"reference": found.sources[0].pixels} if len(found.sources) == 1 else {})
    for name, output in found.outputs.items():
        pictures[name] = output
        if name in found.origins:
            pictures[f"{name}-origins"] = enlarged(origin_map(found.origins[name], names), output)
    for (one, other), agreed in found.agreements.items():
        pictures[f"agreement-{one}+{other}"] = enlarged(agreement_map(agreed), found.outputs[one])
    return pictures
