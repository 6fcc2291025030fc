"""Strided key frames: one frame of every few stays, written by whoever made it.

With a stride of one block this keeps the very frames that MAG keeps: the paper's ablation with an untrained writer
(arXiv 2512.18741, table 3).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from mag_model.memory.policy import FrameRule

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True)
class Strided(FrameRule):
    """Keep the first ``sink`` frames and then the last of every ``stride`` frames."""

    stride: int = 3
    sink: int = 3

    def __post_init__(self) -> None:
        if self.stride < 1:
            raise ValueError(f"stride {self.stride} is less than 1")

    def keeps(self, frame: Tensor, block: Tensor) -> Tensor:
        return (frame < self.sink) | (frame % self.stride == self.stride - 1)
