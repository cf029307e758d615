"""Banks of codes: objects with what an encoder says of them, clustered as published, and gone when they are removed."""

from __future__ import annotations

import json
import math
import shutil

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch
from mapped import CAR, CLASSES, POLE, ROAD, SKY, MeanColour, WholeColour, maps, save_maps
from PIL import Image
from stored import file_of, resealed

import ktviz as kt
from ktviz.audit.fingerprint import find_runs, fingerprints
from ktviz.audit.removal import check_no_bytes
from ktviz.errors import Difference, LabelError, LibraryError, SettingError, UnknownNameError
from ktviz.labels import Classes, write_map
from ktviz.library.format import FORMAT_VERSION
from ktviz.library.kinds.codes.clusters import clustered, grouped
from ktviz.library.kinds.codes.rows import Row, rows_of, rows_table
from ktviz.library.kinds.codes.settings import CodeSettings
from ktviz.library.library import Library
from ktviz.networks.threads import at_most

NAME = "street/test"
NAMES = ["a", "b", "c", "d", "e"]


@pytest.fixture
def library(tmp_path, toy, settings):
    """An empty library."""
    return Library.ensure(tmp_path / "l.ktlib", toy, settings)


@pytest.fixture
def mapped(tmp_path):
    """Maps of all toy pictures."""
    return save_maps(tmp_path / "maps", NAMES)


@pytest.fixture
def given(mapped):
    """What a bank of codes is built with."""
    return {"kind": "codes", **adding(mapped), "clusters": 3}


def adding(mapped):
    return {"labels": mapped / "labels", "instances": mapped / "instances", "coder": MeanColour(), "quiet": True}


@pytest.fixture
def bank(library, pictures, given):
    """a, b and c."""
    return library.build(NAME, pictures / "warm", **given)


