"""What a module that attends took of each key: from what it really computed, never from a guess."""

from __future__ import annotations

import inspect
import math
from collections.abc import Iterator, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from ktviz.errors import TraceError
from ktviz.trace.dot_product import DotProduct, by_image, check_gives
from ktviz.trace.tensors import tensors_of

ROWS = 1e-3
"""How far rows of attention may be off 1."""
WRITE = "Write a reader: kt.adapt(module, ...)"


def attention_of(
    module: nn.Module, inputs: tuple[Any, ...], output: Any, heard: Sequence[DotProduct], images: int | None
) -> Iterator[Tensor]:
    """What each query takes of each key, the mean over heads: (N, P) float32 of every image of a call.

    In this order it is what `torch.nn.MultiheadAttention` computes; what the one call of `scaled_dot_product_attention`
    that was heard computed; weights in the result; or plain attention of the first three arguments, if that is the
    result.

    Args:
        module: That was called.
        inputs: Its arguments, in the order of its `forward`.
        output: Its result.
        heard: Calls of `scaled_dot_product_attention` in it.
        images: Of the run; None if it is not known.

    Raises:
        TraceError: None of these, or several calls or weights; dropout; or weights that do not give the result.
    """
    if is_multihead(module):
        assert isinstance(module, nn.MultiheadAttention)
        return mean_of_heads(of_multihead(module, inputs, output), images)
    if len(heard) == 1:
        return heard[0].weights(images)
    if heard and not weights_in(output):
        raise refused(
            module,
            f"{len(heard)} calls of scaled_dot_product_attention in one of its own",
            "Adapt the part of it that makes one of them, or write a reader: kt.adapt(part, ...)",
        )
    return of_result(module, inputs, output, images)


def is_multihead(module: nn.Module) -> bool:
    """Whether a module computes what `torch.nn.MultiheadAttention` does, and not something of its own."""
    return isinstance(module, nn.MultiheadAttention) and type(module).forward is nn.MultiheadAttention.forward


def refused(module: nn.Module, found: str, todo: str = WRITE) -> TraceError:
    return TraceError(f"read attention of {type(module).__name__}", found, todo)


def mean_of_heads(weights: Tensor, images: int | None) -> Iterator[Tensor]:
    """(images, heads, N, P), (images, N, P) or (images * heads, N, P) to one (N, P) per image."""
    return (image.detach().float().mean(0).cpu() for image in by_image(weights, images))


def of_multihead(module: nn.MultiheadAttention, inputs: tuple[Any, ...], output: Any) -> Tensor:
    """Weights (B, N, P) or (B, heads, N, P): those that it returned, or else those of the same call with
    `need_weights`. Keys that the module adds itself (`add_bias_kv`, `add_zero_attn`) come last.

    Raises:
        TraceError: It keeps its weights to itself, and drops some at random, or the same call gives something else.
    """
    given = dict(zip(inspect.signature(module.forward).parameters, inputs, strict=False))
    weights: Tensor | None = output[1]
    if weights is None:
        if module.training and module.dropout:
            found = f"dropout ({module.dropout:g}), and it does not return its weights"
            raise refused(module, found, "Record the model in its evaluation mode: model.eval()")
        asked = {**given, "need_weights": True, "average_attn_weights": True}
        with torch.no_grad():
            made, weights = nn.MultiheadAttention.forward(module, **asked)
        size = float(made.abs().amax()) if made.numel() else 0.0
        if not bool(((made - output[0]).abs() <= math.sqrt(torch.finfo(made.dtype).eps) * size).all()):
            raise refused(module, "another result when it is called with need_weights=True", "Call it with that")
    assert weights is not None
    return weights if given["query"].ndim == 3 else weights[None]


def weights_in(output: Any) -> list[Tensor]:
    """What may be weights in a result: (..., N, P) with rows that sum to 1."""
    found = []
    for tensor in tensors_of(output):
        if tensor.ndim in (3, 4) and tensor.is_floating_point() and tensor.numel():
            sums = tensor.detach().float().sum(-1)
            if bool(((sums - 1).abs() <= ROWS).all()) and bool((tensor >= 0).all()):
                found.append(tensor.detach())
    return found


def of_result(module: nn.Module, inputs: tuple[Any, ...], output: Any, images: int | None) -> Iterator[Tensor]:
    """Weights of a module of which no call was heard: those that it returned, or plain attention of its arguments, if
    that gives its result."""
    returned = weights_in(output)
    given = [one.detach() for one in inputs if isinstance(one, Tensor)]
    if len(returned) > 1:
        raise refused(module, f"{len(returned)} results with rows that sum to 1")
    if returned:
        check_returned(module, returned[0], given, output)
        return mean_of_heads(returned[0], images)
    made = next(tensors_of(output), None)
    if made is not None and fit(given, made):
        query, key, value = given[:3]
        return DotProduct(query, key, value, made.detach()).weights(images)
    found = "no call of scaled_dot_product_attention, and neither weights that sum to 1 in its result, nor queries, "
    found += "keys and values as its arguments"
    if any(isinstance(part, nn.MultiheadAttention) for part in module.modules()):
        raise refused(module, found, "Adapt the torch.nn.MultiheadAttention inside it")
    raise refused(module, found)


def fit(given: Sequence[Tensor], made: Tensor) -> bool:
    """Whether the first three tensors can be queries, keys and values of a result."""
    if len(given) < 3 or not all(one.ndim in (3, 4) and one.is_floating_point() for one in (*given[:3], made)):
        return False
    query, key, value = given[:3]
    alike = query.shape[-1] == key.shape[-1] and key.shape[-2] == value.shape[-2]
    return alike and made.shape == (*query.shape[:-1], value.shape[-1])


def check_returned(module: nn.Module, weights: Tensor, given: Sequence[Tensor], output: Any) -> None:
    """Raise TraceError where returned weights cannot be those that were used. That is known of a module without
    parameters, which mixes the values that it is given as they are; others may project them."""
    made = next((one for one in tensors_of(output) if one.data_ptr() != weights.data_ptr()), None)
    if made is None or len(given) < 3 or any(True for _ in module.parameters()):
        return
    value = given[2]
    if value.shape[-2] == weights.shape[-1] and made.shape == (*weights.shape[:-1], value.shape[-1]):
        check_gives(weights.cpu().double(), value.expand(*made.shape[:-2], *value.shape[-2:]), made)
