"""Cards: what a notebook shows of a result at the end of a cell: small pictures, facts, the largest shares.

Each is a piece of HTML under 100 KB without script, in the colours of the page around it, and without anything that a
page may drop: styles are inline, pictures are inside.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from jinja2 import Environment, PackageLoader, StrictUndefined, Template

from ktviz.errors import AbilityError, KtvizError, LibraryError, TraceError
from ktviz.explain.result import one_site
from ktviz.explain.source_pictures import source_picture
from ktviz.figures.attribution import colour, highlighted, pale_outside
from ktviz.figures.colours import BOTH_INK, source_colours, trace_colours
from ktviz.figures.comparison import FULL
from ktviz.figures.layout import percent
from ktviz.figures.maps import painted_values, scores, source_map
from ktviz.images import Pixels, decode_image, encode_image, resize
from ktviz.library.banks import READ_ERRORS, AnyBank, Banks
from ktviz.library.format import BankRecord
from ktviz.library.layout import CODES, PICTURES
from ktviz.library.library import Library
from ktviz.library.older import place_of
from ktviz.library.place import Place
from ktviz.printing import counted
from ktviz.trace.named import credit_of, title_of
from ktviz.trace.pictures import LABELS, in_words
from ktviz.trace.trace import NOT_THE_CAUSE

if TYPE_CHECKING:
    from ktviz.audit.audit import Audit
    from ktviz.explain.attribution import Attribution
    from ktviz.explain.backtrack import Backtrack
    from ktviz.explain.case import Case
    from ktviz.explain.counterfactual import Comparison
    from ktviz.trace.trace import Trace

PICTURE = (270, 190)
"""Largest width and height of a picture on the page."""
THUMB = (44, 32)
TILE = (120, 84)
SHARPNESS = 1.25
"""Px of a picture's file for each px on the page: screens are finer than pages say."""
ROWS, TILES, BANKS, IMAGES, FEW = 6, 18, 8, 3, 5
"""Most shares, sources, banks and images that are shown; what is left out is counted."""
Find = Callable[[str], Pixels | None]
"""From the name of a source to its picture, if there is one."""


@dataclass(frozen=True)
class Shown:
    """A picture, ready to be put into a page.

    Attributes:
        uri: The picture itself, as a data URI.
        width: On the page, in px.
        height: On the page, in px.
        caption: Below it.
        note: Below that, smaller.
        square: Whether its pixels are shown as squares.
    """

    uri: str
    width: int
    height: int
    caption: str = ""
    note: str = ""
    square: bool = False


def show(pixels: Pixels, room: tuple[int, int], caption: str = "", note: str = "", square: bool = False) -> Shown:
    """A picture made as large as fits; `square` magnifies a few px without smoothing them."""
    height, width = pixels.shape[:2]
    scale = min(room[0] / width, room[1] / height)
    size = max(1, round(width * scale)), max(1, round(height * scale))
    if square:
        kind, data = "png", encode_image(pixels, "png")
    else:
        part = min(1.0, scale * SHARPNESS)
        small = resize(pixels, max(1, round(width * part)), max(1, round(height * part)))
        kind, data = "webp", encode_image(small, "small")
    return Shown(f"data:image/{kind};base64,{base64.b64encode(data).decode()}", *size, caption, note, square)


