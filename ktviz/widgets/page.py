"""Exported pages: one file that works offline, with all answers stored in it that Python would give."""

from __future__ import annotations

import html
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from math import inf
from pathlib import Path
from typing import TYPE_CHECKING

from ktviz.errors import SettingError, StorageError
from ktviz.files import replacing
from ktviz.images import Pixels, encode_image, shrink
from ktviz.values import short
from ktviz.widgets.packing import Part, as_text, pack, to_json
from ktviz.widgets.panels.registry import PANELS, appearing, beside
from ktviz.widgets.pictures import LONGEST_PX
from ktviz.widgets.room import Room, same
from ktviz.widgets.scene import canvas_part, columns, describe, source_pictures
from ktviz.widgets.subject import Subject

if TYPE_CHECKING:
    from ktviz.widgets.compare import Compare
    from ktviz.widgets.view import View

PAGE_BYTES, USUAL_PX, LARGEST_BYTES = 3_900_000, 512 * 512, 8_900_000
"""What a page takes where nobody says: so much for a picture of so many px, in proportion for larger ones, and no more
than that."""
MARKUP_BYTES = 4_000
"""Of what lies around the parts of a page."""
HEADER_PX = 80
"""Of the Explorer, in a frame."""
PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>
body {{ margin: 0; background: #fff; }}
@media (prefers-color-scheme: dark) {{ body {{ background: #161616; }} }}
{css}
</style>
</head>
<body>
<main id="ktviz-page" data-parts="{parts}" data-by="{by}" data-selected="{selected}"></main>
<script type="text/plain" id="ktviz-scene">{scene}</script>
<script type="text/plain" id="ktviz-store">{store}</script>
{others}<script type="module">{script}</script>
</body>
</html>
"""
ALL = tuple(panel.name for panel in PANELS)
"""Parts of a view that has every panel."""
COUNTERFACTUAL = "the counterfactual"
AFTER = '<script type="text/plain" id="ktviz-after">{packed}</script>\n'
"""The counterfactual that the view has beside its trace: its scene, and answers about it."""
SITE = '<script type="text/plain" class="ktviz-site" data-site="{name}" data-selected="{selected}">{packed}</script>\n'
"""Another site of the trace in a page: its scene, and answers about it."""


COMPARISON = (
    PAGE.partition("<main")[0]
    + """<main id="ktviz-comparison"></main>
{elements}<script type="module">{script}</script>
</body>
</html>
"""
)
COMPARED = (
    '<div hidden class="ktviz-compared" data-title="{title}" data-parts="{parts}" data-by="{by}" '
    'data-selected="{selected}">'
    '<script type="text/plain">{scene}</script><script type="text/plain">{store}</script></div>\n'
)
"""One of several traces in a page."""


@dataclass(frozen=True)
class Page:
    """A page, and what it holds.

    Attributes:
        text: HTML.
        sizes: Bytes of its parts, by what they are.
        left_out: For what there was no room, in words.
    """

    text: str
    sizes: Mapping[str, int]
    left_out: tuple[str, ...]


@dataclass(frozen=True)
class PageReport:
    """A page that was written.

    Attributes:
        path: Of the file.
        bytes: In all.
        sizes: Bytes of its parts, by what they are.
        left_out: For what there was no room, in words.
    """

    path: Path
    bytes: int
    sizes: Mapping[str, int]
    left_out: tuple[str, ...]

    def __repr__(self) -> str:
        parts = ", ".join(f"{name} {size / 1e6:.2f}" for name, size in self.sizes.items())
        left = f"; left out: {', '.join(self.left_out)}" if self.left_out else ""
        return f"PageReport({str(self.path)!r}, {self.bytes / 1e6:.2f} MB: {parts}{left})"


@dataclass(frozen=True)
class Further:
    """A scene beside the first one of a page: of a counterfactual, or of another site.

    Attributes:
        name: In words.
        subject: What it is of.
        scene: Packed.
        element: How it stands in the page, with room for what is packed.
        parts: Of the view.
    """

    name: str
    subject: Subject
    scene: bytes
    element: Callable[[str], str]
    parts: Sequence[str]

    @property
    def size(self) -> int:
        """Bytes of text without answers."""
        return len(self.element(as_text({}, {"scene": self.scene})))

    def text(self, room: Room) -> str:
        """With answers, as far as there is room; those that the first scene has too are named alone."""
        parts = kept(self.subject, room, self.parts)
        shared = [name for name, part in parts.items() if same(part, room.known.get(name))]
        own = {name: part for name, part in parts.items() if name not in shared}
        store = pack({"shared": shared, "left_out": room.lacking}, own, for_gzip=True)
        return self.element(as_text({}, {"scene": self.scene, "store": store}))


def write_page(view: View, path: str | os.PathLike[str], max_mb: float | None, overwrite: bool) -> PageReport:
    """See `View.to_html`."""
    return write(partial(page, view), path, max_mb, overwrite)


def write(
    make: Callable[[int | None], Page], path: str | os.PathLike[str], max_mb: float | None, overwrite: bool
) -> PageReport:
    """Make a page of at most so many bytes, and write it."""
    path = Path(path)
    if path.exists() and not overwrite:
        raise StorageError(f"write {str(path)!r}", "it exists", "Name another, or say overwrite=True")
    made = make(None if max_mb is None else most_bytes(max_mb))
    with replacing(path) as temporary:
        temporary.write_text(made.text, encoding="utf-8")
    return PageReport(path, len(made.text.encode()), made.sizes, made.left_out)


def most_bytes(max_mb: object) -> int:
    """What a page may take, as a person says it."""
    if isinstance(max_mb, bool) or not isinstance(max_mb, (int, float)) or not 0 < max_mb < inf:
        raise SettingError(f"to_html max_mb={short(max_mb)}", "no size", "Give MB, such as 4")
    return int(1e6 * max_mb)


def usual_bytes(view: View) -> int:
    """What it takes where nobody says."""
    height, width = view._subject.trace.size
    return min(LARGEST_BYTES, int(PAGE_BYTES * max(1, height * width / USUAL_PX)))


def page(view: View, most: int | None = None) -> Page:
    """A whole page of a view with what is selected in it, of at most so many bytes.

    Raises:
        SettingError: What every page of it has takes more.
    """
    subject = view._subject
    script, css = front_end("page", view._esm)
    scene = scene_text(view)
    sizes = {"front end": len(script) + len(css) + MARKUP_BYTES, "scene": len(scene)}
    left = (usual_bytes(view) if most is None else most) - sum(sizes.values())
    if most is not None and left < 0:
        found = f"what every page of it has takes {sum(sizes.values()) / 1e6:.1f} MB"
        raise SettingError(f"a page of {most / 1e6:g} MB", found, "Allow more, or show a part: trace[region]")
    further = further_scenes(view, max(0, left) // 2)
    room = Room(max(0, left - sum(one.size for one in further)))
    known, lacking = kept(subject, room, view.parts), room.lacking
    if view._states[view.site].after is not None and not any(one.name == COUNTERFACTUAL for one in further):
        lacking.append(COUNTERFACTUAL)
    store = as_text({"left_out": lacking}, known)
    texts = []
    for number, one in enumerate(further):
        own = Room(max(0, room.left) // (len(further) - number), known)
        texts.append(one.text(own))
        room.left -= len(texts[-1]) - one.size
        lacking = [*lacking, *(f"of {one.name}: {what}" for what in own.lacking)]
    text = PAGE.format(
        title=html.escape(f"ktviz: {', '.join(subject.trace.about['banks'])}"),
        css=css,
        parts=" ".join(view.parts),
        by=view.by,
        selected=html.escape(to_json(view._selected)),
        scene=scene,
        store=store,
        others="".join(texts),
        script=script,
    )
    sizes |= {"answers": len(store), **({"further scenes": sum(map(len, texts))} if texts else {})}
    return Page(text, sizes, tuple(dict.fromkeys(lacking)))


def front_end(first: str, rest: str) -> tuple[str, str]:
    """Script and style of a page, as they stand in it."""
    from ktviz.widgets.view import static_text

    script = "\n".join((static_text(f"{first}.js"), rest)).replace("</script", "<\\/script")
    return script, static_text("ktviz.css").replace("</style", "<\\/style")


def scene_text(view: View) -> str:
    """The scene of a view in a page."""
    subject = view._subject
    return as_text(describe(subject), {**pictures(view), **columns(subject), **source_pictures(subject)})


def write_comparison(
    compare: Compare, path: str | os.PathLike[str], max_mb: float | None, overwrite: bool
) -> PageReport:
    """See `Compare.to_html`."""
    return write(partial(comparison_page, compare), path, max_mb, overwrite)


def comparison_page(compare: Compare, most: int | None = None) -> Page:
    """A page of several traces; each gets an equal part of the room, errors as in `page`."""
    views = compare.views
    script, css = front_end("page", compare._esm)
    scenes = [scene_text(view) for view in views]
    sizes = {"front end": len(script) + len(css) + MARKUP_BYTES, "scenes": sum(map(len, scenes))}
    usual = min(LARGEST_BYTES, sum(usual_bytes(view) for view in views))
    left = (usual if most is None else most) - sum(sizes.values())
    if most is not None and left < 0:
        found = f"what every page of it has takes {sum(sizes.values()) / 1e6:.1f} MB"
        raise SettingError(f"a page of {most / 1e6:g} MB", found, "Allow more, or compare fewer")
    elements, lacking, answers = [], dict[str, None](), 0
    for view, scene, title in zip(views, scenes, compare.titles, strict=True):
        room = Room(max(0, left) // len(views))
        known = kept(view._subject, room, view.parts)
        store = as_text({"left_out": room.lacking}, known)
        lacking |= dict.fromkeys(room.lacking)
        answers += len(store)
        selected = html.escape(to_json({**view._selected, "showing": "before"}))
        said = {"title": html.escape(title), "parts": " ".join(view.parts), "by": view.by, "selected": selected}
        elements.append(COMPARED.format(**said, scene=scene, store=store))
    title = html.escape(f"ktviz: {', '.join(compare.titles)}")
    text = COMPARISON.format(title=title, css=css, elements="".join(elements), script=script)
    return Page(text, sizes | {"answers": answers}, tuple(lacking))


def kept(subject: Subject, room: Room, parts: Sequence[str] = ALL) -> dict[str, Part]:
    """What the panels of a page with some parts answer without Python, as far as there is room."""
    found: dict[str, Part] = {}
    for panel in beside(parts, subject):
        found |= panel.kept(subject, room)
    return found


def further_scenes(view: View, room: int) -> list[Further]:
    """The counterfactual beside the trace, if it fits in so many bytes, and the trace's other sites in their order, as
    many as fit in half of that.

    Pictures of sources and of canvases are those of the first scene, but for what a counterfactual painted.
    """
    found = [*after_scenes(view)]
    taken, most = sum(one.size for one in found), room // 2
    if taken > room:
        return []
    for site in view._subject.sites:
        if site["name"] != view.site and site["retrievals"]:
            one = of_site(view, site["name"])
            taken += one.size
            if taken > most:
                break
            found.append(one)
    return found


def after_scenes(view: View) -> Iterator[Further]:
    """The scene of the counterfactual, if there is one."""
    after = view._states[view.site].after
    if after is not None:
        shown = {**in_little_room(after.pictures()), **columns(after.subject)}
        scene = pack(after.describe(), shown, for_gzip=True)
        yield Further(COUNTERFACTUAL, after.subject, scene, lambda packed: AFTER.format(packed=packed), view.parts)


def of_site(view: View, site: str) -> Further:
    """The scene of another site, with what is selected there."""
    state = view._state(site)
    subject = state.answers["before"].subject
    selected = html.escape(to_json({**state.agreed["_selected"], "showing": "before"}))
    scene = pack(describe(subject), columns(subject), for_gzip=True)
    return Further(f"site {site}", subject, scene, partial(site_element, html.escape(site), selected), view.parts)


def site_element(name: str, selected: str, packed: str) -> str:
    """Another site as it stands in a page."""
    return SITE.format(name=name, selected=selected, packed=packed)


def pictures(view: View) -> dict[str, Part]:
    """What the sites have as canvas and output, in little room; each once, that of the site that is shown first."""
    others = [site["name"] for site in view._subject.sites if site["retrievals"] and site["name"] != view.site]
    subjects = [view._subject, *(view._state(site).answers["before"].subject for site in others)]
    shown = [{**subject.beside, **subject.pictures_by_canvas} for subject in reversed(subjects)]
    found = {name: pixels for pictures in shown for name, pixels in pictures.items()}
    return in_little_room({canvas_part(name): pixels for name, pixels in found.items()})


def in_little_room(found: Mapping[str, Pixels]) -> dict[str, Part]:
    """Pictures as a page holds them."""
    return {name: encode_image(shrink(pixels, LONGEST_PX), "jpeg") for name, pixels in found.items()}


def frame(view: View) -> str:
    """The page within another page: what notebooks and their exports show without a kernel."""
    content = html.escape(page(view).text)
    title = html.escape(repr(view))
    style = f"width: 100%; height: {frame_height(view)}px; border: 0"
    return f'<iframe title="{title}" style="{style}" srcdoc="{content}"></iframe>'


def frame_height(view: View) -> int:
    """Room for the parts of a view, in px: a frame cannot ask its content."""
    if len(view.parts) == 1:
        alone = next(panel for panel in PANELS if panel.name == view.parts[0])
        return alone.height_px + (HEADER_PX if len(view._subject.sites) > 1 else 0)
    rows: dict[int, int] = {}
    for panel in appearing(view._shown):
        height = panel.height_px if panel.folded_px is None else panel.folded_px
        rows[panel.row] = max(height, rows.get(panel.row, 0))
    return HEADER_PX + sum(rows.values())
