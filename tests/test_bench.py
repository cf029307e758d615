"""The bench: what each system made, from where, and how far they agree is what they say when they are asked alone."""

import base64
import hashlib
import json
import os
import re
from dataclasses import replace
from importlib.metadata import EntryPoint

import numpy as np
import pandas as pd
import pytest
from command import ktviz
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.image import AxesImage
from matplotlib.text import Text
from scipy.sparse import csr_array
from systems.bridge.conftest import BANK as FACES
from systems.bridge.conftest import library_of as faces_of
from systems.bridge.conftest import write_faces
from systems.munit.conftest import BANK, library_of
from tiny_systems import material, tiny

import ktviz as kt
from ktviz.errors import ImageError, RegionError, SettingError, StorageError, UnknownNameError
from ktviz.explain.origins import Origins, agreement, origins
from ktviz.figures.colours import OTHER
from ktviz.figures.origins import origin_map
from ktviz.images import read_image, write_image
from ktviz.labels import write_map
from ktviz.memory import FORGET
from ktviz.systems import registry
from ktviz.systems.munit.trained import Networks as MunitNetworks
from ktviz.systems.plain import PlainSystem
from ktviz.workbench import folder as folders_of_benches
from ktviz.workbench import page as pages
from ktviz.workbench import words
from ktviz.workbench.sources import called

NAMES = ("kt", "munit", "bridge")
CELLS = 8


@pytest.fixture(scope="module")
def found():
    systems = [tiny()[name] for name in NAMES]
    return kt.bench(
        material("input"), material("reference"), [*systems, "cocosnet"], cells=CELLS, runs=5, repeats=2, quiet=True
    )


@pytest.fixture(scope="module")
def folder(found, tmp_path_factory):
    place = tmp_path_factory.mktemp("bench") / "found"
    found.save(place)
    return place


@pytest.fixture
def quick():
    """`quick(input, reference, systems, **more)`: without what takes time."""
    return lambda *given, **more: kt.bench(*given, **{"runs": 0, "repeats": 0, "cells": 4, "quiet": True} | more)


@pytest.fixture(scope="module")
def munit_bank(tmp_path_factory, save, paint):
    """Styles of five pots, and the networks that they are of."""
    networks = tiny()["munit"].networks
    return library_of(tmp_path_factory.mktemp("pots"), networks, save, paint)[BANK], networks


def of_one_source(trace):
    """Where cells come from, if all sources are one."""
    return origins(trace, CELLS, dict.fromkeys([source["source"] for source in trace.about["sources"]], "x"))


def test_every_system_makes_what_it_makes_alone(found):
    for name in NAMES:
        system = tiny()[name]
        alone = type(system).prepared(material("input"), material("reference"), system).traced()
        assert np.array_equal(found.outputs[name], alone.picture.canvases["output"])
        assert found.traces[name].about["digests"] == alone.about["digests"] or name == "kt"  # its bank is made again


def test_agreement_is_that_of_the_traces_where_the_reference_is_one_thing(found):
    assert list(zip(found.agreement["one"], found.agreement["other"], strict=True)) == [
        ("kt", "munit"), ("kt", "bridge"), ("munit", "bridge"),
    ]  # fmt: skip
    for one, other, share in found.agreement[["one", "other", "agreement"]].itertuples(index=False):
        assert agreement(*(of_one_source(found.traces[name]) for name in (one, other))).share == pytest.approx(share)
        assert share > 0
    assert {origins.sources for origins in found.origins.values()} == {("reference",)}


def test_agreement_about_the_region_is_that_of_its_cells(found, folder):
    region = kt.Box(*found.about["region"])
    for row in found.agreement.to_dict("records"):
        known = [found.origins[row[name]] for name in ("one", "other")]
        here = agreement(*known, region=region)
        assert 0 < here.region.sum() < CELLS**2
        assert row["region_agreement"] == pytest.approx(here.share)
        assert row["region_above_chance"] == pytest.approx(here.above_chance, nan_ok=True)
    assert "in the region</figcaption>" in (folder / "index.html").read_text()


