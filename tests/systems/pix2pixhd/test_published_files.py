"""Files of the published code are read without running what may be in them."""

from __future__ import annotations

import os
import pickle
import struct

import numpy as np
import pytest
import torch

from ktviz.errors import MissingWeightsError, WeightsError
from ktviz.systems.pix2pixhd.published import codes_of, published_map, read_published_centres, read_published_rows

CENTRES = {0: np.arange(6.0).reshape(2, 3), 7: np.ones((1, 3)) / 3, 26: np.zeros((10, 3), np.float32)}
ROWS = {0: np.arange(1.0, 9.0).reshape(2, 4), 1: np.zeros((0, 4))}


def header(text="{'descr': '|O', 'fortran_order': False, 'shape': (), }"):
    text = text.ljust(117) + "\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text)) + text.encode()


def held(value):
    """An array as `np.save` has it, around any value."""
    array = np.empty((), object)
    array[()] = value
    return array


@pytest.fixture
def saved(tmp_path):
    """`saved(value, protocol)`: a file as `np.save` writes it; bytes stand as they are."""

    def make(value, protocol=4):
        data = value if isinstance(value, bytes) else pickle.dumps(held(value), protocol)
        (tmp_path / "file.npy").write_bytes(header() + data)
        return tmp_path / "file.npy"

    return make


def test_what_numpy_saves_is_read(tmp_path):
    np.save(tmp_path / "centres.npy", CENTRES)
    found = read_published_centres(tmp_path / "centres.npy")
    assert list(found) == [0, 7, 26]
    assert all(np.array_equal(found[label], CENTRES[label]) for label in CENTRES)
    assert found[26].dtype == np.float64
    np.save(tmp_path / "rows.npy", ROWS)
    assert read_published_rows(tmp_path / "rows.npy")[1].shape == (0, 4)


@pytest.mark.parametrize("protocol", [0, 1, 2, 3, 4])
@pytest.mark.parametrize("keys", [int, np.int64])
def test_every_protocol_is_read_and_both_names_of_numpy(saved, protocol, keys):
    data = pickle.dumps(held({keys(n): np.asfortranarray(array) for n, array in CENTRES.items()}), protocol)
    other = data.replace(b"numpy._core", b"numpy.core") if protocol < 4 else data  # later, names have a length
    for each in (data, other):
        found = read_published_centres(saved(each))
        assert all(np.array_equal(found[label], CENTRES[label]) for label in CENTRES)


def test_a_file_of_python_2_is_read(saved):
    """Bytes as 8-bit strings, integers as longs; written by hand, as no Python 2 is at hand."""
    text = b"U\x01b"  # SHORT_BINSTRING
    empty = b"cnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\nK\x00\x85" + text + b"\x87R"

    def dtype(code, order, flags):
        state = b"(K\x03U\x01" + order + b"NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xff" + flags + b"tb"
        return b"cnumpy\ndtype\nU\x02" + code + b"K\x00K\x01\x87R" + state

    numbers = np.array([[0.5, -1.0, 200.0]])
    inner = empty + b"(K\x01K\x01K\x03\x86" + dtype(b"f8", b"<", b"K\x00") + b"\x89U\x18" + numbers.tobytes() + b"tb"
    dictionary = b"}\x8a\x01\x07" + inner + b"s"
    outer = b"\x80\x02" + empty + b"(K\x01)" + dtype(b"O8", b"|", b"K?") + b"\x89](" + dictionary + b"etb."
    found = read_published_centres(saved(outer))
    assert found[7].tolist() == numbers.tolist()


def test_both_byte_orders_and_whole_numbers_are_read(saved):
    arrays = {0: np.array([[1.5, 2.0]], ">f8"), 1: np.array([[3, 4]], "<i4"), 2: np.array([[5, 6]], np.uint8)}
    found = read_published_centres(saved(arrays))
    assert [found[n].tolist() for n in range(3)] == [[[1.5, 2.0]], [[3.0, 4.0]], [[5.0, 6.0]]]


