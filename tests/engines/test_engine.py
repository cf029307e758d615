"""Engines do the same work for each of many things; a cluster says what went wrong on which machine."""

import errno
import os
import sys
import time
from collections import Counter
from collections.abc import Sequence

import pytest
import torch

import ktviz as kt
from engines.machines import until
from engines.trouble import Killed, Raising, Where
from ktviz.engines import cluster as module
from ktviz.engines.engine import AHEAD, THREADS
from ktviz.engines.versions import first_difference, versions
from ktviz.errors import ClusterError, ImageError, SettingError, StorageError


@pytest.fixture(params=["threads", "dask"])
def engine(request):
    """Either of them."""
    return THREADS if request.param == "threads" else request.getfixturevalue("cluster")


def square(number):
    time.sleep(0.02 * (number % 3))  # not in their order
    return number * number


def threads(_):
    return torch.get_num_threads()


def process(_):
    return os.getpid()


def test_results_are_in_the_order_of_the_things(engine):
    assert engine.map(square, range(20), "squaring", True) == [number * number for number in range(20)]
    assert sorted(engine.each(square, range(5), "squaring", True)) == [(n, n * n) for n in range(5)]
    assert engine.map(square, [], "squaring", True) == []


def test_each_thing_is_done_on_one_thread(engine):
    torch.set_num_threads(2)
    assert engine.map(threads, range(4), "counting", True) == [1] * 4
    assert torch.get_num_threads() == 2


class Read(Sequence):
    """Numbers, and how many of them were asked for."""

    def __init__(self, count):
        self.count, self.asked = count, 0

    def __len__(self):
        return self.count

    def __getitem__(self, number):
        if number >= self.count:
            raise IndexError
        self.asked += 1
        return number


def test_of_many_things_few_are_on_their_way(engine):
    things = Read(1000)
    work = engine.each(square, things, "squaring", True)
    next(work)
    assert things.asked <= AHEAD * 4 + 1
    work.close()


def test_the_bar_says_how_far_it_is_and_how_many_workers_there_are(cluster, capsys):
    cluster.map(square, range(6), "squaring numbers", False)
    said = capsys.readouterr().err
    assert "squaring numbers" in said
    assert "6/6" in said
    assert "2 workers" in said


def test_an_error_is_of_its_kind_and_names_the_worker(cluster, workers):
    with pytest.raises(ImageError, match=r"image 'a': it is blank, on worker tcp://.*Take another") as caught:
        cluster.map(Raising(ImageError("image 'a'", "it is blank", "Take another")), "a", "looking", True)
    assert any(worker in str(caught.value) for worker in workers)
    full = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    with pytest.raises(StorageError, match=r"looking: a: No space left on device, on worker tcp://.*"):
        cluster.map(Raising(full), "a", "looking", True)


def test_others_take_what_waits_for_a_slow_worker(cluster, workers):
    done = Counter(cluster.map(Where(workers[0]), range(24), "waiting", True))
    assert sum(done.values()) == 24
    assert 1 <= done[workers[0]] <= 8  # of 12 that would be its share


def test_what_kills_one_worker_after_the_other_is_named(cluster):
    with pytest.raises(ClusterError, match="working: 'poison': 2 workers died that were to do it"):
        cluster.map(Killed(), ["poison"], "working", True, repr)


def test_work_that_cannot_be_unpacked_is_told(cluster):
    class Missing:
        def __reduce__(self):
            return __import__, ("no_such_package",)

    with pytest.raises(ClusterError, match=r"unpack the work: No module named 'no_such_package', on worker"):
        cluster.map(Missing(), [1], "working", True)


@pytest.mark.parametrize("engine", ["dask", None, kt.Cluster])
def test_what_is_no_engine_is_refused(empty, toy, pictures, engine):
    with pytest.raises(SettingError, match=r"not an engine. Give a kt.Cluster"):
        empty.build("art/warm", [pictures / "warm"], encoder=toy, engine=engine, quiet=True)


# A cluster that is not there


def test_a_scheduler_that_does_not_answer_is_named(monkeypatch):
    monkeypatch.setattr(module, "ANSWER", 0.5)
    with pytest.raises(ClusterError, match=r"the scheduler at tcp://127.0.0.1:9: nobody answers.*dask scheduler"):
        kt.Cluster("tcp://127.0.0.1:9")
    with pytest.raises(ClusterError, match="the scheduler at nowhere://at all: nobody answers"):
        kt.Cluster("nowhere://at all")


def test_without_dask_it_is_said_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(ClusterError, match=r"pip install 'ktviz\[dask\]'"):
        kt.Cluster()


def test_without_an_address_processes_are_started_here():
    with kt.Cluster() as cluster:
        assert cluster.map(process, range(2), "asking", True)[0] != os.getpid()
        assert cluster.address.startswith("tcp://127.0.0.1:")
        assert cluster.dashboard.startswith("http://127.0.0.1:")
        assert repr(cluster) == f"Cluster({cluster.address!r}, {cluster.workers})"


def test_what_went_with_a_worker_is_done_again_by_the_next_one_and_without_workers_the_work_ends(
    machines, monkeypatch, capsys
):
    monkeypatch.setattr(module, "GLANCE", 0.2)
    with monkeypatch.context() as patch:
        patch.setattr(module, "PATIENCE", 0.3)
        with pytest.raises(ClusterError, match=r"it has no workers.*dask worker tcp://"):
            kt.Cluster(machines.address)
    first = machines.worker()
    with kt.Cluster(machines.address) as cluster:
        work = cluster.each(square, range(20), "squaring", True)
        found = [next(work)]
        time.sleep(0.5)  # others are done, and lie there
        first.kill()
        second = machines.worker()
        assert sorted([*found, *work]) == [(number, number * number) for number in range(20)]
        work = cluster.each(square, range(1000), "squaring", False)
        next(work)
        time.sleep(0.5)
        second.kill()
        monkeypatch.setattr(module, "PATIENCE", 0.5)
        with pytest.raises(ClusterError, match=r"no worker is left.*Start workers, and run the same command again"):
            list(work)
    assert "no worker, waiting for one" in capsys.readouterr().err


# Versions


def test_a_worker_that_computes_with_other_instructions_is_refused_when_it_is_met_and_when_it_comes_later(machines):
    here, other = torch.backends.cpu.get_cpu_capability(), {"ATEN_CPU_CAPABILITY": "default"}
    if here == "DEFAULT":
        pytest.skip("this processor has no other instructions")
    right = machines.worker()
    with kt.Cluster(machines.address) as cluster:
        right.kill()
        until(lambda: cluster.workers == "0 workers")
        machines.worker(**other)
        with pytest.raises(ClusterError, match=rf"instructions .*default, and here it is .*{here}, on worker"):
            cluster.map(square, range(3), "squaring", True)
    # older versions of torch call it "NO AVX"
    told = rf"worker tcp://.* has instructions .* (DEFAULT|NO AVX) .*here it is .*{here}"
    with pytest.raises(ClusterError, match=told):
        kt.Cluster(machines.address)


@pytest.mark.parametrize("name", versions())
def test_the_first_version_that_differs_is_named(name):
    here = versions()
    there = {**here, name: "0.1"}
    assert first_difference(here, dict(here)) == ""
    assert first_difference(here, there) == f"{name} 0.1, and here it is {here[name]}"
    del there[name]
    assert first_difference(here, there) == f"{name} none, and here it is {here[name]}"
