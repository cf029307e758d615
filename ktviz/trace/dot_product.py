"""Scaled dot-product attention as it was computed: its weights, worked out again and checked against its result."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from ktviz.errors import TraceError
from ktviz.printing import counted

ASKED = "read attention"


@dataclass(frozen=True)
class DotProduct:
    """One call of attention: softmax(query keyᵀ · scale + mask) value.

    Attributes:
        query: (..., N, D); before N the images, or images and heads, or nothing.
        key: (..., P, D).
        value: (..., P, E).
        result: (..., N, E).
        mask: What was masked, broadcast to (..., N, P): bool, true where a key counts, or added to the products; None
            for nothing.
        causal: Whether query n sees keys up to n only.
        scale: Of the products; 1 / √D if None.
        dropout: The part of the weights that was dropped at random.
    """

    query: Tensor
    key: Tensor
    value: Tensor
    result: Tensor
    mask: Tensor | None = None
    causal: bool = False
    scale: float | None = None
    dropout: float = 0.0

    @classmethod
    def of_call(
        cls,
        result: Tensor,
        query: Tensor,
        key: Tensor,
        value: Tensor,
        attn_mask: Tensor | None = None,
        dropout_p: float = 0.0,
        is_causal: bool = False,
        scale: float | None = None,
        enable_gqa: bool = False,
    ) -> DotProduct:
        """A call of `torch.nn.functional.scaled_dot_product_attention`; its result may be written on afterwards."""
        if enable_gqa:
            key, value = (one.repeat_interleave(query.shape[-3] // one.shape[-3], -3) for one in (key, value))
        mask = None if attn_mask is None else attn_mask.detach()
        parts = (query.detach(), key.detach(), value.detach(), result.detach().clone())
        return cls(*parts, mask, is_causal, scale, dropout_p)

    def weights(self, images: int | None) -> Iterator[Tensor]:
        """What each query takes of each key, the mean over heads: (N, P) float32 of every image.

        Args:
            images: How many there are; None if that is not known: as many as the first dimension says.

        Raises:
            TraceError: Weights were dropped at random; images and heads cannot be told apart; or these weights do not
                give the result.
        """
        if self.dropout:
            found = f"attention with dropout ({self.dropout:g}), whose weights are drawn anew every time"
            raise TraceError(ASKED, found, "Record the model in its evaluation mode: model.eval()")
        shape, width = self.query.shape[:-2], (self.query.shape[-2], self.key.shape[-2])
        parts = [
            by_image(one.expand(*shape, *one.shape[-2:]), images)
            for one in (self.query, self.key, self.value, self.result)
        ]
        mask = None if self.mask is None else by_image(self.mask.expand(*shape, *width), images)
        for number in range(len(parts[0])):
            total = torch.zeros(width, dtype=torch.float64)
            for head in range(parts[0].shape[1]):
                query, key, value, result = (part[number, head] for part in parts)
                masked = None if mask is None else mask[number, head]
                total += self.of_head(query, key, value, result, masked)
            yield (total / parts[0].shape[1]).float()

    def of_head(self, query: Tensor, key: Tensor, value: Tensor, result: Tensor, mask: Tensor | None) -> Tensor:
        """Weights (N, P) float64 of one image and head, if with them values (P, E) become the result (N, E)."""
        query, key, value = (one.cpu().double() for one in (query, key, value))
        scores = query @ key.T * (1 / math.sqrt(query.shape[-1]) if self.scale is None else self.scale)
        largest = float(scores.abs().amax()) if scores.numel() else 0.0
        if self.causal:
            scores = scores.masked_fill(torch.ones_like(scores, dtype=torch.bool).triu(1), -torch.inf)
        if mask is not None and mask.dtype == torch.bool:
            scores = scores.masked_fill(~mask.cpu(), -torch.inf)
        elif mask is not None:
            scores = scores + mask.cpu().double()
        weights = scores.softmax(-1).nan_to_num(0.0)  # a query to which every key is masked takes nothing
        check_gives(weights, value, result, largest)
        return weights


def check_gives(weights: Tensor, value: Tensor, result: Tensor, largest: float = 0.0) -> None:
    """Raise TraceError unless weights (..., N, P) make the result (..., N, E) of values (..., P, E), within rounding.

    Args:
        weights: float64.
        value: What they mix.
        result: What a module made.
        largest: Of the scores before the softmax: the larger they are, the more rounding they bring.
    """
    value, made = value.cpu().double(), result.cpu().double()
    steps = 4 * torch.finfo(result.dtype).eps + 64 * min(torch.finfo(result.dtype).eps, 2.0**-23) * (1 + largest)
    size = float(value.abs().amax()) if value.numel() else 0.0
    apart = (weights @ value - made).abs()
    if not bool((apart <= steps * size).all()):  # also where something is no number
        found = f"weights that do not give its result: it is off by {float(apart.max()):.3g}"
        raise TraceError(ASKED, found, "It computes something else: write a reader, kt.adapt(module, ...)")


def by_image(tensor: Tensor, images: int | None) -> Tensor:
    """(images, heads, N, D) of a tensor (images, heads, N, D), (images, N, D), (images * heads, N, D) or (N, D).

    Raises:
        TraceError: It is none of these.
    """
    shape = tensor.shape[:-2]
    count = images if images is not None else shape[0] if shape else 1
    fits = shape[0] == count if len(shape) == 2 else len(shape) < 2 and count and not math.prod(shape) % count
    if not fits:
        found = f"attention of shape {tuple(tensor.shape)} in a run of {counted(count, 'image')}"
        raise TraceError(ASKED, found, "Say which part is whose: write a reader, kt.adapt(module, ...)")
    return tensor.reshape(count, -1, *tensor.shape[-2:])
