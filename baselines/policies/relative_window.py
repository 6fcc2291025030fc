"""A window with a sink whose frames are always read at the indices just before the block, whatever their own were.

As in LongLive's variant for endless videos, after Infinity-RoPE (arXiv 2511.20649): the sink never seems far away. The
published code counts from the sink and puts the block behind; since only differences of indices count, this is the
same.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar

from baselines.policies.window_sink import WindowSink
from mag_model.memory.frame_kv import FrameKV

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True)
class RelativeWindow(WindowSink):
    """Keep the first ``sink`` frames and the newest ``frames`` frames, and read them one after another."""

    frames: int = 6
    sink: int = 3
    reindexes: ClassVar[bool] = True

    def read(self, past: FrameKV, query: Tensor) -> FrameKV:
        return closed_up(past, query)


def closed_up(past: FrameKV, query: Tensor) -> FrameKV:
    """The frames in their order, at the indices that end where the frames ``query`` begin."""
    import torch

    return replace(past, frame=query[0] + torch.arange(-len(past.frame), 0))
