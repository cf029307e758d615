"""Where outputs come from, and how far systems agree about that, as pictures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure

from ktviz.explain.origins import Agreement, Origins
from ktviz.figures.canvas import page_width
from ktviz.figures.colours import OTHER, source_colours
from ktviz.figures.gallery import NARROWEST, WIDTH, gallery
from ktviz.figures.maps import in_place_colours, painted_values, place_colours
from ktviz.images import Pixels
from ktviz.regions import stretched
from ktviz.trace.overlap import Floats

NOWHERE = 255
"""Grey of what comes from no known place."""


def origin_map(origins: Origins, sources: Sequence[str]) -> Pixels:
    """Every cell of an output in the colour of where it comes from: (n, n, 3).

    Args:
        origins: Of the output.
        sources: All that are shown. Of one, colours are those of its places, and their mean where there are several; of
            several, those of the sources, in the order of the palette. Other sources are grey.
    """
    each, entries = origins.cells**2, origins.part.tocoo()
    source, place = np.divmod(entries.col, each)
    known = source_colours(sources)
    colours = (np.array([to_rgb(known.get(name, OTHER)) for name in origins.sources]).reshape(-1, 3) * 255)[source]
    if len(sources) == 1:
        there = np.array([name == sources[0] for name in origins.sources], bool)[source]
        colours[there] = colours_of_places(origins.cells)[place[there]]
    mixed = [np.bincount(entries.row, entries.data * of, each) for of in colours.T]
    painted = np.stack(mixed, 1) + (1 - origins.known[:, None]).clip(0) * NOWHERE
    return np.asarray(painted.round().clip(0, 255).reshape(origins.cells, origins.cells, 3), dtype=np.uint8)


def colours_of_places(cells: int) -> Floats:
    """The colour of every cell of a source, row by row: (cells², 3)."""
    middle = (np.arange(cells) + 0.5) / cells
    down, across = np.meshgrid(middle, middle, indexing="ij")
    return place_colours(across, down).reshape(-1, 3).astype(np.float64)


def agreement_map(found: Agreement) -> Pixels:
    """What two systems have in common in every cell, from 0 to 1: (n, n, 3)."""
    return painted_values(found.cells)


def enlarged(cells: Pixels, like: Pixels) -> Pixels:
    """A map of cells in the size of a picture, cell by cell."""
    height, width = like.shape[:2]
    return np.stack([stretched(cells[..., colour], height, width) for colour in range(3)], -1)


def origins_figure(
    input: tuple[str, Pixels],
    reference: tuple[str, Pixels],
    outputs: Mapping[str, Pixels],
    origins: Mapping[str, Origins],
    sources: Sequence[str],
    title: str,
    *,
    width: float | None = None,
) -> Figure:
    """Input and outputs side by side; below them the reference in the colours of its places, and each output in those.

    Args:
        input: What it is called, and its picture.
        reference: The same; of several sources, one of them.
        outputs: By name of the system.
        origins: The same; where they are not known, white is shown.
        sources: As in `origin_map`.
        title: Above them.
        width: In inches; on a narrow page the input and each output are below each other, what is below them beside.
    """
    alone = len(sources) == 1
    above = [input, *outputs.items()]
    below = [(reference[0], in_place_colours(reference[1]) if alone else reference[1])]
    for name, output in outputs.items():
        there = name in origins and bool(origins[name].known.any())
        cells = origin_map(origins[name], sources) if there else np.full((1, 1, 3), NOWHERE, np.uint8)
        below.append(("where it comes from" if there else "not known", enlarged(cells, output)))
    narrow = page_width(width, NARROWEST) < WIDTH
    shown = [one for pair in zip(above, below, strict=True) for one in pair] if narrow else above + below
    captions, pictures = zip(*shown, strict=True)
    return gallery(pictures, captions, columns=2 if narrow else len(above), title=title, width=width)
