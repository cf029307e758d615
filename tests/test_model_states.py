"""Models in other precisions, in autocast, on "meta", compiled, in forked processes: the same, or why not."""

from __future__ import annotations

import copy
import hashlib
import multiprocessing
import os
import subprocess
import sys
from textwrap import dedent

import numpy as np
import pytest
import torch
from torch import nn

import ktviz as kt
from ktviz.audit.verify import verify
from ktviz.errors import LibraryError, MismatchError, SettingError, TraceError, WeightsError
from ktviz.labels import Classes
from ktviz.networks.running import run
from ktviz.networks.weights import module_digest
from ktviz.systems.cocosnet.configuration import small
from ktviz.systems.cocosnet.networks import Networks as CocosnetNetworks
from ktviz.systems.image_analogy.method import Method
from ktviz.systems.pix2pixhd.coder import Coder
from ktviz.systems.pix2pixhd.shape import Shape
from ktviz.systems.pix2pixhd.trained import Networks
from ktviz.trace.about import model_digests


@pytest.fixture(scope="module")
def library(tmp_path_factory, samples):
    library = kt.Library.ensure(
        tmp_path_factory.mktemp("states") / "l.ktlib", settings=kt.LibrarySettings(side_px=96, stride=2)
    )
    library.build("art/few", [samples / "art" / "impasto" / "straw-hat.jpg"], quiet=True)
    return library


@pytest.fixture
def translator(library):
    return kt.Translator.shipped(library["art/few"])


@pytest.fixture(scope="module")
def photo(samples):
    return kt.read_image(samples / "photos" / "coffee.jpg")[100:196, 150:278]


@pytest.fixture(scope="module")
def expected(library, photo):
    return kt.Translator.shipped(library["art/few"])(photo)


@pytest.mark.parametrize(("kind", "levels"), [("half", 2), ("bfloat16", 32), ("double", 1)])
def test_networks_of_another_precision_compute_in_theirs(translator, photo, kind, levels):
    """As published: alignment makes the rounding of what hardly varies louder."""
    expected = translator(photo, align=0).image
    image = getattr(translator, kind)()(photo, align=0).image
    apart = np.abs(image.astype(int) - expected)
    assert apart.mean() < max(0.5, levels / 8)
    assert np.quantile(apart, 0.99) <= levels


def representable(module):
    """With weights that all precisions hold exactly."""
    return module.half().bfloat16().float()


SHAPE = Shape(classes=3, codes=3, width=4, downs=2, blocks=1, encoder_width=4, encoder_downs=2)
CHANGED = {
    "kt": (lambda translator: translator, lambda system: system.digests(), {"encoder", "decoder"}),
    "image-analogy": (
        lambda translator: kt.ImageAnalogy(np.zeros((32, 32, 3), np.uint8), Method.shipped()),
        lambda system: system.digests(),
        {"pyramid", "inverse"},
    ),
    "cocosnet": (
        lambda translator: CocosnetNetworks(small(Classes.numbered(2))),
        lambda networks: networks.digests(),
        {"correspondence", "generator"},
    ),
    "pix2pixhd": (
        lambda translator: Networks(
            Shape(classes=3, codes=3, width=4, downs=2, blocks=1, encoder_width=4, encoder_downs=2)
        ),
        lambda networks: networks.digests(),
        {"generator", "encoder"},
    ),
    "adapted": (lambda translator: nn.Linear(3, 3), model_digests, {"model"}),
}


@pytest.mark.parametrize("kind", ["half", "bfloat16", "double"])
@pytest.mark.parametrize("system", CHANGED)
def test_digests_tell_precisions_apart_also_where_no_weight_changed(translator, system, kind):
    make, digests, networks = CHANGED[system]
    model = representable(copy.deepcopy(make(translator)))
    before, after = digests(model), digests(getattr(copy.deepcopy(model), kind)())
    assert {name for name in before if before[name] != after[name]} == networks


def test_the_digest_in_single_precision_is_that_of_layers_names_shapes_and_values():
    """So it always was: audits, banks and traces hold it."""
    module = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4))
    expected = hashlib.sha256(str(module).encode())
    for name, value in sorted(module.state_dict().items()):
        expected.update(f"{name}{tuple(value.shape)}".encode() + value.float().numpy().tobytes())
    assert module_digest(module) == expected.hexdigest()
    assert module_digest(representable(module).half(), in_single=True) == module_digest(module.float())


def test_a_bank_of_codes_goes_with_its_encoder_in_any_precision_and_not_the_other_way_round():
    networks = representable(CHANGED["pix2pixhd"][0](None))
    halves = copy.deepcopy(networks).half()
    assert Coder(halves).made(Coder(networks).digest)
    assert not Coder(networks).made(Coder(halves).digest)


def test_a_system_in_another_precision_is_another_one_and_can_be_audited(translator, library, photo, samples, tmp_path):
    other, part = copy.deepcopy(translator).half(), photo[:48, :48]
    trace = other.traced(part)
    with pytest.raises(MismatchError, match="the encoder of the trace"):
        kt.compare(translator.traced(part), trace)
    kt.Audit.create(trace, sample=10).save(tmp_path / "audit")
    assert verify(tmp_path / "audit", library, model=other)
    assert "of the trace" in verify(tmp_path / "audit", library).difference
    with pytest.raises(LibraryError, match="it was built with"):
        library.add("art/few", [samples / "art" / "impasto" / "starry-river.jpg"], encoder=other.encoder, quiet=True)


