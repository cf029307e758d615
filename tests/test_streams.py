"""The command line among other programs: pipes, JSON, streams that cannot show every character."""

import io
import json
import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

import ktviz as kt
from ktviz.cli import console, streams
from ktviz.cli.main import main
from ktviz.errors import ImageError
from ktviz.images import decode_image, resize
from ktviz.library.format import LibrarySettings
from ktviz.printing import printable

SAMPLES = Path(__file__).parent.parent / "sample_data"
MODULE = (sys.executable, "-m", "ktviz")


class Stream(io.TextIOWrapper):
    """A standard stream whose bytes can be looked at."""

    def __init__(self, data=b"", encoding="utf-8"):
        super().__init__(io.BytesIO(data), encoding=encoding, newline="")

    @property
    def bytes(self):
        self.flush()
        return self.buffer.getvalue()

    @property
    def text(self):
        return self.bytes.decode(self.encoding)


@pytest.fixture
def run(monkeypatch):
    """`run(arguments, stdin, encoding)`: exit code, standard output, standard error."""
    monkeypatch.setattr("signal.signal", lambda *_: None)
    monkeypatch.setattr("ktviz.cli.main.flush_what_is_read", lambda: None)

    def call(*arguments, stdin=b"", encoding="utf-8"):
        streams = Stream(stdin), Stream(encoding=encoding), Stream(encoding=encoding)
        for name, stream in zip(("stdin", "stdout", "stderr"), streams, strict=True):
            monkeypatch.setattr(sys, name, stream)
        monkeypatch.setattr(sys, "argv", ["ktviz", *map(str, arguments)])
        with pytest.raises(SystemExit) as ended:
            main()
        return ended.value.code or 0, streams[1], streams[2]

    return call


@pytest.fixture(scope="module")
def library(tmp_path_factory):
    folder = tmp_path_factory.mktemp("streams")
    hat = kt.read_image(SAMPLES / "comic/ink/straw-hat.jpg")
    for name in ("straw → hat [b].png", "ñandú.png"):
        (folder / "ink").mkdir(exist_ok=True)
        kt.write_image(folder / "ink" / name, resize(hat[:, ::-1] if "ñ" in name else hat, 72, 96))
    made = kt.Library.create(folder / "small.ktlib", settings=LibrarySettings(side_px=72))
    made.build("comic/ink", folder / "ink", quiet=True)
    return made.folder


@pytest.fixture(scope="module")
def photo(tmp_path_factory):
    path = tmp_path_factory.mktemp("a rather long name for a folder of photographs") / "coffee → [draft].png"
    kt.write_image(path, resize(kt.read_image(SAMPLES / "photos/coffee.jpg"), 96, 64))
    return path


def test_a_picture_goes_through_a_pipe(run, library, photo, tmp_path):
    data = photo.read_bytes()
    code, out, err = run("translate", "-", "-l", library, "-b", "comic", "-o", "-", stdin=data)
    assert code == 0
    expected = kt.Translator.shipped(kt.Library.open(library)["comic"])(photo).image
    assert out.bytes.startswith(b"\x89PNG")
    assert np.array_equal(decode_image(out.bytes), expected)
    assert "straw → hat" in err.text  # the shares, which are no part of the picture
    run("translate", "-", "-l", library, "-b", "comic", "-o", tmp_path, "-q", stdin=data)
    assert np.array_equal(kt.read_image(tmp_path / "standard input.png"), expected)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("-", "-o", "-", "--json"), "standard output holds one thing"),
        (("-", "-o", "-", "--trace"), "standard output holds one thing"),
        (("-", "photo.png", "-o", "out"), "- beside other photographs"),
        (("-", "-o", "out.png"), "image from standard input: not an image"),
    ],
)
def test_what_a_pipe_cannot_hold_is_refused(run, library, arguments, words):
    code, out, err = run("translate", *arguments, "-l", library, "-b", "comic", stdin=b"no picture")
    assert code in (2, 4)
    assert not out.bytes
    assert words in " ".join(err.text.split()).replace(" found:", ":").replace("input:  ", "input: ")


class Endless:
    """A stream such as /dev/zero, of which nobody can read all."""

    def read(self, size=-1):
        assert 0 <= size <= streams.PIECE
        return bytes(size)


def test_standard_input_that_never_ends_is_refused(monkeypatch, tmp_path):
    monkeypatch.setattr(streams, "MOST_BYTES", 5 << 20)
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=Endless()))
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    with pytest.raises(ImageError, match="image from standard input: more than 5 MB"):
        streams.read_photo(streams.DASH)
    assert list(tmp_path.iterdir()) == []


def test_several_photos_do_not_fit_into_a_pipe(run, library, photo, tmp_path):
    for name in "ab":
        (tmp_path / f"{name}.png").write_bytes(photo.read_bytes())
    code, out, _ = run("translate", tmp_path, "-l", library, "-b", "comic", "-o", "-")
    assert (code, out.bytes) == (2, b"")


