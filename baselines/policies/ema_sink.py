"""A sink that slowly takes in what leaves the window, as in Reward Forcing (arXiv 2512.04678).

Keys (before RoPE) and values of the frames that leave are averaged into the sink; all are read one after another.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from baselines.policies.relative_window import closed_up
from mag_model.memory.frame_kv import FrameKV
from mag_model.memory.policy import CachePolicy

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True)
class EmaSink(CachePolicy):
    """Keep ``sink`` frames and the newest ``frames`` frames.

    Attributes:
        frames: how many of the newest stay as they are.
        sink: how many averages there are; they begin as the first frames. Frame f goes into number f mod ``sink``.
        decay: weight of the average when a frame is taken in.
    """

    frames: int = 3
    sink: int = 3
    decay: float = 0.999

    def __post_init__(self) -> None:
        if not 0 <= self.decay <= 1:
            raise ValueError(f"decay {self.decay:g} is not between 0 and 1")

    def write(self, past: FrameKV, block: FrameKV) -> FrameKV:
        import torch

        merged = past.append(block)
        newest = merged.frame > block.frame[-1] - self.frames
        first = merged.frame < self.sink
        k, v = merged.k.clone(), merged.v.clone()
        for place in (~newest & ~first).nonzero().flatten().tolist():
            into = int(merged.frame[place]) % self.sink
            for content in (k, v):
                average = torch.lerp(content[:, place].float(), content[:, into].float(), self.decay)
                content[:, into] = average.to(content.dtype)
        return FrameKV(k, v, merged.frame).select(newest | first)

    def held_at(self, made: int, block: int) -> Tensor:
        import torch

        frame = torch.arange(made)
        return frame[(frame < self.sink) | (frame >= made - self.frames)]

    def read(self, past: FrameKV, query: Tensor) -> FrameKV:
        return closed_up(past, query)
