"""The bench: what each system made, from where, and how far they agree is what they say when they are asked alone."""

import os
import time
from dataclasses import replace
from importlib.metadata import EntryPoint

import numpy as np
import pytest
from matplotlib.figure import Figure
from matplotlib.text import Text
from systems.bridge.conftest import BANK as FACES
from systems.bridge.conftest import library_of as faces_of
from systems.bridge.conftest import write_faces
from tiny_systems import SETTINGS, material, tiny

import ktviz as kt
from ktviz.errors import ImageError, RegionError, SettingError, UnknownNameError
from ktviz.explain.origins import agreement, origins
from ktviz.images import write_image
from ktviz.memory import FORGET
from ktviz.systems import registry
from ktviz.systems.plain import PlainSystem
from ktviz.workbench import folder as folders_of_benches
from ktviz.workbench import words
from ktviz.workbench.sources import called
from workbench.conftest import CELLS, NAMES


def of_one_source(trace):
    """Where cells come from, if all sources are one."""
    return origins(trace, CELLS, dict.fromkeys([source["source"] for source in trace.about["sources"]], "x"))


def test_every_system_makes_what_it_makes_alone(found):
    for name in NAMES:
        system = tiny()[name]
        alone = type(system).prepared(material("input"), material("reference"), system).traced()
        assert np.array_equal(found.outputs[name], alone.picture.canvases["output"])
        assert found.traces[name].about["digests"] == alone.about["digests"] or name == "kt"  # its bank is made again


@pytest.mark.slow
def test_all_six_stand_on_one_bench():
    systems = tiny()
    given = material("input"), material("reference")
    found = kt.bench(*given, [*systems.values()], cells=4, runs=2, repeats=1, settings=SETTINGS, quiet=True)
    assert found.frame["system"].tolist() == list(systems)
    assert found.frame["takes_part"].all()
    assert len(found.agreement) == 15
    untested = {stand.name: stand.remarks for stand in found.there if stand.faithfulness is None}
    assert [*untested] == ["pix2pixhd"]
    assert "the knowledge changed nothing in this region" in untested["pix2pixhd"][0]
    assert set(found.outputs) == set(systems)
    assert len(words.systems(found)[1]) == 6


def test_the_time_that_a_system_takes_to_get_ready_is_its_own(quick, monkeypatch):
    munit = tiny()["munit"]

    def late(cls, *given, made=type(munit).prepared):
        time.sleep(1)
        return made(*given)

    monkeypatch.setattr(type(munit), "prepared", classmethod(late))
    row = quick(material("input"), material("reference"), [munit], repeats=1).frame.iloc[0]
    assert row["seconds_prepared"] > 1 > row["seconds"]


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
    assert (tested[["seconds_prepared", "seconds", "seconds_recorded"]] > 0).all(axis=None)
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
