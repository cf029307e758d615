"""A lane of its own (`make processors`): suites and audits under the kernels of processors that are not here.

MKL, oneDNN and PyTorch choose their kernels by the processor's instruction set, and each sums in an order of its own.
Environment variables make them choose as on another processor; the rest of that processor cannot be had.
"""

from __future__ import annotations

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from conftest import paint_picture
from systems.cocosnet.conftest import CONFIGURATION, block_map, random_networks

import ktviz as kt
from ktviz.audit.agreement import check_run
from ktviz.explain.case import case_of
from ktviz.images import read_image, resize_short_side, write_image
from ktviz.labels import write_map
from ktviz.systems.kt.bounds import Bounds
from ktviz.systems.kt.live import live
from ktviz.systems.kt.rounding import Case as Judged
from ktviz.systems.kt.rounding import faults

KERNELS = {
    "as it is": {},
    "MKL AVX2": {"MKL_ENABLE_INSTRUCTIONS": "AVX2"},
    "MKL AVX-512": {"MKL_ENABLE_INSTRUCTIONS": "AVX512"},
    "MKL compatible": {"MKL_CBWR": "COMPATIBLE"},
    "oneDNN AVX2": {"ONEDNN_MAX_CPU_ISA": "AVX2"},
    "oneDNN SSE4.1": {"ONEDNN_MAX_CPU_ISA": "SSE41"},
    "PyTorch without vectors": {"ATEN_CPU_CAPABILITY": "default"},
}
NAMES = list(KERNELS)
SUITES = (
    "bands",
    "exact",
    "lists",
    "keys",
    "search",
    "coherence",
    "tree",
    "dedupe",
    "descent",
    "trace",
    "toy_world",
    "audit",
    "verify",
)
SUITE_RUNS = [(NAMES[0], 2), *((name, 1) for name in NAMES)]
"""Kernels and threads. Under each, translations with one thread and with two are compared besides."""
TESTS = Path(__file__).parent
AT_ONCE = 2
SIMILARITY, LEVELS = 1e-5, 1
"""What docs/exactness.md says that results of two processors may differ by."""
BUILD = """
import sys, ktviz as kt
kt.Library.ensure(sys.argv[1]).build("art/few", sys.argv[2:], quiet=True)
"""
TRACE = """
import hashlib, sys, torch, ktviz as kt
translate = kt.Translator.shipped(kt.Library.open(sys.argv[1])["art/few"])
trace = translate.traced(kt.read_image(sys.argv[2]))
trace.save(sys.argv[3], pictures="both")
random = torch.Generator().manual_seed(0)
product = torch.randn(300, 500, generator=random) @ torch.randn(500, 200, generator=random)
for found in (translate.encode(trace.input), product):
    print(hashlib.sha256(found.numpy().tobytes()).hexdigest())
"""
AUDIT = """
import sys, ktviz as kt
translate = kt.Translator.shipped(kt.Library.open(sys.argv[1])["art/few"])
trace = translate.traced(kt.read_image(sys.argv[2]))
region = kt.Box(30, 20, 48, 40)
asked = [kt.attribute(trace, region), kt.attribute(trace, region, through="gradient")]
seen = kt.compare(trace, kt.without(trace, trace.sources()["source"][0]))
kt.Audit.create(trace, attributions=asked, comparisons=seen).save(sys.argv[3])
"""
LABELS = """
import sys, ktviz as kt
from ktviz.systems.cocosnet.networks import Networks
folder, audits = sys.argv[1:]
networks = Networks.load(folder)
system = kt.CoCosNet(f"{folder}/exemplar.png", f"{folder}/exemplar-labels.png", networks)
settings = [{}, {"temperature": 0.1, "top": 10**4}, {"temperature": 1e-3, "top": 50}, {"temperature": 1e-6}]
for number, given in enumerate(settings):
    place = f"{audits}-{number}"
"""
PAINT = f"""{LABELS}
    trace = system.traced(f"{{folder}}/labels.png", **given)
    seen = kt.compare(trace, kt.without(trace, kt.Box(0, 0, 16, 16)))
    kt.Audit.create(trace, comparisons=seen).save(place)
"""
VERIFY_PAINTED = f"""{LABELS}
    if number < 3:
        verdict = kt.verify(place, model=system)
        assert verdict, verdict.difference
        continue
    trace = kt.Audit.open(place).trace  # so sharp that other cells win, and the picture is another: its rows must do
    system.check_rounded(place, trace, system.rerun(trace))
"""
ROUNDING = ("oneDNN AVX2", "oneDNN SSE4.1")
PHOTOS = ("bsds_81066", "kodak_16")
BEAMS = (80, 4)
EDGE = f"""
import sys, ktviz as kt
photo, library, out = sys.argv[1:]
translate = kt.Translator.shipped(kt.Library.open(library)["art/works"])
for beam in {BEAMS}:
    translate.traced(kt.read_image(photo), beam=beam).save(f"{{out}}-{{beam}}.parquet", pictures="both")
"""
KTVIZ = "from ktviz.cli.main import main; main()"


