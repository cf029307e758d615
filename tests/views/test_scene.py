"""The scene of a view is what the trace says, column by column, and small enough to be drawn at once."""

from __future__ import annotations

import gzip
import struct

import numpy as np
import pytest
import torch

import ktviz as kt
from ktviz.explain.pieces import pieces
from ktviz.explain.regret import coherent
from ktviz.images import decode_image
from ktviz.retrieval.credit import Credit
from ktviz.widgets.packing import TYPES, once_each, pack
from ktviz.widgets.panels.bands import candidate_columns, seen
from ktviz.widgets.protocol import NO_SOURCE, PROTOCOL
from views.wire import HEIGHT, WIDTH, unpack

# The container


@pytest.mark.parametrize("kind", sorted(TYPES))
@pytest.mark.parametrize("shape", [(0,), (1,), (3,), (5, 0, 2), (7, 3), (2, 3, 5)], ids=str)
def test_arrays_come_out_as_they_went_in(kind, shape):
    array = np.arange(np.prod(shape)).reshape(shape).astype(kind)
    values, parts = unpack(pack({}, {"first": b"x", "array": array, "last": array.T}))
    assert values == {}
    assert parts["first"].tobytes() == b"x"
    assert parts["array"].dtype == kind
    assert np.array_equal(parts["array"], array)
    assert np.array_equal(parts["last"], array.T)


@pytest.mark.parametrize("kind", sorted(TYPES))
@pytest.mark.parametrize("shape", [(0,), (1,), (500,), (5, 0, 2), (90, 4), (40, 3, 5)], ids=str)
def test_arrays_that_count_on_are_stored_as_differences_and_come_out_as_they_went_in(kind, shape):
    counting = (np.arange(np.prod(shape)).reshape(shape) * 0.5 - 20).astype(kind)
    random = np.random.default_rng(0).integers(0, 256, (200, np.dtype(kind).itemsize), dtype=np.uint8).view(kind)
    arrays = {"counting": counting, "random": random, "same": np.full(300, counting.ravel()[:1].sum(), kind)}
    plain, small = pack({}, arrays), pack({}, arrays, for_gzip=True)
    assert len(gzip.compress(small)) <= len(gzip.compress(plain)) + 64
    for name, part in unpack(small)[1].items():
        assert part.tobytes() == arrays[name].tobytes()


def test_what_is_the_same_for_every_entry_is_stored_once_for_each():
    random = np.random.default_rng(0)
    entry = random.integers(-1, 9, (20, 4)).astype(np.int32)
    box = random.random((10, 4)).astype(np.float32)
    box[0] = np.nan  # of no entry
    columns = {"entry": entry, "box": box[entry + 1], "own": random.random((20, 4, 2)), "query": random.random((20, 4))}
    found = once_each({**columns, "same": np.zeros(20)}, "entry")
    assert sorted(found) == ["each/box", "each/entry", "own", "place", "query", "same"]
    assert np.array_equal(found["each/entry"][found["place"]], entry)
    assert np.array_equal(found["each/box"][found["place"]], columns["box"], equal_nan=True)
    assert len(found["each/box"]) == 10
    alone = {"entry": np.arange(80).reshape(20, 4), "box": random.random((20, 4, 4))}
    assert sorted(once_each(alone, "entry")) == ["box", "entry"]  # it would take more


def test_a_grid_of_boxes_takes_no_room_in_a_page():
    y, x = np.mgrid[:200, :300].reshape(2, -1)
    boxes = np.stack((x * 1.25, y * 1.25, np.full(60_000, 1.25), np.full(60_000, 1.25)), axis=1).astype(np.float32)
    plain, small = (len(gzip.compress(pack({}, {"box": boxes}, for_gzip=it))) for it in (False, True))
    assert small < plain / 10


@pytest.mark.parametrize("size", range(18))
def test_files_of_any_length_lie_aligned(size):
    files = {str(n): bytes(range(n)) for n in (size, 0, 3)}
    _, parts = unpack(pack({"pad": "x" * size}, {**files, "after": np.array([1.5], dtype=np.float32)}))
    assert {name: part.tobytes() for name, part in parts.items() if name != "after"} == files
    assert parts["after"].tolist() == [1.5]


@pytest.mark.parametrize("kind", ["int64", "uint32", "uint64", "int8", "float16", "float64", "bool", "O", "U3"])
def test_types_that_no_typed_array_holds_are_refused(kind):
    with pytest.raises(TypeError, match="column is"):
        pack({}, {"column": np.zeros(3).astype(kind)})


def test_arrays_of_the_other_byte_order_are_turned_or_refused():
    array = np.arange(5, dtype=">i4")
    try:
        _, parts = unpack(pack({}, {"array": array}))
    except TypeError:
        return
    assert np.array_equal(parts["array"], array)


