"""The workbench without a browser: what is chosen, made, refused and kept, and what nobody else sees."""

import datetime
import stat
import threading
import time
import zipfile
from dataclasses import fields
from io import BytesIO

import ipywidgets
import numpy as np
import pytest
import torch
from torch import nn

import ktviz as kt
from ktviz import samples
from ktviz.audit.audit import Audit
from ktviz.errors import SettingError
from ktviz.images import encode_image
from ktviz.systems.registry import system_class
from ktviz.workbench.app.controls import Controls
from ktviz.workbench.app.job import Job, Stopped
from ktviz.workbench.app.known import known_systems
from ktviz.workbench.app.private import PrivateFolder

MOST_S = 240
KNOWN = known_systems()


def file(name, pixels):
    """As a `FileUpload` has it."""
    content = pixels if isinstance(pixels, bytes) else encode_image(pixels, "png")
    day = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)
    known = {"name": name, "type": "image/png", "size": len(content), "last_modified": day}
    return {**known, "content": memoryview(content)}


@pytest.fixture
def bench():
    made = kt.Workbench()
    yield made
    made.close()


def said(*parts):
    return " ".join(part.value for part in parts).strip()


@pytest.mark.parametrize("name", [name for name, one in KNOWN.items() if one.settings])
def test_sliders_go_over_what_is_allowed(name):
    kind = KNOWN[name].settings
    assert set(kind.SLIDERS) <= {setting.name for setting in fields(kind)}
    for setting, ends in kind.SLIDERS.items():
        for end in ends:
            more = {"mode": "between"} if setting == "alpha" else {}
            assert getattr(kind(**{setting: end}, **more), setting) == end


@pytest.mark.parametrize("name", KNOWN)
def test_a_control_for_every_setting_that_is_a_single_value(name):
    controls = Controls()
    controls.show(KNOWN[name].settings)
    assert len(controls.controls) >= 2
    assert all(control.tooltip for control in controls.controls.values())
    assert controls.settle() == {}


def test_what_follows_from_a_choice_is_shown_and_is_no_choice():
    controls = Controls()
    controls.show(kt.Settings)
    assert controls.controls["align"].value == 1
    controls.controls["preset"].value = "paper"
    assert [controls.controls[name].value for name in ("align", "strength", "coherence")] == [0, 1, 0]
    assert controls.settle() == {"preset": "paper"}
    controls.controls["tone"].value = "sources"
    assert "no tone" in controls.problem.value
    with pytest.raises(SettingError, match="no tone"):
        controls.settle()
    controls.controls["align"].value = 0.5
    assert not controls.problem.value
    controls._again.click()
    assert (controls.settle(), controls.controls["preset"].value) == ({}, "beam")


def test_a_job_stops_before_its_next_step_and_counts_its_own():
    network, found, begun, go = nn.Linear(2, 2), [], threading.Event(), threading.Event()

    def work():
        network(torch.zeros(1, 2))
        begun.set()
        assert go.wait(20)
        network(torch.zeros(1, 2))

    job = Job(work, lambda steps: None, found.append)
    job.start()
    assert begun.wait(20)
    network(torch.zeros(1, 2))  # in this thread: nobody stops it, and it is no step of the job
    job.stop()
    network(torch.zeros(1, 2))
    go.set()
    job.wait(20)
    assert isinstance(found[0], Stopped)
    assert job.steps == 1
    network(torch.zeros(1, 2))


def test_every_system_is_offered_samples_and_banks_that_it_takes(bench):
    for name in KNOWN:
        bench.system = name
        assert bench.banks, name
        assert bench.picture, name
        material = bench.inputs.material()
        for part in KNOWN[name].takes:
            assert getattr(material, part) is not None, (name, part)


def test_an_uploaded_picture_is_translated_as_in_python_and_kept(bench, paint):
    bench.inputs.upload.value = [file("mine.png", paint(3, 96, 112))]
    assert bench.picture == "mine.png"
    bench.controls.controls["align"].value = 0.5
    bench.translating.button.click()
    bench.wait(MOST_S)
    assert not said(bench.translating.saying, bench.inputs.saying, bench.knowledge.saying)
    known = kt.Translator.shipped(samples.bank("art/impasto", quiet=True)).traced(paint(3, 96, 112), align=0.5)
    assert np.array_equal(bench.trace.output, known.output)
    assert bench.trace.picture.settings == known.picture.settings
    first = bench.trace
    bench.controls.controls["align"].value = 1.0
    bench.translate()
    bench.wait(MOST_S)
    assert [result.trace for result in bench.results.kept] == [bench.trace, first]
    assert bench.results.beside.disabled
    for tick in bench.results.ticks:
        tick.value = True
    bench.results.beside.click()
    both = bench.stage.children[0]
    assert isinstance(both, kt.Compare)
    assert [view.trace for view in both.views] == [first, bench.trace]
    bench.results.cards[1].children[-1].children[0].click()
    assert bench.trace is first
    view = bench.stage.children[0]
    assert isinstance(view, kt.Explorer)
    assert kt.without(first, first.sources()["source"].iloc[0], model=bench.shown.system).output.shape == (96, 112, 3)


@pytest.mark.slow
def test_what_is_shown_is_audited_and_handed_over_as_a_zip(bench, paint, tmp_path):
    bench.audit()
    assert "Translate one" in bench.auditing.saying.value
    bench.inputs.upload.value = [file("mine.png", paint(3, 96, 112))]
    bench.translate()
    bench.wait(MOST_S)
    bench.auditing.button.click()
    bench.wait(MOST_S)
    name, data = bench.audited.children[1].make()
    assert name == "audit.zip"
    zipfile.ZipFile(BytesIO(data)).extractall(tmp_path)
    assert Audit.open(tmp_path / "audit").trace.about["digests"] == bench.trace.about["digests"]


