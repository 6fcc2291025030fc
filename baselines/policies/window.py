"""Sliding window, as in Self Forcing (arXiv 2506.08009): the newest frames stay, the rest is forgotten."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from mag_model.memory.policy import FrameRule

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True)
class Window(FrameRule):
    """Keep the newest ``frames`` frames.

    Papers count the block that is being made as well: their W is ``frames`` plus one block.
    """

    frames: int = 6

    def keeps(self, frame: Tensor, block: Tensor) -> Tensor:
        return frame > block[-1] - self.frames