def trace_card(trace: Trace) -> str:
    """The pictures, who painted what, and the largest shares; of several sites, those of the one that painted."""
    facts = [counted(len(trace), "retrieval"), counted(trace.table.num_rows, "candidate")]
    facts += [f"{len(trace.pictures)} images"] * (len(trace.pictures) > 1)
    facts += [f"{len(trace.sites)} sites"] * (len(trace.sites) > 1) + ["thinned"] * trace.thinned
    facts += [f"digest {trace.digest[:12]}", *([trace.caveat] if trace.caveat else [])]
    if len(trace.pictures) > 1:
        images = [pair(one.input, one.output, f" {number}") for number, one in enumerate(trace.pictures[:IMAGES])]
        return card("Trace", facts, [shown for image in images for shown in image], [])
    pictures = [show(pixels, PICTURE, caption) for caption, pixels in captioned(trace).items()]
    try:
        painter = one_site(trace)
    except TraceError:
        return card("Trace", facts, pictures, [])
    shares, colours = painter.sources(), trace_colours(painter)
    if (shares["share"] != 0).sum() > 1:
        pictures.append(show(source_map(painter, colours), PICTURE, "Who painted what"))
    return card("Trace", facts, pictures, share_rows(shares, pictures_in(painter), colours), rest_of(shares))


def captioned(trace: Trace) -> dict[str, Pixels]:
    """The pictures that a trace of one image holds, by what they are."""
    canvases = trace.picture.canvases.items()
    return {in_words(name): pixels for name, pixels in canvases if not name.startswith(LABELS)}


def run_card(
    title: str,
    facts: Sequence[str],
    pictures: Mapping[str, Pixels],
    shares: pd.DataFrame | None = None,
    find: Find = lambda name: None,
) -> str:
    """The result of a run that was not recorded: its pictures by their captions, and the largest shares."""
    rows = [] if shares is None else share_rows(shares, find, ranked(shares))
    shown = [show(pixels, PICTURE, caption) for caption, pixels in pictures.items()]
    return card(title, facts, shown, rows, rest_of(shares))


def strip_card(title: str, facts: str, pictures: Sequence[tuple[str, Pixels]]) -> str:
    """Pictures of a series, each after its caption; of many so many as fit, evenly, both ends among them."""
    places = np.linspace(0, len(pictures) - 1, min(len(pictures), TILES)).round().astype(int)
    shown = [show(pictures[place][1], TILE, pictures[place][0]) for place in places]
    more = [] if len(shown) == len(pictures) else [f"{len(shown)} of {len(pictures)} are shown"]
    return card(title, [facts, *more], shown, [])


def attribution_card(attribution: Attribution) -> str:
    """The region, and the largest shares."""
    output = highlighted(attribution)
    what = "The region" if attribution.pictures["region"].min() == 0 else "The output"
    pictures = [] if output is None else [show(output, PICTURE, what)]
    find = pictures_in(attribution.origin)
    by = attribution.by
    rows = [
        {
            "share": percent(share) if np.isfinite(share) else "—",
            "bar": min(1.0, max(0.0, float(np.nan_to_num(share)))),
            "colour": colour(attribution, name) if by == "source" else BOTH_INK,
            "thumbs": thumbs(find, name) if by == "source" else [],
            "name": name,
            "text": "",
        }
        for name, share in zip(attribution.frame[by].head(ROWS).map(str), attribution.frame["share"], strict=False)
    ]
    facts = [f"by {by} through {attribution.through}", f"a share is the {attribution.about['unit']}"]
    facts += [] if attribution.about["causal"] else [NOT_THE_CAUSE]
    more = len(attribution) - len(rows)
    left = f"and {more:,} more, {percent(float(attribution.frame['share'][ROWS:].sum()))} together" if more > 0 else ""
    return card("Attribution", facts, pictures, rows, left)


def comparison_card(comparison: Comparison) -> str:
    """Before, after, and the difference; and who took over from whom."""
    difference = painted_values(comparison.difference / FULL)
    pictures = [
        show(comparison.pictures["before"], PICTURE, "Before"),
        show(comparison.pictures["after"], PICTURE, "After"),
        show(difference, PICTURE, "Difference", f"0 (dark) to {FULL:g} levels and more (bright)"),
    ]
    took = comparison.new_winners.query("source_before != source_after")
    rows = [
        {
            "share": percent(row["overlap"]),
            "bar": float(row["overlap"]),
            "colour": BOTH_INK,
            "thumbs": [],
            "name": f"{row['source_before']} → {row['source_after']}",
            "text": counted(row["retrievals"], "retrieval"),
        }
        for row in took.head(ROWS).to_dict("records")
    ]
    more = f"and {len(took) - ROWS} more pairs" if len(took) > ROWS else ""
    return card("Comparison", [comparison.headline(), *comparison.about["differs"]], pictures, rows, more)


