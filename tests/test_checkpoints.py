"""Weights that were damaged are refused by name: they would give other pixels, and no error of their own."""

import json
import os
import re
import shutil

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file
from torch import nn

from ktviz.cli.doctor import check, weights
from ktviz.errors import WeightsError
from ktviz.networks import weights as checkpoints
from ktviz.networks.weights import (
    check_archive,
    checked,
    load_weights,
    read_tensors,
    read_weights,
    save_weights,
)
from ktviz.systems.cocosnet import networks as cocosnet
from ktviz.systems.image_analogy.inverse import Inverse
from ktviz.systems.image_analogy.pyramid import Pyramid
from ktviz.systems.kt.decoder import Decoder
from ktviz.systems.kt.encoder import Encoder
from ktviz.systems.kt.packaged import WEIGHTS
from ktviz.systems.pix2pixhd import trained as pix2pixhd


class Small(nn.Module):
    """Two layers of one shape, so that their tensors can be swapped."""

    def __init__(self, seed=0):
        super().__init__()
        torch.manual_seed(seed)
        self.first, self.second = nn.Linear(20, 20), nn.Linear(20, 20)


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    path = tmp_path_factory.mktemp("weights") / "small.safetensors"
    save_weights(Small(), path, {"made": "for a test"})
    return path


def header_bytes(data):
    return 8 + int.from_bytes(data[:8], "little")


def flipped(data, offset, bit):
    return data[:offset] + bytes([data[offset] ^ bit]) + data[offset + 1 :]


def zeroed(data, start, count):
    return (data[:start] + bytes(count) + data[start + count :])[: len(data)]


def damages(data):
    body = header_bytes(data)
    offsets = [*range(body), *range(body, len(data), 31), len(data) - 1]
    yield from (flipped(data, offset, 1 << offset % 8) for offset in offsets)
    yield from (data[:end] for end in (0, 7, 8, body - 1, body, len(data) - 1))
    yield from (data + extra for extra in (b"\0", bytes(4096), data))
    yield from (zeroed(data, start, 256) for start in range(0, len(data), 256))
    yield data[:body] + data[body + 64 : body + 128] + data[body : body + 64] + data[body + 128 :]


def test_every_damage_is_refused_by_name_or_changes_no_value(file, tmp_path):
    whole, path = load_file(file), tmp_path / "damaged.safetensors"
    refusals = []
    for data in damages(file.read_bytes()):
        path.write_bytes(data)
        try:
            read = read_weights(path)
        except WeightsError as error:
            refusals.append(str(error))
        else:
            assert all(torch.equal(read[name], value.float()) for name, value in whole.items())
    assert len(refusals) > 400
    assert all(str(path) in refusal for refusal in refusals)


def test_tensors_under_another_s_name_or_with_another_type_are_refused(file, tmp_path):
    with safe_open(file, "pt") as opened:
        about = opened.metadata()
    tensors = load_file(file)
    swapped = {**tensors, "first.weight": tensors["second.weight"], "second.weight": tensors["first.weight"]}
    retyped = {**tensors, "first.bias": tensors["first.bias"].view(torch.bfloat16)}
    for number, forged in enumerate((swapped, retyped)):
        save_file(forged, tmp_path / f"{number}.safetensors", metadata=about)
        with pytest.raises(WeightsError, match=rf"{number}\.safetensors.*not those of the digest"):
            load_weights(Small(), tmp_path / f"{number}.safetensors")


@pytest.mark.parametrize("metadata", [None, {"about": "{}"}, {"about": "mine"}, {"about": "[1]"}])
def test_a_file_without_a_digest_is_refused_and_can_be_saved_with_one(tmp_path, metadata):
    decoder, path = Decoder(channels=8), tmp_path / "foreign.safetensors"
    save_file(decoder.layers.half().state_dict(), path, metadata=metadata)
    with pytest.raises(WeightsError, match=r"foreign\.safetensors.*no digest.*load the tensors yourself"):
        Decoder.load(path)
    mine = Decoder(channels=8)
    mine.layers.load_state_dict(load_file(path))
    mine.save(path)
    features = torch.rand(1, 8, 4, 4)
    assert torch.equal(Decoder.load(path)(features), mine(features))


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes here")
@pytest.mark.parametrize("name", ["pipe.safetensors", "pipe.pth"])
def test_a_pipe_is_refused_instead_of_waited_for(tmp_path, name):
    os.mkfifo(tmp_path / name)
    with pytest.raises(WeightsError, match="not a plain file"):
        Decoder.load(tmp_path / name)


