"""Attention, nearest neighbours and codebooks are recorded without a reader."""

import copy
import pickle
import threading

import faiss
import numpy as np
import pytest
import torch
import usearch.index
from sklearn.neighbors import KDTree, NearestNeighbors
from torch import nn
from torch.nn import functional as F

import ktviz as kt
from ktviz.errors import SettingError, TraceError

QUERIES = kt.Queries.grid(4, 4, step_px=4)
KEYS = kt.Catalogue.positions(["a.png", "b.png"], 3, 3, cell_px=8)


class Model(nn.Module):
    """A picture's 16 cells, and what is asked with them."""

    def __init__(self, part, call):
        super().__init__()
        self.part, self.call = part, call
        torch.manual_seed(0)
        self.embed = nn.Conv2d(3, 16, 4, stride=4)
        self.memory = nn.Parameter(torch.randn(18, 16))

    def forward(self, image):
        cells = self.embed(image).flatten(2).transpose(1, 2)
        self.call(self.part, cells, self.memory)
        return image


def recorded(part, call, adapted, batch=1):
    model = Model(part, call)
    with torch.no_grad(), kt.record(model, adapted(part)) as trace:
        model(torch.rand(batch, 3, 16, 16, generator=torch.Generator().manual_seed(1)))
    return trace, model


def attention(part):
    return kt.adapt.attention(part, queries=QUERIES, catalogue=KEYS, top=18)


def dense(trace):
    """Weights (16, 18) of a trace."""
    found = np.zeros((16, 18), np.float32)
    rows = trace.table.to_pandas()
    found[rows["query"], rows["entry"]] = rows["weight"]
    return found


@pytest.mark.parametrize("batch_first", [True, False])
@pytest.mark.parametrize("sizes", [{}, {"kdim": 16, "vdim": 16}, {"bias": False}])
def test_multihead_attention_is_read_whether_or_not_it_gives_its_weights(batch_first, sizes):
    part, seen = nn.MultiheadAttention(16, 4, batch_first=batch_first, **sizes), []

    def call(module, cells, memory):
        keys = memory.expand(len(cells), -1, -1)
        given = (cells, keys, keys) if batch_first else tuple(one.transpose(0, 1) for one in (cells, keys, keys))
        module(*given, need_weights=False)
        seen.append(nn.MultiheadAttention.forward(module, *given)[1])

    trace, _ = recorded(part, call, attention)
    assert np.allclose(dense(trace), seen[0][0].detach().numpy(), atol=1e-5)


@pytest.mark.parametrize("weights", [False, True])
@pytest.mark.parametrize("sizes", [{}, {"add_bias_kv": True}, {"add_zero_attn": True}])
def test_masked_keys_get_nothing_and_keys_of_the_module_s_own_come_last(weights, sizes):
    part, mask = nn.MultiheadAttention(16, 4, batch_first=True, **sizes), torch.zeros(1, 18, dtype=torch.bool)
    mask[:, 5:] = True
    seen = []

    def call(module, cells, memory):
        keys = memory.expand(len(cells), -1, -1)
        module(cells, keys, keys, key_padding_mask=mask, need_weights=weights)
        seen.append(nn.MultiheadAttention.forward(module, cells, keys, keys, key_padding_mask=mask)[1][0])

    names = [f"{number}" for number in range(18 + len(sizes))]
    trace, _ = recorded(
        part, call, lambda part: kt.adapt.attention(part, queries=QUERIES, catalogue=kt.Catalogue.wholes(names), top=19)
    )
    found = np.zeros((16, len(names)), np.float32)
    rows = trace.table.to_pandas()
    found[rows["query"], rows["entry"]] = rows["weight"]
    assert (found[:, 5:18] == 0).all()
    assert np.allclose(found, seen[0].detach(), atol=1e-5)
    if sizes:
        with pytest.raises(TraceError, match="19 keys for a catalogue of 18 entries"):
            recorded(part, call, attention)


def test_dropout_draws_weights_that_nobody_can_know():
    part = nn.MultiheadAttention(16, 4, dropout=0.5, batch_first=True)
    kept = kt.adapt.attention(part, queries=QUERIES, catalogue=KEYS, top=18)
    with pytest.raises(TraceError, match=r"dropout \(0.5\).*model.eval"):
        recorded(part, lambda m, c, k: m(c, k[None], k[None], need_weights=False), lambda part: kept)
    recorded(part.eval(), lambda m, c, k: m(c, k[None], k[None], need_weights=False), lambda part: kept)
    with pytest.raises(TraceError, match="dropout"):
        recorded(Inside(dropout_p=0.1), lambda m, c, k: m(c, k[None]), attention)


