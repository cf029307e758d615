"""Large photographs on the command line: shrunk first, bounded in memory, with a forecast before the work."""

import numpy as np
import pytest
from command import ktviz

import ktviz as kt
from ktviz.cli.making import kt as making
from ktviz.images import image_size, read_image, resize, resize_short_side, write_image


@pytest.fixture(scope="module")
def folder(tmp_path_factory, samples):
    folder = tmp_path_factory.mktemp("large")
    library = kt.Library.ensure(folder / "l.ktlib", settings=kt.LibrarySettings(side_px=96, stride=2))
    library.build("art/few", [samples / "art" / "impasto" / "straw-hat.jpg"], quiet=True)
    write_image(folder / "photo.png", resize(read_image(samples / "photos" / "coffee.jpg"), 240, 180))
    return folder


@pytest.fixture
def run(folder):
    """`run(command, *options)` with the photo and the library: exit code, standard output, standard error."""

    def run(command, *options):
        arguments = (folder / "photo.png", "-l", folder / "l.ktlib", "-b", "art/few", *options)
        done = ktviz(command, *arguments, check=False)
        return done.returncode, done.stdout, done.stderr

    return run


@pytest.mark.parametrize(("side", "expected"), [(96, (96, 128)), (180, (180, 240)), (1000, (180, 240))])
def test_a_photo_is_shrunk_to_a_shorter_side_and_never_enlarged(run, folder, tmp_path, side, expected):
    assert run("translate", "-o", tmp_path / "out.png", "--side", side, "-q")[0] == 0
    assert read_image(tmp_path / "out.png").shape[:2] == expected
    translator = kt.Translator.shipped(kt.Library.open(folder / "l.ktlib")["art/few"])
    photo = read_image(folder / "photo.png")
    alone = translator(resize_short_side(photo, side) if side < 180 else photo)
    assert np.array_equal(read_image(tmp_path / "out.png"), alone.image)


@pytest.mark.parametrize("command", ["translate", "audit"])
def test_what_does_not_fit_is_refused_with_the_way_out(run, tmp_path, command):
    code, _, said = run(command, "-o", tmp_path / "out", "--memory", "200MB")
    assert code == 2
    assert "within 200.0 MB" in said
    assert "Allow more memory" in said
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("command", ["translate", "audit"])
def test_a_bound_that_is_no_size_is_refused(run, tmp_path, command):
    code, _, said = run(command, "-o", tmp_path / "out", "--memory", "lots")
    assert code == 2
    assert "not a size" in said


def test_a_large_photo_is_announced_before_the_work_starts(run, tmp_path, monkeypatch):
    monkeypatch.setattr(making, "SAMPLE_PX", 48)
    code, out, said = run("translate", "-o", tmp_path / "out.png", "--memory", "8GB")
    assert code == 0
    assert "240x180 px, 638 queries: at most" in said
    assert "about" in said
    assert "queries" not in out
    assert run("translate", "-o", tmp_path / "out.png", "-q")[2] == ""


def test_a_small_photo_needs_no_forecast(run, tmp_path):
    assert run("translate", "-o", tmp_path / "out.png")[2] == ""


def test_all_retrievals_are_kept_only_where_a_trace_is_asked_for(run, folder, tmp_path):
    plain, kept = (run("translate", "-o", tmp_path / f"{n}.png", *more) for n, more in enumerate(([], ["--trace"])))
    assert plain[1].replace("0.png", "1.png") == kept[1], "the same shares"
    trace = kt.Trace.open(tmp_path / "1.parquet")
    assert trace.table.num_rows == 8 * len(trace)


@pytest.mark.parametrize("orientation", [1, 6, 8])
def test_the_size_of_a_file_is_that_of_its_pixels(tmp_path, paint, orientation):
    from PIL import Image

    exif = Image.Exif()
    exif[0x0112] = orientation
    Image.fromarray(paint(0, 40, 60)).save(tmp_path / "a.jpg", exif=exif)
    assert image_size(tmp_path / "a.jpg") == read_image(tmp_path / "a.jpg").shape[:2]
