"""Pages that are made of what the package says of itself: public names, errors, and what systems can be asked."""

from __future__ import annotations

import html
import inspect
import json
import re
import shutil
import warnings
from pathlib import Path

import ktviz
from ktviz import samples
from ktviz.help.pages import error_pages
from ktviz.systems.protocol import ABILITIES
from ktviz.systems.registry import OURS, system_class

PACKAGE = Path(ktviz.__file__).parent
RESULT_FILES = PACKAGE.parent / "benchmarks" / "results"
CARDS, RESULTS = "cards", "results"
GROUPS = {
    "Systems": ("systems",),
    "Libraries": ("library",),
    "Recording and traces": ("trace", "retrieval", "regions", "images", "labels"),
    "Explaining": ("explain", "systems.kt.shares"),
    "Audits": ("audit",),
    "Views": ("widgets", "workbench"),
    "Figures": ("figures",),
    "Many machines": ("engines",),
    "Errors and warnings": ("errors",),
}
"""Public names by the package that they are of, or a part of one."""


PREAMBLE = """import pathlib
import tempfile

import torch

import ktviz as kt
from ktviz import samples
from ktviz.testing import CellColours, CellMeans, ToyWorld, toy_photo

world = ToyWorld(pathlib.Path(tempfile.mkdtemp()))  # a library of five flat colours, with a translator
bank = next(iter(world.library))
photo = toy_photo()  # four stripes, 64x64 px
trace = world.translator.traced(photo)
"""
"""What examples in docstrings need before them."""

HEAD = f"""# Reference

Everything public, as `import ktviz as kt` gives it. To run an example, run this first:

```python
{PREAMBLE}```
"""

SAMPLES = """# ktviz.samples

What comes with ktviz to try it on: `from ktviz import samples`. A bank is built when it is first asked for.

| what | names |
| --- | --- |
{rows}

```{{eval-rst}}
.. automodule:: ktviz.samples
   :members:
```
"""


LESSONS = """# The lessons, rendered

Nothing has to be installed: in these pages the Explorer answers the mouse, and cells show what they gave when they
were run. Slides go on with the arrow keys. To run and to change them: `ktviz lab` ([the course](../notebooks.md)).

"""


def write_pages(folder: Path) -> None:
    """Write the pages that the documentation's own ones include or list."""
    for name, text in reference().items():
        write(folder / "reference" / f"{name}.md", text)
    for name, text in errors().items():
        write(folder / "errors" / f"{name}.md", text)
    for name in ("CHANGELOG", "CONTRIBUTING"):
        write(folder / f"{name.lower()}.md", inside((PACKAGE.parent / f"{name}.md").read_text(encoding="utf-8")))
    write(folder / "course" / "lessons.md", lessons(folder))
    for name in OURS:
        write(folder / "systems" / "_facts" / f"{name}.md", facts(name))
    for title, into, found in (("Model cards", CARDS, cards()), ("Tables of all benchmarks", RESULTS, results())):
        listed = "\n".join(sorted(found))
        for name, text in {**found, "index": f"# {title}\n\n```{{toctree}}\n:maxdepth: 1\n{listed}\n```\n"}.items():
            write(folder / into / f"{name}.md", text)
    for drawn in RESULT_FILES.glob("*.png"):
        shutil.copyfile(drawn, folder / RESULTS / drawn.name)


def inside(text: str) -> str:
    """A page of the repository's root, as one of the documentation."""
    text = re.sub(r"\]\(ktviz/systems/(\w+)/weights/MODEL_CARD\.md", rf"]({CARDS}/\1.md", text)
    return text.replace("](docs/", "](")


