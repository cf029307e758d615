"""A run that is made again gives the same digest, or says what differs first."""

import json
import re
from types import SimpleNamespace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from command import ktviz
from systems.munit import conftest as pots

import ktviz as kt
from ktviz.audit.audit import Audit
from ktviz.audit.evidence import only_winners
from ktviz.audit.rerun import rerun
from ktviz.errors import MismatchError, TraceError
from ktviz.images import write_image
from ktviz.library.library import Library
from ktviz.trace.pictures import Picture


@pytest.fixture
def trace(world, paint):
    return world.translator.traced(paint(3, 64, 96), align=0.5)


def test_a_saved_trace_gives_the_same_digest(trace, world, tmp_path):
    trace.save(tmp_path / "run.parquet", pictures="both")
    found = rerun(tmp_path / "run.parquet", world.folder, model=world.translator)
    assert found
    assert (found.recorded, found.found, found.difference) == (trace.digest, trace.digest, "")


def test_an_audit_gives_the_same_digest(trace, world, tmp_path):
    Audit.create(trace, top=1, sample=20).save(tmp_path / "audit")
    assert rerun(tmp_path / "audit", Library.open(world.folder), model=world.translator)


def test_a_trace_without_its_photo_needs_it(trace, world, paint, tmp_path):
    trace.save(tmp_path / "run.parquet", pictures="none")
    with pytest.raises((TraceError, MismatchError)):
        rerun(tmp_path / "run.parquet", world.folder, model=world.translator)
    assert rerun(tmp_path / "run.parquet", world.folder, model=world.translator, photo=paint(3, 64, 96))
    with pytest.raises(MismatchError):
        rerun(tmp_path / "run.parquet", world.folder, model=world.translator, photo=paint(4, 64, 96))


@pytest.mark.parametrize("part", ["thinned", "regret", "one site"])
def test_what_a_trace_does_not_hold_is_no_difference(part, trace, world, tmp_path):
    made = {"thinned": only_winners, "regret": kt.Trace.with_regret, "one site": lambda trace: trace.site("tone")}
    made[part](trace).save(tmp_path / "run.parquet", pictures="both")
    assert rerun(tmp_path / "run.parquet", world.folder, model=world.translator).difference == ""


@pytest.fixture(scope="module")
def runs(world, paint, save, tmp_path_factory):
    """By system: a trace that was saved, its library, its networks."""
    folder = tmp_path_factory.mktemp("runs")
    networks = pots.networks_of(0)
    library = pots.library_of(folder, networks, save, paint)
    munit = kt.Munit(library[pots.BANK], networks)
    made = {
        "kt": (world.translator.traced(paint(3, 64, 96), align=0.5), world.folder, world.translator),
        "munit": (munit.traced(paint(9, 42, 53), mix={"a": 0.25, "e.png": 0.75}), library.folder, munit),
    }
    for name, (trace, *_) in made.items():
        trace.save(folder / f"{name}.parquet", pictures="both")
    return {name: SimpleNamespace(path=folder / f"{name}.parquet", home=more) for name, (_, *more) in made.items()}


def credit(table, about, image):
    about["sources"][1]["creator"] = "Nobody"
    return table


def more_sources(table, about, image):
    about["sources"].append({**about["sources"][0], "source": "art/new.png"})
    return table


def other_order(table, about, image):
    about["sources"].reverse()
    return table


def site(table, about, image):
    about["sites"][0]["direction"] = "back"
    return table


def extension(table, about, image):
    about["sites"][0]["extensions"][0]["unit"] = "px"
    return table


def column(name, change):
    def changed(table, about, image):
        at = table.column_names.index(name)
        values = table[name].to_pylist()
        values[2 % len(values)] = change(values[2 % len(values)])
        return table.set_column(at, table.schema.field(at), pa.array(values, table.schema.field(at).type))

    return changed


def fewer_rows(table, about, image):
    return table.filter(pc.or_(table["chosen"], pc.equal(table["rank"], 0)))


def picture(table, about, image):
    image["canvases"]["output"]["sha256"] = "0" * 64
    return table


def measure(table, about, image):
    image["measures"]["depth"] = 3.5
    return table


CHANGES = {
    "a credit": (credit, r"source \S+, creator: recorded Nobody, found \w+"),
    "a source more": (more_sources, r"source art/new\.png: recorded, not found"),
    "another order of sources": (other_order, r"source, order: recorded \S+, .*, found \S+, .*"),
    "a site": (site, r"site \w+, direction: recorded back, found "),
    "an extension": (extension, r"site \w+, extensions, \S+, unit: recorded px, found .+"),
    "a similarity": (
        column("similarity", lambda _: 0.125),
        r"retrieval \d+( of \w+)?: recorded similarity 0\.125, found .+",
    ),
    "a row of another column": (
        column("weight", lambda _: 0.125),
        r"retrieval \d+( of \w+)?: recorded weight 0\.125, found .+",
    ),
    "an output picture": (picture, r"picture output, sha256: recorded 0{64}, found [0-9a-f]{64}"),
    "a measure": (measure, r"measures, depth: recorded, not found"),
}
"""What is changed in a file, and what is said of it: in the order in which it is said."""


