"""Token eviction by what the newest queries look at, as in SnapKV (arXiv 2404.14469).

Each head keeps the tokens to which the queries of the newest block give most attention, with their neighbours: scores
are averaged over ``pool`` adjacent tokens first. The newest frames stay whole. Departs from the source in doing so
after every block, where it does once, after the prompt; so what is dropped is gone.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from mag_model.memory.attended import attention_mass, strongest_tokens
from mag_model.memory.frame_kv import FrameKV
from mag_model.memory.policy import CachePolicy

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True)
class SnapKv(CachePolicy):
    """Keep the newest ``recent`` frames, and ``frames`` frames' worth of the older tokens that are looked at now.

    Attributes:
        pool: adjacent tokens that share their scores; odd.
    """

    frames: int = 6
    recent: int = 3
    pool: int = 3
    reindexes: ClassVar[bool] = False
    uses_queries: ClassVar[bool] = True

    def __post_init__(self) -> None:
        if self.pool % 2 == 0:
            raise ValueError(f"pool {self.pool} is not odd")

    def write(self, past: FrameKV, block: FrameKV) -> FrameKV:
        from torch.nn.functional import avg_pool1d

        merged = past.append(block)
        newest = merged.frame > block.frame[-1] - self.recent
        older = merged.select(~newest)
        if len(older.frame) <= self.frames:
            return merged
        score = attention_mass(block.q, older).flatten(1, 2).transpose(1, 2)
        pooled = avg_pool1d(score, self.pool, 1, self.pool // 2, count_include_pad=False).transpose(1, 2)
        kept = strongest_tokens(older, pooled.unflatten(1, older.k.shape[1:3]), self.frames)
        return kept.append(merged.select(newest))

    def held_at(self, made: int, block: int) -> Tensor:
        """So many places, whichever frames are in them."""
        import torch

        return torch.arange(max(made - self.frames - self.recent, 0), made)

    def covers(self, held: Tensor, made: int, block: int) -> Tensor:
        """Any frame could have given the tokens."""
        import torch

        return torch.arange(made) if self.frames else held
