"""`--engine dask` makes what threads make: banks of every kind, translations, audits, stores."""

import json
import shutil
from threading import Thread

import numpy as np
import pytest
from command import ktviz

import ktviz as kt
from engines.machines import until
from ktviz.engines import cluster as module
from ktviz.images import read_image, resize_short_side, write_image

COMIC = ("comic/ink/after-chelsea.jpg", "comic/ink/straw-hat.jpg")
BY_DASK = ("--engine", "dask", "--scheduler")


@pytest.fixture(scope="module")
def folder(tmp_path_factory, samples):
    """ink/, photos/ with two photographs, and some/ with one of them and one that is none."""
    folder = tmp_path_factory.mktemp("commands")
    for name, source in {
        "ink/cat.png": COMIC[0],
        "ink/hat.png": COMIC[1],
        "photos/coffee.png": "photos/coffee.jpg",
        "photos/deep/rocket.png": "photos/rocket.jpg",
        "some/coffee.png": "photos/coffee.jpg",
    }.items():
        write_image(folder / name, resize_short_side(read_image(samples / source), 64))
    (folder / "some/bad.png").write_text("no picture")
    return folder


@pytest.fixture(scope="module")
def library(folder):
    """A bank of ink, by threads."""
    build = ("library", "build", folder / "small.ktlib", folder / "ink", "-b", "comic/ink", "--side", 64, "--quiet")
    ktviz(*build)
    return folder / "small.ktlib"


def digests(library):
    return {bank["name"]: bank["digest"] for bank in json.loads(ktviz("library", "list", library, "--json").stdout)}


@pytest.mark.parametrize(
    ("kind", "pictures", "options"),
    [
        ("patches", "comic/ink", ("--side", 64)),
        ("pictures", "portraits/clay", ("--attributes", "attributes.csv")),
        ("codes", "pots/glazed", ("--system", "munit")),
    ],
)
def test_banks_of_every_kind_are_those_of_threads(two, samples, tmp_path, kind, pictures, options):
    some = sorted((samples / pictures).glob("*.jpg"))[:3]
    for path in some:
        shutil.copy(path, tmp_path / path.name)
    if kind == "pictures":
        rows = (samples / pictures / "attributes.csv").read_text().splitlines()
        kept = [row for row in rows[1:] if row.startswith(tuple(path.name for path in some))]
        (tmp_path / "attributes.csv").write_text("\n".join([rows[0], *kept]))
    files = [path.name for path in some]  # relative, as workers run elsewhere
    for name, engine in (("threads", ()), ("dask", (*BY_DASK, two.address))):
        bank = ("library", "build", f"{name}.ktlib", *files[:2], "-b", "a/b", "--kind", kind, *options)
        ktviz(*bank, *engine, "--quiet", cwd=tmp_path)
        of_add = () if kind == "patches" else options
        ktviz("library", "add", f"{name}.ktlib", files[2], "-b", "a/b", *of_add, *engine, "--quiet", cwd=tmp_path)
        ktviz("library", "rebuild", f"{name}.ktlib", *engine, "--quiet", cwd=tmp_path)
    assert digests(tmp_path / "threads.ktlib") == digests(tmp_path / "dask.ktlib")


def test_the_command_says_where_its_workers_and_its_dashboard_are(two, folder, tmp_path):
    command = ("library", "build", tmp_path / "l.ktlib", folder / "ink", "-b", "a/b", "--side", 64)
    done = ktviz(*command, *BY_DASK, two.address)
    assert f"2 workers at {two.address}; dashboard: http://127.0.0.1:" in done.stderr
    assert "preparing sources" in done.stderr
    assert "a/b: 2 sources" in done.stdout


def made(folder):
    """What lies in a folder: of pictures their pixels, of tables their bytes."""
    return {
        path.relative_to(folder).as_posix(): read_image(path).tobytes() if path.suffix == ".png" else path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.suffix in (".png", ".csv", ".parquet")
    }


def test_translations_traces_and_a_store_are_those_of_threads(two, library, folder, tmp_path):
    command = ("translate", "photos", "-l", library, "-b", "comic", "--trace", "--json")
    found = {}
    for name, engine in (("threads", ()), ("dask", (*BY_DASK, two.address))):
        where = ("-o", tmp_path / name, "--store", tmp_path / f"{name}-store")
        said = json.loads(ktviz(*command, *where, *engine, cwd=folder).stdout)["translations"]
        found[name] = [{key: one[key] for key in ("photo", "digest", "sources", "stored")} for one in said]
    assert found["threads"] == found["dask"]
    assert [one["photo"] for one in found["dask"]] == ["photos/coffee.png", "photos/deep/rocket.png"]
    pictures = [{name: of for name, of in made(tmp_path / one).items() if name.endswith(".png")} for one in found]
    assert pictures[0] == pictures[1]
    assert sorted(pictures[0]) == ["coffee.png", "deep/rocket.png"]
    stores = [kt.TraceStore(tmp_path / f"{name}-store") for name in found]
    assert stores[0].names == stores[1].names == sorted(one["stored"] for one in found["dask"])
    assert stores[0].list().equals(stores[1].list())
    for name in stores[0]:
        assert stores[0].open(name).digest == stores[1].open(name).digest
        assert np.array_equal(stores[0].open(name).output, stores[1].open(name).output)


