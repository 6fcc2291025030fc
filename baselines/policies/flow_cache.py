"""Importance minus redundancy, as in FlowCache (arXiv 2602.10825): what is asked for stays, what is there twice goes.

Of the frames beyond the newest, those stay whose .07 importance - .93 redundancy is largest. Importance: attention that
the queries of the newest block give to a frame, as a share of the most that one gets. Redundancy: mean cosine of its
keys, place by place, with those of the other frames. Each layer chooses for itself.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from mag_model.memory.attended import attention_mass
from mag_model.memory.frame_kv import FrameKV
from mag_model.memory.policy import CachePolicy

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True)
class FlowCache(CachePolicy):
    """Keep the newest ``recent`` frames and ``frames`` others, by importance minus redundancy.

    Attributes:
        importance: its weight; redundancy has the rest of 1.
    """

    frames: int = 6
    recent: int = 3
    importance: float = 0.07
    reindexes: ClassVar[bool] = False
    uses_queries: ClassVar[bool] = True

    def write(self, past: FrameKV, block: FrameKV) -> FrameKV:
        import torch

        merged = past.append(block)
        newest = merged.frame > block.frame[-1] - self.recent
        older = (~newest).nonzero().flatten()
        if len(older) <= self.frames:
            return merged
        value = self.importance * _importance(block.q, merged) - (1 - self.importance) * _redundancy(merged)
        best = value.mean(0)[older].topk(self.frames).indices.cpu()
        return merged.select(newest.index_fill(0, older[best], torch.tensor(True)))

    def held_at(self, made: int, block: int) -> Tensor:
        """So many places, whichever frames are in them."""
        import torch

        return torch.arange(max(made - self.frames - self.recent, 0), made)

    def covers(self, held: Tensor, made: int, block: int) -> Tensor:
        """Any frame could have stayed."""
        import torch

        return torch.arange(made) if self.frames else held


def _importance(q: Tensor | None, frames: FrameKV) -> Tensor:
    """(B, F) in [0, 1]."""
    mass = attention_mass(q, frames).sum((2, 3))
    return mass / mass.amax(1, keepdim=True).clamp(min=1e-9)


def _redundancy(frames: FrameKV) -> Tensor:
    """(B, F) in [-1, 1]: mean cosine with every other frame."""
    import torch

    keys = torch.nn.functional.normalize(frames.k.float().flatten(3), dim=-1)
    alike = torch.einsum("bfsc,bgsc->bfg", keys, keys) / keys.shape[2]
    return (alike.sum(-1) - 1) / max(alike.shape[-1] - 1, 1)
