"""Every kind of tampering with an audit is caught and named, also by somebody who can seal the manifest again."""

from __future__ import annotations

import json
import os
import shutil
from dataclasses import replace

import numpy as np
import pytest
import torch
from PIL import Image, ImageFile
from stored import file_of
from torch import nn

from ktviz.audit.audit import Audit
from ktviz.audit.differences import Difference, compare_files
from ktviz.audit.fingerprint import find_runs, fingerprints, hash_rows, prefix_sums, rolling
from ktviz.audit.folder import MANIFEST, TABLES, manifest_bytes
from ktviz.audit.removal import verify_removal
from ktviz.audit.verdict import Verdict
from ktviz.audit.verify import verify
from ktviz.errors import AuditError, LibraryError, UnknownNameError
from ktviz.images import file_digest
from ktviz.library.library import Library
from ktviz.systems.kt.translator import Translator
from ktviz.trace.about import processor
from ktviz.trace.record import record


class Weighted(nn.Module):
    """The toy decoder with a weight that can be changed."""

    channels = 8

    def __init__(self, weight=1.0):
        super().__init__()
        self.weight = nn.Parameter(torch.tensor(weight), requires_grad=False)

    def forward(self, features):
        return (features[:, :3] * self.weight).repeat_interleave(4, dim=2).repeat_interleave(4, dim=3)


@pytest.fixture(scope="module")
def original(tmp_path_factory, world, toy, paint):
    """An audit, its library and its model."""
    model = Translator(world.banks, toy, Weighted())
    folder = tmp_path_factory.mktemp("original") / "audit"
    Audit.create(model.traced(paint(9)), model=model, top=2, sample=30).save(folder)
    return folder


@pytest.fixture
def folder(original, tmp_path):
    """A copy that may be tampered with."""
    shutil.copytree(original, tmp_path / "audit")
    return tmp_path / "audit"


@pytest.fixture
def model(world, toy):
    return Translator(world.banks, toy, Weighted())


def noted(folder):
    """What a careful auditor writes down."""
    return file_digest(folder / MANIFEST)


def test_an_untouched_audit_agrees(original, world, model):
    verdict = verify(original, world.folder, model=model, sources=world.pictures)
    assert verdict.ok, verdict.difference
    assert len(verdict.checks) == 11


@pytest.mark.parametrize("kept", [{"candidates": 2}, {"memory": "60 KB", "over": "winners"}], ids=["two", "winners"])
def test_audits_of_smaller_traces_agree_too(world, model, paint, tmp_path, kept):
    with record(model, **kept) as trace:
        model(paint(9))
    assert len(trace.table) < 49 * 8
    Audit.create(trace, model=model, top=1, sample=10).save(tmp_path / "audit")
    verdict = verify(tmp_path / "audit", world.folder, model=model)
    assert verdict.ok, verdict.difference


def test_audits_of_traces_with_regret_and_of_banks_in_any_order_agree_too(world, toy, paint, tmp_path):
    model = Translator(world.library.select(["art/warm", "art/cool"]), toy, Weighted())
    trace = model.traced(paint(9)).with_regret()
    Audit.create(trace, top=1, sample=10).save(tmp_path / "audit")
    verdict = verify(tmp_path / "audit", world.folder, model=model)
    assert verdict.ok, verdict.difference


@pytest.mark.parametrize("noise", [1e-7, 1e-6])
@pytest.mark.parametrize(
    "kept", [{}, {"candidates": 1}, {"memory": "60 KB", "over": "winners"}], ids=["all", "1", "winners"]
)
def test_what_another_processor_rounds_otherwise_agrees(world, model, paint, tmp_path, monkeypatch, noise, kept):
    """Features that are off in their last digits: other similarities, and now and then another winner."""
    with record(model, **kept) as trace:
        model(paint(9))
    Audit.create(trace, model=model, top=1, sample=30).save(tmp_path / "audit")
    encode, random = Translator.encode, torch.Generator().manual_seed(0)

    def rounded(self, pixels):
        features = encode(self, pixels)
        return features * (1 + noise * torch.randn(features.shape, generator=random))

    monkeypatch.setattr(Translator, "encode", rounded)
    other = Translator(world.banks, model.encoder, model.decoder)
    verdict = verify(tmp_path / "audit", world.folder, model=other)
    assert not verdict.ok  # on this very processor nothing may differ
    monkeypatch.setenv("MKL_CBWR", "ANOTHER")  # read long ago: only the name of the processor changes
    processor.cache_clear()
    verdict = verify(tmp_path / "audit", world.folder, model=other)
    processor.cache_clear()
    assert verdict.ok, verdict.difference
    assert "close calls could move" in " ".join(verdict.checks)