def test_every_object_is_an_entry_with_its_class_area_box_and_code(bank, pictures):
    for source in range(3):
        _, instances = maps(source)
        pixels = kt.read_image(pictures / "warm" / f"{'abc'[source]}.png")
        mine = np.flatnonzero(bank.source == source)
        assert bank.number[mine].tolist() == [SKY, ROAD, CAR * 1000, CAR * 1000 + 1, POLE * 1000]
        assert bank.label[mine].tolist() == [SKY, ROAD, CAR, CAR, POLE]
        for entry in mine:
            y, x = np.nonzero(instances == bank.number[entry])
            assert bank.area[entry] == len(y) / (64 * 64 // 32)
            assert bank.box[entry].tolist() == [x.min(), y.min(), np.ptp(x) + 1, np.ptp(y) + 1]
            expected = (pixels[y, x] / 255).mean(0)
            assert np.allclose(bank.codes[entry], expected, atol=1e-12)
    assert len(bank) == 15
    assert bank.coder == "mean colours"
    assert bank.classes.names == CLASSES.names


def test_centres_are_means_of_large_objects_class_by_class(bank):
    assert bank.centre_label.tolist() == [SKY] * 3 + [ROAD] * 3 + [CAR] * 3
    assert ((bank.centre == -1) == (bank.label == POLE)).all()
    for k in range(len(bank.centres)):
        members = bank.members(k)
        assert len(members)
        assert (bank.label[members] == bank.centre_label[k]).all()
        assert (bank.centre[members] == k).all()
        exact = [math.fsum(column) / len(members) for column in bank.codes[members].T]
        assert bank.centres[k].tolist() == exact
    assert bank.of_class(ROAD).tolist() == [3, 4, 5]
    assert bank.of_class(POLE).tolist() == []


def test_entries_are_what_a_trace_needs_of_them(bank):
    entries = torch.tensor([0, 7, 14])
    assert bank.source_of(entries).tolist() == [0, 1, 2]
    assert bank.boxes(entries).dtype == torch.float32
    assert bank.boxes(entries).tolist() == bank.box[[0, 7, 14]].tolist()
    assert [about["source"] for about in bank.describe_sources()] == [f"{NAME}/{name}.png" for name in "abc"]
    assert bank.digests() == {f"library bank {NAME}": bank.banks[0].digest}
    assert bank.name == "library"


def test_a_bank_opens_elsewhere_without_the_files_it_was_made_of(library, bank, mapped, tmp_path):
    shutil.rmtree(mapped)
    library.folder.rename(tmp_path / "moved.ktlib")
    opened = Library.open(tmp_path / "moved.ktlib")
    again = opened[NAME]
    assert json.loads((opened.folder / "library.json").read_text())["format"] == FORMAT_VERSION
    assert isinstance(again, kt.CodeUnion)
    for column in ("codes", "label", "number", "area", "box", "source", "centre", "centres", "centre_label"):
        assert np.array_equal(getattr(again, column), getattr(bank, column))
    assert np.array_equal(again.object_map(1), maps(1)[1])
    assert again.picture(1).shape == (64, 64, 3)


def test_adding_and_removing_is_building_from_what_remains_byte_for_byte(library, bank, pictures, mapped, given):
    before = library.record(NAME)
    library.add(NAME, pictures / "cool", **adding(mapped))
    assert library.record(NAME).digest != before.digest
    assert library.remove(NAME, ["d", "e.png"], quiet=True) == [f"{NAME}/d.png", f"{NAME}/e.png"]
    assert library.record(NAME).digest == before.digest
    library.remove(NAME, "b", quiet=True)
    few = [pictures / "warm" / f"{name}.png" for name in "ac"]
    built = library.build("street/few", few, **given)
    assert library.record(NAME).digest == built.banks[0].digest


def test_the_order_in_which_sources_enter_does_not_matter(library, pictures, mapped, given):
    files = [pictures / "warm" / "c.png", pictures / "cool" / "d.png", pictures / "warm" / "a.png"]
    one = library.build("street/one", files, **given).banks[0].digest
    library.build("street/two", files[:1], **given)
    library.add("street/two", files[2:], **adding(mapped))
    assert library.add("street/two", files[1:2], **adding(mapped)).banks[0].digest == one


def test_a_bank_is_the_same_on_any_number_of_threads():
    random = np.random.default_rng(0)
    codes = random.normal(size=(3000, 3)) + random.integers(0, 4, (3000, 1))  # several chunks of scikit-learn's
    labels, area = random.integers(0, 2, 3000), np.ones(3000)
    settings = CodeSettings("a coder", 3)
    torch.set_num_threads(4)
    many = clustered(codes, labels, area, settings)
    with at_most(1):
        one = clustered(codes, labels, area, settings)
    assert np.array_equal(many.centres, one.centres)
    assert np.array_equal(many.centre_of(3000), one.centre_of(3000))


def test_rows_and_centres_are_those_of_the_published_code(shared):
    with np.load(shared / "parity" / "pix2pixhd_reference.npz") as file:
        values = {key: file[key] for key in file}
    rows = {int(key.rsplit("/", 1)[1]): values[key] for key in values if key.startswith("out/feature_rows/")}
    stacked = np.concatenate([rows[label] for label in sorted(rows)])
    labels = np.repeat(sorted(rows), [len(rows[label]) for label in sorted(rows)])
    found = clustered(stacked[:, :3].copy(), labels, stacked[:, 3], CodeSettings("published", 3, clusters=4))
    expected = [label for label in sorted(rows) if f"out/centres_ninit10/{label}" in values]
    assert sorted(set(found.label)) == expected == [0, 1, 2, 3, 4]
    centre = found.centre_of(len(stacked))
    for label in expected:
        numbers = found.of_class(label)
        assert np.allclose(found.centres[numbers], values[f"out/centres_ninit10/{label}"], rtol=0, atol=1e-12)
        assert np.isclose(found.inertia[numbers].sum(), values[f"out/inertia_ninit10/{label}"], rtol=1e-9, atol=1e-15)
        large = (labels == label) & (stacked[:, 3] > 0.5)
        assert np.array_equal(centre[large] - numbers[0], values[f"out/kmeans_labels_ninit10/{label}"])
    assert (centre[(labels == 5) | (stacked[:, 3] <= 0.5)] == -1).all()


def test_equal_codes_make_fewer_centres_and_none_without_members():
    codes = np.repeat([[0.25], [0.5]], 4, axis=0)
    groups = grouped(codes, np.arange(8), 5)
    assert sorted(map(len, groups)) == [4, 4]
    assert grouped(codes, np.arange(0), 5) == []


def test_the_least_area_and_the_clusters_of_a_bank_are_kept(library, pictures, mapped, given):
    given = {**given, "least_area": 0.0, "clusters": 2}
    bank = library.build(NAME, pictures / "warm", **given)
    assert (bank.centre >= 0).all()
    assert bank.centre_label.tolist() == [SKY, SKY, ROAD, ROAD, CAR, CAR, POLE, POLE]
    more = library.add(NAME, pictures / "cool", **adding(mapped))
    assert len(more.of_class(POLE)) == 2
    assert more.banks[0].settings == bank.banks[0].settings


@pytest.mark.parametrize("change", [{"clusters": 0}, {"clusters": 1.5}, {"least_area": math.nan}, {"least_area": -1}])
def test_settings_outside_their_range_are_refused(library, pictures, given, change):
    with pytest.raises(SettingError):
        library.build(NAME, pictures / "warm", **{**given, **change})
    assert NAME not in library


def test_a_bank_of_whole_pictures_has_one_row_each(library, pictures):
    bank = library.build(NAME, pictures / "warm", kind="codes", coder=WholeColour(), clusters=2, quiet=True)
    assert bank.label.tolist() == bank.number.tolist() == [-1] * 3
    assert bank.box.tolist() == [[0, 0, 64, 64]] * 3
    assert bank.area.tolist() == [32.0] * 3
    assert bank.classes is None
    assert bank.labels(0) is bank.instances(0) is None
    assert len(bank.of_class(-1)) == 2
    assert (bank.object_map(0) == -1).all()
    assert set(library.record(NAME).layout.tables) == {
        "sources.parquet", "codes.json", "entries.parquet", "centres.parquet"
    }  # fmt: skip
    library.add(NAME, pictures / "cool", coder=WholeColour(), quiet=True)
    library.remove(NAME, ["d", "e"], quiet=True)
    assert library.record(NAME).digest == bank.banks[0].digest


def test_without_instance_maps_a_class_is_one_object(library, pictures, mapped, given):
    bank = library.build(NAME, pictures / "warm", **{**given, "instances": None})
    assert bank.number[:4].tolist() == [SKY, ROAD, CAR, POLE]
    assert np.array_equal(bank.object_map(0), maps(0)[0])


class Wrong(MeanColour):
    """A coder that gives something else."""

    def __init__(self, change):
        super().__init__()
        self.change = change

    def encode(self, pixels, labels, instances):
        return self.change(super().encode(pixels, labels, instances))


def uneven(codes):
    codes = codes.clone()
    codes[0, 40, 3] += 0.25
    return codes


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (uneven, r"object \d+ has several codes \(x 3, y 40\)"),
        (lambda codes: codes[:2], r"codes of shape \(2, 64, 64\), not \(3, 64, 64\)"),
        (lambda codes: codes[:, ::2], r"codes of shape \(3, 32, 64\)"),
        (lambda codes: codes / 0 - codes / 0, "NaN"),
    ],
)
def test_a_coder_that_gives_something_else_is_told(library, pictures, given, change, said):
    with pytest.raises(LibraryError, match=rf"a\.png': {said}"):
        library.build(NAME, pictures / "warm", **{**given, "coder": Wrong(change)})
    assert NAME not in library


