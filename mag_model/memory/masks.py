"""Attention masks derived from a policy, by running it on frame indices.

The same masks train the networks and check the cache: masked attention over the whole sequence must equal the cached
rollout.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count, islice

import torch
from torch import Tensor

from mag_model.memory.frame_kv import Cameras, FrameKV
from mag_model.memory.policy import CachePolicy


@dataclass(frozen=True)
class BlockMasks:
    """Frame masks of a policy over a sequence; row = query frame, column = key frame, True = attends.

    Attributes:
        own: (F, F) frames of the same block.
        before: (F, F) cached frames that a block sees while it is made.
        after: (F, F) cached frames that a block would see once it has been written itself.
    """

    own: Tensor
    before: Tensor
    after: Tensor


def block_masks(policy: CachePolicy, blocks: int, size: int, cameras: Cameras | None = None) -> BlockMasks:
    """Masks of ``policy`` over ``blocks`` blocks of ``size`` frames, seen by ``cameras``.

    Raises:
        ValueError: the policy moves frames to other indices, which a mask cannot express, or has two readings.
    """
    if not policy.reads_once:
        raise ValueError(f"{policy} reads something else to write a block than to make it; it has no single mask")
    if policy.bits is not None or (policy.uses_content and not policy.reindexes):
        raise ValueError(f"{policy} looks at keys and values, or rounds them; it has no mask")
    total = blocks * size
    states = [torch.zeros(0, dtype=torch.int64)]
    past = FrameKV.empty(_indices(0, size, cameras))
    for number in range(blocks):
        block = _indices(number * size, size, cameras)
        seen = policy.read(past, block.frame)
        if not torch.equal(seen.frame, seen.numbers):
            raise ValueError(f"{policy} reads frames at other indices than their own; it has no mask")
        states[-1] = seen.frame
        past = policy.write(past, block)
        states.append(policy.read(past, block.frame + size).frame)
    visible = torch.zeros(blocks + 1, total, dtype=torch.bool)
    for number, frames in enumerate(states):
        visible[number, frames] = True
    block_of = torch.arange(total) // size
    return BlockMasks(own=block_of[:, None] == block_of, before=visible[block_of], after=visible[block_of + 1])


def token_mask(frames: Tensor, tokens: int) -> Tensor:
    """A frame mask (F, G) as a token mask (F * tokens, G * tokens)."""
    return frames.repeat_interleave(tokens, 0).repeat_interleave(tokens, 1)


def kept_frames(policy: CachePolicy, blocks: int, size: int) -> Tensor:
    """(n,) int64: the frames that a cache holds after ``blocks`` blocks of ``size`` frames."""
    return policy.held_at(blocks * size, size)


@dataclass(frozen=True)
class Reach:
    """How many frames of history a block has to do with.

    Attributes:
        making: read by the passes that make it.
        writing: read by the pass that writes it.
        held: in the cache once it is written.
    """

    making: int
    writing: int
    held: int


def reach(policy: CachePolicy, blocks: int, size: int, rolling_window_blocks: int = 1) -> Reach:
    """Count what the last of ``blocks`` blocks of ``size`` frames reaches, ``rolling_window_blocks`` made at a time."""
    cameras = Cameras(torch.zeros(1, 1, 3), torch.zeros(1))  # where they stand does not change how many are read
    past, first = _after(policy, blocks - 1, size, cameras), (blocks - 1) * size
    window, block = _indices(first, rolling_window_blocks * size), _indices(first, size)
    making, writing = policy.read(past, window.frame), policy.read_to_write(past, block.frame)
    return Reach(len(making.frame), len(writing.frame), len(policy.write(past, block).frame))


def caches(policy: CachePolicy, size: int, cameras: Cameras | None = None) -> Iterator[FrameKV]:
    """The cache before the first block of ``size`` frames, then after each; frames carry their index. Without end."""
    past = FrameKV.empty(_indices(0, size, cameras))
    for number in count():
        yield past
        past = policy.write(past, _indices(number * size, size, cameras))


def _after(policy: CachePolicy, blocks: int, size: int, cameras: Cameras | None = None) -> FrameKV:
    """The cache after ``blocks`` blocks of ``size`` frames."""
    return next(islice(caches(policy, size, cameras), blocks, None))


def _indices(first: int, size: int, cameras: Cameras | None = None) -> FrameKV:
    """Frames that carry their own index as key and value."""
    frame = torch.arange(first, first + size)
    return FrameKV.numbered(frame, frame, cameras)
