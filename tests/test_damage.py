"""Damaged, foreign and impossible input: each error says what was asked, what was found and what to do."""

import errno
import os
import re
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import load_file, save_file
from stored import edit_manifest, file_of, open_all, resealed
from torch import nn

import ktviz.library.place as place_module
from ktviz.errors import ImageError, ImageWarning, KtvizError, LibraryError, TraceError, WeightsError, unknown_name
from ktviz.library.library import Library
from ktviz.systems.kt.decoder import Decoder
from ktviz.systems.kt.encoder import Encoder
from ktviz.systems.kt.translator import Translator
from ktviz.trace.trace import Trace

TABLES = ("sources.parquet", "tree.safetensors", "entries.safetensors", "keys.safetensors")
FILES = (*TABLES, "1.safetensors", "0.jpg")


def refuses(error, *words):
    """An error that has all three parts and speaks of what was found."""
    return pytest.raises(error, match=".*".join(words), check=lambda e: all((e.asked, e.found, e.todo)))


@pytest.fixture
def copy(world, tmp_path):
    return shutil.copytree(world.folder, tmp_path / "copy.ktlib")


def test_an_error_reads_as_one_sentence_and_keeps_its_parts():
    error = KtvizError("open x", "no such file", "Check the path")
    assert str(error) == "open x: no such file. Check the path."
    assert (error.asked, error.found, error.todo) == error.args


def test_an_unknown_name_without_a_near_one_lists_what_there_is():
    error = unknown_name("bank", "zzzzzz", ["art/impasto", "hdr/vivid"])
    assert "art/impasto, hdr/vivid" in str(error)
    assert "Choose one" in error.todo


def test_an_empty_folder_or_a_missing_one_is_named(build, tmp_path):
    (tmp_path / "empty").mkdir()
    with refuses(ImageError, "empty", "no image there"):
        build("x", [tmp_path / "empty"])
    with refuses(ImageError, "nowhere", "no such file or folder"):
        build("y", [tmp_path / "nowhere"])


@pytest.mark.parametrize(
    ("content", "found"), [(b"", "not an image"), (b"plain text", "not an image"), ("cut", "cut short")]
)
def test_one_unusable_picture_stops_the_build_and_the_library_stays(build, tmp_path, pictures, content, found):
    folder = shutil.copytree(pictures / "warm", tmp_path / "in")
    content = (folder / "a.png").read_bytes()[:900] if content == "cut" else content
    (folder / "bad.png").write_bytes(content)
    with refuses(ImageError, r"bad\.png", found):
        build("x", [folder])
    assert list(Library.open(tmp_path / "x.ktlib")) == []


@pytest.fixture
def mixed(tmp_path, pictures):
    """A folder of three good pictures and four that cannot be used, each in another way."""
    folder = shutil.copytree(pictures / "warm", tmp_path / "in")
    (folder / "text.png").write_bytes(b"plain text")
    (folder / "cut.png").write_bytes((folder / "a.png").read_bytes()[:-900])
    Image.fromarray(np.full((32, 32), np.nan, np.float32)).save(folder / "nan.tif")
    Image.new("RGB", (16, 16_000)).save(folder / "strip.png")
    return folder


BAD = {"text.png": "not an image", "cut.png": "cut short", "nan.tif": "not finite", "strip.png": "64x64000 px"}


@pytest.mark.parametrize("how", ["build", "add"])
def test_all_unusable_pictures_are_named_before_the_work_starts(build, pictures, mixed, toy, how, monkeypatch):
    library = build("x", [pictures / "cool"])
    monkeypatch.setattr("ktviz.library.kinds.patches.build.encode", lambda *_: pytest.fail("the work has started"))
    before = (library.folder / "library.json").read_bytes()
    name = {"build": "art/new", "add": "art/test"}[how]
    with refuses(ImageError, "4 of 7 images") as caught:
        getattr(library, how)(name, [mixed], encoder=toy, quiet=True)
    assert all(re.search(rf"{file}.*{why}", caught.value.found) for file, why in BAD.items())
    assert "--skip-bad" in caught.value.todo
    assert (library.folder / "library.json").read_bytes() == before
    assert not (library.folder / "building").exists()


