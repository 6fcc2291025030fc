"""Memory without any economy, to check the real one: policies on plain tensors, all keys turned anew for each pass."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import scaled_dot_product_attention

from mag_model.denoiser import Denoiser
from mag_model.flow import add_noise
from mag_model.memory.attention import Read
from mag_model.memory.frame_kv import FrameKV
from mag_model.memory.policy import CachePolicy
from mag_model.rollout import Noise
from mag_model.rope import Rope, rotate


class PlainAttention:
    """Attention over [what is read of the past, own], all joined anew; keeps the pass's own keys and values."""

    def __init__(self, read: Read, past: list[FrameKV], rope: Rope, frame: Tensor) -> None:
        self.read, self.past, self.rope, self.frame = read, past, rope, frame
        self.own: list[FrameKV] = []

    def __call__(self, layer: int, q: Tensor, k: Tensor, v: Tensor) -> Tensor:
        own = FrameKV(*(x.unflatten(1, (len(self.frame), -1)) for x in (k, v)), self.frame)
        self.own.append(own)
        seen = self.read(self.past[layer], self.frame).append(own) if self.past else own
        keys = rotate(seen.k.flatten(1, 2), self.rope.turns(seen.frame))
        q = rotate(q, self.rope.turns(self.frame))
        tokens = (x.transpose(1, 2) for x in (q, keys, seen.v.flatten(1, 2)))
        return scaled_dot_product_attention(*tokens).transpose(1, 2)


@torch.inference_mode()
def plain_rollout(
    generator: Denoiser, policy: CachePolicy, context: Tensor, frames: int, noise: Noise, writer: Denoiser
) -> tuple[Tensor, list[FrameKV]]:
    """(B, frames - F, C, h, w) what comes after the context, and what each layer holds in the end."""
    past: list[FrameKV] = []
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
                block = generator.at(frame)(noised, level, PlainAttention(policy.read, past, generator.rope, frame))
            made = torch.cat([made, block], 1)
        attention = PlainAttention(policy.read_to_write, past, generator.rope, frame)
        writer.at(frame)(block, torch.zeros(block.shape[:2]), attention)
        past = past or [FrameKV.empty(own) for own in attention.own]
        past = [policy.write(old, new) for old, new in zip(past, attention.own, strict=True)]
    return made[:, context.shape[1] :], past
