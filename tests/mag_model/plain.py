"""Memory without any economy, to check the real one: policies on plain tensors, all keys turned anew for each pass."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import scaled_dot_product_attention

from mag_model.denoiser import Denoiser
from mag_model.flow import add_noise
from mag_model.memory.attention import Read
from mag_model.memory.frame_kv import Cameras, FrameKV
from mag_model.memory.policy import CachePolicy
from mag_model.rollout import Noise
from mag_model.rope import Rope, rotate


class PlainAttention:
    """Attention over [what is read of the past, own], all joined anew; keeps the pass's own keys, values, queries.

    With ``raw`` a policy sees keys and queries before RoPE, and those of the past are turned anew in each pass.
    """

    def __init__(
        self, read: Read, past: list[FrameKV], frame: Tensor, rope: Rope, raw: bool, cameras: Cameras | None
    ) -> None:
        self.read, self.past, self.rope, self.frame, self.raw, self.cameras = read, past, rope, frame, raw, cameras
        self.own: list[FrameKV] = []

    def __call__(self, layer: int, q: Tensor, k: Tensor, v: Tensor) -> Tensor:
        turns = self.rope.turns(self.frame)
        turned_q, turned_k = rotate(q, turns), rotate(k, turns)
        if not self.raw:
            q, k = turned_q, turned_k
        own_q, own_k, own_v = (x.unflatten(1, (len(self.frame), -1)) for x in (q, k, v))
        own = FrameKV(own_k, own_v, self.frame, self.cameras, own_q)
        self.own.append(own)
        past = self.read(self.past[layer], self.frame) if self.past else FrameKV.empty(own)
        keys = past.k.flatten(1, 2)
        if self.raw:
            keys = rotate(keys, self.rope.turns(past.frame))
        keys, values = torch.cat([keys, turned_k], 1), torch.cat([past.v.flatten(1, 2), v], 1)
        tokens = (x.transpose(1, 2) for x in (turned_q, keys, values))
        return scaled_dot_product_attention(*tokens).transpose(1, 2)


@torch.inference_mode()
def plain_rollout(
    generator: Denoiser, policy: CachePolicy, context: Tensor, frames: int, noise: Noise, writer: Denoiser
) -> tuple[Tensor, list[FrameKV]]:
    """(B, frames - F, C, h, w) what comes after the context, and what each layer holds in the end."""
    past: list[FrameKV] = []
    shared = (generator.rope, policy.reindexes, generator.cameras)
    made = context
    for first in range(0, frames, generator.block):
        frame = torch.arange(first, first + generator.block)
        block = context[:, first : first + generator.block]
        if not block.shape[1]:
            size = torch.Size((len(context), generator.block, *context.shape[2:]))
            block = torch.zeros(size)
            for sigma in generator.sigmas:
                level = torch.full(size[:2], sigma)
                noised = add_noise(block, noise(size), level)
                attention = PlainAttention(policy.read, past, frame, *shared)
                block = generator.at(frame)(noised, level, attention)
            made = torch.cat([made, block], 1)
        attention = PlainAttention(policy.read_to_write, past, frame, *shared)
        writer.at(frame)(block, torch.zeros(block.shape[:2]), attention)
        past = past or [FrameKV.empty(own) for own in attention.own]
        past = [policy.write(old, new) for old, new in zip(past, attention.own, strict=True)]
    return made[:, context.shape[1] :], past