class Runs:
    """What runs a program when it is read."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return os.system, (f"touch {self.path}",)


@pytest.mark.parametrize("protocol", [0, 2, 4])
def test_a_file_that_runs_a_program_is_refused_and_nothing_is_run(saved, tmp_path, protocol):
    for value in ({0: CENTRES[0], 1: Runs(tmp_path / "ran")}, Runs(tmp_path / "ran")):
        path = saved(pickle.dumps(held(value), protocol))
        with pytest.raises(WeightsError, match=r"it names \w+\.system, which may be a program; nothing of it was run"):
            read_published_centres(path)
        assert not (tmp_path / "ran").exists()
    np.load(path, allow_pickle=True)  # it would have
    assert (tmp_path / "ran").exists()


@pytest.mark.parametrize(
    "name",
    [
        b"builtins\neval", b"builtins\ngetattr", b"numpy\nload", b"numpy.core.multiarray\nfromfile",
        b"copyreg\n_reconstructor",
        b"numpy.testing._private.utils\nruncmd", b"numpy\nndarray.tofile", b"torch\nload", b"__builtin__\nexec",
    ],
)  # fmt: skip
def test_no_other_name_means_anything(saved, name):
    with pytest.raises(WeightsError, match="which may be a program"):
        read_published_centres(saved(b"\x80\x02c" + name + b"\n."))


@pytest.mark.parametrize(
    "data",
    [
        b"", b".", b"\x80\x02", b"\x80\x02N.", b"\x80\x02}.", b"\x80\x02]q\x00h\x00a.", b"\x80\x04\x95" + b"\xff" * 8,
        b"\x80\x02cnumpy\nndarray\n)R.", b"\x80\x02cnumpy\nndarray\n)R}b.", b"\x80\x02cnumpy\nndarray\n}b.",
        b"\x80\x02c_codecs\nencode\nX\x01\x00\x00\x00aX\x03\x00\x00\x00rot\x86R.",
        b"\x80\x05\x96" + b"\xff" * 7 + b"\x0f.", b"\x80\x02r\xff\xff\xff\xff.", b"\x80\x02}r\xff\xff\xff\xff.",
        b"\x80\x02\x8b\xff\xff\xff\x7f.", b"\x80\x02\x82\x01.", b"\x80\x02P1\n.", b"\x80\x02" + b"(" * 100_000 + b".",
    ],
)  # fmt: skip
def test_broken_pickles_are_refused_without_taking_memory(saved, data):
    with pytest.raises(WeightsError):
        read_published_centres(saved(data))


def test_text_that_is_made_larger_again_and_again_is_refused(saved):
    text = b"X" + struct.pack("<I", 1000) + b"a" * 1000 + b"q\x00"
    again = b"c_codecs\nencode\nq\x01" + b"h\x01h\x00X\x06\x00\x00\x00latin1\x86R" * 50
    with pytest.raises(WeightsError, match="more bytes than the file has"):
        read_published_centres(saved(b"\x80\x02" + text + again + b"."))


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ([1, 2], "no dictionary"),
        ({"sky": np.ones((1, 3))}, "not a class with an array"),
        ({True: np.ones((1, 3))}, "not a class with an array"),
        ({0: [1.0, 2.0]}, "not a class with an array"),
        ({0: np.array([["a"]])}, "not numbers"),
        ({0: np.array([[None]])}, "not numbers|damaged"),
        ({0: np.ones((1, 3), complex)}, "not numbers"),
        ({0: np.ones(3)}, "of one width"),
        ({0: np.ones((1, 3)), 1: np.ones((1, 4))}, "of one width"),
        ({0: np.ones((2, 0))}, "of one width"),
        ({}, "no table"),
        ({-1: np.ones((1, 3))}, "class -1"),
        ({0: np.ones((1, 3)), 3: np.full((2, 3), np.nan)}, "NaN or infinity in class 3"),
        ({0: np.ones((0, 3))}, "class 0 without a centre"),
    ],
)
def test_anything_else_is_refused_by_what_it_is(saved, value, said):
    with pytest.raises(WeightsError, match=said):
        read_published_centres(saved(value))


def test_rows_without_an_area_are_refused(saved):
    with pytest.raises(WeightsError, match="class 1 without an area"):
        read_published_rows(saved({0: np.ones((1, 4)), 1: np.zeros((1, 4))}))


def test_other_files_are_refused(tmp_path, monkeypatch):
    with pytest.raises(MissingWeightsError):
        read_published_rows(tmp_path / "none.npy")
    with pytest.raises(WeightsError, match="folder"):
        read_published_rows(tmp_path)
    np.save(tmp_path / "plain.npy", np.ones((2, 3)))
    with pytest.raises(WeightsError, match="an array of"):
        read_published_rows(tmp_path / "plain.npy")
    (tmp_path / "text.npy").write_text("no array at all")
    with pytest.raises(WeightsError, match="damaged"):
        read_published_rows(tmp_path / "text.npy")
    np.save(tmp_path / "rows.npy", ROWS)
    monkeypatch.setattr("ktviz.systems.pix2pixhd.published.MOST_BYTES", 100)
    with pytest.raises(WeightsError, match="at most 100"):
        read_published_rows(tmp_path / "rows.npy")


def test_feature_maps_are_written_as_published(shared):
    with np.load(shared / "parity" / "pix2pixhd_reference.npz") as file:
        codes, expected = file["mid/E_instance_mean"], file["out/precomputed_u8"]
    for mine, theirs in zip(codes, expected, strict=True):
        found = published_map(torch.from_numpy(mine))
        assert np.array_equal(found, theirs)
        again = codes_of(found)[:, ::2, ::2]
        assert float((again - torch.from_numpy(mine)).abs().max()) <= 2 / 255
        assert np.array_equal(codes_of(theirs).numpy(), ((theirs / np.float32(255)) - 0.5).transpose(2, 0, 1) / 0.5)