def test_audits_and_their_store_are_those_of_threads_and_are_verified(two, library, folder, tmp_path):
    command = ("audit", "photos", "-l", library, "-b", "comic", "--top", 1, "--sample", 2, "--json")
    found = {}
    for name, engine in (("threads", ()), ("dask", (*BY_DASK, two.address))):
        where = ("-o", tmp_path / name, "--store", tmp_path / f"{name}-store")
        said = json.loads(ktviz(*command, *where, *engine, cwd=folder).stdout)["audits"]
        found[name] = [{key: one[key] for key in ("photo", "trace", "title", "sources", "stored")} for one in said]
    assert found["threads"] == found["dask"]
    tables = [{name: of for name, of in made(tmp_path / one).items() if "trace" not in name} for one in found]
    assert tables[0] == tables[1]
    assert {name.split("/tables/")[0] for name in tables[0] if "/tables/" in name} == {"coffee", "deep/rocket"}
    stores = [kt.TraceStore(tmp_path / f"{name}-store") for name in found]
    assert len(stores[0]) == 2
    assert stores[0].list().equals(stores[1].list())
    assert "output identical" in ktviz("verify", tmp_path / "dask/deep/rocket", "-l", library).stdout


@pytest.mark.parametrize("command", ["translate", "audit"])
def test_one_bad_photograph_is_reported_and_does_not_cost_the_others(two, library, folder, tmp_path, command):
    options = ("-l", library, "-b", "comic", *BY_DASK, two.address, "--quiet", "-o", tmp_path / "out")
    options += ("--top", 0, "--sample", 2) if command == "audit" else ()
    done = ktviz(command, folder / "some", *options, check=False)
    assert done.returncode == 4
    assert "bad.png" in done.stderr
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["coffee" if command == "audit" else "coffee.png"]


def test_when_the_scheduler_goes_the_command_ends_and_the_same_one_goes_on(machines, two, samples, tmp_path):
    for number in range(8):
        pixels = resize_short_side(read_image(samples / COMIC[0]), 80)
        write_image(tmp_path / f"in/{number:02}.png", pixels[number:, number:])
    machines.worker()
    path = tmp_path / "l.ktlib"
    command = ("library", "build", path, tmp_path / "in", "-b", "a/b", "--side", 64, "--quiet")

    def kill():
        until(lambda: [*path.glob("building/*/*.json")])
        machines.scheduler.kill()

    killing = Thread(target=kill)
    killing.start()
    done = ktviz(*command, *BY_DASK, machines.address, check=False)
    killing.join()
    assert done.returncode == 15
    assert f"the scheduler at {machines.address} found: it has gone while " in " ".join(done.stderr.split())
    assert "Traceback" not in done.stderr
    assert digests(path) == {}
    ktviz(*command, *BY_DASK, two.address)
    ktviz(*command[:2], tmp_path / "whole.ktlib", *command[3:])
    assert digests(path) == digests(tmp_path / "whole.ktlib")


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        ("library build NEW ink -b a/b --engine desk", 2, "Choose one of threads, dask"),
        ("library build NEW ink -b a/b --scheduler tcp://h:1", 2, "--scheduler given found: threads need neither"),
        ("library build NEW ink -b a/b --scheduler tcp://h:1 --shards s3://b", 2, "--scheduler and --shards given"),
        ("library build NEW ink -b a/b --engine dask --scheduler tcp://127.0.0.1:9", 15, "nobody answers"),
        ("library build NEW ink -b a/b --engine dask --shards nothing://here", 8, "reach nothing://here"),
        ("library add LIB ink -b comic/ink --engine dask --scheduler tcp://127.0.0.1:9", 15, "dask scheduler"),
        ("library rebuild LIB --engine dask --scheduler tcp://127.0.0.1:9", 15, "dask scheduler"),
        ("translate photos -l LIB -b comic -o NEW --scheduler tcp://h:1", 2, "Give --engine dask, too"),
        ("translate photos -l LIB -b comic -o NEW --engine dask --scheduler tcp://127.0.0.1:9", 15, "nobody answers"),
        ("audit photos -l LIB -b comic -o NEW --engine dask --scheduler tcp://127.0.0.1:9", 15, "nobody answers"),
        ("audit some.parquet -l LIB -o NEW --engine dask", 2, "--engine"),
        ("audit photos ink some.parquet -l LIB -b comic -o NEW", 2, "Audit each trace alone"),
        ("audit photos other -l LIB -b comic -o NEW", 2, "would both become it"),
        ("audit photos around -l LIB -b comic -o NEW", 2, "where the audit of"),
        ("translate photos -l LIB -b comic -o NEW --store ink/cat.png", 8, "trace store"),
    ],
)
def test_what_does_not_fit_is_refused_in_words_before_any_work(folder, library, monkeypatch, arguments, code, words):
    monkeypatch.setattr(module, "ANSWER", 0.3)
    (folder / "some.parquet").touch()
    for name in ("other/coffee.jpg", "around/deep.png"):
        write_image(folder / name, read_image(folder / "photos/coffee.png"))
    places = {"NEW": folder / "new", "LIB": library}
    before = digests(library)
    done = ktviz(*(places.get(one, one) for one in arguments.split()), cwd=folder, check=False)
    assert done.returncode == code, done.stderr
    assert words in " ".join(done.stderr.split())
    assert "Traceback" not in done.stderr
    assert not places["NEW"].exists()
    assert digests(library) == before
