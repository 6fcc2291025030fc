"""What a layer's queries attend to: a whole masked sequence while training, a cache while generating."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import torch
from torch import Tensor
from torch.nn.functional import scaled_dot_product_attention

from mag_model.memory import FrameKV
from mag_model.rope import rotate, turns
from mag_model.spec import BackboneSpec


class Attention(Protocol):
    """Attention of one forward pass. q, k, v: (B, N, H, D) of the frames at hand, q and k rotated."""

    def __call__(self, layer: int, q: Tensor, k: Tensor, v: Tensor) -> Tensor:
        """(B, N, H, D)."""
        ...


def _attend(q: Tensor, k: Tensor, v: Tensor, mask: Tensor | None = None) -> Tensor:
    """(B, N, H, D) queries against keys and values laid out as (B, H, M, D)."""
    return scaled_dot_product_attention(q.transpose(1, 2), k, v, attn_mask=mask).transpose(1, 2)


class MaskedAttention:
    """Attention over [past, own frames] under one mask, differentiable; for whole sequences.

    Args:
        mask: (N, M + N) bool, True = attends; M tokens of the past first.
        past: for each layer (k, v), (B, M, H, D), k rotated; none if empty.
    """

    def __init__(self, mask: Tensor, past: Sequence[tuple[Tensor, Tensor]] = ()) -> None:
        self._mask, self._past = mask, past

    def __call__(self, layer: int, q: Tensor, k: Tensor, v: Tensor) -> Tensor:
        if self._past:
            past_k, past_v = self._past[layer]
            k, v = torch.cat([past_k, k], 1), torch.cat([past_v, v], 1)
        return _attend(q, k.transpose(1, 2), v.transpose(1, 2), self._mask)


class CachedAttention:
    """Attention over [cached frames, own frames], for one block.

    The history is rotated and laid out once; each pass overwrites only the block's own places behind it.

    Args:
        layers: what to read, for each layer; may be empty before the first block.
        own: tokens of the block.
    """

    def __init__(self, spec: BackboneSpec, layers: Sequence[FrameKV], own: int) -> None:
        self._own = own
        self._buffers = []
        for layer in layers:
            keys = rotate(layer.k.flatten(1, 2), turns(spec, layer.frame))
            self._buffers.append((_with_room(keys, own), _with_room(layer.v.flatten(1, 2), own)))

    def __call__(self, layer: int, q: Tensor, k: Tensor, v: Tensor) -> Tensor:
        if not self._buffers:
            return _attend(q, k.transpose(1, 2), v.transpose(1, 2))
        keys, values = self._buffers[layer]
        keys[:, :, -self._own :] = k.transpose(1, 2)
        values[:, :, -self._own :] = v.transpose(1, 2)
        return _attend(q, keys, values)


def _with_room(x: Tensor, own: int) -> Tensor:
    """(B, M, H, D) as (B, H, M + own, D), the last ``own`` places unset."""
    batch, tokens, heads, width = x.shape
    buffer = x.new_empty(batch, heads, tokens + own, width)
    buffer[:, :, :tokens] = x.transpose(1, 2)
    return buffer
