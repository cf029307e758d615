"""A cluster makes the bank that threads make, to the same digest, whatever becomes of its machines meanwhile."""

import shutil
from threading import Thread

import pytest

import ktviz as kt
from engines.machines import until
from engines.trouble import Killed, Slow, Stuck
from ktviz.errors import ClusterError, ImageError, ImageWarning, LibraryError
from ktviz.library.format import BUILDING
from ktviz.library.sources import SourceFile
from ktviz.library.usable import Look, name_of

ALL = 5
"""Pictures of the toy world."""


@pytest.fixture(scope="module")
def digests(tmp_path_factory, pictures, toy, settings):
    """By threads: of a bank of all pictures; of one of the warm ones to which the cool were added; made anew."""
    library = kt.Library.ensure(tmp_path_factory.mktemp("threads") / "all.ktlib", toy, settings)
    library.build("art/all", pictures, encoder=toy, quiet=True)
    library.build("art/grown", pictures / "warm", encoder=toy, quiet=True)
    library.add("art/grown", pictures / "cool", encoder=toy, quiet=True)
    found = {name: library.record(name).digest for name in library}
    library.rebuild("art/grown", quiet=True)
    return {**found, "rebuilt": library.record("art/grown").digest}


def test_banks_are_built_grown_and_made_anew_as_by_threads(cluster, empty, pictures, toy, digests):
    empty.build("art/all", pictures, encoder=toy, engine=cluster, quiet=True)
    empty.build("art/grown", pictures / "warm", encoder=toy, engine=cluster, quiet=True)
    empty.add("art/grown", pictures / "cool", encoder=toy, engine=cluster, quiet=True)
    assert {name: empty.record(name).digest for name in empty} == {
        name: digests[name] for name in ("art/all", "art/grown")
    }
    assert digests["rebuilt"] != digests["art/grown"]
    empty.rebuild("art/grown", engine=cluster, quiet=True)
    assert empty.record("art/grown").digest == digests["rebuilt"]
    empty.check()
    assert not (empty.folder / BUILDING).exists()


def test_the_work_is_done_by_the_workers(cluster, empty, pictures, counting, monkeypatch):
    monkeypatch.setattr("ktviz.library.kinds.patches.build.encode", None)  # here, and not there
    empty.build("art/all", pictures, encoder=counting.encoder, engine=cluster, quiet=True)
    assert counting.taken() == ALL


def test_a_worker_that_is_killed_while_it_works_costs_nothing(cluster, empty, pictures, hooked, tmp_path, digests):
    encoder = hooked(Killed(tmp_path / "killed"))
    empty.build("art/all", pictures, encoder=encoder, engine=cluster, quiet=True)
    assert (tmp_path / "killed").exists()
    assert empty.record("art/all").digest == digests["art/all"]


def test_a_slow_worker_changes_nothing(cluster, workers, empty, pictures, hooked, digests):
    empty.build("art/all", pictures, encoder=hooked(Slow(workers[0], 0.2)), engine=cluster, quiet=True)
    assert empty.record("art/all").digest == digests["art/all"]


@pytest.fixture
def with_bad(pictures, tmp_path):
    """The warm pictures, and two that are none."""
    folder = shutil.copytree(pictures / "warm", tmp_path / "with bad")
    (folder / "text.png").write_text("no picture")
    (folder / "cut.png").write_bytes((folder / "a.png").read_bytes()[:2000])
    return folder


def test_bad_images_are_all_named_and_nothing_is_made_or_the_rest_is(cluster, empty, with_bad, counting, whole):
    with pytest.raises(ImageError, match=r"2 of 5 images") as caught:
        empty.build("art/warm", with_bad, encoder=counting.encoder, engine=cluster, quiet=True)
    assert all(name in str(caught.value) for name in ("cut.png", "text.png"))
    assert (list(empty), counting.taken()) == ([], 0)
    with pytest.warns(ImageWarning, match=r"cut\.png"):
        empty.build("art/warm", with_bad, encoder=counting.encoder, engine=cluster, skip_bad=True, quiet=True)
    assert empty.record("art/warm").digest == whole


def test_an_image_that_is_another_one_elsewhere_or_not_there_is_named_with_the_machine(cluster, pictures, tmp_path):
    path = pictures / "warm/a.png"
    other = SourceFile(path, "a.png", "0" * 64)
    with pytest.raises(LibraryError, match=r"a\.png': it has other bytes .*on worker tcp://.*under the same path"):
        cluster.map(Look(None), [other], "checking images", True, name_of)
    gone = SourceFile(tmp_path / "gone.png", "gone.png", "0" * 64)
    with pytest.raises(LibraryError, match=r"gone\.png': it cannot be read .*on worker tcp://.*under the same path"):
        cluster.map(Look(None), [gone], "checking images", True, name_of)


@pytest.fixture
def left(machines, empty, pictures, hooked, tmp_path):
    """A library whose build has lost its scheduler when two of five pictures were finished, and how many were."""
    flag, building = tmp_path / "flag", empty.folder / BUILDING
    machines.worker()

    def kill():
        until(flag.exists)
        machines.scheduler.kill()

    killing = Thread(target=kill)
    killing.start()
    encoder = hooked(Stuck(flag, building, 2))
    with (
        kt.Cluster(machines.address) as cluster,
        pytest.raises(
            ClusterError,
            match=r"the scheduler at tcp://.*: it has gone while preparing sources, after . of 5.*Start it again",
        ),
    ):
        empty.build("art/all", pictures, encoder=encoder, engine=cluster, quiet=True)
    killing.join()
    return kt.Library.open(empty.folder), len([*building.glob("*/*.json")])


def test_when_the_scheduler_goes_either_engine_goes_on(left, cluster, pictures, counting, digests, tmp_path):
    library, finished = left
    assert (list(library), finished) == ([], 2)
    other = kt.Library.open(shutil.copytree(library.folder, tmp_path / "other.ktlib"))
    for again, engine in ((library, cluster), (other, None)):
        given = {} if engine is None else {"engine": engine}
        again.build("art/all", pictures, encoder=counting.encoder, quiet=True, **given)
        assert counting.taken() == ALL - finished
        assert again.record("art/all").digest == digests["art/all"]


def test_a_cluster_goes_on_from_what_threads_have_finished(cluster, empty, pictures, counting, digests, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr("ktviz.library.writer.write_bank", interrupted)
        with pytest.raises(KeyboardInterrupt):
            empty.build("art/all", pictures, encoder=counting.encoder, quiet=True)
    assert counting.taken() == ALL
    empty.build("art/all", pictures, encoder=counting.encoder, engine=cluster, quiet=True)
    assert counting.taken() == 0
    assert empty.record("art/all").digest == digests["art/all"]


def interrupted(*_):
    raise KeyboardInterrupt
