"""Images of every kind come in as the same RGB, and what cannot be read says why."""

import errno
import io
import os
import struct
import warnings
import zlib
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image, ImageFile

from ktviz.errors import ImageError, ImageWarning, StorageError
from ktviz.images import (
    as_pixels,
    check_names,
    decode_image,
    encode_image,
    file_digest,
    find_images,
    image_size,
    read_image,
    resize_short_side,
    shown,
    stored_size,
    summary,
    to_pixels,
    to_tensor,
    write_image,
)

COLOUR = (200, 100, 50)


def saved(tmp_path, image, suffix=".png", **options):
    path = tmp_path / f"image{suffix}"
    image.save(path, **options)
    return path


def is_flat(pixels, colour, tolerance=0):
    return bool((np.abs(pixels.astype(int) - np.array(colour)) <= tolerance).all())


def test_of_an_animation_the_first_frame_is_read(tmp_path):
    frames = [Image.new("RGB", (16, 16), c) for c in ("red", "blue")]
    path = saved(tmp_path, frames[0], ".gif", save_all=True, append_images=frames[1:])
    assert is_flat(read_image(path), (255, 0, 0))


@pytest.mark.parametrize(
    ("name", "content", "found"),
    [
        ("missing.png", None, "no such file"),
        ("empty.jpg", b"", "not an image"),
        ("text.png", b"hello", "not an image"),
    ],
)
def test_what_is_no_image_is_named_and_says_what_to_do(tmp_path, name, content, found):
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(ImageError, match=found) as caught:
        read_image(tmp_path / name)
    assert name in caught.value.asked
    assert caught.value.todo


def test_a_folder_is_no_image(tmp_path):
    with pytest.raises(ImageError, match="it is a folder"):
        read_image(tmp_path)


