"""Whatever interrupts a writer, the library is the old or the new one, and the work can go on."""

import errno
import os
import shutil
import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from ktviz.errors import LibraryBusyError, LibraryError, StorageError
from ktviz.library import format as format_module
from ktviz.library.kinds.patches import build as patches_module
from ktviz.library.kinds.patches import frame as frame_module
from ktviz.library.kinds.patches import rows as rows_module
from ktviz.library.kinds.patches import tables as tables_module
from ktviz.library.kinds.registry import KINDS
from ktviz.library.library import Library

INTERRUPTIONS = (
    "encoding",
    "writing a thumb",
    "writing features",
    "writing the tree",
    "writing rows",
    "writing tables",
)
INTERRUPTIONS += ("opening what was written", "writing the manifest", "replacing the manifest")


@pytest.fixture(params=[1, 3], ids=["one thread", "three threads"])
def library(build, pictures, request):
    """A library with one bank, art/test, of the cool pictures; written with one and with three threads."""
    torch.set_num_threads(request.param)
    return build("work", [pictures / "cool"])


@pytest.fixture
def whole(world):
    """Digest of the bank of the warm pictures, built without interruption."""
    return world.library.record("art/warm").digest


@pytest.fixture
def encoded(toy):
    """Counts the pictures that go through the encoder."""
    calls = []
    handle = toy.register_forward_hook(lambda *_: calls.append(1))
    yield calls
    handle.remove()


def raise_at(monkeypatch, point, failure):
    """Let `failure` happen at one point of a build, after whatever is written there was half written."""

    def at_call(module, name, number=1, when=lambda *_: True):
        original, calls = getattr(module, name), []

        def wrapper(*arguments, **options):
            if when(*arguments):
                calls.append(1)
                if len(calls) == number:
                    target = next((a for a in arguments if isinstance(a, Path)), None)
                    if target is not None and not target.exists():
                        target.write_bytes(b"half")
                    raise failure
            return original(*arguments, **options)

        monkeypatch.setattr(module, name, wrapper)

    match point:
        case "encoding":
            at_call(patches_module, "encode", 2)
        case "writing a thumb":
            at_call(patches_module, "write_image", 3)
        case "writing features":
            at_call(patches_module, "save_file", 2)
        case "writing the tree":
            at_call(frame_module, "save_file")
        case "writing rows":
            at_call(rows_module, "save_file", 2)
        case "writing tables":
            at_call(tables_module, "created", 2)
        case "opening what was written":
            kind = SimpleNamespace(**vars(KINDS["patches"]))
            at_call(kind, "load")
            monkeypatch.setitem(KINDS, "patches", kind)
        case "writing the manifest":
            at_call(format_module.os, "fsync")
        case "replacing the manifest":
            at_call(Path, "replace", when=lambda path, target: Path(target).name == "library.json")


@contextmanager
def raised_at(monkeypatch, point, failure=None):
    with monkeypatch.context() as patch:
        raise_at(patch, point, failure or KeyboardInterrupt())
        yield


def build_warm(library, pictures, toy):
    library.build("art/warm", [pictures / "warm"], encoder=toy, quiet=True)
    return library.record("art/warm")


@pytest.mark.parametrize("point", INTERRUPTIONS)
def test_after_ctrl_c_the_library_is_as_it_was_and_building_again_gives_the_whole(
    library, pictures, toy, monkeypatch, whole, point
):
    before = library.digest
    with raised_at(monkeypatch, point), pytest.raises(KeyboardInterrupt):
        build_warm(library, pictures, toy)
    opened = Library.open(library.folder)
    assert (list(opened), opened.digest) == (["art/test"], before)
    assert len(opened["art/test"]) > 0
    assert build_warm(opened, pictures, toy).digest == whole
    assert not (library.folder / "building").exists()


@pytest.mark.parametrize("point", INTERRUPTIONS)
def test_a_full_disk_is_reported_and_the_library_is_as_it_was(library, pictures, toy, monkeypatch, whole, point):
    before = library.digest
    full = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    with raised_at(monkeypatch, point, full), pytest.raises(StorageError, match="No space left"):
        build_warm(library, pictures, toy)
    assert Library.open(library.folder).digest == before
    assert build_warm(library, pictures, toy).digest == whole


