"""A deep sink with participative compression, as in Deep Forcing (arXiv 2512.05081).

Of all that is neither sink nor recent, the tokens with the largest sum of products with the newest queries stay; all is
read one after another, just before the block. Departs from the source in choosing for each place of the picture and
each head which of its tokens stay, so that a token keeps its row and column; and in doing so after every block.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from baselines.policies.relative_window import closed_up
from mag_model.memory.attended import summed_products
from mag_model.memory.frame_kv import FrameKV
from mag_model.memory.policy import CachePolicy

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True)
class DeepSink(CachePolicy):
    """Keep the first ``sink`` frames, the newest ``recent``, and ``middle`` frames' worth of the tokens between."""

    sink: int = 10
    middle: int = 2
    recent: int = 4
    uses_queries: ClassVar[bool] = True

    def write(self, past: FrameKV, block: FrameKV) -> FrameKV:
        merged = past.append(block)
        first = merged.frame < self.sink
        newest = merged.frame > block.frame[-1] - self.recent
        between = ~first & ~newest
        middle = merged.select(between)
        count = len(middle.frame)
        if count <= self.middle:
            return merged
        best = summed_products(block.q, middle).topk(self.middle, dim=1).indices.sort(1).values
        best = best[..., None].expand(-1, -1, -1, -1, merged.k.shape[-1])
        stays = FrameKV(middle.k.gather(1, best), middle.v.gather(1, best), middle.frame[count - self.middle :])
        return merged.select(first).append(stays).append(merged.select(newest))

    def read(self, past: FrameKV, query: Tensor) -> FrameKV:
        return closed_up(past, query)

    def held_at(self, made: int, block: int) -> Tensor:
        """The sink, and so many places, whichever frames' tokens are in them."""
        import torch

        frame = torch.arange(made)
        return frame[(frame < self.sink) | (frame >= made - self.middle - self.recent)]

    def covers(self, held: Tensor, made: int, block: int) -> Tensor:
        """Any frame could have given the tokens in the middle."""
        import torch

        return torch.arange(made) if self.middle else held
