"""Retrieval by feature, as in LongLive-RAG (arXiv 2606.02553): frames that look like the newest ones are read again.

All frames are kept; a block reads the first ``sink``, the newest ``recent`` and ``frames`` others whose descriptor has
the largest cosine with that of the newest frames. Departs from the source in the descriptor, which was learned there:
here it is the mean value over a frame's tokens, in each layer for itself, so each layer may read other frames.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from mag_model.memory.frame_kv import FrameKV
from mag_model.memory.policy import CachePolicy

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True)
class FeatureRetrieval(CachePolicy):
    """Keep every frame; read the first ``sink``, the newest ``recent`` and ``frames`` others that resemble those."""

    frames: int = 6
    sink: int = 1
    recent: int = 3
    reindexes: ClassVar[bool] = False
    untrained: ClassVar[bool] = True

    def write(self, past: FrameKV, block: FrameKV) -> FrameKV:
        return past.append(block)

    def held_at(self, made: int, block: int) -> Tensor:
        import torch

        return torch.arange(made)

    def read(self, past: FrameKV, query: Tensor) -> FrameKV:
        import torch

        newest = past.frame >= query[0] - self.recent
        fixed = newest | (past.frame < self.sink)
        others = (~fixed).nonzero().flatten()
        if len(others) <= self.frames:
            return past
        feature = torch.nn.functional.normalize(past.v.float().mean(2).flatten(2), dim=-1)
        like = feature[:, newest].mean(1, keepdim=True) if bool(newest.any()) else feature[:, -1:]
        alike = (feature * like).sum(-1).mean(0)  # clips of a batch share one choice
        best = alike[others.to(alike.device)].topk(self.frames).indices.cpu()
        return past.select(fixed.index_fill(0, others[best], torch.tensor(True)))

    def covers(self, held: Tensor, made: int, block: int) -> Tensor:
        """Any frame could be read."""
        import torch

        return torch.arange(made)
