"""The command line among other programs: pipes, JSON, streams that cannot show every character."""

import errno
import io
import json
import os
import shlex
import subprocess
import sys
import warnings
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
from ktviz.printing import printable, visible

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


class Refusing(io.RawIOBase):
    """A stream whose reader has gone (EPIPE), or whose disk is full (ENOSPC)."""

    def __init__(self, number):
        self.number = number

    def writable(self):
        return True

    def write(self, data):
        raise OSError(self.number, os.strerror(self.number))


@pytest.fixture
def run(monkeypatch):
    """`run(arguments, stdin, encoding, refuses)`: exit code, standard output, standard error.

    `refuses`: by name ("stdout"), the error number with which a stream refuses, or None if it is closed.
    """
    monkeypatch.setattr("signal.signal", lambda *_: None)

    def call(*arguments, stdin=b"", encoding="utf-8", refuses=None):
        streams = Stream(stdin), Stream(encoding=encoding), Stream(encoding=encoding)
        for name, stream in zip(("stdin", "stdout", "stderr"), streams, strict=True):
            monkeypatch.setattr(sys, name, stream)
        for name, number in (refuses or {}).items():
            monkeypatch.setattr(sys, name, number and io.TextIOWrapper(io.BufferedWriter(Refusing(number))))
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
    made = kt.Library.ensure(folder / "small.ktlib", settings=LibrarySettings(side_px=72))
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
    keys = (
        "photo",
        "output",
        "trace",
        "width",
        "height",
        "retrievals",
        "digest",
        "sources",
        "lacking",
        "causal",
        "error",
        "stored",
    )
    assert tuple(made) == tuple(failed) == keys
    assert (made["photo"], made["width"], made["height"]) == (str(photo), 96, 64)
    assert Path(made["output"]).is_file()
    assert sum(source["share"] for source in made["sources"]) == pytest.approx(1)
    assert made["lacking"] == failed["lacking"] == {}
    assert (made["causal"], failed["causal"]) == (True, None)
    assert {"source", "share", "retrievals", "similarity", "bank", "title", "creator", "licence"} <= made["sources"][
        0
    ].keys()
    assert failed["error"]["code"] == 4
    assert (failed["error"]["class"], failed["error"]["page"]) == ("ImageError", "ktviz error ImageError")
    assert failed["error"]["asked"].startswith("image ")


def test_audit_and_verify_as_json(run, library, photo, tmp_path):
    target = ("-o", tmp_path / "audit", "--top", 0, "--sample", 2)
    code, out, _ = run("audit", photo, "-l", library, "-b", "comic", *target, "--json")
    assert code == 0
    made = json.loads(out.text)
    known = ("audit", "report", "title", "manifest_sha256", "signed_by", "trace", "pieces", "copies", "sources")
    assert tuple(made) == (*known, "lacking", "causal", "photo", "stored", "error")
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
    *_, last = lines = err.text.splitlines()
    assert len(lines) == 4
    assert last == "       more: ktviz error MissingImageError"


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


HOSTILE = "a\x1b[2K\x9b31m\r\nfake.png"


def test_an_error_names_the_command_that_explains_it_and_a_usage_error_has_none(run, library):
    code, _, err = run("library", "info", library.parent / "none")
    *_, last = err.text.splitlines()
    assert (code, last) == (5, "       more: ktviz error MissingLibraryError")
    code, out, _ = run(*last.split()[2:])
    assert code == 0
    assert out.text.startswith("You see")
    code, _, err = run("library", "info", "--nonsense")
    assert code == 2
    assert "ktviz error" not in err.text


def test_no_name_is_obeyed_by_a_terminal(run, photo, tmp_path):
    folder, made, target = tmp_path / "in", tmp_path / "made.ktlib", tmp_path / "\x1b[31mout"
    folder.mkdir()
    (folder / HOSTILE).write_bytes(photo.read_bytes())
    (folder / "\x1b[31m.txt").write_text("notes")
    (folder / "credits.csv").write_text("file,title\ngone.png,Sea\n")
    (folder / "bad\x1b[31m.png").write_text("no picture")
    table = ("--credits", folder / "credits.csv")
    bank = ("-l", made, "-b", "comic", "-o", target)
    for arguments, code in (
        (("library", "build", made, folder, "-b", "comic/ink", *table), 4),
        (("library", "build", made, folder, "-b", "comic/ink", "--skip-bad", "--side", 72, *table), 0),
        (("library", "info", made), 0),
        (("translate", folder, *bank), 4),
    ):
        with warnings.catch_warnings():
            warnings.simplefilter("default")
            ended, out, err = run(*arguments)
        assert ended == code, err.text
        assert not set("\x1b\x9b\r") & set(out.text)
        assert not {"\x1b", "\x9b"} & set(err.text)
        assert not any(line.strip().startswith("fake.png") for line in (out.text + err.text).splitlines())
        assert "\\x1b" in out.text + err.text


