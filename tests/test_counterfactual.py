"""Counterfactuals: the same photo without some knowledge, exactly, and two translations compared by brute force."""

import gc
from dataclasses import replace

import numpy as np
import pytest
import torch

import ktviz
from ktviz.errors import MismatchError, RegionError, SettingError, TraceError, UnknownNameError
from ktviz.images import to_tensor
from ktviz.library.kinds.patches.grid import PatchGrid
from ktviz.library.kinds.patches.lists import Lists
from ktviz.library.kinds.patches.union import BankUnion
from ktviz.systems.kt.translator import Translator
from ktviz.testing import CellMeans, ToyWorld

COLUMNS = ["query", "entry", "source", "source_box", "similarity", "chosen", "kt.coherent", "margin", "kt.path"]


@pytest.fixture(scope="module")
def photo(paint):
    return paint(9, 61, 70)


@pytest.fixture(scope="module")
def trace(world, photo):
    return world.translator.traced(photo)


@pytest.mark.parametrize(
    "what",
    ["a", "art/warm/a.png", "art/warm", 7, np.int64(7), ["a", "d.png"], ["art/cool", 500, "b"], range(0, 300, 2)],
    ids=str,
)
def test_without_equals_translating_without_bit_for_bit(world, photo, trace, what):
    several = [what] if isinstance(what, (str, int, np.integer)) else list(what)
    expected = world.translator.traced(photo, without=several)
    found = ktviz.without(trace, what)
    assert np.array_equal(found.output, world.translator(photo, without=several).image)
    assert found.table.select(COLUMNS).equals(expected.table.select(COLUMNS))
    assert found.digest == expected.digest


def test_without_keeps_all_other_settings(world, photo):
    settings = {"preset": "exact", "transfer": "swap", "coherence": 0.1, "strength": 0.8, "candidates": 3}
    found = ktviz.without(world.translator.traced(photo, **settings), "b")
    assert np.array_equal(found.output, world.translator(photo, without=["b"], **settings).image)
    assert found.picture.about["settings"]["preset"] == "exact"
    assert len(found.table) == 3 * len(found)


def test_what_was_left_out_stays_out(world, photo, trace):
    twice = ktviz.without(ktviz.without(trace, "a"), ["d", 3])
    assert np.array_equal(twice.output, world.translator(photo, without=["a", "d", 3]).image)
    assert not {"art/warm/a.png", "art/cool/d.png"} & set(twice.column("source", winners=False))


def test_entries_left_out_are_nowhere_among_the_candidates(trace):
    gone = sorted(set(trace.column("entry").tolist()))
    found = ktviz.without(trace, gone)
    assert not set(gone) & set(found.column("entry", winners=False).tolist())


def test_entry_numbers_from_a_table_are_taken_and_can_be_saved(trace, tmp_path):
    frame = ktviz.attribute(trace, by="entry").frame
    found = ktviz.without(trace, frame["entry"].head(3))
    found.save(tmp_path / "without.parquet")
    assert ktviz.Trace.open(tmp_path / "without.parquet").digest == found.digest
    one = ktviz.without(trace, frame["entry"][0])
    assert one.picture.about["settings"]["without"] == (int(frame["entry"][0]),)


def test_a_part_of_a_source_is_left_out_with_every_entry_that_touches_it(world, photo, trace, tmp_path):
    part = ktviz.SourceRegion("a.png", ktviz.Box(10, 20, 30, 12))
    found = ktviz.without(trace, part)
    left, top, width, height = world.banks.boxes(torch.arange(len(world.banks))).T.numpy()
    touch = (left < 40) & (left + width > 10) & (top < 32) & (top + height > 20)
    mine = world.banks.source_of(torch.arange(len(world.banks))) == world.banks.source_numbers["art/warm/a.png"]
    gone = np.flatnonzero(touch & mine.numpy())
    assert 0 < len(gone) < len(world.banks) / 5
    assert found.table.select(COLUMNS).equals(ktviz.without(trace, gone).table.select(COLUMNS))
    assert not np.array_equal(found.output, trace.output)
    found.save(tmp_path / "part.parquet")
    again = ktviz.without(ktviz.Trace.open(tmp_path / "part.parquet"), "b", model=world.translator)
    assert np.array_equal(again.output, world.translator(photo, without=[part, "b"]).image)


