"""MAG's compressed history, read sparsely: packed blocks that show what comes, and the newest, whatever the history.

Nothing is forgotten, but a block reads a fixed number of frames: MAG (arXiv 2512.18741) keeps, retrieval by camera as
in Context-as-Memory (arXiv 2506.03141) reads. A packed frame shows what its whole block shows.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from baselines.policies.pose_retrieval import shows_most
from mag_model.memory.policy import Mag

if TYPE_CHECKING:
    from torch import Tensor

    from mag_model.memory.frame_kv import FrameKV


@dataclass(frozen=True)
class MagSparse(Mag):
    """Keep what MAG keeps; read the newest packed blocks and ``frames`` others that show most of what comes.

    Attributes:
        frames: packed frames that are read beside the newest.
        newest: packed blocks that are read in any case; with ``recent`` they are whole.
        block: frames of a block, as the network makes them.
    """

    first_block_whole: bool = False
    frames: int = 8
    newest: int = 2
    block: int = 3
    uses_cameras: ClassVar[bool] = True

    def read(self, past: FrameKV, query: Tensor) -> FrameKV:
        import torch

        packed = past.frame[:, None] // self.block * self.block + torch.arange(self.block)
        return past.select(shows_most(past, query, packed, self.frames, self.newest * self.block))
