"""Token eviction by attention that adds up, as in H2O (arXiv 2306.14048): tokens that were often looked at stay.

Each head keeps the tokens with the most attention since they came, from the queries of every block, and the newest
frames whole. Departs from the source in evicting once a block, not once a token.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar

from mag_model.memory.attended import attention_mass, strongest_tokens
from mag_model.memory.frame_kv import FrameKV
from mag_model.memory.policy import CachePolicy

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True)
class HeavyHitters(CachePolicy):
    """Keep the newest ``recent`` frames, and ``frames`` frames' worth of the older tokens that were most looked at."""

    frames: int = 6
    recent: int = 3
    reindexes: ClassVar[bool] = False
    uses_queries: ClassVar[bool] = True
    notes: ClassVar[bool] = True

    def write(self, past: FrameKV, block: FrameKV) -> FrameKV:
        merged = past.append(block)
        merged = replace(merged, note=merged.notes() + attention_mass(block.q, merged))
        newest = merged.frame > block.frame[-1] - self.recent
        older = merged.select(~newest)
        return strongest_tokens(older, older.notes(), self.frames).append(merged.select(newest))

    def held_at(self, made: int, block: int) -> Tensor:
        """So many places, whichever frames are in them."""
        import torch

        return torch.arange(max(made - self.frames - self.recent, 0), made)

    def covers(self, held: Tensor, made: int, block: int) -> Tensor:
        """Any frame could have given the tokens."""
        import torch

        return torch.arange(made) if self.frames else held