@pytest.mark.parametrize(
    ("part", "error"),
    [
        (ktviz.SourceRegion("a.png", ktviz.Box(60, 0, 8, 8)), RegionError),
        (ktviz.SourceRegion("z.png", ktviz.Box(0, 0, 8, 8)), UnknownNameError),
        ({"source": "a.png"}, SettingError),
    ],
)
def test_a_part_of_a_source_that_is_not_there_is_refused(trace, part, error):
    with pytest.raises(error):
        ktviz.without(trace, [part])


def test_the_photo_is_encoded_once_for_all_counterfactuals(world, photo):
    translator = Translator(world.banks, world.translator.encoder, world.translator.decoder)
    calls = []
    pixels = to_tensor(photo)

    def count(_, inputs):
        calls.extend([1] * bool(torch.equal(inputs[0][..., : photo.shape[0], : photo.shape[1]], pixels)))

    handle = translator.encoder.register_forward_pre_hook(count)
    try:
        trace = translator.traced(photo)
        assert len(calls) == 1
        for name in ("a", "b", "art/cool", 5):
            ktviz.without(trace, name)
        ktviz.attribute(trace, through="ablation")
        ktviz.attribute(trace, through="gradient")
        assert len(calls) == 2
    finally:
        handle.remove()
    other = translator.traced(photo[::-1])
    assert np.array_equal(ktviz.without(other, "a").output, translator(photo[::-1], without=["a"]).image)
    assert np.array_equal(ktviz.without(trace, "a").output, translator(photo, without=["a"]).image)


def test_features_that_are_kept_do_not_keep_a_model_alive(world, photo, toy):
    translator = Translator(world.banks, toy, world.translator.decoder)
    trace = translator.traced(photo)
    ktviz.without(trace, "a")
    del translator
    gc.collect()
    assert trace.model is None


def test_a_model_that_nobody_kept_is_missed_with_the_advice_to_keep_it(world, photo, toy, tmp_path):
    translator = Translator(world.banks, toy, world.translator.decoder)
    trace = translator.traced(photo)
    del translator
    gc.collect()
    with pytest.raises(TraceError, match=r"is gone, as a trace does not keep it\. Keep it in a variable"):
        ktviz.without(trace, "a")
    trace.save(tmp_path / "trace.parquet")
    with pytest.raises(TraceError, match=r"the trace has no model with it\. Pass model="):
        ktviz.without(ktviz.Trace.open(tmp_path / "trace.parquet"), "a")


def test_a_counterfactual_leaves_no_hook(world, trace):
    ktviz.without(trace, "a")
    for module in world.translator.modules():
        assert not module._forward_hooks
        assert not module._forward_pre_hooks


@pytest.mark.parametrize(
    ("what", "message"),
    [
        ("art/warm/aa.png", r"Did you mean art/warm/a\.png"),
        (["a", "bb"], "there is none"),
        (10**6, "entry 1000000"),
        (-1, "entry -1"),
        (["art/warm", "art/cool"], "nothing would be left"),
        (["a", "b", "c", "d", "e"], "nothing would be left"),
    ],
)
def test_unknown_names_and_nothing_left_are_refused_before_any_work(world, trace, what, message, monkeypatch):
    monkeypatch.setattr(world.translator.retrieval, "forward", None)
    with pytest.raises(UnknownNameError, match=message):
        ktviz.without(trace, what)


def test_a_number_that_is_no_entry_is_not_rounded_to_one(trace):
    with pytest.raises(SettingError, match=r"without 1\.5: neither the name of a source or a bank nor the number"):
        ktviz.without(trace, [1.5])


def pruned(bank, gone):
    """The bank without some entries, with the same tree, as somebody would make it who never had them."""
    left = (~gone).long()
    before = torch.cat((torch.zeros(1, dtype=torch.int64), left.cumsum(0)))
    tree = replace(bank.tree, start=before[bank.tree.start], end=before[bank.tree.end])
    rows = left.nonzero()[:, 0]
    leaves = tree.leaves
    keys = Lists.create(bank.keys[rows], bank.keys.scale, tree.start[leaves], tree.end[leaves] - tree.start[leaves])
    return bank.changed(entries=bank.entries.take(rows), tree=tree, keys=keys), rows