def test_what_a_coder_needs_and_what_it_does_not_take_is_said(library, bank, pictures, mapped, given, toy):
    for change, error, said in (
        ({"coder": None}, SettingError, "no coder"),
        ({"labels": None, "instances": None}, SettingError, "no label maps, and its coder reads them"),
        ({"coder": WholeColour()}, SettingError, "its coder takes whole pictures"),
        ({"encoder": toy}, SettingError, "a bank of codes with encoder"),
        ({"instances": mapped / "none"}, LabelError, "there is no such folder"),
        ({"classes": Classes(CLASSES.names[:3], CLASSES.colours[:3])}, LibraryError, "class 3 is nothing, not 'pole'"),
    ):
        with pytest.raises(error, match=said):
            library.build("street/new", pictures / "warm", **{**given, **change})
    with pytest.raises(SettingError, match="a bank of pictures with coder"):
        library.build("refs/new", pictures / "warm", kind="pictures", coder=MeanColour(), quiet=True)
    with pytest.raises(LibraryError, match="coder another of 3 numbers, and it was built with mean colours"):
        library.add(NAME, pictures / "cool", **{**adding(mapped), "coder": MeanColour("another")})
    assert list(library) == [NAME]


def test_several_banks_are_numbered_through(library, bank, pictures, mapped, given):
    library.build("street/cool", pictures / "cool", **given)
    union = library["street"]
    assert union.names == ["street/cool", NAME]
    assert len(union) == 25
    assert union.source.tolist() == np.repeat(np.arange(5), 5).tolist()
    first = len(library["street/cool"].centres)
    assert np.array_equal(union.centres[first:], bank.centres)
    assert np.array_equal(union.members(first), bank.members(0) + 10)
    assert union.of_class(CAR).tolist() == [*library["street/cool"].of_class(CAR), *(bank.of_class(CAR) + first)]
    assert (union.centre[10:] == np.where(bank.centre < 0, -1, bank.centre + first)).all()
    assert np.array_equal(union.object_map(4), maps(2)[1])


