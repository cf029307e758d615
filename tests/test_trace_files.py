"""Traces on disk: what was saved comes back, small, and a file that was harmed is refused, never half-read."""

from __future__ import annotations

import base64
import io
import json
import os
import struct
import zlib

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image

import ktviz as kt
from ktviz import tables
from ktviz.errors import KtvizError, SettingError, StorageError, TraceError, TraceNotFinishedError
from ktviz.images import encode_image
from ktviz.trace import parquet
from ktviz.trace.schema import schema_of

LIMIT = 1_500_000
"""Bytes of one site of a 512x512 px trace with 8 candidates."""


@pytest.fixture(scope="module")
def trace(world, paint):
    return world.translator.traced(paint(9, 40, 48))


@pytest.fixture
def file(trace, tmp_path):
    """A trace on disk."""
    trace.save(tmp_path / "trace.parquet")
    return tmp_path / "trace.parquet"


@pytest.fixture(scope="session")
def real(tmp_path_factory, samples):
    """A photo of 512x512 px by the shipped weights and two paintings."""
    settings = kt.LibrarySettings(stride=2, side_px=256)
    library = kt.Library.ensure(tmp_path_factory.mktemp("real") / "real.ktlib", settings=settings)
    paintings = [samples / "art/impasto" / name for name in ("straw-hat.jpg", "cypress-fields.jpg")]
    library.build("art/impasto", paintings, quiet=True)
    translator = kt.Translator.shipped(library["art/impasto"])
    return translator.traced(kt.read_image(samples / "photos/astronaut.jpg"))


def rewrite(file, about=None, pictures=None, table=None):
    """The same file with other metadata, pictures or rows."""
    with pq.ParquetFile(file) as opened:
        whole, stored = opened.read(), opened.metadata.metadata
    metadata = {
        b"ktviz": json.dumps({**json.loads(stored[b"ktviz"]), **(about or {})}),
        b"ktviz.pictures": json.dumps(pictures) if pictures else stored[b"ktviz.pictures"],
    }
    pq.write_table((whole if table is None else table).replace_schema_metadata(metadata), file)


def refused(file, said):
    """Opening is refused with a word about the file and what to do."""
    with pytest.raises(TraceError, match=said) as caught:
        kt.Trace.open(file)
    assert file.name in str(caught.value)
    assert caught.value.todo


# Round trips


@pytest.mark.parametrize("which", ["input", "both", "none"])
def test_what_was_saved_comes_back(trace, tmp_path, which):
    path = tmp_path / "new/folder/trace.parquet"
    assert trace.save(path, pictures=which) is None
    back = kt.Trace.open(str(path))
    assert back.digest == trace.digest
    assert back.table.equals(trace.table)
    assert back.table.schema.equals(schema_of(trace.about["sites"]))
    assert back.about == trace.about
    assert back.picture.size == trace.picture.size
    for name in ("input", "output"):
        kept = which in ("both", name)
        assert np.array_equal(getattr(back, name), getattr(trace, name)) if kept else getattr(back, name) is None
    assert back.sources().equals(trace.sources())
    assert back.model is None
    assert back[kt.Box(4, 4, 9, 9)].digest == trace[kt.Box(4, 4, 9, 9)].digest


def test_a_trace_of_several_images_comes_back(world, paint, tmp_path):
    with kt.record(world.translator) as trace:
        world.translator.batch([paint(1, 32, 24), paint(2, 17, 40)])
    trace.save(tmp_path / "two.parquet", pictures="both")
    back = kt.Trace.open(tmp_path / "two.parquet")
    assert back.digest == trace.digest
    for number in range(2):
        assert np.array_equal(back.image(number).input, trace.image(number).input)
        assert np.array_equal(back.image(number).output, trace.image(number).output)
        assert back.image(number).sources().equals(trace.image(number).sources())


def test_a_slice_and_a_trace_with_regret_come_back(trace, tmp_path):
    for number, part in enumerate((trace[(20, 20)], trace.with_regret())):
        part.save(tmp_path / f"{number}.parquet")
        assert kt.Trace.open(tmp_path / f"{number}.parquet").digest == part.digest