@pytest.mark.parametrize("name", ["\x1b", "\x9b", "\n", "\x7f", "\u202e", "\u2028", "\u200b"])
def test_what_is_not_seen_is_written_out(name):
    assert visible(f"a{name}é.png") == f"a{name.encode('unicode_escape').decode()}é.png"


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


@pytest.fixture
def audit(run, library, photo, tmp_path):
    code, *_ = run("audit", photo, "-l", library, "-b", "comic", "-o", tmp_path / "a", "--top", 0, "--json")
    assert code == 0
    return tmp_path / "a"


@pytest.mark.parametrize("number", [errno.EPIPE, None], ids=["a reader that stops", "closed"])
@pytest.mark.parametrize("name", ["stdout", "stderr"])
def test_who_listens_changes_no_verdict(run, library, audit, tmp_path, number, name):
    gone, noted = {name: number}, ("--sha256", "0" * 64)
    assert run("verify", audit, "-l", library, refuses=gone)[0] == 0
    assert run("verify", audit, "-l", library, *noted, refuses=gone)[0] == 1
    assert run("library", "info", library, refuses=gone)[0] == 0
    assert run("library", "info", library, "--json", refuses=gone)[0] == 0
    assert run("library", "info", tmp_path / "none", refuses=gone)[0] == 5
    assert run("--version", refuses=gone)[0] == 0


@pytest.mark.parametrize("name", ["stdout", "stderr"])
def test_the_work_goes_on_when_its_reader_stops(run, library, photo, tmp_path, name):
    photos = [tmp_path / f"{letter}.png" for letter in "ab"]
    for path in photos:
        path.write_bytes(photo.read_bytes())
    target = tmp_path / "out"
    code, *_ = run("translate", *photos, "-l", library, "-b", "comic", "-o", target, refuses={name: errno.EPIPE})
    assert code == 0
    assert len(list(target.iterdir())) == 2


@pytest.mark.parametrize(
    "command",
    [("library", "info", "LIBRARY"), ("library", "info", "LIBRARY", "--json"), ("translate", "-", "-o", "-")],
    ids=" ".join,
)
def test_a_full_disk_is_named(run, library, photo, command):
    arguments = [library if part == "LIBRARY" else part for part in command]
    if command[0] == "translate":
        arguments += ["-l", library, "-b", "comic"]
    code, _, err = run(*arguments, stdin=photo.read_bytes(), refuses={"stdout": errno.ENOSPC})
    assert code == 8
    assert "write standard output" in err.text
    assert "No space left on device" in err.text
    assert err.text.count("found:") == 1


def test_errors_that_nobody_can_be_told_are_no_others(run, library):
    full = {"stderr": errno.ENOSPC, "stdout": errno.ENOSPC}
    assert run("library", "info", library.parent / "none", refuses=full)[0] == 5


@pytest.mark.parametrize(("shell", "code"), [("{} | head -0; exit ${{PIPESTATUS[0]}}", 0), ("{} >&- 2>&- <&-", 0)])
def test_a_real_process_ends_as_it_would_have(library, shell, code):
    command = shell.format(shlex.join([*MODULE, "library", "info", str(library)]))
    done = subprocess.run(["bash", "-c", command], capture_output=True)
    assert (done.returncode, done.stderr) == (code, b"")


def test_json_is_ascii_and_holds_no_nan(capsys):
    console.print_json({"é": 1.5})
    assert json.loads(capsys.readouterr().out.encode("ascii")) == {"é": 1.5}
    with pytest.raises(ValueError, match="not JSON compliant"):
        console.print_json(float("nan"))