def test_all_are_tested_by_units_of_the_reference(found):
    tested = found.frame[found.frame["system"].isin(NAMES)]
    for row, stand in zip(tested.to_dict("records"), found.there, strict=True):
        frame = stand.faithfulness.frame
        assert row["runs"] == 5 + row["units"]
        lds = frame.loc[frame["method"] == "footprint", "lds_pixels"].iloc[0]
        assert row["lds"] == pytest.approx(lds, nan_ok=True)
        assert row["deletion_random"] == pytest.approx(frame.loc[frame["method"] == "random", "deletion"].mean())
    assert set(found.faithfulness["system"]) == set(NAMES)
    assert found.about["region"] == [8, 8, 16, 16]
    assert "by ninths of the reference, and each as one what lies nowhere in it, such as labels" in words.markdown(
        found
    )


def test_the_table_says_how_many_units_and_runs_are_behind_a_score(found, folder):
    columns, rows = words.systems(found)
    for row, stand in zip(rows, found.there, strict=True):
        about = stand.faithfulness.about
        said = f"{about['units']} units, {about['subsets'][0] + about['alone'][0]} runs"
        assert row[list(columns).index("left out")] == said
        assert said in (folder / "index.html").read_text()


def test_what_labels_gave_is_not_said_to_be_of_the_reference(quick):
    bridge = tiny()["bridge"]
    for alpha in (1.0, 0.5):
        settings = {"bridge": {"mode": "between", "alpha": alpha}}
        found = quick(material("input"), material("reference"), [bridge, tiny()["munit"]], settings=settings)
        trace, known = found.traces["bridge"], found.origins["bridge"]
        reference = trace.sources().set_index("source")["share"].get("reference", 0.0)
        part = known.part.toarray().reshape(16, len(known.sources), 16).sum(2)
        assert (part.sum(0) > 0).tolist() == [name == "reference" and alpha < 1 for name in known.sources]
        assert known.known.mean() < 0.999
        assert (reference == 0) == (known.known.mean() == 0) == (alpha == 1)
        assert isinstance(found.plot(), Figure)
        assert folders_of_benches.page(found)
        assert "or nothing is known of one" in words.markdown(found)
    assert found.agreements["bridge", "munit"].most.mean() == pytest.approx(known.known.mean())


def test_a_reference_called_like_the_input_is_a_reference(quick, tmp_path):
    named = replace(material("reference"), name="input")
    systems = [tiny()[name] for name in ("image-analogy", "munit", "bridge")]
    iterations = {"image-analogy": {"iterations": 1}}
    given = named, material("reference")
    found, other = (quick(material("input"), one, systems, settings=iterations) for one in given)
    for name, known in found.origins.items():
        assert known.known.mean() > 0.9
        assert np.array_equal(known.part.toarray(), other.origins[name].part.toarray())
    assert found.agreement["above_chance"].tolist() == pytest.approx(other.agreement["above_chance"], nan_ok=True)
    for trace, plain in ((found.traces["bridge"], other.traces["bridge"]), analogy_votes(found, other)):
        shares = [kt.attribute(one, by="part", through="ablation", quiet=True).frame for one in (trace, plain)]
        assert shares[0]["share"].tolist() == pytest.approx(shares[1]["share"].tolist())
    found.save(tmp_path / "bench")


def analogy_votes(*several):
    """Of Deep Image Analogy, of some benches, traces of the votes."""
    return [found.traces["image-analogy"].site("ab.vote") for found in several]


def test_of_a_drawn_style_no_origin_is_known(quick, world, munit_bank):
    banks, networks = munit_bank
    found = quick(material("input"), [world.banks, banks], [world.translator, kt.Munit(banks, networks)], runs=2)
    assert found.origins["munit"].known.tolist() == [0.0] * 16
    row = found.frame.set_index("system").loc["munit"]
    assert "nearest explanation, not the cause" in row["remarks"]
    assert np.isnan(row["lds"])
    styles = {source["sha256"] for source in found.traces["munit"].about["sources"]}
    assert not {source.name for source in found.sources} & styles
    assert found.headline() == "2 of 2 systems took part"
    texts = [text.get_text() for text in found.plot().findobj(Text)]
    assert (texts.count("not known"), texts.count("where it comes from")) == (1, 1)
    page = folders_of_benches.page(found)
    assert "nearest explanation, not the cause" in page
    assert "100% known" not in page.split("<h3>munit</h3>")[1]


