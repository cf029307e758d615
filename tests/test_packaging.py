"""What a stranger's machine gets: dependencies, import cost, names."""

import io
import json
import os
import re
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest
import yaml
from jinja2 import StrictUndefined, Template

import ktviz
import ktviz as kt
from ktviz.cli.process import CHOICES
from ktviz.systems.registry import OURS, packaged

ROOT = Path(__file__).parent.parent
CONDA_NAMES = {"opencv": "opencv-python-headless", "pytorch": "torch", "matplotlib-base": "matplotlib"}


@pytest.fixture(scope="module")
def project():
    return tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


def split(requirement):
    name, bound = re.fullmatch(r"([\w-]+)(?:\[\w+\])?(.*)", requirement).groups()
    return CONDA_NAMES.get(name, name), bound


def stated(requirements):
    """What conda is told of each package and its lowest version, by the names of pip."""
    named = (re.fullmatch(r"(\S+?) ?(>=\S+)?", one).groups(default="") for one in requirements)
    return {(CONDA_NAMES.get(name, name), bound) for name, bound in named}


def test_conda_environment_has_the_same_dependencies_as_the_package_and_those_of_the_lessons(project):
    conda = yaml.safe_load((ROOT / "environment.yml").read_text())["dependencies"]
    wanted = [*project["dependencies"], *project["optional-dependencies"]["notebooks"]]
    assert len(conda) == len(set(conda))
    assert stated(conda) == {*map(split, wanted), ("python", project["requires-python"]), ("pip", "")}


@pytest.fixture(scope="module")
def recipe():
    """The recipe as conda reads it."""
    text = (ROOT / "conda" / "meta.yaml").read_text(encoding="utf-8")
    return yaml.safe_load(Template(text, undefined=StrictUndefined).render(PYTHON="python"))


def test_the_conda_recipe_states_what_the_package_states(recipe, project):
    python = ("python", project["requires-python"])
    build = tomllib.loads((ROOT / "pyproject.toml").read_text())["build-system"]["requires"]
    assert recipe["package"] == {"name": project["name"], "version": kt.__version__}
    assert stated(recipe["requirements"]["run"]) == {*map(split, project["dependencies"]), python}
    assert stated(recipe["requirements"]["host"]) == {*map(split, build), python, ("pip", "")}
    commands = [f"{name} = {place}" for name, place in project["scripts"].items()]
    assert recipe["build"]["entry_points"] == commands
    about = recipe["about"]
    assert (about["summary"], about["license"]) == (project["description"], project["license"])
    assert [about["license_file"]] == project["license-files"]


def test_the_conda_recipe_can_be_built_from_a_checkout(recipe):
    assert recipe["build"]["noarch"] == "python"
    assert (ROOT / "conda" / recipe["source"]["path"] / "pyproject.toml").samefile(ROOT / "pyproject.toml")


def test_every_dependency_is_pinned_and_within_its_bound(project):
    lines = (ROOT / "constraints.txt").read_text().lower().replace("_", "-").splitlines()
    pins = dict(line.split("==") for line in lines if not line.startswith("#"))
    extras = project["optional-dependencies"]
    wanted = [*project["dependencies"], *extras["dev"], *extras["notebooks"]]
    for name, bound in map(split, wanted):
        have = [int(part) for part in re.findall(r"\d+", pins[name])[:2]]
        least = [int(part) for part in re.findall(r"\d+", bound)[:2]]
        assert have >= least, name


def test_every_lesson_is_in_the_wheel():
    wheel = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["hatch"]["build"]["targets"]["wheel"]
    lessons = {path.relative_to(ROOT).as_posix() for path in (ROOT / "notebooks").glob("*.ipynb")}
    assert len(lessons) == 9
    assert {name: f"ktviz/{name}" for name in lessons}.items() <= wheel["force-include"].items()


def test_torch_from_2_6_is_accepted_and_torchvision_not_needed(project):
    assert "torch>=2.6" in project["dependencies"]
    assert not any("torchvision" in d for d in project["dependencies"])
    assert not any("import torchvision" in p.read_text() for p in (ROOT / "ktviz").rglob("*.py"))


def modules_after(statement):
    code = f"{statement}; import sys, json; print(json.dumps(sorted(sys.modules)))"
    return set(json.loads(subprocess.check_output([sys.executable, "-c", code], text=True)))


def test_import_loads_no_heavy_library():
    loaded = modules_after("import ktviz")
    assert not loaded & {"torch", "matplotlib", "plotly", "pandas", "numpy", "faiss", "ipywidgets", "PIL"}


def test_the_model_and_the_library_load_no_drawing_library():
    names = "Translator, Library, Trace, TraceStore, record, attribute, backtrack, compare, faithfulness, Audit, verify"
    loaded = modules_after(f"from ktviz import {names}")
    assert "torch" in loaded
    assert not loaded & {"matplotlib", "plotly", "ipywidgets", "anywidget"}