def backtrack_card(backtrack: Backtrack) -> str:
    """The region of the output, and the retrievals behind most of it, with both patches of each."""
    pictures, patches, score = [], {}, "similarity"
    shown = backtrack.frame.head(ROWS)
    values = shown["similarity"].to_numpy()
    if backtrack.case is not None and backtrack.mask is not None:
        pictures = [show(pale_outside(backtrack.mask, backtrack.case.output), PICTURE, "The region")]
        score = "similarity" if backtrack.case.trace.site_about["kind"] == "hard" else "weight"
        values = scores(backtrack.case.trace)[backtrack.about["places"][:ROWS]]
        patches = dict(enumerate(patches_of(backtrack.case, backtrack.about["places"][:ROWS])))
    rows = [
        {
            "share": "",
            "bar": None,
            "colour": "",
            "thumbs": [show(patch, (THUMB[1], THUMB[1]), square=True) for patch in patches.get(number, ())],
            "name": str(row["source"]),
            "text": f"{percent(row['overlap'])} of the region · {score} {values[number]:.3f}",
        }
        for number, row in enumerate(shown.to_dict("records"))
    ]
    more = len(backtrack) - len(rows)
    told = [] if backtrack.case is None or not backtrack.case.trace.caveat else [backtrack.case.trace.caveat]
    facts = [backtrack.headline(), *told] + ["each row: patch of the canvas, patch of the source that won"] * bool(
        patches
    )
    return card("Backtrack", facts, pictures, rows, f"and {counted(more, 'more retrieval')}" if more > 0 else "")


def library_card(library: Library) -> str:
    """Each bank with a few of its sources."""
    rows = []
    for name in list(library)[:BANKS]:
        record = library.record(name)
        place = place_of(name, library.folder, record)
        rows.append(
            {
                "share": "",
                "bar": None,
                "colour": "",
                "thumbs": [thumb(decode_image(data)) for data in first_thumbs(place)],
                "name": name,
                "text": held(record),
            }
        )
    more = f"and {counted(len(library) - BANKS, 'more bank')}" if len(library) > BANKS else ""
    return card("Library", [str(library.folder), f"digest {library.digest[:12]}"], [], rows, more)


def first_thumbs(place: Place) -> list[bytes]:
    """The small pictures of a few sources; none of a bank that is damaged."""
    try:
        return [place.thumb(number) for number in range(min(FEW, place.record.sources))]
    except (LibraryError, *READ_ERRORS):
        return []


def held(record: BankRecord) -> str:
    """What a bank holds, in words."""
    if record.kind == PICTURES:
        return counted(record.sources, "picture")
    entries = counted(record.entries, "object") if record.kind == CODES else counted(record.entries, "entry", "entries")
    return f"{counted(record.sources, 'source')} · {entries}"


def banks_card(banks: Banks[Any] | AnyBank) -> str:
    """The sources, with who made them."""
    banks = banks if isinstance(banks, Banks) else Banks([banks])
    first, count = banks.sources[:TILES], len(banks.sources)
    names = [source.name for source in first] if len(banks.names) == 1 else banks.source_names[:TILES]
    pictures = [
        show(banks.thumb(number), TILE, names[number], credit_of(source.credit.described()))
        for number, source in enumerate(first)
    ]
    more = f"and {counted(count - TILES, 'more source')}" if count > TILES else ""
    facts = [counted(count, "source"), counted(len(banks), "entry", "entries")]
    return card(", ".join(banks.names), facts, pictures, [], more)


