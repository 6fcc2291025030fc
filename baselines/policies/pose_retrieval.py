"""Retrieval by camera, as in Context-as-Memory (arXiv 2506.03141) and WorldMem (arXiv 2504.12369).

All frames are kept; a block reads the newest, and those that together show most of what it will show: the one that
shows most first, then for what is left (greedy, so that near duplicates are passed over). Frames of the block at hand
have cameras before they are made. Both sources train the network for it. Departs from them in going by exact squares
on a plane, where they sample rays or compare poses, and in filling the number up once all is shown.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from mag_model.memory.policy import FullHistory

if TYPE_CHECKING:
    from torch import Tensor

    from mag_model.memory.frame_kv import FrameKV


@dataclass(frozen=True)
class PoseRetrieval(FullHistory):
    """Keep every frame; read the newest ``recent`` and ``frames`` others that show most of what comes."""

    frames: int = 6
    recent: int = 3
    uses_cameras: ClassVar[bool] = True
    untrained: ClassVar[bool] = True

    def read(self, past: FrameKV, query: Tensor) -> FrameKV:
        return past.select(shows_most(past, query, past.frame[:, None], self.frames, self.recent))


def shows_most(past: FrameKV, query: Tensor, stands_for: Tensor, frames: int, recent: int) -> Tensor:
    """(F,) bool: the newest ``recent`` frames of ``past`` and ``frames`` of the others, by what they show.

    Args:
        query: (n,) the frames of the block at hand.
        stands_for: (F, m) frames whose views each of the frames holds.
    """
    import torch

    from mag_model.memory.cover import greedy, shown

    if past.cameras is None:
        raise ValueError("retrieval by camera needs cameras, and there are none")
    chosen = past.frame >= query[0] - recent
    others = (~chosen).nonzero().flatten()
    views = stands_for[others]
    held = past.cameras.of(views.flatten())
    seen = shown(past.cameras.of(query), held).unflatten(1, views.shape).any(2)
    return chosen.index_fill(0, others[greedy(seen, frames)], torch.tensor(True))