@pytest.mark.parametrize("how", ["build", "add"])
def test_unusable_pictures_are_left_out_and_named_when_that_is_asked_for(build, pictures, mixed, toy, how):
    wanted = {"build": ["a.png", "b.png", "c.png"], "add": ["a.png", "b.png", "c.png", "d.png", "e.png"]}[how]
    library = build("x", [pictures / "cool"])
    name = {"build": "art/new", "add": "art/test"}[how]
    with pytest.warns(ImageWarning, match="4 of 7 images left out") as caught:
        bank = getattr(library, how)(name, [mixed], encoder=toy, skip_bad=True, quiet=True)
    assert [source.name for source in bank.sources] == wanted
    assert all(file in str(caught[0].message) for file in BAD)


def test_a_build_of_nothing_but_unusable_pictures_is_refused_whatever_was_asked_for(build, tmp_path, pictures, toy):
    library = build("x", [pictures / "cool"])
    (tmp_path / "bad.png").write_bytes(b"")
    with refuses(ImageError, r"bad\.png"):
        library.build("art/new", [tmp_path / "bad.png"], encoder=toy, skip_bad=True, quiet=True)


def test_a_file_name_that_is_not_utf_8_is_a_bad_picture(build, tmp_path, pictures, toy):
    library = build("x", [pictures / "cool"])
    folder = shutil.copytree(pictures / "warm", tmp_path / "in")
    shutil.copyfile(folder / "a.png", folder / os.fsdecode(b"caf\xe9.png"))
    with refuses(ImageError, r"caf\\udce9\.png.*not UTF-8"):
        library.build("art/new", [folder], encoder=toy, quiet=True)
    with pytest.warns(ImageWarning, match="not UTF-8"):
        assert len(library.build("art/new", [folder], encoder=toy, skip_bad=True, quiet=True).sources) == 3


def test_what_there_is_to_warn_of_a_source_is_said_once(build, tmp_path, pictures, toy):
    library = build("x", [pictures / "cool"])
    dark = np.random.default_rng(0).integers(0, 4096, (64, 64), dtype=np.uint16)
    Image.fromarray(dark).save(tmp_path / "deep.tif")
    with pytest.warns(ImageWarning) as caught:
        library.build("art/new", [tmp_path / "deep.tif"], encoder=toy, quiet=True)
    assert [str(w.message) for w in caught] == [
        f"image '{tmp_path}/deep.tif': no value above {dark.max()}: 4095 was taken for white"
    ]


@pytest.mark.parametrize("size", [(16, 20_000), (1, 300)])
def test_a_picture_of_impossible_size_stops_the_build(build, tmp_path, save, size):
    with refuses(ImageError, "px"):
        build("x", [save(tmp_path / "in" / "wide.png", np.zeros((*size, 3), np.uint8))])


def test_a_folder_that_is_no_library_is_refused(tmp_path):
    with refuses(LibraryError, "there is no library.json", "ktviz library build"):
        Library.open(tmp_path)
    with refuses(LibraryError, "there is no library.json"):
        Library.open(tmp_path / "nowhere.ktlib")


def test_a_library_of_a_newer_format_is_refused(copy):
    edit_manifest(copy, lambda data: data.update(format=4))
    with refuses(LibraryError, "format 4, newer than 3", "Upgrade"):
        Library.open(copy)


@pytest.mark.parametrize("version", [None, "1", 0, 1.5])
def test_a_library_without_a_valid_format_is_refused(copy, version):
    edit_manifest(copy, lambda data: data.update(format=version))
    with refuses(LibraryError, "format"):
        Library.open(copy)


def test_a_manifest_cut_short_anywhere_is_refused(copy):
    whole = (copy / "library.json").read_bytes()
    for end in range(0, len(whole) - 2, 97):
        (copy / "library.json").write_bytes(whole[:end])
        with refuses(LibraryError, r"library\.json is damaged"):
            Library.open(copy)


@pytest.mark.parametrize(
    "change",
    [
        lambda data: data.pop("banks"),
        lambda data: data.pop("encoder"),
        lambda data: data["settings"].update(colour="blue"),
        lambda data: data["settings"].update(side_px=3),
        lambda data: data["banks"]["art/warm"].pop("folder"),
        lambda data: data["banks"]["art/warm"].update(tables=[]),
        lambda data: data.update(banks=[]),
    ],
)
def test_a_manifest_with_other_contents_is_refused(copy, change):
    edit_manifest(copy, change)
    with pytest.raises(KtvizError):
        Library.open(copy)


