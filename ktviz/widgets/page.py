"""Exported pages: one file that works offline, with all answers stored in it that Python would give."""

from __future__ import annotations

import gzip
import html
import os
from base64 import b64encode
from pathlib import Path
from typing import TYPE_CHECKING

from ktviz.errors import StorageError
from ktviz.files import replacing
from ktviz.images import encode_image
from ktviz.widgets.packing import Part, pack, to_json
from ktviz.widgets.scene import LONGEST_PX, abilities, columns, describe, thumbs
from ktviz.widgets.stored import decoded_sheets, stored
from ktviz.widgets.subject import Subject, small

if TYPE_CHECKING:
    from ktviz.widgets.view import View

PAGE_BYTES = 3_900_000
"""What a page of a 512x512 translation may take; pictures of bands fill what the rest leaves."""
HEIGHTS_PX = {"translation": 600, "sources": 600, "tree": 620, "bands": 620, "table": 520}
"""Of each part in a frame; parts that stand side by side share theirs."""
FOLDED_PX = 80
"""Of a part that has nothing to show, or is folded away."""
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
<script type="module">{script}</script>
</body>
</html>
"""


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

    subject = view._shown
    scene = as_text(pack(describe(subject), {**pictures(subject), **columns(subject), **thumbs(subject)}))
    known = stored(subject)
    script = static_text("ktviz.js").replace("</script", "<\\/script")
    room = PAGE_BYTES - len(script) - len(scene) - len(as_text(pack({}, known)))
    store = as_text(pack({}, {**known, **decoded_sheets(subject, room * 3 // 4)}))
    banks = ", ".join(subject.trace.about["banks"])
    return PAGE.format(
        title=html.escape(f"ktviz: {banks}"),
        css=static_text("ktviz.css").replace("</style", "<\\/style"),
        parts=" ".join(view.parts),
        selected=html.escape(to_json(view._selected)),
        scene=scene,
        store=store,
        script=script,
    )


def pictures(subject: Subject) -> dict[str, Part]:
    """Input and output in little room."""
    both = {"input": subject.input, "output": subject.output}
    return {name: encode_image(small(p, LONGEST_PX), "jpeg") for name, p in both.items() if p is not None}


def as_text(packed: bytes) -> str:
    """Bytes as text for a page: gzip, then base64; the same for the same bytes."""
    return b64encode(gzip.compress(packed, compresslevel=9, mtime=0)).decode()


def frame(view: View) -> str:
    """The page within another page: what notebooks and their exports show without a kernel."""
    content = html.escape(page(view))
    title = html.escape(repr(view))
    style = f"width: 100%; height: {frame_height(view)}px; border: 0"
    return f'<iframe title="{title}" style="{style}" srcdoc="{content}"></iframe>'


def frame_height(view: View) -> int:
    """Room for the parts of a view, in px: a frame cannot ask its content."""
    if len(view.parts) == 1:
        return HEIGHTS_PX[view.parts[0]]
    can = abilities(view._shown)
    return HEIGHTS_PX["translation"] + (HEIGHTS_PX["tree"] if can["tree"] or can["bands"] else 0) + 2 * FOLDED_PX
