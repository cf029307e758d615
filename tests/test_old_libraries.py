"""Libraries of older formats open, are searched, and become new ones when they are edited."""

import json
import shutil
from dataclasses import replace

import pytest
import torch
from safetensors.torch import load_file, save_file

from ktviz.library.format import FORMAT_VERSION, body_digest, record_files
from ktviz.library.kinds.patches.bands import inverse_norm
from ktviz.library.kinds.patches.search import SearchSettings
from ktviz.library.library import Library

NAMES = ("art/warm", "art/cool")


@pytest.fixture
def old(world, tmp_path):
    """A copy of a library as format 2 had it: keys in half precision that are not divided by norms."""
    folder = shutil.copytree(world.folder, tmp_path / "old.ktlib")
    library = Library.open(folder)
    data = json.loads((folder / "library.json").read_text())
    for name in NAMES:
        bank, record = library.bank(name), library.record(name)
        path = folder / record.folder / "keys.safetensors"
        stored = load_file(path)
        norm = 1 / inverse_norm(bank.entries.energy, torch.ones(4))[:, None]
        keys = (stored.pop("keys").float() * stored.pop("units") * norm).half()
        path.unlink()  # what was opened keeps its bytes
        save_file({"keys": keys, **stored}, path)
        record = replace(record, files=record_files(folder / record.folder))
        data["banks"][name] |= {
            "files": {file: list(about) for file, about in record.files.items()},
            "digest": record.digest,
        }
    data |= {"format": 2}
    (folder / "library.json").write_text(json.dumps({**data, "sha256": body_digest(data)}))
    return folder


def test_a_library_of_format_2_finds_what_a_new_one_finds(old, world):
    library = Library.open(old)
    for name in NAMES:
        bank, known = library.bank(name), world.library.bank(name)
        assert bank.keys.dtype == torch.int8
        queries = bank.entries.patches(torch.arange(0, len(bank), 7))
        beam = SearchSettings(candidates=1)
        assert torch.equal(bank.search(queries, beam, None).winner, known.search(queries, beam, None).winner)


def test_an_edit_writes_the_newest_format_and_keeps_the_other_banks(old):
    library = Library.open(old)
    kept = library.record(NAMES[1]).digest
    library.remove(NAMES[0], library.bank(NAMES[0]).sources[0].name, quiet=True)
    assert json.loads((old / "library.json").read_text())["format"] == FORMAT_VERSION
    again = Library.open(old)
    assert "units" in load_file(old / again.record(NAMES[0]).folder / "keys.safetensors")
    assert again.record(NAMES[1]).digest == kept
