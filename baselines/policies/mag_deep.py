"""MAG with a second level: of packed blocks that are old, one in ``group`` stays, a ninth of the frames.

The memory network of MAG (arXiv 2512.18741) packs blocks of frames, not blocks of packed frames: nobody trained what
stays to hold its neighbours as well. So this is a strided cache of packed blocks, and what it costs is measured.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from mag_model.memory.policy import Mag

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True)
class MagDeep(Mag):
    """Keep the packed frame of each of the newest ``near`` blocks, and of one of every ``group`` older ones."""

    first_block_whole: bool = False
    near: int = 4
    group: int = 3

    def __post_init__(self) -> None:
        if self.group < 1:
            raise ValueError(f"group {self.group} is less than 1")

    def keeps(self, frame: Tensor, block: Tensor) -> Tensor:
        size = len(block)
        near = frame > block[-1] - self.near * size
        deep = frame // size % self.group == self.group - 1
        return super().keeps(frame, block) & (near | deep)