def test_banks_of_other_coders_or_classes_are_not_compared(library, bank, pictures, mapped, given):
    library.build("street/other", pictures / "cool", **{**given, "coder": MeanColour("another")})
    with pytest.raises(LibraryError, match="made with the coders another"):
        library["street"]
    library.remove("street/other", quiet=True)
    coder = MeanColour()
    coder.classes = Classes(("sky", "road", "van", "pole"), CLASSES.colours)
    library.build("street/vans", pictures / "cool", **{**given, "coder": coder, "classes": coder.classes})
    with pytest.raises(LibraryError, match="class 2 is 'van', not 'car'"):
        library["street"]
    library.remove("street/vans", quiet=True)
    library.build("street/pictures", pictures / "cool", kind="pictures", quiet=True)
    with pytest.raises(LibraryError, match="street/pictures holds pictures, street/test codes"):
        library["street"]


def test_without_nothing_is_everything(bank):
    for again in (False, True):
        same = bank.without([], again=again)
        assert np.array_equal(same.clusters.centres, bank.centres)
        assert same.follows.tolist() == list(range(len(bank.centres)))


def test_without_a_source_clustered_again_is_the_bank_from_which_it_was_removed(library, bank):
    gone = np.flatnonzero(bank.source == 1)
    changed = bank.without(gone, again=True)
    library.remove(NAME, "b", quiet=True)
    after = library[NAME]
    kept = np.flatnonzero(bank.source != 1)
    assert np.array_equal(changed.clusters.centres, after.centres)
    assert np.array_equal(changed.clusters.label, after.centre_label)
    assert all(
        np.array_equal(a, kept[b]) for a, b in zip(changed.clusters.members, after.clusters.members, strict=True)
    )
    for k, follows in enumerate(changed.follows):
        mine = np.flatnonzero(after.centre_label == bank.centre_label[k])
        assert follows == mine[np.square(after.centres[mine] - bank.centres[k]).sum(1).argmin()]