def test_each_image_of_a_batch_has_its_own_attention():
    part = nn.MultiheadAttention(16, 2, batch_first=True)
    trace, _ = recorded(part, lambda m, c, k: m(c, k.expand(len(c), -1, -1), k.expand(len(c), -1, -1)), attention, 3)
    assert len(trace.pictures) == 3
    assert not np.allclose(dense(trace.image(0)), dense(trace.image(1)))


class Returns(nn.Module):
    """Attention that hands its weights over."""

    def forward(self, query, key):
        weights = (query @ key.T / 4).softmax(-1)
        return weights @ key, weights


class Inside(nn.Module):
    """The usual module: it projects, and calls the fused function."""

    def __init__(self, heads=2, calls=1, **more):
        super().__init__()
        self.heads, self.calls, self.more = heads, calls, more
        torch.manual_seed(1)
        self.query, self.key, self.value, self.out = (nn.Linear(16, 16) for _ in range(4))

    def forward(self, x, context=None):
        context = x if context is None else context
        query, key, value = (
            layer(one).unflatten(-1, (self.heads, -1)).transpose(-2, -3)
            for layer, one in ((self.query, x), (self.key, context), (self.value, context))
        )
        for _ in range(self.calls):
            made = F.scaled_dot_product_attention(query, key, value, **self.more)
        return self.out(made.transpose(-2, -3).flatten(-2))

    def by_hand(self, x, context, mask=None, scale=None):
        """Weights (N, P) of one image, the mean over heads."""
        query, key = (
            one.unflatten(-1, (self.heads, -1)).transpose(-2, -3) for one in (self.query(x), self.key(context))
        )
        scores = query @ key.transpose(-1, -2) * (scale or query.shape[-1] ** -0.5)
        weights = (scores if mask is None else scores + mask).softmax(-1).nan_to_num(0)  # where all keys are hidden
        return weights.mean(-3)[0].detach().numpy()


ADDED = torch.linspace(-3, 3, 16 * 18).view(16, 18)
HIDES = ADDED.abs() > 1
CALLS = {
    "plain": ({}, {}),
    "scale": ({"scale": 2.0}, {"scale": 2.0}),
    "added": ({"attn_mask": ADDED}, {"mask": ADDED}),
    "hidden": ({"attn_mask": HIDES}, {"mask": torch.zeros(16, 18).masked_fill(~HIDES, -torch.inf)}),
    "causal": ({"is_causal": True}, {"mask": torch.full((16, 18), -torch.inf).triu(1)}),
}


@pytest.mark.parametrize("name", CALLS)
@pytest.mark.parametrize("batch", [1, 3])
def test_attention_that_a_module_computes_inside_is_heard_as_it_was_called(name, batch):
    given, known = CALLS[name]
    part, seen = Inside(**given), []

    def call(module, cells, memory):
        keys = memory.expand(len(cells), -1, -1)
        module(cells, context=keys)
        seen.append(module.by_hand(cells, keys, **known))

    trace, _ = recorded(part, call, attention, batch)
    assert len(trace.pictures) == batch
    assert np.allclose(dense(trace.image(0)), seen[0], atol=1e-5)


def test_a_query_to_which_every_key_is_masked_takes_nothing():
    mask = torch.ones(16, 18, dtype=torch.bool)
    mask[:4] = False
    site = kt.adapt.attention(Inside(attn_mask=mask), queries=QUERIES, catalogue=KEYS)
    trace, _ = recorded(site.module, lambda m, c, k: m(c, k[None]), lambda part: site)
    assert sorted(set(trace.column("query"))) == list(range(4, 16))
    one = kt.adapt.attention(Inside(attn_mask=mask), queries=QUERIES)
    trace, _ = recorded(one.module, lambda m, c, k: m(c, k[None]), lambda part: one)
    assert trace.sources()["share"].tolist() == pytest.approx([0.75])


def heads_of(cells):
    """(B, 4, N, 4)."""
    return cells.unflatten(-1, (4, 4)).transpose(-2, -3)


