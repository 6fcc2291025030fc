"""What a layer's queries attend to: a whole masked sequence while training, a cache while generating."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

import torch
from torch import Tensor
from torch.nn.functional import scaled_dot_product_attention

from mag_model.memory.cache import LayerMemory, Memory
from mag_model.memory.frame_kv import FrameKV
from mag_model.memory.policy import CachePolicy
from mag_model.rope import Rope, rotate

Read = Callable[[FrameKV, Tensor], FrameKV]
"""What a cache and the frames at hand, (n,) int64, give to attend to; see :meth:`CachePolicy.read`."""


class Attention(Protocol):
    """Attention of one forward pass. It knows which frames are at hand, and turns queries and keys itself."""

    def __call__(self, layer: int, q: Tensor, k: Tensor, v: Tensor) -> Tensor:
        """q, k, v (B, N, H, D) of the frames at hand, before RoPE -> (B, N, H, D)."""
        ...


def _attend(q: Tensor, k: Tensor, v: Tensor, mask: Tensor | None = None) -> Tensor:
    """(B, N, H, D) queries against keys and values laid out as (B, H, M, D)."""
    return scaled_dot_product_attention(q.transpose(1, 2), k, v, attn_mask=mask).transpose(1, 2)


class SequenceAttention:
    """Attention over [past, own frames], differentiable; for whole sequences.

    Args:
        turn: of the frames at hand, see :meth:`mag_model.rope.Rope.turns`.
        mask: (N, M + N) bool, True = attends; M tokens of the past first. None: everything attends to everything.
        past: for each layer (k, v), (B, M, H, D), k after RoPE; none if empty.
    """

    def __init__(self, turn: Tensor, mask: Tensor | None = None, past: Sequence[tuple[Tensor, Tensor]] = ()) -> None:
        self._turn, self._mask, self._past = turn, mask, past

    def __call__(self, layer: int, q: Tensor, k: Tensor, v: Tensor) -> Tensor:
        return self.attend(layer, rotate(q, self._turn), rotate(k, self._turn), v)

    def attend(self, layer: int, q: Tensor, k: Tensor, v: Tensor) -> Tensor:
        """Attend like a call, with q and k after RoPE."""
        if self._past:
            past_k, past_v = self._past[layer]
            k, v = torch.cat([past_k, k], 1), torch.cat([past_v, v], 1)
        return _attend(q, k.transpose(1, 2), v.transpose(1, 2), self._mask)


class RecordingAttention(SequenceAttention):
    """The same, and the keys (after RoPE) and values of each layer can be had afterwards.

    Attributes:
        layers: for each layer (k, v), (B, N, H, D).
    """

    def __init__(self, turn: Tensor, mask: Tensor | None = None) -> None:
        super().__init__(turn, mask)
        self.layers: list[tuple[Tensor, Tensor]] = []

    def attend(self, layer: int, q: Tensor, k: Tensor, v: Tensor) -> Tensor:
        self.layers.append((k, v))
        return super().attend(layer, q, k, v)


class CachedAttention:
    """Attention over [what a policy reads from memory, own frames], for all passes over one block.

    Each pass leaves its keys and values in the memory, as the block at hand. A policy that neither moves frames nor
    leaves some unread is served from the memory as it stands; for others the history is turned or gathered once.

    Args:
        memory: the frames before the block.
        frame: (n,) int64 absolute indices of the block's frames, on the CPU; of all blocks that are made together.
        device: where the passes run.
        read: what is read of the memory; None = the policy's ``read``.
    """

    def __init__(
        self,
        memory: Memory,
        policy: CachePolicy,
        rope: Rope,
        frame: Tensor,
        device: torch.device | str = "cpu",
        read: Read | None = None,
    ) -> None:
        self._memory, self._policy, self._rope, self._frame, self._device = memory, policy, rope, frame, device
        self._read = policy.read if read is None else read
        self._own = rope.turns(frame.to(device))
        self._raw = policy.reindexes
        self._gathered: dict[int, tuple[Tensor, Tensor]] = {}
        self._places: FrameKV | None = None
        if not policy.uses_content and memory.layers:
            held, order = memory.layers[0].frame.sort()
            self._places = self._read(FrameKV.numbered(order, held, memory.cameras), frame)
            own_index = memory.layers[0].frame[self._places.numbers]
            if not policy.reindexes and not torch.equal(own_index, self._places.frame):
                raise ValueError(f"{policy} reads frames at other indices, but does not say that it reindexes them")

    def __call__(self, layer: int, q: Tensor, k: Tensor, v: Tensor) -> Tensor:
        unturned, q, turned = q, rotate(q, self._own), rotate(k, self._own)
        held = self._memory.put(
            layer,
            k if self._raw else turned,
            v,
            self._rope.tokens,
            (unturned if self._raw else q) if self._policy.uses_queries else None,
        )
        if self._in_place(held):
            end = held.end + k.shape[1]
            return _attend(q, held.kv[0, :, :, :end], held.kv[1, :, :, :end])
        if layer not in self._gathered:
            self._gathered[layer] = self._gather(held, k.shape[1])
        keys, values = self._gathered[layer]
        keys[:, :, -k.shape[1] :] = turned.transpose(1, 2)
        values[:, :, -k.shape[1] :] = v.transpose(1, 2)
        return _attend(q, keys, values)

    def to_write(self, frame: Tensor) -> CachedAttention:
        """For the pass that writes the frames ``frame``: itself, if that pass reads what the others read."""
        if self._policy.reads_once and torch.equal(frame, self._frame):
            return self
        read = self._policy.read_to_write
        return CachedAttention(self._memory, self._policy, self._rope, frame, self._device, read)

    def _in_place(self, held: LayerMemory) -> bool:
        """Whether the history can be read where it lies."""
        if self._raw or held.packed is not None:
            return False
        if self._places is None:
            return len(held.frame) == 0 or not self._policy.chooses
        return len(self._places.frame) == len(held.frame)

    def _gather(self, held: LayerMemory, own: int) -> tuple[Tensor, Tensor]:
        """What the policy reads of a layer, keys turned, (B, H, M + own, D) each, the last ``own`` places unset."""
        if self._places is not None:
            seen = held.content(self._places.numbers, self._places.frame)
        else:
            seen = self._read(self._memory.seen(held), self._frame)
        keys, values = (content.to(held.kv.dtype).flatten(1, 2) for content in (seen.k, seen.v))
        if self._raw:
            keys = rotate(keys, self._rope.turns(seen.frame.to(keys.device)))
        return _with_room(keys, own), _with_room(values, own)


def _with_room(x: Tensor, own: int) -> Tensor:
    """(B, M, H, D) as (B, H, M + own, D), the last ``own`` places unset."""
    batch, tokens, heads, width = x.shape
    buffer = x.new_empty(batch, heads, tokens + own, width)
    buffer[:, :, :tokens] = x.transpose(1, 2)
    return buffer