def python(name, threads, *arguments):
    """Run Python under some kernels; what it printed."""
    environment = {**os.environ, **KERNELS[name], "OMP_WAIT_POLICY": "PASSIVE"}  # several share the cores
    environment |= {"OMP_NUM_THREADS": str(threads), "KTVIZ_TEST_THREADS": str(threads)}
    command = [sys.executable, *map(str, arguments)]
    done = subprocess.run(command, env=environment, cwd=TESTS.parent, capture_output=True, text=True)
    assert done.returncode == 0, (done.stdout + done.stderr)[-4000:]
    return done.stdout.strip()


class Runs:
    """Runs under all kernels, some at a time, each begun once and waited for where it is needed."""

    def __init__(self, run, cases):
        self.pool = ThreadPoolExecutor(AT_ONCE)
        self.found = {case: self.pool.submit(run, *case) for case in cases}

    def __getitem__(self, case):
        return self.found[case].result()


@pytest.fixture(scope="session")
def suites():
    """What the suites printed under each kernel, and with two threads."""
    files = [TESTS / f"test_{suite}.py" for suite in SUITES]
    options = ("-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", *files)
    return Runs(lambda *case: python(*case, *options), SUITE_RUNS)


@pytest.fixture(scope="session")
def folder(tmp_path_factory, samples):
    """A library of three paintings, and a photograph."""
    folder = tmp_path_factory.mktemp("processors")
    for number, path in enumerate(sorted((samples / "art").rglob("*.jpg"))[::7][:3]):
        write_image(folder / "in" / f"{number}.png", resize_short_side(read_image(path), 192))
    write_image(folder / "photo.png", resize_short_side(read_image(samples / "photos" / "coffee.jpg"), 160))
    python(NAMES[0], 2, "-c", BUILD, folder / "few.ktlib", folder / "in")
    return folder


@pytest.fixture(scope="session")
def traces(folder):
    """By kernels and threads: a trace, and digests of the photograph's features and of a matrix product."""

    def run(name, threads):
        path = folder / f"{NAMES.index(name)}-{threads}.parquet"
        printed = python(name, threads, "-c", TRACE, folder / "few.ktlib", folder / "photo.png", path)
        return kt.Trace.open(path), printed.split()

    return Runs(run, [(name, threads) for name in NAMES for threads in (1, 2)])


@pytest.fixture(scope="session")
def audits(folder):
    """By kernels: the folder of an audit, with attributions and a comparison that a person asked for."""

    def run(name):
        out = folder / f"audit-{NAMES.index(name)}"
        python(name, 1, "-c", AUDIT, folder / "few.ktlib", folder / "photo.png", out)
        return out

    return Runs(run, [(name,) for name in NAMES])


@pytest.fixture(scope="session")
def scene(tmp_path_factory):
    """Networks of CoCosNet that nobody trained, an exemplar, and label maps."""
    folder = tmp_path_factory.mktemp("scene")
    random_networks(CONFIGURATION).save(folder)
    write_image(folder / "exemplar.png", paint_picture(2, 96, 120))
    write_map(folder / "exemplar-labels.png", block_map(3, 96, 120))
    write_map(folder / "labels.png", block_map(1, 90, 128, count=5))
    return folder