def audit_card(audit: Audit) -> str:
    """Input and output, and the works that were used, or are most alike."""
    sources = audit.tables["sources"]
    found = [f"{name}: {len(audit.tables[name])}" for name in ("pieces", "copies")]
    facts = [audit.works, *found, "audit"]
    facts += [audit.trace.caveat] if audit.trace.caveat else []

    def find(name: str) -> Pixels | None:
        return decode_image(audit.thumbs[name]) if name in audit.thumbs else None

    pictures = pair(audit.pictures["input"], audit.pictures["output"])
    return card(audit.title, facts, pictures, share_rows(sources, find, ranked(sources)), rest_of(sources))


def pair(before: Pixels | None, after: Pixels | None, name: str = "") -> list[Shown]:
    """Input and output, as far as they are there."""
    named = ((before, f"Input{name}"), (after, f"Output{name}"))
    return [show(pixels, PICTURE, caption) for pixels, caption in named if pixels is not None]


def ranked(shares: pd.DataFrame) -> dict[str, str]:
    """Colours of the sources of a whole image by their shares, as in the figures."""
    return source_colours(shares["source"].tolist())


def share_rows(shares: pd.DataFrame, find: Find, colours: Mapping[str, str]) -> list[dict[str, Any]]:
    """The largest shares of a table of sources as rows."""
    painted = shares[shares["share"] != 0].head(ROWS)
    return [
        {
            "share": percent(row["share"]),
            "bar": min(1.0, max(0.0, float(row["share"]))),
            "colour": colours[row["source"]],
            "thumbs": thumbs(find, row["source"]),
            "name": row["source"],
            "text": told(row),
        }
        for row in painted.to_dict("records")
    ]


def told(row: Mapping[Any, Any]) -> str:
    """Title, creator and licence of a source, as far as they are known."""
    title = title_of(row)
    return credit_of(row) if title == row["source"] else f"{title} · {credit_of(row)}"


def rest_of(shares: pd.DataFrame | None) -> str:
    """The sources beyond the rows, counted."""
    if shares is None or not len(rest := shares["share"][shares["share"] != 0][ROWS:]):
        return ""
    return f"and {len(rest):,} more, {percent(float(rest.sum()))} together"


def pictures_in(trace: Trace | None) -> Find:
    """Pictures of the sources of a trace."""
    return lambda name: None if trace is None else source_picture(trace, name)


def patches_of(case: Case, places: Sequence[int]) -> list[tuple[Pixels, Pixels]]:
    """Pictures of both ends of some retrievals; none of a system that has none."""
    try:
        return case.system.patches(case.trace, places)
    except AbilityError:
        return []


def thumbs(find: Find, name: str) -> list[Shown]:
    picture = find(name)
    return [] if picture is None else [thumb(picture)]


def thumb(pixels: Pixels) -> Shown:
    """The middle of a picture: thumbnails are all of one shape."""
    height, width = pixels.shape[:2]
    scale = min(width / THUMB[0], height / THUMB[1])
    across, down = round(THUMB[0] * scale), round(THUMB[1] * scale)
    left, top = (width - across) // 2, (height - down) // 2
    return show(pixels[top : top + down, left : left + across], THUMB)


def card(
    title: str, facts: Sequence[str], pictures: Sequence[Shown], rows: Sequence[Mapping[str, Any]], more: str = ""
) -> str:
    """A card as HTML; all text is escaped, as titles and credits are other people's."""
    return template().render(title=title, facts=facts, pictures=pictures, rows=rows, more=more)


def unless_refused(draw: Callable[[Any], str], result: object) -> str | None:
    """A card; None, for which notebooks show the `repr`, where the result cannot be asked."""
    try:
        return draw(result)
    except KtvizError:
        return None


@cache
def template() -> Template:
    environment = Environment(loader=PackageLoader("ktviz.figures", ""), autoescape=True, undefined=StrictUndefined)
    environment.trim_blocks = environment.lstrip_blocks = True
    return environment.get_template("card.html.jinja")
