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
from docs import make_live, pages
from docs.make_method_figures import parting
from ktviz import errors, samples
from ktviz.cli.main import app
from ktviz.cli.making.registry import making
from ktviz.help.pages import error_pages
from ktviz.images import resize, resize_short_side
from ktviz.regions import region_mask
from ktviz.systems.registry import OURS
from ktviz.testing import CHECKS
from ktviz.testing.tampering import TAMPERINGS
from ktviz.widgets.asking import RequestError

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


def test_messages_that_pages_of_errors_show_are_those_that_are_raised(monkeypatch, tmp_path, world, paint):
    monkeypatch.chdir(tmp_path)
    for name, content in (("photo.png", b"no picture"), ("page.html", b"")):
        Path(name).write_bytes(content)
    Path("audit").mkdir()
    trace = world.translator.traced(paint(1, 48, 48))

    def too_early():
        with kt.record(world.translator) as unfinished:
            len(unfinished)

    raising = {
        "ImageError": lambda: kt.read_image("photo.png"),
        "MissingImageError": lambda: kt.read_image("city.jpg"),
        "MissingCreditsError": lambda: kt.read_credits("credits.csv"),
        "MissingLibraryError": lambda: kt.Library.open("my.ktlib"),
        "MissingWeightsError": lambda: kt.Decoder.load("decoder.safetensors"),
        "SettingError": lambda: kt.Settings(align=2),
        "RegionError": lambda: region_mask(kt.Box(600, 0, 64, 64), 512, 512),
        "MissingTraceError": lambda: kt.Trace.open("out.parquet"),
        "TraceNotFinishedError": too_early,
        "AbilityError": lambda: world.translator.space(trace),
        "MissingAuditError": lambda: kt.Audit.open("audit"),
        "MissingKeyError": lambda: kt.signing_key("me.key"),
        "StorageError": lambda: trace.explore().to_html("page.html"),
    }
    for name, raises in raising.items():
        with pytest.raises(getattr(errors, name)) as caught:
            raises()
        shown = re.match(r"\*\*You see\*\* (`{1,2})(.+?)\1(?!`)", error_pages()[name])[2]
        assert str(caught.value) == shown


@pytest.mark.parametrize("name", sorted(error_pages()))
def test_every_error_names_its_page(name):
    error = getattr(errors, name)("asked", "found", "Do this")
    assert error.__notes__ == [f"More about it: ktviz error {name}"]
    assert str(error) == "asked: found. Do this."


def commands(group, path=""):
    """All commands below one, by what is typed."""
    for name, command in group.commands.items():
        whole = f"{path} {name}".strip()
        yield from commands(command, whole) if hasattr(command, "commands") else [(whole, command)]


ALL_COMMANDS = dict(commands(get_command(app)))


@pytest.mark.parametrize("command", ALL_COMMANDS)
def test_every_command_is_in_the_table_of_commands(command):
    text = (ROOT / "docs" / "command-line.md").read_text(encoding="utf-8")
    first = text.split("## ")[1]
    assert first.startswith("All commands")
    assert len(re.findall(rf"(?m)^\| `ktviz {command}[ `]", first)) == 1


def test_the_table_of_commands_has_no_other_ones_and_no_other_options():
    first = (ROOT / "docs" / "command-line.md").read_text(encoding="utf-8").split("## ")[1]
    for row in re.findall(r"(?m)^\| `ktviz .*", first):
        (name,) = [name for name in ALL_COMMANDS if re.match(rf"\| `ktviz {name}[ `]", row)]
        options = {option for parameter in ALL_COMMANDS[name].params for option in parameter.opts}
        assert set(re.findall(r"--[\w-]+", row)) <= options, name


def test_the_table_of_options_has_every_one_that_kt_takes():
    first = (ROOT / "docs" / "command-line.md").read_text(encoding="utf-8").split("## ")[1]
    rows = re.findall(r"(?m)^\| (`--.*?) \|", first)
    known = {option for row in rows for option in re.findall(r"--[\w-]+", row)}
    kts = making("kt").takes
    others = {name for system in OURS for name in making(system).takes} - {*kts}
    said_elsewhere = {"photos", "output", "system", "again", "nearest", "as_json", "quiet"}
    taken = {one.name: one.opts for one in ALL_COMMANDS["translate"].params if one.name not in others | said_elsewhere}
    assert {*kts} <= {*taken}
    assert [name for name, options in taken.items() if options[0] not in known] == []


def test_the_page_of_samples_names_all_of_them():
    text = pages.reference()["samples"]
    names = [*samples.banks(), *(name for found in samples.names().values() for name in found)]
    assert [name for name in names if f"`{name}`" not in text] == []


def test_every_public_name_has_its_page_in_the_group_that_it_belongs_to():
    assert "source_shares" in pages.grouped()["Explaining"]
    assert {f"kt.{name}" for name in kt.__all__} - {*pages.reference()} == {"kt.__version__"}


@pytest.mark.slow
@pytest.mark.parametrize("page", ["README.md", "docs/start.md"])
def test_what_the_entry_pages_do_with_ones_own_pictures_can_be_done_twice(page, monkeypatch, tmp_path):
    text = (ROOT / page).read_text(encoding="utf-8")
    (code,) = (one for one in re.findall(r"(?s)```python\n(.*?)```", text) if "Library.ensure" in one)
    monkeypatch.chdir(tmp_path)
    names = {"kt": kt}
    for number, name in enumerate(("coffee", "rocket")):
        kt.write_image(f"paintings/{number}.png", samples.photo(name)[:128, :128])
    Path("credits.csv").write_text("file,title\n0.png,One\n1.png,Two\n")
    kt.write_image("city.jpg", resize_short_side(samples.photo("chelsea"), 160))
    for _ in range(2):
        exec(code.split("\nregion = ")[0], names)  # the questions that follow take minutes
    assert names["trace"].model is names["translate"]


def test_an_error_that_has_no_page_of_its_own_names_that_of_its_base():
    class FullError(errors.StorageError):
        """Of somebody else."""

    for kind, page in ((FullError, "StorageError"), (RequestError, "KtvizError")):
        assert kind("asked", "found", "Do this").__notes__ == [f"More about it: ktviz error {page}"]


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
    assert texts.splitlines().count("exact") == 2  # beside the nodes, too


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
    asked = re.findall(r"(?ms)^(\d+)\. \*\*(.*?)\.?\*\*(.*?)(?=^\d+\. |^\*\*Kinds of project)", text)
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
    part = text[text.index("## Questions to ask") : text.index("**Kinds of project that work:**")].replace("**", "")
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