def test_an_interrupted_build_is_not_lost_when_another_bank_is_built(library, pictures, toy, monkeypatch, encoded):
    with raised_at(monkeypatch, "writing tables"), pytest.raises(KeyboardInterrupt):
        build_warm(library, pictures, toy)
    library.build("art/other", [pictures / "cool"], encoder=toy, quiet=True)
    encoded.clear()
    build_warm(library, pictures, toy)
    assert encoded == []
    assert not (library.folder / "building").exists()


def test_removing_a_source_removes_its_part_and_no_other(library, pictures, toy, monkeypatch):
    with raised_at(monkeypatch, "writing tables"), pytest.raises(KeyboardInterrupt):
        library.build("art/all", [pictures], encoder=toy, quiet=True)
    gone = next(source.sha256 for source in library.bank("art/test").sources if source.name == "d.png")
    library.remove("art/test", "d", quiet=True)
    left = {path.stem for path in library.folder.glob("building/*/*.safetensors")}
    assert len(left) == 4
    assert gone not in left


def test_finished_pictures_are_not_encoded_again(library, pictures, toy, monkeypatch, encoded):
    with raised_at(monkeypatch, "writing tables"), pytest.raises(KeyboardInterrupt):
        build_warm(library, pictures, toy)
    assert len(encoded) == 3
    build_warm(library, pictures, toy)
    assert len(encoded) == 3


def test_what_was_not_finished_is_encoded_again(library, pictures, toy, monkeypatch, encoded):
    with raised_at(monkeypatch, "writing features"), pytest.raises(KeyboardInterrupt):  # of the second picture
        build_warm(library, pictures, toy)
    left = 3 - len(list(library.folder.glob("building/*/*.safetensors")))
    encoded.clear()
    build_warm(library, pictures, toy)
    assert 1 <= left <= 2
    assert len(encoded) == left