@pytest.mark.parametrize(
    "change",
    [lambda data: data["banks"]["art/warm"].update(entries=9999), lambda data: data["settings"].update(seed=8)],
)
def test_a_manifest_changed_by_hand_is_refused(copy, change):
    edit_manifest(copy, change, sealed=False)
    with refuses(LibraryError, "changed by something else"):
        Library.open(copy)


def listing(change):
    return lambda data: change(data["banks"]["art/warm"]["tables"])


@pytest.mark.parametrize(
    ("change", "found"),
    [
        (lambda d: d["banks"]["art/warm"].update(tables={}), "does not list its file entries"),
        (lambda d: d["banks"]["art/warm"].pop("tables"), "bank 'art/warm' lacks 'tables'"),
        (lambda d: d["banks"]["art/warm"].update(tables=None), "tables of bank 'art/warm': no object"),
        (lambda d: d["banks"]["art/warm"].update(tables=[["keys.safetensors", 1]]), "no object"),
        (lambda d: d["banks"]["art/warm"].update(digest="0" * 64), "another digest than its tables"),
        (lambda d: d["banks"]["art/warm"].update(structure="0" * 64), "another structure than its tables"),
        (lambda d: d["banks"]["art/warm"].update(content="abc"), "does not say what its sources are"),
        (lambda d: d["banks"]["art/warm"].update(source_bytes=-1), "does not say what its sources are"),
        (lambda d: d["banks"]["art/warm"].update(of_source=[".jpg"]), r"files \['.jpg'\], which are not those"),
        (lambda d: d["banks"]["art/warm"].update(of_source=3), "the files 3, which are not those"),
        (lambda d: d["banks"]["art/warm"].update(sources=True), "True sources"),
        (lambda d: d["banks"]["art/warm"].update(sources=3.0), r"3\.0 sources"),
        (lambda d: d["banks"]["art/warm"].update(entries=0), "0 entries"),
        (lambda d: d["banks"]["art/warm"].update(entries=-1), "-1 entries"),
        (lambda d: d["banks"]["art/warm"].update(kind="clouds"), "of the kind 'clouds'"),
        (lambda d: d["banks"]["art/warm"].update(folder=["banks/art/warm@1"]), "inside the library"),
        (lambda d: d["banks"]["art/warm"].update(folder="banks/art/cool@1"), "inside the library"),
        (lambda d: d["banks"]["art/warm"].update(folder="banks/art/w\0rm@1"), "inside the library"),
        (lambda d: d["banks"]["art/warm"].update(approved=True), "'approved' that ktviz does not write"),
        (lambda d: d.update(signed_by="me"), "'signed_by' that ktviz does not write"),
        (lambda d: d.update(banks=[]), "banks: no object"),
        (lambda d: d.update(encoder=3), "encoder: no object"),
        (lambda d: d["encoder"].update(channels="8"), "no encoder is"),
        (listing(lambda tables: tables.pop("sources.parquet")), r"does not list its file sources\.parquet"),
        (listing(lambda tables: tables.update(extra=[1, "0" * 64])), "lists 'extra'"),
        (listing(lambda tables: tables.update({"keys.safetensors": [5]})), r"keys\.safetensors without size and SHA"),
        (listing(lambda tables: tables.update({"keys.safetensors": 5})), r"keys\.safetensors without size"),
        (listing(lambda tables: tables["keys.safetensors"].__setitem__(1, None)), r"keys\.safetensors without size"),
        (listing(lambda tables: tables["keys.safetensors"].__setitem__(1, "abc")), r"keys\.safetensors without size"),
        (listing(lambda tables: tables["keys.safetensors"].__setitem__(0, True)), r"keys\.safetensors without size"),
    ],
)
def test_a_manifest_that_does_not_list_every_table_is_refused_by_name(copy, change, found):
    edit_manifest(copy, change)
    with refuses(LibraryError, r"library\.json", found):
        Library.open(copy)


