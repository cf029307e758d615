"""Libraries of older formats open and are searched; `rebuild` makes new ones of them."""

import json

import pytest
import torch
from stored import older, open_all

from ktviz.errors import LibraryError
from ktviz.library.format import FORMAT_VERSION
from ktviz.library.kinds.patches.search import SearchSettings
from ktviz.library.library import Library
from ktviz.library.sweep import remove_written

NAMES = ("art/warm", "art/cool")


@pytest.fixture(params=[1, 2])
def old(request, world, tmp_path):
    """A copy of a library as an older format had it: keys in half precision that are not divided by norms."""
    return older(world.library, tmp_path / "old.ktlib", request.param)


@pytest.mark.parametrize("preset", ["paper", "beam", "exact"])
def test_an_older_library_finds_what_a_new_one_finds(old, world, preset):
    library = Library.open(old)
    open_all(library)
    library.check()
    for name in NAMES:
        bank, known = library.bank(name), world.library.bank(name)
        assert [source.name for source in bank.sources] == [source.name for source in known.sources]
        assert bank.thumb(0) == known.thumb(0)
        queries = bank.entries.patches(torch.arange(0, len(bank), 7))
        settings = SearchSettings(preset, candidates=1)
        assert torch.equal(bank.search(queries, settings).winner, known.search(queries, settings).winner)


def test_an_older_library_is_edited_after_it_was_converted(old, world, pictures, toy):
    library, before = Library.open(old), (old / "library.json").read_bytes()
    for edit in (
        lambda: library.remove("art/warm", "a", quiet=True),
        lambda: library.add("art/warm", [pictures / "cool"], encoder=toy, quiet=True),
        lambda: library.build("art/new", [pictures / "cool"], encoder=toy, quiet=True),
        lambda: library.rebuild("art/warm", quiet=True),
    ):
        with pytest.raises(LibraryError, match=r"format [12], and the newest is 3.*ebuild"):
            edit()
    assert (old / "library.json").read_bytes() == before
    assert library.rebuild(quiet=True) == ["art/cool", "art/warm"]
    assert json.loads((old / "library.json").read_text())["format"] == FORMAT_VERSION
    converted = Library.open(old)
    assert converted.digest == library.digest == world.library.digest
    converted.check()
    library.remove("art/warm", "a", quiet=True)
    assert not list(old.glob("banks/*/*/thumbs"))


def test_what_a_person_laid_into_an_older_bank_stays_when_the_bank_goes(old):
    bank = old / "banks/art/warm@1"
    theirs = {bank / name for name in ("notes.txt", "thumbs/notes.jpg", "thumbs/12.jpg", "own/a/b")}
    for path in theirs:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"theirs")
    remove_written(bank)
    assert {path for path in bank.glob("**/*") if path.is_file()} == theirs


def test_a_damaged_file_of_an_older_library_is_named(old):
    path = old / "banks/art/warm@1/thumbs/0001.jpg"
    data = bytearray(path.read_bytes())
    data[-9] ^= 1
    path.write_bytes(data)
    library = Library.open(old)
    with pytest.raises(LibraryError, match=r"art/warm@1/thumbs/0001\.jpg has a wrong digest"):
        library.bank("art/warm")
    with pytest.raises(LibraryError, match="wrong digest"):
        library.rebuild(quiet=True)
    assert len(Library.open(old)["art/cool"]) > 0
