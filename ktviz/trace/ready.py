"""Readers for look-ups that many models have: attention, nearest neighbours, codebooks."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ktviz.errors import TraceError
from ktviz.retrieval.matches import Matches

Reader = Callable[[tuple[Any, ...], Any], Matches | Sequence[Matches]]
"""From the arguments and the result of a call to what was retrieved in it: for one image, or one per image."""
TOP = 8
ROWS = 1e-3
"""How far rows of attention may be off 1."""


def attention_reader(module: nn.Module, top: int = TOP) -> Reader:
    """A reader of attention, one `Matches` per image: the mean over heads of what each query takes of each key.

    Of `torch.nn.MultiheadAttention` weights are worked out from its arguments, as it mostly keeps them to itself; of
    other modules they are its result, or a part of it, (B, N, P) or (B, heads, N, P) with rows that sum to 1; or else
    its arguments are queries, keys and values, (B, heads, N, D), as of `scaled_dot_product_attention`.

    Args:
        module: That.
        top: Keys to keep per query; the others are left over.
    """

    def read(inputs: tuple[Any, ...], output: Any) -> list[Matches]:
        weights = (
            of_multihead(module, inputs, output)
            if isinstance(module, nn.MultiheadAttention)
            else of_call(inputs, output)
        )
        if weights is None:
            found = "neither weights that sum to 1 in its result, nor queries, keys and values as its arguments"
            raise TraceError(
                f"read attention of {type(module).__name__}", found, "Write a reader: kt.adapt(module, ...)"
            )
        return [Matches.soft(image.float().cpu(), top) for image in weights]

    return read


def of_multihead(module: nn.MultiheadAttention, inputs: tuple[Any, ...], output: Any) -> Tensor:
    """Weights (B, N, P) of a call, the mean over heads: those that it returned, or else worked out from its arguments.

    Raises:
        TraceError: It was called with masks, or adds keys of its own, and keeps its weights to itself.
    """
    returned = output[1] if isinstance(output, tuple) and len(output) > 1 else None
    if returned is not None:
        weights: Tensor = mean_of_heads(returned.detach())
        return weights if weights.ndim == 3 else weights[None]
    if any(isinstance(one, Tensor) for one in inputs[3:]) or module.bias_k is not None or module.add_zero_attn:
        found = "it has masks, or keys of its own, and does not return its weights"
        raise TraceError("read attention of MultiheadAttention", found, "Call it with need_weights=True")
    query, key = inputs[0], inputs[1]
    if query.ndim == 2:
        query, key = query[:, None], key[:, None]
    elif module.batch_first:
        query, key = query.transpose(0, 1), key.transpose(0, 1)
    width = module.embed_dim
    if module.in_proj_weight is not None:
        of_query, of_key = module.in_proj_weight[:width], module.in_proj_weight[width : 2 * width]
    else:
        of_query, of_key = module.q_proj_weight, module.k_proj_weight
    bias = module.in_proj_bias
    asked = F.linear(query, of_query, None if bias is None else bias[:width])
    stored = F.linear(key, of_key, None if bias is None else bias[width : 2 * width])
    heads, count = module.num_heads, query.shape[1]
    split = [one.reshape(len(one), count, heads, -1).permute(1, 2, 0, 3) for one in (asked, stored)]
    return softmax_of(*split).mean(1)


def of_call(inputs: tuple[Any, ...], output: Any) -> Tensor | None:
    """Weights (B, N, P) that a module gave, or that follow from its arguments."""
    for tensor in tensors_of(output):
        if tensor.ndim in (3, 4) and tensor.is_floating_point():
            sums = tensor.detach().float().sum(-1)
            if bool(((sums - 1).abs() <= ROWS).all()) and bool((tensor >= 0).all()):
                return mean_of_heads(tensor.detach())
    given = [one for one in inputs if isinstance(one, Tensor)]
    if len(given) >= 3 and all(one.ndim in (3, 4) for one in given[:3]) and given[0].shape[-1] == given[1].shape[-1]:
        return mean_of_heads(softmax_of(given[0].detach(), given[1].detach()))
    return None


def softmax_of(query: Tensor, key: Tensor) -> Tensor:
    """Scaled dot products (..., N, P) after the softmax."""
    return (query @ key.transpose(-1, -2) / math.sqrt(query.shape[-1])).softmax(-1)


def mean_of_heads(weights: Tensor) -> Tensor:
    """(B, heads, N, P) or (B, N, P) to (B, N, P)."""
    return weights.mean(1) if weights.ndim == 4 else weights


def neighbours_reader(cosine: bool = False) -> Reader:
    """A reader of nearest neighbours, as faiss, usearch and scikit-learn give them: numbers of entries and distances.

    Args:
        cosine: Whether the numbers beside them are similarities, the larger the better, instead of distances.
    """

    def read(inputs: tuple[Any, ...], output: Any) -> Matches:
        parts = [torch.as_tensor(np.asarray(one)) for one in arrays_of(output)]
        entry = next((one for one in parts if not one.is_floating_point()), None)
        if entry is None:
            raise TraceError(
                "read neighbours", "no whole numbers in what was returned", "Return numbers of entries, too"
            )
        near = next((one for one in parts if one.is_floating_point() and one.shape == entry.shape), None)
        score = torch.zeros(entry.shape) if near is None else near.float() if cosine else -near.float()
        rows = entry.reshape(-1, entry.shape[-1]) if entry.ndim > 1 else entry[:, None]
        return Matches.hard(rows, score.reshape(rows.shape))

    return read


def codebook_reader() -> Reader:
    """A reader of a codebook, one `Matches` per image: the whole numbers (B, ...) in what a quantiser returns."""

    def read(inputs: tuple[Any, ...], output: Any) -> list[Matches]:
        for tensor in tensors_of(output):
            if tensor.ndim >= 2 and not tensor.is_floating_point() and tensor.dtype != torch.bool:
                codes = tensor.detach().cpu().long()
                return [Matches.hard(image.flatten(), torch.ones(image.numel())) for image in codes]
        raise TraceError(
            "read a codebook", "no numbers of codes in what was returned", "Return them, (B, rows, columns)"
        )

    return read


def tensors_of(value: Any) -> Iterator[Tensor]:
    """All tensors in a result, in its order."""
    if isinstance(value, Tensor):
        yield value
    elif isinstance(value, dict):
        for one in value.values():
            yield from tensors_of(one)
    elif isinstance(value, Sequence) and not isinstance(value, (str, bytes)):
        for one in value:
            yield from tensors_of(one)


def arrays_of(value: Any) -> Iterator[Any]:
    """All arrays and tensors in a result, in its order; of usearch its keys and distances."""
    if isinstance(value, (Tensor, np.ndarray)):
        yield value
    elif hasattr(value, "keys") and hasattr(value, "distances"):
        yield from (value.keys, value.distances)
    elif isinstance(value, Sequence):
        for one in value:
            yield from arrays_of(one)
