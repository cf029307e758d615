"""A snapshot of a view: what readers of a saved notebook see where no view can be drawn. HTML without script."""

from __future__ import annotations

import html
from base64 import b64encode

from ktviz.figures.colours import OTHER, SOURCE_COLOURS
from ktviz.figures.maps import source_map
from ktviz.images import Pixels, encode_image, shrink
from ktviz.licences import readable
from ktviz.printing import counted
from ktviz.trace.groups import grouped
from ktviz.trace.named import title_of
from ktviz.trace.pictures import in_words
from ktviz.widgets.subject import Subject

SIDE_PX = 420
MOST_SOURCES = 8
ROW = (
    '<tr><td style="text-align: left"><span style="display: inline-block; width: 10px; height: 10px; '
    'background: {colour}"></span> {title}</td><td>{share:.1%}</td><td style="text-align: left">{creator}</td>'
    '<td style="text-align: left">{licence}</td></tr>'
)
STANDING_IN = (
    "<style>.jp-OutputArea-child:has(.ktviz-snapshot:not([hidden])) + .jp-OutputArea-child:not(:has([data-state])) "
    '{{ display: none }}</style><div class="ktviz-snapshot" data-view="{name}">{shown}</div>'
)
HEAD = "<tr><th>source</th><th>share (overlap)</th><th>creator</th><th>licence</th></tr>"
GROUP_HEAD = "<tr><th>{by}</th><th>share (overlap)</th><th>sources</th></tr>"
GROUP_ROW = '<tr><td style="text-align: left">{name}</td><td>{share:.1%}</td><td>{count}</td></tr>'


def standing_in(shown: str, name: str) -> str:
    """A snapshot that stands where its view cannot be drawn, as an output of its own before that of the view.

    Of a saved notebook without the kernel that made the view, JupyterLab draws an error there: it is hidden as long as
    the snapshot is seen. A view that is drawn hides the snapshot with its name.
    """
    return STANDING_IN.format(name=html.escape(name), shown=shown)


def snapshot(subject: Subject, by: str = "source") -> str:
    """Canvas, output, who painted what, and the largest shares of sources or of those by whom they are, as HTML."""
    trace = subject.trace
    height, width = trace.size
    banks = ", ".join(trace.about["banks"])
    title = f"{width}x{height} px → {banks} · {counted(len(trace), 'retrieval')} · trace {trace.digest[:12]}"
    if subject.library is not None:
        title = f"{banks} · {counted(len(subject.library), 'entry', 'entries')}"
    pictures = [(in_words(name), pixels) for name, pixels in subject.pictures_by_canvas.items()]
    pictures += [("Who painted what", map_) for map_ in [painted(subject)] if map_ is not None]
    shown = "".join(figure(name, pixels) for name, pixels in pictures)
    head, rows, more = source_table(subject) if by == "source" else group_table(subject, by)
    return (
        f'<div><p><strong>{html.escape(title)}</strong></p><div style="display: flex; flex-wrap: wrap; gap: 8px">'
        f"{shown}</div><table><thead>{head}</thead><tbody>{rows}</tbody></table>{more}"
        "<p>A snapshot: run the cell to explore it.</p></div>"
    )


def painted(subject: Subject) -> Pixels | None:
    """Every pixel in its source's colour; None without a translation."""
    if not len(subject.trace):
        return None
    colours = {name: colour_of(number) for number, name in enumerate(subject.names)}
    return source_map(subject.trace, colours)


def colour_of(number: int) -> str:
    """Colour of a source by its number in the view."""
    return SOURCE_COLOURS[number] if number < len(SOURCE_COLOURS) else OTHER


def figure(name: str, pixels: Pixels) -> str:
    """A picture with its caption."""
    data = b64encode(encode_image(shrink(pixels, SIDE_PX), "jpeg")).decode()
    name = html.escape(name)
    return (
        f'<figure style="margin: 0"><img alt="{name}" src="data:image/jpeg;base64,{data}">'
        f"<figcaption>{name}</figcaption></figure>"
    )


def source_table(subject: Subject) -> tuple[str, str, str]:
    """Head and rows of the table of sources, and how many more there are."""
    rows = "".join(source_row(subject, number) for number in range(min(MOST_SOURCES, len(subject.names))))
    return HEAD, rows, more_of(len(subject.names) + subject.trace.unlisted, "source")


def group_table(subject: Subject, by: str) -> tuple[str, str, str]:
    """The same of sources together."""
    shares = dict(zip(subject.names, subject.shares["share"].tolist(), strict=True))
    groups = grouped((subject.described[name] for name in subject.names), by)
    found = [(name, sum(shares[one] for one in members), len(members)) for name, members in groups.items()]
    found.sort(key=lambda group: -group[1])
    words = readable if by == "licence" else str
    rows = "".join(
        GROUP_ROW.format(name=html.escape(words(name)), share=share, count=count)
        for name, share, count in found[:MOST_SOURCES]
    )
    return GROUP_HEAD.format(by=by), rows, more_of(len(found), "group")


def more_of(count: int, what: str) -> str:
    """A line on those that the table does not show."""
    return f"<p>and {counted(count - MOST_SOURCES, f'more {what}')}</p>" if count > MOST_SOURCES else ""


def source_row(subject: Subject, number: int) -> str:
    """One source as a row of the table."""
    about = subject.described[subject.names[number]]
    words = {"creator": html.escape(str(about.get("creator", "unknown")))}
    words["licence"] = html.escape(readable(str(about.get("licence", "unknown"))))
    words["title"] = html.escape(title_of(about))
    return ROW.format(colour=colour_of(number), share=float(subject.shares["share"][number]), **words)