def test_without_a_member_only_its_mean_moves(library, pictures, given):
    bank = library.build(NAME, pictures, **{**given, **adding_nested(given)})
    k = next(k for k in range(len(bank.centres)) if len(bank.members(k)) > 1)
    gone, *left = bank.members(k)
    changed = bank.without([gone], again=False)
    assert np.allclose(changed.clusters.centres[k], bank.codes[left].mean(0), atol=1e-15)
    others = np.arange(len(bank.centres)) != k
    assert np.array_equal(changed.clusters.centres[others], bank.centres[others])
    assert changed.follows.tolist() == list(range(len(bank.centres)))
    assert gone not in np.concatenate(changed.clusters.members)
    alone = next(k for k in range(len(bank.centres)) if len(bank.members(k)) == 1)
    changed = bank.without(torch.tensor(bank.members(alone)), again=False)
    assert len(changed.clusters) == len(bank.centres) - 1
    label = bank.centre_label[alone]
    assert changed.clusters.label[changed.follows[alone]] == label
    distances = np.square(changed.clusters.centres - bank.centres[alone]).sum(1)
    distances[changed.clusters.label != label] = np.inf
    assert changed.follows[alone] == distances.argmin()


def adding_nested(given):
    """The same maps as for pictures in two folders."""
    for what in ("labels", "instances"):
        for name in ("warm/a", "warm/b", "warm/c", "cool/d", "cool/e"):
            place = given[what] / f"{name}.png"
            place.parent.mkdir(exist_ok=True)
            shutil.copyfile(given[what] / f"{name[-1]}.png", place)
    return {"clusters": 4}


@pytest.mark.parametrize("again", [False, True])
def test_a_class_without_any_object_left_has_no_centre(bank, again):
    changed = bank.without(np.flatnonzero(bank.label == CAR), again=again)
    assert CAR not in changed.clusters.label
    assert (changed.follows[bank.centre_label == CAR] == -1).all()
    assert (changed.follows[bank.centre_label != CAR] >= 0).all()
    everything = bank.without(range(len(bank)), again=again)
    assert len(everything.clusters) == 0
    assert (everything.follows == -1).all()


def test_an_object_too_small_for_a_centre_changes_nothing(bank):
    changed = bank.without(np.flatnonzero(bank.label == POLE), again=True)
    assert np.array_equal(changed.clusters.centres, bank.centres)


@pytest.mark.parametrize("entry", [-1, 15])
def test_an_entry_that_is_not_there_is_told(bank, entry):
    with pytest.raises(UnknownNameError, match="entries go from 0 to 14"):
        bank.without([entry], again=False)


@pytest.mark.parametrize("entries", [b"\x00", True, [True], np.array([True]), torch.tensor([True]), [1.5]], ids=repr)
def test_bytes_and_truth_values_are_no_entries(bank, entries):
    with pytest.raises(SettingError, match="without entry"):
        bank.without(entries, again=False)


def test_a_removed_source_leaves_no_byte_of_its_codes_behind(library, bank):
    gone = next(one for one in fingerprints(bank) if one.source.endswith("b.png"))
    assert set(gone.runs) == {"picture", "small picture", "labels", "instances", "codes"}
    codes = [replace_runs(gone, "codes")]
    found = {path.name for path in library.folder.rglob("*") if path.is_file() and find_runs(path, codes)}
    assert found == {"entries.parquet", file_of(bank.banks[0], "1.parquet").name}
    with pytest.raises(Difference):
        check_no_bytes(library, gone)
    owed = bank.centres[bank.centre[bank.source == 1].max()].tobytes()
    assert any(owed in path.read_bytes() for path in library.folder.rglob("centres.parquet"))
    library.remove(NAME, "b", quiet=True)
    assert "searched at every offset" in check_no_bytes(library, gone)