def changed(run, folder, *changes):
    """A trace on disk like that of a run, but for some changes; without its output, whose digest may be one of them."""
    trace = kt.Trace.open(run.path)
    about, image = (json.loads(json.dumps(dict(part))) for part in (trace.about, trace.picture.about))
    table = trace.table
    for change in changes:
        table = change(table, about, image)
    held = {name: pixels for name, pixels in trace.picture.canvases.items() if name != "output"}
    kt.Trace(table, about, [Picture(held, image)]).save(folder / "changed.parquet", pictures="both", overwrite=True)
    return rerun(folder / "changed.parquet", run.home[0], model=run.home[1])


@pytest.mark.parametrize("system", ["kt", "munit"])
@pytest.mark.parametrize("name", CHANGES)
def test_what_was_changed_in_a_file_is_named_by_what_it_is(name, system, runs, tmp_path):
    change, said = CHANGES[name]
    found = changed(runs[system], tmp_path, change)
    assert re.fullmatch(said, found.difference)
    assert found.recorded != found.found


@pytest.mark.parametrize("system", ["kt", "munit"])
def test_differences_are_named_in_one_order(system, runs, tmp_path):
    order = [CHANGES[name] for name in ("a credit", "a site", "a similarity", "an output picture")]
    for number in range(len(order)):
        left = [change for change, _ in order[number:]]
        assert re.fullmatch(order[number][1], changed(runs[system], tmp_path, *left).difference)


def test_fewer_rows_are_named(runs, tmp_path):
    assert re.fullmatch(r"rows: recorded \d+, found \d+", changed(runs["kt"], tmp_path, fewer_rows).difference)


def test_another_version_is_no_difference_but_named_beside_one(runs, tmp_path):
    def versions(table, about, image):
        about["versions"]["torch"] = "1.0"
        return table

    found = changed(runs["kt"], tmp_path, versions)
    assert found
    assert found.elsewhere == ""
    found = changed(runs["kt"], tmp_path, versions, CHANGES["a similarity"][0])
    assert "similarity" in found.difference
    assert re.fullmatch(r"version of torch: recorded 1\.0, found \S+", found.elsewhere)


@pytest.mark.parametrize(
    ("setting", "said"),
    [
        ({"align": 0.25}, "setting align: recorded 0.5, found 0.25"),
        ({"coherence": 0.0}, "setting coherence: recorded 0.06, found 0.0"),
        (
            {"band_weights": (1, 0.5, 1, 0)},
            "setting band_weights: recorded [1.0, 1.0, 1.0, 0.0], found [1.0, 0.5, 1.0, 0.0]",
        ),
    ],
)
def test_a_setting_that_differs_is_named(setting, said, trace, world, tmp_path, monkeypatch):
    trace.save(tmp_path / "run.parquet", pictures="both")
    real = type(world.translator).rerun
    monkeypatch.setattr(
        type(world.translator), "rerun", lambda self, given, **more: real(self, given, **more, **setting)
    )
    found = rerun(tmp_path / "run.parquet", world.folder, model=world.translator)
    assert not found
    assert found.difference == said
    assert found.recorded == trace.digest != found.found


def test_other_knowledge_is_refused(trace, world, tmp_path, paint, save, toy, settings):
    trace.save(tmp_path / "run.parquet", pictures="both")
    library = Library.ensure(tmp_path / "other.ktlib", toy, settings)
    save(tmp_path / "in" / "x.png", paint(90))
    for style in ("warm", "cool"):
        library.build(f"art/{style}", [tmp_path / "in"], encoder=toy, quiet=True)
    with pytest.raises(MismatchError):
        rerun(tmp_path / "run.parquet", library, model=world.translator)


@pytest.mark.slow
def test_the_command_says_so(tmp_path, paint):
    write_image(tmp_path / "photo.png", paint(3, 96, 96))
    ktviz("library", "build", tmp_path / "a.ktlib", "-b", "art/one", tmp_path / "photo.png", "-q")
    banks = "-l", tmp_path / "a.ktlib", "-b", "art/one"
    ktviz("translate", tmp_path / "photo.png", *banks, "-o", tmp_path / "out.png", "--trace", "-q")
    (trace,) = tmp_path.glob("*.parquet")
    said = json.loads(ktviz("rerun", trace, "-l", tmp_path / "a.ktlib", "--json").stdout)
    assert said["same"]
    assert np.isin(list("0123456789abcdef"), [*said["recorded"]]).any()
