"""The one rollout loop: write the context to memory, then make block after block."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor

from mag_model.attention import CachedAttention
from mag_model.backbone import Backbone
from mag_model.flow import add_noise, sampling_sigmas
from mag_model.memory import FrameKV, Memory
from mag_model.policy import CachePolicy


@torch.inference_mode()
def rollout(
    generator: Backbone,
    policy: CachePolicy,
    context: Tensor,
    pose: Tensor,
    frames: int,
    seed: int,
    writer: Backbone | None = None,
    memory: Memory | None = None,
    start: int = 0,
) -> Iterator[Tensor]:
    """Continue a clip.

    Args:
        generator: makes the blocks.
        policy: decides what stays in memory.
        context: (B, F, C, h, w) latents of the frames that exist, a multiple of the block size.
        pose: (B, >= frames, 3) cameras of all frames, the context's first.
        frames: of context and continuation together.
        seed: of all noise.
        writer: whose keys and values are remembered; the generator itself if None.
        memory: to look at from outside. If it is not empty, it holds frames before the context.
        start: absolute index of the first frame of the context.
    Yields:
        (B, block, C, h, w): one block of latents after another; the last one is cut at ``frames``.
    """
    spec = generator.spec
    memory = Memory() if memory is None else memory
    writer = generator if writer is None else writer
    if context.shape[1] % spec.block:
        raise ValueError(f"context of {context.shape[1]} frames is not a multiple of the block of {spec.block}")
    random = torch.Generator().manual_seed(seed)
    surplus = -frames % spec.block
    pose = torch.cat([pose[:, :frames], pose[:, frames - 1 : frames].expand(-1, surplus, -1)], 1)
    for first in range(0, context.shape[1], spec.block):
        span = slice(first, first + spec.block)
        _write(writer, policy, memory, context[:, span], start + first, pose[:, span])
    size = context.shape[:1] + (spec.block,) + context.shape[2:]
    for first in range(context.shape[1], frames, spec.block):
        span = slice(first, first + spec.block)
        block = _denoise(generator, policy, memory, start + first, pose[:, span], random, size)
        _write(writer, policy, memory, block, start + first, pose[:, span])
        yield block[:, : frames - first]


def _denoise(
    generator: Backbone,
    policy: CachePolicy,
    memory: Memory,
    start: int,
    pose: Tensor,
    random: torch.Generator,
    size: tuple[int, ...],
) -> Tensor:
    """One new block, (B, block, C, h, w): few-step sampling that draws fresh noise between the steps."""
    spec = generator.spec
    frame = torch.arange(start, start + spec.block)
    history = [policy.read(layer, frame) for layer in memory.layers]
    attention = CachedAttention(spec, history, spec.block * spec.tokens)
    condition = generator.condition(frame, pose)
    x0 = torch.zeros(size)
    for sigma in sampling_sigmas(spec.steps, spec.shift):
        level = torch.full(size[:2], sigma)
        noised = add_noise(x0, torch.randn(size, generator=random), level)
        x0 = generator(noised, level, condition, attention).x0
    return x0


def _write(writer: Backbone, policy: CachePolicy, memory: Memory, block: Tensor, start: int, pose: Tensor) -> None:
    """Remember a finished block: one clean pass of the writer, then the policy decides."""
    spec = writer.spec
    frame = torch.arange(start, start + spec.block)
    history = [policy.read(layer, frame) for layer in memory.layers]
    attention = CachedAttention(spec, history, spec.block * spec.tokens)
    layers = writer(block, torch.zeros(block.shape[:2]), writer.condition(frame, pose), attention).layers
    past = memory.layers or [FrameKV.empty(layer) for layer in layers]
    memory.replace([policy.write(old, new) for old, new in zip(past, layers, strict=True)])
