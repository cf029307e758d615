"""Attributes of the pictures of a bank: read strictly, kept with each source, and the same for all of a bank."""

import json
import shutil

import pytest
from command import ktviz
from mapped import save_maps

from ktviz.errors import ImageError, LabelError, LibraryError, MissingLabelError, SettingError, SourceWarning
from ktviz.library.attributes import read_attributes
from ktviz.library.library import Library

NAME = "refs/test"
ROWS = {"a": (1, 0), "b": (0, 0), "c": (1, 1), "d": (0, 1), "e": (1, 0)}
HAS = {name: {"Hat": bool(hat), "Smile": bool(smile)} for name, (smile, hat) in ROWS.items()}


@pytest.fixture
def library(tmp_path, toy, settings):
    return Library.ensure(tmp_path / "l.ktlib", toy, settings)


def table_of(folder, rows, header="file,Smile,Hat"):
    path = folder / "attributes.csv"
    path.write_text("\n".join([header, *rows]) + "\n")
    return path


@pytest.fixture
def table(tmp_path):
    return table_of(tmp_path, [f"{name}.png,{smile},{hat}" for name, (smile, hat) in ROWS.items()])


@pytest.fixture
def bank(library, pictures, table):
    """a, b and c with their attributes."""
    return library.build(NAME, pictures / "warm", kind="pictures", attributes=table, quiet=True)


def test_attributes_outlive_their_table_and_a_move(library, bank, table, tmp_path):
    table.unlink()
    library.folder.rename(tmp_path / "moved.ktlib")
    opened = Library.open(tmp_path / "moved.ktlib")[NAME]
    assert [dict(opened.attributes(number)) for number in range(3)] == [HAS[name] for name in "abc"]
    assert opened.banks[0].attribute_names == ("Hat", "Smile")


def test_a_bank_without_attributes_is_what_it_was(library, pictures, bank):
    plain = library.build("refs/plain", pictures / "warm", kind="pictures", quiet=True)
    assert plain.banks[0].attribute_names == ()
    assert plain.attributes(0) == {}
    banks = [library.bank(name) for name in ("refs/plain", NAME)]
    assert [one.place.stated(1) for one in banks] == [banks[0].place.stated(1)] * 2
    assert banks[0].place.record.tables != banks[1].place.record.tables
    assert banks[0].place.record.content != banks[1].place.record.content


def test_adding_and_removing_is_building_from_what_remains(library, bank, pictures, table):
    before = library.record(NAME).digest
    turned = table_of(table.parent, [f"{n}.png,{hat},{smile}" for n, (smile, hat) in ROWS.items()], "file,Hat,Smile")
    library.add(NAME, pictures / "cool", attributes=turned, quiet=True)  # the order of the columns does not count
    assert dict(library[NAME].attributes(3)) == HAS["d"]
    library.remove(NAME, ["d", "e"], quiet=True)
    assert library.record(NAME).digest == before


def test_attributes_stand_beside_maps(library, pictures, table, tmp_path):
    labels = save_maps(tmp_path / "maps", ["a", "b", "c"]) / "labels"
    bank = library.build(NAME, pictures / "warm", kind="pictures", labels=labels, attributes=table, quiet=True)
    assert bank.labels(0) is not None
    assert dict(Library.open(library.folder)[NAME].attributes(0)) == HAS["a"]


def test_a_bank_takes_only_the_attributes_that_it_has(library, bank, pictures, table, tmp_path):
    cool, before = pictures / "cool", library.digest
    library.build("refs/plain", pictures / "warm", kind="pictures", quiet=True)
    with pytest.raises(LibraryError, match="its pictures have attributes, these none"):
        library.add(NAME, cool, quiet=True)
    with pytest.raises(LibraryError, match="its pictures have none, these attributes"):
        library.add("refs/plain", cool, attributes=table, quiet=True)
    other = table_of(tmp_path, ["d.png,1,1,0", "e.png,0,0,1"], "file,Smile,Hat,Old")
    with pytest.raises(LibraryError, match="these have an attribute 'Old', and its pictures do not"):
        library.add(NAME, cool, attributes=other, quiet=True)
    fewer = table_of(tmp_path, ["d.png,1", "e.png,0"], "file,Smile")
    with pytest.raises(LibraryError, match="its pictures have an attribute 'Hat', and these do not"):
        library.add(NAME, cool, attributes=fewer, quiet=True)
    with pytest.raises(SettingError, match="a bank of patches with attributes"):
        library.build("art/none", cool, attributes=table, quiet=True)
    library.remove("refs/plain", quiet=True)
    assert library.digest == before