def test_the_manifest_s_own_digest_binds_everything(folder, world, model):
    known = noted(folder)
    assert verify(folder, world.folder, model=model, sha256=known)
    manifest = json.loads((folder / MANIFEST).read_text())
    (folder / MANIFEST).write_bytes(manifest_bytes({**manifest, "made": "1999-01-01"}))
    assert "has SHA-256" in verify(folder, world.folder, model=model, sha256=known).difference


def test_a_library_that_is_not_there_is_an_error_not_a_forgery(original, model, tmp_path):
    with pytest.raises(LibraryError, match="there is no library"):
        verify(original, tmp_path / "none.ktlib", model=model)


def test_an_audit_can_be_moved_and_opened_elsewhere(folder, world, model, tmp_path):
    folder.rename(tmp_path / "elsewhere")
    assert verify(tmp_path / "elsewhere", world.folder, model=model)


def test_a_changed_source_file_is_caught(original, world, model, tmp_path):
    shutil.copytree(world.pictures, tmp_path / "works")
    path = tmp_path / "works" / "warm" / "b.png"
    path.write_bytes(path.read_bytes() + b"\0")
    verdict = verify(original, world.folder, model=model, sources=tmp_path / "works")
    assert "source file b.png was changed" in verdict.difference
    path.unlink()
    verdict = verify(original, world.folder, model=model, sources=tmp_path / "works")
    assert "source file b.png is missing" in verdict.difference


@pytest.mark.parametrize("name", ["1.safetensors", "keys.safetensors", "0.jpg"])
def test_a_changed_library_byte_is_caught(original, world, tmp_path, name):
    shutil.copytree(world.folder, tmp_path / "l.ktlib")
    library = Library.open(tmp_path / "l.ktlib")
    path = file_of(library.bank("art/warm"), name)
    data = bytearray(path.read_bytes())
    data[-5] ^= 1
    path.write_bytes(data)
    verdict = verify(original, tmp_path / "l.ktlib")
    assert path.name in verdict.difference


def test_a_library_with_another_source_is_named(original, world, toy, tmp_path, paint, save):
    shutil.copytree(world.folder, tmp_path / "l.ktlib")
    library = Library.open(tmp_path / "l.ktlib")
    library.add("art/warm", [save(tmp_path / "new.png", paint(77))], encoder=toy, quiet=True)
    changed = Translator(library["art"], toy, Weighted())
    assert "library bank art/warm" in verify(original, library, model=changed).difference


def test_a_changed_model_weight_is_caught(original, world, toy):
    changed = Translator(world.banks, toy, Weighted(1.0 + 2e-7))
    assert "decoder" in verify(original, world.folder, model=changed).difference


def test_a_folder_that_is_no_audit_is_an_error_not_a_difference(world, tmp_path):
    with pytest.raises(AuditError, match="there is no manifest"):
        verify(tmp_path, world.folder)


def test_an_opened_audit_raises_at_the_first_difference(folder, world, toy, monkeypatch):
    monkeypatch.setattr("ktviz.systems.kt.encoder.Encoder.shipped", lambda: toy)
    monkeypatch.setattr("ktviz.systems.kt.decoder.Decoder.shipped", Weighted)
    audit = Audit.open(folder)
    assert audit.verify(world.folder)
    forged = replace(audit, thumbs=dict(zip(audit.thumbs, list(audit.thumbs.values())[::-1], strict=True)))
    with pytest.raises(AuditError, match=r"report\.html, picture 3"):
        forged.verify(world.folder)


# Removal.


@pytest.fixture
def removed(original, world, toy, tmp_path):
    """A copy of the library without d.png, and a translator for it."""
    shutil.copytree(world.folder, tmp_path / "l.ktlib")
    library = Library.open(tmp_path / "l.ktlib")
    library.remove("art/cool", ["d"], quiet=True)
    return library, Translator(library["art"], toy, Weighted())


def test_a_removed_source_is_proven_gone(original, removed):
    library, model = removed
    verdict = verify_removal(original, library, "d", model=model, sha256=noted(original))
    assert verdict.ok, verdict.difference
    assert len(verdict.checks) == 6