@pytest.fixture(scope="session")
def painted(scene):
    """By kernels: where the audits of label maps lie, at several temperatures."""

    def run(name):
        audits = scene / f"audit-{NAMES.index(name)}"
        python(name, 1, "-c", PAINT, scene, audits)
        return audits

    return Runs(run, [(name,) for name in NAMES])


@pytest.mark.parametrize(("name", "threads"), SUITE_RUNS)
def test_the_suites_pass(suites, name, threads):
    suites[name, threads]


@pytest.mark.parametrize("name", NAMES)
def test_the_number_of_threads_changes_no_bit(traces, name):
    (one, first), (two, second) = traces[name, 1], traces[name, 2]
    assert first[0] == second[0]
    assert one.digest == two.digest
    assert np.array_equal(one.output, two.output)


def test_kernels_do_differ(traces):
    """The control: without it, nothing here would say anything about another processor."""
    assert len({tuple(traces[name, 1][1]) for name in NAMES}) > 2


@pytest.mark.parametrize("name", NAMES[1:])
def test_these_kernels_differ_from_those_at_hand(traces, name):
    if traces[name, 1][1] == traces[NAMES[0], 1][1]:
        pytest.skip(f"on this processor, {name} changes no bit: it proves nothing here")


@pytest.mark.parametrize("name", NAMES[1:])
def test_results_of_two_processors_agree_up_to_what_is_stated(traces, name):
    known, found = traces[NAMES[0], 1][0], traces[name, 1][0]
    assert np.abs(known.column("similarity") - found.column("similarity")).max() <= SIMILARITY
    assert np.abs(known.output.astype(int) - found.output).max() <= LEVELS
    other = known.column("entry") != found.column("entry")
    assert other.mean() <= 0.01
    assert np.all(known.column("margin")[other & ~known.column("kt.coherent")] <= 2 * SIMILARITY)


@pytest.mark.parametrize("step", [1, 3])
@pytest.mark.parametrize("name", NAMES)
def test_an_audit_made_on_one_processor_is_verified_on_another(audits, folder, name, step):
    other = NAMES[(NAMES.index(name) + step) % len(NAMES)]
    python(other, 2, "-c", KTVIZ, "verify", audits[name,], "-l", folder / "few.ktlib")


@pytest.mark.parametrize("step", [1, 3])
@pytest.mark.parametrize("name", NAMES)
def test_what_was_painted_on_one_processor_is_verified_on_another(painted, scene, name, step):
    other = NAMES[(NAMES.index(name) + step) % len(NAMES)]
    python(other, 2, "-c", VERIFY_PAINTED, scene, painted[name,])


@pytest.fixture(scope="session")
def works(shared, tmp_path_factory):
    """A library of two paintings at full size."""
    library = kt.Library.ensure(tmp_path_factory.mktemp("works") / "works.ktlib")
    library.build("art/works", [shared / "data" / "paintings" / "morisot"], quiet=True)
    return library


@pytest.fixture(scope="session")
def translate(works):
    return kt.Translator.shipped(works["art/works"])


@pytest.fixture(scope="session")
def photographs(works, shared):
    """By kernels: traces of photographs at full size, with many leaves and with few."""

    def run(name):
        found = []
        for photo in PHOTOS:
            out = works.folder.parent / f"{NAMES.index(name)}-{photo}"
            python(name, 1, "-c", EDGE, shared / "data" / "photos_eval" / f"{photo}.jpg", works.folder, out)
            found += [kt.Trace.open(f"{out}-{beam}.parquet") for beam in BEAMS]
        return found

    return Runs(run, [(name,) for name in ROUNDING])


@pytest.mark.parametrize("name", ROUNDING)
def test_where_a_beam_ends_rounding_may_decide(photographs, translate, name):
    for trace in photographs[name,]:
        check_run("trace", case_of(trace, model=translate), trace)


def test_rounding_does_decide_where_a_beam_ends(photographs, translate):
    """The control: without it, the test above would say nothing."""
    asked = [
        live(trace.site(site), translate) for name in ROUNDING for trace in photographs[name,] for site in trace.sites
    ]
    judged = [Judged("trace", case, case.asking) for case in asked]
    assert any(bool(wrong.any()) for case in judged for _, wrong in faults(case, Bounds.of(case.found)))
