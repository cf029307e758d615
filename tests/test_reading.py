"""Those who receive traces and audits need no torch; and the wheels hold what they have to."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import zipfile
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

import pytest

import ktviz as kt

ROOT = Path(__file__).parents[1]
WITHOUT = """
import sys
from importlib.abc import MetaPathFinder
MISSING = {"torch", "numba", "llvmlite", "sklearn", "scipy", "cv2", "matplotlib", "plotly", "ipywidgets", "anywidget"}
class Missing(MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in MISSING:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
sys.meta_path.insert(0, Missing())
import ktviz as kt
"""


@pytest.fixture(scope="module")
def home(world, paint, tmp_path_factory):
    """A trace and a signed audit."""
    folder = tmp_path_factory.mktemp("received")
    trace = world.translator.traced(paint(3, 64, 96))
    trace.save(folder / "trace.parquet", pictures="both")
    kt.Audit.create(trace, title="A", top=0, sample=5, model=world.translator).save(folder / "audit")
    kt.keygen(folder / "me.key")
    kt.sign(folder / "audit", folder / "me.key")
    pair = kt.self_made_certificate(folder / "ann.key", "Ann"), folder / "ann.key"
    kt.write_credentials(folder / "out.png", trace, *pair)
    return folder


def run(code, folder, check=True):
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT + code], cwd=folder, capture_output=True, text=True, check=False
    )
    assert not check or done.returncode == 0, done.stderr
    return done


def test_a_trace_is_read_and_asked_without_torch(home):
    trace = kt.Trace.open(home / "trace.parquet")
    code = """
trace = kt.Trace.open("trace.parquet")
print(trace.digest, len(trace.to_pandas()), trace.to_arrow().num_rows)
print(trace.sources()["share"].sum().round(6), len(trace[kt.Box(0, 0, 16, 16)]), trace.sites)
store = kt.TraceStore("store")
name = store.append(trace)
print(len(store.shares(by="creator")), len(store.uses(trace.sources()["source"][0])))
print("torch" in sys.modules)
"""
    first, second, third, last = run(code, home).stdout.splitlines()
    assert first == f"{trace.digest} {len(trace.to_pandas())} {len(trace.to_pandas())}"
    assert second == f"1.0 {len(trace[kt.Box(0, 0, 16, 16)])} {trace.sites}"
    assert int(third.split()[0]) >= 1
    assert last == "False"


def test_the_files_of_an_audit_are_checked_without_torch(home):
    code = """
from ktviz.cli.main import main
sys.argv = ["ktviz", "verify", "audit", "--files", "--key", "me.key.pub"]
main()
"""
    done = run(code, home)
    assert "genuine" in done.stdout
    assert "whether what it says is true: nothing was made again" in done.stdout
    table = home / "audit" / "tables" / "sources.csv"
    before = table.read_bytes()
    table.write_bytes(before + b" ")
    done = run(code, home, check=False)
    table.write_bytes(before)
    assert done.returncode == 1
    assert "sources.csv was changed" in done.stderr


def test_credentials_of_a_picture_are_read_without_torch(home):
    works = kt.read_credentials(home / "out.png").works
    code = """
found = kt.read_credentials("out.png")
print(found.state, found.signer, *found.works["share"])
from ktviz.cli.main import main
sys.argv = ["ktviz", "credentials", "out.png", "--json"]
main()
"""
    first, _, said = run(code, home).stdout.partition("\n")
    assert first == " ".join(("Valid", "Ann", *map(str, works["share"])))
    assert json.loads(said)["works"] == works.to_dict("records")


def test_credentials_of_a_trace_that_was_read_are_written_without_torch(home):
    code = """
kt.write_credentials("again.png", kt.Trace.open("trace.parquet"), "ann.key.crt", "ann.key")
"""
    run(code, home)
    again, known = (kt.read_credentials(home / name) for name in ("again.png", "out.png"))
    assert (again.state, again.about) == ("Valid", known.about)


def test_shares_of_a_trace_are_asked_for_in_another_way_without_torch_too(home):
    code = """
try:
    kt.source_shares(kt.Trace.open("trace.parquet"))
except kt.KtvizError as error:
    print(error)
"""
    assert "a Trace. Ask a trace: trace.sources()" in run(code, home).stdout


def test_what_the_documentation_says_works_without_torch_is_there(home):
    text = (ROOT / "docs" / "compatibility.md").read_text(encoding="utf-8").split("## What works without torch")[1]
    rows = [line.split("|")[1] for line in text.splitlines() if line.startswith("| `")]
    names = sorted({name for row in rows for name in re.findall(r"`kt\.(\w+)", row)})
    assert {"Trace", "TraceStore", "read_credentials", "source_shares", "verify_files"} <= {*names}
    run(f"for name in {names}: getattr(kt, name)", home)


def test_what_is_not_there_says_what_to_install(home):
    done = run("kt.attribute", home, check=False)
    assert "ktviz.attribute: torch is not installed. Install all of ktviz" in done.stderr
    code = "from ktviz.cli.main import main\nsys.argv = ['ktviz', 'verify', 'audit', '-l', 'x.ktlib']\nmain()"
    done = run(code, home, check=False)
    assert done.returncode == 1
    assert "is not installed" in done.stderr
    assert "Traceback" not in done.stderr


def test_checking_files_says_when_more_was_asked(home):
    with pytest.raises(kt.KtvizError):
        kt.verify_files(home / "none")
    assert kt.verify_files(home / "audit", key=home / "me.key.pub").ok
    assert not kt.verify_files(home / "audit", sha256="0" * 64).ok


@pytest.fixture(scope="module")
def wheels(tmp_path_factory):
    """`ktviz` and `ktviz-read`, built and checked."""
    spec = spec_from_file_location("build_wheels", ROOT / "wheels" / "build.py")
    build = module_from_spec(spec)
    spec.loader.exec_module(build)
    build.DIST = tmp_path_factory.mktemp("dist")
    build.main()
    return build, {path.name.split("-")[0]: path for path in build.DIST.glob("*.whl")}


@pytest.mark.slow
def test_the_wheel_for_reading_is_small_and_depends_on_little(wheels):
    build, found = wheels
    assert set(found) == {"ktviz", "ktviz_read"}
    assert found["ktviz_read"].stat().st_size < 2e6
    with zipfile.ZipFile(found["ktviz_read"]) as wheel:
        names = wheel.namelist()
        (metadata,) = (wheel.read(name).decode() for name in names if name.endswith("METADATA"))
    stated = (line for line in metadata.splitlines() if line.startswith("Requires-Dist"))
    needed = [line.removeprefix("Requires-Dist: ") for line in stated]
    assert sorted(needed) == sorted(build.dependencies())
    assert not any(one.startswith(("torch", "numba", "matplotlib", "scikit-learn")) for one in needed)
    assert not any(name.endswith((".safetensors", ".jpg", ".ipynb")) for name in names)
    with zipfile.ZipFile(found["ktviz"]) as wheel:
        whole = wheel.namelist()
    assert {name for name in whole if name.endswith(".py")} == {name for name in names if name.endswith(".py")}


INSIDE = """
import ktviz
from ktviz import samples
from ktviz.lessons.copies import lesson_folder
from ktviz.systems.registry import OURS, packaged
print(ktviz.__file__, samples.folder(), lesson_folder(), *(packaged(name).folder for name in OURS), sep="\\n")
"""


@pytest.fixture(scope="module")
def installed(wheels, tmp_path_factory):
    """`ktviz` as a tool such as pipx installs it, but for what it depends on: that is the environment's."""
    folder = tmp_path_factory.mktemp("installed")
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-index", "--target", folder]
    subprocess.run([*command, wheels[1]["ktviz"]], check=True)
    return folder


def started(installed, folder, *command):
    """What a command says in a clean folder, where only the installed wheel is called ktviz."""
    environment = {**os.environ, "PYTHONPATH": str(installed), "KTVIZ_CACHE": str(folder / "cache")}
    done = subprocess.run(
        [sys.executable, *map(str, command)], cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.slow
def test_what_runs_from_the_wheel_is_its_own_code_on_its_own_weights_samples_and_lessons(installed, tmp_path):
    places = [Path(line) for line in started(installed, tmp_path, "-P", "-c", INSIDE).splitlines()]
    assert len(places) == 9
    assert places[0] == installed / "ktviz" / "__init__.py"
    assert all(place.is_relative_to(installed) for place in places)
    assert len(list(places[1].rglob("*.jpg"))) > 50
    assert len(list(places[2].glob("*.ipynb"))) == 9
    assert all(list(folder.glob("*.safetensors")) for folder in places[3:])


@pytest.mark.slow
def test_the_command_of_the_wheel_starts(installed, tmp_path):
    command = installed / "bin" / "ktviz"
    assert started(installed, tmp_path, command, "--version").strip() == f"ktviz {kt.__version__}"
    assert "sample data" in started(installed, tmp_path, command, "demo", "--help")


@pytest.mark.slow
def test_the_wheel_for_reading_reads_a_trace_where_it_is_installed_alone(wheels, home, tmp_path):
    """Not the checkout: of that, a wheel may lack a file."""
    _, found = wheels
    install = ["pip", "install", "--quiet", "--no-deps", "--no-index", "--target", tmp_path / "site"]
    subprocess.run([sys.executable, "-m", *map(str, install), str(found["ktviz_read"])], check=True)
    code = """
print(kt.__file__)
trace = kt.Trace.open("trace.parquet")
print(trace.digest, trace.sources()["share"].sum().round(6))
print(kt.verify_files("audit").ok, kt.read_credentials("out.png").state)
from ktviz.help.pages import error_page
print(len(error_page("TraceError")) > 10)
"""
    there = f"import sys\nsys.path.insert(0, {str(tmp_path / 'site')!r})\n"
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    done = subprocess.run(
        [sys.executable, "-c", there + WITHOUT + code], cwd=home, capture_output=True, text=True, env=environment
    )
    assert done.returncode == 0, done.stderr
    where, *said = done.stdout.splitlines()
    assert Path(where).is_relative_to(tmp_path / "site")
    assert said == [f"{kt.Trace.open(home / 'trace.parquet').digest} 1.0", "True Valid", "True"]
