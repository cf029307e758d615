"""The report: one offline HTML file, readable on a screen and on paper."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from jinja2 import Environment, PackageLoader, StrictUndefined, Template

from ktviz.audit.copies import AGREES
from ktviz.audit.findings import given_files, given_sources, headline, stated_settings
from ktviz.audit.rivals import NEAR
from ktviz.explain.case import Case
from ktviz.explain.pieces import LEAST
from ktviz.figures.colours import source_colours
from ktviz.figures.facts import facts, label
from ktviz.figures.layout import percent
from ktviz.images import Pixels, encode_image, resize
from ktviz.licences import UNKNOWN, readable
from ktviz.printing import counted
from ktviz.trace.groups import Group
from ktviz.trace.shares import LEAST as LEAST_PART
from ktviz.trace.shares import lacking_by_class, uncovered

if TYPE_CHECKING:
    from ktviz.audit.audit import Audit
    from ktviz.trace.trace import Trace

THUMB_PX, PICTURE_PX, SMALL_PX = 360, 760, 420
"""Longest width of pictures in the report."""
MOST_LISTED = 12
"""Rows of a table that are listed; all of them are in the files beside the report."""


def render(audit: Audit) -> str:
    """The report of an audit; the same audit gives the same text."""
    sources = audit.tables["sources"]
    used, searched = sources[sources["share"] != 0], set(audit.about["searched"])
    colours = source_colours(sources["source"].tolist())
    pictures = {
        name: data_uri(jpeg(pixels, PICTURE_PX)) for name, pixels in audit.pictures.items() if not is_small(name)
    }
    return template().render(
        title=audit.title,
        about=audit.about,
        image=audit.trace.picture.about,
        size=audit.trace.size,
        canvases=audit.trace.picture.about["canvases"],
        compared=len(audit.tables["regret"]) > 0,
        in_library=bool(audit.fingerprints),
        digests=audit.trace.about["digests"],
        trace=audit.trace,
        caveat=audit.trace.caveat,
        sources=[source_card(row, colours, audit) for row in records(used)],
        given=[source["source"] for source in given_sources(audit.trace)],
        unshown=listed_settings(stated_settings(audit.trace)),
        beside=[file["source"] for file in given_files(audit.trace)],
        unused=[name for name in audit.about["searched"] if name not in set(used["source"])],
        excluded=[name for name in sources["source"] if name not in searched | set(used["source"])],
        works=int(used["source"].isin(searched).sum()),
        served=records(audit.tables["served"]),
        creators=records(audit.tables["creators"]),
        licences=records(audit.tables["licences"]),
        banks=telling(audit, "bank"),
        years=telling(audit, "year"),
        pieces=records(audit.tables["pieces"].head(MOST_LISTED)),
        pieces_count=len(audit.tables["pieces"]),
        pieces_area=float(audit.tables["pieces"]["area"].sum()),
        least_piece=LEAST,
        most_listed=MOST_LISTED,
        copies=records(audit.tables["copies"].head(MOST_LISTED)),
        copies_count=len(audit.tables["copies"]),
        agrees=AGREES,
        near=NEAR,
        counterfactuals=[counterfactual(row, audit) for row in records(audit.tables["counterfactuals"])],
        attributions=[attribution_card(number, audit) for number in range(1, len(audit.attributions) + 1)],
        comparisons=[comparison_card(number, audit) for number in range(1, len(audit.comparisons) + 1)],
        regret=headline(audit.tables["regret"]),
        unknown_share=unknown_share(sources),
        nothing=uncovered(audit.trace),
        least_part=LEAST_PART,
        lacking=lacking_by_class(audit.trace),
        scattered=scattered(audit.trace),
        pictures=pictures,
        parameters=audit.parameters,
    )


def scattered(trace: Trace) -> float:
    """What came, of one work, from places that are not recorded one by one."""
    return float(trace.column("left_over").mean()) if trace.site_about.get("one_source") else 0.0


def is_small(name: str) -> bool:
    """Whether a picture stands in a section of its own, among others of its kind."""
    return name.startswith(("without-", "attribution-", "comparison-"))


def telling(audit: Audit, by: Group) -> list[dict[str, Any]]:
    """Shares by bank or year, where they tell more than the works do: of several, or of one that is known; an audit of
    an older format has no such table."""
    rows = records(audit.tables.get(f"{by}s", pd.DataFrame()))
    known = [row for row in rows if row[by] != UNKNOWN]
    return rows if len(rows) > 1 or (known and by == "year") else []


def records(table: pd.DataFrame) -> list[dict[str, Any]]:
    return [{str(name): value for name, value in row.items()} for row in table.to_dict("records")]


def source_card(row: dict[str, Any], colours: dict[str, str], audit: Audit) -> dict[str, Any]:
    """What the report says of a source that was used."""
    boxes = audit.tables["boxes"]
    places = boxes[boxes["source"] == row["source"]].nlargest(3, "overlap")
    return {
        **row,
        "colour": colours[row["source"]],
        "thumb": data_uri(audit.thumbs[row["source"]]) if row["source"] in audit.thumbs else "",
        "link": row["url"] if str(row["url"]).startswith(("https://", "http://")) else "",
        "boxes": records(places),
    }


def counterfactual(row: dict[str, Any], audit: Audit) -> dict[str, Any]:
    """What the report says of a translation without a source."""
    name = row["picture"].rsplit("/", 1)[-1].removesuffix(".png")
    return {**row, "shown": data_uri(jpeg(audit.pictures[name], SMALL_PX))}


def attribution_card(number: int, audit: Audit) -> dict[str, Any]:
    """What the report says of an attribution: what was asked, and the largest shares."""
    asked = audit.attributions[number - 1]
    rows = asked.frame.head(MOST_LISTED)
    names = [label(asked, place, str(name)) for place, name in enumerate(rows[asked.by])]
    return {
        "by": asked.by,
        "through": asked.through,
        "unit": asked.about["unit"],
        "facts": " · ".join(facts(asked)),
        "rows": list(zip(names, rows["share"], strict=True)),
        "count": len(asked),
        "shown": data_uri(jpeg(audit.pictures[f"attribution-{number}"], SMALL_PX)),
    }


def comparison_card(number: int, audit: Audit) -> dict[str, Any]:
    """What the report says of a comparison: in what the two differ, what changed, and who took over from whom."""
    made = audit.comparisons[number - 1]
    return {
        "differs": made.about["differs"],
        "headline": made.headline(),
        "rows": records(made.new_winners.head(MOST_LISTED)),
        "count": len(made.new_winners),
        "before": data_uri(jpeg(made.pictures["before"], SMALL_PX)),
        "after": data_uri(jpeg(audit.pictures[f"comparison-{number}"], SMALL_PX)),
    }


def unknown_share(sources: pd.DataFrame) -> float:
    """Part of the output by sources of unknown licence."""
    return float(sources[sources["licence"].isin((UNKNOWN, ""))]["share"].sum())


def thumbnails(case: Case) -> dict[str, bytes]:
    """Every source that was used, pale where it was not: JPEG by name; none of a source without a picture."""
    trace = case.trace
    taken_from = trace.column("weight", winners=False) != 0
    source, boxes = (trace.column(name, winners=False)[taken_from] for name in ("source", "source_box"))
    shares = trace.sources()
    sizes = {about["source"]: (about.get("height"), about.get("width")) for about in trace.about["sources"]}
    found = {}
    for name in shares[shares["share"] != 0]["source"]:
        picture = case.system.source_picture(case.trace, name)
        if picture is None:
            continue
        scale = min(n / (side or n) for n, side in zip(picture.shape, sizes[name], strict=False))
        taken = np.isnan(boxes[source == name]).any() * np.ones(picture.shape[:2], dtype=bool)
        edges = np.nan_to_num(np.column_stack((boxes[:, :2], boxes[:, :2] + boxes[:, 2:]))[source == name] * scale)
        for left, top, right, bottom in edges.round().astype(np.int64).tolist():
            taken[top:bottom, left:right] = True
        pale = 255 - (255 - picture.astype(np.float64)) * 0.3
        found[name] = jpeg(np.where(taken[..., None], picture, pale.round()).astype(np.uint8), THUMB_PX)
    return found


def jpeg(pixels: Pixels, width: int) -> bytes:
    """A picture as JPEG, no wider than `width` px."""
    if pixels.shape[1] > width:
        pixels = resize(pixels, width, max(1, round(pixels.shape[0] * width / pixels.shape[1])))
    return encode_image(pixels, "jpeg")


def data_uri(data: bytes) -> str:
    return f"data:image/jpeg;base64,{base64.b64encode(data).decode()}"


def listed_settings(settings: Mapping[str, Any]) -> str:
    """Some settings in one line: "has Hat, Smile; seed 0"."""
    return "; ".join(f"{name} {in_words(value)}" for name, value in settings.items())


def in_words(value: Any) -> str:
    """A setting as people read it; parts by their names, because files do not keep their order."""
    if isinstance(value, (list, tuple)):
        return ", ".join(map(in_words, value)) or "none"
    if isinstance(value, Mapping):
        return " ".join(f"{name} {in_words(part)}" for name, part in sorted(value.items()))
    return str(value)


@cache
def template() -> Template:
    loader = PackageLoader("ktviz.audit", "")
    # Titles and credits are other people's text: everything is escaped.
    environment = Environment(loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True)
    environment.lstrip_blocks = True
    environment.filters |= {"percent": percent, "number": "{:,}".format, "short": lambda text: str(text)[:12]}
    environment.filters["counted"] = counted
    environment.filters["readable"] = readable
    environment.filters["in_words"] = in_words
    environment.filters["px"] = lambda value: f"{value:.0f}"
    return environment.get_template("report.html.jinja")
