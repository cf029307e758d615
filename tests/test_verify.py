"""Every kind of tampering with an audit is caught and named, also by somebody who can seal the manifest again."""

from __future__ import annotations

import base64
import json
import re
import shutil
from dataclasses import replace

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
import torch
from torch import nn

from ktviz.audit.audit import Audit
from ktviz.audit.fingerprint import find_runs, fingerprints, hash_rows, prefix_sums, rolling
from ktviz.audit.folder import MANIFEST, as_csv, file_list, manifest_bytes, write_table
from ktviz.audit.removal import verify_removal
from ktviz.audit.verify import verify
from ktviz.errors import AuditError, LibraryError, UnknownNameError
from ktviz.images import decode_image, encode_image, file_digest, read_image
from ktviz.library.library import Library
from ktviz.model.translator import Translator
from ktviz.trace.record import record
from ktviz.trace.trace import Trace


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


def seal(folder):
    """What a forger would do: describe the changed files in the manifest, and seal it."""
    manifest = json.loads((folder / MANIFEST).read_text())
    manifest["files"] = file_list(folder)
    manifest.pop("sha256", None)
    (folder / MANIFEST).write_bytes(manifest_bytes(manifest))


def edit_manifest(folder, change):
    manifest = json.loads((folder / MANIFEST).read_text())
    change(manifest)
    (folder / MANIFEST).write_text(json.dumps(manifest))


def change_pixel(folder, name="output", by=7):
    path = folder / "pictures" / f"{name}.png"
    pixels = read_image(path).copy()
    pixels[3, 5] = (pixels[3, 5].astype(int) + by) % 256
    path.write_bytes(encode_image(pixels, "png"))


def change_table(folder, name, change):
    path = folder / "tables" / f"{name}.parquet"
    table = change(pd.read_parquet(path))
    write_table(path, table)
    path.with_suffix(".csv").write_text(as_csv(table), encoding="utf-8")


def change_share(folder):
    def change(table):
        table.loc[0, "share"] += 0.001
        table.loc[1, "share"] -= 0.001
        return table

    change_table(folder, "sources", change)


def drop_row(folder):
    change_table(folder, "boxes", lambda table: table.drop(index=11))


def rename_creator(folder):
    change_table(folder, "sources", lambda table: table.assign(creator="Nobody"))


def change_regret(folder):
    change_table(folder, "regret", lambda table: table.assign(regret=table["regret"] + 0.01))


def change_counterfactual(folder):
    change_table(folder, "counterfactuals", lambda table: table.assign(changed_share=0.0))


def swap_pictures(folder):
    one, other = (folder / "pictures" / f"{name}.png" for name in ("output", "copied"))
    first, second = one.read_bytes(), other.read_bytes()
    one.write_bytes(second)
    other.write_bytes(first)


def change_setting(folder):
    edit_manifest(folder, lambda manifest: manifest["image"]["settings"].update(coherence=0.2))


def change_winner(folder):
    trace = Trace.open(folder / "trace.parquet")
    entry = trace.column("entry", winners=False).astype(np.int64)
    entry[80] += 1
    place = trace.table.schema.get_field_index("entry")
    table = trace.table.set_column(place, "entry", pa.array(entry))
    Trace(table, trace.about, trace.pictures).save(folder / "trace.parquet", overwrite=True)


def change_report(folder):
    path = folder / "report.html"
    path.write_text(path.read_text(encoding="utf-8").replace("art/cool/", "art/kool/"), encoding="utf-8")


def change_fingerprint(folder):
    table = pd.read_parquet(folder / "fingerprints.parquet")
    table.loc[3, "hash"] += 1
    table.to_parquet(folder / "fingerprints.parquet", index=False)


def drop_fingerprints(folder):
    table = pd.read_parquet(folder / "fingerprints.parquet")
    table[table["source"].str.contains("cool")].to_parquet(folder / "fingerprints.parquet", index=False)


