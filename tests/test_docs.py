"""Pages that list what there is list all of it."""

import json
import re
from importlib import import_module
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from matplotlib.text import Text
from typer.main import get_command

import ktviz as kt
from docs import make_live
from docs.make_method_figures import parting
from ktviz import errors, samples
from ktviz.cli.main import app
from ktviz.help.pages import error_pages
from ktviz.images import resize
from ktviz.systems.registry import OURS
from ktviz.testing import CHECKS
from ktviz.testing.tampering import TAMPERINGS

ROOT = Path(__file__).parents[1]
PACKAGES = sorted(path.parent.name for path in (ROOT / "ktviz").glob("*/__init__.py"))
SYSTEMS = sorted(path.parent.name for path in (ROOT / "ktviz" / "systems").glob("*/__init__.py"))
WITH_SITES = sorted(path.parent.name for path in (ROOT / "ktviz" / "systems").glob("*/sites.py"))


@pytest.mark.parametrize("page", ["README.md", "docs/architecture.md"])
def test_every_package_and_system_is_named(page):
    text = (ROOT / page).read_text(encoding="utf-8")
    if page == "README.md":
        text = text.split("## Where things are")[1].split("##")[0]
    assert [name for name in (*PACKAGES, *SYSTEMS) if name not in text] == []


@pytest.mark.parametrize("system", WITH_SITES)
def test_every_column_of_a_system_is_named(system):
    text = (ROOT / "docs" / "trace.md").read_text(encoding="utf-8")
    values = vars(import_module(f"ktviz.systems.{system}.sites")).values()
    columns = [one for value in values for one in (value if isinstance(value, tuple) else [value])]
    names = {column.name for column in columns if isinstance(column, kt.Extension)}
    assert names
    assert f"`{system}." in text
    assert [name for name in names if f"`{name}`" not in text and f"`{system}.{name}`" not in text] == []


@pytest.mark.parametrize(
    ("kind", "systems"),
    [("pictures", ("image-analogy", "cocosnet", "bridge")), ("codes", ("pix2pixhd", "munit"))],
)
def test_every_kind_of_bank_names_the_systems_that_use_it(kind, systems):
    rows = (ROOT / "docs" / "library-format.md").read_text(encoding="utf-8").splitlines()
    row = next(row for row in rows if row.startswith(f"| `{kind}` |"))
    assert all(f"`{system}`" in row for system in systems)


def test_every_check_of_a_system_is_named():
    text = (ROOT / "docs" / "systems.md").read_text(encoding="utf-8").split("## A system of your own")[1]
    rows = [line for line in text.splitlines() if line.startswith("| ")]
    assert [row.split(" | ")[0].removeprefix("| ") for row in rows[2:]] == [*CHECKS]
    assert len(TAMPERINGS) == 11  # as it says


def test_every_error_has_a_page_that_says_how_it_shows_where_it_is_from_and_what_to_do():
    known = {
        name for name, value in vars(errors).items() if isinstance(value, type) and issubclass(value, kt.KtvizError)
    }
    pages = error_pages()
    assert set(pages) == known
    for name, text in pages.items():
        assert re.findall(r"(?m)^\*\*([\w ]+)", text) == ["You see", "Cause", "What to do"], name


@pytest.mark.parametrize("name", sorted(error_pages()))
def test_every_error_names_its_page(name):
    error = getattr(errors, name)("asked", "found", "Do this")
    assert error.__notes__ == [f"More about it: ktviz error {name}"]
    assert str(error) == "asked: found. Do this."


def test_the_pages_of_systems_name_all_of_their_sites():
    for name in OURS:
        text = (ROOT / "docs" / "systems" / f"{name}.md").read_text(encoding="utf-8")
        assert "## Sites" in text
        assert f"_facts/{name}.md" in text
        assert "![" in text, name


def test_edge_maps_of_scenes_are_made_as_it_says(monkeypatch):
    monkeypatch.chdir(ROOT)
    code = (ROOT / "sample_data" / "README.md").read_text(encoding="utf-8").split("```python\n")[1].split("```")[0]
    made = {}
    exec(code, made)
    padded = np.pad(made["objects"], 1, mode="edge")
    around = (padded[1:-1, :-2], padded[1:-1, 2:], padded[:-2, 1:-1], padded[2:, 1:-1])
    assert np.array_equal(made["edge"], np.any([made["objects"] != other for other in around], axis=0))
    assert 0 < made["edge"].mean() < 1