def union_without(banks, gone):
    """A union whose banks never held some entries, and the numbers that its entries have in the whole one."""
    parts, rows = [], []
    for number, bank in enumerate(banks.banks):
        first, last = banks.entry_offset[number : number + 2].tolist()
        small, kept = pruned(bank, gone[first:last])
        parts.append(small)
        rows.append(kept + first)
    return BankUnion(parts, banks.encoder), torch.cat(rows)


@pytest.mark.parametrize("transfer", ["statistics", "swap"])
@pytest.mark.parametrize("coherence", [0, 0.06, 0.3])
@pytest.mark.parametrize("preset", ["paper", "beam", "exact"])
@pytest.mark.parametrize("what", [["a"], ["art/warm/b.png", "e"], "every third entry"], ids=["one", "two", "entries"])
def test_leaving_out_equals_a_library_that_never_held_it_bit_for_bit(world, photo, what, preset, coherence, transfer):
    banks = world.banks
    what = list(range(0, len(banks), 3)) if isinstance(what, str) else what
    smaller, rows = union_without(banks, banks.excluded(what))
    assert len(smaller) < len(banks)
    settings = {"preset": preset, "coherence": coherence, "transfer": transfer}
    hidden = ktviz.without(world.translator.traced(photo, **settings), what)
    never = Translator(smaller, world.translator.encoder, world.translator.decoder).traced(photo, **settings)
    assert np.array_equal(hidden.output, never.output)
    assert np.array_equal(hidden.column("entry", winners=False), rows.numpy()[never.column("entry", winners=False)])
    same = [name for name in COLUMNS if name not in ("entry",)]
    assert hidden.table.select(same).equals(never.table.select(same))
    if coherence == 0.3:
        assert hidden.column("kt.coherent").any()


# Compare


@pytest.fixture(scope="module", params=[0, 1], ids=["published", "aligned"])
def pair(world, photo, request):
    trace = world.translator.traced(photo, align=request.param)
    return trace, ktviz.without(trace, "a")


def test_difference_and_changed_share_are_those_of_the_pixels(pair):
    before, after = (t.output.astype(int) for t in pair)
    found = ktviz.compare(*pair)
    changed = total = 0
    for y in range(before.shape[0]):
        for x in range(before.shape[1]):
            levels = np.abs(before[y, x] - after[y, x])
            assert found.difference[y, x] == pytest.approx(levels.mean())
            changed += levels.any()
            total += levels.mean()
    assert changed > 0
    if not pair[0].picture.settings["align"]:  # else all of it has another tone
        assert changed < before.shape[0] * before.shape[1]
    assert found.changed_share == pytest.approx(changed / before[..., 0].size)
    assert found.mean_change == pytest.approx(total / before[..., 0].size)
    assert np.array_equal(found.pictures["before"], pair[0].output)
    assert np.array_equal(found.pictures["after"], pair[1].output)


def test_new_winners_are_those_whose_source_or_place_changed(pair):
    found = ktviz.compare(*pair)
    rows, pairs = [], {}
    columns = [
        list(zip(t.column("source"), t.column("source_box").tolist(), t.column("entry"), strict=True))
        for t in (one.painting() for one in pair)
    ]
    weights = pair[0].overlap()
    for query, (one, other) in enumerate(zip(*columns, strict=True)):
        if one[:2] != other[:2]:
            rows.append(query)
            count, weight = pairs.get((one[0], other[0]), (0, 0))
            pairs[one[0], other[0]] = count + 1, weight + weights[query]
    assert found.frame["query"].tolist() == rows
    assert found.frame["entry_before"].tolist() == [columns[0][n][2] for n in rows]
    assert found.frame["entry_after"].tolist() == [columns[1][n][2] for n in rows]
    assert found.frame["overlap"].tolist() == pytest.approx(weights[rows].tolist())
    new = found.new_winners
    assert new["overlap"].is_monotonic_decreasing
    taken = {(r["source_before"], r["source_after"]): (r["retrievals"], r["overlap"]) for _, r in new.iterrows()}
    assert taken == {key: (count, pytest.approx(weight)) for key, (count, weight) in pairs.items()}
    assert f"{len(rows)} of {len(pair[0].painting())} winners are new" in repr(found)