def test_grouped_heads_and_heads_in_the_place_of_images_are_heard():
    def grouped(c, k):
        two = heads_of(k)[:, :2]
        return F.scaled_dot_product_attention(heads_of(c), two, two, enable_gqa=True)

    def repeated(c, k):
        keys = heads_of(k)[:, [0, 0, 1, 1]]
        return F.scaled_dot_product_attention(heads_of(c), keys, keys)

    def flat(c, k):  # (images * heads, N, D), as of diffusers
        keys = heads_of(k)[:, [0, 0, 1, 1]].flatten(0, 1)
        return F.scaled_dot_product_attention(heads_of(c).flatten(0, 1), keys, keys)

    def by(part):
        trace, _ = recorded(Calls(part), lambda m, c, k: m(c, k.expand(len(c), -1, -1)), attention, 2)
        assert len(trace.pictures) == 2
        return dense(trace.image(1))

    assert np.allclose(by(grouped), by(repeated), atol=1e-6)
    assert np.allclose(by(flat), by(repeated), atol=1e-6)
    with pytest.raises(TraceError, match="in a run of 2 images"):  # windows
        by(lambda c, k: F.scaled_dot_product_attention(*(heads_of(one).repeat(2, 1, 1, 1) for one in (c, k, k))))


class Calls(nn.Module):
    """Whatever it is given, as a module."""

    def __init__(self, function):
        super().__init__()
        self.function = function

    def forward(self, *given, **named):
        return self.function(*given, **named)


def softmax_of(q, k, v, scale=0.25, mask=0.0):
    return (q @ k.transpose(-1, -2) * scale + mask).softmax(-1) @ v


def test_attention_of_the_arguments_is_taken_only_where_it_gives_the_result():
    def keys(m, c, k):
        return m(c, k[None], k[None] + 1)

    plain, _ = recorded(Calls(softmax_of), keys, attention)
    fused, _ = recorded(Calls(F.scaled_dot_product_attention), keys, attention)
    assert np.allclose(dense(plain), dense(fused), atol=1e-5)
    projects = nn.Linear(16, 16)
    for other in (
        lambda q, k, v: softmax_of(q, k, v, scale=0.2),
        lambda q, k, v: softmax_of(q, k, v, mask=torch.full((16, 18), -torch.inf).triu(1)),
        lambda q, k, v: softmax_of(projects(q), k, v),
        lambda q, k, v: softmax_of(q, k, v, mask=ADDED),
    ):
        with pytest.raises(TraceError, match="weights that do not give its result"):
            recorded(Calls(other), keys, attention)


def test_weights_that_are_returned_and_were_not_used_are_refused_where_that_is_known():
    def keys(m, c, k):
        return m(c, k[None], k[None] + 1)

    def masked(q, k, v):
        return softmax_of(q, k, v, mask=ADDED), (q @ k.transpose(-1, -2) / 4).softmax(-1)

    def true(q, k, v):
        return softmax_of(q, k, v), (q @ k.transpose(-1, -2) / 4).softmax(-1)

    recorded(Calls(true), keys, attention)
    with pytest.raises(TraceError, match="weights that do not give its result"):
        recorded(Calls(masked), keys, attention)
    with pytest.raises(TraceError, match="2 results with rows that sum to 1"):
        recorded(Calls(lambda q, k, v: [true(q, k, v)[1]] * 2), keys, attention)


def test_several_calls_and_none_are_refused_with_what_to_do():
    with pytest.raises(TraceError, match=r"2 calls of scaled_dot.*Adapt the part of it"):
        recorded(Inside(calls=2), lambda m, c, k: m(c, k[None]), attention)
    with pytest.raises(TraceError, match=r"no call of scaled_dot_product_attention.*Write a reader"):
        recorded(nn.Identity(), lambda m, c, k: m(c), attention)
    with pytest.raises(TraceError, match=r"Adapt the torch.nn.MultiheadAttention inside"):
        recorded(Holds(nn.MultiheadAttention(16, 2, batch_first=True)), lambda m, c, k: m(c, k[None]), attention)


def test_keys_that_are_not_those_of_the_catalogue_are_refused():
    with pytest.raises(TraceError, match="17 keys for a catalogue of 18 entries"):
        recorded(Inside(), lambda m, c, k: m(c, k[None, 1:]), attention)