def test_a_thinned_trace_says_so_after_opening(world, paint, tmp_path):
    with kt.record(world.translator, memory="20 KB", over="winners") as trace:
        world.translator(paint(9, 40, 48))
    trace.save(tmp_path / "thin.parquet")
    assert kt.Trace.open(tmp_path / "thin.parquet").thinned


def test_equal_traces_make_equal_files(trace, world, paint, tmp_path):
    trace.save(tmp_path / "one.parquet")
    world.translator.traced(paint(9, 40, 48)).save(tmp_path / "two.parquet")
    assert (tmp_path / "one.parquet").read_bytes() == (tmp_path / "two.parquet").read_bytes()


def test_any_reader_of_parquet_finds_the_rows(trace, file):
    assert (
        pq.read_table(file)
        .select(["query", "entry", "similarity"])
        .to_pandas()
        .equals(trace.to_pandas()[["query", "entry", "similarity"]])
    )
    assert pq.ParquetFile(file).metadata.row_group(0).column(0).compression == "ZSTD"


# Never overwritten, or half-written


def test_a_file_that_exists_is_kept_unless_told(trace, file):
    before = file.read_bytes()
    with pytest.raises(StorageError, match=r"it exists\. Name another, or say overwrite=True"):
        trace.save(file, pictures="none")
    assert file.read_bytes() == before
    trace.save(file, overwrite=True, pictures="none")
    assert kt.Trace.open(file).input is None


def test_a_trace_is_not_saved_over_a_folder(trace, tmp_path):
    with pytest.raises(StorageError):
        trace.save(tmp_path)
    with pytest.raises(StorageError):
        trace.save(tmp_path, overwrite=True)
    assert list(tmp_path.iterdir()) == []


def test_a_disk_that_refuses_leaves_the_old_file(trace, file, monkeypatch):
    def refuse(*_):
        raise OSError(28, "No space left on device")

    before = file.read_bytes()
    monkeypatch.setattr(pq.ParquetWriter, "write_table", refuse)
    with pytest.raises(StorageError, match="No space left"):
        trace.save(file, overwrite=True)
    assert file.read_bytes() == before
    assert [path.name for path in file.parent.iterdir()] == [file.name]


def test_unknown_pictures_are_refused(trace, tmp_path):
    with pytest.raises(SettingError, match="Choose one of input, both, none"):
        trace.save(tmp_path / "trace.parquet", pictures="all")
    assert list(tmp_path.iterdir()) == []


def test_an_unfinished_trace_is_not_saved(world, tmp_path):
    with kt.record(world.translator) as trace, pytest.raises(TraceNotFinishedError, match="has not ended"):
        trace.save(tmp_path / "trace.parquet")
    with pytest.raises(TraceNotFinishedError, match="was not run"):
        trace.save(tmp_path / "trace.parquet")
    assert list(tmp_path.iterdir()) == []


# Size


def test_a_trace_of_a_real_photo_stays_small(real, tmp_path):
    assert real.picture.size == (512, 512)
    assert real.table.num_rows == len(real.sites) * 63 * 63 * 8
    real.save(tmp_path / "real.parquet")
    assert (tmp_path / "real.parquet").stat().st_size <= len(real.sites) * LIMIT
    for name in real.sites:
        real.site(name).save(tmp_path / f"{name}.parquet")
        assert (tmp_path / f"{name}.parquet").stat().st_size <= LIMIT
    assert kt.Trace.open(tmp_path / "real.parquet").digest == real.digest


# Harmed files


def test_a_missing_file_is_said_to_be_missing(tmp_path):
    refused(tmp_path / "nothing.parquet", "no such file")


def test_a_folder_is_no_trace(tmp_path):
    refused(tmp_path, "damaged or cut short")


