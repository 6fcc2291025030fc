"""Sliding window with a sink, as in LongLive (arXiv 2509.22622): the first and the newest frames stay."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from mag_model.memory.policy import FrameRule

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True)
class WindowSink(FrameRule):
    """Keep the first ``sink`` frames and the newest ``frames`` frames."""

    frames: int = 3
    sink: int = 3

    def keeps(self, frame: Tensor, block: Tensor) -> Tensor:
        return (frame < self.sink) | (frame > block[-1] - self.frames)