def replace_runs(gone, kind):
    return type(gone)(gone.source, gone.sha256, {kind: gone.runs[kind]})


def test_an_interrupted_build_goes_on_and_is_the_same(library, bank, pictures, given):
    coded = []

    class Stops(MeanColour):
        def encode(self, *given):
            coded.append(1)
            if len(coded) == 3:
                raise KeyboardInterrupt
            return super().encode(*given)

    with pytest.raises(KeyboardInterrupt):
        library.build("street/again", pictures / "warm", **{**given, "coder": Stops()})
    done = len(list(library.folder.glob("building/*/*.json")))
    assert done
    coded.extend([1] * 3)
    again = Library.open(library.folder).build("street/again", pictures / "warm", **{**given, "coder": Stops()})
    assert again.banks[0].digest == bank.banks[0].digest
    assert len(coded) == 6 + 3 - done


def changed(library, change):
    """Change the files of the bank, and digests that say so."""
    change(library.bank(NAME))
    return resealed(library, NAME)


def rewrite(name, column, value, row=0):
    """A change of one value in a table."""

    def change(bank):
        path = file_of(bank, name)
        table = pq.read_table(path)
        values = table[column].to_pylist()
        values[row] = value(values[row]) if callable(value) else value
        place = table.schema.get_field_index(column)
        pq.write_table(table.set_column(place, table.schema.field(column), pa.array(values, table[column].type)), path)

    return change


def everywhere(column, value, row=0):
    """The same in the rows of a source and in the table of all."""
    changes = [rewrite("entries.parquet", column, value, row), rewrite("0.parquet", column, value, row)]
    return lambda bank: [change(bank) for change in changes]


LIES = {
    "a centre": (rewrite("centres.parquet", "code", lambda c: [c[0] + 1e-9, *c[1:]]), "means of their members"),
    "inertia": (rewrite("centres.parquet", "inertia", lambda i: i + 1e-9), "inertia"),
    "members": (rewrite("centres.parquet", "members", lambda n: n + 1), "as many members"),
    "class of a centre": (rewrite("centres.parquet", "label", 2), "their members' class"),
    "another centre": (
        rewrite("entries.parquet", "centre", lambda k: (k + 1) % 3),
        "members of every centre|means of their members",
    ),
    "no centre": (rewrite("entries.parquet", "centre", -1), "a centre for each large object"),
    "a centre too far": (rewrite("entries.parquet", "centre", 99), "centres that exist"),
    "a code": (rewrite("entries.parquet", "code", lambda c: [0.0, *c[1:]]), "means of their members"),
    "a code in both": (everywhere("code", lambda c: [0.0, *c[1:]]), "means of their members"),
    "a small code": (rewrite("entries.parquet", "code", [0.0] * 3, 4), "rows of the sources"),
    "NaN": (everywhere("code", [math.nan] * 3, 4), "finite"),
    "a short code": (everywhere("code", [0.5] * 2, 4), "3 numbers"),
    "an area": (everywhere("area", lambda a: a + 1 / 128), "fill their pictures"),
    "half a pixel": (everywhere("area", lambda a: a + 1 / 256), "areas in boxes"),
    "a box": (everywhere("box", [0, 0, 65, 64]), "inside their pictures"),
    "a small box": (everywhere("box", [0, 0, 1, 1]), "areas in boxes"),
    "a number": (everywhere("number", 3), "each object once"),
    "a class": (everywhere("label", ROAD, 4), "say their class"),
    "no class": (everywhere("number", 64_000, 4), "say their class|classes that exist"),
    "a source": (rewrite("entries.parquet", "source", 2), "rows of the sources"),
}


