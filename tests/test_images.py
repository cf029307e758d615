"""Images of every kind come in as the same RGB, and what cannot be read says why."""

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image, ImageCms

from ktviz.errors import ImageError, StorageError
from ktviz.images import (
    as_pixels,
    file_digest,
    find_images,
    read_image,
    resize_short_side,
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


@pytest.mark.parametrize(
    ("mode", "colour", "expected"),
    [
        ("RGB", COLOUR, COLOUR),
        ("L", 90, (90, 90, 90)),
        ("1", 1, (255, 255, 255)),
        ("RGBA", (*COLOUR, 255), COLOUR),
        ("RGBA", (*COLOUR, 0), (255, 255, 255)),
        ("RGBA", (0, 0, 0, 51), (204, 204, 204)),
        ("LA", (0, 51), (204, 204, 204)),
        ("LA", (90, 255), (90, 90, 90)),
    ],
)
def test_png_of_each_mode_is_read_as_rgb_on_white(tmp_path, mode, colour, expected):
    path = saved(tmp_path, Image.new(mode, (20, 16), colour))
    pixels = read_image(path)
    assert pixels.shape == (16, 20, 3)
    assert pixels.dtype == np.uint8
    assert is_flat(pixels, expected, tolerance=1 if mode in ("RGBA", "LA") else 0)


def test_a_palette_is_expanded(tmp_path):
    image = Image.new("P", (20, 16), 1)
    image.putpalette([0, 0, 0, *COLOUR])
    assert is_flat(read_image(saved(tmp_path, image)), COLOUR)


@pytest.mark.parametrize("suffix", [".png", ".gif"])
def test_a_palettes_transparent_colour_becomes_white(tmp_path, suffix):
    image = Image.new("P", (20, 16), 1)
    image.putpalette([0, 0, 0, *COLOUR])
    image.paste(0, (0, 0, 10, 16))
    pixels = read_image(saved(tmp_path, image, suffix, transparency=0))
    assert is_flat(pixels[:, :10], (255, 255, 255))
    assert is_flat(pixels[:, 10:], COLOUR)


@pytest.mark.parametrize("suffix", [".png", ".tif", ".pgm"])
@pytest.mark.parametrize(("top", "expected"), [(65_535, 255), (250, 1)])
def test_sixteen_bit_grey_is_scaled_by_its_full_range_even_when_dark(tmp_path, suffix, top, expected):
    ramp = np.linspace(0, top, 20 * 16).astype(np.uint16).reshape(16, 20)
    pixels = read_image(saved(tmp_path, Image.fromarray(ramp), suffix))
    assert is_flat(pixels, np.round(ramp / 257)[..., None])
    assert pixels.max() == expected


def png_of_sixteen_bits(channels):
    """A 16-bit PNG, which Pillow cannot write: (path-ready bytes, its values)."""
    import struct
    import zlib

    values = np.random.default_rng(0).integers(0, 65_536, (16, 20, channels), dtype=np.uint16)
    if channels == 4:
        values[..., 3] = 65_535
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in values)
    header = struct.pack(">IIBBBBB", 20, 16, 16, {3: 2, 4: 6}[channels], 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(rows)), (b"IEND", b""))
    body = b"".join(struct.pack(">I", len(d)) + n + d + struct.pack(">I", zlib.crc32(n + d)) for n, d in chunks)
    return b"\x89PNG\r\n\x1a\n" + body, values[..., :3]


@pytest.mark.parametrize("channels", [3, 4])
def test_sixteen_bit_colour_is_scaled_to_eight(tmp_path, channels):
    data, values = png_of_sixteen_bits(channels)
    (tmp_path / "deep.png").write_bytes(data)
    assert is_flat(read_image(tmp_path / "deep.png"), values / 257, tolerance=1)


@pytest.mark.parametrize("top", [1.0, 255.0])
def test_floating_point_tiff_is_scaled_by_its_range(tmp_path, top):
    ramp = np.linspace(0, top, 20 * 16, dtype=np.float32).reshape(16, 20)
    pixels = read_image(saved(tmp_path, Image.fromarray(ramp), ".tif"))
    assert is_flat(pixels, ramp[..., None] / top * 255, tolerance=0.51)


def test_cmyk_is_converted(tmp_path):
    path = saved(tmp_path, Image.new("CMYK", (32, 32), (0, 255, 255, 0)), ".jpg", quality=95)
    red, green, blue = read_image(path)[16, 16].astype(int)
    assert red > 200
    assert max(green, blue) < 60