@pytest.mark.parametrize("part", [0, 0.01, 0.3, 0.7, 0.99, 0.9999])
def test_a_file_cut_short_is_refused(file, part):
    data = file.read_bytes()
    file.write_bytes(data[: int(len(data) * part)])
    refused(file, "damaged or cut short")


@pytest.mark.parametrize("seed", range(4))
def test_random_bytes_are_refused(tmp_path, seed):
    data = np.random.default_rng(seed).bytes(5000)
    for number, content in enumerate((data, b"PAR1" + data + b"PAR1", b"PAR1" + data + b"\x10\x00\x00\x00PAR1")):
        path = tmp_path / f"{number}.parquet"
        path.write_bytes(content)
        refused(path, "damaged or cut short")


def test_a_changed_byte_is_never_read_as_another_trace(trace, file):
    """Anywhere in the file: it is refused, or what it changed is no part of the trace."""
    data, random = file.read_bytes(), np.random.default_rng(0)
    caught = 0
    for place in random.choice(len(data), 150, replace=False):
        harmed = bytearray(data)
        harmed[place] ^= int(random.integers(1, 256))
        file.write_bytes(harmed)
        try:
            back = kt.Trace.open(file)
        except TraceError:
            caught += 1
        else:
            assert back.digest == trace.digest
            assert back.table.equals(trace.table)
            assert np.array_equal(back.input, trace.input)
    assert caught > 100


def test_a_file_that_holds_no_parquet_is_refused(tmp_path):
    path = tmp_path / "photo.parquet"
    path.write_bytes(encode_image(np.zeros((20, 20, 3), np.uint8), "png"))
    refused(path, "damaged or cut short")


def test_another_parquet_file_is_refused(tmp_path):
    pq.write_table(pa.table({"query": [1, 2]}), tmp_path / "other.parquet")
    refused(tmp_path / "other.parquet", "a Parquet file that holds something else")


def test_another_result_of_ours_is_refused(trace, tmp_path):
    stored = parquet.Stored(trace.table, {"kind": "an attribution", "schema": 1}, {})
    parquet.write(tmp_path / "other.parquet", stored, overwrite=False)
    refused(tmp_path / "other.parquet", "a Parquet file that holds an attribution. Name a file that holds a trace")


@pytest.mark.parametrize("schema", [3, 99, None, "1"])
def test_a_newer_schema_asks_for_a_newer_version(file, schema):
    rewrite(file, {"schema": schema})
    refused(file, rf"schema {schema}, newer than 2\. Upgrade ktviz")


def test_a_picture_that_was_changed_is_refused(trace, file):
    pixels = trace.input.copy()
    pixels[0, 0, 0] ^= 1
    rewrite(file, pictures={"input 0": base64.b64encode(encode_image(pixels)).decode()})
    refused(file, "its input picture does not have the digest it states")


def test_a_row_that_was_changed_is_refused(file):
    table = pq.read_table(file)
    entry = table["entry"].to_numpy().copy()
    entry[3] += 1
    place = table.schema.get_field_index("entry")
    rewrite(file, table=table.set_column(place, table.schema.field(place), pa.array(entry)))
    refused(file, "do not have the digest")


def test_a_credit_that_was_changed_is_refused(trace, file):
    sources = [{**source, "creator": "Somebody else"} for source in trace.about["sources"]]
    rewrite(file, {"sources": sources})
    refused(file, "do not have the digest")


@pytest.mark.parametrize("missing", ["entry", "similarity", "kt.query_bands"])
def test_a_file_without_a_column_is_refused(file, missing):
    rewrite(file, table=pq.read_table(file).drop_columns([missing]))
    refused(file, "do not fit together")


def test_a_column_of_another_type_is_refused(file):
    table = pq.read_table(file)
    place = table.schema.get_field_index("entry")
    rewrite(file, table=table.set_column(place, "entry", pa.array(["x"] * len(table))))
    refused(file, "do not fit together")


