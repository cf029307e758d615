"""Recording: the same pixels, every retrieval, and nothing left behind whatever happens in the block."""

from __future__ import annotations

import copy
import gc
import pickle
import threading
import weakref
from contextlib import ExitStack, contextmanager

import numpy as np
import pytest
import torch
from torch import Tensor, nn

import ktviz as kt
from ktviz.errors import SettingError, TraceBudgetError, TraceError, TraceNotFinishedError
from ktviz.memory import as_bytes
from ktviz.systems.kt.translator import Translator
from ktviz.trace.listeners import Listener
from ktviz.trace.record import Recorder


def field_of(matches, name):
    """A field of matches, or one of their extensions."""
    return getattr(matches, name) if hasattr(matches, name) else matches[name]


TONED = ["tone", "retrieval"]
"""The sites of a translator that aligns, each with all queries."""
FIELDS = ("entry", "similarity", "bands", "path", "chosen", "coherent")


class Pick(kt.RetrievalSite):
    """Every cell of a grid takes the flat colour that is nearest to its mean."""

    def __init__(self, cell_px: int) -> None:
        super().__init__()
        self.cell_px = cell_px
        self.register_buffer("colours", torch.eye(3))

    def forward(self, image: Tensor) -> kt.Matches:
        cells = nn.functional.avg_pool2d(image, self.cell_px).flatten(2).permute(0, 2, 1).flatten(0, 1)
        similarity, entry = (cells @ self.colours.T).sort(dim=1, descending=True, stable=True)
        return kt.Matches.hard(entry, similarity)

    def read(self, inputs, output):
        image = inputs[0]
        rows, columns = (side // self.cell_px for side in image.shape[2:])
        count = rows * columns
        parts = [slice(n * count, (n + 1) * count) for n in range(len(image))]
        queries = kt.Queries.grid(rows, columns, self.cell_px)
        colours = kt.Catalogue.wholes(["red", "green", "blue"], bank="flat/colours")
        return [
            kt.Reading(kt.Matches.hard(output.entry[part], output.similarity[part]), queries, colours) for part in parts
        ]


class TwoScales(nn.Module):
    """Two sites, the coarse one asked as often as one likes; a batch in, a batch out."""

    def __init__(self, times: int = 1) -> None:
        super().__init__()
        self.fine, self.coarse, self.times = Pick(8), Pick(16), times

    def forward(self, image: Tensor) -> Tensor:
        self.fine(image)
        for _ in range(self.times):
            self.coarse(image)
        return 1 - image


class Pair(nn.Module):
    """A model that holds two translators, and sites of its own if asked."""

    def __init__(self, first: Translator, second: Translator, site: nn.Module | None = None) -> None:
        super().__init__()
        self.first, self.second, self.site = first, second, site

    def forward(self, image: np.ndarray) -> list[kt.Translation]:
        if self.site is not None:
            self.site(torch.from_numpy(image / 255).float().permute(2, 0, 1)[None])
        return [self.first(image), self.second(image)]


class Fails(nn.Module):
    """A decoder that raises after so many images."""

    def __init__(self, decoder: nn.Module, error: BaseException, after: int = 0) -> None:
        super().__init__()
        self.decoder, self.error, self.left = decoder, error, after

    def forward(self, features: Tensor) -> Tensor:
        if self.left <= 0:
            raise self.error
        self.left -= 1
        return self.decoder(features)


def hooks(model: nn.Module) -> int:
    """Hooks of any kind on any module of a model."""
    return sum(
        len(getattr(module, kind))
        for module in model.modules()
        for kind in (
            "_forward_hooks",
            "_forward_hooks_with_kwargs",
            "_forward_hooks_always_called",
            "_forward_pre_hooks",
            "_forward_pre_hooks_with_kwargs",
            "_backward_hooks",
        )
    )


def alive(*kinds: type) -> int:
    """How many objects of some types something still refers to."""
    gc.collect()
    return sum(type(thing) in kinds for thing in gc.get_objects())


def fresh(world) -> Translator:
    """A translator of its own: nothing else refers to it."""
    return Translator(world.banks, world.translator.encoder, world.translator.decoder)


@contextmanager
def leaves_nothing(model: nn.Module):
    """Afterwards the model has the hooks that it had, and no recorder and no listener outlives its block."""
    before = hooks(model), alive(Recorder, Listener)
    yield
    assert (hooks(model), alive(Recorder, Listener)) == before


@pytest.fixture(scope="module")
def shipped(tmp_path_factory, samples):
    """The shipped weights with a small library, and a crop of a photo."""
    settings = kt.LibrarySettings(stride=2, side_px=64)
    library = kt.Library.ensure(tmp_path_factory.mktemp("shipped") / "small.ktlib", settings=settings)
    library.build("art/impasto", [samples / "art/impasto/straw-hat.jpg"], quiet=True)
    photo = kt.read_image(samples / "photos/astronaut.jpg")[40:136, 180:308]
    return Translator.shipped(library["art/impasto"]), photo


def same_translation(first: kt.Translation, second: kt.Translation) -> bool:
    """Whether pixels and retrievals are equal bit for bit."""
    return np.array_equal(first.image, second.image) and all(
        torch.equal(field_of(first.matches, name), field_of(second.matches, name)) for name in FIELDS
    )


# Neutral


@pytest.mark.parametrize("size", [(64, 64), (37, 50)])
@pytest.mark.parametrize("preset", ["paper", "beam", "exact"])
@pytest.mark.parametrize("align", [0, 0.5, 1])
def test_recording_changes_no_bit_of_pixels_and_retrievals(world, paint, align, preset, size):
    photo, settings = paint(9, *size), {"align": align, "preset": preset}
    before = world.translator(photo, **settings)
    with kt.record(world.translator) as trace:
        during = world.translator(photo, **settings)
    after = world.translator(photo, **settings)
    assert same_translation(before, during)
    assert same_translation(before, after)
    assert np.array_equal(trace.output, before.image)
    assert np.array_equal(trace.painting().column("entry"), before.matches.winner.numpy())


def test_recording_the_shipped_weights_changes_no_bit(shipped):
    translator, photo = shipped
    before = translator(photo)
    with kt.record(translator), kt.record(translator, candidates=1):
        during = translator(photo)
    assert same_translation(before, during)


def test_recording_draws_no_random_number(world, paint):
    state = torch.get_rng_state()
    world.translator.traced(paint(9))
    assert torch.equal(torch.get_rng_state(), state)


@pytest.mark.parametrize("mode", [torch.no_grad, torch.inference_mode, torch.enable_grad])
def test_the_gradient_mode_changes_neither_pixels_nor_trace(world, paint, mode):
    expected = world.translator.traced(paint(9))
    translator = fresh(world)
    with mode(), leaves_nothing(translator), kt.record(translator) as trace:
        result = translator(paint(9))
    assert np.array_equal(result.image, expected.output)
    assert trace.digest == expected.digest


def test_traced_is_the_short_form(world, paint):
    with kt.record(world.translator) as trace:
        world.translator(paint(9), preset="exact", candidates=3)
    short = world.translator.traced(paint(9), preset="exact", candidates=3)
    assert short.digest == trace.digest
    assert np.array_equal(short.output, trace.output)


def test_drawing_on_a_result_does_not_reach_into_the_trace(world, paint):
    with kt.record(world.translator) as trace:
        result = world.translator(paint(9))
    image = result.image.copy()
    result.image[:] = 0
    result.input[:] = 0
    assert np.array_equal(trace.output, image)
    assert np.array_equal(trace.input, paint(9))
    with pytest.raises(ValueError, match="read-only"):
        trace.output[0, 0] = 0


# Leaves nothing behind


def test_a_recording_leaves_nothing(world, paint):
    translator = fresh(world)
    with leaves_nothing(translator), kt.record(translator):
        translator(paint(9))


def test_a_block_that_does_not_run_the_model_leaves_nothing(world):
    with leaves_nothing(world.translator), kt.record(world.translator):
        pass


def test_nested_recordings_of_one_model_hear_the_same(world, paint):
    translator = fresh(world)
    with leaves_nothing(translator):
        with kt.record(translator) as outer:
            translator(paint(8))
            with kt.record(translator) as inner:
                translator(paint(9))
            assert len(inner) == len(TONED) * 49
        assert len(outer.pictures) == 2
        assert outer.image(1).digest == inner.digest


@pytest.mark.parametrize("first_to_end", [0, 1])
def test_recordings_that_overlap_may_end_in_either_order(world, paint, first_to_end):
    translator = fresh(world)
    with leaves_nothing(translator):
        recordings = [kt.record(translator), kt.record(translator)]
        traces = [recording.__enter__() for recording in recordings]
        translator(paint(8))
        recordings[first_to_end].__exit__(None, None, None)
        translator(paint(9))
        recordings[1 - first_to_end].__exit__(None, None, None)
        del recordings
    short, long = traces[first_to_end], traces[1 - first_to_end]
    assert len(short.pictures) == 1
    assert len(long.pictures) == 2
    assert long.image(0).digest == short.digest


def test_recordings_on_one_exit_stack_each_end(world, paint):
    translator = fresh(world)
    with leaves_nothing(translator):
        with ExitStack() as stack:
            traces = [stack.enter_context(kt.record(translator)) for _ in range(3)]
            translator(paint(9))
        assert len({trace.digest for trace in traces}) == 1


@pytest.mark.parametrize("error", [ValueError("broken"), KeyboardInterrupt(), SystemExit(3)])
def test_an_error_inside_the_model_goes_on_and_leaves_nothing(world, paint, error):
    translator = Translator(world.banks, world.translator.encoder, Fails(world.translator.decoder, error))

    def run():
        with kt.record(translator) as trace:
            traces.append(trace)
            translator(paint(9))

    traces = []
    with leaves_nothing(translator):
        with pytest.raises(type(error)) as caught:
            run()
        assert caught.value is error
        error.__traceback__ = None  # it holds the frames, and they what was recorded
        del caught
    with pytest.raises(TraceNotFinishedError, match=rf"failed \({type(error).__name__}\)\. Mend .* record again"):
        len(traces[0])


@pytest.mark.parametrize("error", [ValueError("broken"), KeyboardInterrupt()])
def test_images_that_were_finished_before_an_error_are_kept(world, paint, error):
    photos = [paint(n) for n in (6, 7, 8)]
    expected = [world.translator.traced(photo) for photo in photos[:2]]
    translator = Translator(world.banks, world.translator.encoder, Fails(world.translator.decoder, error, after=2))
    with pytest.raises(type(error)), kt.record(translator) as trace:
        translator.batch(photos)
    assert len(trace.pictures) == 2
    for number, one in enumerate(expected):
        assert trace.image(number).table.equals(one.table)
        assert np.array_equal(trace.image(number).output, one.output)
    assert hooks(translator) == 0


def test_a_run_that_failed_leaves_no_rows_in_the_next(world, paint):
    decoder = Fails(world.translator.decoder, ValueError("broken"))
    translator = Translator(world.banks, world.translator.encoder, decoder)
    with kt.record(translator) as trace:
        with pytest.raises(ValueError, match="broken"):
            translator(paint(8))
        decoder.left = 1
        translator(paint(9))
    assert trace.table.equals(world.translator.traced(paint(9)).table)


def test_an_error_in_the_block_but_not_in_the_model_keeps_what_was_recorded(world, paint):
    def run():
        with kt.record(world.translator) as trace:
            traces.append(trace)
            world.translator(paint(9))
            raise RuntimeError("mine")

    traces = []
    with pytest.raises(RuntimeError, match="mine"):
        run()
    assert len(traces[0]) == len(TONED) * 49


def test_hooks_of_the_user_stay_and_are_called(world, paint):
    translator, calls = fresh(world), []
    handle = translator.retrieval.register_forward_hook(lambda *_: calls.append("before"))
    with leaves_nothing(translator), kt.record(translator):
        inside = translator.retrieval.register_forward_hook(lambda *_: calls.append("inside"))
        translator(paint(9))
        inside.remove()
    translator(paint(9))
    handle.remove()
    assert calls == ["before", "inside", "before"]
    assert hooks(translator) == 0


def test_a_hook_that_the_user_adds_inside_the_block_outlives_it(world, paint):
    translator, calls = fresh(world), []
    with kt.record(translator):
        translator.register_forward_hook(lambda *_: calls.append(1))
    translator(paint(9))
    assert calls == [1]
    assert hooks(translator) == 1


def test_a_model_is_freed_while_its_trace_lives(world, paint):
    translator = fresh(world)
    trace = translator.traced(paint(9))
    assert trace.model is translator
    gone = [weakref.ref(thing) for thing in (translator, translator.retrieval)]
    del translator
    gc.collect()
    assert [ref() for ref in gone] == [None, None]
    assert trace.model is None
    assert len(trace) == len(TONED) * 49


def test_a_trace_keeps_no_tensor(world, paint):
    world.translator.traced(paint(9))  # what is cached on first use
    before = alive(Tensor)
    trace = world.translator.traced(paint(9))
    assert alive(Tensor) == before
    assert len(trace) == len(TONED) * 49


def test_a_hundred_traces_hold_no_more_tensors_and_modules_than_one(world, paint):
    photo = paint(9, 16, 24)
    world.translator.traced(photo)
    gc.collect()
    before, counts = len(gc.get_objects()), []
    for round_number in range(4):
        for _ in range(25):
            world.translator.traced(photo)
        gc.collect()
        counts.append((alive(Tensor), len(gc.get_objects()) - before))
        assert hooks(world.translator) == 0, round_number
    assert len({tensors for tensors, _ in counts}) == 1
    assert counts[-1][1] - counts[0][1] < 25  # a leak of one object per trace would be 75


@pytest.mark.parametrize("duplicate", [copy.deepcopy, lambda model: pickle.loads(pickle.dumps(model))])
def test_a_copy_made_inside_the_block_works_and_records_nothing(world, paint, duplicate):
    translator = fresh(world)
    with kt.record(translator) as trace:
        twin = duplicate(translator)
        result = twin(paint(8))
        translator(paint(9))
    assert len(trace.pictures) == 1
    assert trace.digest == world.translator.traced(paint(9)).digest
    assert np.array_equal(result.image, world.translator(paint(8)).image)
    assert twin.traced(paint(9)).digest == trace.digest


def test_a_copy_made_inside_the_block_keeps_no_recorder(world):
    translator, before = fresh(world), alive(Recorder)
    with kt.record(translator):
        twin = copy.deepcopy(translator)
    assert hooks(translator) == 0
    assert alive(Recorder) == before
    assert twin is not translator


def test_a_pickled_trace_comes_back_whole_without_its_model(world, paint):
    trace = world.translator.traced(paint(9))
    back = pickle.loads(pickle.dumps(trace))
    assert back.digest == trace.digest
    assert back.table.equals(trace.table)
    assert np.array_equal(back.input, trace.input)
    assert np.array_equal(back.output, trace.output)
    assert back.model is None


# Too early, too late


@pytest.mark.parametrize(
    "read",
    [
        len,
        lambda trace: trace.table,
        lambda trace: trace.digest,
        lambda trace: trace.sources(),
        lambda trace: trace.to_pandas(),
        lambda trace: trace.summary(),
        lambda trace: trace[kt.Box(0, 0, 8, 8)],
        lambda trace: trace.output,
        lambda trace: trace.save("never.parquet"),
    ],
)
def test_reading_a_trace_inside_its_block_says_to_wait(world, paint, read):
    with kt.record(world.translator) as trace:
        world.translator(paint(9))
        with pytest.raises(TraceNotFinishedError, match=r"has not ended\. Read it after the `with"):
            read(trace)
    assert len(trace) == len(TONED) * 49


def test_repr_can_be_printed_at_any_time(world, paint):
    with kt.record(world.translator) as trace:
        assert repr(trace) == "Trace(the run has not ended)"
        world.translator(paint(9))
    assert "98 retrievals" in repr(trace)


def test_a_block_that_never_ran_the_model_says_to_call_it(world):
    with kt.record(world.translator) as trace:
        pass
    with pytest.raises(TraceNotFinishedError, match=r"was not run\. Call the model"):
        len(trace)


def test_a_part_called_on_its_own_makes_no_image(world, paint):
    model = TwoScales()
    with kt.record(model) as trace:
        model.fine(torch.rand(1, 3, 32, 32))
    with pytest.raises(TraceNotFinishedError, match="Call the model itself"):
        len(trace)


# How much


def test_candidates_keeps_the_first_ones(world, paint):
    whole = world.translator.traced(paint(9), candidates=8, coherence=0)
    with kt.record(world.translator, candidates=3) as trace:
        world.translator(paint(9), candidates=8, coherence=0)
    expected = whole.to_pandas()[lambda rows: rows["rank"] < 3].reset_index(drop=True)
    got = trace.to_pandas()
    for name in ("query", "rank", "chosen", "entry", "similarity", "margin"):
        assert got[name].equals(expected[name]), name


@pytest.mark.parametrize("kept", [1, 2, 5])
def test_a_winner_from_far_back_is_kept_with_its_rank_and_the_margin_of_all(world, paint, kept):
    """Coherence chooses candidates that are not the most similar."""
    settings = {"align": 0, "coherence": 0.3}
    whole = world.translator.traced(paint(9), **settings).to_pandas()
    assert (whole["rank"][whole["chosen"]] >= kept).any()
    with kt.record(world.translator, candidates=kept) as trace:
        world.translator(paint(9), **settings)
    rows = trace.to_pandas()
    assert (rows.groupby("query").size() == kept).all()
    assert (rows.groupby("query")["chosen"].sum() == 1).all()
    columns = ["query", "rank", "entry", "similarity", "margin", "kt.coherent"]
    winners, expected = (r[r["chosen"]][columns].reset_index(drop=True) for r in (rows, whole))
    assert winners.equals(expected)


def test_over_the_budget_a_run_stops_and_says_what_to_do(world, paint):
    translator = fresh(world)
    todo = r"within 20 KB.* Allow more memory, keep fewer candidates, or say over='winners'"
    with pytest.raises(TraceBudgetError, match=todo), kt.record(translator, memory="20 KB"):
        translator(paint(9))
    assert hooks(translator) == 0


def test_what_fitted_into_the_budget_is_kept_when_it_is_used_up(world, paint):
    one = world.translator.traced(paint(9), align=0)
    with (
        pytest.raises(TraceBudgetError, match="3 images are recorded"),
        kt.record(world.translator, memory=250_000) as trace,
    ):
        world.translator.batch([paint(9)] * 9, align=0)
    assert [trace.image(n).digest for n in range(3)] == [one.digest] * 3


def test_thinning_keeps_the_winners_of_all_images_from_the_first(world, paint):
    photos = [paint(n) for n in range(5, 9)]
    whole = [world.translator.traced(photo) for photo in photos]
    with kt.record(world.translator, memory="300 KB", over="winners") as trace:
        world.translator.batch(photos)
    assert trace.thinned
    assert "thinned" in repr(trace)
    assert trace.table.num_rows == len(trace) == 4 * len(TONED) * 49
    for number, one in enumerate(whole):
        assert trace.image(number).table.equals(one.winners.combine_chunks())
        assert trace.image(number).sources()["share"].tolist() == one.sources()["share"].tolist()


def test_a_budget_too_small_for_winners_is_an_error_even_when_thinning(world, paint):
    with pytest.raises(TraceBudgetError), kt.record(world.translator, memory="10 KB", over="winners"):
        world.translator(paint(9))


def test_pictures_count_in_the_budget(world):
    """With winners only, the pictures are the larger part."""
    photo = np.full((320, 320, 3), 90, np.uint8)
    with (
        pytest.raises(TraceBudgetError, match="1 images are recorded"),
        kt.record(world.translator, candidates=1, memory="1500 KB") as trace,
    ):
        world.translator.batch([photo, photo, photo], candidates=1)
    assert len(trace.pictures) == 1


def test_a_recording_within_its_budget_is_whole(world, paint):
    with kt.record(world.translator, memory="1 MB", over="winners") as trace:
        world.translator(paint(9))
    assert not trace.thinned
    assert trace.table.num_rows == 8 * len(TONED) * 49


@pytest.mark.parametrize(
    ("memory", "size"), [(1000, 1000), ("2 KB", 2000), ("1.5MB", 1_500_000), ("3g", 3_000_000_000), ("7", 7)]
)
def test_sizes_of_memory_are_read(memory, size):
    assert as_bytes(memory) == size


@pytest.mark.parametrize(
    "wrong",
    [
        {"candidates": 0},
        {"candidates": -2},
        {"over": "drop"},
        {"memory": "much"},
        {"memory": 0},
        {"memory": -5},
        {"memory": "5 TB"},
        {"memory": ""},
    ],
)
def test_settings_outside_their_range_are_refused_before_the_block(world, wrong):
    entered = False
    with pytest.raises(SettingError), kt.record(world.translator, **wrong):
        entered = True
    assert not entered
    assert hooks(world.translator) == 0


def test_a_model_without_a_site_says_how_to_make_one():
    todo = r"no retrieval site\. Say where it retrieves: ktviz\.adapt"
    with pytest.raises(TraceError, match=todo), kt.record(nn.Sequential(nn.ReLU())):
        pass


# Several images, sites, models, threads


def test_images_of_one_recording_come_apart_as_recorded(world, paint):
    photos = [paint(n, *size) for n, size in enumerate([(64, 64), (33, 47), (16, 16)])]
    with kt.record(world.translator) as trace:
        world.translator.batch(photos)
    assert len(trace.pictures) == 3
    for number, photo in enumerate(photos):
        assert trace.image(number).digest == world.translator.traced(photo).digest
        assert trace.image(number).picture.size == photo.shape[:2]
    with pytest.raises(TraceError, match=r"trace.image\(0\)"):
        trace.sources()
    for number in (-1, 3):
        with pytest.raises(TraceError, match="3 images"):
            trace.image(number)


def test_several_sites_and_images_in_one_batch():
    model, images = TwoScales(), torch.zeros(2, 3, 32, 48)
    images[0, 1], images[1, 2] = 1, 1
    with leaves_nothing(model), kt.record(model) as trace:
        output = model(images)
    assert trace.sites == ["fine", "coarse"]
    assert [len(trace.site(name)) for name in trace.sites] == [2 * 4 * 6, 2 * 2 * 3]
    for number, colour in enumerate(("green", "blue")):
        one = trace.image(number)
        assert set(one.column("source")) == {colour}
        assert np.array_equal(one.output, (output[number].permute(1, 2, 0) * 255).byte().numpy())
        shares = one.sources()
        assert set(shares["site"]) == {"fine", "coarse"}
        assert shares.groupby("site")["share"].sum().tolist() == pytest.approx([1, 1])
    assert trace.image(0).site("coarse").column("box").tolist() == [
        [x, y, 16, 16] for y in (0, 16) for x in (0, 16, 32)
    ]


def test_a_site_that_is_asked_twice_in_one_run_goes_on_counting():
    """A model with steps: the second answer is another retrieval, not the same one again."""
    model = TwoScales(times=2)
    with kt.record(model) as trace:
        model(torch.rand(2, 3, 32, 32))
    one = trace.image(1).site("coarse")
    assert one.column("query").tolist() == list(range(8))
    assert len(one.margin()) == 8
    assert one.sources()["share"].sum() == pytest.approx(1)


def test_of_very_many_sources_a_trace_lists_those_that_were_recorded_and_one_of_each_bank(world, paint, monkeypatch):
    whole = world.translator.traced(paint(2), candidates=1)
    monkeypatch.setattr("ktviz.trace.listed.MOST_SOURCES", 2)
    some = world.translator.traced(paint(2), candidates=1)
    used, firsts = set(whole.column("source")), {"art/cool/d.png", "art/warm/a.png"}
    listed = [source["source"] for source in whole.about["sources"] if source["source"] in used | firsts]
    assert [source["source"] for source in some.about["sources"]] == listed
    assert len(listed) < len(world.banks.sources)
    assert some.about["banks"] == whole.about["banks"]
    for column in ("source", "bank", "entry", "source_box"):
        assert np.array_equal(some.column(column), whole.column(column))
    found, known = (trace.sources().set_index("source")["share"] for trace in (some, whole))
    assert found.to_dict() == {name: known[name] for name in listed}
    assert np.array_equal(kt.without(some, ["c"]).output, kt.without(whole, ["c"]).output)


def test_two_translators_in_one_model_make_an_image_each(world, paint):
    warm = Translator(world.library["art/warm"], world.translator.encoder, world.translator.decoder)
    model = Pair(warm, fresh(world))
    with leaves_nothing(model), kt.record(model) as trace:
        results = model(paint(9))
    assert trace.sites == [f"{model}.{site}" for model in ("first", "second") for site in TONED]
    assert len(trace.pictures) == 2
    for number, result in enumerate(results):
        one = trace.image(number)
        assert np.array_equal(one.output, result.image)
        assert one.painting().column("entry").tolist() == result.matches.winner.tolist()
    assert [source["source"] for source in trace.about["sources"]] == [*warm.banks.source_names, *cool(world)]
    shares = trace.image(1).site("second.retrieval").sources().set_index("source")["share"]
    assert shares.to_dict() == pytest.approx(kt.source_shares(results[1]).set_index("source")["share"].to_dict())


def cool(world) -> list[str]:
    return [name for name in world.banks.source_names if name.startswith("art/cool")]


def test_a_site_beside_translators_is_recorded_too(world, paint):
    model = Pair(fresh(world), fresh(world), Pick(16))
    with leaves_nothing(model), kt.record(model) as trace:
        model(paint(9))
    assert len(trace.pictures) == 3
    assert [len(trace.site(name)) for name in trace.sites] == [49, 49, 49, 49, 16]


def test_a_translator_that_failed_within_a_model_leaves_no_rows_in_the_next_run(world, paint):
    decoder = Fails(world.translator.decoder, ValueError("broken"))
    model = Pair(fresh(world), Translator(world.banks, world.translator.encoder, decoder), Pick(16))
    with kt.record(model) as trace:
        with pytest.raises(ValueError, match="broken"):
            model(paint(8))
        decoder.left = 1
        model(paint(9))
    assert [len(trace.image(n)) for n in range(4)] == [98, 98, 98, 16]  # the first translator had finished paint(8)


def test_a_site_may_be_the_model_itself():
    model = Pick(8)
    with kt.record(model) as trace:
        model(torch.rand(1, 3, 16, 16))
    assert trace.sites == ["Pick"]
    assert len(trace) == 4


def test_arguments_may_be_given_by_name():
    class Named(nn.Module):
        def __init__(self):
            super().__init__()
            self.site = Pick(8)

        def forward(self, *, image):
            return self.site(image=image).entry

    model = Named()
    with kt.record(model) as trace:
        model(image=torch.rand(1, 3, 16, 24))
    assert len(trace) == 6
    assert trace.picture.size == (16, 24)


@pytest.mark.parametrize("image", [torch.rand(1, 3, 16, 16) * 2 - 1, torch.full((1, 3, 16, 16), 200.0)])
def test_a_tensor_that_is_no_picture_in_0_to_1_is_not_kept_as_one(image):
    model = TwoScales()
    with kt.record(model) as trace:
        model(image)
    assert trace.input is None
    assert trace.picture.size == (16, 16)  # what the boxes span


def test_threads_that_share_a_model_do_not_mix_their_images(world, paint):
    photos = [paint(n, 32, 16 + 8 * n) for n in range(8)]
    barrier = threading.Barrier(4)

    def run(mine):
        barrier.wait()
        for photo in mine:
            world.translator(photo)

    with kt.record(world.translator) as trace:
        threads = [threading.Thread(target=run, args=(photos[n::4],)) for n in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    got = sorted(trace.image(n).digest for n in range(len(trace.pictures)))
    assert got == sorted(world.translator.traced(photo).digest for photo in photos)


def test_threads_may_thin_together(world, paint):
    photos = [paint(n, 32, 32) for n in range(12)]
    barrier = threading.Barrier(4)

    def run(mine):
        barrier.wait()
        for photo in mine:
            world.translator(photo)

    with kt.record(world.translator, memory="120 KB", over="winners") as trace:
        threads = [threading.Thread(target=run, args=(photos[n::4],)) for n in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert trace.thinned
    got = sorted(tuple(trace.image(n).painting().column("entry")) for n in range(12))
    assert got == sorted(tuple(world.translator(photo).matches.winner.tolist()) for photo in photos)
    assert trace.table.num_rows == len(trace) == 12 * len(TONED) * 9


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_a_model_on_a_gpu_is_recorded_bit_for_bit():
    model, image = TwoScales().cuda(), torch.rand(1, 3, 64, 64).cuda()
    before = model(image)
    with kt.record(model) as trace:
        during = model(image)
    assert torch.equal(before, during)
    assert trace.about["device"].startswith("cuda")
    assert len(trace.site("fine")) == 64


def test_the_short_form_records_its_own_thread_only(world, paint):
    """Two people with one model: each gets the trace of their own photo."""
    both, traces = threading.Barrier(2), {}

    def work(seed):
        both.wait()
        traces[seed] = world.translator.traced(paint(seed))

    threads = [threading.Thread(target=work, args=(seed,)) for seed in (9, 12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for seed in (9, 12):
        assert len(traces[seed].pictures) == 1
        assert np.array_equal(traces[seed].input, paint(seed))