@pytest.mark.parametrize("kind", ["safetensors", "jpg", "json"])
@pytest.mark.parametrize("how", ["emptied", "cut", "changed", "gone"])
def test_a_damaged_part_of_an_interrupted_build_is_refused_by_name(
    world, pictures, toy, build, monkeypatch, whole, kind, how
):
    library = build("work", [pictures / "cool"])
    with raised_at(monkeypatch, "writing tables"), pytest.raises(KeyboardInterrupt):
        build_warm(library, pictures, toy)
    part = sorted(library.folder.glob(f"building/*/*.{kind}"))[1]
    data = bytearray(part.read_bytes())
    data[-9] ^= 1
    part.unlink()
    if how != "gone":
        part.write_bytes({"emptied": b"", "cut": data[: len(data) // 2], "changed": data}[how])
    before = library.digest
    if (kind, how) == ("json", "gone"):  # it was never finished: it is made again
        assert build_warm(library, pictures, toy).digest == whole
        return
    with pytest.raises(LibraryError, match=rf"interrupted build of '.\.png'.*{part.stem[:8]}") as caught:
        build_warm(library, pictures, toy)
    assert str(part.parent) in caught.value.todo
    assert Library.open(library.folder).digest == before
    shutil.rmtree(part.parent)
    assert build_warm(library, pictures, toy).digest == whole


def test_a_part_made_with_other_settings_is_not_used(build, pictures, toy, make_toy, tmp_path, monkeypatch, settings):
    """Two libraries never share parts, and one library knows what its parts were made with."""
    other = make_toy(seed=5)
    with raised_at(monkeypatch, "writing tables"), pytest.raises(KeyboardInterrupt):
        build("first", [pictures / "warm"], encoder=other)
    (tmp_path / "first.ktlib" / "library.json").unlink()
    library = build("first", [pictures / "warm"])
    assert library.record("art/test").digest == build("fresh", [pictures / "warm"]).record("art/test").digest


@pytest.mark.parametrize("point", ["writing tables", "replacing the manifest"])
@pytest.mark.parametrize("edit", ["add", "remove"])
def test_an_interrupted_edit_leaves_the_bank_as_it_was(library, pictures, toy, monkeypatch, point, edit):
    def change(opened):
        if edit == "add":
            opened.add("art/test", [pictures / "warm"], encoder=toy, quiet=True)
        else:
            opened.remove("art/test", ["d"], quiet=True)

    before = library.digest
    with raised_at(monkeypatch, point), pytest.raises(KeyboardInterrupt):
        change(library)
    opened = Library.open(library.folder)
    assert opened.digest == before
    assert len(opened.bank("art/test").sources) == 2
    change(opened)
    assert len(Library.open(library.folder).bank("art/test").sources) == (5 if edit == "add" else 1)


def test_creating_a_library_can_be_interrupted(tmp_path, toy, monkeypatch):
    with raised_at(monkeypatch, "writing the manifest"), pytest.raises(KeyboardInterrupt):
        Library.ensure(tmp_path / "new.ktlib", toy)
    assert list(Library.ensure(tmp_path / "new.ktlib", toy)) == []


def test_a_library_that_somebody_else_changed_must_be_opened_again(library, pictures, toy):
    stale = Library.open(library.folder)
    build_warm(library, pictures, toy)
    with pytest.raises(LibraryError, match=r"changed since it was opened.*Open it again"):
        stale.remove("art/test", ["d"], quiet=True)
    assert list(Library.open(library.folder)) == ["art/test", "art/warm"]


WRITER = """
import sys, time
from pathlib import Path
from conftest import make_encoder
from ktviz.library.library import Library

folder, images, flag = map(Path, sys.argv[1:])
encoder, seen = make_encoder(), []

def stop_at_the_second(*_):
    seen.append(1)
    if len(seen) == 2:
        flag.touch()
        time.sleep(120)

encoder.register_forward_pre_hook(stop_at_the_second)
Library.open(folder).build("art/warm", [images / "warm"], encoder=encoder, quiet=True)
"""


@pytest.fixture
def writer(library, pictures, tmp_path):
    """Another process that has encoded one of three pictures and holds the library."""
    flag, tests = tmp_path / "flag", Path(__file__).parent
    command = [sys.executable, "-c", WRITER, library.folder, pictures, flag]
    path = os.pathsep.join((str(tests), str(tests.parent)))
    process = subprocess.Popen(command, env={**os.environ, "PYTHONPATH": path, "OMP_NUM_THREADS": "1"})
    deadline = time.monotonic() + 60
    while not flag.exists() and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.05)
    assert flag.exists(), "the writer did not get going"
    yield process
    process.kill()
    process.wait()


def test_of_two_writers_the_second_is_told_and_readers_go_on(writer, library, pictures, toy, encoded):
    with pytest.raises(LibraryBusyError, match="another process is writing"):
        build_warm(library, pictures, toy)
    assert not encoded
    assert len(Library.open(library.folder)["art/test"]) > 0


def test_a_killed_writer_leaves_no_lock_and_its_work_is_used(writer, library, pictures, toy, encoded, whole):
    writer.send_signal(signal.SIGKILL)
    writer.wait()
    assert build_warm(Library.open(library.folder), pictures, toy).digest == whole
    assert len(encoded) == 2  # of three


EDITS = (
    lambda library, pictures, toy: library.build("art/test", [pictures / "warm"], encoder=toy, quiet=True),
    lambda library, pictures, toy: library.add("art/test", [pictures / "cool"], encoder=toy, quiet=True),
    lambda library, pictures, toy: library.remove("art/test", ["b", "d"], quiet=True),
    lambda library, pictures, toy: library.rebuild("art/test", quiet=True),
)
KILLS = 5


def killed_after(seconds, work):
    """Do some work in another process, and kill it if it takes longer; whether it was killed."""
    child = os.fork()
    if child == 0:
        failed = 1
        try:
            work()
            failed = 0
        finally:
            os._exit(failed)
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        ended, status = os.waitpid(child, os.WNOHANG)
        if ended:
            assert status == 0
            return False
        time.sleep(0.001)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return True


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
def test_killed_at_any_moment_a_library_is_the_old_or_the_new_one_and_ends_the_same(tmp_path, pictures, toy, settings):
    """Twenty kills, five in the middle of each edit."""
    folder, random = tmp_path / "killed.ktlib", np.random.default_rng(5)
    whole = Library.ensure(tmp_path / "whole.ktlib", toy, settings)
    Library.ensure(folder, toy, settings)
    for edit in EDITS:
        start, before = time.monotonic(), Library.open(folder).digest
        edit(whole, pictures, toy)
        taken, kills = time.monotonic() - start, 0
        old = shutil.copytree(folder, tmp_path / "old.ktlib")
        while kills < KILLS:
            kills += killed_after(random.uniform(0, taken), partial(edit, Library.open(folder), pictures, toy))
            left = Library.open(folder)
            left.check()
            assert left.digest in (before, whole.digest)
            if left.digest == whole.digest and kills < KILLS:  # it was done before it was killed: once more
                shutil.rmtree(folder)
                shutil.copytree(old, folder)
        shutil.rmtree(old)
        if Library.open(folder).digest != whole.digest:
            edit(Library.open(folder), pictures, toy)
        assert Library.open(folder).digest == whole.digest
    tables = Path(Library.open(folder).record("art/test").folder).name
    assert {path.name for path in (folder / "banks/art").iterdir()} == {"test", tables}
    assert len(list((folder / "banks/art/test").iterdir())) == 2 * 3


@pytest.fixture
def small_disk(tmp_path):
    """`small_disk(kilobytes)`: a file system of that size."""
    mount, unmount = shutil.which("mount"), shutil.which("umount")
    if sys.platform != "linux" or os.geteuid() != 0 or not (mount and unmount):
        pytest.skip("only root on Linux can mount a small disk")
    folder = tmp_path / "disk"
    folder.mkdir()

    def make(kilobytes, options="rw"):
        option = f"size={kilobytes}k,{options}"
        if subprocess.run([mount, "-t", "tmpfs", "-o", option, "tmpfs", folder], capture_output=True).returncode:
            pytest.skip("mounting is not allowed here")
        return folder

    yield make
    subprocess.run([unmount, "-l", folder], capture_output=True)


def test_a_disk_that_is_really_full_never_damages_the_library(small_disk, library, pictures, toy):
    used = sum(path.stat().st_size for path in library.folder.rglob("*")) // 1024
    folder = small_disk(used + 400)
    shutil.copytree(library.folder, folder / "full.ktlib")
    ballast = folder / "ballast"
    for kilobytes in (48, 40, 32, 24, 16, 8, 4, 0):
        ballast.write_bytes(b"")
        free = shutil.disk_usage(folder).free // 1024
        ballast.write_bytes(b"x" * max(0, free - kilobytes) * 1024)
        opened = Library.open(folder / "full.ktlib")
        with pytest.raises(StorageError, match="No space left"):
            opened.add("art/test", [pictures / "warm"], encoder=toy, quiet=True)
        opened = Library.open(folder / "full.ktlib")
        assert opened.digest == library.digest
        assert len(opened["art/test"]) == len(library["art/test"])
    ballast.unlink()
    assert len(opened.add("art/test", [pictures / "warm" / "a.png"], encoder=toy, quiet=True).sources) == 3


def test_a_library_on_a_read_only_disk_is_read_and_refuses_to_be_written(small_disk, library, pictures, toy):
    folder = small_disk(4000)
    shutil.copytree(library.folder, folder / "fixed.ktlib")
    subprocess.run(["mount", "-o", "remount,ro", folder], check=True)
    opened = Library.open(folder / "fixed.ktlib")
    assert len(opened["art/test"]) == len(library["art/test"])
    with pytest.raises(StorageError, match="Read-only file system"):
        build_warm(opened, pictures, toy)
    with pytest.raises(StorageError, match="Read-only file system"):
        Library.ensure(folder / "new.ktlib", toy)


def test_a_library_made_by_somebody_else_meanwhile_is_not_replaced(tmp_path, toy, monkeypatch):
    """Two processes create the same library: the second must not empty what the first has built."""
    from ktviz.library import founding as module

    path = tmp_path / "race.ktlib"
    real = module.writing

    @contextmanager
    def slow(folder):
        monkeypatch.setattr(module, "writing", real)
        Library.ensure(path, toy)  # the other one is quicker
        before = (path / "library.json").stat().st_ino
        with real(folder):
            yield
        assert (path / "library.json").stat().st_ino == before

    monkeypatch.setattr(module, "writing", slow)
    assert len(Library.ensure(path, toy)) == 0