def test_all_winners_of_a_source_that_is_left_out_are_new(pair):
    before = pair[0].painting().column("source")
    mine = ktviz.compare(*pair).frame
    assert (before == "art/warm/a.png").sum() == (mine["source_before"] == "art/warm/a.png").sum() > 0
    assert "art/warm/a.png" not in set(mine["source_after"])
    assert "art/warm/a.png" not in set(pair[1].column("source", winners=False))  # of any site


def test_pixels_that_did_not_change_are_outside_the_new_winners_boxes(world, photo):
    """With coherence 0 and without alignment each query is decided alone, and the decoder has no reach."""
    trace = world.translator.traced(photo, align=0, coherence=0)
    found = ktviz.compare(trace, ktviz.without(trace, "a"))
    boxes = np.zeros(photo.shape[:2], bool)
    for x, y, width, height in np.stack(found.frame["box"].tolist()).astype(int):
        boxes[y : y + height, x : x + width] = True
    assert boxes.any()
    assert not boxes.all()
    assert not found.difference[~boxes].any()


def test_nothing_changed_is_a_result_too(trace, world, photo):
    found = ktviz.compare(trace, world.translator.traced(photo))
    assert (len(found), found.changed_share, found.mean_change, len(found.new_winners)) == (0, 0, 0, 0)
    assert found.about["differs"] == []
    assert found.summary()["difference"] == "nothing"


def test_the_difference_is_named_and_only_that(trace, world, photo, tmp_path):
    found = ktviz.compare(trace, ktviz.without(trace, "a"))
    assert found.about["differs"] == ["without: nothing → art/warm/a.png"]
    found = ktviz.compare(trace, world.translator.traced(photo, strength=0.5, preset="exact"))
    assert found.about["differs"] == ["preset: beam → exact", "strength: 0.2 → 0.5"]
    trace.save(tmp_path / "trace.parquet", pictures="both")
    assert ktviz.compare(trace, ktviz.Trace.open(tmp_path / "trace.parquet")).about["differs"] == []


def test_another_photo_encoder_or_decoder_is_refused_by_its_name(world, trace, photo, make_toy, build):
    with pytest.raises(MismatchError, match="the input of the trace"):
        ktviz.compare(trace, world.translator.traced(photo[::-1]))

    class Darker(torch.nn.Module):
        channels = 8

        def __init__(self):
            super().__init__()
            self.gain = torch.nn.Parameter(torch.tensor(0.9))

        def forward(self, features):
            return self.gain * world.translator.decoder(features)

    darker = Translator(world.banks, world.translator.encoder, Darker())
    with pytest.raises(MismatchError, match="the decoder of the trace"):
        ktviz.compare(trace, darker.traced(photo))
    other = make_toy(seed=4)
    library = build("other", [world.pictures / "warm"], encoder=other)
    stranger = Translator(library["art/test"], other, world.translator.decoder)
    with pytest.raises(MismatchError, match="the encoder of the trace"):
        ktviz.compare(trace, stranger.traced(photo))


def test_another_library_may_be_compared(world, trace, photo):
    warm = Translator(world.library["art/warm"], world.translator.encoder, world.translator.decoder)
    found = ktviz.compare(trace, warm.traced(photo))
    assert any(text.startswith("library bank art/cool") for text in found.about["differs"])
    without = ktviz.compare(trace, ktviz.without(trace, "art/cool"))
    # The same patches win, under other numbers.
    assert found.frame["source_after"].tolist() == without.frame["source_after"].tolist()
    assert np.array_equal(found.difference, without.difference)
    # Against the library that never held the bank, not a winner is new.
    assert len(ktviz.compare(ktviz.without(trace, "art/cool"), warm.traced(photo))) == 0


