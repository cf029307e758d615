"""What a library says of itself: Croissant that its own reader accepts, and data cards."""

import hashlib
import json
import warnings

import mlcroissant
import pytest
import yaml
from command import ktviz

import ktviz as kt
from ktviz.errors import StorageError
from ktviz.library.export import address, plain, write_cards, write_croissant


def read(path):
    """As the reader of those who made the format has it; it refuses what is not valid."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return mlcroissant.Dataset(jsonld=str(path))


def test_the_reader_of_croissant_accepts_it_and_gives_the_sources_back(world, tmp_path):
    path = write_croissant(world.library, tmp_path / "croissant.json")
    found = read(path)
    rows = [
        {name.removeprefix("sources/"): value for name, value in record.items()} for record in found.records("sources")
    ]
    assert [row["source"] for row in rows] == world.library.sources["source"].to_pylist()
    assert [row["sha256"] for row in rows] == world.library.sources["sha256"].to_pylist()


def test_every_file_stands_in_it_with_its_digest(world, tmp_path):
    said = json.loads(write_croissant(world.library, tmp_path / "croissant.json").read_text(encoding="utf-8"))
    stated = {one["contentUrl"]: one for one in said["distribution"]}
    banks = world.library.folder / "banks"
    files = [path for path in banks.rglob("*") if path.is_file()]
    assert sorted(stated) == sorted(path.relative_to(world.library.folder).as_posix() for path in files)
    for name, one in stated.items():
        data = (world.library.folder / name).read_bytes()
        assert (one["contentSize"], one["sha256"]) == (f"{len(data)} B", hashlib.sha256(data).hexdigest())


def test_licences_are_those_of_spdx_where_that_is_certain(world, paint, tmp_path):
    library = kt.Library.create(tmp_path / "l.ktlib", world.translator.encoder)
    credits = "file,title,creator,licence\na.png,A,Ann,CC BY 4.0\nb.png,<b>|B,Bob,my own rules\n"
    (tmp_path / "credits.csv").write_text(credits, encoding="utf-8")
    for number, name in enumerate("ab"):
        kt.write_image(tmp_path / "in" / f"{name}.png", paint(number, 64, 64))
    library.build(
        "art/two", tmp_path / "in", credits=tmp_path / "credits.csv", encoder=world.translator.encoder, quiet=True
    )
    said = json.loads(write_croissant(library, tmp_path / "c.json").read_text(encoding="utf-8"))
    assert sorted(said["license"]) == ["https://spdx.org/licenses/CC-BY-4.0", "my own rules"]
    read(tmp_path / "c.json")
    (card,) = write_cards(library, tmp_path / "cards")
    text = card.read_text(encoding="utf-8")
    assert card.name == "art--two.md"
    assert r"\<b\>\|B" in text
    assert yaml.safe_load(text.split("---\n")[1])["license"] == "other"


def test_a_card_has_a_header_that_the_hub_reads(world, tmp_path):
    for card, name in zip(write_cards(world.library, tmp_path), world.library, strict=True):
        _, header, text = card.read_text(encoding="utf-8").split("---\n", 2)
        said = yaml.safe_load(header)
        assert "ktviz" in said["tags"]
        assert len(said["size_categories"]) == 1
        assert f"# {name}" in text
        assert world.library.record(name).content in text


def test_nothing_is_written_over_unasked(world, tmp_path):
    path = write_croissant(world.library, tmp_path / "c.json")
    with pytest.raises(StorageError, match="it exists"):
        write_croissant(world.library, path)
    write_croissant(world.library, path, overwrite=True)
    asked = ("library", "export", world.library.folder)
    assert ktviz(*asked, check=False).returncode == 2
    assert ktviz(*asked, "--croissant", path, check=False).returncode == 8
    done = ktviz(*asked, "--croissant", path, "--cards", tmp_path / "cards", "--overwrite")
    assert len(done.stdout.splitlines()) == 1 + len(world.library)


def test_an_empty_library_and_expressions_of_licences_are_valid(world, paint, tmp_path):
    library = kt.Library.create(tmp_path / "empty.ktlib", world.translator.encoder)
    read(write_croissant(library, tmp_path / "empty.json"))
    assert address("Apache-2.0 OR MIT") == "Apache-2.0 OR MIT"
    assert address("MIT") == "https://spdx.org/licenses/MIT"
    assert plain("http://a.b ~~s~~ &lt; @bob") == r"http\://a\.b \~\~s\~\~ \&lt; \@bob"