def test_times_and_memory_are_measured_of_each(found):
    tested = found.frame[found.frame["system"].isin(NAMES)]
    assert (tested[["seconds", "seconds_recorded"]] > 0).all(axis=None)
    if os.access(FORGET, os.W_OK):
        assert (tested["memory_bytes"] >= 0).all()


def test_who_cannot_take_part_is_listed_with_the_reason(found, folder):
    row = found.frame.set_index("system").loc["cocosnet"]
    assert not row["takes_part"]
    assert "class 1 is 'sky', not 'wall'" in row["why"]
    assert "3 of 4 systems took part" in found.headline()
    for name in ("index.html", "table.md", "table.csv"):
        assert "class 1 is" in (folder / name).read_text()


def test_each_says_what_it_lacks(quick):
    photo = material("input").photo
    found = quick(photo, photo[::-1], [*tiny().values()], settings={"image-analogy": {"iterations": 1}})
    why = found.frame.set_index("system")["why"]
    assert why[["kt", "image-analogy", "munit"]].tolist() == ["", "", ""]
    assert "cocosnet with picture: there is no label map of it" in why["cocosnet"]
    assert "pix2pixhd with picture: there is no label map of it" in why["pix2pixhd"]
    assert "bridge with picture: there is no attributes of it" in why["bridge"]
    assert words.away(found)[0][1].startswith("with picture")
    assert found.input.name == "picture"


def test_only_a_label_map_is_enough_for_some(quick):
    whole = material("input")
    alone = kt.Material(labels=whole.labels, classes=whole.classes, name="map")
    found = quick(alone, material("reference"), [tiny()["pix2pixhd"], tiny()["kt"]])
    assert found.frame["takes_part"].tolist() == [True, False]
    assert "kt with map: there is no photograph of it" in found.frame["why"][1]
    assert found.agreement.empty
    assert found.headline() == "1 of 2 systems took part"


def test_banks_go_to_the_systems_whose_kind_fits_and_sources_are_the_units(world, quick):
    found = quick(material("input"), [world.banks], [world.translator, tiny()["munit"]], runs=3)
    assert found.frame["takes_part"].tolist() == [True, False]
    assert "it holds patches, and codes are needed" in found.frame["why"][1]
    assert found.about["by"] == "source"
    digests = {source["sha256"] for source in found.traces["kt"].about["sources"]}
    assert set(found.origins["kt"].sources) == digests
    assert found.title == "input after art/cool, art/warm"
    assert {source.name for source in found.sources} <= digests
    assert "keyed" in folders_of_benches.page(found)


def test_what_cannot_be_asked_is_refused_before_any_work(quick, monkeypatch):
    kt_, munit = tiny()["kt"], tiny()["munit"]
    given = material("input"), material("reference")
    monkeypatch.setattr(type(kt_), "forward", None)
    for systems, error, said in (
        (["kd"], UnknownNameError, "system 'kd'.*Did you mean kt"),
        (["munnit"], UnknownNameError, "Did you mean munit"),
        ([kt_, "kt"], SettingError, "a bench with kt twice"),
        ([], SettingError, "no system is named"),
        ([3], SettingError, "neither the name of a system nor a system"),
    ):
        with pytest.raises(error, match=said):
            quick(*given, systems)
    with pytest.raises(SettingError, match="settings of kt: on the bench are munit"):
        quick(*given, [munit], settings={"kt": {}})
    for more in ({"runs": -1}, {"repeats": -1}, {"runs": 2.5}, {"seed": -1}):
        with pytest.raises(SettingError):
            quick(*given, [munit], **more)
    for cells in (0, -1, 2.5, True, "4", 49, 10**6):
        with pytest.raises(SettingError, match="bench cells"):
            quick(*given, [munit], cells=cells)
    for settings in (["munit"], "munit", {"munit": ["seed"]}, {"munit": None}):
        with pytest.raises(SettingError, match="not settings by name of the system"):
            quick(*given, [munit], settings=settings)
    for stranger in (kt.Munit, [kt.Munit], [type(kt_)]):
        with pytest.raises(SettingError, match="neither the name of a system nor a system"):
            quick(*given, stranger)
    with pytest.raises(ImageError):
        quick(given[0], "nowhere.png", [munit])