def test_arguments_are_told_by_their_names():
    part, named = nn.MultiheadAttention(16, 4, batch_first=True), []

    def call(module, cells, memory):
        keys = memory[None]
        module(key=keys, value=keys, query=cells, need_weights=False)

    trace, _ = recorded(part, call, attention)
    usual, _ = recorded(part, lambda m, c, k: m(c, k[None], k[None], need_weights=False), attention)
    assert np.array_equal(dense(trace), dense(usual))
    site = kt.adapt(Asks(), lambda inputs, output: named.append(inputs) or output, queries=QUERIES, catalogue=KEYS)
    recorded(site.module, lambda m, c, k: m(third=3, first=c), lambda part: site)
    assert [len(one) if isinstance(one, torch.Tensor) else one for one in named[0]] == [1, "second", 3]


class Asks(nn.Module):
    """A module with parameters that may be left out."""

    def forward(self, first, second="second", third="third", fourth="fourth"):
        return kt.Matches.hard(torch.zeros(16, dtype=torch.int64), torch.ones(16))


class Holds(nn.Module):
    """A module inside another one."""

    def __init__(self, part):
        super().__init__()
        self.part = part

    def forward(self, x, memory):
        return self.part(x, memory, memory, need_weights=False)[0]


def test_modules_that_give_weights_and_those_that_are_given_queries_keys_and_values():
    gave, _ = recorded(Returns(), lambda m, c, k: m(c, k), attention)
    fused, _ = recorded(Calls(F.scaled_dot_product_attention), lambda m, c, k: m(c, k[None], k[None]), attention)
    assert np.allclose(dense(gave), dense(fused), atol=1e-5)


class Painter(nn.Module):
    """A model with attention inside, whatever it attends to, that gives back the picture."""

    def __init__(self, attend):
        super().__init__()
        torch.manual_seed(0)
        self.attend, self.embed = attend, nn.Conv2d(3, 16, 8, stride=8)

    def forward(self, image, context=None, token=False):
        cells = self.embed(image).flatten(2).transpose(1, 2)
        cells = torch.cat((cells.mean(1, keepdim=True), cells), 1) if token else cells
        self.attend(cells) if context is None else self.attend(cells, context)
        return image


def in_one_line(attend=None, **given):
    model = Painter(Inside() if attend is None else attend)
    return recorded_of(model, kt.adapt.attention(model.attend), torch.rand(1, 3, 32, 48), **given)


def recorded_of(model, site, *inputs, **given):
    with torch.no_grad(), kt.record(model, site) as trace:
        model(*inputs, **given)
    return trace


