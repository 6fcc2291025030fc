"""What a policy can know at all: how much of each view of a return its cache still holds, without any model.

A place is known in a given frame. It is known in a frame that is made if some frame that shows it, and knows it, is
read then, or packed into one that is. What a model then forgets, its network forgot; the rest it can only guess.
Where the cameras are known this is followed point by point, so that frames which overlap count; else view by view. Of a
policy that chooses by contents it is counted what it could hold at most.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from mag_model.memory.frame_kv import Cameras, FrameKV
from mag_model.memory.masks import caches
from mag_model.memory.policy import CachePolicy, FullHistory

GRID = 16
"""Points along each side of a view."""


@dataclass(frozen=True)
class HeldViews:
    """One clip under one policy.

    Attributes:
        seen: (n,) bool: frames of the return whose view was seen before.
        held: (n,) float64: the share of each view that its block can read.
        frames: in the cache after the last block.
        all_frames: that were made by then.
        at_most: whether ``held`` is what contents could make it at most.
    """

    seen: NDArray[np.bool_]
    held: NDArray[np.float64]
    frames: int
    all_frames: int
    at_most: bool


def held_views(
    policy: CachePolicy, revisit: NDArray[np.int64], pose: NDArray[np.float64] | None, switch: int, block: int
) -> HeldViews:
    """Walk through a clip block by block.

    Args:
        revisit: (T,) the latest earlier frame with the same view, -1 where there is none.
        pose: (T, 3) x, y and logarithm of the width of each view, or None.
        switch: first frame of the return.
        block: frames that are made together; one cached frame stands for one frame of the clip.
    """
    sight = _Exact(revisit, switch) if pose is None else _Points(pose, switch)
    cameras = None if pose is None else Cameras(torch.from_numpy(pose)[None], torch.arange(len(pose)))
    count, at_most = -(-len(revisit) // block), False
    *before, after = islice(caches(policy, block, cameras), count + 1)
    for number, past in enumerate(before):
        first = number * block
        seen = readable(policy, past, torch.arange(first, first + block))
        covered = policy.covers(seen, first, block).tolist()
        at_most |= len(covered) > len(CachePolicy.covers(policy, seen, first, block))
        for frame in range(max(first, switch), min(first + block, len(revisit))):
            sight.look(frame, sorted({*covered, *range(first, min(frame, switch))}))
    return HeldViews(revisit[switch:] >= 0, sight.share[switch:], len(after.frame), count * block, at_most)


def readable(policy: CachePolicy, past: FrameKV, block: Tensor) -> Tensor:
    """(F,) int64 ascending: the frames that a block reads of a cache of frame indices, wherever it reads them.

    Without cameras, a policy that looks at them could read any frame that is there.
    """
    if policy.uses_cameras and past.cameras is None:
        return past.frame
    if policy.uses_content:
        return policy.read(past, block).frame if not policy.reindexes else past.frame
    return policy.read(past, block).numbers.unique()


class _Exact:
    """Views that are either the same or have nothing in common. ``share`` (T,): 1 where a view is known."""

    def __init__(self, revisit: NDArray[np.int64], switch: int) -> None:
        self.revisit = revisit
        self.share = (np.arange(len(revisit)) < switch).astype(np.float64)

    def look(self, frame: int, held: Sequence[int]) -> None:
        """Make a frame with the frames ``held`` in the cache."""
        known = {other for other in held if self.share[other]}
        self.share[frame] = not known.isdisjoint(same_views(self.revisit, frame))


class _Points:
    """Views as squares on a plane, followed at ``GRID`` x ``GRID`` points of each; ``pose`` (T, 3) as in a suite."""

    def __init__(self, pose: NDArray[np.float64], switch: int) -> None:
        self.centre, self.width = pose[:, :2], np.exp(pose[:, 2])
        self.known = np.zeros((len(pose), GRID, GRID), np.bool_)
        self.known[:switch] = True

    @property
    def share(self) -> NDArray[np.float64]:
        return self.known.mean(axis=(1, 2), dtype=np.float64)

    def look(self, frame: int, held: Sequence[int]) -> None:
        """Make a frame with the frames ``held`` in the cache."""
        other = np.array(held, dtype=np.int64)
        steps = ((np.arange(GRID) + 0.5) / GRID - 0.5) * self.width[frame]
        apart = self.centre[frame] - self.centre[other]
        places = np.floor(((apart[:, :, None] + steps) / self.width[other][:, None, None] + 0.5) * GRID)
        inside = (places >= 0) & (places < GRID)
        across, down = np.clip(places, 0, GRID - 1).astype(int).transpose(1, 0, 2)
        there = self.known[other[:, None, None], across[:, :, None], down[:, None]]
        self.known[frame] |= (there & inside[:, 0, :, None] & inside[:, 1, None]).any(0)


def same_views(revisit: NDArray[np.int64], frame: int) -> Iterator[int]:
    """Every earlier frame with the view of ``frame``, the latest first."""
    earlier = int(revisit[frame])
    while earlier >= 0:
        yield earlier
        earlier = int(revisit[earlier])


@dataclass(frozen=True)
class PolicyReach:
    """A policy on a suite.

    Attributes:
        policy: its name.
        seen: share of the return's views that is held, over frames that were seen before, mean over clips; None where
            no clip has any.
        far: the same over frames out of window.
        kept: bytes of the cache at the end against full history's, mean over clips; heads and numbers as the nano
            model has them.
        at_most: whether seen and far are what contents could make them at most.
    """

    policy: str
    seen: float | None
    far: float | None
    kept: float
    at_most: bool


def reach_of(
    name: str,
    policy: CachePolicy,
    clips: Iterable[tuple[NDArray[np.int64], NDArray[np.float64] | None, int, NDArray[np.bool_]]],
    block: int,
) -> PolicyReach:
    """Average a policy over clips.

    Args:
        clips: of each (revisit (T,), pose (T, 3) or None, switch, out of window (T,)).
    """
    seen: list[float] = []
    far: list[float] = []
    kept: list[float] = []
    at_most = False
    for revisit, pose, switch, out_of_window in clips:
        found = held_views(policy, revisit, pose, switch, block)
        away = out_of_window[switch:] & found.seen
        for target, chosen in ((seen, found.seen), (far, away)):
            if chosen.any():
                target.append(float(found.held[chosen].mean()))
        kept.append(found.frames / found.all_frames * frame_weight(policy))
        at_most |= found.at_most
    return PolicyReach(name, _mean(seen), _mean(far), float(np.mean(kept)), at_most)


def frame_weight(policy: CachePolicy) -> float:
    """Bytes of a frame in the cache against one of full history; heads and numbers as the nano model has them."""
    return policy.frame_bytes(1, 1, 32, 4) / FullHistory().frame_bytes(1, 1, 32, 4)


def _mean(values: list[float]) -> float | None:
    return float(np.mean(values)) if values else None