@pytest.mark.parametrize(("name", "setting"), [("munit", "exemplar"), ("bridge", "reference")])
def test_no_setting_takes_the_place_of_the_reference(quick, monkeypatch, name, setting):
    system, other = tiny()[name], material("input").photo[::-1].copy()
    monkeypatch.setattr(type(system), "forward", None)
    settings = {name: {setting: other}}
    with pytest.raises(SettingError, match=f"settings of {name} with {setting}=: it follows from the reference"):
        quick(material("input"), material("reference"), [system], settings=settings)


def test_another_picture_than_the_reference_has_not_its_name():
    system, reference = tiny()["image-analogy"], material("reference")
    for photo, named in ((reference.photo, True), (reference.photo[::-1].copy(), False)):
        trace = kt.ImageAnalogy(photo, system.method).traced(material("input").photo, iterations=1)
        assert called(trace, [reference]) == ({"reference": "reference"} if named else {})


def test_what_is_no_input_or_no_reference_is_said(quick, munit_bank):
    banks, networks = munit_bank
    munit, photo = kt.Munit(banks, networks), material("input").photo
    for reference, said in (
        ([], "the reference of a bench: nothing"),
        ([banks, material("reference")], "banks beside something else"),
        ([material("reference"), material("input")], "several pictures"),
    ):
        with pytest.raises(SettingError, match=said):
            quick(photo, reference, [munit])
    for given in (banks, [banks]):
        with pytest.raises(SettingError, match="the input of a bench"):
            quick(given, photo, [munit])
    assert quick(photo, [material("reference")], [munit]).title == "picture after reference"
    assert quick(photo, photo[::-1], [munit]).title == "picture after reference"


def test_where_one_source_gave_all_the_advice_is_what_helps(tmp_path_factory, save, paint, quick):
    root = tmp_path_factory.mktemp("faces")
    write_faces(root, save, paint)
    given = replace(material("input"), want=["Hat"])
    found = quick(given, faces_of(root)[FACES], [tiny()["bridge"]], runs=2)
    remark = found.frame["remarks"][0]
    assert remark.endswith("1 source in this region. Give one picture as reference: its ninths are tested.")


def test_none_that_can_take_part_is_an_error_with_all_reasons(quick):
    photo = material("input").photo
    with pytest.raises(SettingError, match=r"a bench of cocosnet, bridge: .*no label map.*no attributes"):
        quick(photo, photo[::-1], [tiny()["cocosnet"], tiny()["bridge"]])


def test_a_picture_is_not_compared_with_itself(quick, munit_bank, tmp_path, monkeypatch):
    banks, networks = munit_bank
    munit, photo = tiny()["munit"], material("input").photo
    monkeypatch.setattr(type(munit), "forward", None)
    for ending in ("png", "bmp"):
        write_image(tmp_path / f"two.{ending}", photo)
    whole = kt.Material(photo, material("input").labels, classes=material("input").classes)
    for one, other in ((photo, photo.copy()), (tmp_path / "two.png", tmp_path / "two.bmp"), (whole, photo)):
        with pytest.raises(SettingError, match="it is its own reference"):
            quick(one, other, [munit])
    for inside in (kt.Material.of_bank(banks, banks.source_names[1]), banks.picture(1)):
        with pytest.raises(SettingError, match=f"after {banks.source_names[1]}: it is its own reference"):
            quick(inside, [banks], [kt.Munit(banks, networks)])


def test_a_picture_is_not_compared_with_a_bank_of_its_file(quick, world, toy, tmp_path):
    library, photo = kt.Library.create(tmp_path / "l.ktlib", toy), material("input").photo
    write_image(tmp_path / "in" / "two.png", photo)
    bank = library.build("art/two", tmp_path / "in", encoder=toy, quiet=True)
    with pytest.raises(SettingError, match=r"after art/two/two.png: it is its own reference"):
        quick(tmp_path / "in" / "two.png", bank, [world.translator])


