"""MAG with a bounded cache, as its released inference is configured: the oldest packed blocks are forgotten.

The released code (MAG, arXiv 2512.18741) pins the first frames, apart from a ring with the last frame of each block.
While the ring is not full, this keeps what :class:`mag_model.memory.policy.Mag` keeps; then the last frame of the first
block goes when its turn comes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from mag_model.memory.policy import FrameRule

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True)
class MagRing(FrameRule):
    """Keep the first ``sink`` frames and the last frame of each of the newest ``ring`` blocks."""

    ring: int = 21
    sink: int = 2
    packs: ClassVar[bool] = True

    def __post_init__(self) -> None:
        if self.ring < 1:
            raise ValueError(f"ring {self.ring} is less than 1")

    def keeps(self, frame: Tensor, block: Tensor) -> Tensor:
        size = len(block)
        last = frame % size == size - 1
        return (frame < self.sink) | (last & (frame > block[-1] - self.ring * size))
