"""A sliding window with an anchor, as in Rolling Forcing (arXiv 2509.25161): the first frames never seem far away.

A pass that makes frames sees ``sink`` + ``frames`` frames in all, those in the making included: of the history the
newest that still fit, and the first ones as if they had come just before them. The pass that writes a block sees the
whole window, each frame at its own index, and the first frames only as long as they are in it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from baselines.policies.relative_window import closed_up
from baselines.policies.window_sink import WindowSink
from mag_model.memory.frame_kv import FrameKV

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True)
class AnchoredWindow(WindowSink):
    """Keep the first ``sink`` and the newest ``frames`` frames; while frames are made, the first seem to be near."""

    frames: int = 18
    sink: int = 3
    reindexes: ClassVar[bool] = True

    def read(self, past: FrameKV, query: Tensor) -> FrameKV:
        newest = past.frame >= query[0] - (self.frames - len(query))
        return closed_up(past.select(newest | (past.frame < self.sink)), query)

    def read_to_write(self, past: FrameKV, query: Tensor) -> FrameKV:
        return past.select(past.frame >= query[0] - self.frames)