def test_a_region_outside_and_too_many_cells_are_said(quick, monkeypatch):
    given = material("input"), material("reference"), [tiny()["munit"]]
    shrunk = replace(given[0], side=16), *given[1:]
    with monkeypatch.context() as patch:
        patch.setattr(type(tiny()["munit"]), "forward", None)  # before any run
        for asked, side, start in ((given, 32, 20), (shrunk, 16, 8)):
            with pytest.raises(RegionError, match=f"not inside the image of {side}x{side} px"):
                quick(*asked, region=kt.Box(start, start, side, side))
    found = quick(*given, cells=33)
    assert found.origins == {}
    assert "33 cells a side" in found.frame["remarks"][0]
    assert "33 cells a side" in folders_of_benches.page(found)


class Guest(PlainSystem):
    """Somebody else's system."""

    name = "guest"
    abilities = frozenset({"bench"})


@pytest.mark.parametrize(
    ("parts", "said"),
    [
        ({"abilities": frozenset()}, "it does not say what it takes of an input and a reference"),
        ({"prepared": classmethod(lambda cls, input, reference, like, /: 1 / 0)}, "guest' failed: ZeroDivisionError"),
    ],
)
def test_a_system_of_another_package_that_fails_is_listed(quick, monkeypatch, parts, said):
    stub = {name: lambda self, *given, **more: {} for name in ("digests", "pictures")}
    opens = classmethod(lambda cls, trace, library, like, /: cls())
    guest = type("Guest", (Guest,), {**stub, "opened": opens, **parts})
    monkeypatch.setattr(EntryPoint, "load", lambda self: guest)
    known = {"guest": EntryPoint("guest", "guests:Guest", registry.GROUP)}
    monkeypatch.setattr(registry, "registered", lambda: known)
    monkeypatch.setattr(registry, "check_class", lambda *given: None)
    found = quick(material("input"), material("reference"), [tiny()["munit"], "guest"])
    assert said in found.frame["why"][1]


def test_the_folder_holds_what_was_found(found, folder):
    table = pd.read_csv(folder / "table.csv")
    assert table["system"].tolist() == [*NAMES, "cocosnet"]
    assert table["lds"][:3].to_numpy() == pytest.approx(found.frame["lds"][:3].to_numpy(), nan_ok=True)
    agreed = pd.read_csv(folder / "agreement.csv")
    assert agreed["above_chance"].to_numpy() == pytest.approx(found.agreement["above_chance"].to_numpy(), nan_ok=True)
    for name in NAMES:
        assert np.array_equal(read_image(folder / "pictures" / f"{name}.png"), found.outputs[name])
    assert np.array_equal(read_image(folder / "pictures" / "reference.png"), material("reference").photo)
    assert (folder / "pictures" / "agreement-kt+bridge.png").is_file()
    assert len(pd.read_csv(folder / "faithfulness.csv")) == len(found.faithfulness)
    assert f"| {words.pairs(found)[1][0][0]} |" in (folder / "table.md").read_text()


def test_the_page_is_one_offline_file_that_knows_every_cell(found, folder):
    text = (folder / "index.html").read_text()
    held = json.loads(re.search(r'id="origins">(.*?)</script>', text, re.S)[1])
    assert held["cells"] == CELLS
    for name, known in found.origins.items():
        for cell in (0, 27, CELLS**2 - 1):
            pairs = held["systems"][name]["parts"][held["systems"][name]["rows"][cell]]
            part = np.zeros(CELLS**2)
            part[pairs[::2]] = pairs[1::2]
            assert part / 10_000 == pytest.approx(known.part.toarray()[cell], abs=1e-4)
            assert pairs[1::2] == sorted(pairs[1::2], reverse=True)
    script = re.search(r"<script>(.*?)</script>", text, re.S)[1]
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert f"script-src 'sha256-{digest}'" in text
    assert not re.search(r'(src|href)="(?!data:)', text)
    assert not re.search(r"https?://", text)