def test_without_the_digest_that_was_noted_a_removal_proves_nothing(original, removed):
    library, model = removed
    verdict = verify_removal(original, library, "d", model=model)
    assert not verdict
    assert "this proves nothing" in verdict.difference


def test_a_source_that_the_audit_left_out_already_can_be_removed(world, toy, paint, removed, tmp_path):
    """By its short name; after the removal that name means nothing any more."""
    model = Translator(world.banks, toy, Weighted())
    Audit.create(model.traced(paint(9), without=["d", 3]), model=model, top=1, sample=5).save(tmp_path / "audit")
    verdict = verify_removal(tmp_path / "audit", removed[0], "d", model=removed[1], sha256=noted(tmp_path / "audit"))
    assert verdict.ok, verdict.difference


def test_a_removal_is_proven_where_the_audit_left_out_all_that_is_left(world, toy, paint, removed, tmp_path):
    model = Translator(world.banks, toy, Weighted())
    trace = model.traced(paint(9), without=["a", "b", "c", "e"])
    Audit.create(trace, model=model, top=0, sample=5).save(tmp_path / "audit")
    verdict = verify_removal(tmp_path / "audit", removed[0], "d", model=removed[1], sha256=noted(tmp_path / "audit"))
    assert verdict.ok, verdict.difference
    assert "cannot be made any more with what is left" in verdict.checks[-1]
    assert "nothing would be left" in verdict.checks[-1]


def test_a_source_that_is_still_there_is_named(original, world, removed):
    verdict = verify_removal(original, world.folder, "art/cool/d.png", model=removed[1], sha256=noted(original))
    assert "bank art/cool still holds d.png" in verdict.difference
    assert (
        "d.png" in verify_removal(original, world.folder, "d.png", model=removed[1], sha256=noted(original)).difference
    )


