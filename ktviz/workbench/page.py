"""The page of a bench: one offline HTML file, for a screen and for paper."""

from __future__ import annotations

import base64
import hashlib
import json
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np
from jinja2 import ChoiceLoader, Environment, PackageLoader, StrictUndefined, Template

from ktviz.explain.origins import Agreement, Origins
from ktviz.figures.colours import source_colours
from ktviz.figures.maps import in_place_colours, painted_values
from ktviz.figures.origins import agreement_map, origin_map
from ktviz.images import Pixels, encode_image, resize
from ktviz.trace.overlap import Floats
from ktviz.widgets.view import static_text
from ktviz.workbench import words
from ktviz.workbench.sources import given_by

if TYPE_CHECKING:
    from ktviz.workbench.result import Bench

WHOLE = 10_000
"""Parts of places in the page are of so many."""
MOST_SOURCES = 6
"""Sources that it shows."""
LONGEST_PX, SHOWN_PX = 640, 300
"""Longest width of a picture, and the least at which it is shown, where whole pixels allow it."""


def page(found: Bench) -> str:
    """The whole page; nothing in it is loaded from elsewhere."""
    script = static_text("bench.js")
    shown = found.sources[:MOST_SOURCES]
    names = [source.name for source in shown]
    stored = {name: packed(origins, names) for name, origins in found.origins.items()}
    return template("page.html.jinja").render(
        bench=found,
        words=words,
        script=script,
        script_digest=base64.b64encode(hashlib.sha256(script.encode()).digest()).decode(),
        origins=json.dumps(
            {"cells": found.about["cells"], "sources": [source.title for source in shown], "systems": stored}
        ).replace("<", "\\u003c"),
        inputs=[{"systems": systems, **sized(pixels)} for systems, pixels in found.inputs.items()],
        sources=[
            {"title": source.title, "credit": source.credit, "colour": colour, **sized(source.pixels)}
            for source, colour in zip(shown, source_colours(names).values(), strict=True)
        ],
        hidden=len(given_by(found.stands).keys() - {*names}),
        key=picture(in_place_colours(shown[0].pixels)) if len(shown) == 1 else "",
        systems=[
            {
                "name": stand.name,
                "row": dict(zip(words.COLUMNS, words.in_words(stand.row), strict=True)),
                **sized(found.outputs[stand.name]),
                "origins": words.origins(stand.row) if stand.origins is not None else "",
                "map": exact(origin_map(stand.origins, names)) if stand.origins is not None and names else "",
                "remarks": stand.remarks,
            }
            for stand in found.there
        ],
        pairs=[
            {"one": one, "other": other, "map": exact(agreement_map(agreed)), "above": agreed.above_chance}
            | {"here": found.agreements_in_region[one, other].above_chance}
            for (one, other), agreed in best_first(found)
        ],
        scale=exact(painted_values(np.linspace(0, 1, 64)[None])),
        ratio=ratio(found),
        baselines=[
            (stand.name, stand.faithfulness.about["baseline"], stand.faithfulness.about["instead"])
            for stand in found.there
            if stand.faithfulness is not None
        ],
    )


def packed(origins: Origins, sources: list[str]) -> dict[str, Any]:
    """Where the cells of an output come from, for the script: equal distributions once.

    Args:
        origins: Of the output.
        sources: Those that are shown, in the order in which their places are numbered.

    Returns:
        Per cell, which of the distributions is its own, what came from sources that are not shown, and how much is the
        input's own; the distributions. Parts are in `WHOLE`.
    """
    each, known = origins.cells**2, origins.of(tuple(dict.fromkeys((*sources, *origins.sources))))
    shown, others = known[:, : len(sources) * each].tocsr(), known[:, len(sources) * each :]
    shown.sort_indices()
    shown.data = short_parts(shown.data)
    distinct: dict[bytes, int] = {}
    rows, parts = [], []
    for cell in range(each):
        row = slice(shown.indptr[cell], shown.indptr[cell + 1])
        place, part = shown.indices[row], shown.data[row]
        key = place.tobytes() + part.tobytes()
        if key not in distinct:
            distinct[key] = len(distinct)
            order = np.lexsort((place, -part))
            parts.append([value for n in order for value in (int(place[n]), plain(part[n]))])
        rows.append(distinct[key])
    elsewhere = short_parts(np.asarray(others.sum(1)).reshape(-1))
    own = short_parts(origins.own)
    return {"rows": rows, "parts": parts, "elsewhere": [*map(plain, elsewhere)], "own": [*map(plain, own)]}


def short_parts(parts: Floats) -> Floats:
    """Parts (n,) in `WHOLE`, with four digits that count: none becomes nothing, however small it is."""
    found, there = WHOLE * parts, parts > 0
    scale = 10.0 ** (3 - np.floor(np.log10(found[there])))
    found[there] = np.round(found[there] * scale) / scale
    return found


def plain(value: float) -> float:
    """A number as JSON writes it shortest."""
    return int(value) if float(value).is_integer() else float(value)


def picture(pixels: Pixels, longest_px: int = LONGEST_PX) -> str:
    """A picture for a page, no wider than so many px."""
    height, width = pixels.shape[:2]
    if width > longest_px:
        pixels = resize(pixels, longest_px, max(1, round(height * longest_px / width)))
    return f"data:image/jpeg;base64,{base64.b64encode(encode_image(pixels, 'jpeg')).decode()}"


def exact(cells: Pixels) -> str:
    """A map of cells for a page, each one pixel."""
    return f"data:image/png;base64,{base64.b64encode(encode_image(cells, 'png')).decode()}"


def sized(pixels: Pixels) -> dict[str, Any]:
    """A picture, how wide it is shown in px, and whether that is larger: a small one a whole number of times."""
    width = min(int(pixels.shape[1]), LONGEST_PX)
    times = max(1, SHOWN_PX // width)
    return {"picture": picture(pixels), "width": width * times, "small": times > 1}


def ratio(found: Bench) -> str:
    """Width by height of the outputs, for maps of them."""
    height, width = next(iter(found.inputs.values())).shape[:2]
    return f"{width} / {height}"


def best_first(found: Bench) -> list[tuple[tuple[str, str], Agreement]]:
    """How far pairs agree, those that do most above chance first, those of which it cannot be told last."""
    return sorted(found.agreements.items(), key=lambda pair: -np.nan_to_num(pair[1].above_chance, nan=-np.inf))


@cache
def template(name: str, package: str = "ktviz.workbench") -> Template:
    """A template of a package, which may include ours; names and titles are other people's text, and escaped."""
    loader = ChoiceLoader([PackageLoader(one, "") for one in (package, "ktviz.workbench")])
    environment = Environment(loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True)
    environment.lstrip_blocks = True
    return environment.get_template(name)