@pytest.mark.parametrize("metadata", [{b"ktviz": b"{"}, {b"ktviz": b"[]"}, {b"ktviz": b"null"}, {b"ktviz": b"\xff"}])
def test_metadata_that_cannot_be_read_are_refused(file, metadata):
    pq.write_table(pq.read_table(file).replace_schema_metadata(metadata), file)
    refused(file, "damaged or cut short")


@pytest.mark.parametrize("about", [{"images": 3}, {"images": [3]}, {"images": None}, {"sources": 5}, {"digest": 7}])
def test_metadata_that_make_no_sense_are_refused(file, about):
    rewrite(file, about)
    with pytest.raises(KtvizError):
        kt.Trace.open(file)


# Hostile files: sizes are looked at before anything is allocated, and nothing waits for what never ends.


def test_a_pipe_or_a_device_is_not_opened(tmp_path):
    os.mkfifo(tmp_path / "pipe.parquet")
    for path in (tmp_path / "pipe.parquet", "/dev/zero"):
        with pytest.raises(TraceError, match="a pipe or a device"):
            kt.Trace.open(path)


def test_a_small_file_of_endless_rows_is_not_read(trace, tmp_path):
    """Forty million equal rows take a few kilobytes on disk."""
    row = pa.table({"image": pa.nulls(1 << 22, pa.int32())})
    about = {**trace.about, "digest": "", "images": []}
    with pq.ParquetWriter(tmp_path / "bomb.parquet", row.schema) as file:
        for _ in range(10):
            file.write_table(row)
        file.add_key_value_metadata({parquet.METADATA: parquet.as_json(about), parquet.PICTURES: b"{}"})
    assert (tmp_path / "bomb.parquet").stat().st_size < 1e5
    with pytest.raises(TraceError, match="41,943,040 rows, at most 16,777,216"):
        kt.Trace.open(tmp_path / "bomb.parquet")


def test_a_small_file_of_a_huge_picture_is_not_read(file):
    header = b"IHDR" + struct.pack(">IIBBBBB", 20_000, 20_000, 8, 2, 0, 0, 0)
    huge = (
        b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + header + struct.pack(">II4sI", zlib.crc32(header), 0, b"IDAT", 0)
    )
    rewrite(file, pictures={"input 0": base64.b64encode(huge).decode()})
    refused(file, "20000x20000 px")


def grey(side):
    """A grey picture as it is stored; however large, it takes little room."""
    buffer = io.BytesIO()
    Image.new("L", (side, side)).save(buffer, "png")
    return base64.b64encode(buffer.getvalue()).decode()


@pytest.mark.parametrize(
    ("stored", "said"),
    [
        ({"input 0": grey(4000)}, "4000x4000 px, not 48x40"),
        ({"x": grey(16)}, "a picture 'x' that does not belong there"),
        ({"input 1": grey(16)}, "a picture 'input 1' that does not belong there"),
        ({"output 0": grey(4000)}, "4000x4000 px, not 48x40"),
    ],
)
def test_pictures_are_looked_at_before_one_of_them_is_decoded(file, monkeypatch, stored, said):
    monkeypatch.setattr(parquet, "MOST_PIXELS", 1_000_000)
    monkeypatch.setattr(Image.Image, "convert", lambda *_: pytest.fail("a picture was decoded"))
    rewrite(file, pictures=stored)
    refused(file, said)


def test_pictures_that_are_as_large_as_stated_are_too_large_all_the_same(trace, file, monkeypatch):
    monkeypatch.setattr(parquet, "MOST_PIXELS", 1_000_000)
    monkeypatch.setattr(Image.Image, "convert", lambda *_: pytest.fail("a picture was decoded"))
    canvases = trace.picture.about["canvases"]
    canvases = {**canvases, "output": {**canvases["output"], "height": 4000, "width": 4000}}
    rewrite(file, {"images": [{**trace.picture.about, "canvases": canvases}]}, {"output 0": grey(4000)})
    refused(file, r"pictures of 16,000,000 px in all, at most 1,000,000 can be")