def test_the_command_line_says_what_it_can_do_without_the_libraries_that_do_it():
    loaded = modules_after("import ktviz.cli.main")
    assert not loaded & {"torch", "numba", "pandas", "pyarrow", "scipy", "sklearn", "matplotlib", "plotly", "anywidget"}


@pytest.mark.parametrize(
    ("chosen", "found"),
    [
        ({}, "PASSIVE"),
        ({"OMP_WAIT_POLICY": "ACTIVE"}, "ACTIVE"),
        ({"GOMP_SPINCOUNT": "9"}, None),
        ({"KMP_BLOCKTIME": "1"}, None),
    ],
)
def test_the_threads_of_a_command_sleep_while_they_wait_unless_somebody_chose_otherwise(chosen, found):
    """Before PyTorch is there, for OpenMP reads it once."""
    code = "import os, sys; sys.argv[1:] = ['--version']; import atexit; atexit.register(lambda: print("
    code += "os.environ.get('OMP_WAIT_POLICY'), 'torch' in sys.modules)); from ktviz.cli.main import main; main()"
    kept = {name: value for name, value in os.environ.items() if name not in CHOICES}
    said = subprocess.check_output([sys.executable, "-c", code], text=True, env={**kept, **chosen})
    assert said.splitlines()[1] == f"{found} False"


def test_python_does_not_look_through_what_a_command_leaves():
    code = "import atexit, gc, sys; sys.argv[1:] = ['--version']; "
    code += "atexit.register(lambda: print(gc.get_freeze_count() > 1000)); from ktviz.cli.main import main; main()"
    said = subprocess.check_output([sys.executable, "-c", code], text=True)
    assert said.splitlines()[1] == "True"


def test_a_translator_loads_no_library_that_only_other_systems_need():
    loaded = modules_after("from ktviz import Translator, Library, Trace")
    assert not loaded & {"scipy.ndimage", "scipy.sparse", "sklearn", "cv2", "jinja2"}


MOST_BYTES = {"kt": 6e6, "image-analogy": 3e6, "cocosnet": 6e6, "pix2pixhd": 5e6, "munit": 3.81e6, "bridge": 2.47e6}
"""Of the weights of each system."""
PACKED = 0.94
"""How much is left of float16 in a wheel."""
SHIPPED = {
    "kt": "ktviz.systems.kt.encoder:Encoder ktviz.systems.kt.decoder:Decoder",
    "image-analogy": "ktviz.systems.image_analogy.method:Method",
    "cocosnet": "ktviz.systems.cocosnet.networks:Networks",
    "pix2pixhd": "ktviz.systems.pix2pixhd.trained:Networks",
    "munit": "ktviz.systems.munit.trained:Networks",
    "bridge": "ktviz.systems.bridge.trained:Networks",
}
"""Classes that read the weights of a system."""
OPENED = """
import sys
paths = set()
sys.addaudithook(lambda event, given: paths.add(str(given[0])) if event == "open" else None)
from importlib import import_module
import ktviz
for place in sys.argv[1:]:
    module, _, name = place.partition(":")
    getattr(import_module(module), name).shipped()
print(*(path for path in paths if path.endswith(".safetensors")), sep="\\n")
"""


@pytest.mark.parametrize("system", OURS)
def test_weights_are_read_for_the_system_that_is_used_and_no_other(system):
    known = packaged(system)
    if not known.sha256:
        pytest.skip(f"no weights of {system} come with this version")
    said = subprocess.check_output([sys.executable, "-c", OPENED, *SHIPPED[system].split()], text=True)
    assert {Path(path).parent for path in said.split("\n") if path} == {known.folder}


@pytest.mark.parametrize("name", ktviz.__all__)
def test_public_name_resolves(name):
    assert getattr(ktviz, name) is not None
    assert name in dir(ktviz)


def test_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="no attribute 'Translater'"):
        ktviz.Translater  # noqa: B018


def test_version_is_the_changelog_s_newest():
    newest = re.search(r"^## (\d\S*)", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)
    assert newest.group(1) == ktviz.__version__


def test_sample_data_is_small_and_every_picture_is_credited():
    folder = ROOT / "sample_data"
    pictures = {p.relative_to(folder).as_posix() for p in folder.rglob("*.jpg")}
    assert sum(p.stat().st_size for p in folder.rglob("*") if p.is_file()) < 12e6
    from ktviz.library.credits import read_credits
    from ktviz.licences import UNKNOWN

    rows = read_credits(folder / "credits.csv").rows
    assert {row.file for row in rows} == pictures
    assert all(UNKNOWN not in (row.credit.licence, row.credit.title, row.credit.creator) for row in rows)
    banks = {p.rsplit("/", 1)[0] for p in pictures if not p.startswith(("photos/", "scenes/", "pots/", "portraits/"))}
    assert len(banks) >= 6
    assert {bank.split("/")[0] for bank in banks} == {"art", "hdr", "comic"}
    assert all(sum(p.startswith(f"{bank}/") for p in pictures) >= 4 for bank in banks)