def test_the_figure_of_the_tree_shows_two_ways_that_part():
    translate = kt.Translator.shipped(samples.bank("art/impasto", quiet=True))
    figure = parting(translate.traced(resize(samples.photo("coffee"), 128, 128), preset="paper"))
    texts = "\n".join(text.get_text() for text in figure.findobj(Text))
    taken, exact = (re.findall(r"node (\d+) \(", part) for part in texts.replace("\n", " ").split("exact winner:"))
    assert len(taken) == len(exact) == 2
    assert taken != exact
    assert texts.count("exact ") >= 2  # beside the nodes, too


@pytest.fixture
def live(tmp_path, monkeypatch, world, paint):
    """Live pages of a tiny system, which follow from one file; how often they were made."""
    trace, made = world.translator.traced(paint(3, 48, 64)), []
    bundle = tmp_path / "package" / "static" / "ktviz.js"
    bundle.parent.mkdir(parents=True)
    bundle.write_text("one")
    settings = {"LIVE": tmp_path / "built" / "live", "MADE_WITH": (tmp_path / "package",)}
    settings |= {"BUILT_LESSONS": tmp_path / "lessons"}
    settings |= {"TRACES": {"tiny": lambda: made.append(trace) or (world.translator, trace)}}
    for name, value in settings.items():
        monkeypatch.setattr(make_live, name, value)
    return SimpleNamespace(page=settings["LIVE"] / "tiny.html", bundle=bundle, made=made)


def test_a_live_page_is_made_once_and_again_when_what_it_is_made_with_is_another(live):
    for _ in range(2):
        make_live.main()
    assert len(live.made) == 1
    live.bundle.write_text("two")
    make_live.main()
    assert len(live.made) == 2
    live.bundle.rename(live.bundle.with_name("page.js"))
    make_live.main()
    assert len(live.made) == 3
    live.page.write_text(live.page.read_text()[:-1])  # it was not finished
    make_live.main()
    assert len(live.made) == 4


def test_live_pages_follow_from_version_bundle_scenes_weights_samples_and_their_maker():
    held = [ROOT / name for name in ("ktviz/__init__.py", "ktviz/widgets/scene.py", "docs/make_live.py")]
    held += [ROOT / "ktviz/widgets/static/ktviz.js", ROOT / "sample_data/photos/coffee.jpg"]
    held += (ROOT / "ktviz").rglob("*.safetensors")
    assert all(any(path.is_relative_to(root) for root in make_live.MADE_WITH) and path.is_file() for path in held)


def test_every_live_page_that_is_embedded_is_made():
    text = (ROOT / "docs" / "live.md").read_text(encoding="utf-8")
    assert re.findall(r'<iframe[^>]* src="live/([\w-]+)\.html"', text) == [*make_live.TRACES]


def test_the_site_shows_lessons_as_they_are_built_now_and_none_that_have_gone(live, tmp_path):
    gone, built = live.page.parents[1] / "lessons" / "html" / "gone.html", tmp_path / "lessons" / "html" / "01.html"
    for path in (gone, built):
        path.parent.mkdir(parents=True)
        path.write_text(path.stem)
    make_live.main()
    assert [path.name for path in gone.parent.iterdir()] == ["01.html"]


def test_the_documentation_builds_the_course_that_it_shows_and_ci_builds_it_once():
    rules = dict(re.findall(r"(?m)^([\w -]+): ([\w ]+)$", (ROOT / "Makefile").read_text()))
    assert "notebooks" in rules["docs"].split()
    steps = re.findall(r"(?m)^make (\w+)", (ROOT / ".ci" / "run").read_text())
    assert "docs" in steps
    assert "notebooks" not in steps


COURSE = ROOT / "docs" / "course"