def test_a_key_that_stands_twice_in_a_manifest_is_refused(copy):
    text = (copy / "library.json").read_text()
    (copy / "library.json").write_text(text.replace('"banks":', '"banks": {}, "banks":', 1))
    with refuses(LibraryError, "a key stands twice"):
        Library.open(copy)


@pytest.mark.parametrize("kind", ["file", "link", "pipe"])
@pytest.mark.parametrize("where", ["banks/art/warm@1", "banks/art/warm"])
def test_a_file_that_was_added_to_a_bank_is_named(copy, kind, where):
    added = copy / where / "part-0009.safetensors"
    if kind == "file":
        added.write_bytes(b"more")
    elif kind == "link":
        added.symlink_to(copy)
    else:
        os.mkfifo(added)
    library = Library.open(copy)
    library.check("art/cool")
    with refuses(LibraryError, rf"{where}/part-0009\.safetensors is not in library\.json nor in", "Remove it"):
        library.check()


@pytest.mark.parametrize("counts", [{"entries": 9999}, {"sources": 4}])
def test_a_manifest_that_counts_otherwise_than_its_tables_is_refused(copy, counts):
    edit_manifest(copy, lambda data: data["banks"]["art/warm"].update(counts))
    with refuses(LibraryError, "not what library|entries of all leaves and sources"):
        open_all(Library.open(copy))


def test_a_source_that_cannot_be_read_is_named(world):
    with refuses(ImageError, "clear_refs"):
        world.library.add("art/warm", ["/proc/self/clear_refs"])


@pytest.mark.parametrize("path", ["/etc/passwd", "../../secret", "banks/../../secret"])
@pytest.mark.parametrize("where", ["folder", "tables"])
def test_a_manifest_that_points_outside_the_library_is_refused(copy, path, where):
    def change(data):
        bank = data["banks"]["art/warm"]
        if where == "folder":
            bank["folder"] = path
        else:
            bank["tables"][path] = bank["tables"].pop("keys.safetensors")

    edit_manifest(copy, change)
    with refuses(LibraryError, "inside the library"):
        Library.open(copy)


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("how", ["cut", "changed", "gone"])
@pytest.mark.parametrize("asked", [open_all, Library.check])
def test_a_damaged_file_is_named_when_it_is_touched_and_when_all_are_checked(copy, name, how, asked):
    path = file_of(Library.open(copy).bank("art/warm"), name)
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.unlink()
    if how != "gone":
        path.write_bytes(data[: len(data) // 2] if how == "cut" else data)
    library = Library.open(copy)
    with refuses(
        LibraryError, path.name, {"cut": "bytes, not", "changed": "wrong digest", "gone": "cannot be read"}[how]
    ):
        asked(library)
    assert len(library["art/cool"].vectors(torch.arange(9))) == 9


def test_files_are_compared_once_and_only_those_that_are_touched(copy, monkeypatch):
    compared = []
    original = place_module.file_digest
    monkeypatch.setattr(place_module, "file_digest", lambda path: compared.append(path.name) or original(path))
    bank = Library.open(copy).bank("art/warm")
    assert compared == ["sources.parquet"]
    for _ in range(2):
        bank.entries.patches(bank.entries.of_source(0)[:3])
    feature = file_of(bank, "0.safetensors").name
    assert sorted(compared) == sorted([*TABLES, feature])
    assert Library.open(copy)["art"].banks[1].picture(0).shape == (64, 64, 3)
    assert len(compared) == len(TABLES) + 3  # the other bank's sources, and a thumb


@pytest.mark.parametrize(
    ("where", "call", "name"), [(Path, "read_bytes", "library.json"), (place_module, "file_digest", "tree.safetensors")]
)
def test_what_may_not_be_read_is_not_called_damaged(copy, monkeypatch, where, call, name):
    def refused(path, *arguments):  # root may read what nobody may
        if name in str(path):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(path))
        return original(path, *arguments)

    original = getattr(where, call)
    monkeypatch.setattr(where, call, refused)
    with refuses(LibraryError, name, r"cannot be read \(Permission denied\)", "permission to read"):
        open_all(Library.open(copy))


def test_a_trace_that_may_not_be_read_is_not_called_damaged(world, paint, tmp_path, monkeypatch):
    world.translator.traced(paint(9)).save(tmp_path / "t.parquet")

    def refused(path):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(path))

    monkeypatch.setattr("ktviz.trace.parquet.pq.ParquetFile", refused)
    with refuses(TraceError, r"cannot be read \(Permission denied\)", "permission to read"):
        Trace.open(tmp_path / "t.parquet")


