"""Merging of near duplicates, as in MA-LMM's memory bank (arXiv 2404.05726): the two neighbours most alike become one.

Once there are more than ``frames`` frames beyond the newest, the two that follow one another and whose values have the
largest cosine are averaged, each with the weight of the frames that went into it. Departs from the source, which merges
features of single places: here whole frames, keys before RoPE, read at the index of the newer one.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from mag_model.memory.frame_kv import FrameKV
from mag_model.memory.policy import CachePolicy

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True)
class MergedFrames(CachePolicy):
    """Keep the newest ``recent`` frames, and ``frames`` into which all older ones are merged, most alike first."""

    frames: int = 6
    recent: int = 3
    notes: ClassVar[bool] = True
    mixes: ClassVar[bool] = True

    def __post_init__(self) -> None:
        if self.frames < 1:
            raise ValueError(f"frames {self.frames} is less than 1")

    def write(self, past: FrameKV, block: FrameKV) -> FrameKV:
        import torch

        counted = FrameKV(block.k, block.v, block.frame, block.cameras, note=torch.ones_like(block.notes()))
        merged = past.append(counted)
        newest = merged.frame > block.frame[-1] - self.recent
        older = merged.select(~newest)
        while len(older.frame) > self.frames:
            older = _joined(older, _most_alike(older))
        return older.append(merged.select(newest))

    def held_at(self, made: int, block: int) -> Tensor:
        """So many places, whichever frames are in them."""
        import torch

        return torch.arange(max(made - self.frames - self.recent, 0), made)

    def covers(self, held: Tensor, made: int, block: int) -> Tensor:
        """All frames went into some."""
        import torch

        return torch.arange(made)


def _most_alike(frames: FrameKV) -> int:
    """The first of the two neighbours whose values are most alike; clips of a batch share one choice."""
    from torch.nn.functional import cosine_similarity

    value = frames.v.float().flatten(2)
    return int(cosine_similarity(value[:, :-1], value[:, 1:], dim=-1).mean(0).argmax())


def _joined(frames: FrameKV, place: int) -> FrameKV:
    """Two neighbours averaged, at the index of the newer one. Notes: how many frames went in."""
    import torch

    weight = frames.notes()[:, place : place + 2]
    total = weight.sum(1, keepdim=True)

    def mean(x: Tensor) -> Tensor:
        joined = (x[:, place : place + 2].float() * weight[..., None]).sum(1, keepdim=True) / total[..., None]
        return torch.cat([x[:, :place], joined.to(x.dtype), x[:, place + 2 :]], 1)

    counts = torch.cat([frames.notes()[:, :place], total, frames.notes()[:, place + 2 :]], 1)
    index = torch.cat([frames.frame[:place], frames.frame[place + 1 :]])
    return FrameKV(mean(frames.k), mean(frames.v), index, frames.cameras, note=counts)
