"""The one rollout loop: write the context to memory, then make block after block, one at a time or several at once."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import torch
from torch import Tensor

from mag_model.denoiser import Denoiser, Pass
from mag_model.flow import add_noise
from mag_model.memory.attention import CachedAttention
from mag_model.memory.cache import Memory
from mag_model.memory.policy import CachePolicy

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

    A block begins as noise and is clean after all denoising steps. Of a generator that makes one block at a time, the
    next begins once the last one is written. Of one that makes ``rolling_window_blocks`` at once, they follow one
    another after an equal share of the steps each, as in Rolling Forcing (arXiv 2509.25161): a pass denoises all blocks
    in the making, the first one cleanest, and they see each other. At the beginning there are fewer of them, and at the
    end.

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
            Not for blocks made together: they have seen each other before the first one is remembered.
    Yields:
        (B, block, C, h, w): one block of latents after another; the last one is cut at ``frames``.
    """
    memory = Memory() if memory is None else memory
    writer = generator if writer is None else writer
    size, given = generator.block, context.shape[1]
    if given % size:
        raise ValueError(f"context of {given} frames is not a multiple of the block of {size}")
    together, made = generator.rolling_window_blocks, max(0, -(-(frames - given) // size))
    if truth is not None and together > 1:
        raise ValueError(f"{together} blocks are made together; none can be remembered as it should have been")
    blocks = [torch.arange(start + first, start + first + size) for first in range(0, given + made * size, size)]
    memory.cameras = generator.cameras
    memory.reserve(policy, blocks, together)
    for number, frame in enumerate(blocks[: given // size]):
        attention = CachedAttention(memory, policy, generator.rope, frame, context.device)
        write(writer, policy, memory, attention, frame, context[:, number * size : (number + 1) * size])
    if not made:
        return
    levels, new = rising_levels(generator), blocks[given // size :]
    x0 = torch.zeros((context.shape[0], 0, *context.shape[2:]), device=context.device)
    for begun in range(1, made + together):  # blocks begun so far, were there no last one
        frame = torch.cat(new[max(begun - together, 0) : begun])
        x0 = torch.cat([x0, x0.new_zeros(x0.shape[0], len(frame) - x0.shape[1], *x0.shape[2:])], 1)
        attention = CachedAttention(memory, policy, generator.rope, frame, context.device)
        noisiest = levels[:, max(together - begun, 0) * size :]
        x0 = denoise(generator.at(frame), attention, x0, noisiest[:, : len(frame)], noise)
        if begun >= together:
            block, x0, first = x0[:, :size], x0[:, size:], (begun - together) * size
            seen = block if truth is None else _true_block(truth, first, block)
            write(writer, policy, memory, attention, frame[:size], seen)
            yield block[:, : frames - given - first]


def _true_block(truth: Tensor, first: int, made: Tensor) -> Tensor:
    """The block of the truth that begins at ``first``; ``made``, the last one, where the truth ends inside it."""
    block = truth[:, first : first + made.shape[1]]
    return block if block.shape == made.shape else made


def rising_levels(generator: Denoiser) -> Tensor:
    """(passes, frames) noise levels of the blocks that are made together, in the passes after which the first is clean.

    Each row rises from block to block. One block at a time: a row for each step.
    """
    steps = torch.tensor(generator.sigmas).unflatten(0, (generator.rolling_window_blocks, -1))
    return steps.flip(0).T.repeat_interleave(generator.block, 1)


def denoise(run: Pass, attention: CachedAttention, x0: Tensor, levels: Tensor, noise: Noise) -> Tensor:
    """Few-step sampling that draws fresh noise before each pass.

    Args:
        x0: (B, F, C, h, w) clean latents as predicted so far; zeros where there is no prediction yet.
        levels: (passes, F) noise levels; 1 where there is no prediction yet.
    Returns:
        (B, F, C, h, w) as predicted in the last pass.
    """
    for row in levels.to(x0.device):
        level = row.expand(x0.shape[:2])
        x0 = run(add_noise(x0, noise(x0.shape).to(x0.device), level), level, attention)
    return x0


def write(
    writer: Denoiser, policy: CachePolicy, memory: Memory, attention: CachedAttention, frame: Tensor, block: Tensor
) -> None:
    """Put a clean block (B, block, C, h, w) of the frames ``frame`` into memory, which ``attention`` reads."""
    writer.at(frame)(block, block.new_zeros(block.shape[:2]), attention.to_write(frame))
    memory.keep(policy, frame)
