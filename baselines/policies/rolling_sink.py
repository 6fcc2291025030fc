"""A rolling sink, as in Rolling Sink (arXiv 2602.07775): the older part of the window replays the first frames.

Frames beyond the newest ``recent`` are never those that were made, but the first ``sink`` in turn, read at the indices
of those whose place they take: the window moves on, and what is in it was given. For each of the window's older places
the frame is that of a walk to and fro over the first frames, forward, then backward.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar

from baselines.policies.window_sink import WindowSink
from mag_model.memory.frame_kv import FrameKV

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True)
class RollingSink(WindowSink):
    """Keep the first ``sink`` and the newest ``frames`` frames; read those and ``replayed`` of the first in turn."""

    frames: int = 3
    sink: int = 18
    replayed: int = 15
    reindexes: ClassVar[bool] = True

    def __post_init__(self) -> None:
        if self.sink < 1:
            raise ValueError(f"sink {self.sink} is less than 1")

    def read(self, past: FrameKV, query: Tensor) -> FrameKV:
        import torch

        start = int(query[0])
        older = torch.arange(max(start - self.frames - self.replayed, 0), max(start - self.frames, 0))
        turn = older % (2 * self.sink)
        replay = torch.minimum(turn, 2 * self.sink - 1 - turn)
        newest = (past.frame >= start - self.frames).nonzero().flatten()
        place = torch.cat([torch.searchsorted(past.frame, replay), newest])
        return replace(past.select(place), frame=torch.cat([older, past.frame[newest]]))