def test_values_are_plain_json():
    values = {
        "text": 'é “quotes” \u2028 \u2029 🎨 </script> \x00 " \\',
        "é": {1: np.int64(3), "nan": np.nan, "inf": [-np.inf, np.float32("inf")]},
        "array": np.array([[1.5, np.nan]]),
        "list": (True, np.bool_(False), None, np.float32(0.5), np.str_("s")),
    }
    found, _ = unpack(pack(values, {}))
    assert found == {
        "text": values["text"],
        "é": {"1": 3, "nan": None, "inf": [None, None]},
        "array": [[1.5, None]],
        "list": [True, False, None, 0.5, "s"],
    }


def test_the_header_is_as_long_as_it_says():
    data = pack({"a": "é"}, {"p": np.zeros(3, dtype=np.uint8)})
    (length,) = struct.unpack_from("<I", data)
    assert (4 + length) % 8 == 0
    assert data[4 : 4 + length].rstrip(b" ").endswith(b"}")
    assert len(data) == 4 + length + 8


# Traces of all kinds


class Attention(torch.nn.Module):
    """A model that knows nothing of ktviz: weights over 6 candidates for 12 queries, 8 px apart."""

    def forward(self, image):
        torch.manual_seed(4)
        self.weights = (3 * torch.rand(12, 6)).softmax(1)
        return image.flip(3)


def adapted(catalogue, read):
    model = Attention()
    site = kt.adapt(model, read(model), queries=kt.Queries.grid(3, 4, step_px=8), catalogue=catalogue)
    with kt.record(model, site) as trace:
        model(torch.rand(1, 3, 24, 32))
    return trace


def soft(catalogue):
    return adapted(catalogue, lambda model: lambda inputs, output: kt.Matches.soft(model.weights, top=4))


def wholes(count=6):
    whole = kt.Catalogue.wholes([f"code {n}" for n in range(count)], bank="style/codes")
    credits = [Credit(title=f"Title {n}", creator="Ann") for n in range(count)]
    return kt.Catalogue(whole.names, whole.source, whole.box, whole.bank, credits)


def many(paint):
    """500 sources, of which a few win."""
    model = torch.nn.Identity()
    site = kt.adapt(
        model,
        lambda inputs, output: kt.Matches.hard(torch.arange(36).reshape(12, 3) * 13, torch.rand(12, 3)),
        queries=kt.Queries.grid(3, 4, step_px=8),
        catalogue=wholes(500),
    )
    with kt.record(model, site) as trace:
        model(torch.rand(1, 3, 24, 32))
    return trace


def gaps():
    """Queries with fewer candidates than others."""

    def read(model):
        entry = torch.arange(12)[:, None].remainder(6).repeat(1, 3)
        entry[::2, 1:], entry[1::4, 2] = -1, -1
        return lambda inputs, output: kt.Matches.hard(entry, torch.rand(12, 3).sort(1, descending=True).values)

    return adapted(kt.Catalogue.positions(["a", "b"], 1, 3, 8), read)


CASES = {
    "two banks": lambda world, paint: world.translator.traced(paint(41, HEIGHT, WIDTH), align=0),
    "one candidate": lambda world, paint: world.translator.traced(paint(41, HEIGHT, WIDTH), candidates=1, align=0),
    "kept one": lambda world, paint: recorded(world, paint(41, HEIGHT, WIDTH), candidates=1),
    "kept three": lambda world, paint: recorded(world, paint(41, HEIGHT, WIDTH), candidates=3),
    "thinned": lambda world, paint: recorded(world, paint(41, HEIGHT, WIDTH), memory="70 KB", over="winners"),
    "far continuations": lambda world, paint: world.translator.traced(paint(41, HEIGHT, WIDTH), coherence=0.5, align=0),
    "300 candidates": lambda world, paint: world.translator.traced(
        paint(41, 32, 48), candidates=300, preset="exact", coherence=0.5, align=0
    ),
    "one query": lambda world, paint: world.translator.traced(paint(41, 16, 16), align=0),
    "one row": lambda world, paint: world.translator.traced(paint(41, 16, 120), align=0),
    "one column": lambda world, paint: world.translator.traced(paint(41, 120, 16), align=0),
    "painting": lambda world, paint: world.translator.traced(paint(41, HEIGHT, WIDTH)).painting(),
    "paper": lambda world, paint: world.translator.traced(paint(41, 48, 48), preset="paper"),
    "regret": lambda world, paint: world.translator.traced(paint(41, 48, 48), preset="paper").with_regret(),
    "piece": lambda world, paint: world.translator.traced(paint(1), coherence=0.1, align=0),
    "a part": lambda world, paint: world.translator.traced(paint(41, HEIGHT, WIDTH), align=0)[kt.Box(20, 20, 30, 30)],
    "soft wholes": lambda world, paint: soft(wholes()),
    "soft positions": lambda world, paint: soft(kt.Catalogue.positions(["a", "b"], 1, 3, 8)),
    "gaps": lambda world, paint: gaps(),
    "500 sources": lambda world, paint: many(paint),
}