@pytest.mark.parametrize("lie", LIES)
def test_what_can_be_recomputed_is_not_believed(library, bank, lie):
    change, said = LIES[lie]
    with pytest.raises(LibraryError, match=rf"do not fit together \(expected .*({said})"):
        changed(library, change)[NAME]


@pytest.mark.parametrize(
    ("edit", "said"),
    [
        ({"size": 2}, "2 numbers"),
        ({"clusters": 2}, "no more centres"),
        ({"least_area": 0.001}, "large object"),
        ({"least_area": "0"}, "not a number"),
        ({"more": 1}, "more"),
    ],
)
def test_settings_that_were_changed_are_noticed(library, bank, edit, said):
    def change(bank):
        path = file_of(bank, "codes.json")
        path.write_text(json.dumps({**json.loads(path.read_text()), **edit}))

    with pytest.raises(LibraryError, match=said):
        changed(library, change)[NAME]


def test_a_map_that_holds_other_objects_than_the_rows_is_noticed_when_it_is_read(library, bank):
    _, instances = maps(0)
    write_map(file_of(bank.banks[0], "0.instances.png"), np.where(instances == 2001, 2005, instances))
    with pytest.raises(LibraryError, match=r"objects of street/test/a\.png: its maps hold others"):
        resealed(library, NAME)[NAME].object_map(0)


@pytest.mark.parametrize("file", ["1.parquet", "entries.parquet", "centres.parquet", "codes.json"])
@pytest.mark.parametrize("how", ["cut", "gone"])
def test_a_damaged_file_is_named(library, bank, file, how):
    path = file_of(bank.banks[0], file)
    data = path.read_bytes()
    path.unlink()
    if how == "cut":
        path.write_bytes(data[:-1])
    with pytest.raises(LibraryError, match=path.name):
        Library.open(library.folder)[NAME]


def test_a_notebook_shows_the_sources_and_says_what_a_bank_holds(library, bank):
    for shown in (bank, bank.banks[0], library):
        assert shown._repr_html_().count("data:image/") == 3
    assert "15 objects" in library._repr_html_()
    assert repr(bank.banks[0]).startswith("CodeBank('street/test', 3 sources, 15 objects, 9 centres")
    assert "CodeUnion(street/test; 3 sources, 15 entries)" in repr(bank)


def test_rows_agree_with_a_plain_count_on_any_map():
    random = np.random.default_rng(1)
    numbers = random.choice([3, 0, 26_001, 26_000, 11_999], (37, 53))
    codes = torch.from_numpy(random.normal(size=(30_000, 2)))[torch.from_numpy(numbers)].movedim(-1, 0)
    rows = rows_of(codes, torch.from_numpy(numbers))
    assert [row.number for row in rows] == sorted(set(numbers.ravel().tolist()))
    for row in rows:
        y, x = np.nonzero(numbers == row.number)
        assert isinstance(row, Row)
        assert row.box == (x.min(), y.min(), np.ptp(x) + 1, np.ptp(y) + 1)
        assert row.area == len(y) / (37 * 53 // 32)
        assert row.code.tolist() == codes[:, y[0], x[0]].tolist()
    assert rows_table(rows).num_rows == len(rows)


def test_a_large_picture_with_many_objects_is_quick(library, tmp_path, paint, given):
    height, width = 256, 512
    number = np.arange(height)[:, None] // 16 * 32 + np.arange(width) // 16
    Image.fromarray(paint(0, height, width)).save(tmp_path / "large.png")
    write_map(given["labels"] / "large.png", np.full((height, width), CAR), CLASSES)
    write_map(given["instances"] / "large.png", CAR * 1000 + number)
    bank = library.build(NAME, tmp_path / "large.png", **given)
    assert len(bank) == 512
    assert (bank.centre == -1).all()  # each 1/512 of the picture
    assert bank.centres.shape == (0, 3)
    assert bank.without([0], again=True).clusters.centres.shape == (0, 3)
    assert len(Library.open(library.folder)[NAME].centres) == 0