@pytest.mark.parametrize("most", [1, 2])
def test_what_came_from_sources_that_are_not_shown_is_said(world, quick, monkeypatch, most):
    monkeypatch.setattr(pages, "MOST_SOURCES", most)
    found = quick(material("input"), [world.banks], [world.translator])
    known = found.origins["kt"]
    held = pages.packed(known, [source.name for source in found.sources[:most]])
    shown = np.array([sum(held["parts"][row][1::2]) for row in held["rows"]])
    assert shown + held["elsewhere"] == pytest.approx(pages.WHOLE * known.known, rel=1e-3)
    assert sum(held["elsewhere"]) > 0
    hidden = len(found.sources) - most
    assert hidden > 0
    text = folders_of_benches.page(found)
    assert re.search(rf"Grey comes from other sources: {hidden} sources? more gave something", text)
    grey = to_rgb(OTHER)
    cells = origin_map(known, [source.name for source in found.sources[:most]]).reshape(-1, 3)
    for cell in np.flatnonzero(shown == 0):
        assert cells[cell] == pytest.approx(np.array(grey) * 255, abs=0.6)


def test_parts_are_kept_however_small():
    part = np.full((4, 20_000), 1 / 20_000)
    known = Origins(2, tuple(f"{n}" for n in range(5_000)), csr_array(part), np.zeros(4), (8, 8))
    (parts,) = pages.packed(known, list(known.sources))["parts"]
    assert parts[1::2] == [0.5] * 20_000


def test_how_much_is_the_inputs_own_is_said(found, folder):
    row = found.frame.set_index("system").loc["bridge"]
    own = found.origins["bridge"].own
    assert row["own"] == pytest.approx(own.mean())
    assert 0.1 < row["own"] < 0.9
    assert found.frame["own"].tolist()[:2] == [0, 0]
    share = words.percent(row["own"])
    text = (folder / "index.html").read_text()
    assert f"{share} is the input&#39;s own; of the rest 100% known" in text
    assert "What is the input's own is left out" in text
    held = json.loads(re.search(r'id="origins">(.*?)</script>', text, re.S)[1])
    assert held["systems"]["bridge"]["own"] == pytest.approx(pages.WHOLE * own, rel=1e-3)
    columns, rows = words.systems(found)
    assert [row[list(columns).index("input's own")] for row in rows] == [words.NOTHING, words.NOTHING, share]
    assert "- *input's own*: " in (folder / "table.md").read_text()


def test_names_of_others_are_text(quick):
    name = "<b>&</script>"
    found = quick(replace(material("input"), name=name), replace(material("reference"), name=name), [tiny()["munit"]])
    text = folders_of_benches.page(found)
    assert name not in text
    assert "&lt;b&gt;&amp;&lt;/script&gt;" in text


def test_a_folder_is_written_whole_or_not_at_all(found, folder, tmp_path, monkeypatch):
    with pytest.raises(StorageError, match="it is not empty"):
        found.save(folder)
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "letter.txt").write_text("dear")
    with pytest.raises(StorageError, match="it holds something else than a comparison of systems"):
        found.save(tmp_path / "mine", overwrite=True)
    (tmp_path / "empty").mkdir()
    monkeypatch.setattr(folders_of_benches, "page", lambda found: 1 / 0)
    for name in ("new", "empty"):
        with pytest.raises(ZeroDivisionError):
            found.save(tmp_path / name)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["empty", "mine"]
    assert not any((tmp_path / "empty").iterdir())


def test_overwriting_replaces_what_was_there(found, tmp_path):
    found.save(tmp_path / "x")
    (tmp_path / "x" / "old.txt").write_text("old")
    found.save(tmp_path / "x", overwrite=True)
    assert not (tmp_path / "x" / "old.txt").exists()


@pytest.mark.parametrize("theirs", ["table.csv", "comparison.json", "index.html"])
def test_a_folder_of_somebody_else_is_never_replaced(found, tmp_path, theirs):
    (tmp_path / theirs).write_text('{"name": "a season of sales"}')
    (tmp_path / "letter.txt").write_text("dear")
    with pytest.raises(StorageError, match="it holds something else than a comparison of systems"):
        found.save(tmp_path, overwrite=True)
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(["letter.txt", theirs])


def test_the_folder_says_how_it_was_asked(found, folder):
    said = json.loads((folder / "comparison.json").read_text())
    assert said == {"title": found.title, "systems": [*NAMES, "cocosnet"], "about": found.about}