def test_translate_as_json_says_what_was_made_and_what_failed(run, library, photo, tmp_path):
    (tmp_path / "bad.png").write_text("no picture")
    target = tmp_path / "out"
    code, out, _ = run("translate", photo, tmp_path / "bad.png", "-l", library, "-b", "comic", "-o", target, "--json")
    assert code == 4
    (failed, made) = sorted(json.loads(out.text)["translations"], key=lambda one: one["error"] is None)
    keys = ("photo", "output", "trace", "width", "height", "retrievals", "digest", "sources", "error")
    assert tuple(made) == tuple(failed) == keys
    assert (made["photo"], made["width"], made["height"]) == (str(photo), 96, 64)
    assert Path(made["output"]).is_file()
    assert sum(source["share"] for source in made["sources"]) == pytest.approx(1)
    assert {"source", "share", "patches", "similarity", "bank", "title", "creator", "licence"} <= made["sources"][
        0
    ].keys()
    assert failed["error"]["code"] == 4
    assert failed["error"]["asked"].startswith("image ")


def test_audit_and_verify_as_json(run, library, photo, tmp_path):
    target = ("-o", tmp_path / "audit", "--top", 0, "--sample", 2)
    code, out, _ = run("audit", photo, "-l", library, "-b", "comic", *target, "--json")
    assert code == 0
    made = json.loads(out.text)
    known = ("audit", "report", "title", "manifest_sha256", "signed_by", "trace", "pieces", "copies", "sources")
    assert tuple(made) == known
    assert Path(made["report"]).is_file()
    noted = made["manifest_sha256"]
    code, out, _ = run("verify", made["audit"], "-l", library, "--json", "--sha256", noted)
    assert (code, json.loads(out.text)["ok"]) == (0, True), out.text
    code, out, _ = run("verify", made["audit"], "-l", library, "--json", "--sha256", "0" * 64)
    assert (code, json.loads(out.text)["ok"]) == (1, False)


def test_an_audit_is_a_folder_and_no_stream(run, library, photo):
    code, out, _ = run("audit", photo, "-l", library, "-b", "comic", "-o", "-")
    assert (code, out.bytes) == (2, b"")


def test_no_line_is_wrapped_when_nobody_looks(run, library, photo, tmp_path):
    target = tmp_path / ("a long name " * 12).strip() / "out [b].png"
    _, out, _ = run("translate", photo, "-l", library, "-b", "comic", "-o", target)
    assert out.text.splitlines()[0] == f"{photo.name} → {target}, shares by overlap"
    _, out, _ = run("library", "list", library)
    assert out.text.splitlines()[0] == str(library)
    code, out, err = run("translate", tmp_path / ("nowhere " * 30), "-l", library, "-b", "comic", "-o", target)
    assert code == 4
    assert len(err.text.splitlines()) == 3


@pytest.mark.parametrize("encoding", ["cp1252", "ascii", "latin-1", "cp932", "utf-8"])
def test_no_stream_makes_a_command_fail(run, library, photo, tmp_path, encoding):
    for arguments in (
        ("translate", photo, "-l", library, "-b", "comic", "-o", tmp_path / "ñ → out.png"),
        ("library", "info", library),
        ("translate", "--help"),
    ):
        code, out, err = run(*arguments, encoding=encoding)
        assert code == 0, err.text
        assert out.text
    code, _, err = run("translate", "nö → where\udce4.png", "-l", library, "-b", "comic", "-o", "x", encoding=encoding)
    assert code == 4
    assert "a name that is not UTF-8" in err.text
    assert "udce4" in err.text  # a byte of a name that is no text


def test_signs_become_what_ascii_draws(monkeypatch):
    monkeypatch.setattr(sys, "stdout", Stream(encoding="ascii"))
    assert printable("a → b … · é \udce4 漢") == "a -> b ... - \\xe9 \\xe4 \\u6f22"


def test_show_prints_on_any_stream(world, paint, monkeypatch):
    trace = world.translator.traced(paint(9))
    comparison = kt.compare(trace, kt.without(trace, "art/warm/a.png"))
    stream = Stream(encoding="ascii")
    monkeypatch.setattr(sys, "stdout", stream)
    trace.show()
    comparison.show()
    assert "nothing -> art/warm/a.png" in stream.text


@pytest.mark.parametrize("command", [(), ("library",), ("library", "build"), ("translate",), ("verify",), ("doctor",)])
def test_h_helps_everywhere(run, command):
    code, out, _ = run(*command, "-h")
    assert code == 0
    assert "Usage" in out.text


def test_the_package_is_a_command_and_minds_the_encoding(library):
    done = subprocess.run(
        [*MODULE, "library", "info", str(library)],
        capture_output=True,
        env={**os.environ, "PYTHONIOENCODING": "cp1252"},
    )
    assert done.returncode == 0, done.stderr
    assert b"straw -> hat [b].png" in done.stdout


def test_a_reader_that_goes_away_is_no_fault(library):
    with subprocess.Popen([*MODULE, "library", "info", str(library)], stdout=-1, stderr=-1) as command:
        command.stdout.close()
        errors = command.stderr.read()
    assert errors == b""
    assert command.returncode in (0, 1)


def test_json_is_ascii_and_holds_no_nan(capsys):
    console.print_json({"é": 1.5})
    assert json.loads(capsys.readouterr().out.encode("ascii")) == {"é": 1.5}
    with pytest.raises(ValueError, match="not JSON compliant"):
        console.print_json(float("nan"))