def recorded(world, photo, **settings):
    with kt.record(world.translator, **settings) as trace:
        world.translator(photo, align=0)
    return trace


@pytest.fixture(scope="module", params=CASES)
def case(request, world, paint):
    """A trace, and its scene."""
    trace = CASES[request.param](world, paint)
    with kt.Explorer(trace) as view:
        values, parts = unpack(view._scene)
    return request.param, trace, values, parts


def test_the_cases_are_what_they_are_called(case):
    name, trace, values, parts = case
    ranks = trace.column("rank")
    assert trace.thinned == (name == "thinned")
    assert name != "kept one" or ranks.max() > 0  # a winner from further back
    assert name != "far continuations" or trace.column("kt.coherent").any()
    assert name != "300 candidates" or ranks.max() > 255
    assert name != "piece" or parts["piece"].max() > 0
    assert (values["queries"] == 1) == (name == "one query")


def test_columns_per_query_are_the_winners(case):
    _, trace, values, parts = case
    winners = trace.to_pandas().query("chosen")
    assert values["queries"] == len(winners)
    assert np.array_equal(parts["coherent"], coherent(trace))
    for name in ("query", "y", "x", "entry", "similarity", "margin"):
        assert np.array_equal(parts[name], winners[name].to_numpy(), equal_nan=name == "margin"), name
    assert [values["sources"][number]["name"] for number in parts["source"]] == winners["source"].tolist()
    for name in ("box", "source_box"):
        expected = [[np.nan] * 4 if box is None else box.tolist() for box in winners[name]]
        assert np.array_equal(parts[name], np.array(expected, dtype=np.float32), equal_nan=True), name


def test_columns_per_candidate_are_the_rows_in_the_order_of_ranks(case):
    _, trace, values, drawn = case
    rows = trace.to_pandas()
    with kt.Explorer(trace) as view:
        parts = seen(view._subject, candidate_columns(trace))
    for name in ("entry", "source"):
        assert np.array_equal(drawn.get(f"mixed/{name}", parts[name]), parts[name])
    known = [source["name"] for source in values["sources"]]
    assert values["candidates"] == rows.groupby("query").size().max()
    for place, query in enumerate(drawn["query"].tolist()):
        mine = rows[rows["query"] == query].sort_values("rank")
        rest = values["candidates"] - len(mine)
        assert parts["entry"][place].tolist() == [*mine["entry"], *[-1] * rest]
        assert parts["source"][place].tolist() == [*map(known.index, mine["source"]), *[NO_SOURCE] * rest]
        expected = [*mine["similarity"], *[np.nan] * rest]
        assert np.array_equal(parts["similarity"][place], np.array(expected, dtype=np.float32), equal_nan=True)
        assert parts["chosen"][place] == mine["chosen"].tolist().index(True)
        if "mixed/weight" in drawn:
            assert drawn["mixed/weight"][place].tolist() == [*mine["weight"], *[0] * rest]


def test_paths_are_those_of_the_winners(case):
    _, trace, _, parts = case
    winners = trace.to_pandas().query("chosen")
    paths = [path.tolist() for path in winners["kt.path"]] if trace.has("kt.path") else []
    assert ("path" in parts) == any(paths)
    for place, path in enumerate(paths if any(paths) else []):
        depth = parts["path"].shape[1]
        assert parts["path"][place].tolist() == path + [-1] * (depth - len(path))
        expected = [*winners["kt.path_similarity"].iloc[place], *[np.nan] * (depth - len(path))]
        assert np.array_equal(parts["path_similarity"][place], np.array(expected, np.float32), equal_nan=True)


def test_what_can_be_shown_is_what_the_trace_holds(case):
    name, trace, values, parts = case
    rows = trace.to_pandas()
    assert values["can"] == {
        "bands": trace.has("kt.similarity_ll"),
        "decode": not name.startswith(("soft", "gaps", "500", "a part")),
        "regret": trace.has("regret"),
        "tree": not name.startswith(("soft", "gaps", "500", "a part")),
        "soft": bool(((rows["weight"] > 0) & (rows["weight"] < 1)).any()),
        "exclude": not name.startswith(("soft", "gaps", "500", "a part")),
        **dict.fromkeys(("codes", "restyle", "reuse", "attributes", "space"), False),
    }
    assert ("mixed/weight" in parts) == values["can"]["soft"]
    assert ("regret" in parts) == values["can"]["regret"]
    if values["can"]["regret"]:
        assert np.array_equal(parts["regret"], trace.column("regret"))
    assert values["live"] == values["can"]["tree"]
    assert (values["frozen"] == "") == values["live"]


