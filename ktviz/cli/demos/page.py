"""The page of all demos: one offline HTML file beside their folders."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ktviz import __version__
from ktviz.cli.demos.pictures import AUDIT, EXPLORER, Made
from ktviz.cli.demos.registry import DEMOS
from ktviz.figures.layout import percent
from ktviz.images import read_image
from ktviz.licences import readable
from ktviz.systems.registry import system_class
from ktviz.workbench.page import picture, template
from ktviz.workbench.words import COLUMNS

PAGE = "index.html"
LONGEST_PX = 1400
"""Longest width of a picture."""
MOST_SOURCES = 5
"""Sources of an output that the page names."""


def page(folder: Path, made: Mapping[str, Sequence[Made]], away: Mapping[str, str]) -> str:
    """The whole page; nothing in it is loaded from elsewhere.

    Args:
        folder: Of the page; each demo is in a folder of its own there, called what its system is.
        made: Outputs by system.
        away: Systems that are left out, and why.
    """
    return template("page.html.jinja", "ktviz.cli.demos").render(
        version=__version__,
        retrieval=COLUMNS["retrieval"],
        systems=[about(system, folder / system, outputs) for system, outputs in made.items()],
        away=away,
    )


def about(system: str, folder: Path, outputs: Sequence[Made]) -> dict[str, Any]:
    """What the page says of a system."""
    kind, first = system_class(system), outputs[0]
    links = {"explore it": EXPLORER, "its audit": f"{AUDIT}/report.html", "all sources": "sources.csv"}
    painted = first.shares[first.shares["share"] > 0]
    shares, more = painted.head(MOST_SOURCES).to_dict("records"), painted["share"][MOST_SOURCES:]
    return {
        "name": system,
        "what": str(kind.__doc__).strip().split("\n")[0],
        "kind": first.kind,
        "can": ", ".join(sorted(kind.abilities)),
        "baseline": kind.baseline,
        "outputs": len(outputs),
        "pictures": [
            {"caption": caption, "picture": picture(read_image(folder / file), LONGEST_PX)}
            for file, caption in DEMOS[system].shown.items()
        ],
        "file": first.file,
        "sources": [
            {
                "share": percent(row["share"]),
                "width": 100 * row["share"],
                "title": row["title"] or row["source"],
                "credit": ", ".join(part for part in (row["creator"], readable(str(row["licence"]))) if part),
            }
            for row in shares
        ],
        "more": (percent(more.sum()), f"{len(more)} more") if len(more) else (),
        "lacking": {why: percent(part) for why, part in first.lacking.items()},
        "links": {text: f"{system}/{path}" for text, path in links.items() if (folder / path).is_file()},
    }
