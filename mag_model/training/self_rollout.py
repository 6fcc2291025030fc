"""Rollouts that a generator learns from: through the real cache, with a gradient through the last pass of each block.

Self Forcing, arXiv 2506.08009, algorithm 1. History is detached: what was written is a constant to later blocks.
"""

from __future__ import annotations

import torch
from torch import Tensor

from mag_model.denoiser import Denoiser
from mag_model.flow import add_noise
from mag_model.memory.attention import CachedAttention, SequenceAttention
from mag_model.memory.cache import Memory
from mag_model.memory.policy import CachePolicy
from mag_model.rollout import Noise, denoise, write


def self_rollout(
    generator: Denoiser, policy: CachePolicy, writer: Denoiser, context: Tensor, frames: int, exit: int, noise: Noise
) -> Tensor:
    """Make a clip block by block, (B, F, C, h, w), differentiable with respect to the generator.

    Args:
        generator: makes one block at a time.
        policy: decides what stays; one that looks at no content and moves no frame.
        writer: writes what is made, without gradient.
        context: (B, given, C, h, w) what the clip begins with, whole blocks; given may be 0.
        frames: of the clip, whole blocks.
        exit: denoising step, from 0, whose prediction is a block.
        noise: see :func:`mag_model.rollout.seeded`.
    """
    if policy.uses_content or policy.reindexes or policy.bits is not None:
        raise ValueError(f"{policy} changes or looks at what it keeps; training goes through the cache as it stands")
    memory, size, given = Memory(), generator.block, context.shape[1]
    blocks = [torch.arange(first, first + size) for first in range(0, frames, size)]
    memory.reserve(policy, blocks)
    levels = torch.tensor(generator.sigmas)
    made = []
    for frame in blocks:
        attention = CachedAttention(memory, policy, generator.rope, frame)
        if frame[0] < given:
            x0 = context[:, frame]
        else:
            like = context.new_zeros(context.shape[0], size, *context.shape[2:])
            with torch.no_grad():
                x0 = denoise(generator.at(frame), attention, like, levels[:exit, None].expand(-1, size), noise)
            level = levels[exit].expand(x0.shape[:2])
            seen = SequenceAttention(generator.rope.turns(frame), None, _past(memory))
            x0 = generator.at(frame)(add_noise(x0, noise(x0.shape), level), level, seen)
        made.append(x0)
        with torch.no_grad():
            write(writer, policy, memory, attention, frame, x0.detach())
    return torch.cat(made, 1)


def _past(memory: Memory) -> list[tuple[Tensor, Tensor]]:
    """For each layer a copy of the history's keys and values, (B, M, H, D); the buffers will be written over."""
    held = [layer for layer in memory.layers if layer.end]
    return [
        (layer.kv[0, :, :, : layer.end].transpose(1, 2).clone(), layer.kv[1, :, :, : layer.end].transpose(1, 2).clone())
        for layer in held
    ]