@pytest.mark.parametrize("kind", [torch.bfloat16, torch.float16])
def test_autocast_changes_nothing(translator, library, photo, expected, samples, kind):
    with torch.autocast("cpu", dtype=kind):
        trace = translator.traced(photo)
        shares = kt.attribute(trace, kt.Box(0, 0, 64, 64), through="gradient").frame
        work = samples / "art" / "impasto" / "straw-hat.jpg"
        again = kt.Library.ensure(library.folder.with_name(f"{kind}.ktlib"), settings=library.settings)
        bank = again.build("art/few", [work], quiet=True)
    assert np.array_equal(trace.output, expected.image)
    assert shares.equals(kt.attribute(trace, kt.Box(0, 0, 64, 64), through="gradient").frame)
    assert bank.digests() == library["art/few"].digests()


@pytest.mark.parametrize("kind", [torch.float64, torch.bfloat16])
def test_another_default_type_is_refused_in_one_sentence(translator, library, photo, expected, kind):
    torch.set_default_dtype(kind)
    try:
        for ask in (lambda: translator(photo), lambda: kt.Translator.shipped(library["art/few"])):
            with pytest.raises(SettingError, match=r"ktviz computes in torch\.float32.*set_default_dtype"):
                ask()
    finally:
        torch.set_default_dtype(torch.float32)
    assert np.array_equal(translator(photo).image, expected.image)


def test_a_question_within_another_default_is_refused_in_one_sentence(translator, photo, library, another_default):
    trace = translator.traced(photo)
    with another_default():
        for ask in (lambda: kt.without(trace, "straw-hat.jpg"), lambda: kt.attribute(trace, through="footprint")):
            with pytest.raises(SettingError, match=r"PyTorch's default (type|device)"):
                ask()
        banks = library["art/few"]
    assert np.array_equal(kt.Translator(banks, translator.encoder, translator.decoder)(photo).image, trace.output)


def test_a_model_without_weights_is_refused(translator, photo):
    with pytest.raises(WeightsError, match="on meta: there it has shapes, but no weights"):
        translator.to("meta")(photo)


class Picky(nn.Module):
    """A network that computes in single precision only, as some kernels do."""

    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(1))

    def forward(self, image):
        if image.dtype != torch.float32:
            raise RuntimeError("\"picky\" not implemented for 'Half'\nmore")
        return image * self.weight


def test_what_cannot_compute_in_its_precision_says_so():
    assert run(Picky(), torch.ones(2)).tolist() == [1, 1]
    with pytest.raises(WeightsError, match=r"run Picky in float16 on cpu: \"picky\" not implemented.*\.float\(\)"):
        run(Picky().half(), torch.ones(2))


def test_an_error_of_a_network_s_own_is_its_own():
    with pytest.raises(RuntimeError, match="size of tensor"):
        run(lambda given: given + torch.ones(3), torch.ones(2))


def test_a_compiled_translator_is_recorded_as_it_was_before(world, paint):
    compiled = torch.compile(world.translator, backend="eager")
    with pytest.raises(TraceError, match="the model is compiled"), kt.record(compiled):
        compiled(paint(9))
    assert np.array_equal(world.translator.traced(paint(9)).output, world.translator(paint(9)).image)


def test_the_trace_of_a_model_with_compiled_parts_names_them(translator, photo):
    translator.encoder.compile(backend="eager")
    trace = translator.traced(photo)
    assert trace.about["device"] == "cpu, encoder compiled"
    assert not translator.traced(photo).about["device"].startswith("cpu, cpu")


def test_an_adapted_module_within_a_compiled_model_is_refused():
    model = nn.Sequential(nn.Linear(4, 8), nn.Softmax(-1))
    compiled = torch.compile(model, backend="eager")
    compiled(torch.rand(16, 4))
    site = kt.adapt(
        model[1],
        lambda inputs, output: kt.Matches.soft(output, top=2),
        queries=kt.Queries.grid(4, 4, step_px=4),
        catalogue=kt.Catalogue.wholes([str(n) for n in range(8)]),
    )
    with pytest.raises(TraceError, match="compiled"), kt.record(compiled, site):
        compiled(torch.rand(16, 4))


@pytest.mark.skipif("fork" not in multiprocessing.get_all_start_methods(), reason="no fork here")
def test_a_forked_process_translates_the_same(library, tmp_path, photo):
    np.save(tmp_path / "photo.npy", np.tile(photo, (2, 2, 1)))
    script = dedent(f"""
        import multiprocessing, sys, numpy as np, ktviz as kt
        translate = kt.Translator.shipped(kt.Library.open({str(library.folder)!r})["art/few"])
        photo = np.load({str(tmp_path / "photo.npy")!r})
        def work(_):
            return translate(photo).image
        if __name__ == "__main__":
            here = work(0)
            with multiprocessing.get_context("fork").Pool(2) as pool:
                assert all(np.array_equal(here, there) for there in pool.map(work, range(2)))
            print("equal")
    """)
    (tmp_path / "forking.py").write_text(script)
    command = [sys.executable, tmp_path / "forking.py"]
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=120, env={**os.environ, "OMP_NUM_THREADS": "2"}
    )
    assert done.stdout.strip() == "equal", done.stderr


def test_another_default_device_is_refused(translator, photo):
    with torch.device("meta"), pytest.raises(SettingError, match="default device"):
        translator(photo)


def test_complex_weights_are_refused(translator, photo):
    with pytest.raises(WeightsError, match="not complex"):
        translator.to(torch.complex64)(photo)
