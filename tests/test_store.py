"""A store of traces answers which outputs used a source, how much and where, whatever became of some of its files."""

from __future__ import annotations

import warnings

import numpy as np
import pyarrow.parquet as pq
import pytest
import torch

import ktviz as kt
from ktviz.errors import StorageError, TraceError, TraceNotFinishedError, UnknownNameError
from ktviz.trace.store import BrokenTraceWarning

SIZES = ((40, 48), (32, 24), (64, 64))


@pytest.fixture(scope="module")
def traces(world, paint):
    """Three traces of one image each, by name."""
    return {f"photo-{n}": world.translator.traced(paint(n, *size)) for n, size in enumerate(SIZES)}


@pytest.fixture
def store(traces, tmp_path):
    store = kt.TraceStore(tmp_path / "store")
    for name, trace in traces.items():
        store.append(trace, name)
    return store


def used(trace, source):
    """What a source painted in a trace of one image, counted from the trace itself."""
    trace = trace.painting()
    mine = trace.column("source") == source
    boxes = trace.column("box")[mine]
    share = trace.sources().set_index("source")["share"][source]
    start, end = boxes[:, :2].min(0), (boxes[:, :2] + boxes[:, 2:]).max(0)
    return share, boxes.tolist(), [*start, *(end - start)]


def users(traces, source):
    """The traces in which a source won something."""
    return {name for name, trace in traces.items() if source in set(trace.painting().column("source"))}


# Keeping


def test_a_store_holds_what_was_appended(store, traces):
    assert len(store) == 3
    assert list(store) == store.names == sorted(traces)
    assert "photo-1" in store
    assert "photo-9" not in store
    assert "3 traces" in repr(store)
    for name, trace in traces.items():
        assert store.open(name).digest == trace.digest


def test_a_trace_without_a_name_is_called_by_its_digest(traces, tmp_path):
    store, trace = kt.TraceStore(tmp_path / "store"), traces["photo-0"]
    assert store.append(trace) == trace.digest[:16]
    assert store.names == [trace.digest[:16]]
    with pytest.raises(StorageError, match="it exists"):
        store.append(trace)


def test_a_store_opened_again_is_the_same(store, traces):
    again = kt.TraceStore(str(store.folder))
    assert again.names == store.names
    assert again.list().equals(store.list())


def test_a_store_that_was_moved_answers_alike(store, world, tmp_path):
    source = world.banks.source_names[0]
    before = store.uses(source)
    moved = store.folder.rename(tmp_path / "elsewhere")
    assert kt.TraceStore(moved).uses(source).equals(before)


def test_list_says_what_there_is(store, traces):
    table = store.list()
    assert table["trace"].tolist() == sorted(traces)
    for row in table.itertuples():
        trace = traces[row.trace]
        assert (row.images, row.retrievals, row.thinned) == (1, len(trace), False)
        assert row.input == [trace.picture.sha256("input")]
        assert row.output == [trace.picture.sha256("output")]


def test_an_empty_store_lists_and_finds_nothing(tmp_path):
    store = kt.TraceStore(tmp_path / "store")
    assert len(store) == len(store.list()) == len(store.uses("art/warm/a.png")) == 0
    assert "trace" in store.list().columns
    assert "share" in store.uses("art/warm/a.png").columns


def test_a_trace_of_that_name_is_kept_unless_told(store, traces):
    other = traces["photo-1"]
    with pytest.raises(StorageError, match=r"it exists\. Name another, or say overwrite=True"):
        store.append(other, "photo-0")
    assert store.open("photo-0").digest == traces["photo-0"].digest
    store.append(other, "photo-0", overwrite=True)
    assert store.open("photo-0").digest == other.digest
    row = store.list().set_index("trace").loc["photo-0"]
    assert row["retrievals"] == len(other)


def test_after_overwriting_uses_speak_of_the_new_trace(store, traces):
    store.append(traces["photo-1"], "photo-0", overwrite=True)
    for source in traces["photo-1"].sources()["source"]:
        found = store.uses(source)
        assert ("photo-0" in set(found["trace"])) == ("photo-1" in users(traces, source))