def test_a_picture_without_a_row_is_named_before_the_work_starts(library, pictures, tmp_path):
    table = table_of(tmp_path, ["a.png,1,0", "c.png,0,1"])
    with pytest.raises(ImageError, match=r"attributes of b\.png: no row in attributes\.csv"):
        library.build(NAME, pictures / "warm", kind="pictures", attributes=table, quiet=True)
    assert NAME not in library
    with pytest.warns(match=r"attributes of b\.png"):
        bank = library.build(NAME, pictures / "warm", kind="pictures", attributes=table, skip_bad=True, quiet=True)
    assert [source.name for source in bank.sources] == ["a.png", "c.png"]


def test_a_picture_that_the_bank_holds_with_other_attributes_is_told(library, bank, pictures, tmp_path):
    other = table_of(tmp_path, ["a.png,0,0", "b.png,0,0", "c.png,1,1"])
    with pytest.warns(SourceWarning, match=r"a\.png keeps its attributes in the bank"):
        library.add(NAME, pictures / "warm", attributes=other, quiet=True)
    assert dict(library[NAME].attributes(0)) == HAS["a"]


def test_rows_find_their_pictures_as_credits_do(library, pictures, tmp_path):
    table = table_of(tmp_path, [f"{folder}/{n}.png,1,0" for folder, n in (("warm", "a"), ("cool", "d"))])
    paths = [pictures / "warm" / "a.png", pictures / "cool" / "d.png"]
    bank = library.build(NAME, paths, kind="pictures", attributes=table, quiet=True)
    assert [bank.attributes(n)["Smile"] for n in range(2)] == [True, True]


def test_columns_of_other_numbers_are_no_attributes_and_told(library, pictures, tmp_path):
    table = table_of(tmp_path, [f"{name}.png,1,0.5123" for name in "abc"], "file,Smile,shade")
    with pytest.warns(SourceWarning, match="no attributes, as they are not 0 and 1: shade"):
        bank = library.build(NAME, pictures / "warm", kind="pictures", attributes=table, quiet=True)
    assert bank.banks[0].attribute_names == ("Smile",)


@pytest.mark.parametrize(
    ("header", "rows", "said"),
    [
        ("file,Smile", ["a.png,1", "b.png,2"], "line 3: Smile is '2', neither 0 nor 1"),
        ("file,Smile", ["a.png,1", "b.png,"], "line 3: Smile is '', neither 0 nor 1"),
        ("file,Smile", ["a.png,1", ",0"], "line 3: no file is named"),
        ("file,Smile", ["a.png,yes"], "no column of 0 and 1"),
        ("file,Smile,Smile", ["a.png,1,0"], "two columns 'Smile'"),
        ("picture,Smile", ["a.png,1"], "no column `file`"),
        ("file,path,Smile", ["a.png,a.png,1"], "2 column `file`"),
        ("file,Smile", ["a.png,1,0"], "3 fields, the header has 2"),
        ("", [], "it is empty"),
    ],
)
def test_a_table_that_leaves_something_open_is_refused(tmp_path, header, rows, said):
    with pytest.raises(LabelError, match=said):
        read_attributes(table_of(tmp_path, rows, header))


def test_a_table_that_says_two_things_of_a_picture_is_refused(library, pictures, tmp_path):
    table = table_of(tmp_path, [*(f"{n}.png,1,0" for n in "abc"), "warm/a.png,0,0"])
    with pytest.raises(LabelError, match="lines 2 and 5: other attributes for one picture"):
        library.build(NAME, pictures / "warm", kind="pictures", attributes=table, quiet=True)
    twins = table_of(tmp_path, ["a.png,1,0"])
    shutil.copytree(pictures / "warm", tmp_path / "in" / "one")
    (tmp_path / "in" / "two").mkdir()
    shutil.copyfile(pictures / "cool" / "d.png", tmp_path / "in" / "two" / "a.png")
    with pytest.raises(LabelError, match=r"line 2: 'a\.png' may be several pictures"):
        library.build(NAME, tmp_path / "in", kind="pictures", attributes=twins, quiet=True)
    with pytest.raises(MissingLabelError, match="no such file"):
        read_attributes(tmp_path / "nowhere.csv")


def test_on_the_command_line(pictures, table, tmp_path):
    library = tmp_path / "cli.ktlib"
    shutil.copytree(pictures / "warm", tmp_path / "in")
    shutil.copyfile(table, tmp_path / "in" / "attributes.csv")
    given = ("--attributes", tmp_path / "in" / "attributes.csv")
    done = ktviz("library", "build", library, tmp_path / "in", "-b", NAME, "--kind", "pictures", *given)
    assert "attributes.csv" not in done.stdout + done.stderr  # it was asked for, so it was not passed over
    ktviz("library", "add", library, pictures / "cool", "-b", NAME, "--attributes", table, "-q")
    known = json.loads(ktviz("library", "info", library, "--json").stdout)["banks"][0]
    assert known["attributes"] == ["Hat", "Smile"]
    assert known["source_list"][3]["attributes"] == HAS["d"]
    assert "attributes: Hat, Smile" in ktviz("library", "info", library).stdout