def test_attention_is_recorded_in_one_line_with_queries_and_keys_as_cells_of_the_picture():
    trace = in_one_line()
    assert len(trace) == 24
    assert trace.column("box")[7].tolist() == [8, 8, 8, 8]  # 6 in a row
    rows = trace.to_pandas()
    assert set(rows["source"]) == {"input"}
    for entry, box in rows[["entry", "source_box"]].values:
        assert box.tolist() == [entry % 6 * 8, entry // 6 * 8, 8, 8]
    with kt.Explorer(trace) as view:
        assert view.to_html


def test_a_class_token_lies_nowhere_and_can_be_taken():
    trace = in_one_line(token=True)
    assert len(trace) == 25
    assert trace.column("box")[0].tolist() == [0, 0, 0, 0]
    assert trace.column("box")[8].tolist() == [8, 8, 8, 8]
    assert trace.overlap().tolist() == pytest.approx([0] + [1 / 24] * 24)
    assert set(trace.sources()["source"]) == {"input", "class token"}
    assert np.isnan(trace.column("source_box", winners=False)[trace.column("entry", winners=False) == 0]).all()


@pytest.mark.parametrize(("keys", "last"), [(9, [2, 2, 1, 1]), (7, [6, 0, 1, 1]), (24, [23, 0, 1, 1])])
def test_what_is_attended_to_and_unknown_is_plain_cells_of_a_context(keys, last):
    trace = in_one_line(context=torch.rand(1, keys, 16))
    rows = trace.to_pandas()
    assert set(rows["source"]) == {"context"}
    boxes = {entry: box.tolist() for entry, box in rows[["entry", "source_box"]].values}
    assert boxes.get(keys - 1, last) == last


def test_without_a_picture_a_square_of_queries_is_a_square_and_nothing_else_is_known():
    model, adapted = Inside(), kt.adapt.attention
    trace = recorded_of(model, adapted(model), torch.rand(1, 9, 16))
    assert trace.column("box")[4].tolist() == [1, 1, 1, 1]
    with pytest.raises(TraceError, match=r"10 queries, no grid of square cells. Say where they lie"):
        recorded_of(model, adapted(model), torch.rand(1, 10, 16))
    with pytest.raises(TraceError, match="26 queries, no grid of square cells that fill a picture of 48x32 px"):
        in_one_line(Calls(lambda x: F.scaled_dot_product_attention(*[torch.cat((x, x[:, :2]), 1)] * 3)))
    painter = Painter(Inside())
    with pytest.raises(TraceError, match="no picture whose size is known"):
        recorded_of(painter, kt.adapt.attention(painter.attend, canvas="reference:0"), torch.rand(1, 3, 32, 48))


def test_what_cannot_be_adapted_is_refused_at_once():
    with pytest.raises(SettingError, match=r"attention of IndexFlatL2: no torch.nn.Module"):
        kt.adapt.attention(faiss.IndexFlatL2(4))
    with pytest.raises(SettingError, match="top=0: below 1"):
        kt.adapt.attention(nn.Identity(), top=0)
    with pytest.raises(SettingError, match=r"nothing says what its entries are. Give a catalogue="):
        kt.adapt.neighbours(nn.Identity())
    with pytest.raises(SettingError, match="nothing says what its entries are"):
        kt.adapt.codebook(nn.Identity())
    with pytest.raises(SettingError, match=r"neither a module nor an index.*forward of a torch.nn.Module"):
        kt.adapt.neighbours([1, 2])
    with pytest.raises(SettingError, match="an empty index"):
        kt.adapt.neighbours(faiss.IndexFlatL2(4))


# Hearing


def test_hearing_changes_no_bit_and_leaves_no_hook_and_no_mode():
    model, image = Painter(Wraps(Inside())), torch.rand(1, 3, 32, 48)
    seen = []
    handle = model.attend.register_forward_hook(lambda module, inputs, output: seen.append(output))
    model(image)
    with kt.record(model, kt.adapt.attention(model.attend)), kt.record(model, kt.adapt.attention(model.attend.part)):
        assert not modes()
        model(image)
        copies = copy.deepcopy(model), pickle.loads(pickle.dumps(model.attend.part))
    handle.remove()
    assert torch.equal(*seen)
    assert not modes()
    copies[0](image)
    copies[1](torch.rand(1, 4, 16))
    for module in (*model.modules(), *copies[0].attend.part.modules(), *copies[1].modules()):
        assert not module._forward_hooks
        assert not module._forward_pre_hooks


def test_a_call_that_fails_is_heard_no_longer():
    model = Painter(Inside())
    with pytest.raises(RuntimeError), kt.record(model, kt.adapt.attention(model.attend)):
        model.attend(torch.rand(1, 4, 15))
    assert not modes()


def test_a_recording_that_ends_while_another_thread_is_in_a_call_leaves_no_mode_there():
    begun, go_on, left = threading.Event(), threading.Event(), []

    class Waits(Inside):
        def forward(self, x):
            begun.set()
            go_on.wait(10)
            return super().forward(x)

    model = Painter(Waits())

    def run():
        model(torch.rand(1, 3, 32, 48))
        left.extend(modes())

    thread = threading.Thread(target=run)
    with kt.record(model, kt.adapt.attention(model.attend)):
        thread.start()
        begun.wait(10)
    go_on.set()
    thread.join()
    assert not left
    assert not any(module._forward_hooks or module._forward_pre_hooks for module in model.modules())


class Wraps(nn.Module):
    """A module inside another one."""

    def __init__(self, part):
        super().__init__()
        self.part = part

    def forward(self, x):
        return self.part(x)


def modes():
    """Function modes that are on in this thread."""
    return torch.overrides._get_current_function_mode_stack()


# Nearest neighbours


class LookUp(nn.Module):
    """Nearest neighbours by somebody's index."""

    def __init__(self, search):
        super().__init__()
        self.search = search

    def forward(self, cells, memory):
        return self.search(cells[0].numpy(), memory.detach().numpy())


def by_faiss(cells, memory):
    index = faiss.IndexFlatL2(16)
    index.add(memory)
    return index.search(cells, 3)


def by_sklearn(cells, memory):
    return NearestNeighbors(n_neighbors=3).fit(memory).kneighbors(cells)


def by_usearch(cells, memory):
    index = usearch.index.Index(ndim=16, metric="l2sq")
    index.add(np.arange(len(memory)), memory)
    return index.search(np.ascontiguousarray(cells), 3, exact=True)


def by_usearch_one_by_one(cells, memory):
    return list(by_usearch(cells, memory))  # of `Matches`


@pytest.mark.parametrize("search", [by_faiss, by_sklearn, by_usearch, by_usearch_one_by_one])
def test_nearest_neighbours_of_other_libraries_are_read(search):
    def neighbours(part):
        return kt.adapt.neighbours(part, queries=QUERIES, catalogue=KEYS)

    trace, model = recorded(LookUp(search), lambda m, c, k: m(c, k), neighbours)
    cells = model.embed(torch.rand(1, 3, 16, 16, generator=torch.Generator().manual_seed(1))).flatten(2)[0].T
    distance = torch.cdist(cells, model.memory)
    assert trace.column("entry").tolist() == distance.argmin(1).tolist()
    assert len(trace.table) == 3 * 16
    similarity = trace.column("similarity", winners=False).reshape(16, 3)
    assert (np.diff(similarity, axis=1) <= 0).all()
    with pytest.raises(TraceError, match="no whole numbers"):
        recorded(LookUp(lambda c, k: c), lambda m, c, k: m(c, k), neighbours)


@pytest.mark.parametrize("search", [by_faiss, by_usearch, by_usearch_one_by_one])
def test_neighbours_that_are_not_there_are_none(search):
    def few(cells, memory):
        return search(cells, memory[:2])

    one = kt.adapt.neighbours(LookUp(few), queries=QUERIES, catalogue=kt.Catalogue.wholes(["a", "b"]))
    trace, _ = recorded(one.module, lambda m, c, k: m(c, k), lambda part: one)
    assert len(trace.table) == 2 * 16
    assert set(trace.column("entry", winners=False)) == {0, 1}


def test_usearch_s_matches_of_one_query_are_of_one_query():
    whole = kt.adapt.neighbours(
        LookUp(lambda c, k: by_usearch(c.mean(0), k)), queries=kt.Queries.whole(16, 16), catalogue=KEYS
    )
    trace, _ = recorded(whole.module, lambda m, c, k: m(c, k), lambda part: whole)
    assert len(trace) == 1
    assert len(trace.table) == 3


class Keeps(nn.Module):
    """A model that keeps an index, and uses what it finds."""

    def __init__(self, build, search):
        super().__init__()
        torch.manual_seed(0)
        self.embed, self.memory = nn.Conv2d(3, 16, 4, stride=4), torch.randn(9, 16)
        self.index, self.search = build(self.memory.numpy()), search

    def forward(self, image):
        cells = self.embed(image).flatten(2)[0].T.detach().numpy()
        return self.memory[torch.as_tensor(np.asarray(self.search(self.index, cells)).astype(np.int64))]


def flat(memory):
    index = faiss.IndexFlatIP(16)
    index.add(memory)
    return index


def graph(memory):
    index = usearch.index.Index(ndim=16, metric="ip")
    index.add(np.arange(len(memory)), memory)
    return index


INDEXES = {
    "faiss": (flat, lambda index, cells: index.search(cells, 2)[1]),
    "usearch": (graph, lambda index, cells: index.search(np.ascontiguousarray(cells), 2, exact=True).keys),
    "scikit-learn": (NearestNeighbors(n_neighbors=2).fit, lambda index, cells: index.kneighbors(cells)[1]),
    "tree": (KDTree, lambda index, cells: index.query(cells, k=2)[1]),
}


@pytest.mark.parametrize("kind", INDEXES)
def test_an_index_is_heard_in_one_line_and_left_as_it_was(kind):
    model, image = Keeps(*INDEXES[kind]), torch.rand(1, 3, 16, 16)
    before, held = model(image), dict(vars(model.index))
    with kt.record(model, kt.adapt.neighbours(model.index)) as trace:
        with kt.record(model, kt.adapt.neighbours(model.index)) as inner:
            during = model(image)
        again = model if kind == "usearch" else copy.deepcopy(model)  # its indexes cannot be copied
        INDEXES[kind][1](model.index, np.zeros((2, 16), np.float32))  # not in a run
    assert torch.equal(before, during)
    assert vars(model.index) == held
    assert torch.equal(again(image), before)
    assert trace.sites == inner.sites == ["index"]
    assert len(trace) == len(inner) == 16
    assert trace.digest == inner.digest
    assert torch.equal(model.memory[trace.column("entry", winners=False).reshape(16, 2).astype(np.int64)], before)
    assert set(trace.column("source")) == {"index"}
    assert (np.diff(trace.column("similarity", winners=False).reshape(16, 2), axis=1) <= 0).all()


class Quantise(nn.Module):
    """A codebook, as of VQ models."""

    def forward(self, cells, memory):
        codes = torch.cdist(cells, memory).argmin(-1)
        return {"quantised": memory[codes], "indices": codes.view(-1, 4, 4)}


def codebook(part):
    return kt.adapt.codebook(part, queries=QUERIES, catalogue=KEYS)


def nearest(cells, memory):
    """Numbers (B, 4, 4), and their codes (B, 16, 4, 4)."""
    codes = torch.cdist(cells, memory).argmin(-1).view(-1, 4, 4)
    return codes, memory[codes].permute(0, 3, 1, 2)


def of_taming(cells, memory, shape=(-1,)):
    codes, found = nearest(cells, memory)
    encodings = F.one_hot(codes.flatten(), len(memory)).float()
    return found, torch.tensor(0.1), (torch.tensor(7.0), encodings, codes.reshape(shape))


def of_diffusers(cells, memory):
    codes, found = nearest(cells, memory)
    return found, torch.tensor(0.1), (None, None, codes.flatten())


LAYOUTS = {
    "taming, flat": of_taming,
    "taming, in a column": lambda c, k: of_taming(c, k, (-1, 1)),
    "taming, in rows": lambda c, k: of_taming(c, k, (-1, 4, 4)),
    "diffusers": of_diffusers,
    "vector-quantize-pytorch": lambda c, k: (
        nearest(c, k)[1].flatten(2).transpose(1, 2),
        nearest(c, k)[0].flatten(1),
        torch.zeros(1),
    ),
    "vector-quantize-pytorch, of pictures": lambda c, k: (*nearest(c, k)[::-1], torch.zeros(1)),
    "numbers alone": lambda c, k: nearest(c, k)[0],
}


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("batch", [1, 2])
def test_codebooks_of_other_libraries_are_read(layout, batch):
    trace, model = recorded(Calls(LAYOUTS[layout]), lambda m, c, k: m(c, k), codebook, batch)
    image = torch.rand(batch, 3, 16, 16, generator=torch.Generator().manual_seed(1))
    codes, _ = nearest(model.embed(image).flatten(2).transpose(1, 2), model.memory)
    assert len(trace.pictures) == batch
    for number in range(batch):
        assert trace.image(number).column("entry").tolist() == codes[number].flatten().tolist()


def test_several_codes_per_place_and_codes_of_nobody_knows_which_image_are_refused():
    def residual(c, k):
        codes, found = nearest(c, k)
        return found.flatten(2).transpose(1, 2), codes.flatten(1)[..., None].expand(-1, -1, 4), torch.zeros(4)

    with pytest.raises(TraceError, match=r"codes \(2, 16, 4\) for what is \(2, 16, 16\)"):
        recorded(Calls(residual), lambda m, c, k: m(c, k), codebook, 2)
    for shape in (-1,), (-1, 1):
        with pytest.raises(TraceError, match="nothing that says which are of which image"):
            recorded(Calls(lambda c, k: nearest(c, k)[0].reshape(shape)), lambda m, c, k: m(c, k), codebook, 2)  # noqa: B023


def test_codebooks_are_read():
    trace, _ = recorded(Quantise(), lambda m, c, k: m(c, k), codebook, batch=2)
    assert len(trace) == 2 * 16
    assert set(trace.column("entry")) <= set(range(18))
    with pytest.raises(TraceError, match="no numbers of codes"):
        recorded(nn.Identity(), lambda m, c, k: m(c), codebook)