def test_a_part_and_a_trace_without_its_output_are_refused(trace, world, tmp_path):
    with pytest.raises(MismatchError, match="Compare whole traces"):
        ktviz.compare(trace, trace[ktviz.Box(0, 0, 20, 20)])
    trace.save(tmp_path / "trace.parquet")
    with pytest.raises(TraceError, match="without its output"):
        ktviz.compare(trace, ktviz.Trace.open(tmp_path / "trace.parquet"))
    with pytest.raises(TraceError, match="Ask the whole trace"):
        ktviz.without(trace[ktviz.Box(0, 0, 20, 20)], "a")
    with ktviz.record(world.translator) as two:
        world.translator(trace.input)
        world.translator(trace.input[::-1])
    with pytest.raises(TraceError, match="2 images"):
        ktviz.compare(trace, two)
    assert len(ktviz.compare(trace, two.image(0))) == 0
    assert np.array_equal(
        ktviz.without(two.image(1), "a").output, world.translator(trace.input[::-1], without=["a"]).image
    )


def test_a_trace_from_a_file_is_translated_again_with_the_model_it_is_given(world, trace, tmp_path):
    trace.save(tmp_path / "trace.parquet")
    opened = ktviz.Trace.open(tmp_path / "trace.parquet")
    with pytest.raises(TraceError, match="Pass model="):
        ktviz.without(opened, "a")
    found = ktviz.without(opened, "a", model=world.translator)
    assert found.digest == ktviz.without(trace, "a").digest
    fewer = Translator(world.library["art/warm"], world.translator.encoder, world.translator.decoder)
    with pytest.raises(MismatchError, match="the library bank art/cool of the trace"):
        ktviz.without(opened, "a", model=fewer)


def test_queries_of_a_padded_photo_lie_where_the_trace_says(world, photo, trace):
    """The geometry that counterfactuals rest on: an odd size is padded by reflection to whole queries."""
    padded = np.pad(photo, ((0, -61 % 8), (0, -70 % 8), (0, 0)), mode="reflect")
    features = world.translator.encoder(to_tensor(padded))[0]
    assert len(trace.painting()) == len(PatchGrid(*features.shape[1:]))
    assert torch.equal(world.translator.encode(photo), features)


def test_features_are_not_used_again_after_the_encoder_was_changed(paint, tmp_path):
    """A new trace of the same photo by changed weights must not be answered with the old features."""
    world = ToyWorld(tmp_path)
    photo = paint(9)
    ktviz.without(world.translator.traced(photo), "magenta")
    world.translator.encoder.forward = lambda image: 1 - CellMeans.forward(world.translator.encoder, image)
    world.translator.encoder.extra_repr = lambda: "negative"
    trace = world.translator.traced(photo)
    unused = [row["source"] for _, row in trace.sources().iterrows() if row["share"] == 0]
    other = ktviz.without(trace, unused[0]) if unused else trace
    assert np.array_equal(other.output, trace.output)


def test_a_translation_that_was_not_recorded_is_refused_with_the_way_to_record_it(world, paint):
    result = world.translator(paint(9))
    for ask in (ktviz.attribute, ktviz.backtrack):
        with pytest.raises(TraceError, match="traced"):
            ask(result)
    with pytest.raises(TraceError, match="traced"):
        ktviz.compare(result, result)
    with pytest.raises(TraceError, match="traced"):
        ktviz.without(result, "a")


def test_traces_from_files_are_compared_with_their_model(world, paint, tmp_path):
    trace = world.translator.traced(paint(9))
    trace.save(tmp_path / "t.parquet")
    opened = ktviz.Trace.open(tmp_path / "t.parquet")
    other = ktviz.without(opened, "e", model=world.translator)
    with pytest.raises(TraceError, match="model="):
        ktviz.compare(opened, other)
    found = ktviz.compare(opened, other, model=world.translator)
    assert found.changed_share == ktviz.compare(trace, other).changed_share


def test_the_order_of_banks_belongs_to_the_model(world, toy, toy_decoder, paint):
    trace = world.translator.traced(paint(9))
    other = Translator(world.library.select(["art/warm", "art/cool"]), toy, toy_decoder)
    assert other.banks.names != world.banks.names
    with pytest.raises(MismatchError, match="order of banks"):
        ktviz.attribute(trace, through="gradient", model=other)