def write(path: Path, text: str) -> None:
    """Only what changed, so that a second build is quick."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if not path.is_file() or path.read_text(encoding="utf-8") != text:
        path.write_text(text, encoding="utf-8")


def grouped() -> dict[str, list[str]]:
    """Public names by group; every one is in one."""
    found: dict[str, list[str]] = {title: [] for title in GROUPS}
    titles = {package: title for title, packages in GROUPS.items() for package in packages}
    for name in sorted(set(ktviz.__all__) - {"__version__"}, key=str.casefold):
        within = [package for package in titles if f"{home(name)}.".startswith(f"ktviz.{package}.")]
        found[titles[max(within, key=len)]].append(name)
    return found


def home(name: str) -> str:
    """The module that a public name comes from."""
    return str(inspect.getmodule(getattr(ktviz, name)).__name__)


def reference() -> dict[str, str]:
    """The public names, each with a page of its own, and one that lists them."""
    parts = [HEAD]
    for title, names in grouped().items():
        rows = "\n".join(f"| [`kt.{name}`](kt.{name}.md) | {first_line(getattr(ktviz, name))} |" for name in names)
        listed = "\n".join(f"kt.{name}" for name in names)
        parts.append(f"## {title}\n\n| | |\n| --- | --- |\n{rows}\n\n```{{toctree}}\n:hidden:\n{listed}\n```\n")
    shown = f"| [`ktviz.samples`](samples.md) | {first_line(samples)} |"
    parts.append(f"## Samples\n\n| | |\n| --- | --- |\n{shown}\n\n```{{toctree}}\n:hidden:\nsamples\n```\n")
    return {
        "index": "\n".join(parts),
        "samples": SAMPLES.format(rows="\n".join(map(sample_row, sample_names().items()))),
        **{f"kt.{name}": described(name) for names in grouped().values() for name in names},
    }


def described(name: str) -> str:
    """The page of a public name."""
    value = getattr(ktviz, name)
    kind = "class" if inspect.isclass(value) else "function" if inspect.isfunction(value) else "data"
    members = "   :members:\n   :show-inheritance:\n" if kind == "class" else ""
    return f"# {name}\n\n```{{eval-rst}}\n.. auto{kind}:: ktviz.{name}\n{members}```\n"


def sample_names() -> dict[str, list[str]]:
    """What samples there are, by what gives them."""
    banks = {
        f"`samples.bank(name)`: {kind}": [name for name, known in samples.banks().items() if known == kind]
        for kind in dict.fromkeys(samples.banks().values())
    }
    return {**banks, **{f"`samples.{kind}(name)`": found for kind, found in samples.names().items()}}


def sample_row(row: tuple[str, list[str]]) -> str:
    """A row of the table of samples."""
    what, names = row
    return f"| {what} | {', '.join(f'`{name}`' for name in names)} |"


def first_line(value: object) -> str:
    """What something is, in a line of a table: its first sentence."""
    text = " ".join((inspect.getdoc(value) or "").split("\n\n")[0].split())
    sentence = re.split(r"(?<=[\w)`]{2}[.?])\s+(?=[A-Z`])", text)[0].rstrip(":.")
    return (sentence if sentence.endswith("?") else f"{sentence}.").replace("|", "\\|")


def lessons(folder: Path) -> str:
    """The course as pages and slides; `make docs` builds all of them before."""
    rows = []
    for path in sorted((PACKAGE.parent / "notebooks").glob("[0-9]*.ipynb")):
        title = json.loads(path.read_text(encoding="utf-8"))["cells"][0]["source"]
        name = "".join(title).splitlines()[0].lstrip("# ")
        built = (folder / "_built" / "lessons" / "html" / f"{path.stem}.html").is_file()
        kinds = {"page": "html", "slides": "slides"}
        links = [f'<a href="../lessons/{kind}/{path.stem}.html">{word}</a>' for word, kind in kinds.items()]
        rows.append(f"<tr><td>{html.escape(name)}</td><td>{' · '.join(links) if built else 'not built here'}</td></tr>")
    return LESSONS + "```{raw} html\n<table>\n" + "\n".join(rows) + "\n</table>\n```\n"


def cards() -> dict[str, str]:
    """Model cards, without what is for machines alone."""
    found = {
        path.parts[-3]: path.read_text(encoding="utf-8") for path in PACKAGE.glob("systems/*/weights/MODEL_CARD.md")
    }
    return {
        name: text.split("\n---\n", 1)[-1].lstrip().replace("../../../../docs/", "../") for name, text in found.items()
    }


def results() -> dict[str, str]:
    """What benchmarks measured; their own headings are of the second level, for the pages that gather them."""
    return {path.stem: path.read_text(encoding="utf-8").replace("## ", "# ", 1) for path in RESULT_FILES.glob("*.md")}


def errors() -> dict[str, str]:
    """A page of each class of error, and one that lists them."""
    pages = error_pages()
    rows = "\n".join(f"| [{name}]({name}.md) | {said(name)} |" for name in pages)
    listed = "\n".join(pages)
    own = {name: f"# {name}\n\n{text}\n\n*{said(name)}*\n" for name, text in pages.items()}
    index = (
        "# Errors\n\nEvery error says what was asked, what was found, and what to do. What lies behind each, here\n"
        f"and by `ktviz error NAME`:\n\n| error | what it is |\n| --- | --- |\n{rows}\n\n"
        f"```{{toctree}}\n:hidden:\n{listed}\n```\n"
    )
    return {**own, "index": index}


def said(name: str) -> str:
    """The first line of an error's docstring."""
    return first_line(getattr(ktviz.errors, name))


def facts(name: str) -> str:
    """What a system can be asked, and where its blends begin."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        system = system_class(name)
    rows = "\n".join(
        f"| `{ability}` | {meaning} | {'yes' if ability in system.abilities else 'no'} |"
        for ability, meaning in ABILITIES.items()
    )
    return (
        f"| ability | what it is | |\n| --- | --- | --- |\n{rows}\n\nThe baseline of its blends: {system.baseline}.\n"
    )