def rewrite(folder, change):
    """A forger's trace: other metadata, and everything that follows from the trace made to fit."""
    trace = Trace.open(folder / "trace.parquet")
    about = json.loads(json.dumps(trace.about, default=dict))
    change(about)
    forged = Trace(trace.table, about, trace.pictures)
    forged.save(folder / "trace.parquet", overwrite=True)
    edit_manifest(folder, lambda m: m.update(trace=forged.digest))


def forge_credits(folder):
    def change(about):
        for source in about["sources"]:
            source.update(creator="Nobody", licence="none needed", sha256="0" * 64)

    rewrite(folder, change)


def forge_causal(folder):
    rewrite(folder, lambda about: about["sites"][0].update(causal=False))


def swap_thumbs(folder):
    one, other = folder / "sources" / "000.jpg", folder / "sources" / "001.jpg"
    first, second = one.read_bytes(), other.read_bytes()
    one.write_bytes(second)
    other.write_bytes(first)


def invert_report_picture(folder):
    text = (folder / "report.html").read_text(encoding="utf-8")
    first, second = re.findall(r"base64,([A-Za-z0-9+/=]+)", text)[:2]
    inverted = base64.b64encode(encode_image(255 - decode_image(base64.b64decode(second)), "jpeg")).decode()
    assert first != second
    (folder / "report.html").write_text(text.replace(second, inverted), encoding="utf-8")


def windows_lines(folder):
    data = (folder / "report.html").read_bytes()
    (folder / "report.html").write_bytes(data.replace(b"\n", b"\r\n"))