def test_the_semester_has_a_goal_questions_to_ask_and_an_error_for_every_week():
    text = (COURSE / "semester.md").read_text(encoding="utf-8")
    rows = [[cell.strip() for cell in row.split("|")[1:-1]] for row in re.findall(r"(?m)^\| \d+ \|.*$", text)]
    asked = re.findall(r"(?ms)^(\d+)\. \*\*(.*?)\.?\*\*(.*?)(?=^\d+\. |^\*\*Projects)", text)
    errors_named = re.findall(r"(\d+): ", text[text.index("**Common errors") :])
    weeks = [str(week) for week in range(1, 13)]
    assert [row[0] for row in rows] == [week for week, _, _ in asked] == errors_named == weeks
    assert [row[1].rstrip(".") for row in rows] == [theme.rstrip(".") for _, theme, _ in asked]
    assert all(row[3] for row in rows)
    assert all(questions.count("?") >= 3 for _, _, questions in asked)
    lessons = {path.name[:2] for path in (ROOT / "notebooks").glob("[0-9]*.ipynb")}
    assert {number for row in rows for number in re.findall(r"\d\d", row[2])} == lessons


def test_the_parts_of_lessons_that_questions_point_at_are_there():
    text = (COURSE / "semester.md").read_text(encoding="utf-8")
    headings = [
        line.lstrip("# ")
        for path in (ROOT / "notebooks").glob("[0-9]*.ipynb")
        for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]
        for line in "".join(cell["source"]).splitlines()
        if line.startswith("#")
    ]
    part = text[text.index("## Questions to ask") : text.index("**Projects**")].replace("**", "")
    named = {" ".join(name.split()) for name in re.findall(r"\(\*([^*]+)\*", part)}
    assert len(named) > 15
    assert [name for name in named if not any(heading.endswith(name) for heading in headings)] == []


def test_the_plan_of_ninety_minutes_fills_them_and_asks_something_in_each_part():
    text = (COURSE / "ninety-minutes.md").read_text(encoding="utf-8")
    rows = [[cell.strip() for cell in row.split("|")[1:-1]] for row in re.findall(r"(?m)^\| \d+\D\d+ \|.*$", text)]
    spans = [tuple(map(int, re.findall(r"\d+", row[0]))) for row in rows]
    assert [start for start, _ in spans] == [0, *(end for _, end in spans[:-1])]
    assert spans[-1][1] == 90
    assert all("?" in row[3] for row in rows)
    assert "**Goals.**" in text
    assert "**What goes wrong.**" in text


def test_what_is_said_of_other_tools_was_measured():
    page = (ROOT / "docs" / "compared.md").read_text(encoding="utf-8")
    measured = (ROOT / "benchmarks" / "results" / "explain.md").read_text(encoding="utf-8")
    rows = re.findall(r"(?m)^\| the same .*$", page)
    assert len(rows) == 2
    assert [row for row in rows if row not in measured] == []
    for number in re.findall(r"differ by at most ([\d.e-]+\d)|([\d,]+ entries)", page):
        assert "".join(number) in measured


PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")), *sorted((ROOT / "docs" / "systems").glob("*.md"))]
COMMAND = r"(?m)(?:^\$ |`|^    )ktviz ((?:[^`\n#|\\]|\\\n)+)"


def unknown(line, command):
    """Words of a command line that are no command, and options that it does not have."""
    words = line.split()
    while words and hasattr(command, "list_commands") and re.fullmatch(r"[a-z][a-z-]*", words[0]):
        if words[0] not in command.list_commands(None):
            return [words[0]]
        command, words = command.get_command(None, words[0]), words[1:]
    known = {name for option in command.params for name in (*option.opts, *option.secondary_opts)} | {"--help"}
    options = [word.split("=")[0].strip(".,;:)]") for word in words if word.startswith("--")]
    return [option for option in options if option not in known]


def test_commands_in_the_documentation_exist_and_have_the_options_that_it_shows():
    ktviz = get_command(app)
    shown = [line for page in PAGES for line in re.findall(COMMAND, page.read_text(encoding="utf-8"))]
    assert len(shown) > 150
    assert {line: found for line in shown if (found := unknown(line.replace("\\\n", " "), ktviz))} == {}
    assert unknown("translat cat.jpg", ktviz) == ["translat"]
    assert unknown("library build my.ktlib --banks a", ktviz) == ["--banks"]