def test_the_output_of_each_is_drawn_with_its_name(found):
    figure = found.plot()
    texts = [text.get_text() for text in figure.findobj(Text)]
    assert set(NAMES) <= set(texts)
    drawn = [image.get_array() for image in figure.findobj(AxesImage)]
    for name in NAMES:
        assert any(np.array_equal(image, found.outputs[name]) for image in drawn)


# On the command line


@pytest.fixture
def place(tmp_path, monkeypatch):
    """Photographs and maps as files, and tiny networks of MUNIT as if they came with the package."""
    for name in ("input", "reference"):
        given = material(name)
        write_image(tmp_path / f"{name}.png", given.photo)
        write_map(tmp_path / "label" / f"{name}.png", given.labels, given.classes)
    material("input").classes.write(tmp_path / "classes.csv")
    networks = tiny()["munit"].networks
    monkeypatch.setattr(MunitNetworks, "shipped", classmethod(lambda cls: networks))
    return tmp_path


def run(place, *more, check=True):
    given = ("compare-systems", "input.png", "--reference", "reference.png", "--runs", 0, "--repeats", 0, "--cells", 4)
    return ktviz(*given, *more, cwd=place, check=check)


def test_a_comparison_on_the_command_line(place):
    done = run(place, "--systems", "munit,kt,cocosnet", "-o", "out")
    assert "munit" in done.stdout
    assert re.search(r"cocosnet\b.*there is no label map of it", done.stdout)
    assert "2 of 3 systems took part" in done.stdout
    assert (place / "out" / "index.html").is_file()
    again = run(place, "--systems", "munit,cocosnet", "-o", "out", "--overwrite", "--json")
    said = json.loads(again.stdout)
    counts = [row["retrievals"] for row in said["systems"]]
    assert [type(count) for count in counts] == [int, type(None)]
    assert [row["system"] for row in said["systems"]] == ["munit", "cocosnet"]
    assert said["agreement"] == []
    assert said["page"] == "out/index.html"


@pytest.mark.parametrize(
    ("more", "code", "said"),
    [
        (("--systems", "pix2pixhd,cocosnet"), 2, "there is no label map of it"),
        (("--systems", "munnit"), 3, "Did you mean munit"),
        (("--systems", "munit,munit"), 2, "munit twice"),
        (("--systems", "munit", "--want", "Hat", "--want", "Hat=no"), 2, "named twice"),
        (("--systems", ""), 2, "no system is named"),
        (("--systems", "munit", "--labels", "nowhere.png"), 4, "there is no such file"),
        (("--systems", "munit", "--reference", "input.png"), 2, "it is its own reference"),
        (("--systems", "munit", "--reference", "label"), 4, "folder"),
        (("--systems", "munit", "--reference", "nowhere.png"), 4, "nowhere.png"),
        (("--systems", "munit", "--region", "1,2,3"), 2, "not four whole numbers"),
        (("--systems", "munit", "--region", "30,30,9,9"), 2, "not inside the image"),
        (("--systems", "munit", "--bank", "a/b"), 2, "no --library"),
        (("--systems", "munit", "--side", "3"), 2, "side 3 px"),
    ],
)
def test_bad_input_is_refused_and_nothing_is_written(place, more, code, said):
    done = run(place, "-o", "out", *more, check=False)
    assert (done.returncode, said in done.stderr) == (code, True), done.stderr
    assert not (place / "out").exists()


def test_a_folder_with_something_else_is_left_alone(place):
    (place / "out").mkdir()
    (place / "out" / "letter.txt").write_text("dear")
    for more in ((), ("--overwrite",)):
        done = run(place, "--systems", "munit", "-o", "out", *more, check=False)
        assert done.returncode == 8
    assert [path.name for path in (place / "out").iterdir()] == ["letter.txt"]


def test_a_picture_of_a_bank_is_a_reference(place, world):
    bank = ("--systems", "munit", "-l", world.folder, "-b", "art")
    done = run(place, *bank, "--reference", "d.png", "-o", "out", "--json")
    assert json.loads(done.stdout)["title"] == "input.png after art/cool/d.png"
    refused = run(place, *bank, "--reference", "dd.png", "-o", "x", check=False)
    assert (refused.returncode, "Did you mean art/cool/d.png" in refused.stderr) == (3, True)