@pytest.mark.parametrize("name", ["0.safetensors", "keys.safetensors", "0.jpg"])
def test_bytes_left_behind_anywhere_in_the_folder_are_found(original, world, removed, name):
    library, model = removed
    whole = file_of(world.library.bank("art/cool"), name).read_bytes()
    (library.folder / "forgotten.bin").write_bytes(b"odd" + whole[len(whole) // 3 :] + b"end")
    verdict = verify_removal(original, library, "d", model=model, sha256=noted(original))
    assert "forgotten.bin still holds" in verdict.difference


@pytest.mark.parametrize(
    "leave",
    [
        lambda library, world: (library.folder / "backup").symlink_to(world.folder / "banks"),
        lambda library, world: (library.folder / "old.bin").symlink_to(world.folder / "library.json"),
        lambda library, world: os.mkfifo(library.folder / "pipe"),
    ],
    ids=["a linked folder", "a linked file", "a pipe"],
)
def test_what_cannot_be_searched_proves_nothing(original, world, removed, leave):
    library, model = removed
    leave(library, world)
    verdict = verify_removal(original, library, "d", model=model, sha256=noted(original))
    assert "is no plain file" in verdict.difference


def test_another_picture_of_the_same_name_is_named(original, removed, toy, paint, save, tmp_path):
    library, model = removed
    library.add("art/cool", [save(tmp_path / "d.png", paint(77))], encoder=toy, quiet=True)
    verdict = verify_removal(original, library, "d", model=model, sha256=noted(original))
    assert "still holds a source named d.png, though of another file" in verdict.difference


def test_what_sources_of_two_banks_share_is_no_evidence(tmp_path, toy, settings, paint, save):
    """White margins are in many works."""
    library = Library.ensure(tmp_path / "l.ktlib", toy, settings)
    for bank, number in (("art/one", 1), ("art/two", 2)):
        picture = paint(number)
        picture[:24] = 255
        files = [
            save(tmp_path / bank / f"{number}.png", picture),
            save(tmp_path / bank / "more.png", paint(number + 7)),
        ]
        library.build(bank, files, encoder=toy, quiet=True)
    first, *_ = fingerprints(library["art"])
    library.remove("art/one", ["1"], quiet=True)
    for path in library.folder.rglob("*.safetensors"):
        assert first.source not in find_runs(path, [first]), path


def test_bytes_of_other_sources_are_no_evidence(original, world, removed):
    library, model = removed
    shutil.copy(file_of(world.library.bank("art/warm"), "1.safetensors"), library.folder / "other.bin")
    assert verify_removal(original, library, "d", model=model, sha256=noted(original))


def test_a_source_that_the_audit_does_not_name_is_an_error(original, world):
    with pytest.raises(UnknownNameError, match=r"known: art/cool/d\.png"):
        verify_removal(original, world.folder, "nobody", sha256=noted(original))


def test_rolling_hashes_are_those_of_the_runs_themselves():
    data = np.random.default_rng(0).integers(0, 256, 1000, dtype=np.uint8)
    rows = np.lib.stride_tricks.sliding_window_view(data, 16)
    assert np.array_equal(rolling(prefix_sums(data), 16), hash_rows(rows))


def test_runs_across_the_border_of_two_chunks_are_found(world, tmp_path, monkeypatch):
    monkeypatch.setattr("ktviz.audit.fingerprint.CHUNK", 1000)
    prints = fingerprints(world.banks)
    features = world.banks.banks[0].entries.maps[0].numpy().tobytes()
    for shift in (0, 1, 7):
        (tmp_path / "f.bin").write_bytes(b"." * (1000 - 8 + shift) + features[: 16 * 40])
        assert find_runs(tmp_path / "f.bin", prints) == {prints[0].source: "features"}


def test_a_fingerprint_cannot_be_turned_back_and_is_the_source_s_own(world):
    prints = fingerprints(world.banks)
    hashes = [{h for _, many in p.runs.values() for h in many} for p in prints]
    for n, mine in enumerate(hashes):
        assert mine
        assert not any(mine & other for m, other in enumerate(hashes) if m != n)


@pytest.mark.parametrize("suffix", [".png", ".jpg"])
def test_a_picture_of_another_size_is_not_decoded(tmp_path, monkeypatch, suffix):
    for name, side in (("recorded", 4000), ("found", 20)):
        Image.new("RGB", (side, side)).save(tmp_path / f"{name}{suffix}")
    recorded, found = (tmp_path / f"{name}{suffix}" for name in ("recorded", "found"))
    load = ImageFile.ImageFile.load

    def small(image):
        assert image.width < 4000
        return load(image)

    monkeypatch.setattr(ImageFile.ImageFile, "load", small)
    with pytest.raises(Difference, match="a picture has 4000x4000 px, not 20x20"):
        compare_files("a picture", recorded, found, same_bytes=False)


def test_a_photo_of_another_size_than_its_trace_is_not_decoded(folder):
    Image.new("RGB", (4000, 4000)).save(folder / "pictures/input.png")
    with pytest.raises(AuditError, match=r"pictures/input\.png is 4000x4000 px, not"):
        Audit.open(folder)


def test_an_audit_of_the_format_before_opens_and_is_verified_once_saved_anew(original, world, model, tmp_path):
    replace(Audit.open(original), format=3).save(tmp_path / "old")
    with pytest.raises(AuditError, match=r"format 3: up to ktviz 0\.5"):
        verify(tmp_path / "old", world.folder, model=model)
    Audit.open(tmp_path / "old").save(tmp_path / "new")
    assert verify(tmp_path / "new", world.folder, model=model)


def test_an_audit_without_tables_of_banks_and_years_is_verified_as_before(original, world, model, tmp_path):
    replace(Audit.open(original), format=4).save(tmp_path / "old")
    assert {path.stem for path in (tmp_path / "old/tables").iterdir()} == {*TABLES} - {"banks", "years"}
    assert verify(tmp_path / "old", world.folder, model=model)
    Audit.open(tmp_path / "old").save(tmp_path / "new")
    assert {path.stem for path in (tmp_path / "new/tables").iterdir()} == {*TABLES}
    assert verify(tmp_path / "new", world.folder, model=model)


def test_an_audit_cannot_pass_for_an_older_one_with_more_in_it_or_a_newer_one_with_less(
    original, world, model, tmp_path
):
    for number, name in ((4, "does not belong to the audit"), (5, "is missing")):
        folder = tmp_path / str(number)
        shutil.copytree(original, folder)
        audit = Audit.open(original)
        for table in (folder / "tables").glob("banks.*") if number == 5 else ():
            table.unlink()
        audit = replace(audit, format=number)
        (folder / "manifest.json").write_bytes(manifest_bytes(audit.manifest(folder)))
        assert verify(folder, world.folder, model=model).difference == f"tables/banks.csv {name}"


@pytest.mark.parametrize("error", [StopIteration(), KeyError("x"), ZeroDivisionError()])
def test_whatever_values_make_a_check_raise_there_is_a_verdict(error):
    def check():
        raise error

    assert f"cannot be read ({type(error).__name__}" in Verdict().run(iter([("what", check)])).difference
