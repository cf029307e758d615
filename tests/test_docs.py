"""Pages that list what there is list all of it."""

import re
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest
import typer

import ktviz as kt
from docs import pages
from ktviz import errors
from ktviz import samples as sample_data
from ktviz.cli.main import app
from ktviz.cli.making.registry import making
from ktviz.help.pages import error_pages
from ktviz.images import resize_short_side
from ktviz.regions import region_mask
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


ALL_COMMANDS = dict(commands(typer.main.get_command(app)))


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
    names = [*sample_data.banks(), *(name for found in sample_data.names().values() for name in found)]
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
        kt.write_image(f"paintings/{number}.png", sample_data.photo(name)[:128, :128])
    Path("credits.csv").write_text("file,title\n0.png,One\n1.png,Two\n")
    kt.write_image("city.jpg", resize_short_side(sample_data.photo("chelsea"), 160))
    for _ in range(2):
        exec(code.split("\nregion = ")[0], names)  # the questions that follow take minutes
    assert names["trace"].model is names["translate"]


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
