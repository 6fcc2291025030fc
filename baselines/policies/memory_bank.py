"""A bank of key frames chosen by relevance, as in MemFlow (arXiv 2512.14699), beside a short window.

The first frame of every few blocks is a key frame, and goes into the bank when it leaves the window. When the bank is
full, the newest key frame and the most relevant of the others stay. Departs from the source, which asks with the
prompt: relevance is the attention that the queries of the newest block give to a frame, in each layer for itself.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from mag_model.memory.attended import attention_mass
from mag_model.memory.policy import CachePolicy

if TYPE_CHECKING:
    from torch import Tensor

    from mag_model.memory.frame_kv import FrameKV


@dataclass(frozen=True)
class MemoryBank(CachePolicy):
    """Keep the newest ``frames`` frames and ``bank`` key frames, the first of every ``every``-th block.

    Attributes:
        bank: key frames that stay, the newest one included.
        every: blocks from one key frame to the next.
    """

    frames: int = 3
    bank: int = 3
    every: int = 3
    reindexes: ClassVar[bool] = False
    uses_queries: ClassVar[bool] = True
    untrained: ClassVar[bool] = True

    def __post_init__(self) -> None:
        if self.every < 1 or self.bank < 1:
            raise ValueError(f"a bank of {self.bank} frames, one every {self.every} blocks; both must be at least 1")

    def write(self, past: FrameKV, block: FrameKV) -> FrameKV:
        import torch

        merged = past.append(block)
        newest = merged.frame > block.frame[-1] - self.frames
        keys = (~newest & (merged.frame % (self.every * len(block.frame)) == 0)).nonzero().flatten()
        if len(keys) > self.bank:
            old = keys[:-1]
            relevance = attention_mass(block.q, merged.select(old)).sum((2, 3)).mean(0)
            keys = torch.cat([old[relevance.topk(self.bank - 1).indices.cpu()], keys[-1:]])
        return merged.select(newest.index_fill(0, keys, torch.tensor(True)))

    def held_at(self, made: int, block: int) -> Tensor:
        """The newest, and so many key frames, whichever have stayed."""
        import torch

        left = max(made - self.frames, 0)
        keys = torch.arange(0, left, self.every * block)[-self.bank :]
        return torch.cat([keys, torch.arange(left, made)])

    def covers(self, held: Tensor, made: int, block: int) -> Tensor:
        """Any key frame could have stayed."""
        import torch

        return torch.unique(torch.cat([held, torch.arange(0, made, self.every * block)]))
