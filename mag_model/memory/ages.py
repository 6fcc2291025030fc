"""Reach after any length of video: of what was shown so long ago, how much can a block still read? No frame is made."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from mag_model.memory.frame_kv import FrameKV
from mag_model.memory.policy import CachePolicy
from mag_model.memory.views import frame_weight, readable

AGES = {"10 s": 10, "1 min": 60, "10 min": 600, "1 h": 3600, "6 h": 6 * 3600, "24 h": 24 * 3600}
"""Ages to look at, in seconds."""


@dataclass(frozen=True)
class Remembered:
    """A policy after some length of video.

    Attributes:
        known: for each age the share that is readable of the frames of that age, or younger but older than the age
            before.
        kept: bytes of the cache against full history's.
        at_most: whether ``known`` is what contents could make it at most.
    """

    known: tuple[float, ...]
    kept: float
    at_most: bool


def remembered(policy: CachePolicy, made: int, block: int, ages: tuple[int, ...]) -> Remembered:
    """Look at the block that follows ``made`` frames, a multiple of ``block``.

    Args:
        ages: ascending, in frames, at most ``made``.
    """
    held = policy.held_at(made, block)
    seen = readable(policy, FrameKV.numbered(held, held), torch.arange(made, made + block))
    known = torch.zeros(made, dtype=torch.bool)
    known[policy.covers(seen, made, block)] = True
    at_most = int(known.sum()) > len(CachePolicy.covers(policy, seen, made, block))
    room = made if policy.mixes else len(seen) * (block if policy.packs else 1)
    shares = []
    for low, high in zip((0, *ages), ages, strict=False):
        could = int(known[made - high : made - low].sum())
        shares.append(min(could, room) / (high - low))
    return Remembered(tuple(shares), len(held) / made * frame_weight(policy), at_most)
