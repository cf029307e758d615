"""The suite that all systems share: the example of the docs passes it, and a system that breaks a promise does not."""

from __future__ import annotations

import importlib.util
import sys
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

import ktviz as kt
from ktviz.errors import KtvizError, UnknownNameError
from ktviz.images import to_pixels, to_tensor
from ktviz.retrieval.matches import Matches
from ktviz.systems import registry
from ktviz.systems.kt.translator import Translator
from ktviz.testing import ToyWorld, Trial, check_system, toy_photo
from ktviz.trace.trace import Trace

SCRIPT = Path(__file__).parent.parent / "examples" / "palette_system.py"
PLACE = "palette_system:PaletteSystem"


@pytest.fixture(scope="module")
def example():
    spec = importlib.util.spec_from_file_location("palette_system", SCRIPT)
    module = sys.modules["palette_system"] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def photo():
    stripes = np.array([(190, 70, 60), (30, 30, 60), (70, 110, 60), (220, 200, 150)], dtype=np.int64)
    noise = np.random.default_rng(2).integers(-20, 20, (32, 48, 3))
    return np.clip(stripes[np.arange(48) // 12] + noise, 0, 255).astype(np.uint8)


@pytest.fixture
def trial_of(example, photo):
    """`trial_of(system)`: a run of it; without a system, of the example."""

    def trial(system=None, **given):
        system = example.PaletteSystem() if system is None else system
        means = nn.functional.avg_pool2d(to_tensor(photo), example.CELL)[0]
        given = {
            "refused": {"NaN": lambda: system(np.full((32, 32, 3), np.nan))},
            "baseline": lambda: to_pixels(example.as_picture(means)),
            **given,
        }
        return Trial(system, lambda: to_pixels(system(photo)[1]), **given)

    return trial


@pytest.fixture
def registered(monkeypatch):
    monkeypatch.setitem(vars(registry)["OURS"], "palette", PLACE)


def test_the_example_keeps_all_promises(trial_of, registered):
    assert check_system(trial_of()) == {"removal": "its knowledge is in no library"}


def test_what_is_not_tried_is_told_with_the_reason(trial_of, example):
    nobody = "'palette' is not registered: nobody can open a system of that name"
    found = check_system(trial_of(refused={}, baseline=None))
    assert found == {
        "removal": "its knowledge is in no library",
        "baseline": "the trial makes no picture of the baseline",
        "bad input": "the trial has no bad input",
        "audit": nobody,
        "tamperings": nobody,
    }
    can_nothing = type("Deaf", (example.PaletteSystem,), {"abilities": frozenset()})()
    found = check_system(trial_of(can_nothing), ["rerun", "exclusion", "blending", "hooks"])
    assert found == {
        "rerun": "'palette' cannot make the same run again",
        "exclusion": "'palette' cannot run again without some of the knowledge",
        "blending": "'palette' cannot scale what each retrieval contributes, from a baseline to the whole",
    }


def test_a_blend_that_hears_no_amount_is_not_called_one_that_keeps_its_promise(trial_of, example):
    found = check_system(trial_of(always_whole(example.PaletteSystem)(), baseline=None), ["blending"])
    assert found == {"blending": "nothing changes between a blend at 0 and at 1"}


def test_checks_are_chosen_by_name(trial_of):
    assert check_system(trial_of(), "removal") == {"removal": "its knowledge is in no library"}
    with pytest.raises(UnknownNameError, match=r"check 'blendin'.*Did you mean blending"):
        check_system(trial_of(), ["blendin"])


# A system that breaks a promise


def other_picture(base):
    """It paints something else at every other run."""

    class Broken(base):
        runs = 0

        def forward(self, photo, without=()):
            photo, painted, gone = super().forward(photo, without)
            self.runs += 1
            return photo, painted * (1 - 0.1 * (self.runs % 2)), gone

    return Broken


def other_weights(base):
    """A run changes them, though too little to be seen."""

    class Broken(base):
        def forward(self, photo, without=()):
            found = super().forward(photo, without)
            self.colours = self.colours * (1 - 1e-6)
            return found

    return Broken


def left_hooks(base):
    """A run leaves a hook."""

    class Broken(base):
        def forward(self, photo, without=()):
            self.register_forward_hook(lambda *_: None)
            return super().forward(photo, without)

    return Broken


def by_threads(base):
    """It depends on the number of threads."""

    class Broken(base):
        def forward(self, photo, without=()):
            photo, painted, gone = super().forward(photo, without)
            return photo, painted * (1 - 0.1 * (torch.get_num_threads() > 1)), gone

    return Broken


def reading(base, change):
    """Its site reads other matches."""

    class Broken(base):
        def __init__(self):
            super().__init__()
            read = self.nearest.read
            self.nearest.read = lambda inputs, output: read(inputs, change(output))

    return Broken


def heavy_weights(base):
    def heavy(matches):
        return Matches(matches.entry, matches.similarity, matches.chosen, torch.ones(matches.entry.shape))

    return reading(base, heavy)


def light_weights(base):
    """It says nothing of three quarters of what was taken."""

    def light(matches):
        weight = torch.zeros(matches.entry.shape)
        weight[:, 0] = 0.25
        return Matches(matches.entry, matches.similarity, matches.chosen, weight)

    return reading(base, light)


def small_footprint(base):
    return type("Broken", (base,), {"footprint": lambda self, trace, mask: trace.overlap(mask) / 2})


def same_trace(base):
    """It says of every run that it would be the same again."""

    class Broken(base):
        def rerun(self, trace, *, without=(), **settings):
            return super().rerun(trace, without=without, **settings) if without or settings else trace

    return Broken


def other_run(base):
    """Made again, it is without a colour."""

    class Broken(base):
        def rerun(self, trace, *, without=(), **settings):
            return super().rerun(trace, without=[*without, "brick"], **settings)

    return Broken


def opened_as_another(base):
    class Broken(base):
        @classmethod
        def opened(cls, trace, library, like=None):
            made = cls()
            made.colours = made.colours.flip(0)
            return made

    return Broken


def nothing_left_out(base):
    """It uses what is left out."""

    class Broken(base):
        def rerun(self, trace, *, without=(), **settings):
            return super().rerun(trace, **settings)

    return Broken


def other_part(base):
    """A part is made with what is left out."""

    class Broken(base):
        def exclude(self, trace, within):
            return lambda without=(), **settings: trace.output[within.pixels]

    return Broken


def blended(base, change):
    """Its blends are others."""

    class Broken(base):
        def blend(self, trace, within):
            blend = super().blend(trace, within)
            made = partial(change, blend)
            made.retrievals = blend.retrievals
            return made

    return Broken


def never_whole(base):
    return blended(base, lambda blend, amount: blend(amount * 0.5))


def half_slope(base):
    return blended(base, lambda blend, amount: blend((amount + amount.detach()) / 2))


def no_start(base):
    return blended(base, lambda blend, amount: blend(amount) + torch.where(amount.sum() == 0, torch.nan, 0))


def other_start(base):
    return blended(base, lambda blend, amount: blend(0.2 + 0.8 * amount))


def always_whole(base):
    return blended(base, lambda blend, amount: blend(torch.ones_like(amount)))


def deaf(base):
    """It hears no settings that it does not know."""

    class Broken(base):
        def rerun(self, trace, *, without=(), **settings):
            return super().rerun(trace, without=without)

    return Broken


BROKEN = [
    ("neutrality", other_picture, "makes another picture"),
    ("neutrality", other_weights, "other digests"),
    ("hooks", left_hooks, "left its hooks"),
    ("threads", by_threads, "on 2 threads"),
    ("completeness", heavy_weights, "weights do not add up to 1"),
    ("completeness", light_weights, "weights leave 0.75 over, and the trial says 0"),
    ("completeness", small_footprint, "footprint"),
    ("rerun", other_run, "made again, it is another"),
    ("rerun", opened_as_another, "opened and made again, it is another"),
    ("exclusion", nothing_left_out, "was left out and is used"),
    ("exclusion", other_part, "a part is not that of the whole"),
    ("blending", never_whole, "at 1 is not the output"),
    ("blending", half_slope, "derivative is 0.500 where differences show 1.000"),
    ("blending", no_start, "at 0 is not finite"),
    ("baseline", always_whole, "at 0 is not the photo's own mean colours"),
    ("baseline", other_start, "at 0 is not the photo's own mean colours"),
    ("bad questions", deaf, "a setting that does not exist is not refused"),
    ("audit", other_run, "a true audit is called false"),
    ("tamperings", same_trace, "is called true"),
]


@pytest.mark.parametrize(("check", "breaks", "said"), BROKEN, ids=[f"{one}, {two.__name__}" for one, two, _ in BROKEN])
def test_a_system_that_breaks_a_promise_is_found(check, breaks, said, example, trial_of, registered, monkeypatch):
    broken = breaks(example.PaletteSystem)
    monkeypatch.setattr(example, "PaletteSystem", broken)
    with pytest.raises(AssertionError, match=said):
        check_system(trial_of(broken()), check)


def test_a_trace_that_opens_as_another_is_found(trial_of, monkeypatch):
    opened = Trace.open
    monkeypatch.setattr(Trace, "open", lambda path: opened(path)[kt.Box(0, 0, 16, 16)])
    with pytest.raises(AssertionError, match="opens as another one"):
        check_system(trial_of(), "round trip")


def test_bad_input_must_be_refused_in_words(trial_of):
    def silent():
        raise KtvizError("this", "", "that")

    for call, said in ((lambda: None, "NaN is not refused"), (silent, "NaN is refused without words")):
        with pytest.raises(AssertionError, match=said):
            check_system(trial_of(refused={"NaN": call}), "bad input")


def test_a_system_that_reads_no_library_uses_what_was_removed(tmp_path):
    class Careless(Translator):
        @classmethod
        def opened(cls, trace, library, like=None):
            return like

    world, photo = ToyWorld(tmp_path), toy_photo()
    careless = Careless(world.banks, world.translator.encoder, world.translator.decoder)
    trials = [Trial(one, lambda one=one: one(photo).image, world.library) for one in (world.translator, careless)]
    assert check_system(trials[0], "removal") == {}
    with pytest.raises(AssertionError, match="was removed and is used"):
        check_system(trials[1], "removal")