def cut_trace(folder):
    data = (folder / "trace.parquet").read_bytes()
    (folder / "trace.parquet").write_bytes(data[: len(data) // 2])


def text_for_share(folder):
    change_table(folder, "sources", lambda table: table.assign(share="much"))


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


@pytest.mark.parametrize("entries_too", [False, True])
def test_what_another_processor_rounds_otherwise_agrees(original, folder, world, model, monkeypatch, entries_too):
    """Similarities off in the last digits, and two candidates that are as good as each other swapped."""
    search = type(world.banks).search

    def rounded(self, *arguments):
        found = search(self, *arguments)
        entry, similarity = found.entry.clone(), found.similarity * (1 + 2e-7)
        if entries_too:
            gap = similarity[:, 6] - similarity[:, 7]
            close = int(gap.argmin())
            monkeypatch.setattr("ktviz.audit.differences.ROUNDING", float(gap.min()) + 1e-5)
            entry[close, [6, 7]] = entry[close, [7, 6]]
        return replace(found, entry=entry, similarity=similarity)

    monkeypatch.setattr(type(world.banks), "search", rounded)
    verdict = verify(folder, world.folder, model=model)
    assert "equal up to rounding" in verdict.checks[4], verdict.difference


def test_the_manifest_s_own_digest_binds_everything(folder, world, model):
    noted = file_digest(folder / MANIFEST)
    assert verify(folder, world.folder, model=model, sha256=noted)
    edit_manifest(folder, lambda manifest: manifest.update(made="1999-01-01"))
    seal(folder)
    assert "has SHA-256" in verify(folder, world.folder, model=model, sha256=noted).difference


def test_a_library_that_is_not_there_is_an_error_not_a_forgery(original, model, tmp_path):
    with pytest.raises(LibraryError, match="there is no library"):
        verify(original, tmp_path / "none.ktlib", model=model)


def test_an_audit_can_be_moved_and_opened_elsewhere(folder, world, model, tmp_path):
    folder.rename(tmp_path / "elsewhere")
    assert verify(tmp_path / "elsewhere", world.folder, model=model)


# The ten: a changed pixel, share, table row, source file, library byte, model weight, setting, a swapped picture, a
# deleted file, an added file.


@pytest.mark.parametrize(
    ("tamper", "named"),
    [
        (change_pixel, "pictures/output.png was changed"),
        (change_share, "tables/sources"),
        (drop_row, "tables/boxes"),
        (change_setting, "manifest.json was changed"),
        (swap_pictures, "pictures/copied.png was changed"),
        (lambda folder: (folder / "tables" / "licences.csv").unlink(), "tables/licences.csv is missing"),
        (lambda folder: (folder / "pictures" / "extra.png").write_bytes(b"x"), "pictures/extra.png was added"),
        (change_report, "report.html was changed"),
        (change_winner, "trace.parquet was changed"),
    ],
)
def test_tampering_is_caught_and_the_file_named(folder, world, model, tamper, named):
    tamper(folder)
    verdict = verify(folder, world.folder, model=model)
    assert not verdict
    assert named in verdict.difference


def test_a_changed_source_file_is_caught(original, world, model, tmp_path):
    shutil.copytree(world.pictures, tmp_path / "works")
    path = tmp_path / "works" / "warm" / "b.png"
    path.write_bytes(path.read_bytes() + b"\0")
    verdict = verify(original, world.folder, model=model, sources=tmp_path / "works")
    assert "source file b.png was changed" in verdict.difference
    path.unlink()
    verdict = verify(original, world.folder, model=model, sources=tmp_path / "works")
    assert "source file b.png is missing" in verdict.difference


@pytest.mark.parametrize("name", ["features/part-0001.safetensors", "keys.safetensors", "thumbs/0000.jpg"])
def test_a_changed_library_byte_is_caught(original, world, tmp_path, name):
    shutil.copytree(world.folder, tmp_path / "l.ktlib")
    library = Library.open(tmp_path / "l.ktlib")
    path = library.folder / library.record("art/warm").folder / name
    data = bytearray(path.read_bytes())
    data[-5] ^= 1
    path.write_bytes(data)
    verdict = verify(original, tmp_path / "l.ktlib")
    assert name in verdict.difference


def test_a_library_with_another_source_is_named(original, world, toy, tmp_path, paint, save):
    shutil.copytree(world.folder, tmp_path / "l.ktlib")
    library = Library.open(tmp_path / "l.ktlib")
    library.add("art/warm", [save(tmp_path / "new.png", paint(77))], encoder=toy, quiet=True)
    changed = Translator(library["art"], toy, Weighted())
    assert "library bank art/warm" in verify(original, library, model=changed).difference


def test_a_changed_model_weight_is_caught(original, world, toy):
    changed = Translator(world.banks, toy, Weighted(1.0 + 2e-7))
    assert "decoder" in verify(original, world.folder, model=changed).difference


@pytest.mark.parametrize(
    ("tamper", "named"),
    [
        (change_pixel, "pictures/output.png is not the output of the trace"),
        (lambda folder: change_pixel(folder, "input"), "the input of the trace"),
        (lambda folder: change_pixel(folder, "without-1-e"), "pictures/without-1-e.png, pixel (5, 3)"),
        (lambda folder: change_pixel(folder, "copied"), "pictures/copied.png, pixel (5, 3)"),
        (change_share, "tables/sources, row 0, share"),
        (drop_row, "tables/boxes: 48 rows, should be 49"),
        (rename_creator, "tables/sources, row 0, creator: Nobody"),
        (change_regret, "tables/regret, row 0, regret"),
        (change_counterfactual, "tables/counterfactuals, row 0, changed_share"),
        (change_setting, "manifest: settings"),
        (swap_pictures, "pictures/output.png is not the output of the trace"),
        (change_report, "report.html was changed, line"),
        (change_winner, "trace digest"),
        (lambda folder: edit_manifest(folder, lambda m: m.update(title="Mine")), "report.html was changed"),
        (lambda folder: edit_manifest(folder, lambda m: m.update(control=5)), "manifest: control 5, should be 0"),
        (change_fingerprint, "fingerprints.parquet: the fingerprint of"),
        (drop_fingerprints, "fingerprints.parquet: 2 sources, should be 5"),
        (forge_credits, "trace.parquet: it says of sources"),
        (forge_causal, "trace.parquet: it says of sites"),
        (swap_thumbs, "sources/000.jpg was changed"),
        (invert_report_picture, "report.html, picture 2 was changed"),
        (lambda folder: (folder / "pictures" / "evil.png").write_bytes(b"x"), "pictures/evil.png does not belong"),
        (windows_lines, "report.html was changed"),
        (lambda folder: (folder / "report.html").open("a").write("\nmore"), "report.html was changed, line"),
        (lambda folder: (folder / "tables" / "sources.csv").write_bytes(b"\xff"), "tables/sources.csv differs"),
        (lambda folder: (folder / "pictures" / "copied.png").write_bytes(b"no picture"), "copied.png"),
        (cut_trace, "trace.parquet"),
        (lambda folder: edit_manifest(folder, lambda m: m.pop("digests")), "digests"),
        (lambda folder: edit_manifest(folder, lambda m: m.update(parameters={"sample": "a"})), "cannot be read"),
        (lambda folder: edit_manifest(folder, lambda m: m.update(versions=[])), "cannot be read"),
        (text_for_share, "cannot be read"),
    ],
)
def test_a_forger_who_seals_the_manifest_again_is_caught_too(folder, world, model, tamper, named):
    tamper(folder)
    seal(folder)
    verdict = verify(folder, world.folder, model=model)
    assert not verdict
    assert named in verdict.difference


def test_a_forged_trace_with_a_forged_digest_is_caught_by_the_search(folder, world, model):
    change_winner(folder)
    edit_manifest(folder, lambda m: m.update(trace=Trace.open(folder / "trace.parquet").digest))
    seal(folder)
    assert "trace.parquet, retrieval 10: recorded entry" in verify(folder, world.folder, model=model).difference


def test_a_folder_that_is_no_audit_is_an_error_not_a_difference(world, tmp_path):
    with pytest.raises(AuditError, match="there is no manifest"):
        verify(tmp_path, world.folder)


def test_an_opened_audit_raises_at_the_first_difference(folder, world, toy, monkeypatch):
    monkeypatch.setattr("ktviz.audit.verify.Encoder.shipped", lambda: toy)
    monkeypatch.setattr("ktviz.audit.verify.Decoder.shipped", Weighted)
    assert Audit.open(folder).verify(world.folder)
    change_share(folder)
    seal(folder)
    with pytest.raises(AuditError, match="row 0, share"):
        Audit.open(folder).verify(world.folder)


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
    verdict = verify_removal(original, library, "d", model=model)
    assert verdict.ok, verdict.difference
    assert len(verdict.checks) == 5


def test_a_source_that_the_audit_left_out_already_can_be_removed(world, toy, paint, removed, tmp_path):
    """By its short name; after the removal that name means nothing any more."""
    model = Translator(world.banks, toy, Weighted())
    Audit.create(model.traced(paint(9), without=["d", 3]), model=model, top=1, sample=5).save(tmp_path / "audit")
    verdict = verify_removal(tmp_path / "audit", removed[0], "d", model=removed[1])
    assert verdict.ok, verdict.difference


def test_a_source_that_is_still_there_is_named(original, world, removed):
    verdict = verify_removal(original, world.folder, "art/cool/d.png", model=removed[1])
    assert "bank art/cool still holds d.png" in verdict.difference
    assert "d.png" in verify_removal(original, world.folder, "d.png", model=removed[1]).difference


@pytest.mark.parametrize("name", ["features/part-0000.safetensors", "keys.safetensors", "thumbs/0000.jpg"])
def test_bytes_left_behind_anywhere_in_the_folder_are_found(original, world, removed, name):
    library, model = removed
    whole = (world.folder / world.library.record("art/cool").folder / name).read_bytes()
    (library.folder / "forgotten.bin").write_bytes(b"odd" + whole[len(whole) // 3 :] + b"end")
    verdict = verify_removal(original, library, "d", model=model)
    assert "forgotten.bin still holds" in verdict.difference


def test_bytes_of_other_sources_are_no_evidence(original, world, removed):
    library, model = removed
    folder = world.folder / world.library.record("art/warm").folder
    shutil.copy(folder / "features" / "part-0001.safetensors", library.folder / "other.bin")
    assert verify_removal(original, library, "d", model=model)


def test_a_source_that_the_audit_does_not_name_is_an_error(original, world):
    with pytest.raises(UnknownNameError, match=r"known: art/cool/d\.png"):
        verify_removal(original, world.folder, "nobody")


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
