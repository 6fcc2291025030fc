"""What a video model remembers: cached keys and values, frame by frame, layer by layer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import torch
from torch import Tensor

from mag_model.memory.frame_kv import Cameras, FrameKV
from mag_model.memory.policy import CachePolicy
from mag_model.memory.quantise import Packed, pack


class LayerMemory:
    """One layer's frames, in a buffer that is made once.

    The first places hold the history, in no order, and the next ones the block at hand. So attention reads one stretch
    of memory, and neither a pass nor a new block copies the history: frames that stay keep their place, and frames that
    come take the places of frames that go.

    Args:
        like: (B, N, H, D) whose type, device and sizes the cache has.
        tokens: tokens a frame.
        places: frames that there is room for.

    Attributes:
        kv: (2, B, H, places * S, D) keys and values. Keys are stored before RoPE if the policy moves frames, else
            after it.
        frame: (F,) int64 indices of the history's frames, by place; on the CPU.
        q: (B, N, H, D) queries of the block at hand, for a policy that uses them.
        note: (B, F, S, H) what a policy noted of the history, by place.
        packed: keys and values of the history, (2, B, F, S, H, D), of a policy that stores fewer bits; then ``kv``
            holds the block at hand alone.
    """

    def __init__(self, like: Tensor, tokens: int, places: int) -> None:
        batch, _, heads, width = like.shape
        self.tokens = tokens
        self.kv = like.new_empty(2, batch, heads, places * tokens, width)
        self.frame = torch.zeros(0, dtype=torch.int64)
        self.q: Tensor | None = None
        self.note: Tensor | None = None
        self.packed: Packed | None = None

    @property
    def places(self) -> int:
        return self.kv.shape[3] // self.tokens

    @property
    def end(self) -> int:
        """Tokens of the history in ``kv``."""
        return 0 if self.packed is not None else len(self.frame) * self.tokens

    @property
    def bytes(self) -> int:
        """Bytes of the keys and values of the history, and of what was noted of it."""
        noted = 0 if self.note is None else self.note.nbytes
        if self.packed is not None:
            return noted + self.packed.bytes
        return noted + self.kv.nbytes // self.places * len(self.frame)

    def grow(self, places: int) -> None:
        """Have room for that many frames. Copies the history if there is too little; then room at least doubles."""
        if places > self.places:
            old, size = self.kv, list(self.kv.shape)
            size[3] = max(places, 2 * self.places) * self.tokens
            self.kv = old.new_empty(size)
            self.kv[:, :, :, : self.end] = old[:, :, :, : self.end]

    def put(self, k: Tensor, v: Tensor, q: Tensor | None = None) -> None:
        """Set the block at hand, (B, N, H, D), behind the history."""
        self.q = q
        end = self.end + k.shape[1]
        self.grow(end // self.tokens)
        self.kv[0, :, :, self.end : end] = k.transpose(1, 2)
        self.kv[1, :, :, self.end : end] = v.transpose(1, 2)

    def content(self, place: Tensor, frame: Tensor) -> FrameKV:
        """A copy of the frames of the history at ``place`` (n,), for a policy that looks at them."""
        at = place.to(self.kv.device)
        note = None if self.note is None else self.note[:, at]
        if self.packed is not None:
            k, v = self.packed.at(at)
        else:
            k, v = self._frames[:, :, :, at].permute(0, 1, 3, 4, 2, 5)
        return FrameKV(k, v, frame, note=note)

    def at_hand(self, frame: Tensor) -> FrameKV:
        """A copy of the block at hand, whose frames are ``frame`` (n,)."""
        end = self.end + len(frame) * self.tokens
        k, v = self.kv[:, :, :, self.end : end].unflatten(3, (-1, self.tokens)).permute(0, 1, 3, 4, 2, 5)
        q = None if self.q is None else self.q.unflatten(1, (-1, self.tokens))
        return FrameKV(k, v, frame, q=q)

    def keep(self, place: Tensor, frame: Tensor, bits: int | None = None) -> None:
        """Hold the frames at ``place`` (n,), with indices ``frame`` (n,), and no others; in so many bits a number.

        ``place``: of the history, and behind it of the block at hand. Without ``bits``, frames beyond the first n
        places are copied to places that became free.
        """
        if bits is not None:
            self._keep_packed(place, frame, bits)
            return
        stays = place < len(place)
        free = torch.ones(len(place), dtype=torch.bool)
        free[place[stays]] = False
        target = torch.where(stays, place, 0)
        target[~stays] = free.nonzero().flatten()
        for old, new in zip(place[~stays].tolist(), target[~stays].tolist(), strict=True):
            self._frames[:, :, :, new] = self._frames[:, :, :, old]
        self.frame = torch.empty_like(frame).scatter(0, target, frame)

    def _keep_packed(self, place: Tensor, frame: Tensor, bits: int) -> None:
        """What was stored keeps its codes; what comes is packed."""
        new = place >= len(self.frame)
        at = (place[new] - len(self.frame)).to(self.kv.device)
        newest = pack(self._frames[:, :, :, at].permute(0, 1, 3, 4, 2, 5), bits)
        stays = place[~new].to(self.kv.device)
        self.packed = newest if self.packed is None else self.packed.select(stays).append(newest)
        self.frame = torch.cat([frame[~new], frame[new]])

    def hold(self, kept: FrameKV, bits: int | None = None) -> None:
        """Hold these frames, copied in, and no others; in so many bits a number, if they are given."""
        if bits is None:
            self.frame = kept.frame[:0]
            self.put(kept.k.flatten(1, 2), kept.v.flatten(1, 2))
        else:
            self.packed = pack(torch.stack([kept.k, kept.v]), bits)
        self.frame, self.note = kept.frame, kept.note

    @property
    def _frames(self) -> Tensor:
        """(2, B, H, places, S, D) the buffer, frame by frame."""
        return self.kv.unflatten(3, (self.places, self.tokens))


class Memory:
    """A :class:`LayerMemory` per layer: the only mutable object of a rollout. Knows its bytes.

    Attributes:
        cameras: of the clip's frames, for policies that look at them; None where the backbone is told none.
    """

    def __init__(self) -> None:
        self.layers: list[LayerMemory] = []
        self.cameras: Cameras | None = None
        self._reserved = 0

    @classmethod
    def made_up(cls, layers: int, like: Tensor, frame: Tensor, room: int, seed: int, bits: int | None = None) -> Memory:
        """A memory full of noise, for timing.

        Args:
            layers: how many.
            like: (B, S, H, D), keys of one frame: sizes, type and device.
            frame: (F,) ascending int64 indices of the frames held.
            room: frames that there is room for behind them.
            bits: of a stored number; None = as ``like``.
        """
        memory = cls()
        random = torch.Generator(like.device).manual_seed(seed)
        for _ in range(layers):
            layer = LayerMemory(like, like.shape[1], len(frame) + room)
            layer.kv.normal_(generator=random)
            if bits is None:
                layer.frame = frame
            else:
                layer.hold(layer.content(torch.arange(len(frame)), frame), bits)
            memory.layers.append(layer)
        return memory

    @property
    def bytes(self) -> int:
        """Bytes of history held now, all layers together."""
        return sum(layer.bytes for layer in self.layers)

    @property
    def allocated(self) -> int:
        """Bytes of all buffers, used or not."""
        return sum(layer.kv.nbytes for layer in self.layers)

    @property
    def frame(self) -> Tensor:
        """(F,) int64 indices of the frames that the first layer holds, ascending."""
        return self.layers[0].frame.sort().values if self.layers else torch.zeros(0, dtype=torch.int64)

    def reserve(self, policy: CachePolicy, blocks: Sequence[Tensor], rolling_window_blocks: int = 1) -> None:
        """Make room for all that a policy will hold while blocks of frames, (n,) int64 each, are made in turn.

        ``rolling_window_blocks`` are at hand at once. A policy that looks at contents cannot be foreseen; its
        buffers grow. One that stores fewer bits holds its history elsewhere.
        """
        if policy.uses_content or policy.bits is not None:
            return
        past = FrameKV.numbered(self.frame, self.frame, self.cameras)
        for number, block in enumerate(blocks):
            at_hand = sum(len(each) for each in blocks[number : number + rolling_window_blocks])
            self._reserved = max(self._reserved, len(past.frame) + at_hand)
            past = policy.write(past, FrameKV.numbered(block, block, self.cameras))
        for layer in self.layers:
            layer.grow(self._reserved)

    def put(self, layer: int, k: Tensor, v: Tensor, tokens: int, q: Tensor | None = None) -> LayerMemory:
        """Set the block at hand of a layer, (B, N, H, D), with so many tokens a frame. Layers come in order."""
        if layer == len(self.layers):
            self.layers.append(LayerMemory(k, tokens, max(self._reserved, k.shape[1] // tokens)))
        self.layers[layer].put(k, v, q)
        return self.layers[layer]

    def keep(self, policy: CachePolicy, block: Tensor) -> None:
        """Let the policy say what stays, once the frames ``block`` (n,) int64, which were put last, are done."""
        if policy.uses_content:
            for layer in self.layers:
                layer.hold(policy.write(self.seen(layer), self._told(layer.at_hand(block))), policy.bits)
            return
        held, order = self.layers[0].frame.sort()
        own = torch.arange(len(held), len(held) + len(block))
        past, newest = (FrameKV.numbered(place, frame, self.cameras) for place, frame in ((order, held), (own, block)))
        kept = policy.write(past, newest)
        for layer in self.layers:
            layer.keep(kept.numbers, kept.frame, policy.bits)

    def seen(self, layer: LayerMemory) -> FrameKV:
        """A copy of a layer's history, in the order of its frames, for a policy that looks at contents."""
        held, order = layer.frame.sort()
        return self._told(layer.content(order, held))

    def _told(self, frames: FrameKV) -> FrameKV:
        return replace(frames, cameras=self.cameras)
