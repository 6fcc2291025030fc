"""The one rollout loop: write the context to memory, then make block after block."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import torch
from torch import Tensor

from mag_model.attention import CachedAttention
from mag_model.denoiser import Denoiser, Pass
from mag_model.flow import add_noise
from mag_model.memory import Memory
from mag_model.policy import CachePolicy

Noise = Callable[[torch.Size], Tensor]
"""Draws standard normal noise of a size; asked once for each denoising step."""


def seeded(seed: int) -> Noise:
    """Noise that depends on ``seed`` alone, whatever the device."""
    random = torch.Generator().manual_seed(seed)
    return lambda size: torch.randn(size, generator=random)


@torch.inference_mode()
def rollout(
    generator: Denoiser,
    policy: CachePolicy,
    context: Tensor,
    frames: int,
    noise: Noise,
    writer: Denoiser | None = None,
    memory: Memory | None = None,
    start: int = 0,
    truth: Tensor | None = None,
) -> Iterator[Tensor]:
    """Continue a clip.

    Args:
        generator: makes the blocks.
        policy: decides what stays in memory.
        context: (B, F, C, h, w) float32 latents of the frames that exist, a multiple of the block size; F may be 0. It
            says on which device all happens.
        frames: of context and continuation together.
        noise: see :func:`seeded`.
        writer: whose keys and values are remembered; the generator itself if None.
        memory: to look at from outside. If it is not empty, it holds frames before the context.
        start: absolute index of the first frame of the context.
        truth: (B, F, C, h, w) what the frames after the context should have been: remembered in place of what was made,
            so that no error of one block reaches the next. Only whole blocks of it are used. None = what was made.
    Yields:
        (B, block, C, h, w): one block of latents after another; the last one is cut at ``frames``.
    """
    memory = Memory() if memory is None else memory
    writer = generator if writer is None else writer
    size, given = generator.block, context.shape[1]
    if given % size:
        raise ValueError(f"context of {given} frames is not a multiple of the block of {size}")
    blocks = [torch.arange(start + first, start + first + size) for first in range(0, max(frames, given), size)]
    memory.reserve(policy, blocks)
    for number, frame in enumerate(blocks):
        attention = CachedAttention(memory, policy, generator.rope, frame, context.device)
        first = number * size
        if first < given:
            block = context[:, first : first + size]
        else:
            shape = torch.Size((context.shape[0], size, *context.shape[2:]))
            block = _denoise(generator.at(frame), generator.sigmas, attention, shape, noise, context.device)
        seen = block if truth is None or first < given else _true_block(truth, first - given, block)
        writer.at(frame)(seen, block.new_zeros(block.shape[:2]), attention)
        memory.keep(policy, frame)
        if first >= given:
            yield block[:, : frames - first]


def _true_block(truth: Tensor, first: int, made: Tensor) -> Tensor:
    """The block of the truth that begins at ``first``; ``made``, the last one, where the truth ends inside it."""
    block = truth[:, first : first + made.shape[1]]
    return block if block.shape == made.shape else made


def _denoise(
    run: Pass,
    sigmas: Sequence[float],
    attention: CachedAttention,
    shape: torch.Size,
    noise: Noise,
    device: torch.device,
) -> Tensor:
    """One new block: few-step sampling that draws fresh noise between the steps."""
    x0 = torch.zeros(shape, device=device)
    for sigma in sigmas:
        level = x0.new_full(shape[:2], sigma)
        x0 = run(add_noise(x0, noise(shape).to(device), level), level, attention)
    return x0