def test_what_is_wrong_is_said_beside_what_caused_it(bench, paint, world):
    bench.inputs.upload.value = [file("bad.png", b"no picture")]
    assert "bad.png" in bench.inputs.saying.value
    assert "bad.png" not in bench.inputs.choice.options
    bench.knowledge.add(world.library)
    assert bench.banks
    bench.translate()
    bench.wait(MOST_S)
    assert "it was built with toy" in bench.knowledge.saying.value
    bench.knowledge.of_banks.value = ()
    bench.translate()
    assert "no bank is chosen" in bench.knowledge.saying.value
    assert bench.trace is None
    labelled = next(name for name, one in KNOWN.items() if one.takes == ("labels",))
    bench.knowledge.of_library.value = "sample banks"
    bench.system = labelled
    bench.inputs.upload.value = [file("mine.png", paint(3, 96, 112))]
    bench.translate()
    bench.wait(MOST_S)
    assert "label map" in said(bench.translating.saying, bench.inputs.saying)


def test_pictures_of_one_name_are_told_apart_and_maps_stay_with_theirs(bench, paint):
    for seed in (1, 2):
        bench.inputs.upload.value = [file("image.png", paint(seed, 64, 64))]
    assert bench.picture == "image.png (2)"
    assert np.array_equal(bench.inputs.pixels(), paint(2, 64, 64))
    bench.inputs.of_maps["labels"].value = [file("map.png", paint(3, 64, 64))]
    assert bench.inputs.maps
    bench.picture = "image.png"
    assert np.array_equal(bench.inputs.pixels(), paint(1, 64, 64))
    assert not bench.inputs.maps


def test_a_translation_can_be_cancelled_and_made_again(bench, monkeypatch):
    begun, real = threading.Event(), nn.Conv2d.forward

    def slow(self, given):
        begun.set()
        time.sleep(0.05)
        return real(self, given)

    monkeypatch.setattr(nn.Conv2d, "forward", slow)
    bench.translate()
    assert bench.busy
    assert begun.wait(MOST_S)
    bench.translating.cancel.click()
    bench.wait(MOST_S)
    assert (bench.busy, bench.trace) == (False, None)
    assert "Stopped" in bench.translating.saying.value
    assert not bench.translating.button.disabled


@pytest.mark.slow
def test_a_library_of_uploaded_pictures_with_typed_credits_is_built_and_used(bench, paint):
    building = bench.building
    building.working.button.click()
    assert "no pictures" in building.saying.value
    building.upload.value = [file("a.png", paint(1, 96, 96)), file("b.png", paint(2, 96, 96)), file("c.png", b"x")]
    assert "c.png" in building.saying.value
    building.credits[0]["creator"].value = "Ann"
    building.credits[0]["licence"].value = "CC-BY-4.0"
    building.working.button.click()
    bench.wait(MOST_S)
    assert "is built" in building.working.saying.value, building.working.saying.value
    assert (bench.knowledge.of_library.value, bench.banks) == ("my-library.ktlib", ("mine/works",))
    table = kt.Library.open(building.library).sources.to_pandas().set_index("title")
    assert (table.loc["a", "creator"], table.loc["a", "licence"]) == ("Ann", "CC-BY-4.0")
    assert table.loc["b", "creator"] == "unknown"
    building.upload.value = [file("d.png", paint(5, 96, 96))]
    building.working.button.click()
    bench.wait(MOST_S)
    assert len(kt.Library.open(building.library)["mine/works"].sources) == 3
    bench.inputs.upload.value = [file("mine.png", paint(3, 96, 112))]
    bench.translate()
    bench.wait(MOST_S)
    assert {*bench.trace.sources()["creator"]} <= {"Ann", "unknown"}


def test_what_one_workbench_holds_no_other_sees_and_it_goes_with_it(paint):
    one, other = kt.Workbench(), kt.Workbench()
    one.inputs.upload.value = [file("../../mine.png", paint(3, 96, 112))]
    (path,) = one.inputs.uploaded.values()
    assert path.name == "mine.png"
    assert path.is_relative_to(one.folder.path)
    assert not path.is_relative_to(other.folder.path)
    assert stat.S_IMODE(one.folder.path.stat().st_mode) == 0o700
    assert "mine.png" not in other.inputs.choice.options
    one.close()
    assert not one.folder.path.exists()
    assert other.folder.path.exists()
    other.close()


def test_the_folder_goes_where_nobody_closed_the_workbench():
    class Owner:
        pass

    owner = Owner()
    folder = PrivateFolder(owner)
    del owner
    assert not folder.path.exists()


def test_it_links_with_other_widgets(bench):
    other = ipywidgets.Dropdown(options=[*KNOWN], value=bench.system)
    ipywidgets.link((other, "value"), (bench, "system"))
    chosen = next(name for name in KNOWN if name != bench.system)
    other.value = chosen
    assert (bench.knowledge.of_system.value, bench.system) == (chosen, chosen)
    assert bench.controls.kind is system_class(chosen).settings_type
    seen = []
    bench.observe(lambda change: seen.append(change["new"]), "settings")
    bench.controls.controls["seed"].value = 3
    assert seen == [{"seed": 3}]


def test_sample_names_are_those_that_can_be_read():
    for kind, names in samples.names().items():
        assert names
        getattr(samples, kind)(names[0])
    assert {*samples.banks()} == {*samples.banks()} >= {"art/impasto", "scenes/streets"}