@pytest.mark.parametrize("given", [None, 3, b"weights", ["a", "b"]])
@pytest.mark.parametrize(
    "use",
    [
        Encoder.load,
        Decoder.load,
        Pyramid.load,
        Inverse.load,
        cocosnet.Networks.load,
        pix2pixhd.Networks.load,
        lambda given: cocosnet.Networks.from_checkpoint(given, "ade20k"),
        lambda given: pix2pixhd.Networks.from_checkpoint(given, "label2city_512p"),
        lambda given: Encoder.shipped().save(given),
    ],
)
def test_what_is_no_path_is_refused(use, given):
    with pytest.raises(WeightsError, match=r"no path\. Say where they are"):
        use(given)


def test_an_encoder_that_was_saved_loads_with_its_digest(tmp_path):
    Encoder.shipped().save(tmp_path / "encoder.safetensors")
    assert Encoder.load(tmp_path / "encoder.safetensors").digest == Encoder.shipped().digest


@pytest.fixture
def package(tmp_path, monkeypatch):
    """A copy of the shipped weights that may be damaged, in a process that has not looked at them."""
    shutil.copytree(WEIGHTS.folder, tmp_path / "weights")
    monkeypatch.setitem(vars(WEIGHTS), "folder", tmp_path / "weights")
    checked.cache_clear()
    yield tmp_path / "weights"
    checked.cache_clear()


@pytest.mark.parametrize("name", WEIGHTS.sha256)
def test_shipped_weights_carry_their_digest_and_are_the_ones_that_were_packaged(package, name):
    assert checkpoints.read_checkpoint(WEIGHTS.path(name))[1]
    path = package / name
    checked.cache_clear()
    data = path.read_bytes()
    path.write_bytes(flipped(data, len(data) // 2, 1))
    with pytest.raises(WeightsError, match=rf"{re.escape(name)}.*not what was packaged.*Install ktviz again"):
        WEIGHTS.path(name)
    assert "not what was packaged" in check("weights", lambda: weights("kt"))["found"]
    path.unlink()
    with pytest.raises(WeightsError, match=rf"{re.escape(name)}.*no such file"):
        WEIGHTS.path(name)


def test_whole_weights_of_somebody_else_do_not_pass_for_the_shipped_ones(package):
    other = Decoder()
    other.save(package / "decoder.safetensors")
    with pytest.raises(WeightsError, match="not what was packaged"):
        Decoder.shipped()


def test_the_log_names_the_shipped_weights():
    log = json.loads((WEIGHTS.folder / "log.json").read_text())
    assert log["encoder"] == Encoder.shipped().digest
    assert log["decoder"] == WEIGHTS.sha256["decoder.safetensors"]


def test_a_checkpoint_of_pytorch_is_held_to_its_checksums(tmp_path):
    path, tensors = tmp_path / "checkpoint.pth", Small().state_dict()
    torch.save(tensors, path)
    assert read_tensors(path).keys() == tensors.keys()
    data = path.read_bytes()
    place = data.index(tensors["first.weight"].numpy().tobytes()) + 5
    path.write_bytes(flipped(data, place, 0x10))
    assert not torch.equal(torch.load(path)["first.weight"], tensors["first.weight"])  # PyTorch does not look
    with pytest.raises(WeightsError, match=r"checkpoint\.pth.*wrong checksum"):
        read_tensors(path)


def test_a_checkpoint_older_than_checksums_still_opens(tmp_path):
    torch.save(Small().state_dict(), tmp_path / "old.pth", _use_new_zipfile_serialization=False)
    check_archive(tmp_path / "old.pth")
    assert len(read_tensors(tmp_path / "old.pth")) == 4