def test_sample_scenes_are_small_and_each_has_its_maps():
    folder = ROOT / "sample_data" / "scenes"
    assert sum(p.stat().st_size for p in folder.rglob("*") if p.is_file()) <= 1.9e6
    counts = {"rooms": 16, "streets": 14, "inputs/rooms": 2, "inputs/streets": 2}
    for name, count in counts.items():
        files = [{p.stem for p in (folder / name / kind).iterdir()} for kind in ("photo", "label", "inst")]
        assert files[0] == files[1] == files[2]
        assert len(files[0]) == count
        assert {p.name for p in (folder / name).glob("*.csv")} == {"classes.csv", "looks.csv"}


def test_every_sample_is_in_the_wheel():
    wheel = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["hatch"]["build"]["targets"]["wheel"]
    names = {path.name for path in (ROOT / "sample_data").iterdir()} - {"README.md", "generator"}
    expected = {f"sample_data/{name}": f"ktviz/sample_data/{name}" for name in names}
    assert expected.items() <= wheel["force-include"].items()


@pytest.mark.parametrize(("system", "most"), MOST_BYTES.items())
def test_shipped_weights_are_small_and_all_are_declared(system, most):
    known = packaged(system)
    weights = list(known.folder.glob("*.safetensors"))
    assert {path.name for path in weights} == {*known.sha256}
    assert sum(path.stat().st_size for path in weights) <= most


def test_weights_and_samples_leave_the_package_below_thirty_megabytes():
    """As it is downloaded; of weights that do not come yet, the most that they may take."""
    held = [path for path in (ROOT / "ktviz").rglob("*") if "__pycache__" not in path.parts]
    held += [path for path in (ROOT / "sample_data").rglob("*") if "generator" not in path.parts]
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in [*held, *(ROOT / "notebooks").glob("*.ipynb")]:
            archive.write(path)
    coming = sum(most for system, most in MOST_BYTES.items() if not packaged(system).sha256)
    assert len(packed.getvalue()) + PACKED * coming <= 30e6


def test_the_description_shows_nothing_that_the_wheel_does_not_carry():
    pytest.importorskip("hatch_fancy_pypi_readme")
    from hatchling.metadata.core import ProjectMetadata
    from hatchling.plugin.manager import PluginManager

    text = ProjectMetadata(str(ROOT), PluginManager()).core.readme
    assert "# ktviz" in text
    assert "trace.sources()" in text
    targets = re.findall(r"\]\(([^)]*)\)", text)
    assert targets
    assert all(target.startswith("https://") for target in targets)
    assert not re.search(r"^\|[^a-z]*\n\| ---.*\n(?!\|)", text, re.MULTILINE)  # no table that lost its rows


def test_what_the_index_shows_is_stated(project):
    classifiers = project["classifiers"]
    assert "Framework :: Jupyter" in classifiers
    assert "Programming Language :: Python :: 3.11" in classifiers
    assert len(project["keywords"]) >= 5
    assert all(url.startswith("https://") for url in project["urls"].values())


def test_every_extra_that_is_named_anywhere_is_one(project):
    files = [path for suffix in ("md", "py", "ipynb", "txt") for path in ROOT.rglob(f"*.{suffix}")]
    kept = [path for path in files if not {"node_modules", ".venv", ".venv-lowest"} & {*path.parts}]
    text = "\n".join(path.read_text(encoding="utf-8") for path in kept)
    named = {one for listed in re.findall(r"(?<![\w.])(?:ktviz|\.)\[([a-z\d, ]+)\]", text) for one in listed.split(",")}
    assert {"notebooks", "workbench", "dask", "c2pa"} <= {name.strip() for name in named}
    assert {name.strip() for name in named} <= {*project["optional-dependencies"]}


def test_no_extra_promises_what_there_is_not(project):
    """Every package of an extra for users is imported, or run, somewhere."""
    extras = {name: wanted for name, wanted in project["optional-dependencies"].items() if name != "dev"}
    code = "\n".join(path.read_text() for path in (ROOT / "ktviz").rglob("*.py"))
    code += "\n".join(path.read_text() for path in (ROOT / "notebooks").glob("*.ipynb"))
    for name in (split(requirement)[0] for wanted in extras.values() for requirement in wanted):
        assert name in code or name in ("ipykernel", "bokeh"), name  # JupyterLab's kernel, and dask's dashboard


def test_python_m_ktviz_is_the_command(project):
    module, function = project["scripts"]["ktviz"].split(":")
    text = (ROOT / "ktviz" / "__main__.py").read_text()
    assert f"from {module} import {function}" in text
    assert f"{function}()" in text


PAGES = [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").glob("*.md"))]


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.name)
def test_every_link_within_the_project_leads_somewhere(page):
    links = re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", page.read_text(encoding="utf-8"))
    gone = [link for link in links if "://" not in link and not (page.parent / link).exists()]
    assert not gone