@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_rotation_is_applied(tmp_path, orientation):
    upright = np.zeros((16, 24, 3), np.uint8)
    upright[:8, :12] = (255, 0, 0)  # red in the top left
    undo = {
        2: Image.Transpose.FLIP_LEFT_RIGHT,
        3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM,
    }
    undo |= {5: Image.Transpose.TRANSPOSE, 6: Image.Transpose.ROTATE_90, 7: Image.Transpose.TRANSVERSE}
    undo |= {8: Image.Transpose.ROTATE_270}
    stored = Image.fromarray(upright)
    stored = stored.transpose(undo[orientation]) if orientation > 1 else stored
    exif = Image.Exif()
    exif[0x0112] = orientation
    assert np.array_equal(read_image(saved(tmp_path, stored, ".png", exif=exif)), upright)


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


def test_images_are_found_in_folders_sorted_and_hidden_ones_passed_over(tmp_path, save, paint):
    for name in ("b/2.png", "a.PNG", ".hidden/3.png", "b/.4.png"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        Image.fromarray(paint(0)).save(tmp_path / name, format="PNG")
    (tmp_path / "notes.txt").write_text("no image")
    assert [p.relative_to(tmp_path).as_posix() for p in find_images([tmp_path])] == ["a.PNG", "b/2.png"]


def test_no_image_at_all_is_an_error(tmp_path):
    with pytest.raises(ImageError, match="no image there"):
        find_images([tmp_path])
    with pytest.raises(ImageError, match="no such file or folder"):
        find_images([tmp_path / "nowhere"])


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


@pytest.mark.parametrize(
    "form",
    [
        lambda p: p,
        lambda p: p / 255,
        lambda p: (p / 255).astype(np.float32),
        lambda p: p.astype(np.uint16) * 257,
        lambda p: np.dstack((p, np.full(p.shape[:2], 255, np.uint8))),
        np.asfortranarray,
    ],
)
def test_every_usual_form_of_an_array_gives_the_same_pixels(paint, form):
    assert np.array_equal(as_pixels(form(paint(0))), paint(0))


@pytest.mark.parametrize("shape", [(20, 16), (20, 16, 1)])
def test_grey_arrays_are_repeated_over_three_channels(shape):
    pixels = as_pixels(np.full(shape, 7, np.uint8))
    assert pixels.shape == (20, 16, 3)
    assert is_flat(pixels, (7, 7, 7))


def test_transparent_arrays_are_laid_on_white():
    assert is_flat(as_pixels(np.full((16, 16, 4), (0, 0, 0, 51), np.uint8)), (204, 204, 204))


@pytest.mark.parametrize(
    ("array", "found"),
    [
        (np.zeros((3, 16, 16)), "channels last"),
        (np.zeros((16, 16, 2)), "channels last"),
        (np.zeros(16), "channels last"),
        (np.zeros((16, 16, 3), np.int64), "not uint8"),
        (np.zeros((16, 16, 3), bool), "not uint8"),
        (np.full((16, 16, 3), 255.0), "outside 0 to 1"),
        (np.full((16, 16, 3), np.nan), "not finite"),
        (np.zeros((16, 8, 3)), "8x16 px"),
        (np.array("picture.png"), "channels last"),
    ],
)
def test_other_arrays_are_refused(array, found):
    with pytest.raises(ImageError, match=found):
        as_pixels(array)


def test_embedded_colour_profiles_are_applied_or_passed_over(tmp_path, monkeypatch):
    grey = Image.new("RGB", (32, 32), (90, 60, 30))
    grey.save(tmp_path / "plain.png")
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB"))
    grey.save(tmp_path / "srgb.png", icc_profile=srgb.tobytes())
    grey.save(tmp_path / "broken.png", icc_profile=b"no profile")
    assert (read_image(tmp_path / "plain.png") == (90, 60, 30)).all()
    assert np.abs(read_image(tmp_path / "srgb.png").astype(int) - (90, 60, 30)).max() <= 1
    assert (read_image(tmp_path / "broken.png") == (90, 60, 30)).all()
    monkeypatch.setattr(ImageCms, "profileToProfile", lambda image, *profiles: image.point(lambda value: 2 * value))
    assert (read_image(tmp_path / "srgb.png") == (180, 120, 60)).all()
    assert (read_image(tmp_path / "plain.png") == (90, 60, 30)).all()


def test_a_library_among_the_pictures_is_not_read_as_pictures(tmp_path, paint):
    write_image(tmp_path / "mine.png", paint(0))
    write_image(tmp_path / "art.ktlib" / "banks" / "thumbs" / "0000.jpg", paint(1))
    assert [p.name for p in find_images([tmp_path])] == ["mine.png"]
