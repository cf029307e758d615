"""Shards: finished pieces of a build, in a folder, in memory or in an object store, until the writer has them."""

import shutil

import fsspec
import pytest
from distributed import LocalCluster

import ktviz as kt
from engines.test_builds import interrupted
from ktviz.errors import LibraryError, StorageError
from ktviz.library.format import BUILDING
from ktviz.library.shards import Shards


@pytest.fixture(scope="module")
def within():
    """The address of a cluster of this process, whose workers share its memory."""
    given = {"processes": False, "n_workers": 1, "threads_per_worker": 2, "dashboard_address": "127.0.0.1:0"}
    with LocalCluster(**given) as machines:
        yield machines.scheduler_address


@pytest.fixture(params=["memory", "s3", "path"])
def sharing(request, tmp_path):
    """A cluster that leaves its shards somewhere, and where that is."""
    if request.param == "memory":
        address, url = request.getfixturevalue("within"), f"memory://{tmp_path.name}"
    else:
        where = tmp_path / "shards" if request.param == "path" else f"{request.getfixturevalue('s3')}/{tmp_path.name}"
        address, url = request.getfixturevalue("two").address, str(where)
    with kt.Cluster(address, shards=url) as cluster:
        yield cluster, url


def files_at(url):
    files, path = fsspec.url_to_fs(url, use_listings_cache=False)
    return files, files.find(path) if files.exists(path) else []


def interrupt(monkeypatch, library, pictures, encoder, cluster):
    """Stop a build of the warm pictures when all are prepared."""
    with monkeypatch.context() as patch:
        patch.setattr("ktviz.library.writer.write_bank", interrupted)
        with pytest.raises(KeyboardInterrupt):
            library.build("art/warm", pictures / "warm", encoder=encoder, engine=cluster, quiet=True)


def test_shards_are_taken_from_where_they_are_and_go_when_the_library_is_written(
    sharing, empty, pictures, counting, whole, monkeypatch
):
    cluster, url = sharing
    interrupt(monkeypatch, empty, pictures, counting.encoder, cluster)
    assert counting.taken() == 3
    assert len([path for path in files_at(url)[1] if path.endswith(".json")]) == 3
    shutil.rmtree(empty.folder / BUILDING)  # they are still there
    empty.build("art/warm", pictures / "warm", encoder=counting.encoder, engine=cluster, quiet=True)
    assert counting.taken() == 0
    assert empty.record("art/warm").digest == whole
    assert files_at(url)[1] == []
    empty.add("art/warm", pictures / "cool", encoder=counting.encoder, engine=cluster, quiet=True)
    empty.rebuild("art/warm", engine=cluster, quiet=True)
    assert counting.taken() == 2
    assert files_at(url)[1] == []
    assert not (empty.folder / BUILDING).exists()


@pytest.mark.parametrize("end", [".safetensors", ".json"])
def test_a_damaged_shard_is_named_and_made_anew_when_its_seal_is_removed(
    sharing, empty, pictures, toy, whole, monkeypatch, end
):
    cluster, url = sharing
    interrupt(monkeypatch, empty, pictures, toy, cluster)
    shutil.rmtree(empty.folder / BUILDING)
    files, found = files_at(url)
    damaged = next(path for path in found if path.endswith(end))
    files.pipe_file(damaged, b"something else")
    name = damaged.rsplit("/", 1)[1].removesuffix(end)
    with pytest.raises(LibraryError, match=rf"interrupted build of '.\.png': .*{name}{end} .*Remove .*{name}.json"):
        empty.build("art/warm", pictures / "warm", encoder=toy, engine=cluster, quiet=True)
    assert list(empty) == []
    files.rm(f"{damaged.removesuffix(end)}.json")
    empty.build("art/warm", pictures / "warm", encoder=toy, engine=cluster, quiet=True)
    assert empty.record("art/warm").digest == whole


@pytest.mark.parametrize("url", ["nothing://at/all", "s3://no-such-bucket/shards"])
def test_a_place_that_cannot_be_reached_is_named_and_the_library_is_as_it_was(two, url, empty, pictures, toy):
    with pytest.raises(StorageError, match=f"reach {url}"), kt.Cluster(two.address, shards=url) as cluster:
        empty.build("art/warm", pictures / "warm", encoder=toy, engine=cluster, quiet=True)
    assert list(empty) == []


def test_machines_that_do_not_share_the_folder_are_told_what_to_do(tmp_path):
    there = Shards(tmp_path / "only there")
    with pytest.raises(StorageError, match=r"there is no such folder.*--shards URL"):
        there.make("a", [".txt"], lambda paths: paths[0].write_text("a"))
    there.folder.mkdir()
    there.make("a", [".txt"], lambda paths: paths[0].write_text("a"))
    with pytest.raises(LibraryError, match=r"is not in .*only here.*--shards URL"):
        Shards(tmp_path / "only here").take("a", [".txt"], "go on")


def test_a_shard_is_made_once_and_finished_with_its_seal(tmp_path):
    shards = Shards(tmp_path)
    with pytest.raises(KeyboardInterrupt):
        shards.make("a", [".txt"], interrupted)
    assert not shards.taken("a")
    for text in ("first", "second"):
        shards.make("a", [".txt"], lambda paths, text=text: paths[0].write_text(text))
    assert shards.taken("a")
    (path,), ((size, _),) = shards.take("a", [".txt"], "go on")
    assert (path.read_text(), size) == ("first", 5)
