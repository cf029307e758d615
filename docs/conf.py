"""How the documentation is built: `make docs`. It needs no network; equations are MathML, which browsers draw alone."""

from __future__ import annotations

import re
import sys
from pathlib import Path

from docutils import nodes
from docutils.utils.math.latex2mathml import tex2mathml
from sphinx.application import Sphinx
from sphinx.writers.html5 import HTML5Translator

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(Path(__file__).resolve().parent)]

from pages import CARDS, RESULTS, write_pages  # noqa: E402

import ktviz  # noqa: E402

project = "ktviz"
author = "The ktviz authors"
copyright = "the ktviz authors, Apache-2.0"
version = release = ktviz.__version__

write_pages(Path(__file__).resolve().parent)  # before Sphinx looks which pages there are

extensions = ["myst_nb", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
exclude_patterns = ["_build", "**.ipynb_checkpoints"]
templates_path = ["_templates"]
nitpicky = False
suppress_warnings = ["mystnb.unknown_mime_type"]

myst_enable_extensions = ["dollarmath", "colon_fence", "deflist"]
myst_heading_anchors = 4
nb_execution_mode = "off"

autodoc_typehints = "description"
autodoc_typehints_description_target = "documented"
autodoc_member_order = "bysource"
autodoc_preserve_defaults = True
napoleon_use_ivar = True
napoleon_use_rtype = False
default_role = "literal"

html_theme = "pydata_sphinx_theme"
html_title = f"ktviz {version}"
html_static_path = ["_static"]
html_css_files = ["ktviz.css"]
html_extra_path = ["_built"]
html_show_sourcelink = False
html_copy_source = False
html_math_renderer = "mathml"
html_theme_options = {
    "navbar_align": "left",
    "navbar_center": [],
    "show_toc_level": 2,
    "navigation_with_keys": False,
    "secondary_sidebar_items": ["page-toc"],
    "footer_start": ["copyright"],
    "footer_end": [],
}
html_sidebars = {"index": [], "**": ["globaltoc.html"]}


LED = (
    (CARDS, r"(?:\.\./)+ktviz/systems/(\w+)/weights/MODEL_CARD\.md"),
    (RESULTS, r"(?:\.\./)+benchmarks/results/(\w+)\.md"),
)
"""Pages here of files elsewhere in the repository."""


def inline_math(self: HTML5Translator, node: nodes.math) -> None:
    """An equation within a line."""
    self.body.append(tex2mathml(node.astext(), as_block=False))
    raise nodes.SkipNode


def block_math(self: HTML5Translator, node: nodes.math_block) -> None:
    """An equation on lines of its own."""
    self.body.append(f'<div class="math">{tex2mathml(node.astext(), as_block=True)}</div>')
    raise nodes.SkipNode


def led_inside(app: Sphinx, page: str, source: list[str]) -> None:
    """Links to files beside the documentation lead to their pages in it."""
    up = "../" * page.count("/")
    source[0] = source[0].replace("](../benchmarks/results)", f"]({up}{RESULTS}/index.md)")
    source[0] = source[0].replace("](../CHANGELOG.md)", "](changelog.md)")
    for folder, pattern in LED:
        source[0] = re.sub(rf"\]\({pattern}", lambda found, to=folder: f"]({up}{to}/{found[1]}.md", source[0])


def linked(app: Sphinx, what: str, name: str, value: object, options: object, lines: list[str]) -> None:
    """Pages that a docstring names, as somebody reads it in the code, are links here."""
    lines[:] = [re.sub(r"`?docs/([\w-]+)\.md`?", r":doc:`/\1`", line) for line in lines]


def setup(app: Sphinx) -> None:
    """Equations, and links."""
    app.connect("autodoc-process-docstring", linked)
    app.add_html_math_renderer("mathml", (inline_math, None), (block_math, None))
    app.connect("source-read", led_inside)