def test_what_could_not_be_read_again_is_not_saved(trace, tmp_path, monkeypatch):
    monkeypatch.setattr(parquet, "MOST_PIXELS", 1000)
    with pytest.raises(StorageError, match=r"1,920 px in all, at most 1,000 can be\. Save it without pictures"):
        trace.save(tmp_path / "trace.parquet")
    trace.save(tmp_path / "trace.parquet", pictures="none")
    monkeypatch.setattr(parquet, "MOST_ROWS", 100)
    with pytest.raises(StorageError, match="rows, at most 100 can be"):
        trace.save(tmp_path / "rows.parquet", pictures="none")


def test_a_picture_that_another_program_would_draw_is_refused(file, monkeypatch):
    monkeypatch.setattr("PIL.EpsImagePlugin.Ghostscript", lambda *_, **__: pytest.fail("Ghostscript was started"))
    eps = b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 48 40\n%%EndComments\nshowpage\n"
    rewrite(file, pictures={"input 0": base64.b64encode(eps).decode()})
    refused(file, "not an image")


LONG = "x" * 5000


@pytest.mark.parametrize(
    ("column", "said"),
    [
        (pa.array([LONG] * 4000), r"20,000,000 bytes of text in source, at most 1,000,000"),
        (pa.array([[LONG] * 4000]), r"20,000,000 bytes of text in source"),
        (pa.array([bytes(2_000_000)]), r"2,00\d,\d+ bytes, at most 1,000,000"),
        (pa.array([[0] * 200_000]), r"200,000 values in source\S*, at most 100,000"),
    ],
)
def test_a_small_file_of_long_texts_or_lists_is_not_written_out(file, monkeypatch, column, said):
    monkeypatch.setattr(tables, "MOST_BYTES", 1_000_000)
    monkeypatch.setattr(tables, "MOST_VALUES", 100_000)
    rewrite(file, table=pa.table({"source": column}))
    assert file.stat().st_size < 200_000
    refused(file, said)


@pytest.mark.parametrize(
    "table",
    [
        pa.table({"a": ["x", "y", None, "x"], "b": [1, 2, 3, 4], "c": [["x"], None, [], ["y", None]]}),
        pa.table({"a": pa.array(["x", "y", None]).dictionary_encode(), "b": [b"1", b"1", None], "c": pa.nulls(3)}),
        pa.table({"a": pa.array([], pa.string()), "b": pa.array([], pa.dictionary(pa.int32(), pa.string()))}),
    ],
)
def test_a_table_comes_back_in_the_types_that_it_had(tmp_path, table):
    pq.write_table(table, tmp_path / "table.parquet")
    back = tables.read_rows(tmp_path / "table.parquet")
    assert back.schema.equals(table.schema)
    assert back.equals(table)


@pytest.mark.parametrize(
    "metadata", [b"[" * 100_000, b'{"kind": "a trace", "schema": 1, "schema": 1}', b'{"a": 1e999}']
)
def test_json_that_is_none_is_refused(file, metadata):
    table = pq.read_table(file).replace_schema_metadata({parquet.METADATA: metadata, parquet.PICTURES: b"{}"})
    pq.write_table(table, file)
    with pytest.raises(TraceError, match=r"nested too deeply|twice|no number"):
        kt.Trace.open(file)


@pytest.mark.parametrize(
    ("name", "value"),
    [("query", 2**31 - 1), ("query", -1), ("image", 1), ("rank", -1), ("weight", float("nan")), ("chosen", True)],
)
def test_rows_that_cannot_be_are_refused_though_the_digest_fits(trace, tmp_path, name, value):
    field, values = trace.table.schema.field(name), trace.table[name].to_pylist()
    values[1] = value  # another candidate of the first query
    column = pa.array(values, field.type)
    table = trace.table.set_column(trace.table.schema.get_field_index(name), field, column)
    trace.with_table(table).save(tmp_path / "odd.parquet")
    with pytest.raises(TraceError, match=f"{'one winner per query' if name == 'chosen' else name}: not of this trace"):
        kt.Trace.open(tmp_path / "odd.parquet")
