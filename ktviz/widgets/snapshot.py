"""A snapshot of a view: what readers of a saved notebook see where no view can be drawn. HTML without script."""

from __future__ import annotations

import html
from base64 import b64encode

from ktviz.figures.colours import OTHER, SOURCE_COLOURS
from ktviz.figures.maps import source_map
from ktviz.images import Pixels, encode_image, shrink
from ktviz.licences import readable
from ktviz.printing import counted
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


def standing_in(shown: str, name: str) -> str:
    """A snapshot that stands where its view cannot be drawn, as an output of its own before that of the view.

    Of a saved notebook without the kernel that made the view, JupyterLab draws an error there: it is hidden as long as
    the snapshot is seen. A view that is drawn hides the snapshot with its name.
    """
    return STANDING_IN.format(name=html.escape(name), shown=shown)


def snapshot(subject: Subject) -> str:
    """Canvas, output, who painted what, and the largest shares, as a fragment of HTML."""
    trace = subject.trace
    height, width = trace.size
    banks = ", ".join(trace.about["banks"])
    title = f"{width}x{height} px → {banks} · {counted(len(trace), 'retrieval')} · trace {trace.digest[:12]}"
    if subject.library is not None:
        title = f"{banks} · {counted(len(subject.library), 'entry', 'entries')}"
    pictures = [(in_words(name), pixels) for name, pixels in subject.pictures_by_canvas.items()]
    pictures += [("Who painted what", map_) for map_ in [painted(subject)] if map_ is not None]
    shown = "".join(figure(name, pixels) for name, pixels in pictures)
    rows = "".join(source_row(subject, number) for number in range(min(MOST_SOURCES, len(subject.names))))
    rest = len(subject.names) + trace.unlisted - MOST_SOURCES
    more = f"<p>and {counted(rest, 'more source')}</p>" if rest > 0 else ""
    return (
        f'<div><p><strong>{html.escape(title)}</strong></p><div style="display: flex; flex-wrap: wrap; gap: 8px">'
        f"{shown}</div><table><thead>{HEAD}</thead><tbody>{rows}</tbody></table>{more}"
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


def source_row(subject: Subject, number: int) -> str:
    """One source as a row of the table."""
    about = subject.described[subject.names[number]]
    words = {"creator": html.escape(str(about.get("creator", "unknown")))}
    words["licence"] = html.escape(readable(str(about.get("licence", "unknown"))))
    words["title"] = html.escape(title_of(about))
    return ROW.format(colour=colour_of(number), share=float(subject.shares["share"][number]), **words)
