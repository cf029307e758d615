"""A cluster of two processes, and a server of the kind of S3."""

from __future__ import annotations

from types import SimpleNamespace

import dask
import pytest
from distributed import Client, LocalCluster

import ktviz as kt
from engines.machines import Machines
from engines.trouble import Counted

BUCKET = "shards"


@pytest.fixture(scope="package")
def s3():
    """The URL of a bucket that all processes started from here reach."""
    from fsspec import get_filesystem_class, url_to_fs
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    there = {
        "AWS_ENDPOINT_URL": f"http://{host}:{port}",
        "AWS_ACCESS_KEY_ID": "nobody",
        "AWS_SECRET_ACCESS_KEY": "nothing",
        "AWS_DEFAULT_REGION": "us-east-1",
    }
    with pytest.MonkeyPatch.context() as patch:
        for name, value in there.items():
            patch.setenv(name, value)
        get_filesystem_class("s3").clear_instance_cache()  # it knows the address of another server
        url_to_fs(f"s3://{BUCKET}")[0].makedirs(f"s3://{BUCKET}", exist_ok=True)
        yield f"s3://{BUCKET}"
    server.stop()


@pytest.fixture(scope="package")
def two(s3):
    """Two workers, each a process; started again where one is killed, and one image may kill one."""
    with (
        dask.config.set({"distributed.scheduler.allowed-failures": 1}),
        LocalCluster(n_workers=2, threads_per_worker=1, memory_limit=0, dashboard_address="127.0.0.1:0") as machines,
        Client(machines, set_as_default=False) as client,
    ):
        yield SimpleNamespace(address=machines.scheduler_address, client=client)


@pytest.fixture
def cluster(two):
    """The engine that they are, both of them there."""
    two.client.wait_for_workers(2, timeout=60)
    with kt.Cluster(two.address) as cluster:
        yield cluster


@pytest.fixture
def workers(cluster, two):
    """Their addresses."""
    return sorted(two.client.nthreads())


@pytest.fixture
def machines(tmp_path):
    """A scheduler of its own, still without workers."""
    folder = tmp_path / "machines"
    folder.mkdir()
    machines = Machines(folder)
    yield machines
    machines.end()


@pytest.fixture
def hooked(make_toy):
    """`hooked(hook)`: the toy encoder, with something that happens before it encodes."""

    def make(hook):
        encoder = make_toy()
        encoder.register_forward_pre_hook(hook)
        return encoder

    return make


@pytest.fixture
def counting(hooked, tmp_path):
    """The toy encoder, and `counting.taken()`: how often it has encoded since that was asked last."""
    folder = tmp_path / "calls"
    folder.mkdir()

    def taken():
        calls = [*folder.iterdir()]
        for call in calls:
            call.unlink()
        return len(calls)

    return SimpleNamespace(encoder=hooked(Counted(folder)), taken=taken)


@pytest.fixture(scope="session")
def whole(world):
    """Digest of the bank of the warm pictures, built by threads."""
    return world.library.record("art/warm").digest


@pytest.fixture
def empty(tmp_path, toy, settings):
    """A library without banks."""
    return kt.Library.ensure(tmp_path / "new.ktlib", toy, settings)