def test_an_index_never_outlives_its_trace_when_overwriting_is_interrupted(store, traces, monkeypatch):
    def killed(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(kt.TraceStore, "_index_trace", killed)
        with pytest.raises(KeyboardInterrupt):
            store.append(traces["photo-1"], "photo-0", overwrite=True)
    row = store.list().set_index("trace").loc["photo-0"]
    assert row["input"] == [traces["photo-1"].picture.sha256("input")]


def test_removing_takes_the_trace_and_what_it_answered(store, world, traces):
    store.remove("photo-2")
    assert store.names == ["photo-0", "photo-1"]
    for source in traces["photo-0"].sources()["source"]:
        assert "photo-2" not in set(store.uses(source)["trace"])
    assert not list(store.folder.rglob("*photo-2*"))
    with pytest.raises(UnknownNameError, match="Did you mean photo-"):
        store.remove("photo-2")


def test_an_unknown_trace_suggests_the_nearest(store):
    with pytest.raises(UnknownNameError, match="Did you mean photo-"):
        store.open("foto-1")


@pytest.mark.parametrize("name", ["", "a/b", "../up", ".hidden", "-", "a b", "a\n", "ä/ö"])
def test_what_is_no_file_name_is_refused(traces, tmp_path, name):
    store = kt.TraceStore(tmp_path / "store")
    with pytest.raises(StorageError, match="not a file name"):
        store.append(traces["photo-0"], name)
    assert len(store) == 0


def test_an_unfinished_trace_is_not_kept(world, tmp_path):
    store = kt.TraceStore(tmp_path / "store")
    for name in ("given", None):
        with kt.record(world.translator) as trace, pytest.raises(TraceNotFinishedError):
            store.append(trace, name)
    assert len(store) == 0


def test_a_store_cannot_be_a_file(tmp_path):
    (tmp_path / "store").write_text("a file")
    with pytest.raises(StorageError, match="Name a folder that you may write to"):
        kt.TraceStore(tmp_path / "store")


def test_files_that_are_being_written_are_no_traces(store):
    """As another process leaves them, or is writing them this moment."""
    for part in ("traces", "index"):
        (store.folder / part / ".ktviz-abc123.parquet").write_bytes(b"PAR1 half of")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert store.names == ["photo-0", "photo-1", "photo-2"]
        assert len(store.list()) == 3


# Which outputs used it


def test_uses_are_the_overlap_of_the_winners(store, world, traces):
    for source in world.banks.source_names:
        found = store.uses(source)
        assert set(found["trace"]) == users(traces, source)
        for row in found.itertuples():
            share, boxes, around = used(traces[row.trace], source)
            assert row.image == 0
            assert row.source == source
            assert row.share == pytest.approx(share)
            assert row.retrievals == len(boxes)
            assert sorted(np.stack(row.boxes).tolist()) == sorted(boxes)
            assert row.box.tolist() == around


def test_uses_come_largest_share_first(store, world):
    for source in world.banks.source_names:
        assert store.uses(source)["share"].is_monotonic_decreasing


def test_a_source_is_found_by_the_digest_of_its_file_under_any_name(store, world):
    for number, source in enumerate(world.banks.sources):
        assert store.uses(source.sha256).equals(store.uses(world.banks.source_names[number]))


def test_the_same_picture_in_two_banks_is_found_by_its_digest(tmp_path, toy, toy_decoder, settings, world, paint):
    library = kt.Library.ensure(tmp_path / "twice.ktlib", toy, settings)
    for name in ("art/one", "art/two"):
        library.build(name, [world.pictures / "warm/a.png"], encoder=toy, quiet=True)
    store = kt.TraceStore(tmp_path / "store")
    for name in ("art/one", "art/two"):
        store.append(kt.Translator(library[name], toy, toy_decoder).traced(paint(9)), name.replace("/", "-"))
    found = store.uses(world.banks.sources[world.banks.source_names.index("art/warm/a.png")].sha256)
    assert set(found["source"]) == {"art/one/a.png", "art/two/a.png"}
    assert found["share"].tolist() == pytest.approx([1, 1])


def test_only_shares_of_at_least_so_much(store, world, traces):
    source = max(world.banks.source_names, key=lambda name: len(users(traces, name)))
    shares = {name: used(traces[name], source)[0] for name in users(traces, source)}
    bound = sorted(shares.values())[-1]
    found = store.uses(source, least=bound - 1e-9)
    assert set(found["trace"]) == {name for name, share in shares.items() if share >= bound - 1e-9}
    assert len(store.uses(source, least=1.1)) == 0


def test_every_image_of_a_trace_answers_for_itself(world, paint, tmp_path):
    photos = [paint(n, *size) for n, size in enumerate(SIZES)]
    with kt.record(world.translator) as trace:
        world.translator.batch(photos)
    store = kt.TraceStore(tmp_path / "store")
    store.append(trace, "all")
    assert store.list()["images"].tolist() == [3]
    for source in world.banks.source_names:
        found = store.uses(source).set_index("image")
        for number in range(3):
            one = trace.image(number)
            assert (number in found.index) == (source in set(one.painting().column("source")))
            if number in found.index:
                assert found["share"][number] == pytest.approx(used(one, source)[0])


class Two(torch.nn.Module):
    """A model of two sites."""

    def __init__(self):
        super().__init__()
        self.first, self.second = torch.nn.Identity(), torch.nn.Identity()

    def forward(self, image):
        return self.second(self.first(image))


def hard_site(module, entries, catalogue):
    return kt.adapt(
        module,
        lambda inputs, output: kt.Matches.hard(torch.tensor(entries), torch.ones(4)),
        queries=kt.Queries.grid(2, 2, step_px=16),
        catalogue=catalogue,
    )


def store_of_two(folder, first, second):
    """A store of a trace of two sites, each of some entries and what they are of."""
    model = Two()
    with kt.record(model, hard_site(model.first, *first), hard_site(model.second, *second)) as trace:
        model(torch.rand(1, 3, 32, 32))
    store = kt.TraceStore(folder / "store")
    store.append(trace, "two")
    return store


def test_sites_share_an_image_equally(tmp_path):
    """The first takes a, the second b for its lower half."""
    whole = kt.Catalogue.wholes(["a", "b"], bank="x/y")
    store = store_of_two(tmp_path, ([0, 0, 0, 0], whole), ([0, 0, 1, 1], whole))
    assert store.uses("a")["share"].tolist() == pytest.approx([0.75])
    assert store.uses("b")["share"].tolist() == pytest.approx([0.25])
    assert store.uses("b")["box"][0].tolist() == [0, 16, 32, 16]


def test_each_site_names_the_sources_of_its_own_bank(tmp_path):
    first, second = (kt.Catalogue.wholes(names, bank=f"x/{names[0]}") for names in (["a", "b"], ["c", "d"]))
    store = store_of_two(tmp_path, ([0, 0, 0, 0], first), ([1, 1, 1, 1], second))
    shares = {name: store.uses(name)["share"].tolist() for name in "abcd"}
    assert shares == {"a": [0.5], "b": [], "c": [], "d": [0.5]}


def test_of_several_sites_the_one_that_painted_the_image_used_a_source(world, tmp_path, paint):
    trace = world.translator.traced(paint(9))
    assert len(trace.sites) == 2
    store = kt.TraceStore(tmp_path / "store")
    store.append(trace, "one")
    for name, share in zip(trace.sources()["source"], trace.sources()["share"], strict=True):
        assert store.uses(name)["share"].sum() == pytest.approx(share)
        assert store.uses(name)["retrievals"].sum() == (trace.painting().column("source") == name).sum()


def test_a_source_that_was_searched_and_won_nothing_was_not_used(world, paint, tmp_path):
    store = kt.TraceStore(tmp_path / "store")
    store.append(world.translator.traced(paint(0), without=["e"]), "one")
    assert len(store.uses("art/cool/e.png")) == 0


def test_a_name_that_no_trace_knows_suggests_the_nearest_instead_of_saying_never_used(store):
    with pytest.raises(UnknownNameError, match=r"Did you mean art/warm/a\.png"):
        store.uses("art/warm/aa.png")
    assert len(store.uses("0" * 64)) == 0  # the digest of a file that was never in a library


# Broken files


def names_the_broken(ask, name):
    """The answer of `ask`, whose warning and attributes name a trace; the warning points at the caller."""
    with pytest.warns(BrokenTraceWarning, match=name) as caught:
        answer = ask()
    assert set(answer.attrs["broken"]) == {name}
    assert answer.attrs["broken"][name]
    assert caught[0].filename == __file__
    return answer


@pytest.mark.parametrize("harm", [lambda data: data[: len(data) // 2], lambda data: b"", lambda data: b"\0" * 999])
def test_one_broken_trace_is_named_and_the_rest_answered(store, world, traces, harm):
    """Its index is gone, too."""
    path = store.folder / "traces/photo-1.parquet"
    path.write_bytes(harm(path.read_bytes()))
    (store.folder / "index/photo-1.parquet").unlink()
    assert names_the_broken(store.list, "photo-1")["trace"].tolist() == ["photo-0", "photo-2"]
    for source in world.banks.source_names:
        found = names_the_broken(lambda source=source: store.uses(source), "photo-1")
        assert set(found["trace"]) == users(traces, source) - {"photo-1"}
    with pytest.raises(TraceError, match="photo-1"):
        store.open("photo-1")


@pytest.mark.parametrize("harm", [lambda data: data[: len(data) // 2], lambda data: b"", lambda data: b"\0" * 999])
def test_one_broken_index_is_named_and_the_rest_answered(store, world, traces, harm):
    path = store.folder / "index/photo-1.parquet"
    path.write_bytes(harm(path.read_bytes()))
    assert names_the_broken(store.list, "photo-1")["trace"].tolist() == ["photo-0", "photo-2"]
    for source in world.banks.source_names:
        found = names_the_broken(lambda source=source: store.uses(source), "photo-1")
        assert set(found["trace"]) == users(traces, source) - {"photo-1"}


def test_a_broken_index_is_made_again_once_removed(store, world):
    source = world.banks.source_names[0]
    before, path = store.uses(source), store.folder / "index/photo-1.parquet"
    path.write_bytes(b"nothing")
    path.unlink()
    assert store.uses(source).equals(before)
    assert path.exists()


def test_a_missing_index_is_made_again(store, world):
    tables = {source: store.uses(source) for source in world.banks.source_names}
    listed = store.list()
    for path in (store.folder / "index").iterdir():
        path.unlink()
    again = kt.TraceStore(store.folder)
    assert all(again.uses(source).equals(table) for source, table in tables.items())
    assert again.list().equals(listed)


def test_a_broken_trace_can_be_removed(store):
    (store.folder / "traces/photo-1.parquet").write_bytes(b"nothing")
    store.remove("photo-1")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert len(store.list()) == 2


def test_without_broken_files_nothing_is_warned_of(store, world):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert store.list().attrs["broken"] == {}
        assert store.uses(world.banks.source_names[0]).attrs["broken"] == {}


def test_the_index_is_read_instead_of_the_traces(store, world, traces):
    """Answers stay quick with thousands of traces: whole traces are not opened."""
    source = world.banks.source_names[0]
    expected = store.uses(source)
    for path in (store.folder / "traces").iterdir():
        path.write_bytes(b"PAR1 nothing else PAR1")
    assert store.uses(source).equals(expected)
    assert len(store.list()) == 3


def test_index_files_say_which_trace_and_source_they_are_of(store, traces):
    for name, trace in traces.items():
        rows = pq.read_table(store.folder / f"index/{name}.parquet").to_pandas()
        assert set(rows["trace"]) == {name}
        assert set(rows["source"]) == {source["source"] for source in trace.about["sources"]}
        assert set(rows["source"][rows["share"] > 0]) == set(trace.column("source"))
        assert rows["share"].sum() == pytest.approx(1)
