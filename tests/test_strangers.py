"""What lies in the folder of a library and is not ktviz's: edits neither touch it nor follow it, and checks name it."""

import shutil

import pytest

from ktviz.errors import LibraryError
from ktviz.library.library import Library
from ktviz.library.sources import Source, Sources, check_rows, read_sources, write_sources
from ktviz.retrieval.credit import Credit


@pytest.fixture
def copy(world, tmp_path):
    """A copy of the library of the toy world, in a folder with others."""
    return shutil.copytree(world.library.folder, tmp_path / "here" / "copy.ktlib")


@pytest.fixture
def home(tmp_path):
    """Somebody's folder, with folders that hold something, and nothing."""
    folder = tmp_path / "home"
    (folder / "photos").mkdir(parents=True)
    (folder / "photos" / ".env").write_text("mine")
    (folder / "empty").mkdir()
    return folder


@pytest.fixture
def edits(toy, pictures):
    return {
        "add": lambda library: library.add("art/warm", [pictures / "cool" / "d.png"], encoder=toy, quiet=True),
        "remove": lambda library: library.remove("art/warm", ["b.png"], quiet=True),
        "rebuild": lambda library: library.rebuild(quiet=True),
    }


LINKS = ("banks/evil", "banks/art/evil", "banks/art/warm", "building", "building/parts")


@pytest.mark.parametrize("how", ["add", "remove", "rebuild", "check"])
@pytest.mark.parametrize("link", LINKS)
def test_links_within_a_library_are_refused_and_not_followed(edits, copy, home, link, how):
    before = (copy / "library.json").read_bytes()
    path = copy / link
    shutil.rmtree(path, ignore_errors=True)
    path.parent.mkdir(exist_ok=True)
    path.symlink_to(home)
    with pytest.raises(LibraryError, match=f"{link} is a link"):
        {**edits, "check": lambda library: library.check()}[how](Library.open(copy))
    assert (home / "photos" / ".env").read_text() == "mine"
    assert (home / "empty").is_dir()
    assert (copy / "library.json").read_bytes() == before


@pytest.mark.parametrize("how", ["add", "remove", "rebuild"])
def test_the_manifest_is_not_written_through_a_link(edits, copy, tmp_path, how):
    victim = tmp_path / "victim.txt"
    victim.write_text("precious")
    (copy / "library.json.part").symlink_to(victim)
    edits[how](Library.open(copy))
    assert victim.read_text() == "precious"
    assert not (copy / "library.json").is_symlink()
    Library.open(copy).check()


@pytest.mark.parametrize("how", ["add", "remove", "rebuild"])
@pytest.mark.parametrize(
    "stranger",
    [
        "banks/.DS_Store",
        "banks/art/.DS_Store",
        "banks/art/mine/notes.txt",
        "banks/art/mine/classes.csv",
        "banks/art/me@1/notes.txt",
        ".DS_Store",
    ],
)
def test_what_somebody_else_laid_beside_banks_stays_and_hinders_no_edit(edits, copy, stranger, how):
    (copy / stranger).parent.mkdir(exist_ok=True)
    (copy / stranger).write_text("mine")
    edits[how](Library.open(copy))
    assert (copy / stranger).read_text() == "mine"
    Library.open(copy).check()


def test_what_lies_among_the_files_of_a_bank_is_named_and_stays(edits, copy):
    (copy / "banks/art/warm/notes.txt").write_text("mine")
    edits["remove"](Library.open(copy))
    assert (copy / "banks/art/warm/notes.txt").read_text() == "mine"
    with pytest.raises(LibraryError, match=r"banks/art/warm/notes\.txt is not in"):
        Library.open(copy).check()


def test_of_a_bank_that_is_removed_all_goes_but_what_somebody_laid_there(copy):
    (copy / "banks/art/warm/.DS_Store").write_text("mine")
    (tables,) = (copy / "banks/art").glob("warm@*")
    (tables / "notes.txt").write_text("mine")
    Library.open(copy).remove("art/warm", quiet=True)
    left = {path.relative_to(copy / "banks/art").as_posix() for path in (copy / "banks/art").glob("warm*/*")}
    assert left == {"warm/.DS_Store", f"{tables.name}/notes.txt"}


def source(name="a.png", sha256="0" * 64, width=32, height=32):
    return Source(name, sha256, Credit(), width, height)


@pytest.mark.parametrize(
    ("sources", "told"),
    [
        ([source("a.png", "../../outside/x")], "a SHA-256 of each"),
        ([source("a.png", "A" * 64)], "a SHA-256 of each"),
        ([source(), source()], "different names"),
        ([source("b.png"), source("a.png")], "in their order"),
        ([source("")], "different names"),
        ([source(width=-5)], "a width"),
        ([source(height=1 << 40)], "a height"),
    ],
)
def test_tables_of_sources_that_there_cannot_be_are_refused(tmp_path, sources, told):
    write_sources(tmp_path, sources, [[(1, "0" * 64)] for _ in sources])
    with pytest.raises(ValueError, match=told):
        read_sources(tmp_path / "sources.parquet", Source)


def test_other_tables_of_sources_are_read(tmp_path):
    write_sources(tmp_path, [source("a"), source("b")], [[(1, "0" * 64)]] * 2)
    found = read_sources(tmp_path / "sources.parquet", Source)
    assert isinstance(found, Sources)
    check_rows(found.table)
    assert [one.name for one in found] == ["a", "b"]