@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize("suffix", [".jpg", ".png", ".webp", ".tif", ".gif", ".bmp", ".ppm"])
def test_a_file_cut_short_anywhere_is_refused_or_named(tmp_path, paint, suffix):
    whole = saved(tmp_path, Image.fromarray(paint(0)), suffix).read_bytes()
    path = tmp_path / f"cut{suffix}"
    for end in [*range(0, 64, 3), *range(64, len(whole) - 64, max(1, len(whole) // 40))]:
        path.write_bytes(whole[:end])
        with pytest.raises(ImageError) as caught:
            read_image(path)
        assert f"cut{suffix}" in caught.value.asked


@pytest.mark.filterwarnings("ignore::UserWarning")  # Pillow's, about tags
@pytest.mark.parametrize("suffix", [".jpg", ".png", ".webp", ".tif", ".gif", ".bmp"])
def test_changed_bytes_never_raise_anything_but_an_image_error(tmp_path, paint, suffix):
    whole = saved(tmp_path, Image.fromarray(paint(0)), suffix).read_bytes()
    random = np.random.default_rng(0)
    path = tmp_path / f"changed{suffix}"
    outcomes = set()
    for _ in range(150):
        data = bytearray(whole)
        for place in random.integers(0, min(len(data), 700), 3):
            data[place] = random.integers(256)
        path.write_bytes(data)
        try:
            outcomes.add(read_image(path).shape[2])
        except ImageError:
            outcomes.add("refused")
    assert "refused" in outcomes


@pytest.mark.parametrize(("width", "height"), [(20_000, 16), (16, 20_000), (100, 1), (1, 100), (15, 300)])
def test_impossible_sizes_are_refused_with_the_size(tmp_path, width, height):
    path = saved(tmp_path, Image.new("RGB", (width, height)))
    with pytest.raises(ImageError, match=f"{width}x{height} px"):
        read_image(path)


def test_an_image_of_no_pixels_is_refused():
    with pytest.raises(ImageError, match="0x0 px"):
        as_pixels(np.zeros((0, 0, 3), np.uint8))


def test_scaling_a_thin_strip_never_makes_a_giant():
    with pytest.raises(ImageError, match="524288x512 px"):
        resize_short_side(np.zeros((16, 16_384, 3), np.uint8), 512)


def test_scaling_keeps_the_proportions(paint):
    assert resize_short_side(paint(0, 40, 60), 20).shape == (20, 30, 3)


def test_png_written_and_read_is_the_same(tmp_path, paint):
    write_image(tmp_path / "new" / "out.png", paint(0))
    assert np.array_equal(read_image(tmp_path / "new" / "out.png"), paint(0))


def test_writing_again_replaces_and_leaves_nothing_else(tmp_path, paint):
    for seed in (0, 1):
        write_image(tmp_path / "out.png", paint(seed))
    assert np.array_equal(read_image(tmp_path / "out.png"), paint(1))
    assert [path.name for path in tmp_path.iterdir()] == ["out.png"]


@pytest.mark.parametrize("failure", [OSError(28, "No space left on device"), KeyboardInterrupt()])
def test_a_failed_write_leaves_the_old_file_and_no_fragment(tmp_path, paint, monkeypatch, failure):
    write_image(tmp_path / "out.png", paint(0))

    def save(self, file, **options):
        Path(file).write_bytes(b"half a pict")
        raise failure

    monkeypatch.setattr(Image.Image, "save", save)
    with pytest.raises((StorageError, KeyboardInterrupt)) as caught:
        write_image(tmp_path / "out.png", paint(1))
    assert (caught.type is StorageError) == isinstance(failure, OSError)
    assert [path.name for path in tmp_path.iterdir()] == ["out.png"]
    assert np.array_equal(read_image(tmp_path / "out.png"), paint(0))


def test_an_unknown_suffix_is_refused(tmp_path, paint):
    with pytest.raises(StorageError, match=r"\.png or \.jpg"):
        write_image(tmp_path / "out.xyz", paint(0))
    assert [path.name for path in tmp_path.iterdir()] == []


def test_images_are_found_in_folders_sorted_and_others_are_passed_over_hidden_ones_without_a_word(tmp_path, paint):
    for name in ("b/2.png", "a.PNG", ".hidden/3.png", "b/.4.png", "art.ktlib/thumbs/5.png"):
        (tmp_path / name).parent.mkdir(exist_ok=True, parents=True)
        Image.fromarray(paint(0)).save(tmp_path / name, format="PNG")
    (tmp_path / "b" / "notes.txt").write_text("no image")
    (tmp_path / "raw.cr2").write_bytes(b"none that Pillow reads")
    found = find_images([tmp_path, tmp_path / "b"])
    assert found.names == {tmp_path / "a.PNG": "a.PNG", tmp_path / "b" / "2.png": "b/2.png"}
    assert found.passed_over == dict.fromkeys([tmp_path / "b" / "notes.txt", tmp_path / "raw.cr2"], "no images")
    assert summary(found.passed_over) == ["2 files (notes.txt, raw.cr2): no images"]


def test_whatever_is_not_taken_from_a_folder_is_told_with_the_reason(tmp_path, save, paint, monkeypatch):
    folder = tmp_path / "in"
    taken = [save(folder / name, paint(seed)) for seed, name in enumerate(("a.png", "deep/b.png"))]
    save(tmp_path / "works" / "c.png", paint(2))
    (folder / "file.png").symlink_to(taken[0])
    (folder / "works").symlink_to(tmp_path / "works")
    (folder / "round").symlink_to(folder)
    (folder / "gone.png").symlink_to(tmp_path / "gone.png")
    (folder / "loop.png").symlink_to(folder / "loop.png")
    os.mkfifo(folder / "pipe.png")
    (folder / "private").mkdir()
    listing = os.scandir

    def scandir(path):  # root may read what nobody may
        if str(path) == str(folder / "private"):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), path)
        return listing(path)

    monkeypatch.setattr(os, "scandir", scandir)
    found = find_images(folder)
    assert list(found.names.values()) == ["a.png", "deep/b.png", "file.png"]
    assert {path.relative_to(folder).as_posix(): why for path, why in found.passed_over.items()} == {
        "works": "link to a folder",
        "round": "link to a folder",
        "gone.png": "link to nothing",
        "loop.png": "link to nothing",
        "pipe.png": "pipe or device",
        "private": "no permission",
    }
    with pytest.raises(ImageError, match="pipe or device"):
        find_images(folder / "pipe.png")
    with pytest.raises(ImageError, match=r"no image there, but 1 file \(private\): no permission"):
        find_images(folder / "private")


READABLE = [".avif", ".jfif", ".jpe", ".jp2", ".j2k", ".tga", ".pnm", ".qoi", ".pcx", ".dib", ".ico", ".sgi", ".apng"]


@pytest.mark.parametrize("suffix", [s for s in READABLE if s in Image.registered_extensions()])
def test_every_suffix_that_pillow_reads_as_pixels_is_found_and_read(tmp_path, paint, suffix):
    path = saved(tmp_path, Image.fromarray(paint(0)), suffix)
    assert find_images(tmp_path).paths == [path]
    assert np.abs(read_image(path).astype(int) - paint(0)).mean() < 12  # some of them compress


def test_drawings_film_and_measurements_are_no_pictures(tmp_path, paint):
    paths = [saved(tmp_path, Image.fromarray(paint(0)), suffix) for suffix in (".eps", ".pdf")]
    for suffix in (".mpg", ".h5", ".fits", ".wmf", ".grib"):
        (tmp_path / f"image{suffix}").write_bytes(b"\0\0\1\xb3" * 30)
    with pytest.raises(ImageError, match=r"no image there, but 7 files \(image\.eps, "):
        find_images(tmp_path)
    with pytest.raises(ImageError, match="not an image"):  # Pillow would hand it to Ghostscript
        read_image(paths[0])


def test_no_image_at_all_is_an_error(tmp_path):
    with pytest.raises(ImageError, match="no image there"):
        find_images([tmp_path])
    with pytest.raises(ImageError, match="no such file or folder"):
        find_images([tmp_path / "nowhere"])


def test_a_name_that_is_not_utf_8_is_refused_by_name(tmp_path):
    bad = tmp_path / os.fsdecode(b"caf\xe9.png")
    with pytest.raises(ImageError, match=r"caf\\udce9\.png.*not UTF-8"):
        check_names([tmp_path / "café.png", bad])
    assert shown([bad]) == r"1 file (caf\udce9.png)"


@pytest.mark.parametrize(
    "error",
    [
        NotImplementedError(),
        struct.error("x"),
        zlib.error(),
        IndexError(),
        KeyError(1),
        RecursionError(),
        MemoryError(),
    ],
    ids=lambda error: type(error).__name__,
)
@pytest.mark.parametrize("where", ["open", "load"])
def test_whatever_a_reader_raises_is_an_image_error(tmp_path, paint, monkeypatch, error, where):
    path = saved(tmp_path, Image.fromarray(paint(0)))

    def fail(*_, **__):
        raise error

    monkeypatch.setattr(*{"open": (Image, "open"), "load": (ImageFile.ImageFile, "load")}[where], fail)
    with pytest.raises(ImageError, match=r"image\.png"):
        read_image(path)


def test_an_interrupt_is_none(tmp_path, paint, monkeypatch):
    path = saved(tmp_path, Image.fromarray(paint(0)))

    def interrupt(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(ImageFile.ImageFile, "load", interrupt)
    with pytest.raises(KeyboardInterrupt):
        read_image(path)


def test_a_dds_of_an_unknown_kind_is_refused_by_name_whatever_it_is_called(tmp_path):
    head = struct.pack("<7I", 124, 0x1007, 64, 64, 0, 0, 0) + b"\0" * 44
    head += struct.pack("<II4s5I", 32, 4, b"DX10", 0, 0, 0, 0, 0) + struct.pack("<5I", 0x1000, 0, 0, 0, 0)
    (tmp_path / "image.png").write_bytes(b"DDS " + head + struct.pack("<5I", 93, 3, 0, 1, 0))
    with pytest.raises(ImageError, match=r"image\.png.*DXGI format 93"):
        read_image(tmp_path / "image.png")


def test_pillow_s_warnings_carry_the_file_s_name(tmp_path, monkeypatch):
    path = saved(tmp_path, Image.new("RGB", (64, 64), COLOUR))
    load = ImageFile.ImageFile.load

    def loud(image):
        warnings.warn("Truncated File Read", UserWarning, stacklevel=2)
        return load(image)

    monkeypatch.setattr(ImageFile.ImageFile, "load", loud)
    with pytest.warns(ImageWarning, match=r"image\.png': Truncated File Read") as caught:
        assert is_flat(read_image(path), COLOUR)
    assert {Path(w.filename).name for w in caught} == {"test_images.py"}  # the line that asked for it


@pytest.mark.parametrize("limit", [1000, 3000, None])
def test_the_limit_of_size_is_ours_and_not_pillow_s(tmp_path, monkeypatch, limit):
    path = saved(tmp_path, Image.new("RGB", (64, 64), COLOUR))
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", limit)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert is_flat(read_image(path), COLOUR)
    assert image_size(path) == (64, 64)
    assert limit == Image.MAX_IMAGE_PIXELS


@pytest.mark.parametrize(
    ("side", "found"), [(16_384, "cut short|truncated"), (16_385, "16385x16385 px"), (40_000, "too many pixels")]
)
def test_a_picture_of_any_size_within_the_limit_is_begun(tmp_path, side, found):
    (tmp_path / "huge.pgm").write_bytes(b"P5 %d %d 255\n" % (side, side))  # a header without its pixels
    with pytest.raises(ImageError, match=found):
        read_image(tmp_path / "huge.pgm")


EPS = b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 64 48\n%%EndComments\nshowpage\n"


def test_a_stored_picture_of_a_foreign_format_is_handed_to_nobody(monkeypatch):
    monkeypatch.setattr("subprocess.check_call", lambda *_, **__: pytest.fail("another program was started"))
    monkeypatch.setattr("PIL.EpsImagePlugin.Ghostscript", lambda *_, **__: pytest.fail("Ghostscript was started"))
    for data in (EPS, b"BM" + b"\0" * 60, b"", b"text"):
        with pytest.raises(ImageError, match=r"a thumbnail.*not an image"):
            decode_image(data, asked="a thumbnail")
    with pytest.raises(ImageError, match="EPS, a format that is no picture"):
        as_pixels(Image.open(io.BytesIO(EPS)))


def test_a_stored_picture_s_size_is_known_before_it_is_decoded(paint):
    data = encode_image(paint(0, 20, 30))
    assert decode_image(data).shape == (20, 30, 3)
    assert stored_size(data, "a picture") == (20, 30)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes here")
def test_a_pipe_is_refused_and_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "pipe.png")
    with pytest.raises(ImageError, match="not a plain file"):
        read_image(tmp_path / "pipe.png")


def test_a_file_s_digest_is_sha256(tmp_path):
    (tmp_path / "x").write_bytes(b"abc")
    assert file_digest(tmp_path / "x").startswith("ba7816bf")  # FIPS 180-2, appendix B.1


def test_pixels_survive_the_way_to_a_tensor_and_back(paint):
    assert to_tensor(paint(0)).shape == (1, 3, 64, 64)
    assert np.array_equal(to_pixels(to_tensor(paint(0))), paint(0))


def test_values_beyond_the_range_are_clamped():
    assert to_pixels(torch.tensor([-1.0, 0.5, 7.0]).view(3, 1, 1).expand(3, 16, 16))[0, 0].tolist() == [
        0,
        128,
        255,
    ]
