"""Attention, nearest neighbours and codebooks are recorded without a reader."""

import faiss
import numpy as np
import pytest
import torch
from sklearn.neighbors import NearestNeighbors
from torch import nn
from torch.nn import functional as F

import ktviz as kt
from ktviz.errors import TraceError

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


def test_masked_attention_that_keeps_its_weights_to_itself_is_refused():
    part, mask = nn.MultiheadAttention(16, 4, batch_first=True), torch.zeros(1, 18, dtype=torch.bool)
    mask[:, 5:] = True

    def call(module, cells, memory, weights):
        keys = memory.expand(len(cells), -1, -1)
        module(cells, keys, keys, key_padding_mask=mask, need_weights=weights)

    with pytest.raises(TraceError, match="need_weights"):
        recorded(part, lambda *given: call(*given, False), attention)
    trace, _ = recorded(part, lambda *given: call(*given, True), attention)
    assert (dense(trace)[:, 5:] == 0).all()


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


class Fused(nn.Module):
    """What only calls the fused function."""

    def forward(self, query, key, value):
        return F.scaled_dot_product_attention(query, key, value)


def test_modules_that_give_weights_and_those_that_are_given_queries_keys_and_values():
    gave, _ = recorded(Returns(), lambda m, c, k: m(c, k), attention)
    fused, _ = recorded(Fused(), lambda m, c, k: m(c[:, None], k[None, None], k[None, None]), attention)
    assert np.allclose(dense(gave), dense(fused), atol=1e-5)
    with pytest.raises(TraceError, match="neither weights"):
        recorded(nn.Identity(), lambda m, c, k: m(c), attention)


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


@pytest.mark.parametrize("search", [by_faiss, by_sklearn])
def test_nearest_neighbours_of_other_libraries_are_read(search):
    def neighbours(part):
        return kt.adapt.neighbours(part, queries=QUERIES, catalogue=KEYS)

    trace, model = recorded(LookUp(search), lambda m, c, k: m(c, k), neighbours)
    cells = model.embed(torch.rand(1, 3, 16, 16, generator=torch.Generator().manual_seed(1))).flatten(2)[0].T
    distance = torch.cdist(cells, model.memory)
    assert trace.column("entry").tolist() == distance.argmin(1).tolist()
    assert len(trace.table) == 3 * 16
    with pytest.raises(TraceError, match="no whole numbers"):
        recorded(LookUp(lambda c, k: c), lambda m, c, k: m(c, k), neighbours)


class Quantise(nn.Module):
    """A codebook, as of VQ models."""

    def forward(self, cells, memory):
        codes = torch.cdist(cells, memory).argmin(-1)
        return {"quantised": memory[codes], "indices": codes.view(-1, 4, 4)}


def test_codebooks_are_read():
    def codebook(part):
        return kt.adapt.codebook(part, queries=QUERIES, catalogue=KEYS)

    trace, _ = recorded(Quantise(), lambda m, c, k: m(c, k), codebook, batch=2)
    assert len(trace) == 2 * 16
    assert set(trace.column("entry")) <= set(range(18))
    with pytest.raises(TraceError, match="no numbers of codes"):
        recorded(nn.Identity(), lambda m, c, k: m(c), codebook)