def rewritten(copy, name, data):
    """A file of a bank with other bytes, all digests made to fit."""
    library = Library.open(copy)
    path = file_of(library.bank("art/warm"), name)
    path.unlink()
    path.write_bytes(data)
    resealed(library, "art/warm")


@pytest.mark.parametrize("name", [name for name in FILES if name != "0.jpg"])
def test_files_that_do_not_fit_together_are_refused_even_with_right_digests(copy, name):
    path = file_of(Library.open(copy).bank("art/warm"), name)
    rewritten(copy, name, path.read_bytes()[: path.stat().st_size // 2])
    with refuses(LibraryError, "do not fit together"):
        open_all(Library.open(copy))


@pytest.mark.parametrize(
    ("column", "value", "told"),
    [
        ("y", 300, "inside their maps"),
        ("x", -1, "inside their maps"),
        ("source", 3, "sources that exist"),
        ("source", 1, "as many entries of each source"),
        ("energy", float("nan"), "finite energies"),
        ("by_source", 0, "each entry once"),
    ],
)
def test_entries_that_make_no_sense_are_found_by_a_check(copy, column, value, told, tmp_path):
    bank = Library.open(copy).bank("art/warm")
    held = {name: values.clone() for name, values in load_file(file_of(bank, "entries.safetensors")).items()}
    held[column][int(bank.entries.of_source(0)[5])] = value
    save_file(held, tmp_path / "entries.safetensors")
    rewritten(copy, "entries.safetensors", (tmp_path / "entries.safetensors").read_bytes())
    with refuses(LibraryError, "do not fit together", told):
        Library.open(copy).check()


def test_kernels_do_not_read_beyond_a_map(copy, tmp_path):
    bank = Library.open(copy).bank("art/warm")
    held = {name: values.clone() for name, values in load_file(file_of(bank, "entries.safetensors")).items()}
    held["y"][:] = 30_000
    save_file(held, tmp_path / "entries.safetensors")
    rewritten(copy, "entries.safetensors", (tmp_path / "entries.safetensors").read_bytes())
    with refuses(LibraryError, "outside their maps"):
        Library.open(copy)["art/warm"].vectors(torch.arange(3))


def test_a_damaged_bank_can_be_removed_as_the_error_says(world, copy):
    (copy / world.library.record("art/warm").folder / "keys.safetensors").unlink()
    library = Library.open(copy)
    library.remove("art/warm", quiet=True)
    assert list(Library.open(copy)) == ["art/cool"]


def test_another_encoder_is_refused_by_library_and_translator(world, copy, make_toy, toy_decoder, pictures):
    other = make_toy(seed=4)
    with refuses(LibraryError, "with encoder toy", "it was built with toy"):
        Library.open(copy).add("art/warm", [pictures / "cool"], encoder=other, quiet=True)
    with refuses(LibraryError, "it was built with"):
        Translator(world.banks, other, toy_decoder)
    with refuses(LibraryError, "it was built with"):
        Library.ensure(copy, other)


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_an_encoder_that_makes_nan_is_named(build, world, tmp_path, make_toy, pictures, paint, toy_decoder, value):
    broken = make_toy(seed=3)
    broken.layers[0].bias[2] = value
    with refuses(LibraryError, "NaN or infinite features"):
        build("x", [pictures / "warm"], encoder=broken)
    translator = Translator(world.banks, world.translator.encoder, toy_decoder)
    translator.encoder = broken
    with refuses(WeightsError, "run the encoder", "NaN"):
        translator(paint(0))


def test_features_too_large_for_the_library_are_refused(build, make_toy, pictures):
    huge = make_toy(seed=3)
    huge.layers = nn.Sequential(huge.layers[0], Times(1e6))
    with refuses(LibraryError, "NaN or infinite features"):
        build("x", [pictures / "warm"], encoder=huge)


class Times(nn.Module):
    def __init__(self, factor):
        super().__init__()
        self.factor = factor

    def forward(self, x):
        return x * self.factor


def test_a_decoder_that_makes_nan_is_named(world, paint):
    class Broken(nn.Module):
        def forward(self, features):
            return features[:, :3].repeat_interleave(4, 2).repeat_interleave(4, 3) * float("nan")

    translator = Translator(world.banks, world.translator.encoder, Broken())
    with refuses(WeightsError, "run the decoder", "NaN"):
        translator(paint(0))


@pytest.fixture(scope="module")
def checkpoints(tmp_path_factory):
    """Whole files of random weights, as `ktviz train` writes them."""
    from ktviz.networks.weights import save_weights

    folder = tmp_path_factory.mktemp("weights")
    save_weights(Encoder.student().layers, folder / "encoder.safetensors", {})
    save_weights(Decoder().layers, folder / "decoder.safetensors", {})
    return folder


@pytest.mark.parametrize(("kind", "load"), [("encoder", Encoder.load), ("decoder", Decoder.load)])
def test_weights_are_refused_when_missing_cut_short_foreign_or_nan(checkpoints, tmp_path, kind, load):
    from ktviz.networks.weights import save_weights

    whole = checkpoints / f"{kind}.safetensors"
    load(whole)
    with refuses(WeightsError, "no such file"):
        load(tmp_path / "missing.safetensors")
    cut = tmp_path / "cut.safetensors"
    for end in (0, 5, 300, whole.stat().st_size - 1):
        cut.write_bytes(whole.read_bytes()[:end])
        with refuses(WeightsError, r"cut\.safetensors", "damaged"):
            load(cut)
    with refuses(WeightsError, "another architecture"):
        load(checkpoints / ("decoder.safetensors" if kind == "encoder" else "encoder.safetensors"))
    layers = load(whole).layers
    name, tensor = next(iter(layers.state_dict().items()))
    tensor[0] = float("nan")
    save_weights(layers, tmp_path / "nan.safetensors", {})
    with refuses(WeightsError, f"NaN or infinity in {name}"):
        load(tmp_path / "nan.safetensors")


def test_a_checkpoint_never_runs_code(tmp_path):
    class Trap:
        def __reduce__(self):
            return (open, (str(tmp_path / "sprung"), "w"))

    torch.save({"features.0.weight": Trap()}, tmp_path / "trap.pth")
    with refuses(WeightsError, "not a plain state dict|damaged"):
        Encoder.vgg19(tmp_path / "trap.pth")
    assert not (tmp_path / "sprung").exists()


def test_a_file_that_goes_missing_under_an_open_library_is_named_before_it_is_built_anew(copy):
    library = Library.open(copy)
    before = (copy / "library.json").read_bytes()
    file_of(library.bank("art/warm"), "0.safetensors").unlink()
    with refuses(LibraryError, r"\.safetensors cannot be read", "Restore the file"):
        library.rebuild(quiet=True)
    assert (copy / "library.json").read_bytes() == before


def test_a_part_without_the_places_of_its_entries_is_refused(copy, tmp_path):
    path = file_of(Library.open(copy).bank("art/warm"), "0.safetensors")
    save_file({"features": load_file(path)["features"]}, tmp_path / "features.safetensors")
    rewritten(copy, "0.safetensors", (tmp_path / "features.safetensors").read_bytes())
    with refuses(LibraryError, "do not fit together", "places of the entries"):
        open_all(Library.open(copy))


@pytest.mark.parametrize("touched", [False, True])
def test_a_reader_whose_library_is_edited_is_told_to_open_it_again(copy, touched):
    reader, writer = Library.open(copy), Library.open(copy)
    bank, gone = reader["art/warm"], writer["art/warm"].source_names[0]
    if touched:
        known = bank.vectors(torch.arange(len(bank)))
    writer.remove("art/warm", gone, quiet=True)
    if touched:  # what is open stays
        assert torch.equal(bank.vectors(torch.arange(len(bank))), known)
    with refuses(LibraryError, "it was changed since it was opened", "Open it again"):
        bank.picture(0) if touched else bank.vectors(torch.arange(3))
    assert len(Library.open(copy)["art/warm"].sources) == 2
