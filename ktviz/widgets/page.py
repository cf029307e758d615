"""Exported pages: one file that works offline, with all answers stored in it that Python would give."""

from __future__ import annotations

import gzip
import html
import os
from base64 import b64encode
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ktviz.errors import StorageError
from ktviz.files import replacing
from ktviz.images import Pixels, encode_image
from ktviz.widgets.packing import Part, pack, to_json
from ktviz.widgets.panels.registry import PANELS, appearing
from ktviz.widgets.pictures import LONGEST_PX, small
from ktviz.widgets.scene import canvas_part, columns, describe, source_pictures
from ktviz.widgets.subject import Subject

if TYPE_CHECKING:
    from ktviz.widgets.view import View

PAGE_BYTES = 3_900_000
"""What a page of a 512x512 translation may take; pictures of bands fill what the rest leaves."""
SITES_BYTES = 4_000_000
"""What the other sites of a trace may take beside it."""
LEVEL = 6
"""Of gzip: 8 takes three times as long and 9 five times, for one part in 200 of the size."""
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
<main id="ktviz-page" data-parts="{parts}" data-selected="{selected}"></main>
<script type="text/plain" id="ktviz-scene">{scene}</script>
<script type="text/plain" id="ktviz-store">{store}</script>
{after}{others}<script type="module">{script}</script>
</body>
</html>
"""
AFTER = '<script type="text/plain" id="ktviz-after">{packed}</script>\n'
"""The counterfactual that the view has beside its trace: its scene, and answers about it."""
SITE = '<script type="text/plain" class="ktviz-site" data-site="{name}" data-selected="{selected}">{packed}</script>\n'
"""Another site of the trace in a page: its scene, and answers about it."""


def write_page(view: View, path: str | os.PathLike[str], overwrite: bool) -> None:
    """See `View.to_html`."""
    path = Path(path)
    if path.exists() and not overwrite:
        raise StorageError(f"write {str(path)!r}", "it exists", "Say overwrite=True, or choose another name")
    text = page(view)
    with replacing(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def page(view: View) -> str:
    """A whole page of a view with what is selected in it, as HTML."""
    from ktviz.widgets.view import static_text

    subject = view._subject
    scene = as_text(describe(subject), {**pictures(view), **columns(subject), **source_pictures(subject)})
    known = stored(subject)
    script = view._esm.replace("</script", "<\\/script")
    after = counterfactual(view, known)
    room = PAGE_BYTES - len(script) - len(scene) - len(after) - len(as_text({}, known))
    others = other_sites(view, known, SITES_BYTES)
    store = as_text({}, {**known, **filled(subject, room * 3 // 4)})
    banks = ", ".join(subject.trace.about["banks"])
    return PAGE.format(
        title=html.escape(f"ktviz: {banks}"),
        css=static_text("ktviz.css").replace("</style", "<\\/style"),
        parts=" ".join(view.parts),
        selected=html.escape(to_json(view._selected)),
        scene=scene,
        store=store,
        after=after,
        others=others,
        script=script,
    )


def stored(subject: Subject) -> dict[str, Part]:
    """What the page's panels answer without Python."""
    found: dict[str, Part] = {}
    for panel in appearing(subject):
        found |= panel.stored(subject)
    return found


def filled(subject: Subject, room: int) -> dict[str, Part]:
    """What they answer as far as there is room."""
    found: dict[str, Part] = {}
    for panel in appearing(subject):
        more = panel.filled(subject, room)
        room -= sum(len(part) for part in more.values() if isinstance(part, bytes))
        found |= more
    return found


def counterfactual(view: View, known: Mapping[str, Part]) -> str:
    """What a page holds of the counterfactual of the site that is shown; nothing without one."""
    after = view._states[view.site].after
    if after is None:
        return ""
    shown = in_little_room(after.pictures())
    scene = pack(after.describe(), {**shown, **columns(after.subject)}, for_gzip=True)
    return AFTER.format(packed=as_text({}, {"scene": scene, "store": store_beside(after.subject, known)}))


def store_beside(subject: Subject, known: Mapping[str, Part]) -> bytes:
    """The answers about another scene of a page, packed, without those that the first has too."""
    answers = stored(subject)
    shared = [name for name, part in answers.items() if same(part, known.get(name))]
    own = {name: part for name, part in answers.items() if name not in shared}
    return pack({"shared": shared}, own, for_gzip=True)


def other_sites(view: View, known: Mapping[str, Part], room: int) -> str:
    """The sites that are not shown at first, in the order of the trace, as many as fit in so many bytes.

    Each with its answers, if they fit too. Pictures, and answers that are the same, are those of the first site.
    """
    elements = []
    for site in view._subject.sites:
        if site["name"] == view.site or not site["retrievals"]:
            continue
        state = view._state(site["name"])
        subject = state.shown
        scene: dict[str, Part] = {"scene": pack(describe(subject), columns(subject), for_gzip=True)}
        for parts in ({**scene, "store": store_beside(subject, known)}, scene):
            element = SITE.format(
                name=html.escape(site["name"]),
                selected=html.escape(to_json(state.agreed["_selected"])),
                packed=as_text({}, parts),
            )
            if len(element) <= room:
                elements.append(element)
                room -= len(element)
                break
    return "".join(elements)


def same(one: Part, other: Part | None) -> bool:
    """Whether two parts hold the same bytes in the same form."""
    return one is other or (other is not None and pack({}, {"part": one}) == pack({}, {"part": other}))


def pictures(view: View) -> dict[str, Part]:
    """What the sites have as canvas and output, in little room; each once, that of the site that is shown first."""
    others = [site["name"] for site in view._subject.sites if site["retrievals"] and site["name"] != view.site]
    subjects = [view._subject, *(view._state(site).shown for site in others)]
    shown = [{**subject.beside, **subject.pictures_by_canvas} for subject in reversed(subjects)]
    found = {name: pixels for pictures in shown for name, pixels in pictures.items()}
    return in_little_room({canvas_part(name): pixels for name, pixels in found.items()})


def in_little_room(found: Mapping[str, Pixels]) -> dict[str, Part]:
    """Pictures as a page holds them."""
    return {name: encode_image(small(pixels, LONGEST_PX), "jpeg") for name, pixels in found.items()}


def as_text(values: Mapping[str, Any], parts: Mapping[str, Part]) -> str:
    """Packed, then gzip, then base64, as text for a page; the same for the same parts."""
    packed = pack(values, parts, for_gzip=True)
    return b64encode(gzip.compress(packed, compresslevel=LEVEL, mtime=0)).decode()


def frame(view: View) -> str:
    """The page within another page: what notebooks and their exports show without a kernel."""
    content = html.escape(page(view))
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