def test_the_header_s_numbers_are_those_of_the_rows(case):
    _, trace, values, _ = case
    rows = trace.to_pandas()
    won, best = trace.column("similarity").astype(float), rows.groupby("query")["similarity"].max().to_numpy(float)
    if values["can"]["regret"]:
        best = won + trace.column("regret")
    if values["candidates"] < 2:
        assert values["best"] is values["kept"] is None
        return
    assert values["kept"] == pytest.approx(won.sum() / best.sum(), abs=1e-6)
    assert values["best"] == pytest.approx((best - won < 1e-6).mean(), abs=0.01)


def test_sources_come_with_shares_credits_and_colours(case):
    _, trace, values, _ = case
    shares = trace.sources().set_index("source")
    found = values["sources"]
    order = [source["source"] for source in trace.whole.sources().to_dict("records")]
    assert [source["name"] for source in found] == order  # a part keeps the colours of the whole
    for number, source in enumerate(found):
        row = shares.loc[source["name"]]
        assert source["share"] == pytest.approx(row["share"])
        assert source["retrievals"] == row["retrievals"]
        credit = ("bank", "creator", "year", "licence", "url")
        assert [source[name] for name in credit] == [row[name] for name in credit]
        assert source["title"] == (source["name"] if row["title"] == "unknown" else row["title"])
        assert source["colour"] == (number if number < 8 else -1)
    alone = "part" in trace.about or trace.site_about["one_source"]
    left = 0 if alone else trace.column("left_over").mean()
    assert sum(source["share"] for source in found) + left == pytest.approx(1, abs=0.03)


def test_pieces_are_those_of_an_audit(case):
    _, trace, _, parts = case
    if np.isnan(trace.column("source_box")).any():
        assert not parts["piece"].any()
        return
    expected = pieces(trace)
    numbers, counts = np.unique(parts["piece"][parts["piece"] > 0], return_counts=True)
    assert numbers.tolist() == list(range(1, len(expected) + 1))
    assert counts.tolist() == expected["retrievals"].tolist()
    for number, row in enumerate(expected.itertuples(), start=1):
        boxes = trace.column("box")[parts["piece"] == number]
        assert boxes[:, :2].min(0).tolist() == [row.x, row.y]
        assert set(trace.column("source")[parts["piece"] == number]) == {row.source}


def test_pictures_are_the_photo_and_the_translation_without_loss(case):
    _, trace, values, parts = case
    size = {"width": trace.size[1], "height": trace.size[0], "shrunk": False}
    assert values["canvas"] == {"name": "input", "title": "Input", **size}
    assert values["output"] == {"name": "output", "title": "Output", **size}
    for name in ("input", "output"):
        assert np.array_equal(decode_image(parts[f"canvas/{name}"].tobytes()), getattr(trace, name))


def test_the_scene_names_what_it_is_of(case):
    _, trace, values, _ = case
    settings = trace.picture.about["settings"]
    assert values["protocol"] == PROTOCOL
    assert values["version"] == kt.__version__
    assert values["preset"] == settings.get("preset")
    assert values["digest"] == trace.digest[:12]
    assert values["site"] == trace.sites[0]
    assert [bank["name"] for bank in values["banks"]] == trace.about["banks"]


# Sizes


def test_large_pictures_are_sent_smaller_and_that_is_said(world, paint):
    trace = world.translator.traced(paint(2, 40, 2100), candidates=1, coherence=0, align=0)
    with kt.Explorer(trace) as view:
        values, parts = unpack(view._scene)
    for role in ("canvas", "output"):
        assert values[role]["shrunk"]
        assert (values[role]["width"], values[role]["height"]) == (2100, 40)
    assert decode_image(parts["canvas/output"].tobytes()).shape == (39, 2048, 3)


def test_a_view_of_many_sources_brings_the_pictures_of_the_first(paint):
    trace = many(paint)
    pictures = {f"code {n}": paint(n, 300, 220) for n in range(500) if n < 60}
    with kt.Explorer(trace, pictures=pictures) as view:
        values, parts = unpack(view._scene)
    shown = {name.removeprefix("thumb/") for name in parts if name.startswith("thumb/")}
    first = [str(n) for n, source in enumerate(values["sources"][:24]) if source["name"] in pictures]
    assert shown == set(first) != set()
    assert all(max(decode_image(parts[f"thumb/{n}"].tobytes()).shape) == 200 for n in first)
    assert len(view._scene) < 600_000
